/* How well the model in training tags the frames of sequences it does not learn from, epoch after epoch.
 * Not how detections are made and judged (runtime/eval). */
#ifndef SN_FRONTEND_VALIDATION_H
#define SN_FRONTEND_VALIDATION_H

#include "../runtime/data/classes.h"
#include "../runtime/train/trainer.h"
#include "../runtime/tag/tagger.h"
#include "training.h"

/* Opened for a run; borrowed things outlive it. */
typedef struct sn_validation {
    const sn_rt_dataset *set;
    const sn_rt_classes *classes;
    const bool          *only; /* [sequences] */
    const char          *path; /* of validation.csv */
    sn_program           program;
    bool                 compiled;
    char                *graph; /* the model as a graph file */
    const float        **weight; /* [params] in the trainer's store */
    sn_rt_tagger         tagger;
    char                *rows; /* of the table so far */
    size_t               size;
} sn_validation;

/* Compile the training's model over the trainer's weights.  Rows of the table at `path` up to `epoch` are kept.  On failure t->diags or *err say why;
 * close it in any case. */
bool sn_validation_open(sn_validation *v, sn_training *t, const sn_rt_trainer *trainer, const char *cache_dir, const char *path, uint64_t epoch,
                        sn_rt_error *err);
void sn_validation_close(sn_validation *v);

/* What one validation found.  A frame is right if its class has the highest score; NaN without any that has a class. */
typedef struct sn_validated {
    size_t sequences, frames;
    double accuracy, class_accuracy; /* of frames that have a class; mean over the classes among them */
    double map, map_half;            /* mean average precision of segments, babel-corrected with even thresholds: mean over overlaps 0.1 to 0.5, and at 0.5 */
} sn_validated;

/* Tag all sequences of `only` with the weights as they are, and add a row for `epoch` (counted from 1). */
sn_rt_status sn_validation_run(sn_validation *v, uint64_t epoch, sn_validated *out, sn_rt_error *err);

#endif
