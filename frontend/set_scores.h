/* Scores of a data set's sequences together with what is true of them, to be judged as one.
 * Not where the scores come from (knn.h, tagged.h). */
#ifndef SN_FRONTEND_SET_SCORES_H
#define SN_FRONTEND_SET_SCORES_H

#include "../runtime/data/classes.h"
#include "evaluate.h"

typedef struct sn_set_scores {
    sn_rt_scores scores;  /* columns: the classes, then background; videos are named like their sequences */
    sn_rt_spans  truth;
    uint32_t     classes; /* without background */
} sn_set_scores;

/* For at most `sequences`. */
sn_rt_status sn_set_scores_init(sn_set_scores *s, const sn_rt_classes *classes, size_t sequences, sn_rt_error *err);
/* One more sequence and its truth; *out_p f32[frames][columns] is to be filled. */
sn_rt_status sn_set_scores_add(sn_set_scores *s, const sn_rt_dataset *set, const sn_rt_sequence *sequence, float **out_p, sn_rt_error *err);
/* Write the scores if `scores_out` is not NULL, and judge them; where labels overlap, the first class counts, as in sn_rt_classes_of_frames. */
sn_rt_status sn_set_scores_judge(const sn_set_scores *s, const sn_judging *j, const char *scores_out, json_t *record, sn_rt_error *err);
void         sn_set_scores_fini(sn_set_scores *s); /* harmless on a zeroed struct */

#endif
