/* Segments of videos, as truth or as detections, and the CSV files they come in.
 * Not the segments of a data set (runtime/data/dataset.h), which are truth by sequence.
 *
 * A span is frames [start, end) of a video, counted from 0. */
#ifndef SN_RUNTIME_EVAL_SPANS_H
#define SN_RUNTIME_EVAL_SPANS_H

#include "../data/names.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct sn_rt_span {
    uint32_t video, label; /* numbers in lists of names */
    int64_t  start, end;
    double   score;        /* of a detection */
    unsigned long line;    /* of its file; 0: from elsewhere */
} sn_rt_span;

typedef struct sn_rt_spans {
    sn_rt_span *item; /* [count], owned */
    size_t      count, capacity;
} sn_rt_spans;

sn_rt_status sn_rt_spans_add(sn_rt_spans *spans, sn_rt_span span, sn_rt_error *err);
void         sn_rt_spans_fini(sn_rt_spans *spans); /* harmless on a zeroed struct */

/* How a file's spans are taken. */
typedef struct sn_rt_span_rules {
    double fps;       /* rate the frames are wanted at; 0: that of the file.  Frame k lies in [s, e) if its time does: [ceil(s'), ceil(e')) */
    bool   unordered; /* rows with start >= end count (official PKU-MMD metric); else they are an error */
    bool   closed;    /* labels must be known already; else new ones are added (videos of a truth always are) */
} sn_rt_span_rules;

/* Truth: columns seq, fps, start_frame, end_frame, label, others ignored, in any order.  A row with an empty label says that the video exists and
 * adds no span.  SN_RT_FORMAT "PATH:LINE: what was found, what was expected". */
sn_rt_status sn_rt_truth_read(const char *path, const sn_rt_span_rules *rules, sn_rt_names *videos, sn_rt_names *labels, sn_rt_spans *out,
                              sn_rt_error *err);

/* Detections: columns video, label, start, end, score.  A video that is not known already is SN_RT_FORMAT. */
sn_rt_status sn_rt_detections_read(const char *path, const sn_rt_span_rules *rules, const sn_rt_names *videos, sn_rt_names *labels, sn_rt_spans *out,
                                   sn_rt_error *err);
/* The rate of detections whose file also tells seconds (column end_seconds, as sinew localize writes): frames over seconds; 0 if it
 * does not, or has no rows.  SN_RT_FORMAT: rows of different rates. */
sn_rt_status sn_rt_detections_rate(const char *path, double *fps, sn_rt_error *err);
/* The same file written, atomically; scores with 17 digits, so that they come back as they were. */
sn_rt_status sn_rt_detections_write(const char *path, const sn_rt_names *videos, const sn_rt_names *labels, const sn_rt_spans *spans,
                                    sn_rt_error *err);

#endif
