/* One step as it went: which thread did which tiles when, and what the counters of processor and kernel say of each call.
 * Not the means over many steps (profile.h); observing costs more than timing, so it is done in steps of its own. */
#ifndef SN_FRONTEND_OBSERVE_H
#define SN_FRONTEND_OBSERVE_H

#include "counters.h"
#include "profile.h"

/* Tiles of a call that a thread did in one go. */
typedef struct sn_tiles {
    uint32_t call;
    int      thread;
    int64_t  tiles;
    double   share;    /* of all tiles of the call */
    double   from, to; /* seconds since the step began */
} sn_tiles;

typedef struct sn_observation {
    double              length; /* seconds of the step that was observed: of a few the one that is nearest to the mean of those profiled */
    sn_rt_trainer_parts parts;  /* of it; in inference `run` is all */
    sn_tiles           *tiles; uint32_t groups; /* by thread, then by time */
    sn_counters        *counters; /* what is counted here and what is not; the numbers are in the rows of the profile */
} sn_observation;

/* Observe steps of the job that `p` is the profile of, and give its rows and their total their counters.  Memory is the arena's.  False with *err set;
 * sn_observation_fini in any case. */
bool sn_observe(const sn_profile_job *job, sn_profile *p, sn_arena *arena, sn_observation *out, sn_rt_error *err);
void sn_observation_fini(sn_observation *o);

/* Write the step as a trace that Perfetto and chrome://tracing open: a track a thread with an event for every group of tiles, whose arguments are those of its
 * kernel, and a track of the parts of a training step.  `what` names the process.  Atomically.  Implemented in trace.c. */
sn_rt_status sn_trace_write(const char *path, const char *what, const sn_profile *p, const sn_observation *o, sn_rt_error *err);

#endif
