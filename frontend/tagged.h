/* A finetuned model on sequences of a data set: its frame scores, judged.
 * Not its training (finetune.h). */
#ifndef SN_FRONTEND_TAGGED_H
#define SN_FRONTEND_TAGGED_H

#include "evaluate.h"
#include "model_file.h"
#include "set_scores.h"

/* Scores of a sequence's frames into out[frames][columns], by all its persons if the model looks at several, else the mean over those who are there, of the
 * first if nobody is. */
sn_rt_status sn_tag_sequence(sn_rt_tagger *t, const sn_rt_sequence *s, float *out, sn_rt_error *err);

/* Score every sequence of the splits `val` (comma-separated) of the set that shows one of the model's classes.
 * SN_RT_BAD_SHAPE if the set's layout, joints or rate are not the model's; `data` is the set's file, for messages.
 * sn_set_scores_fini in any case. */
sn_rt_status sn_tagged_scores(sn_model_file *model, const char *data, const sn_rt_dataset *set, const char *val, sn_set_scores *out, sn_rt_error *err);

/* The same of a file, and judge the scores. */
sn_rt_status sn_evaluate_tagged(sn_model_file *model, const char *data, const char *val, const sn_judging *j, const char *scores_out, json_t *record,
                                sn_rt_error *err);

#endif
