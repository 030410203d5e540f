/* The team: OpenMP threads that work through a list of jobs, tile by tile.
 * Not a task graph and not a scheduler of programs: the list says by its `wait` flags where all must meet.
 *
 * One parallel region serves the whole list.  Jobs are opened in groups: those between two waits.  Threads take tiles of open jobs from a
 * counter a job; whoever finishes the last tile of a group leads on: it does groups too small to share by itself, then opens the next
 * large one.  So there is no barrier in the usual sense: a thread that the system put aside while it held no tile delays nobody.
 * Others wait by a short spin and then sleep in the kernel, because on a shared machine two spinning threads beside a third process
 * run several times slower than one.  Members that find themselves on one processor part.
 *
 * Results cannot depend on who takes which tile: tiles write disjoint memory and are cut at compile time.
 */
#include "internal.h"

#include <limits.h>
#include <linux/futex.h>
#include <omp.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SPIN_NS = 30000, SPIN_BATCH = 32, ALL_DONE = -1, WORD = 64 /* processors */ };

typedef struct lane { _Alignas(SN_RT_ALIGN) _Atomic int64_t next; } lane; /* first tile of a job not yet taken */

typedef struct team {
    _Alignas(SN_RT_ALIGN) _Atomic int32_t open; /* jobs opened so far, or ALL_DONE; the word sleepers wait on */
    _Atomic int32_t sleepers;
    _Alignas(SN_RT_ALIGN) _Atomic int64_t remaining; /* tiles of the open group not yet done */
    _Atomic uint64_t   taken[CPU_SETSIZE / WORD]; /* processors on which members began */
    _Alignas(SN_RT_ALIGN) const sn_rt_job *job;
    uint32_t           jobs;
    int                threads;
    char              *scratch;
    size_t             scratch_bytes;
    const sn_rt_clock *clock;
    double             opened;       /* when the open group was, and which job it begins with */
    uint32_t           opened_first; /* both written by the leader only */
    lane               lane[];
} team;

_Static_assert(sizeof(int) == sizeof(int32_t), "a futex is 32 bits");

static int at_most(int threads) { return threads < SN_RT_MAX_THREADS ? threads : SN_RT_MAX_THREADS; }

int sn_rt_threads_default(void) { return at_most(omp_get_max_threads()); }

size_t sn_rt_team_state_bytes(uint32_t n) { return sizeof(team) + n * sizeof(lane); }

/* ---- beginning ---------------------------------------------------------------------------------------------------------- */

/* Take the processor this thread is on; true if another member had taken it. */
static bool was_taken(team *t)
{
    const int on = sched_getcpu();
    if (on < 0 || on >= CPU_SETSIZE) return false;
    const uint64_t bit = UINT64_C(1) << on % WORD;
    return atomic_fetch_or_explicit(&t->taken[on / WORD], bit, memory_order_relaxed) & bit;
}

/* Beside a busy process the system may leave two members on one processor for many runs, each of which then takes a time slice or more.  So the
 * later one goes to a processor without a member, if it may run there, and is then as free to be moved as before. */
