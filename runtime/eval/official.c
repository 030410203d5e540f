/* The official metrics of PKU-MMD.
 * Not the per-action precision that cited work reports (precision.c). */
#include "precision.h"

#include <math.h>
#include <stdlib.h>

/* Detections and truths of one question: everything, one label, or one video. */
typedef struct lists {
    const sn_rt_span **found, **truth;
    size_t  founds, truths;
    size_t *match, *uses; /* match[detection]: truth or SIZE_MAX; uses[truth] */
} lists;

static double overlap(const sn_rt_span *a, const sn_rt_span *b)
{
    if (a->label != b->label || a->video != b->video || a->start > a->end || b->start > b->end) return 0;
    int64_t inner = (a->end < b->end ? a->end : b->end) - (a->start > b->start ? a->start : b->start);
    int64_t outer = (a->end > b->end ? a->end : b->end) - (a->start < b->start ? a->start : b->start);
    return outer > 0 ? (double)inner / (double)outer : 0;
}

/* Fills match and uses; the number of truths that are matched. */
static size_t match_all(const lists *l, double theta)
{
    size_t positive = 0;
    for (size_t j = 0; j < l->truths; j++) l->uses[j] = 0;
    for (size_t i = 0; i < l->founds; i++) {
        double most = theta;
        l->match[i] = SIZE_MAX;
        for (size_t j = 0; j < l->truths; j++) {
            double o = overlap(l->found[i], l->truth[j]);
            if (o < most) continue;
            most = o;
            l->match[i] = j;
        }
        if (l->match[i] != SIZE_MAX && l->uses[l->match[i]]++ == 0) positive++;
    }
    return positive;
}

static double share(size_t part, size_t whole, size_t other) { return whole && other ? (double)part / (double)whole : 0; }

static double f1_of(const lists *l, double theta)
{
    size_t positive = match_all(l, theta);
    double precision = share(positive, l->founds, l->truths), recall = share(positive, l->truths, l->founds);
    return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
}

/* l->found is in order of rising score. */
static double ap_of(const lists *l, double theta)
{
    size_t positive = match_all(l, theta), left = l->founds;
    double best = share(positive, left, l->truths), recall = share(positive, l->truths, left), sum = 0;
    for (size_t i = 0; i < l->founds; i++) {
        left--;
        if (l->match[i] == SIZE_MAX) continue;
        if (--l->uses[l->match[i]] == 0) positive--;
        double precision = share(positive, left, l->truths), now = share(positive, l->truths, left);
        if (precision > best) best = precision;
        sum += best * (recall - now);
        recall = now;
    }
    return sum;
}

typedef struct ranked {
    const sn_rt_span *span;
    size_t            order;
} ranked;

static int rising(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->span->score != y->span->score) return x->span->score < y->span->score ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Those of `all` that a question is about: of a label, of a video, or (both SN_RT_NO_NAME) all but the background. */
static void choose(lists *l, const sn_rt_trial *t, const ranked *all, uint32_t label, uint32_t video)
{
    l->founds = l->truths = 0;
    for (size_t i = 0; i < t->found->count; i++) {
        const sn_rt_span *s = all[i].span;
        if (s->label != t->background && (label == SN_RT_NO_NAME || s->label == label) && (video == SN_RT_NO_NAME || s->video == video))
            l->found[l->founds++] = s;
    }
    for (size_t i = 0; i < t->truth->count; i++) {
        const sn_rt_span *s = &t->truth->item[i];
        if (s->label != t->background && (label == SN_RT_NO_NAME || s->label == label) && (video == SN_RT_NO_NAME || s->video == video))
            l->truth[l->truths++] = s;
    }
}

static void measure(lists *l, const sn_rt_trial *t, const ranked *all, double theta, uint32_t actions, sn_rt_official *out, double *out_ap)
{
    sn_rt_official o = {0};
    double sum = 0;
    choose(l, t, all, SN_RT_NO_NAME, SN_RT_NO_NAME);
    o.f1 = f1_of(l, theta);
    o.ap = ap_of(l, theta);
    for (int i = 1; i <= 20; i++) o.ap_2d += ap_of(l, i * 0.05);
    o.ap_2d /= 20;
    for (uint32_t label = 0; label < t->labels; label++) {
        choose(l, t, all, label, SN_RT_NO_NAME);
        out_ap[label] = l->truths ? ap_of(l, theta) : NAN;
        sum += l->truths ? out_ap[label] : 0;
    }
    o.map_action = sum / actions;
    for (uint32_t video = 0; video < t->videos; video++) {
        choose(l, t, all, SN_RT_NO_NAME, video);
        o.map_video += ap_of(l, theta);
    }
    o.map_video /= t->videos ? t->videos : 1;
    *out = o;
}

sn_rt_status sn_rt_precision_official(const sn_rt_trial *t, double theta, uint32_t actions, sn_rt_official *out, double *out_ap, sn_rt_error *err)
{
    size_t F = t->found->count, T = t->truth->count;
    if (!actions) return sn_rt_fail(err, SN_RT_ARGUMENT, "the mean over actions needs at least one");
    ranked *all = malloc((F + 1) * sizeof *all);
    lists l = {.found = malloc((F + 1) * sizeof *l.found), .truth = malloc((T + 1) * sizeof *l.truth), .match = malloc((F + 1) * sizeof *l.match),
               .uses = malloc((T + 1) * sizeof *l.uses)};
    bool fit = all && l.found && l.truth && l.match && l.uses;
    for (size_t i = 0; fit && i < F; i++) all[i] = (ranked){&t->found->item[i], i};
    if (fit) qsort(all, F, sizeof *all, rising), measure(&l, t, all, theta, actions, out, out_ap);
    free(all), free(l.found), free(l.truth), free(l.match), free(l.uses);
    return fit ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu truths and %zu detections", T, F);
}
