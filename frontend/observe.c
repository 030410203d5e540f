/* One step as it went.
 * Not its writing (trace.c) and not the counters themselves (counters.c). */
#include "observe.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { TRACED_STEPS = 5, COUNTED_STEPS = 3, FIRST_ROOM = 4096 };

/* Filled by all threads of the team; `groups` goes on counting when there is no more room. */
typedef struct tape {
    sn_tiles *tiles;
    uint32_t  room;
    _Atomic uint32_t groups;
} tape;

static void nothing(void *context, int thread) { (void)context, (void)thread; }

static void write_down(void *context, int thread, uint32_t call, int64_t tiles, double from, double to)
{
    tape    *t = context;
    uint32_t at = atomic_fetch_add_explicit(&t->groups, 1, memory_order_relaxed);
    if (at < t->room) t->tiles[at] = (sn_tiles){call, thread, tiles, 0, from, to};
}

/* A step under an observer; its parts and its beginning by the clock of the observer. */
static bool observed_step(const sn_profile_job *job, const sn_rt_observer *observer, double *out_from, double *out_length, sn_rt_trainer_parts *out_parts,
                          sn_rt_error *err)
{
    sn_rt_trainer_parts before = {0}, after = {0};
    if (sn_rt_session_profile(job->session, true, err) != SN_RT_OK || sn_rt_session_observe(job->session, observer, err) != SN_RT_OK) return false;
    if (job->trainer) before = sn_rt_trainer_times(job->trainer);
    *out_from = sn_profile_now();
    if (!job->step(job->context, 0, err)) return false;
    *out_length = sn_profile_now() - *out_from;
    if (job->trainer) after = sn_rt_trainer_times(job->trainer);
    *out_parts = (sn_rt_trainer_parts){job->trainer ? after.run - before.run : *out_length, after.update - before.update, after.optimise - before.optimise};
    return true;
}

/* The tape of a step, with as much room as it turns out to take: the groups of a step are always the same number. */
static bool taped_step(const sn_profile_job *job, tape *t, double *from, double *length, sn_rt_trainer_parts *parts, sn_rt_error *err)
{
    const sn_rt_observer observer = {t, nothing, write_down};
    for (;;) {
        atomic_store(&t->groups, 0);
        if (!observed_step(job, &observer, from, length, parts, err)) return false;
        uint32_t needed = atomic_load(&t->groups);
        if (needed <= t->room) return true;
        free(t->tiles);
        t->room = needed;
        t->tiles = malloc(t->room * sizeof *t->tiles);
        if (!t->tiles) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a step of %u groups of tiles", needed), false;
    }
}

static int by_thread_and_time(const void *pa, const void *pb)
{
    const sn_tiles *a = pa, *b = pb;
    if (a->thread != b->thread) return a->thread < b->thread ? -1 : 1;
    return a->from < b->from ? -1 : a->from > b->from;
}

static void keep(const sn_profile_job *job, const tape *t, double from, sn_arena *arena, sn_observation *out)
{
    out->groups = atomic_load(&t->groups);
    out->tiles = sn_new_n(arena, sn_tiles, out->groups + 1);
    for (uint32_t i = 0; i < out->groups; i++) {
        out->tiles[i] = t->tiles[i];
        out->tiles[i].from -= from;
        out->tiles[i].to -= from;
        out->tiles[i].share = (double)t->tiles[i].tiles / (double)sn_rt_session_dim(job->session, job->program->call[t->tiles[i].call].tiles);
    }
    qsort(out->tiles, out->groups, sizeof *out->tiles, by_thread_and_time);
}

static bool trace(const sn_profile_job *job, const sn_profile *p, sn_arena *arena, sn_observation *out, sn_rt_error *err)
{
    tape t = {.room = FIRST_ROOM, .tiles = malloc(FIRST_ROOM * sizeof *t.tiles)};
    bool ok = t.tiles != NULL;
    if (!ok) sn_rt_fail(err, SN_RT_MEMORY, "no memory to observe a step");
    for (int i = 0; i < TRACED_STEPS && ok; i++) {
        double              from, length;
        sn_rt_trainer_parts parts;
        ok = taped_step(job, &t, &from, &length, &parts, err);
        if (!ok || (i && fabs(length - p->step) >= fabs(out->length - p->step))) continue;
        out->length = length;
        out->parts = parts;
        keep(job, &t, from, arena, out);
    }
    free(t.tiles);
    return ok;
}

/* Give the rows what was counted, a step. */
static void hand_out(const sn_counters *c, sn_profile *p, uint32_t steps, sn_arena *arena)
{
    p->counters = sn_counters_count(c);
    p->total.counter = sn_new_n(arena, double, p->counters);
    for (uint32_t r = 0; r < p->kernels; r++) {
        p->kernel[r].counter = sn_new_n(arena, double, p->counters);
        for (uint32_t i = 0; i < p->counters; i++) p->total.counter[i] += p->kernel[r].counter[i] = sn_counters_of(c, p->kernel[r].call, i) / steps;
    }
}

static bool count(const sn_profile_job *job, sn_profile *p, sn_arena *arena, sn_observation *out, sn_rt_error *err)
{
    double              from, length;
    sn_rt_trainer_parts parts;
    out->counters = sn_counters_new(p->threads, job->program->calls);
    if (!out->counters) return sn_rt_fail(err, SN_RT_MEMORY, "no memory to count"), false;
    if (!sn_counters_count(out->counters)) return true;
    const sn_rt_observer observer = sn_counters_observer(out->counters);
    for (int i = 0; i < COUNTED_STEPS; i++)
        if (!observed_step(job, &observer, &from, &length, &parts, err)) return false;
    const char *why = sn_counters_failure(out->counters);
    if (*why) return sn_rt_fail(err, SN_RT_IO, "a thread of the team: %s", why), false;
    hand_out(out->counters, p, COUNTED_STEPS, arena);
    return true;
}

bool sn_observe(const sn_profile_job *job, sn_profile *p, sn_arena *arena, sn_observation *out, sn_rt_error *err)
{
    *out = (sn_observation){0};
    sn_rt_error quiet;
    bool        ok = trace(job, p, arena, out, err) && count(job, p, arena, out, err);
    return sn_rt_session_profile(job->session, false, ok ? err : &quiet) == SN_RT_OK && ok;
}

void sn_observation_fini(sn_observation *o)
{
    sn_counters_free(o->counters);
    *o = (sn_observation){0};
}
