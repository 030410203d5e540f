/* One kernel as a case of its own: its nodes as a stage (stage.h), what it read as arrays, and the command that runs it again.
 * Not finding the kernel (numerics.h). */
#ifndef SN_FRONTEND_CASE_H
#define SN_FRONTEND_CASE_H

#include "bound.h"

typedef struct sn_case {
    const char       *dir;     /* made if absent */
    const sn_program *program;
    const sn_bound   *bound;   /* its session has just run the kernel */
    uint32_t          kernel;
    bool              training;
    uint64_t          seed;
    const char       *options; /* for the command, beside inputs and extents: " --tolerance 1e-4" */
} sn_case;

/* kernel.ir, NAME.npy of every input, kernel.ll if its code was given, and the command `again`. */
sn_rt_status sn_case_write(const sn_case *c, sn_rt_error *err);

#endif
