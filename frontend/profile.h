/* Where the time of a step goes: rows of kernels and of what is done between them, against the machine's limits.
 * Not the timing itself (runtime/core, runtime/train), not one step as it went (observe.h), not the printing (profile_text.c, bench_json.c). */
#ifndef SN_FRONTEND_PROFILE_H
#define SN_FRONTEND_PROFILE_H

#include "../runtime/train/trainer.h"
#include "../ir/ir.h"

/* A kernel call, calls taken together, or work outside the kernels.  Of one step.
 *
 * bytes: what must cross the memory bus if caches start empty and hold everything afterwards: 4 bytes for each float of every distinct
 *   buffer that is read, and again for each of every distinct buffer that is written.  Views of a buffer are that buffer; an operand counts
 *   in full even if a slice or stride skips part of it.  Taken from the plan, not measured.
 * flop: twice the multiply-adds of the direct method.
 * limit: seconds at the roofline, max(flop / peak, bytes / bandwidth), both measured in this run; of several calls, the sum.  limit / seconds
 *   exceeds 1 where operands are still in a cache or partly skipped, or where a fast algorithm needs fewer multiply-adds. */
typedef struct sn_profile_row {
    const char *name;  /* of the call as in the plan, or what all calls of the row share */
    const char *node;  /* of the graph: the node the kernel is named for (a kernel may compute others besides); "" outside kernels */
    const char *where; /* "file:line" of the node; "" if the calls of the row have several, or none */
    const void *code;  /* equal for calls that run the same machine code */
    uint32_t    call;  /* its number in the program; of several, of the slowest */
    uint32_t    calls;
    double      seconds, busy; /* of the team; in the kernel, summed over threads: threads * seconds - busy is waiting */
    double     *thread;        /* [threads]: what of busy is whose; NULL outside kernels */
    double      flop, bytes, limit;
    double      memory;        /* of limit, where it is bytes / bandwidth that limits; the rest is compute */
    double      backward;      /* of seconds, in kernels named for gradients */
    double     *counter;       /* [counters] of a step, or NULL; see observe.h */
} sn_profile_row;

/* What files of profiles say they are. */
#define SN_PROFILE_KIND "profile 1"

typedef struct sn_profile {
    sn_profile_row *kernel; uint32_t kernels; /* slowest first */
    sn_profile_row *other;  uint32_t others;  /* in the order of a step; the last is the rest, so that all rows add up to the step */
    sn_profile_row  total;                    /* of the kernels */
    double          step;                     /* seconds: the mean of the middle half of the steps that were profiled */
    uint32_t        steps;
    int             threads;
    uint32_t        counters;
} sn_profile;

/* What runs.  The session is prepared; trainer is NULL in inference. */
typedef struct sn_profile_job {
    const sn_abi_program *program;
    const sn_graph       *source; /* as written, before any pass: which names are of its nodes */
    sn_rt_session        *session;
    sn_rt_trainer        *trainer;
    bool (*step)(void *context, uint64_t number, sn_rt_error *err);
    void                 *context;
    sn_rt_peak            peak;
    double                seconds; /* to spend, at least 5 steps */
} sn_profile_job;

double sn_profile_now(void); /* CLOCK_MONOTONIC in seconds, which the runtime's timing reads too */

/* Profile steps.  Memory is the arena's.  False with *err set. */
bool sn_profile_measure(const sn_profile_job *job, sn_arena *arena, sn_profile *out, sn_rt_error *err);

/* Rows of calls taken together.  `by` is what they share:
 *   call (nothing)   kernel (its calls, "#1", "#2")   node (the graph's node with its gradients)   module (the instance the node is in)
 *   place (file:line)   code (machine code)   a number n (the first n parts of the name: 3 is "q.enc.block4")
 * False if `by` is none of these (sn_profile_known). */
bool sn_profile_known(const char *by);
bool sn_profile_group(const sn_profile *p, const char *by, sn_arena *arena, sn_profile *out);

/* What limits a row: "memory" or "compute", whichever has the larger part of the limit; "" without one. */
const char *sn_profile_bound(const sn_profile_row *r);

/* Text of at most 140 columns: the first `rows` kernel rows, then kernels, others and step.  Implemented in profile_text.c. */
void sn_profile_print(const sn_profile *p, const sn_rt_peak *peak, uint32_t rows, FILE *out);

#endif
