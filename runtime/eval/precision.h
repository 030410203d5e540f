/* Average precision of detections, as published for BABEL and for PKU-MMD.
 * Not where detections come from (propose.h).
 *
 * All functions take one trial, and write for each label its average precision (0 .. 1), or NaN for one that has no truth or is the background.
 * Equal scores keep their order: earlier videos first, then earlier starts, then as given.  Videos are matched by number. */
#ifndef SN_RUNTIME_EVAL_PRECISION_H
#define SN_RUNTIME_EVAL_PRECISION_H

#include "spans.h"

typedef struct sn_rt_trial {
    uint32_t           videos, labels; /* numbers in the spans are below */
    uint32_t           background;     /* label that does not count, or SN_RT_NO_NAME */
    const sn_rt_spans *truth, *found;
} sn_rt_trial;

/* Intervals as sets of whole frames; each detection takes, among free truths with tIoU >= `tiou`, the one of largest tIoU (the first of equal ones).
 *
 *   corrected  truth [start, end), detection [start, end)
 *   else       truth [start, end - 1), detection [start, end + 1): the original loses the last frame of a truth and has one too many in a detection.  A
 *              truth of one frame is then empty: it counts and cannot be found.
 *
 * Area under the envelope of precision over recall, all points.  Source: detectionMAP.py of Yu and Fujiwara, AAAI 2023. */
sn_rt_status sn_rt_precision_babel(const sn_rt_trial *t, bool corrected, double tiou, double *out_ap, sn_rt_error *err);

/* Intervals with inclusive ends, length end - start + 1; a detection whose best truth of the video is taken already is wrong; precision and recall
 * in f32.  Source: Simple-Skeleton-Detection, processor/evaluate_metrics.py. */
sn_rt_status sn_rt_precision_pku(const sn_rt_trial *t, double tiou, double *out_ap, sn_rt_error *err);

/* The official metrics of PKU-MMD: continuous tIoU; a detection is assigned the truth of largest tIoU >= theta (the last of equal ones), which others
 * may share; detections are dropped from the least certain on, and precision is looked at after a matched one was dropped. */
typedef struct sn_rt_official {
    double f1, ap;              /* of everything */
    double map_action;          /* sum over labels / `actions` */
    double map_video;           /* mean over all videos of the trial, labels pooled */
    double ap_2d;               /* mean of ap over theta = 0.05, 0.10 .. 1 */
} sn_rt_official;
/* `actions`: 51 for PKU-MMD.  Source: evaluate.py of PKU-MMD. */
sn_rt_status sn_rt_precision_official(const sn_rt_trial *t, double theta, uint32_t actions, sn_rt_official *out, double *out_ap, sn_rt_error *err);

/* Mean over labels that are not NaN; NaN if there are none. */
double sn_rt_mean_precision(const double *ap, uint32_t labels);

#endif
