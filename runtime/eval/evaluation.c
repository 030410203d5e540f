/* The protocols as rows, and how an evaluation proceeds.
 * Not the parts it is made of. */
#include "evaluation.h"

#include "propose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const sn_rt_protocol_row sn_rt_protocols[SN_RT_PROTOCOLS] = {
    {"babel", "BABEL as published: a truth loses its last frame, a detection has one too many", {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7}, 7, 5, false},
    {"babel-corrected", "the same with intervals as they are", {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7}, 7, 5, false},
    {"pku", "PKU-MMD per action as cited work reports it, and per video", {0.1, 0.3, 0.5}, 3, 3, false},
    {"pku-official", "PKU-MMD's own metrics at overlap 0.5", {0.5}, 1, 1, true},
};

static bool is_babel(sn_rt_protocol p) { return p == SN_RT_BABEL || p == SN_RT_BABEL_CORRECTED; }

/* ---- detections --------------------------------------------------------------------------------------------------------- */

static sn_rt_status propose(const sn_rt_question *q, sn_rt_spans *out, sn_rt_error *err)
{
    const sn_rt_scores *s = q->scores;
    sn_rt_status status = SN_RT_OK;
    for (uint32_t v = 0; v < s->videos.count && status == SN_RT_OK; v++) {
        const sn_rt_video_scores *o = &s->of[v];
        uint32_t video = sn_rt_names_find(q->videos, s->videos.name[v]);
        if (video == SN_RT_NO_NAME) return sn_rt_fail(err, SN_RT_MISSING, "video %s has scores but no truth", s->videos.name[v]);
        if (is_babel(q->protocol)) status = sn_rt_propose_babel(o->p, o->frames, s->columns, video, o->video, q->threshold, q->thresholds, out, err);
        else status = sn_rt_propose_pku(o->p, o->frames, s->columns, q->background, q->padded, video, out, err);
    }
    return status;
}

static sn_rt_status copy(const sn_rt_spans *from, sn_rt_spans *out, sn_rt_error *err)
{
    sn_rt_status status = SN_RT_OK;
    for (size_t i = 0; i < from->count && status == SN_RT_OK; i++) status = sn_rt_spans_add(out, from->item[i], err);
    return status;
}

/* ---- frames ------------------------------------------------------------------------------------------------------------- */

static double highest(const float *p, size_t frames, uint32_t classes, uint32_t c)
{
    float most = p[c];
    for (size_t t = 1; t < frames; t++) most = fmaxf(most, p[t * classes + c]);
    return (double)most;
}

/* Agreement of one video; its row of video scores and which classes it shows. */
static sn_rt_status judge_video(const sn_rt_question *q, uint32_t v, sn_rt_agreement *a, double *score, bool *shows, sn_rt_error *err)
{
    const sn_rt_video_scores *o = &q->scores->of[v];
    uint32_t video = sn_rt_names_find(q->videos, q->scores->videos.name[v]), C = q->scores->columns;
    uint32_t *label = malloc(o->frames * sizeof *label);
    if (!label) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu frames", o->frames);
    sn_rt_status status = sn_rt_frame_labels(q->truth, q->videos, q->labels, video, is_babel(q->protocol) ? q->overlap : SN_RT_OVERLAP_SMALLEST,
                                             q->background, o->frames, label, err);
    for (uint32_t c = 0; c < C; c++) score[c] = o->video ? o->video[c] : highest(o->p, o->frames, C, c);
    for (size_t t = 0; t < o->frames && status == SN_RT_OK; t++)
        if (label[t] < C) shows[label[t]] = true;
    if (status == SN_RT_OK) sn_rt_agreement_add(a, o->p, label, o->frames);
    free(label);
    return status;
}

