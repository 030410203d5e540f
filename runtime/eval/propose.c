/* Runs of frames above thresholds, their scores, suppression; the mean filter and runs of activity.
 * Not the matching with truth. */
#include "propose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t sn_rt_thresholds_low(double *out)
{
    for (int i = 0; i < 5; i++) out[i] = 0.03 + i * 0.005;
    return 5;
}

size_t sn_rt_thresholds_even(double *out)
{
    for (int i = 0; i < 19; i++) out[i] = 0.05 + i * 0.05;
    return 19;
}

/* ---- suppression -------------------------------------------------------------------------------------------------------- */

typedef struct candidate {
    sn_rt_span span;
    size_t     order;
    bool       gone;
} candidate;

static int best_first(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->span.score != y->span.score) return x->span.score > y->span.score ? -1 : 1;
    if (x->span.start != y->span.start) return x->span.start < y->span.start ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Share of b's length that a covers; ends are one behind [start, end) and inclusive. */
static double covered(const sn_rt_span *a, const sn_rt_span *b)
{
    int64_t start = a->start > b->start ? a->start : b->start, end = (a->end < b->end ? a->end : b->end) + 1;
    return end < start ? 0 : (double)(end - start + 1) / (double)(b->end + 1 - b->start + 1);
}

sn_rt_status sn_rt_suppress(sn_rt_span *spans, size_t *count, double share, sn_rt_error *err)
{
    candidate *list = malloc((*count + 1) * sizeof *list);
    size_t n = *count;
    if (!list) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu detections", n);
    for (size_t i = 0; i < n; i++) list[i] = (candidate){spans[i], i, false};
    qsort(list, n, sizeof *list, best_first);
    *count = 0;
    for (size_t i = 0; i < n; i++) {
        if (list[i].gone) continue;
        for (size_t j = i + 1; j < n; j++) list[j].gone |= covered(&list[i].span, &list[j].span) > share;
        spans[(*count)++] = list[i].span;
    }
    free(list);
    return SN_RT_OK;
}

/* ---- thresholds --------------------------------------------------------------------------------------------------------- */

/* One class of one video: column `c` of p. */
typedef struct column {
    const float *p;
    size_t       frames, classes;
} column;

static double at(const column *c, size_t t) { return (double)c->p[t * c->classes]; }

static double score_of(const column *c, size_t s, size_t e)
{
    double length = (double)(e - s), inner = 0, outer = 0;
    size_t last = c->frames - 1, inner_end = e < last ? e : last, outer_count = 0;
    double from = trunc((double)s - 0.25 * length), to = trunc((double)e + 0.25 * length + 1);
    for (size_t t = s; t <= inner_end; t++) inner += at(c, t);
    for (size_t t = from > 0 ? (size_t)from : 0; t < s; t++) outer += at(c, t), outer_count++;
    for (size_t t = e + 1; (double)t < to && t < last; t++) outer += at(c, t), outer_count++;
    return inner / (double)(inner_end - s + 1) - (outer_count ? 0.6 * (outer / (double)outer_count) : 0);
}

static sn_rt_status add_runs(const column *c, double threshold, sn_rt_span like, sn_rt_spans *out, sn_rt_error *err)
{
    enum { SHORTEST = 3 };
    float above = (float)threshold;
    sn_rt_status status = SN_RT_OK;
    for (size_t s = 0, e; s < c->frames && status == SN_RT_OK; s = e + 1) {
        for (e = s; e < c->frames && c->p[e * c->classes] > above; e++) {}
        if (e - s < SHORTEST) continue;
        like.start = (int64_t)s;
        like.end = (int64_t)e;
        like.score = score_of(c, s, e);
        status = sn_rt_spans_add(out, like, err);
    }
    return status;
}

static double highest(const column *c)
{
    double most = 0;
    for (size_t t = 0; t < c->frames; t++) most = fmax(most, at(c, t));
    return most;
}

sn_rt_status sn_rt_propose_babel(const float *p, size_t frames, uint32_t classes, uint32_t video, const double *video_score, const double *threshold,
                                 size_t thresholds, sn_rt_spans *out, sn_rt_error *err)
{
    sn_rt_status status = SN_RT_OK;
    for (uint32_t label = 0; label < classes && status == SN_RT_OK; label++) {
        const column c = {p + label, frames, classes};
        size_t before = out->count, found;
        if ((video_score ? video_score[label] : highest(&c)) < 0.1) continue;
        for (size_t i = 0; i < thresholds && status == SN_RT_OK; i++)
            status = add_runs(&c, threshold[i], (sn_rt_span){.video = video, .label = label}, out, err);
        found = out->count - before;
        if (status == SN_RT_OK && found) status = sn_rt_suppress(out->item + before, &found, 0.2, err);
        out->count = before + found;
    }
    return status;
}

/* ---- activity ----------------------------------------------------------------------------------------------------------- */

/* p of a frame that may lie in the padding. */
static float padded_at(const float *p, size_t frames, uint32_t classes, uint32_t none, size_t t, uint32_t c)
{
    return t < frames ? p[t * classes + c] : c == none;
}

/* y f32[length][classes] = mean of frames [t - 10, t + 10), none before 0 and none from length - 1 on. */
static void filter(const float *p, size_t frames, uint32_t classes, uint32_t none, size_t length, float *y)
{
    enum { HALF = 10 };
    for (size_t t = 0; t < length; t++) {
        size_t s = t < HALF ? 0 : t - HALF, e = t + HALF < length ? t + HALF : length - 1;
        if (e <= s) e = s + 1; /* a video of one frame */
        for (uint32_t c = 0; c < classes; c++) {
            float sum = 0;
            for (size_t i = s; i < e; i++) sum += padded_at(p, frames, classes, none, i, c);
            y[t * classes + c] = sum / (float)(e - s);
        }
    }
}

/* The segment of frames [s, e): its class and score. */
static sn_rt_span judged(const float *y, uint32_t classes, uint32_t none, uint32_t video, size_t s, size_t e)
{
    sn_rt_span best = {.video = video, .label = SN_RT_NO_NAME, .start = (int64_t)s, .end = (int64_t)e};
    for (uint32_t c = 0; c < classes; c++) {
        double sum = 0;
        for (size_t t = s; t < e; t++) sum += (double)y[t * classes + c];
        double mean = sum / (double)(e - s);
        if (c == none || (best.label != SN_RT_NO_NAME && mean <= best.score)) continue;
        best.label = c;
        best.score = mean;
    }
    return best;
}

sn_rt_status sn_rt_propose_pku(const float *p, size_t frames, uint32_t classes, uint32_t none, size_t padded, uint32_t video, sn_rt_spans *out,
                               sn_rt_error *err)
{
    size_t length = padded > frames ? padded : frames;
    sn_rt_status status = SN_RT_OK;
    if (classes < 2 || none >= classes) return sn_rt_fail(err, SN_RT_ARGUMENT, "found %u classes, expected one for no action and at least one other", classes);
    float *y = malloc((length * classes + 1) * sizeof *y);
    if (!y) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu frames of %u classes", length, classes);
    filter(p, frames, classes, none, length, y);
    for (size_t s = 0, e; s < length && status == SN_RT_OK; s = e + 1) {
        for (e = s; e < length && 1 - (double)y[e * classes + none] >= 0.4; e++) {}
        if (e > s) status = sn_rt_spans_add(out, judged(y, classes, none, video, s, e), err);
    }
    free(y);
    return status;
}
