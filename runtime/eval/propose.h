/* From frame probabilities to detections, as two published evaluations do it.
 * Not how good they are (precision.h) and not a model's scores (the caller's). */
#ifndef SN_RUNTIME_EVAL_PROPOSE_H
#define SN_RUNTIME_EVAL_PROPOSE_H

#include "spans.h"

/* Thresholds: five from 0.03 (published with cosine scores), or 0.05 to 0.95 (for softmax and votes).  Count, at most SN_RT_MAX_THRESHOLDS. */
enum { SN_RT_MAX_THRESHOLDS = 64 };
size_t sn_rt_thresholds_low(double *out);
size_t sn_rt_thresholds_even(double *out);

/* Detections of one video, all classes, appended to `out` with label = column.
 *
 *   p  f32[frames][classes], probabilities
 *   video_score  [classes], or NULL: the maximum over frames
 *
 * A class whose video score is below 0.1 has none.  For each threshold, runs [s, e) of p > threshold (both f32) of at least 3 frames; score = mean of
 * p over s .. min(e, frames - 1) inclusive, minus 0.6 times the mean over a quarter of the length on both sides; then suppression over all
 * thresholds together (below).  Means are summed in double in the order of frames.
 * Source: detectionMAP.py of Yu and Fujiwara, AAAI 2023. */
sn_rt_status sn_rt_propose_babel(const float *p, size_t frames, uint32_t classes, uint32_t video, const double *video_score, const double *threshold,
                                 size_t thresholds, sn_rt_spans *out, sn_rt_error *err);

/* Suppression: the best span stays; every other one whose overlap with it, relative to its own length, exceeds `share` goes; and so on.  Lengths are
 * those of the original, whose spans end at e + 1 and count it: e - s + 2.  Order: score, then start, then as given.
 * `spans` of one video and label; *count becomes that of those that stay, best first.  SN_RT_MEMORY. */
sn_rt_status sn_rt_suppress(sn_rt_span *spans, size_t *count, double share, sn_rt_error *err);

/* Detections of one video as published for PKU-MMD: a mean filter over frames [t - 10, t + 10), in f32; runs where 1 - p[none] >= 0.4; class = the
 * largest mean over the run, other than `none`; score = that mean.
 * The filter's last frame is the one before the end, as in the original.  `padded` > frames makes the end that of the longest video, with
 * p[none] = 1 behind the video's own (what the original does, a slip); 0: the video's own end.
 * Source: Simple-Skeleton-Detection, processor/evaluate_metrics.py. */
sn_rt_status sn_rt_propose_pku(const float *p, size_t frames, uint32_t classes, uint32_t none, size_t padded, uint32_t video, sn_rt_spans *out,
                               sn_rt_error *err);

#endif