static sn_rt_status judge_frames(const sn_rt_question *q, sn_rt_evaluation *e, sn_rt_error *err)
{
    uint32_t V = q->scores->videos.count, C = q->scores->columns;
    sn_rt_agreement a = {0};
    double *score = malloc((size_t)V * C * sizeof *score);
    bool *shows = calloc((size_t)V * C, sizeof *shows), *counts = calloc(C, sizeof *counts);
    sn_rt_status status = score && shows && counts ? sn_rt_agreement_init(C, &a, err) : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %u videos", V);
    for (uint32_t v = 0; v < V && status == SN_RT_OK; v++) status = judge_video(q, v, &a, score + (size_t)v * C, shows + (size_t)v * C, err);
    for (uint32_t c = 0; counts && c < C; c++) counts[c] = c != q->background;
    if (status == SN_RT_OK) status = sn_rt_video_map(score, shows, counts, V, C, &e->video_map, err);
    if (status == SN_RT_OK) {
        e->has_frames = true;
        e->accuracy = sn_rt_agreement_share(&a);
        e->class_accuracy = sn_rt_agreement_mean(&a);
        e->taken = a.taken;
        a.taken = NULL;
    }
    sn_rt_agreement_fini(&a);
    free(score), free(shows), free(counts);
    return status;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------- */

static sn_rt_status measure(const sn_rt_question *q, const sn_rt_trial *t, sn_rt_evaluation *e, sn_rt_error *err)
{
    const sn_rt_protocol_row *row = &sn_rt_protocols[q->protocol];
    uint32_t actions = q->actions ? q->actions : 51;
    sn_rt_status status = SN_RT_OK;
    if (!is_babel(q->protocol)) {
        status = sn_rt_precision_official(t, 0.5, actions, &e->official, e->ap, err);
        e->has_official = true;
    }
    for (uint32_t i = 0; i < row->tious && status == SN_RT_OK; i++) {
        double *ap = e->ap + (size_t)i * e->labels;
        if (is_babel(q->protocol)) status = sn_rt_precision_babel(t, q->protocol == SN_RT_BABEL_CORRECTED, row->tiou[i], ap, err);
        else if (q->protocol == SN_RT_PKU) status = sn_rt_precision_pku(t, row->tiou[i], ap, err);
        e->map[i] = q->protocol == SN_RT_PKU_OFFICIAL ? e->official.map_action : sn_rt_mean_precision(ap, e->labels);
        e->average += i < row->averaged ? e->map[i] / row->averaged : 0;
    }
    for (size_t i = 0; i < t->truth->count; i++) e->truths[t->truth->item[i].label]++;
    for (size_t i = 0; i < t->found->count; i++) e->founds[t->found->item[i].label]++;
    return status;
}

sn_rt_status sn_rt_evaluate(const sn_rt_question *q, sn_rt_evaluation *out, sn_rt_error *err)
{
    sn_rt_evaluation e = {.labels = q->labels->count, .tious = sn_rt_protocols[q->protocol].tious};
    sn_rt_spans truth = {0};
    sn_rt_status status = SN_RT_OK;
    e.ap = malloc(((size_t)e.tious * e.labels + 1) * sizeof *e.ap);
    e.truths = calloc(e.labels + 1u, sizeof *e.truths);
    e.founds = calloc(e.labels + 1u, sizeof *e.founds);
    if (!e.ap || !e.truths || !e.founds) status = sn_rt_fail(err, SN_RT_MEMORY, "no memory for %u classes", e.labels);
    if (status == SN_RT_OK)
        status = is_babel(q->protocol) ? sn_rt_truth_runs(q->truth, q->videos, q->labels, q->overlap, &truth, err) : copy(q->truth, &truth, err);
    if (status == SN_RT_OK) status = q->found ? copy(q->found, &e.found, err) : propose(q, &e.found, err);
    if (status == SN_RT_OK && q->scores) status = judge_frames(q, &e, err);
    const sn_rt_trial t = {q->videos->count, e.labels, q->background, &truth, &e.found};
    if (status == SN_RT_OK) status = measure(q, &t, &e, err);
    sn_rt_spans_fini(&truth);
    if (status == SN_RT_OK) *out = e;
    else sn_rt_evaluation_fini(&e);
    return status;
}

void sn_rt_evaluation_fini(sn_rt_evaluation *e)
{
    free(e->ap);
    free(e->truths);
    free(e->founds);
    free(e->taken);
    sn_rt_spans_fini(&e->found);
    *e = (sn_rt_evaluation){0};
}