static void part(team *t)
{
    cpu_set_t allowed, other;
    if (!was_taken(t) || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    other = allowed;
    for (unsigned i = 0; i < CPU_SETSIZE; i++)
        if (atomic_load_explicit(&t->taken[i / WORD], memory_order_relaxed) >> i % WORD & 1) CPU_CLR(i, &other);
    if (CPU_COUNT(&other) == 0 || sched_setaffinity(0, sizeof other, &other) != 0) return;
    sched_setaffinity(0, sizeof allowed, &allowed);
    was_taken(t);
}

/* ---- waiting ------------------------------------------------------------------------------------------------------------ */

/* Return the number of open jobs once it differs from `seen`. */
static int32_t wait_for_more(team *t, int32_t seen)
{
    int32_t open = atomic_load_explicit(&t->open, memory_order_acquire);
    if (open != seen) return open;
    double until = sn_rt_now() + 1e-9 * SPIN_NS;
    do {
        for (int i = 0; i < SPIN_BATCH; i++) {
            sn_rt_pause();
            open = atomic_load_explicit(&t->open, memory_order_acquire);
            if (open != seen) return open;
        }
    } while (sn_rt_now() < until);
    /* The leader stores `open` and then reads `sleepers`; we count ourselves first and the kernel compares `open` again: one of the two
     * sees the other. */
    atomic_fetch_add(&t->sleepers, 1);
    while ((open = atomic_load(&t->open)) == seen) syscall(SYS_futex, &t->open, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    atomic_fetch_sub(&t->sleepers, 1);
    return open;
}

static void publish(team *t, int32_t open)
{
    atomic_store(&t->open, open);
    if (atomic_load(&t->sleepers) > 0) syscall(SYS_futex, &t->open, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* ---- working ------------------------------------------------------------------------------------------------------------ */

/* Take tiles of a job: a share of what is left, so that groups shrink towards the end and all finish together. */
static int64_t take(team *t, uint32_t j, int64_t *begin)
{
    int64_t tiles = t->job[j].tiles;
    int64_t next = atomic_load_explicit(&t->lane[j].next, memory_order_relaxed);
    while (next < tiles) {
        int64_t n = t->threads == 1 ? tiles : (tiles - next) / (4 * t->threads);
        if (n < 1) n = 1;
        if (n > tiles - next) n = tiles - next;
        if (atomic_compare_exchange_weak_explicit(&t->lane[j].next, &next, next + n, memory_order_relaxed, memory_order_relaxed)) {
            *begin = next;
            return n;
        }
    }
    return 0;
}

static void work(const team *t, int self, uint32_t j, int64_t begin, int64_t n)
{
    const sn_rt_job *job = &t->job[j];
    void            *scratch = t->scratch + (size_t)self * t->scratch_bytes;
    if (!t->clock) {
        job->kernel(job->args, begin, begin + n, scratch);
        return;
    }
    const sn_rt_observer *observer = t->clock->observer;
    if (observer) observer->begin(observer->context, self);
    double from = sn_rt_now();
    job->kernel(job->args, begin, begin + n, scratch);
    double to = sn_rt_now();
    t->clock->busy[(size_t)self * t->jobs + j] += to - from;
    if (observer) observer->end(observer->context, self, j, n, from, to);
}

static uint32_t group_end(const sn_rt_job *job, uint32_t n, uint32_t begin)
{
    uint32_t end = begin + 1;
    while (end < n && !job[end].wait) end++;
    return end;
}

/* Tiles of jobs begin .. end-1 if the group is worth sharing, else 0. */
static int64_t shared_tiles(const sn_rt_job *job, uint32_t begin, uint32_t end)
{
    int64_t tiles = 0, large = 0;
    for (uint32_t j = begin; j < end; j++) {
        tiles += job[j].tiles;
        if (!job[j].small) large += job[j].tiles;
    }
    return tiles > 1 && large > 0 ? tiles : 0;
}

/* Do jobs begin .. end-1 alone. */
static void work_alone(team *t, int self, uint32_t begin, uint32_t end)
{
    double from = t->clock ? sn_rt_now() : 0;
    for (uint32_t j = begin; j < end; j++) {
        atomic_store_explicit(&t->lane[j].next, t->job[j].tiles, memory_order_relaxed);
        if (t->job[j].tiles > 0) work(t, self, j, 0, t->job[j].tiles);
    }
    if (t->clock) t->clock->wall[begin] += sn_rt_now() - from;
}

/* Everything before job `begin` is done and this thread is the only one that knows: lead on to the next group worth sharing. */
static void lead(team *t, int self, uint32_t begin)
{
    while (begin < t->jobs) {
        uint32_t end = group_end(t->job, t->jobs, begin);
        int64_t  tiles = t->threads > 1 ? shared_tiles(t->job, begin, end) : 0;
        if (tiles) {
            if (t->clock) t->opened = sn_rt_now();
            t->opened_first = begin;
            atomic_store_explicit(&t->remaining, tiles, memory_order_relaxed);
            publish(t, (int32_t)end);
            return;
        }
        work_alone(t, self, begin, end);
        begin = end;
    }
    publish(t, ALL_DONE);
}

static void member(team *t, int self)
{
    int32_t seen = 0;
    part(t);
    if (self == 0) lead(t, self, 0);
    for (;;) {
        int32_t open = wait_for_more(t, seen);
        if (open == ALL_DONE) return;
        bool last = false;
        for (uint32_t j = (uint32_t)seen; j < (uint32_t)open; j++) {
            int64_t begin, n;
            while ((n = take(t, j, &begin)) > 0) {
                work(t, self, j, begin, n);
                last = atomic_fetch_sub_explicit(&t->remaining, n, memory_order_acq_rel) == n;
            }
        }
        seen = open;
        if (!last) continue;
        if (t->clock) t->clock->wall[t->opened_first] += sn_rt_now() - t->opened;
        lead(t, self, (uint32_t)open);
    }
}

static bool worth_sharing(const sn_rt_job *job, uint32_t n)
{
    for (uint32_t begin = 0, end; begin < n; begin = end) {
        end = group_end(job, n, begin);
        if (shared_tiles(job, begin, end)) return true;
    }
    return false;
}

void sn_rt_team_run(const sn_rt_job *job, uint32_t n, int threads, void *scratch, size_t scratch_bytes, void *state,
                    const sn_rt_clock *clock)
{
    team *t = state;
    memset(t, 0, sn_rt_team_state_bytes(n));
    t->job = job;
    t->jobs = n;
    t->threads = threads;
    t->scratch = scratch;
    t->scratch_bytes = scratch_bytes;
    t->clock = clock;
    if (threads == 1 || !worth_sharing(job, n)) {
        t->threads = 1;
        lead(t, 0, 0);
        return;
    }
#pragma omp parallel num_threads(threads)
    member(t, omp_get_thread_num());
}

/* ---- one loop ----------------------------------------------------------------------------------------------------------- */

typedef struct loop { sn_rt_tile_fn *fn; void *context; } loop;

/* The loop travels as the (shared, zero bytes a thread) scratch memory of a single job. */
static void loop_kernel(const sn_abi_args *args, int64_t begin, int64_t end, void *scratch)
{
    (void)args;
    const loop *l = scratch;
    l->fn(l->context, begin, end);
}

void sn_rt_parallel_for(int threads, int64_t tiles, sn_rt_tile_fn *fn, void *context)
{
    threads = threads < 1 ? sn_rt_threads_default() : at_most(threads);
    if (tiles < 1) return;
    if (threads == 1 || tiles == 1) {
        fn(context, 0, tiles);
        return;
    }
    loop      l = {fn, context};
    sn_rt_job job = {.kernel = loop_kernel, .tiles = tiles};
    _Alignas(team) unsigned char state[sizeof(team) + sizeof(lane)];
    sn_rt_team_run(&job, 1, threads, &l, 0, state, NULL);
}
