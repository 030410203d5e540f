/* A finetuned model on a labelled data set.
 * Not the running of windows (runtime/tag). */
#include "tagged.h"

#include "../runtime/data/loader.h"
#include "features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

sn_rt_status sn_tag_sequence(sn_rt_tagger *t, const sn_rt_sequence *s, float *out, sn_rt_error *err)
{
    size_t count = s->frames * t->columns, there = 0;
    if (s->joints != t->joints) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: found %zu joints, the model wants %zu", s->id, s->joints, t->joints);
    if (t->persons > 1 || s->persons == 1) return sn_rt_tagger_scores(t, s->x, s->persons, s->frames, out, err);
    float       *one = malloc(count * sizeof *one);
    sn_rt_status status = one ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory for scores", s->id);
    memset(out, 0, count * sizeof *out);
    for (size_t m = 0; m < s->persons && status == SN_RT_OK; m++) {
        if (!sn_person_is_there(s, m) && (there || m + 1 < s->persons)) continue;
        status = sn_rt_tagger_scores(t, s->x + m * s->frames * s->joints * 3, 1, s->frames, one, err);
        for (size_t i = 0; i < count && status == SN_RT_OK; i++) out[i] += one[i];
        there++;
    }
    for (size_t i = 0; i < count && there > 1; i++) out[i] /= (float)there;
    free(one);
    return status;
}

static sn_rt_status score_set(sn_model_file *m, const sn_rt_dataset *set, const char *val, sn_set_scores *out, sn_rt_error *err)
{
    sn_rt_status status = SN_RT_OK;
    float       *p;
    for (size_t i = 0; i < sn_rt_dataset_count(set) && status == SN_RT_OK; i++) {
        const sn_rt_sequence *s = sn_rt_dataset_at(set, i);
        if (!sn_rt_split_listed(val, s->split) || !sn_rt_classes_occur(m->facts.classes, set, s)) continue;
        if (fabs(s->fps - m->facts.fps) > 1e-6 * m->facts.fps)
            return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: found %g frames a second, the model was trained on %g", s->id, s->fps, m->facts.fps);
        status = sn_set_scores_add(out, set, s, &p, err);
        if (status == SN_RT_OK) status = sn_tag_sequence(&m->tagger, s, p, err);
    }
    if (status == SN_RT_OK && !out->scores.videos.count)
        status = sn_rt_fail(err, SN_RT_MISSING, "no sequence of %s shows any of the model's classes", val);
    return status;
}

sn_rt_status sn_tagged_scores(sn_model_file *m, const char *data, const sn_rt_dataset *set, const char *val, sn_set_scores *out, sn_rt_error *err)
{
    *out = (sn_set_scores){0};
    if (strcmp(sn_rt_dataset_layout(set), m->facts.layout) != 0)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: found layout %s, the model was trained on %s", data, sn_rt_dataset_layout(set), m->facts.layout);
    sn_rt_status status = sn_rt_splits_check(val, err);
    if (status == SN_RT_OK) status = sn_set_scores_init(out, m->facts.classes, sn_rt_dataset_count(set), err);
    return status == SN_RT_OK ? score_set(m, set, val, out, err) : status;
}

sn_rt_status sn_evaluate_tagged(sn_model_file *m, const char *data, const char *val, const sn_judging *j, const char *scores_out, json_t *record,
                                sn_rt_error *err)
{
    sn_rt_dataset *set = NULL;
    sn_set_scores  s = {0};
    sn_rt_status   status = sn_rt_splits_check(val, err);
    if (status == SN_RT_OK) status = sn_rt_dataset_open(data, &set, err);
    if (status == SN_RT_OK) status = sn_tagged_scores(m, data, set, val, &s, err);
    if (status == SN_RT_OK) status = sn_set_scores_judge(&s, j, scores_out, record, err);
    sn_set_scores_fini(&s);
    sn_rt_dataset_free(set);
    return status;
}
