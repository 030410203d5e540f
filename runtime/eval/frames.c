/* Labels by frame and agreement with them.
 * Not a choice of what is background: the caller's `none` is. */
#include "frames.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_place(const void *a, const void *b)
{
    const sn_rt_span *x = a, *y = b;
    if (x->video != y->video) return x->video < y->video ? -1 : 1;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return (x->label > y->label) - (x->label < y->label);
}

static sn_rt_status overlap_fails(const sn_rt_span *s, const sn_rt_spans *truth, const sn_rt_names *videos, const sn_rt_names *labels, int64_t frame,
                                  uint32_t other, sn_rt_error *err)
{
    unsigned long line = 0;
    for (size_t i = 0; i < truth->count; i++) {
        const sn_rt_span *o = &truth->item[i];
        if (o->video == s->video && o->label == other && o->start <= frame && frame < o->end) line = o->line;
    }
    return sn_rt_fail(err, SN_RT_FORMAT, "%lu: frame %lld of video %s is %s here and %s in line %lu, expected one label a frame", s->line,
                      (long long)frame, videos->name[s->video], labels->name[s->label], labels->name[other], line);
}

sn_rt_status sn_rt_frame_labels(const sn_rt_spans *truth, const sn_rt_names *videos, const sn_rt_names *labels, uint32_t video, sn_rt_overlap overlap,
                                uint32_t none, size_t frames, uint32_t *out, sn_rt_error *err)
{
    for (size_t t = 0; t < frames; t++) out[t] = none;
    for (size_t i = 0; i < truth->count; i++) {
        const sn_rt_span *s = &truth->item[i];
        if (s->video != video) continue;
        for (int64_t t = s->start; t < s->end && t < (int64_t)frames; t++) {
            if (out[t] == none || out[t] == s->label) out[t] = s->label;
            else if (overlap == SN_RT_OVERLAP_FAILS) return overlap_fails(s, truth, videos, labels, t, out[t], err);
            else if (s->label < out[t]) out[t] = s->label;
        }
    }
    return SN_RT_OK;
}

/* Runs of one video's labels. */
static sn_rt_status add_runs(uint32_t video, const uint32_t *label, size_t frames, sn_rt_spans *out, sn_rt_error *err)
{
    sn_rt_status status = SN_RT_OK;
    for (size_t t = 0, end; t < frames && status == SN_RT_OK; t = end) {
        for (end = t; end < frames && label[end] == label[t]; end++) {}
        if (label[t] == SN_RT_NO_NAME) continue;
        status = sn_rt_spans_add(out, (sn_rt_span){.video = video, .label = label[t], .start = (int64_t)t, .end = (int64_t)end}, err);
    }
    return status;
}

sn_rt_status sn_rt_truth_runs(const sn_rt_spans *truth, const sn_rt_names *videos, const sn_rt_names *labels, sn_rt_overlap overlap, sn_rt_spans *out,
                              sn_rt_error *err)
{
    sn_rt_span *sorted = malloc((truth->count + 1) * sizeof *sorted);
    sn_rt_status status = sorted ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu segments", truth->count);
    if (sorted && truth->count) memcpy(sorted, truth->item, truth->count * sizeof *sorted);
    if (sorted) qsort(sorted, truth->count, sizeof *sorted, by_place);
    for (size_t i = 0, end; i < truth->count && status == SN_RT_OK; i = end) {
        int64_t frames = 0;
        for (end = i; end < truth->count && sorted[end].video == sorted[i].video; end++)
            if (sorted[end].end > frames) frames = sorted[end].end;
        const sn_rt_spans own = {.item = sorted + i, .count = end - i};
        uint32_t *label = malloc(((size_t)frames + 1) * sizeof *label);
        if (!label) status = sn_rt_fail(err, SN_RT_MEMORY, "no memory for %lld frames", (long long)frames);
        if (status == SN_RT_OK)
            status = sn_rt_frame_labels(&own, videos, labels, sorted[i].video, overlap, SN_RT_NO_NAME, (size_t)frames, label, err);
        if (status == SN_RT_OK) status = add_runs(sorted[i].video, label, (size_t)frames, out, err);
        free(label);
    }
    free(sorted);
    return status;
}

/* ---- agreement ---------------------------------------------------------------------------------------------------------- */

sn_rt_status sn_rt_agreement_init(uint32_t classes, sn_rt_agreement *out, sn_rt_error *err)
{
    size_t          n = classes + 1u;
    sn_rt_agreement a = {classes, calloc(n, sizeof *a.frames), calloc(n, sizeof *a.right), calloc(n, n * sizeof *a.taken)};
    if (a.frames && a.right && a.taken) {
        *out = a;
        return SN_RT_OK;
    }
    sn_rt_agreement_fini(&a);
    return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %u classes", classes);
}

void sn_rt_agreement_fini(sn_rt_agreement *a)
{
    free(a->frames);
    free(a->right);
    free(a->taken);
    *a = (sn_rt_agreement){0};
}

void sn_rt_agreement_add(sn_rt_agreement *a, const float *scores, const uint32_t *label, size_t frames)
{
    for (size_t t = 0; t < frames; t++, scores += a->classes) {
        if (label[t] >= a->classes) continue;
        uint32_t best = 0;
        for (uint32_t c = 1; c < a->classes; c++)
            if (scores[c] > scores[best]) best = c;
        a->frames[label[t]]++;
        a->right[label[t]] += best == label[t];
        a->taken[(size_t)label[t] * a->classes + best]++;
    }
}

double sn_rt_agreement_share(const sn_rt_agreement *a)
{
    size_t frames = 0, right = 0;
    for (uint32_t c = 0; c < a->classes; c++) frames += a->frames[c], right += a->right[c];
    return frames ? (double)right / (double)frames : NAN;
}

double sn_rt_agreement_mean(const sn_rt_agreement *a)
{
    double sum = 0;
    uint32_t n = 0;
    for (uint32_t c = 0; c < a->classes; c++)
        if (a->frames[c]) sum += (double)a->right[c] / (double)a->frames[c], n++;
    return n ? sum / n : NAN;
}

/* ---- whole videos ------------------------------------------------------------------------------------------------------- */

typedef struct ranked {
    double   score;
    uint32_t video;
} ranked;

static int by_score(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->video > y->video) - (x->video < y->video);
}

sn_rt_status sn_rt_video_map(const double *scores, const bool *positive, const bool *counts, uint32_t videos, uint32_t classes, double *out,
                             sn_rt_error *err)
{
    ranked *list = malloc((videos + 1u) * sizeof *list);
    if (!list) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %u videos", videos);
    double sum = 0;
    uint32_t n = 0;
    for (uint32_t c = 0; c < classes; c++) {
        if (!counts[c]) continue;
        for (uint32_t v = 0; v < videos; v++) list[v] = (ranked){scores[(size_t)v * classes + c], v};
        qsort(list, videos, sizeof *list, by_score);
        double precisions = 0;
        uint32_t found = 0;
        for (uint32_t r = 0; r < videos; r++)
            if (positive[(size_t)list[r].video * classes + c]) precisions += (double)++found / (r + 1.0);
        sum += found ? precisions / found : 1;
        n++;
    }
    free(list);
    *out = n ? sum / n : NAN;
    return SN_RT_OK;
}
