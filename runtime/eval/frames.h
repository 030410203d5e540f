/* Labels by frame: from spans, back to spans, and how well scores agree with them.
 * Not detection (precision.h). */
#ifndef SN_RUNTIME_EVAL_FRAMES_H
#define SN_RUNTIME_EVAL_FRAMES_H

#include "spans.h"

/* What to do where spans of two labels hold one frame. */
typedef enum sn_rt_overlap {
    SN_RT_OVERLAP_FAILS,   /* SN_RT_FORMAT "LINE: ..." naming the other line, too */
    SN_RT_OVERLAP_SMALLEST /* the label with the smallest number wins */
} sn_rt_overlap;

/* Label of every frame of a video, `none` where no span is; `out` has `frames` of them.  Parts of spans beyond are ignored. */
sn_rt_status sn_rt_frame_labels(const sn_rt_spans *truth, const sn_rt_names *videos, const sn_rt_names *labels, uint32_t video, sn_rt_overlap overlap,
                                uint32_t none, size_t frames, uint32_t *out, sn_rt_error *err);

/* The maximal runs of one label that frame labels of these spans have, ordered by video, then start: touching spans of a label become one. */
sn_rt_status sn_rt_truth_runs(const sn_rt_spans *truth, const sn_rt_names *videos, const sn_rt_names *labels, sn_rt_overlap overlap, sn_rt_spans *out,
                              sn_rt_error *err);

/* Agreement of frame scores with frame labels, summed over videos. */
typedef struct sn_rt_agreement {
    uint32_t classes;
    size_t  *frames, *right; /* [classes]: frames of the class, and those whose highest score is its own (the first of equal ones) */
    size_t  *taken;          /* [classes][classes]: frames of the one class by the class with the highest score */
} sn_rt_agreement;
sn_rt_status sn_rt_agreement_init(uint32_t classes, sn_rt_agreement *out, sn_rt_error *err);
void         sn_rt_agreement_fini(sn_rt_agreement *a);
/* scores f32[frames][classes]; frames whose label is not below `classes` do not count. */
void   sn_rt_agreement_add(sn_rt_agreement *a, const float *scores, const uint32_t *label, size_t frames);
double sn_rt_agreement_share(const sn_rt_agreement *a); /* of all frames; NaN if there are none */
double sn_rt_agreement_mean(const sn_rt_agreement *a);  /* of the classes' own shares, over classes that have frames */

/* Mean average precision of video scores f64[videos][classes] against positive[videos][classes]: by class, the mean over its positive videos of the
 * precision at their rank (equal scores: the earlier video first), 1 for a class without any; mean over classes whose `counts` is set.
 * Source: evaluation of Yu and Fujiwara, AAAI 2023.  NaN without classes; SN_RT_MEMORY. */
sn_rt_status sn_rt_video_map(const double *scores, const bool *positive, const bool *counts, uint32_t videos, uint32_t classes, double *out,
                             sn_rt_error *err);

#endif
