/* The team of one: what parallel.c is, for libraries built for one thread, which need nothing but libc.
 * Not a slow form of the other: a run on one thread does the same there. */
#include "internal.h"

int sn_rt_threads_default(void) { return 1; }

size_t sn_rt_team_state_bytes(uint32_t n)
{
    (void)n;
    return 0;
}

void sn_rt_team_run(const sn_rt_job *job, uint32_t n, int threads, void *scratch, size_t scratch_bytes, void *state, const sn_rt_clock *clock)
{
    (void)threads, (void)scratch_bytes, (void)state;
    for (uint32_t i = 0, first = 0; i < n; i++) {
        if (job[i].wait) first = i;
        if (job[i].tiles < 1) continue;
        const sn_rt_observer *observer = clock ? clock->observer : NULL;
        if (observer) observer->begin(observer->context, 0);
        double from = clock ? sn_rt_now() : 0;
        job[i].kernel(job[i].args, 0, job[i].tiles, scratch);
        if (!clock) continue;
        double to = sn_rt_now();
        clock->busy[i] += to - from;
        clock->wall[first] += to - from;
        if (observer) observer->end(observer->context, 0, i, job[i].tiles, from, to);
    }
}

void sn_rt_parallel_for(int threads, int64_t tiles, sn_rt_tile_fn *fn, void *context)
{
    (void)threads;
    if (tiles > 0) fn(context, 0, tiles);
}
