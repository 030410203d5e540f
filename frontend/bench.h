/* Measuring a graph file: compile time, step time, speed, memory, time by kernel.
 * Not the verb (cmd_bench.c): prints nothing but the JSON asked for. */
#ifndef SN_FRONTEND_BENCH_H
#define SN_FRONTEND_BENCH_H

#include <jansson.h>

#include "observe.h"
#include "training.h"

enum { SN_BENCH_MOST_STEPS = 2000 };

typedef struct sn_bench_options {
    const char *const *set; uint32_t sets; /* "k=v": parameters, or extents of free dimensions */
    const char *module; /* inference of this module; NULL: the recipe's step in training if there is a recipe, else the main module */
    const char *const *grad; uint32_t grads; /* without a recipe: with the gradients of these outputs for all weights and inputs */
    bool        train;   /* without a recipe: batch statistics, dropout, updates */
    bool        observe; /* steps one by one too, and counters */
    const char *cpu;
    const char *code;    /* as in sn_codegen_options */
    int         threads;
    double      seconds; /* to spend on steps, at least 3 of them */
    /* Instead of `seconds`, if given: is told the times of the steps just done (at first none) and says how many to do next, at most
     * SN_BENCH_MOST_STEPS in all; 0 ends.  So that another program can take its turn between them. */
    uint32_t  (*turn)(const double *seconds, uint32_t steps);
} sn_bench_options;

typedef struct sn_bench {
    sn_training job;  /* the compiled program; its diagnostics say why something failed */
    sn_rt_error err;  /* or this does */
    const char *file, *module;
    const char *what;     /* "a training step", "inference", "inference with gradients", ...: of the module */
    bool        training; /* a recipe's step */
    int         threads;
    int64_t     batch; /* sequences a step: the first axis of the first input */
    sn_compile_stats stats;
    double      compile_cold, compile_cached; /* seconds from reading the file to a program, with an empty cache and again */
    double      step, fastest, slowest;       /* seconds; step is the median */
    uint32_t    repeats;
    double      flop;                         /* of a step: twice the multiply-adds of the kernels by the direct method */
    double      multiply_adds;                /* of the forward graph as written (sn_graph_multiply_adds), for comparison with published counts */
    sn_rt_peak  peak;                         /* measured right after the steps on the same threads */
    size_t      memory_planned, memory_peak;  /* bytes: slab and parameters; the process's largest resident size before `peak` was measured */
    size_t      memory_inputs, memory_grown;  /* a step's inputs; what the process's own memory grew by from compiled to running: planned and inputs */
    size_t      memory_files;                 /* resident parts of the program and its libraries, which processes share; the rest of the peak is heap */
    size_t      memory_slab, memory_live;     /* of the planned: the slab; the least any slab could be, what is alive at one kernel */
    double      load;                         /* of the machine before the steps */
    sn_profile  profile;                      /* of the steps after `peak` was measured, so roofs are those of the same run */
    sn_graph   *source;                       /* the program as written, before any pass */
    sn_observation observation;               /* if asked for */
} sn_bench;

/* Measure.  Free dimensions of a module without recipe are N = 1 and T = 300 unless set.  False with b->job.diags or b->err on failure.  sn_bench_fini in any case. */
bool sn_bench_run(sn_bench *b, const char *file, const sn_bench_options *options);
void sn_bench_fini(sn_bench *b);
#define SN_BENCH_NOT_UTF8 "a name of a file is not UTF-8: it cannot stand in JSON"

/* The measurement as JSON; BENCH.md lists its fields.  rows: the profile, perhaps grouped, or NULL for none.  NULL if a name is not UTF-8.
 * Implemented in bench_json.c. */
json_t *sn_bench_json(const sn_bench *b, const sn_profile *rows, const char *by);
/* Print it with a newline, taking it; false, and nothing, for NULL. */
bool sn_bench_json_print(json_t *json, FILE *out);

#endif
