/* Running compiled programs: the public face of the runtime.
 * Not training (runtime/train/train.h) and not file formats (runtime/data); needs libc, libm and OpenMP only.
 *
 * Use, in this order:
 *
 *   sn_rt_session_new        check a program and make a session that runs it
 *   sn_rt_session_bind       give the symbols (N, T) their extents; all sizes are known from here on
 *   sn_rt_session_set_param  point parameters at the caller's memory
 *   sn_rt_session_set_output point outputs at the caller's memory; an output not set gets memory of the session's
 *   sn_rt_session_prepare    plan the slab and allocate it, in one piece
 *   sn_rt_session_run        as often as wanted; allocates nothing
 *
 * Binding again with other extents needs no compilation; parameters and outputs must then be set and prepared again.  Given a slab, that allocates nothing.
 * One thread calls a session at a time; a run uses the session's own team of OpenMP threads.  Results are the same bits for any
 * number of threads, because tiles and partial sums are numbered at compile time.
 *
 * Files: program.c (check, find, fit) bind.c (extents, plan) hold.c (held parameters) session.c (run) parallel.c (threads) peak.c (limits of the machine).
 */
#ifndef SN_RUNTIME_SINEW_RT_H
#define SN_RUNTIME_SINEW_RT_H

#include "abi.h"
#include "status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- programs ----------------------------------------------------------------------------------------------------------- */

#define SN_RT_NONE UINT32_MAX

/* Check what a program refers to: version, buffer, parameter and output numbers, order of lifetimes.  SN_RT_FORMAT names the
 * first fault.  The numbers a kernel computes with are not checked: a compiled program is code and trusted as such. */
sn_rt_status sn_rt_program_check(const sn_abi_program *program, sn_rt_error *err);

/* Number of the parameter, output or symbol of that name, or SN_RT_NONE. */
uint32_t sn_rt_find_param(const sn_abi_program *program, const char *name);
uint32_t sn_rt_find_output(const sn_abi_program *program, const char *name);
uint32_t sn_rt_find_symbol(const sn_abi_program *program, const char *name);

/* Can an array of this shape be the tensor?  Symbols that are a dimension by themselves take the extent found there; extent[i] is that of symbol
 * i, 0 = not known yet.  Other dimensions that depend on symbols are left to bind. */
bool sn_rt_program_fits(const sn_abi_program *program, const sn_abi_tensor *type, uint32_t rank, const uint64_t *dims, int64_t *extent);

/* ---- sessions ----------------------------------------------------------------------------------------------------------- */

typedef struct sn_rt_session sn_rt_session;

/* A session for `program`, which is borrowed and must outlive it.  SN_RT_FORMAT as sn_rt_program_check; SN_RT_MEMORY. */
sn_rt_status sn_rt_session_new(const sn_abi_program *program, sn_rt_session **out, sn_rt_error *err);
void         sn_rt_session_free(sn_rt_session *s); /* accepts NULL */

/* Give symbol i the value extent[i] >= 1, for i < program->symbols, and compute every size.  Forgets parameters, outputs and
 * the slab of an earlier binding.  SN_RT_BAD_SHAPE if a dimension becomes negative or a size overflows: the session is then unbound. */
sn_rt_status sn_rt_session_bind(sn_rt_session *s, const int64_t *extent, sn_rt_error *err);

/* Value of a dim value of the program, and element counts, under the present binding.  The dims of a tensor are written to
 * `out_dims` (SN_ABI_MAX_RANK of them). */
int64_t sn_rt_session_dim(const sn_rt_session *s, int64_t dim);
void    sn_rt_session_shape(const sn_rt_session *s, const sn_abi_tensor *type, int64_t *out_dims);
size_t  sn_rt_session_count(const sn_rt_session *s, const sn_abi_tensor *type);

/* Point parameter `param` at `count` floats of the caller, 64-byte aligned, readable until the session is bound anew or freed.
 * Kernels never write parameters.  May be called again between runs (double buffering of inputs).
 * SN_RT_ARGUMENT for a bad number or alignment, SN_RT_BAD_SHAPE for another count. */
sn_rt_status sn_rt_session_set_param(sn_rt_session *s, uint32_t param, const float *data, size_t count, sn_rt_error *err);

/* Point output `output` at `count` floats of the caller, 64-byte aligned.  Errors as above.  Must precede prepare: an output
 * that is set does not count in the plan.  After prepare an output may be pointed elsewhere if it was set before. */
sn_rt_status sn_rt_session_set_output(sn_rt_session *s, uint32_t output, float *data, size_t count, sn_rt_error *err);

/* Bytes that prepare will allocate for the session's team of `threads`: planned buffers, outputs of the session's own and scratch.
 * prepare allocates exactly this.  Valid after bind; 0 before. */
size_t sn_rt_plan_bytes(sn_rt_session *s, int threads);
/* The largest sum of bytes of planned buffers alive at one call: no plan can be smaller. */
size_t sn_rt_plan_live_bytes(sn_rt_session *s);

/* Plan and allocate for `threads` threads (0 = sn_rt_threads_default(), at most SN_RT_MAX_THREADS, else SN_RT_ARGUMENT).  `slab` is NULL, or sn_rt_plan_bytes of the caller,
 * 64-byte aligned, which must outlive the binding.  SN_RT_MEMORY leaves the session bound but unprepared. */
sn_rt_status sn_rt_session_prepare(sn_rt_session *s, int threads, void *slab, size_t slab_bytes, sn_rt_error *err);

