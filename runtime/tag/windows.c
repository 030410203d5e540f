/* A recording of any length as it comes: windows, stitching.
 * Not how a piece is scored (tagger.c). */
#include "windows.h"

#include <stdlib.h>
#include <string.h>

enum { EARLIER = SN_RT_TAGGER_BEGIN - SN_RT_TAGGER_GRID }; /* frames that a window begins before it must, at most */

static bool has_halo(const sn_rt_windows *w) { return w->t->halo != SN_RT_TAGGER_NO_HALO; }
static size_t width(const sn_rt_windows *w) { return w->t->persons * w->t->joints * 3; }

/* ---- life --------------------------------------------------------------------------------------------------------------- */

static sn_rt_status allocate(sn_rt_windows *w, sn_rt_error *err)
{
    size_t mean = has_halo(w) ? 0 : w->room;
    w->x = malloc(w->room * width(w) * sizeof *w->x);
    w->sum = calloc(mean + 1, w->t->columns * sizeof *w->sum);
    w->times = calloc(mean + 1, sizeof *w->times);
    return w->x && w->sum && w->times ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu frames", w->room);
}

static sn_rt_status open_windows(sn_rt_windows *w, sn_rt_tagger *t, size_t window, size_t step, sn_rt_error *err)
{
    *w = (sn_rt_windows){.t = t, .window = window, .hop = window > 1 ? window / 2 : 1};
    w->room = w->window + w->hop;
    if (has_halo(w)) {
        w->margin = sn_rt_tagger_grid_up(t->halo);
        w->step = step ? sn_rt_tagger_grid_up(step) : SN_RT_TAGGER_STEP;
        w->room = 2 * w->margin + w->step + EARLIER;
    }
    return allocate(w, err);
}

sn_rt_status sn_rt_windows_open(sn_rt_windows *w, sn_rt_tagger *t, size_t step, sn_rt_error *err)
{
    *w = (sn_rt_windows){.t = t};
    if (!has_halo(w) && !t->window) return sn_rt_fail(err, SN_RT_ARGUMENT, "the model's scores depend on the whole recording");
    sn_rt_status status = open_windows(w, t, t->window, step, err);
    if (status == SN_RT_OK) status = sn_rt_tagger_reserve(t, has_halo(w) ? w->room : w->window, has_halo(w) ? SN_RT_TAGGER_GRID : 1, err);
    return status;
}

void sn_rt_windows_close(sn_rt_windows *w)
{
    free(w->x);
    free(w->sum);
    free(w->times);
    *w = (sn_rt_windows){.t = NULL};
}

size_t sn_rt_windows_latency(const sn_rt_windows *w) { return has_halo(w) ? w->margin + w->step - 1 : w->hop + w->window - 1; }
size_t sn_rt_windows_most(const sn_rt_windows *w) { return w->room; }

size_t sn_rt_windows_bytes(const sn_rt_windows *w)
{
    return (w->room * width(w) + w->t->columns) * sizeof(float) + (has_halo(w) ? 1 : w->room + 1) * (w->t->columns * sizeof(float) + sizeof *w->times);
}

/* ---- frames that are kept ----------------------------------------------------------------------------------------------- */

/* First frame of the next run with a halo. */
static size_t begin_of(const sn_rt_windows *w) { return w->done > w->margin ? (w->done - w->margin) / SN_RT_TAGGER_BEGIN * SN_RT_TAGGER_BEGIN : 0; }

static void forget_sums(sn_rt_windows *w, size_t frames)
{
    size_t K = w->t->columns, left = w->room - frames;
    memmove(w->sum, w->sum + frames * K, left * K * sizeof *w->sum);
    memmove(w->times, w->times + frames, left * sizeof *w->times);
    memset(w->sum + left * K, 0, frames * K * sizeof *w->sum);
    memset(w->times + left, 0, frames * sizeof *w->times);
}

/* Forget what was given, and frames that no run needs any more. */
static void settle(sn_rt_windows *w)
{
    if (!has_halo(w)) forget_sums(w, w->over ? w->room : w->count);
    if (w->over) w->there = w->done = w->from = w->next = w->count = 0;
    w->over = false;
    w->done += w->count;
    w->count = 0;
    size_t first = has_halo(w) ? begin_of(w) : w->done;
    memmove(w->x, w->x + (first - w->from) * width(w), (w->there - first) * width(w) * sizeof *w->x);
    w->from = first;
}

static void keep(sn_rt_windows *w, const sn_rt_frames *x, size_t frames)
{
    size_t body = w->t->joints * 3;
    for (size_t f = 0; f < frames; f++, w->there++)
        for (size_t m = 0; m < w->t->persons; m++) {
            float *to = w->x + (w->there - w->from) * width(w) + m * body;
            if (m < x->persons) memcpy(to, x->x + m * x->person + f * x->frame, body * sizeof *to);
            else memset(to, 0, body * sizeof *to);
        }
}

