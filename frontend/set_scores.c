/* Scores of a data set's sequences with their truth.
 * Not the judging (evaluate.c). */
#include "set_scores.h"

#include <stdlib.h>

sn_rt_status sn_set_scores_init(sn_set_scores *s, const sn_rt_classes *classes, size_t sequences, sn_rt_error *err)
{
    uint32_t at;
    *s = (sn_set_scores){.classes = (uint32_t)classes->count};
    s->scores.columns = s->classes + 1;
    s->scores.of = calloc(sequences + 1, sizeof *s->scores.of);
    sn_rt_status status = s->scores.of ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for scores of %zu sequences", sequences);
    for (uint32_t c = 0; c <= s->classes && status == SN_RT_OK; c++)
        status = sn_rt_names_add(&s->scores.classes, c < s->classes ? classes->name[c] : "background", &at, err);
    if (status == SN_RT_OK && s->scores.classes.count != s->scores.columns)
        status = sn_rt_fail(err, SN_RT_ARGUMENT, "a class is called \"background\", which is what frames without one are called");
    return status;
}

sn_rt_status sn_set_scores_add(sn_set_scores *s, const sn_rt_dataset *set, const sn_rt_sequence *q, float **out_p, sn_rt_error *err)
{
    uint32_t     video;
    sn_rt_status status = sn_rt_names_add(&s->scores.videos, q->id, &video, err);
    if (status != SN_RT_OK) return status;
    float *p = calloc(q->frames * s->scores.columns, sizeof *p);
    if (!p) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory for scores", q->id);
    *out_p = p;
    s->scores.of[video] = (sn_rt_video_scores){p, NULL, q->frames};
    for (size_t k = 0; k < q->segments && status == SN_RT_OK; k++) {
        uint32_t label = sn_rt_names_find(&s->scores.classes, sn_rt_dataset_label_name(set, q->segment[k].label));
        if (label < s->classes)
            status = sn_rt_spans_add(&s->truth, (sn_rt_span){.video = video, .label = label, .start = q->segment[k].start, .end = q->segment[k].end}, err);
    }
    return status;
}

sn_rt_status sn_set_scores_judge(const sn_set_scores *s, const sn_judging *j, const char *scores_out, json_t *record, sn_rt_error *err)
{
    const sn_rt_question q = {.videos = &s->scores.videos, .labels = &s->scores.classes, .truth = &s->truth, .background = s->classes, .scores = &s->scores};
    sn_judging           as = *j;
    as.smallest = true;
    sn_rt_status status = scores_out ? sn_rt_scores_write(scores_out, &s->scores, err) : SN_RT_OK;
    return status == SN_RT_OK ? sn_judge(&as, &q, record, err) : status;
}

void sn_set_scores_fini(sn_set_scores *s)
{
    sn_rt_scores_fini(&s->scores);
    sn_rt_spans_fini(&s->truth);
}
