/* From scores of frames to segments, for people: every frame has one class at most.
 * Not the proposals of an evaluation protocol (runtime/eval), which overlap. */
#ifndef SN_FRONTEND_SEGMENTS_H
#define SN_FRONTEND_SEGMENTS_H

#include <stddef.h>

typedef struct sn_found_segment { /* frames [start, end) */
    size_t start, end, class;
    double score; /* mean score of the class over them */
} sn_found_segment;

/* The first of the highest scores. */
size_t sn_best_class(const float *scores, size_t columns);

/* Runs of frames whose best class is the same, but background, the last column; those of less than `shortest` frames are left out.
 * scores [frames][columns].  free() the list; NULL without memory. */
sn_found_segment *sn_segments_of_scores(const float *scores, size_t frames, size_t columns, size_t shortest, size_t *out_count);

#endif
