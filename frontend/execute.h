/* One run of a compiled program on arrays from files: what `sinew run` does.
 * Not compiling it (compile.h) and not its command line (cmd_run.c). */
#ifndef SN_FRONTEND_EXECUTE_H
#define SN_FRONTEND_EXECUTE_H

#include "bound.h"
#include "trap.h"

typedef struct sn_execution {
    const sn_abi_program *program;
    const char *const    *names;   /* "x=X.npy" for inputs, then "y=DY.npy" for gradients of outputs: */
    uint32_t              inputs, grads; /* so many of each; seeds are parameters "seed.y" */
    const char           *weights; /* safetensors, or NULL: drawn from seed */
    const char           *prefix;  /* what stands before the names of the program in it, with the dot; "" or NULL */
    const char           *out;     /* directory, made if absent */
    uint64_t              seed;
    int                   threads;
    bool                  training;
    const char *const    *extent;  /* "T=64" of free dimensions */
    uint32_t              extents;
    sn_trap              *trap;    /* set for the run, or NULL */
    const sn_program     *trapped; /* the program and the places of its graph, for a trap */
    const sn_diags       *diags;
} sn_execution;

/* Read, check, run, write.  Every fault found is printed by `say` (a line each); false if there was one. */
bool sn_execute(const sn_execution *x, sn_say *say, void *ctx);

#endif