/* Scores of `length` frames from `start` on. */
static sn_rt_status run(sn_rt_windows *w, size_t start, size_t length, const float **out, sn_rt_error *err)
{
    const sn_rt_frames x = {w->x + (start - w->from) * width(w), w->t->persons, w->t->joints * 3, width(w)};
    size_t             there = w->there - start < length ? w->there - start : length;
    return sn_rt_tagger_run(w->t, &x, there, length, out, err);
}

/* ---- runs --------------------------------------------------------------------------------------------------------------- */

/* Score up to `end`, of which the frames before `good` are what they will be. */
static sn_rt_status run_between(sn_rt_windows *w, size_t end, size_t good, sn_rt_error *err)
{
    size_t       start = begin_of(w);
    const float *scores;
    sn_rt_status status = run(w, start, end - start, &scores, err);
    if (status != SN_RT_OK) return status;
    w->scores = scores + (w->done - start) * w->t->columns;
    w->count = good - w->done;
    return SN_RT_OK;
}

/* Add a window's scores to those of its frames, of which those before `good` are in no other window. */
static sn_rt_status run_mean(sn_rt_windows *w, size_t start, size_t length, size_t good, sn_rt_error *err)
{
    size_t       K = w->t->columns, at = start - w->done;
    const float *scores;
    sn_rt_status status = run(w, start, length, &scores, err);
    if (status != SN_RT_OK) return status;
    for (size_t k = 0; k < length * K; k++) w->sum[at * K + k] += scores[k];
    for (size_t k = 0; k < length; k++) w->times[at + k]++;
    w->scores = w->sum;
    w->count = good - w->done;
    for (size_t k = 0; k < w->count * K; k++) w->sum[k] /= (float)w->times[k / K];
    return SN_RT_OK;
}

sn_rt_status sn_rt_windows_push(sn_rt_windows *w, const sn_rt_frames *x, size_t frames, size_t *out_taken, sn_rt_error *err)
{
    settle(w);
    size_t       wanted = has_halo(w) ? w->done + w->margin + w->step : w->next + w->window, missing = wanted - w->there;
    sn_rt_status status = SN_RT_OK;
    *out_taken = frames < missing ? frames : missing;
    keep(w, x, *out_taken);
    if (w->there < wanted) return SN_RT_OK;
    if (has_halo(w)) return run_between(w, wanted, wanted - w->margin, err);
    status = run_mean(w, w->next, w->window, w->next, err);
    w->next += w->hop;
    return status;
}

/* The run that is left, if one is. */
static sn_rt_status run_last(sn_rt_windows *w, sn_rt_error *err)
{
    if (has_halo(w)) return w->done < w->there ? run_between(w, sn_rt_tagger_grid_up(w->there), w->there, err) : SN_RT_OK;
    size_t length = w->there < w->window ? w->there : w->window, start = w->there - length;
    if (w->there == 0) return SN_RT_OK;
    if (w->next == 0 || start > w->next - w->hop) return run_mean(w, start, length, w->there, err);
    w->scores = w->sum; /* the last window ended with the recording */
    w->count = w->there - w->done;
    for (size_t k = 0; k < w->count * w->t->columns; k++) w->sum[k] /= (float)w->times[k / w->t->columns];
    return SN_RT_OK;
}

sn_rt_status sn_rt_windows_finish(sn_rt_windows *w, sn_rt_error *err)
{
    settle(w);
    w->over = true;
    return run_last(w, err);
}

/* ---- at once ------------------------------------------------------------------------------------------------------------ */

/* Frames that neighbouring windows both compute. */
static size_t overlap_of(const sn_rt_tagger *t) { return t->halo == SN_RT_TAGGER_NO_HALO ? 0 : 2 * sn_rt_tagger_grid_up(t->halo) + EARLIER; }

/* Where scores do not depend on the window, one of which a quarter is computed twice.  What a model was trained on may be less than the overlap. */
static size_t window_of(const sn_rt_tagger *t)
{
    const size_t ample = 4 * overlap_of(t);
    return t->window && !t->exact && t->window < ample ? ample : t->window;
}

sn_rt_status sn_rt_tagger_scores(sn_rt_tagger *t, const float *x, size_t persons, size_t frames, float *out, sn_rt_error *err)
{
    const size_t  window = window_of(t), overlap = overlap_of(t), body = t->joints * 3, row = t->columns;
    const bool    cut = window && window < frames;
    const size_t  step = !cut ? frames : window > overlap ? window - overlap : 1;
    sn_rt_frames  rest = {x, persons, frames * body, body};
    sn_rt_windows w;
    if (frames == 0) return SN_RT_OK;
    sn_rt_status status = open_windows(&w, t, cut ? window : frames, step, err);
    for (size_t taken; status == SN_RT_OK && frames; frames -= taken, rest.x += taken * body) {
        status = sn_rt_windows_push(&w, &rest, frames, &taken, err);
        if (w.count) memcpy(out, w.scores, w.count * row * sizeof *out);
        out += w.count * row;
    }
    if (status == SN_RT_OK) status = sn_rt_windows_finish(&w, err);
    if (status == SN_RT_OK && w.count) memcpy(out, w.scores, w.count * row * sizeof *out);
    sn_rt_windows_close(&w);
    return status;
}
