/* A trained model in one file that says all about itself: graph, weights, classes, what recordings it wants.
 * Not a run (runtime/train/run.h) and not running it (runtime/tag).
 *
 * A safetensors file of the weights and states of the graph's main module, by name, with metadata:
 *
 *   sinew.kind     "model"
 *   sinew.graph    the graph file (LANGUAGE.md), whole: nothing is imported
 *   sinew.classes  JSON list of names; one more, background, has no name
 *   sinew.layout   of the sets it was trained on (dataset.h): "ntu25"
 *   sinew.fps      rate of its frames
 *   sinew.window   frames a training step saw at once
 *   sinew.halo     runtime/tag/tagger.h: a number, or "none" */
#ifndef SN_FRONTEND_MODEL_FILE_H
#define SN_FRONTEND_MODEL_FILE_H

#include "../runtime/data/classes.h"
#include "../runtime/tag/tagger.h"
#include "../runtime/train/store.h"
#include "compile.h"

#include <limits.h>

/* What is written beside the weights; borrowed. */
typedef struct sn_model_facts {
    const char          *graph, *layout;
    const sn_rt_classes *classes;
    double               fps;
    size_t               window, halo;
} sn_model_facts;

/* Atomically.  weight as in sn_rt_tagger. */
sn_rt_status sn_model_file_write(const char *path, const sn_model_facts *facts, const sn_abi_program *program, const float *const *weight, sn_rt_error *err);

/* One read and compiled. */
typedef struct sn_model_file {
    char           path[PATH_MAX]; /* of the file itself */
    sn_diags       diags;
    sn_rt_tensors *tensors;
    sn_model_facts facts; /* borrowed from the rest of this struct */
    sn_rt_classes  classes;
    sn_program     program;
    const float  **weight;
    sn_rt_tagger   tagger;
    bool           compiled;
} sn_model_file;

/* `path` is the file, or a folder of a run with "model.safetensors" in it.  On failure f->diags (if it holds an error) or *err say why; close it in any case.
 * Reading alone gives tensors, facts and classes, and the graph by sn_model_parse(path, facts.graph). */
bool sn_model_file_is(const char *path); /* by its name or kind: no graph file */
bool sn_model_file_read(sn_model_file *f, const char *path, sn_rt_error *err);
bool sn_model_file_open(sn_model_file *f, const char *path, const char *cache_dir, int threads, sn_rt_error *err);
void sn_model_file_close(sn_model_file *f);

#endif
