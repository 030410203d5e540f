/* A step as a trace that Perfetto and chrome://tracing open.
 * Format: the "JSON Array Format" of the Trace Event Format, complete events ("X") and metadata ("M"); times in microseconds. */
#include "observe.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/data/file.h"

/* Perfetto takes thread 0 for the idle one, and the one with the process's number for the main thread. */
enum { PROCESS = 1, FIRST_THREAD = 2 };

static json_t *metadata(const char *kind, int track, const char *key, json_t *value)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:{s:o}}", "ph", "M", "name", kind, "pid", PROCESS, "tid", FIRST_THREAD + track, "args", key, value);
}

/* Whole nanoseconds, so that neighbours which touch do not overlap by rounding. */
static json_t *complete(const char *name, const char *category, int track, double from, double to, json_t *args)
{
    double begin = round(1e9 * from), end = round(1e9 * to);
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:f, s:o}", "name", name, "cat", category, "ph", "X", "pid", PROCESS, "tid", FIRST_THREAD + track, "ts", begin / 1e3,
                     "dur", (end - begin) / 1e3, "args", args);
}

static void name_track(json_t *events, int track, const char *name)
{
    json_array_append_new(events, metadata("thread_name", track, "name", json_string(name)));
    json_array_append_new(events, metadata("thread_sort_index", track, "sort_index", json_integer(track)));
}

static json_t *kernel_event(const sn_profile_row *r, const sn_tiles *t)
{
    json_t *args = json_pack("{s:s, s:s, s:I, s:f, s:f, s:f, s:f}", "node", r->node, "place", r->where, "tiles", (json_int_t)t->tiles, "share of call", t->share,
                             "FLOP", r->flop * t->share, "bytes", r->bytes * t->share, "GFLOP/s", r->flop * t->share / (t->to - t->from) / 1e9);
    return complete(r->name, r->backward > 0 ? "backward" : "forward", t->thread, t->from, t->to, args);
}

static void add_kernels(json_t *events, const sn_profile *p, const sn_observation *o, const sn_profile_row **of)
{
    for (uint32_t i = 0; i < p->kernels; i++) of[p->kernel[i].call] = &p->kernel[i];
    for (int t = 0; t < p->threads; t++) {
        char name[32];
        snprintf(name, sizeof name, "thread %d", t);
        name_track(events, t, name);
    }
    for (uint32_t i = 0; i < o->groups; i++) json_array_append_new(events, kernel_event(of[o->tiles[i].call], &o->tiles[i]));
}

/* The parts of a training step follow one another and end with it. */
static void add_parts(json_t *events, int track, const sn_observation *o)
{
    double update = o->length - o->parts.optimise - o->parts.update, optimise = o->length - o->parts.optimise;
    name_track(events, track, "parts of the step");
    json_array_append_new(events, complete("kernels", "part", track, update - o->parts.run, update, json_object()));
    json_array_append_new(events, complete("queues and running statistics", "part", track, update, optimise, json_object()));
    json_array_append_new(events, complete("optimiser and momentum copies", "part", track, optimise, o->length, json_object()));
}

sn_rt_status sn_trace_write(const char *path, const char *what, const sn_profile *p, const sn_observation *o, sn_rt_error *err)
{
    const sn_profile_row **of = calloc(p->kernels + 1, sizeof *of);
    if (!of) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    json_t *events = json_array(), *all = json_pack("{s:s, s:o}", "displayTimeUnit", "ms", "traceEvents", events);
    json_array_append_new(events, metadata("process_name", 0, "name", json_string(what)));
    add_kernels(events, p, o, of);
    if (o->parts.optimise > 0) add_parts(events, p->threads, o);
    free(of);
    char *text = json_dumps(all, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15));
    json_decref(all);
    if (!text) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    sn_rt_status status = sn_rt_file_replace(path, text, strlen(text), err);
    free(text);
    return status;
}
