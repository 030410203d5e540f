/* Passes: graph to graph, and graph to schedule.
 * Not code generation; includes ir/ only.  One file a pass, one public function each; the pipeline is a list of names (pipeline.c). */
#ifndef SN_PASSES_PASSES_H
#define SN_PASSES_PASSES_H

#include "../ir/schedule.h"

/* What to differentiate.  The gradient graph is appended to g; gradients become outputs "grad.<param name>". */
typedef struct sn_autodiff_request {
    const char *output;  /* name of the output that is differentiated */
    const char *seed;    /* name of a new input of the output's shape holding dL/d(output); NULL: the output has one element and the seed is 1 */
    bool        weights; /* with respect to every SN_WEIGHT the output depends on */
    bool        inputs;  /* with respect to every SN_INPUT the output depends on */
} sn_autodiff_request;
/* Requests are processed together: several (output, seed) pairs add up.  Weights that do not matter get no output. */
bool sn_autodiff(sn_graph *g, const sn_autodiff_request *request, uint32_t n, sn_diags *diags);

/* Options of the pipeline, and hooks for those who look. */
typedef struct sn_pipeline {
    bool        training;   /* keep updates; false drops updates (their state is read only) and folds batch norms into contractions */
    const char *skip;       /* name of a pass not to run, or NULL; without "fuse" every node is a kernel of its own */
    const char *start_after; /* name of the last pass that has run already, or NULL */
    const char *stop_after; /* name of the last pass to run, or NULL */
    FILE       *dump;       /* textual IR after each pass, or NULL */
    const char *dump_after; /* only after this pass; NULL = every pass */
    const sn_autodiff_request *request; uint32_t requests; /* gradients wanted, 0 = none */
    bool        gradients;  /* there are gradients already, made by a pass that is not run again */
    FILE       *timing;     /* a line a pass, or NULL */
    bool        explain;    /* record in the schedule why kernels are what they are */
} sn_pipeline;

/* Run graph passes on *g (replaced as passes copy it); verify after every one. */
bool sn_passes_run(sn_graph **g, const sn_pipeline *options, sn_diags *diags);
/* Run the pass of that name, whatever the options say of when. */
bool sn_passes_run_one(sn_graph **g, const char *name, const sn_pipeline *options, sn_diags *diags);
/* The same for kernels that are given, such as those of sn_schedule_parse: verify and plan; takes s. */
sn_schedule *sn_schedule_finish(sn_schedule *s, sn_diags *diags);
/* Fuse, order and plan; takes g.  NULL with diagnostics on failure. */
sn_schedule *sn_schedule_make(sn_graph *g, const sn_pipeline *options, sn_diags *diags);

/* Is the schedule what schedule.h says: every value computed once, before it is read, by a kernel whose form allows it?  All faults at once. */
bool sn_schedule_verify(const sn_schedule *s, sn_diags *diags);

/* The table behind `sinew passes`. */
typedef struct sn_pass_info { const char *name, *doc; } sn_pass_info;
const sn_pass_info *sn_passes_list(uint32_t *n);

#endif
