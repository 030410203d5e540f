/* A recipe made runnable: model, final numbers, compiled step, and the extents it runs with.
 * Not the run itself (runtime/train/run.h) and not a verb (cmd_pretrain.c, cmd_bench.c). */
#ifndef SN_FRONTEND_TRAINING_H
#define SN_FRONTEND_TRAINING_H

#include "../runtime/train/trainer.h"
#include "compile.h"

typedef struct sn_training {
    sn_diags    diags;
    sn_arena    arena;
    sn_model   *model;
    sn_recipe   recipe;
    const char **set;        /* the overrides */
    uint32_t    sets;
    sn_program  program;
    int64_t    *extent;      /* of the program's symbols */
    const char **input;      /* names of the views' inputs, then those of the labels and of the clips' numbers if there are any */
    uint32_t     inputs;
    uint32_t    persons;     /* of a row of the views: 1, or the second of five axes */
    char       *text;        /* the recipe as run: "key = value" lines; see sn_training_open */
    char       *graph;       /* the recipe as run: one graph file (sn_model_bundle) */
    bool        compiled;
} sn_training;

/* Load a recipe under "k=v" overrides and compile its step with gradients of all weights; cpu and code as in sn_codegen_options.  On failure t->diags or *err say why (the
 * former if it holds an error); close it in any case.
 * t->text holds what determines the run: module, a digest of its graph, parameters, loss, batch, frames, views, optimiser, schedule. */
bool sn_training_open(sn_training *t, const char *path, const char *const *set, uint32_t sets, const char *cache_dir, const char *cpu,
                      const char *code, sn_rt_error *err);
void sn_training_close(sn_training *t);

/* A trainer for it; t must outlive the trainer. */
sn_rt_status sn_training_start(const sn_training *t, uint64_t seed, int threads, sn_rt_trainer **out, sn_rt_error *err);
/* The recipe's schedule for the runtime; borrowed from t. */
sn_rt_schedule sn_training_schedule(const sn_training *t);

/* The recipe's model alone (sn_model_bundle_part), compiled for inference.  Its weights are those of the step called "MODEL.name".  *out_graph, free it: the model as one graph file.  On failure t->diags or *err say why. */
bool sn_training_model(sn_training *t, const char *cache_dir, sn_program *out, char **out_graph, sn_rt_error *err);

/* Say what went wrong on standard error, after "sinew VERB: ". */
void sn_training_complain(const sn_training *t, const char *verb, const sn_rt_error *err);

#endif