/* Say that parameters other than inputs keep their values from run to run: what depends on them alone (packed weights, folded norms) is then
 * computed in the next run only, and kept in the slab, which grows by it.  After bind, before prepare, else SN_RT_ARGUMENT.  Pointing one of
 * them at memory computes anew; after writing to their memory call sn_rt_session_renew.  Results are the same bits. */
sn_rt_status sn_rt_session_hold(sn_rt_session *s, sn_rt_error *err);
void         sn_rt_session_renew(sn_rt_session *s);

/* Whether a call is held: made in the first run only.  Numbers that held calls left in a buffer and others read, after a run; NULL for a buffer that
 * no held call writes.  For those who make programs smaller by what is known of their weights. */
bool         sn_rt_session_call_held(const sn_rt_session *s, uint32_t call);
const float *sn_rt_session_held(const sn_rt_session *s, uint32_t buffer);

/* Run every call once, or those that do not depend on held parameters alone.  `seed` and `step` key random numbers.  State updates are not applied: the caller reads their values with
 * sn_rt_session_update and applies them (runtime/train does).  SN_RT_MISSING names a parameter that was not set; SN_RT_ARGUMENT before
 * prepare.  Cannot fail once it has begun. */
sn_rt_status sn_rt_session_run(sn_rt_session *s, uint64_t seed, uint64_t step, sn_rt_error *err);

/* Memory of an output after a run: the caller's or the session's.  NULL before prepare. */
const float *sn_rt_session_output(const sn_rt_session *s, uint32_t output);
/* Value of update `update` after a run and its element count.  Valid until the next run. */
const float *sn_rt_session_update(const sn_rt_session *s, uint32_t update, size_t *out_count);

int sn_rt_session_threads(const sn_rt_session *s); /* of the team; 0 before prepare */

/* ---- watching ----------------------------------------------------------------------------------------------------------- */

/* Called after every call of a run with all it wrote in place and all it read still there; the next call waits for it.  Anything but SN_RT_OK ends the run,
 * which returns it: results are then not there. */
typedef sn_rt_status sn_rt_watch_fn(void *context, uint32_t call, sn_rt_error *err);
/* Watch the runs to come; NULL ends it.  Calls that could run side by side then do not.  Results are the same bits. */
void sn_rt_session_watch(sn_rt_session *s, sn_rt_watch_fn *fn, void *context);
/* Numbers of a buffer, which are those the program means from the call that writes it to the last that reads it; NULL before prepare. */
const float *sn_rt_session_buffer(const sn_rt_session *s, uint32_t buffer, size_t *out_count);

/* ---- timing ------------------------------------------------------------------------------------------------------------- */

/* Time of one call, summed over runs since profiling was switched on. */
typedef struct sn_rt_call_time {
    double busy; /* seconds in the kernel, summed over threads */
    double wall; /* seconds of the team: calls that ran side by side share their time as their busy times are */
} sn_rt_call_time;

/* Switch the timing of calls on (from zero) or off.  Costs two clock readings a group of tiles.  SN_RT_MEMORY; SN_RT_ARGUMENT before prepare. */
sn_rt_status    sn_rt_session_profile(sn_rt_session *s, bool on, sn_rt_error *err);
sn_rt_call_time sn_rt_session_call_time(const sn_rt_session *s, uint32_t call);
/* Of `busy` above, what one thread of the team, 0 .. threads-1, spent. */
double          sn_rt_session_call_busy(const sn_rt_session *s, uint32_t call, int thread);

/* Who is told of every group of tiles that a thread of the team does, in that thread, so by several at once: `begin` before, `end` after, with the number
 * of tiles and CLOCK_MONOTONIC in seconds.  What the two take themselves counts as waiting. */
typedef struct sn_rt_observer {
    void *context;
    void (*begin)(void *context, int thread);
    void (*end)(void *context, int thread, uint32_t call, int64_t tiles, double from, double to);
} sn_rt_observer;

/* Have runs observed; `observer` is borrowed until profiling is switched, on or off; NULL: by nobody.  SN_RT_ARGUMENT unless profiling is on. */
sn_rt_status sn_rt_session_observe(sn_rt_session *s, const sn_rt_observer *observer, sn_rt_error *err);

/* ---- threads ------------------------------------------------------------------------------------------------------------ */

enum { SN_RT_MAX_THREADS = 1024 }; /* of a team; the OpenMP library crashes when asked for very many */

/* Threads OpenMP would use: OMP_NUM_THREADS, else the processors this process may run on; at most SN_RT_MAX_THREADS. */
int sn_rt_threads_default(void);

/* Call fn for tiles 0 .. tiles-1, in groups of unspecified size and order, on at most `threads` threads (0 = default), and at most SN_RT_MAX_THREADS.
 * fn must write disjoint memory for different tiles.  Returns when all are done. */
typedef void sn_rt_tile_fn(void *context, int64_t begin, int64_t end);
void sn_rt_parallel_for(int threads, int64_t tiles, sn_rt_tile_fn *fn, void *context);

/* ---- limits of the machine ---------------------------------------------------------------------------------------------- */

typedef struct sn_rt_peak {
    const char *isa;         /* instructions used: "avx512f", "avx2+fma", "baseline" */
    int         vector_bits; /* width of those instructions */
    int         threads;
    double      flops;       /* fused multiply-adds a second times 2, best of each thread, summed */
    double      bandwidth;   /* bytes a second read from memory, best of each thread, summed; 0 if there was no memory to try */
} sn_rt_peak;

/* Measure with registers full of independent multiply-adds and with a sum over a buffer larger than caches, all threads at once, for about
 * `seconds`.  By the threads' own clocks, so that other processes do not count; processors that share a core with them still do. */
sn_rt_peak sn_rt_peak_measure(int threads, double seconds);

#ifdef __cplusplus
}
#endif
#endif
