/* What the verbs that train share: lines of progress on standard error, the summary at the end, signals that stop.
 * Not the run itself (runtime/train/run.h).  Prints. */
#ifndef SN_FRONTEND_PROGRESS_H
#define SN_FRONTEND_PROGRESS_H

#include "../runtime/train/run.h"

typedef struct sn_progress {
    double   minutes;  /* of the sitting; 0: no limit */
    uint32_t batch;    /* rows a step */
    bool     terminal; /* standard error is one: the line is rewritten in place */
    double   began;    /* when training began in this sitting; 0 before */
    double   reported; /* when a line was last printed */
    double   ended;    /* when the last step was done */
    double   waited;   /* seconds that steps of this sitting waited for their data */
    uint64_t steps;    /* of this sitting */
} sn_progress;

void sn_progress_start(sn_progress *p, double minutes, uint32_t batch);
/* Print a line if it is time for one. */
void sn_progress_step(sn_progress *p, const sn_rt_run_state *state);
/* End the line in place, so that something else may be printed. */
void sn_progress_break(const sn_progress *p);

/* On standard output: every logged value at the beginning and at the end of the run in folder `dir`, `step` steps long. */
void sn_progress_summary(const char *dir, const sn_rt_trainer *trainer, uint64_t step);

/* On standard output: what preparing a batch costs (sn_rt_loader_cost), as a share of a step, and what it held up. */
void sn_progress_cost(const sn_progress *p, double cost);

/* SIGINT, SIGTERM and SIGHUP (unless ignored) ask to stop: sn_stop_signal is then the signal's number.  A second one ends the program. */
extern volatile sig_atomic_t sn_stop_signal;
void sn_catch_signals(void);

#endif
