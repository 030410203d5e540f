/* One evaluation from beginning to end: truth, detections or frame scores, a protocol; out come all its figures.
 * Not files (spans.h, scores.h) and not printing (table.h, report.h). */
#ifndef SN_RUNTIME_EVAL_EVALUATION_H
#define SN_RUNTIME_EVAL_EVALUATION_H

#include "frames.h"
#include "precision.h"
#include "scores.h"

typedef enum sn_rt_protocol { SN_RT_BABEL, SN_RT_BABEL_CORRECTED, SN_RT_PKU, SN_RT_PKU_OFFICIAL, SN_RT_PROTOCOLS } sn_rt_protocol;

enum { SN_RT_MAX_TIOU = 8 };

/* What a protocol is called, at which overlaps it is reported, and whether rows of no length count. */
typedef struct sn_rt_protocol_row {
    const char *name, *doc;
    double      tiou[SN_RT_MAX_TIOU];
    uint32_t    tious;
    uint32_t    averaged;  /* "average" is the mean over so many of them */
    bool        unordered; /* sn_rt_span_rules */
} sn_rt_protocol_row;
extern const sn_rt_protocol_row sn_rt_protocols[SN_RT_PROTOCOLS];

typedef struct sn_rt_question {
    sn_rt_protocol      protocol;
    const sn_rt_names  *videos, *labels; /* of the truth; with scores, label c is column c */
    const sn_rt_spans  *truth;
    uint32_t            background;      /* label that does not count and that frames without truth have; SN_RT_NO_NAME: none */
    sn_rt_overlap       overlap;         /* BABEL: of the truth */
    const sn_rt_spans  *found;           /* detections, or NULL: */
    const sn_rt_scores *scores;          /* their videos are among `videos` */
    const double       *threshold;       /* BABEL, with scores */
    size_t              thresholds;
    size_t              padded;          /* PKU, with scores: sn_rt_propose_pku */
    uint32_t            actions;         /* official: 0 = 51 */
} sn_rt_question;

typedef struct sn_rt_evaluation {
    uint32_t       labels, tious;
    double        *ap;                  /* [tious][labels]; NaN: without truth */
    double         map[SN_RT_MAX_TIOU]; /* means of those */
    double         average;
    size_t        *truths, *founds;     /* [labels] */
    bool           has_official;        /* both of PKU's protocols */
    sn_rt_official official;            /* at theta 0.5 */
    bool           has_frames;          /* from scores */
    double         accuracy, class_accuracy, video_map;
    size_t        *taken;               /* [labels][labels]: sn_rt_agreement */
    sn_rt_spans    found;               /* what was matched: given, or made from scores */
} sn_rt_evaluation;

/* Errors of the parts; SN_RT_FORMAT is "LINE: ..." of the truth. */
sn_rt_status sn_rt_evaluate(const sn_rt_question *q, sn_rt_evaluation *out, sn_rt_error *err);
void         sn_rt_evaluation_fini(sn_rt_evaluation *e); /* harmless on a zeroed struct */

#endif
