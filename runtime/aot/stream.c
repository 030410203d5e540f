/* Recordings as they come: frames in, segments out.
 * Not the windows (runtime/tag), and nothing that a header's reader must know twice. */
#include <math.h>
#include <stdlib.h>

#include "../tag/segments.h"
#include "../tag/windows.h"
#include "aot.h"

enum { MOST_STEP = 1 << 20, MOST_WAITING = 64 /* segments that may wait when frames are pushed */ };
#define SHORTEST_SECONDS 0.1 /* as sinew localize */

struct sn_aot_stream {
    const sn_aot   *model;
    sn_rt_tagger    tagger;
    sn_rt_windows   windows;
    sn_rt_segmenter segmenter;
    sn_aot_segment *queue; /* a ring */
    size_t          room, first, waiting;
};

const char *sn_aot_label(const sn_abi_artifact *a, int label)
{
    return label >= 0 && (uint64_t)label < a->tagging->classes ? a->tagging->label[label] : NULL;
}

static sn_rt_status open_stream(sn_aot_stream *s, size_t step, int threads, sn_rt_error *err)
{
    const sn_abi_tagging *g = sn_aot_artifact(s->model)->tagging;
    size_t       halo = g->halo == UINT64_MAX ? SN_RT_TAGGER_NO_HALO : (size_t)g->halo;
    sn_rt_status status = sn_rt_tagger_init(&s->tagger, sn_aot_program(s->model), sn_aot_weights(s->model), (size_t)g->window, halo, threads, err);
    if (status == SN_RT_OK) status = sn_rt_windows_open(&s->windows, &s->tagger, step, err);
    if (status != SN_RT_OK) return status;
    s->room = MOST_WAITING + 2 * sn_rt_windows_most(&s->windows) + 1; /* a push completes `most` scores at most, and a finish after it as many again */
    s->queue = calloc(s->room, sizeof *s->queue);
    if (!s->queue) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu segments", s->room);
    sn_aot_make_threads(s->tagger.threads);
    return SN_RT_OK;
}

int sn_aot_stream_new(const sn_aot *m, int64_t step, int64_t shortest, int threads, sn_aot_stream **out, sn_rt_error *err)
{
    const sn_abi_artifact *a = sn_aot_artifact(m);
    if (step < 0 || step > MOST_STEP) return sn_rt_fail(err, SN_RT_ARGUMENT, "a step of %lld frames, expected 0 to %d", (long long)step, MOST_STEP);
    if (shortest < 0) return sn_rt_fail(err, SN_RT_ARGUMENT, "segments of %lld frames and more", (long long)shortest);
    if (sn_aot_check_threads(m, threads, err) != SN_RT_OK) return SN_RT_ARGUMENT;
    sn_aot_stream *s = calloc(1, sizeof *s);
    if (!s) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a stream of %s", a->name);
    s->model = m;
    s->segmenter.columns = (size_t)a->tagging->classes + 1;
    s->segmenter.shortest = shortest ? (size_t)shortest : sn_rt_shortest_frames(SHORTEST_SECONDS, a->tagging->fps);
    sn_rt_status status = open_stream(s, (size_t)step, threads, err);
    if (status == SN_RT_OK) *out = s;
    else sn_aot_stream_free(s);
    return status;
}

void sn_aot_stream_free(sn_aot_stream *s)
{
    if (!s) return;
    sn_rt_windows_close(&s->windows);
    sn_rt_tagger_fini(&s->tagger);
    free(s->queue);
    free(s);
}

/* ---- frames in ---------------------------------------------------------------------------------------------------------- */

static void put(sn_aot_stream *s, const sn_rt_found_segment *f)
{
    s->queue[(s->first + s->waiting++) % s->room] = (sn_aot_segment){(int64_t)f->start, (int64_t)f->end, (int64_t)f->class, f->score};
}

/* Scores that have become known. */
static void take_scores(sn_aot_stream *s)
{
    sn_rt_found_segment found;
    for (size_t k = 0; k < s->windows.count; k++)
        if (sn_rt_segmenter_add(&s->segmenter, s->windows.scores + k * s->tagger.columns, &found)) put(s, &found);
}

static sn_rt_status check_frames(const sn_aot_stream *s, const float *frames, int64_t count, sn_rt_error *err)
{
    size_t width = s->tagger.persons * s->tagger.joints * 3;
    if (count < 0) return sn_rt_fail(err, SN_RT_ARGUMENT, "%lld frames", (long long)count);
    for (size_t k = 0; k < (size_t)count * width; k++)
        if (!isfinite(frames[k])) return sn_rt_fail(err, SN_RT_ARGUMENT, "frame %zu of those pushed holds %g", k / width, (double)frames[k]);
    if (s->waiting <= MOST_WAITING) return SN_RT_OK;
    return sn_rt_fail(err, SN_RT_ARGUMENT, "%zu segments wait to be polled", s->waiting);
}

int sn_aot_stream_push(sn_aot_stream *s, const float *frames, int64_t count, int64_t *taken, sn_rt_error *err)
{
    const size_t       body = s->tagger.joints * 3;
    const sn_rt_frames x = {frames, s->tagger.persons, body, s->tagger.persons * body};
    size_t             n = 0;
    sn_rt_status       status = check_frames(s, frames, count, err);
    if (status == SN_RT_OK) status = sn_rt_windows_push(&s->windows, &x, (size_t)count, &n, err);
    if (status != SN_RT_OK) return status;
    take_scores(s);
    *taken = (int64_t)n;
    return SN_RT_OK;
}

int sn_aot_stream_finish(sn_aot_stream *s, sn_rt_error *err)
{
    sn_rt_found_segment found;
    sn_rt_status        status = sn_rt_windows_finish(&s->windows, err);
    if (status != SN_RT_OK) return status;
    take_scores(s);
    if (sn_rt_segmenter_end(&s->segmenter, &found)) put(s, &found);
    return SN_RT_OK;
}

/* ---- what is known ------------------------------------------------------------------------------------------------------ */

int sn_aot_stream_poll(sn_aot_stream *s, sn_aot_segment *out)
{
    if (!s->waiting) return 0;
    *out = s->queue[s->first];
    s->first = (s->first + 1) % s->room;
    s->waiting--;
    return 1;
}

int64_t sn_aot_stream_scores(const sn_aot_stream *s, const float **rows, int64_t *first)
{
    *rows = s->windows.scores;
    *first = (int64_t)s->windows.done;
    return (int64_t)s->windows.count;
}

int64_t sn_aot_stream_latency(const sn_aot_stream *s) { return (int64_t)sn_rt_windows_latency(&s->windows); }

int64_t sn_aot_stream_bytes(const sn_aot_stream *s)
{
    return (int64_t)(sn_rt_tagger_bytes(&s->tagger) + sn_rt_windows_bytes(&s->windows) + s->room * sizeof *s->queue + sizeof *s);
}
