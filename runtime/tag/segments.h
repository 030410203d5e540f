/* From scores of frames to segments, for people: every frame has one class at most.
 * Not the proposals of an evaluation protocol (runtime/eval), which overlap. */
#ifndef SN_RUNTIME_TAG_SEGMENTS_H
#define SN_RUNTIME_TAG_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct sn_rt_found_segment { /* frames [start, end) */
    size_t start, end, class;
    double score; /* mean score of the class over them */
} sn_rt_found_segment;

/* Frames that a segment of so many seconds has at least: rounded up, at least 1. */
size_t sn_rt_shortest_frames(double seconds, double fps);

/* The first of the highest scores. */
size_t sn_rt_best_class(const float *scores, size_t columns);

/* Runs of frames whose best class is the same, but background, the last column; those of less than `shortest` frames are left out. */
typedef struct sn_rt_segmenter {
    size_t columns, shortest;
    size_t frames;       /* taken so far */
    size_t start, class; /* of the run that is open */
    double sum;          /* of its scores */
} sn_rt_segmenter;

/* Take the scores of the next frame.  True if a segment ended before it. */
bool sn_rt_segmenter_add(sn_rt_segmenter *s, const float *scores, sn_rt_found_segment *out);
/* The recording is over, the next frame is the first of another.  True if a segment ended with it. */
bool sn_rt_segmenter_end(sn_rt_segmenter *s, sn_rt_found_segment *out);

/* All of scores[frames][columns].  free() the list; NULL without memory. */
sn_rt_found_segment *sn_rt_segments_of_scores(const float *scores, size_t frames, size_t columns, size_t shortest, size_t *out_count);

#endif
