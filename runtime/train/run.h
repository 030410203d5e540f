/* A training run: batches through steps, with log, checkpoints and a way to stop.
 * Not the command line; prints nothing and installs no signal handler. */
#ifndef SN_RUNTIME_TRAIN_RUN_H
#define SN_RUNTIME_TRAIN_RUN_H

#include "trainer.h"

#include <signal.h>

/* Where batches come from.  next: the inputs of step `step`, in the order of sn_rt_training.input, each 64-byte aligned and valid until the
 * next call.  They must be a function of the step (and of what `context` was made from), so that a resumed run sees the same. */
typedef struct sn_rt_source {
    void *context;
    sn_rt_status (*next)(void *context, uint64_t step, const float *const **out_input, sn_rt_error *err);
} sn_rt_source;

/* How far a run is, after a step. */
typedef struct sn_rt_run_state {
    const sn_rt_trainer *trainer; /* scalars of the step */
    uint64_t step, steps;         /* done, and at the end of the run */
    uint64_t epoch;               /* of the step just done, from 0 */
    double   rate;                /* of learning */
    double   seconds;             /* of training so far, earlier sittings included */
    double   step_seconds;        /* smoothed over the last steps */
    double   data_seconds;        /* of the last step spent waiting for its batch */
} sn_rt_run_state;

typedef struct sn_rt_run {
    sn_rt_trainer *trainer;
    sn_rt_source   source;
    sn_rt_schedule schedule;
    uint64_t       steps_per_epoch;
    uint64_t       steps;              /* end of the run; 0 = schedule.epochs * steps_per_epoch */
    double         seconds;            /* of this sitting, then end as if stopped; 0 = no limit */
    const char    *dir;                /* existing folder: checkpoints, log.csv, loss.png (shares.png), recipe.txt, recipe.json */
    const char    *recipe, *data;      /* texts of whole lines, kept in checkpoints and compared on resume; both in recipe.txt */
    const char    *graph;              /* the recipe as one graph file, for recipe.json; NULL: none is written */
    uint64_t       seed;
    bool           resume;             /* go on from the newest checkpoint in dir; from the start if there is none */
    uint64_t       checkpoint_steps;   /* write one after so many steps; 0 = not by steps */
    double         checkpoint_seconds; /* and after so many seconds; 0 = not by time */
    unsigned       keep;               /* checkpoints to keep, at least 1 */
    const volatile sig_atomic_t *stop; /* not 0: finish the step, write a checkpoint, return SN_RT_STOPPED; may be NULL */
    void  *context;                    /* of report */
    void (*report)(void *context, const sn_rt_run_state *state); /* after each step; may be NULL */
} sn_rt_run;

/* Run to the end; a checkpoint is written there, when stopped, and in between as asked.  A run that was killed at any moment and resumed
 * ends with the same final checkpoint, byte for byte.  *out_step (may be NULL): steps done.
 *
 * SN_RT_ARGUMENT when dir already holds checkpoints and resume is not asked for.  SN_RT_STOPPED: state is saved, resume goes on.
 * SN_RT_DIVERGED: a loss or a parameter is not finite; the checkpoints before are kept and named.  SN_RT_IO: the last good checkpoint is kept. */
sn_rt_status sn_rt_run_train(const sn_rt_run *run, uint64_t *out_step, sn_rt_error *err);

#endif
