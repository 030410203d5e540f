/* What the files of runtime/core share.
 * Not for neighbours: they use runtime/sinew_rt.h. */
#ifndef SN_RUNTIME_CORE_INTERNAL_H
#define SN_RUNTIME_CORE_INTERNAL_H

#include "../sinew_rt.h"
#include "compat.h"
#include "memory.h"

/* ---- plan.c: where buffers lie in the slab ------------------------------------------------------------------------------ */

typedef struct sn_rt_interval {
    size_t   bytes;       /* multiple of SN_RT_ALIGN; 0 takes no place */
    uint32_t first, last; /* calls, inclusive */
    size_t   offset;      /* result */
} sn_rt_interval;

/* Choose offsets so that intervals alive at the same call do not overlap; *out_total is the end of the highest one.
 * Greedy: the largest first, each into the tightest gap left by those alive with it that were placed before; so equal input gives
 * equal output.  scratch: [2 n].  SN_RT_BAD_SHAPE if the sum overflows. */
sn_rt_status sn_rt_plan(sn_rt_interval *item, uint32_t n, uint32_t *scratch, size_t *out_total, sn_rt_error *err);
/* Largest sum of bytes alive at one of `calls` calls. */
size_t sn_rt_plan_live(const sn_rt_interval *item, uint32_t n, uint32_t calls);

/* ---- dims.c: extents ---------------------------------------------------------------------------------------------------- */

/* Evaluate the program's dim table into value[program->dims].  SN_RT_BAD_SHAPE names the entry that overflows or divides by 0. */
sn_rt_status sn_rt_dims_eval(const sn_abi_program *p, const int64_t *extent, int64_t *value, sn_rt_error *err);
static inline int64_t sn_rt_dim_value(const int64_t *value, int64_t dim) { return dim >= 0 ? dim : value[~dim]; }

/* ---- parallel.c: the team ----------------------------------------------------------------------------------------------- */

/* One unit of a list that a team works through. */
typedef struct sn_rt_job {
    sn_abi_kernel     *kernel;
    const sn_abi_args *args;
    int64_t            tiles;
    bool               wait;  /* all earlier jobs must be done before this one begins */
    bool               small; /* cheaper to do than to wake a thread for */
} sn_rt_job;

/* Time by (thread, job), and who is told of every group of tiles (or NULL). */
typedef struct sn_rt_clock {
    double *busy; /* [threads][jobs] */
    double *wall; /* [jobs]: time of a group of jobs stands at its first */
    const sn_rt_observer *observer;
} sn_rt_clock;

/* Words of `state` that sn_rt_team_run needs for n jobs. */
size_t sn_rt_team_state_bytes(uint32_t n);
/* Do all jobs.  scratch: threads * scratch_bytes; state: sn_rt_team_state_bytes(n), both 64-byte aligned.  clock may be NULL. */
void sn_rt_team_run(const sn_rt_job *job, uint32_t n, int threads, void *scratch, size_t scratch_bytes, void *state, const sn_rt_clock *clock);

double sn_rt_now(void); /* seconds of a monotonic clock */

/* Memory that an argument of a call touches (order.c). */
typedef struct sn_rt_touched { size_t begin, end; uint32_t space; bool written; } sn_rt_touched;

/* ---- session.c, bind.c, order.c, hold.c ------------------------------------------------------------------------------------------- */

struct sn_rt_session {
    const sn_abi_program *program;
    /* made by new */
    int64_t        *dim_value;    /* [dims] */
    uint32_t       *root;         /* [buffers]: buffer whose memory it is */
    size_t         *count;        /* [buffers]: floats */
    float         **memory;       /* [buffers] */
    sn_rt_interval *interval;     /* [buffers + outputs]: planned buffers, then outputs of the session's own */
    uint32_t       *plan_scratch; /* [2 (buffers + outputs)] */
    sn_rt_touched  *touched;      /* [arguments of all calls + 1]: of order.c */
    const float   **param;        /* [params]: the caller's, or NULL */
    float         **output;       /* [outputs] */
    bool           *output_given; /* [outputs]: by the caller */
    bool           *output_copied;/* [outputs]: not written by a kernel, but copied from its buffer after a run */
    size_t         *update_stage; /* [updates]: floats into `stage`, or SIZE_MAX when the value is read where it lies */
    float         **arg;          /* pool behind sn_abi_args.arg */
    int64_t        *arg_dim;      /* pool behind sn_abi_args.dim */
    sn_abi_args    *args;         /* [calls] */
    sn_rt_job      *job;          /* [calls]: of a run that makes everything */
    sn_rt_job      *rest;         /* [calls]: of a run that takes held calls as made: they have no tiles */
    bool           *held;         /* [calls]: reads held parameters only */
    bool           *fixed;        /* [buffers]: slab memory written by a held call */
    /* made by bind */
    bool   bound, planned;
    bool   hold;                   /* parameters that are no inputs keep their values */
    bool   made;                   /* held calls have run since */
    size_t plan_total, scratch_bytes, stage_floats;
    /* made by prepare */
    int    threads;
    void  *slab, *scratch, *state; /* slab: NULL before prepare */
    void  *own_slab;               /* the slab unless it is the caller's */
    size_t slab_bytes;
    float *stage;
    double *busy, *wall; /* when profiling: [threads][calls], [calls] */
    const sn_rt_observer *observer;
    sn_rt_watch_fn *watch; /* or NULL */
    void  *watcher;
};

/* Forget everything bind and prepare made. */
void sn_rt_session_unbind(sn_rt_session *s);
/* Compute the plan unless it is computed. */
sn_rt_status sn_rt_session_plan(sn_rt_session *s, sn_rt_error *err);
/* Fill wait of the session's `job` or `rest`: a job waits when it touches memory that an unfinished earlier one writes, or writes what one
 * touches.  Jobs without tiles touch nothing. */
void sn_rt_session_order(const sn_rt_session *s, sn_rt_job *job);
/* Fill held[] and fixed[]; nothing is held unless s->hold. */
void sn_rt_session_find_held(sn_rt_session *s);
/* Results of held calls that a run reads live from call 0 to `end`. */
void sn_rt_session_keep_held(const sn_rt_session *s, uint32_t end);
/* Fill rest[] but for wait; the next run makes everything. */
void sn_rt_session_rest(sn_rt_session *s);

#endif
