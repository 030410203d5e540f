/* Where a number that is not finite first appears: what --trap-nan does.
 * Costs a look at everything that kernels write, and that they run one after the other; nothing when it is not set. */
#ifndef SN_FRONTEND_TRAP_H
#define SN_FRONTEND_TRAP_H

#include "../runtime/train/batches.h"
#include "compile.h"

typedef struct sn_trap {
    const sn_program *program;
    sn_rt_session    *session;
    const sn_diags   *diags;  /* that know the places of the graph */
    uint64_t          seed, step; /* of the run: random numbers depend on them; the caller counts steps */
    bool              found;
    int64_t           sample; /* row of the batch; -1: the value has no such axis */
    char              text[2048]; /* lines: value, kernel, what it read that was not finite itself */
} sn_trap;

/* Watch the runs to come of the session, which runs that program.  A run in which a kernel writes a NaN or infinity ends with SN_RT_DIVERGED. */
void sn_trap_set(sn_trap *t, const sn_program *program, sn_rt_session *session, const sn_diags *diags, uint64_t seed);
/* The same after one call, for those who watch themselves. */
sn_rt_status sn_trap_look(sn_trap *t, uint32_t call, sn_rt_error *err);

/* On standard error: what was found, if anything; with batches of a set, also which frames of which sequence the row shows. */
void sn_trap_print(const sn_trap *t, const sn_rt_batches *batches, const sn_rt_dataset *set);

#endif
