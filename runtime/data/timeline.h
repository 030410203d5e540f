/* A recording as a timeline: what was found, what is true, the score of every class over time, and the poses where segments begin.
 * Not the scores themselves.  After figure 4 of the paper. */
#ifndef SN_RUNTIME_DATA_TIMELINE_H
#define SN_RUNTIME_DATA_TIMELINE_H

#include "classes.h"

typedef struct sn_rt_timeline {
    const sn_rt_dataset *set;
    size_t               sequence;
    const sn_rt_classes *classes;
    const float         *scores; /* [frames][classes + 1] within 0 .. 1, background last */
    const sn_rt_segment *found;  /* ordered by start; label is a class */
    size_t               founds;
    bool                 truth;  /* show the segments of the sequence, too */
} sn_rt_timeline;

/* Replaces `path` (PNG) atomically. */
sn_rt_status sn_rt_timeline_draw(const sn_rt_timeline *t, const char *path, sn_rt_error *err);

#endif
