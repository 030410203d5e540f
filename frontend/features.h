/* Features of a data set's sequences: a model's value, computed on whole recordings of any length, pooled over joints and persons.
 * Not what is done with them (neighbours.h, cmd_embed.c). */
#ifndef SN_FRONTEND_FEATURES_H
#define SN_FRONTEND_FEATURES_H

#include "../runtime/data/dataset.h"
#include "../runtime/sinew_rt.h"
#include "compile.h"

/* Where features come from. */
typedef struct sn_features_how {
    const char        *model;   /* a graph file; the folder of a run of `sinew pretrain`: its recipe.json and newest checkpoint; or a finetuned model, a
                                   safetensors file (model_file.h) or the folder of its run */
    const char        *weights; /* safetensors; NULL: that checkpoint, or the model itself */
    const char        *prefix;  /* weights are PREFIX.name in it; NULL: name */
    const char        *module;  /* of the graph file; NULL: its main one */
    const char        *value;   /* as sn_program_options.value; NULL: what a recipe calls features, "enc" of a finetuned model, else the module's first output */
    const char *const *set;     /* "name=value" */
    uint32_t           sets;
    const char        *cache_dir;
    int                threads;
} sn_features_how;

typedef struct sn_extractor {
    sn_diags       diags;
    sn_arena       arena;
    sn_model      *model;
    sn_program     program;
    sn_rt_session *session;
    sn_rt_tensors *weights; /* `path` is the file they are from */
    const char    *path;
    const float  **param;   /* of the weights, by parameter; NULL: not needed */
    uint32_t       input;   /* parameter that the recording is given to */
    int64_t       *extent;
    int            threads;
    bool           compiled;
} sn_extractor;

/* Load, compile, read weights.  On failure x->diags (if it holds an error) or *err say why; close it in any case. */
bool sn_extractor_open(sn_extractor *x, const sn_features_how *how, sn_rt_error *err);
void sn_extractor_close(sn_extractor *x);

/* Rows over time of one sequence: row i of `frames` is about source frames [i, i + 1) * length / frames. */
typedef struct sn_features {
    float *x; /* [frames][width]; freed by the caller */
    size_t frames, width;
} sn_features;

/* Has the person a coordinate other than 0 in any frame? */
bool sn_person_is_there(const sn_rt_sequence *sequence, size_t person);

/* Run the whole sequence at its own length.  An input [N, T, V, 3] is given every person that is there (the first if none is)
 * as a row of its own, an input [N, M, T, V, 3] all of them in one.  Of a value [N, T', V', C], [N, T', C] or [N, C] the mean over
 * joints and rows is taken, in double.  Results do not depend on the number of threads.
 * SN_RT_BAD_SHAPE names what does not fit; the sequence's id stands before it. */
sn_rt_status sn_extract(sn_extractor *x, const sn_rt_sequence *sequence, sn_features *out, sn_rt_error *err);

#endif
