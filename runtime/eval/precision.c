/* Matching of detections with truth and the area under precision over recall, for BABEL's and PKU-MMD's protocols.
 * Not the official metric of PKU-MMD (official.c). */
#include "precision.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- who matches whom --------------------------------------------------------------------------------------------------- */

/* Truth ordered by (label, video, start), detections by (label, score falling, video, start), both stable. */
typedef struct ordered {
    sn_rt_span span;
    size_t     order;
} ordered;

static int by_video(const ordered *x, const ordered *y)
{
    if (x->span.video != y->span.video) return x->span.video < y->span.video ? -1 : 1;
    if (x->span.start != y->span.start) return x->span.start < y->span.start ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static int truth_order(const void *a, const void *b)
{
    const ordered *x = a, *y = b;
    if (x->span.label != y->span.label) return x->span.label < y->span.label ? -1 : 1;
    return by_video(x, y);
}

static int found_order(const void *a, const void *b)
{
    const ordered *x = a, *y = b;
    if (x->span.label != y->span.label) return x->span.label < y->span.label ? -1 : 1;
    if (x->span.score != y->span.score) return x->span.score > y->span.score ? -1 : 1;
    return by_video(x, y);
}

static ordered *sorted(const sn_rt_spans *spans, int (*order)(const void *, const void *))
{
    ordered *out = malloc((spans->count + 1) * sizeof *out);
    for (size_t i = 0; out && i < spans->count; i++) out[i] = (ordered){spans->item[i], i};
    if (out) qsort(out, spans->count, sizeof *out, order);
    return out;
}

/* How a protocol measures and assigns. */
typedef struct rule {
    int64_t truth_grows, found_grows; /* frames added to the ends before intervals are compared as [start, end) */
    double  tiou;
    bool    free_only;                /* the best truth is looked for among those not taken yet */
    bool    single;                   /* precision and recall in f32 */
} rule;

static double tiou_of(const rule *r, const sn_rt_span *truth, const sn_rt_span *found)
{
    int64_t te = truth->end + r->truth_grows, fe = found->end + r->found_grows;
    int64_t start = truth->start > found->start ? truth->start : found->start, end = te < fe ? te : fe;
    int64_t both = end > start && te > truth->start ? end - start : 0;
    int64_t either = (te > truth->start ? te - truth->start : 0) + (fe - found->start) - both;
    return (double)both / (double)either;
}

/* Number of the truth that detection `f` takes among truth[begin .. end), or SIZE_MAX. */
static size_t best_truth(const rule *r, const ordered *truth, const bool *taken, size_t begin, size_t end, const sn_rt_span *f)
{
    size_t best = SIZE_MAX;
    double most = 0;
    for (size_t i = begin; i < end; i++) {
        double iou = tiou_of(r, &truth[i].span, f);
        if ((r->free_only && taken[i]) || iou <= most) continue;
        most = iou;
        best = i;
    }
    return best != SIZE_MAX && most >= r->tiou ? best : SIZE_MAX;
}

/* First of truth[begin .. end) whose video is not below `video`. */
static size_t first_of_video(const ordered *truth, size_t begin, size_t end, uint32_t video)
{
    while (begin < end) {
        size_t middle = begin + (end - begin) / 2;
        if (truth[middle].span.video < video) begin = middle + 1;
        else end = middle;
    }
    return begin;
}

/* ---- area --------------------------------------------------------------------------------------------------------------- */

static double rounded(const rule *r, double x) { return r->single ? (double)(float)x : x; }

/* hit[i]: detection i, best first, is right.  recall and precision have room for n + 2. */
static double area(const rule *r, const bool *hit, size_t n, size_t truths, double *recall, double *precision)
{
    size_t right = 0;
    recall[0] = precision[0] = 0;
    for (size_t i = 0; i < n; i++) {
        right += hit[i];
        recall[i + 1] = rounded(r, (double)right / (double)truths);
        precision[i + 1] = rounded(r, (double)right / (double)(i + 1));
    }
    recall[n + 1] = 1;
    precision[n + 1] = 0;
    for (size_t i = n + 1; i-- > 0;) precision[i] = fmax(precision[i], precision[i + 1]);
    double sum = 0;
    for (size_t i = 1; i < n + 2; i++)
        if (recall[i] != recall[i - 1]) sum = rounded(r, sum + rounded(r, rounded(r, recall[i] - recall[i - 1]) * precision[i]));
    return sum;
}

/* ---- protocols ---------------------------------------------------------------------------------------------------------- */

typedef struct work {
    ordered *truth, *found;
    bool    *taken, *hit;
    double  *recall, *precision;
} work;

static double label_precision(const rule *r, work *w, size_t truth_begin, size_t truth_end, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const sn_rt_span *f = &w->found[i].span;
        size_t first = first_of_video(w->truth, truth_begin, truth_end, f->video);
        size_t last = first_of_video(w->truth, first, truth_end, f->video + 1);
        size_t match = best_truth(r, w->truth, w->taken, first, last, f);
        w->hit[i] = match != SIZE_MAX && !w->taken[match];
        if (match != SIZE_MAX) w->taken[match] = true;
    }
    return area(r, w->hit + begin, end - begin, truth_end - truth_begin, w->recall, w->precision);
}

static sn_rt_status precision_of(const sn_rt_trial *t, const rule *r, double *out_ap, sn_rt_error *err)
{
    size_t T = t->truth->count, F = t->found->count;
    work w = {sorted(t->truth, truth_order),        sorted(t->found, found_order),         calloc(T + 1, sizeof *w.taken),
              calloc(F + 1, sizeof *w.hit),         malloc((F + 2) * sizeof *w.recall),    malloc((F + 2) * sizeof *w.precision)};
    bool fit = w.truth && w.found && w.taken && w.hit && w.recall && w.precision;
    size_t a = 0, b = 0;
    for (uint32_t label = 0; fit && label < t->labels; label++) {
        size_t truth_begin = a, begin = b;
        while (a < T && w.truth[a].span.label == label) a++;
        while (b < F && w.found[b].span.label == label) b++;
        out_ap[label] = NAN;
        if (a > truth_begin && label != t->background) out_ap[label] = label_precision(r, &w, truth_begin, a, begin, b);
    }
    free(w.truth), free(w.found), free(w.taken), free(w.hit), free(w.recall), free(w.precision);
    return fit ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu truths and %zu detections", T, F);
}

sn_rt_status sn_rt_precision_babel(const sn_rt_trial *t, bool corrected, double tiou, double *out_ap, sn_rt_error *err)
{
    const rule r = {corrected ? 0 : -1, corrected ? 0 : 1, tiou, true, false};
    return precision_of(t, &r, out_ap, err);
}

sn_rt_status sn_rt_precision_pku(const sn_rt_trial *t, double tiou, double *out_ap, sn_rt_error *err)
{
    const rule r = {1, 1, tiou, false, true};
    return precision_of(t, &r, out_ap, err);
}

double sn_rt_mean_precision(const double *ap, uint32_t labels)
{
    double sum = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < labels; i++)
        if (!isnan(ap[i])) sum += ap[i], n++;
    return n ? sum / n : NAN;
}
