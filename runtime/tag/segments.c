/* From scores of frames to segments.
 * Not the proposals of an evaluation protocol (runtime/eval). */
#include "segments.h"

#include <stdlib.h>

size_t sn_rt_shortest_frames(double seconds, double fps)
{
    size_t frames = (size_t)(seconds * fps);
    if ((double)frames < seconds * fps) frames++;
    return frames ? frames : 1;
}

size_t sn_rt_best_class(const float *scores, size_t columns)
{
    size_t best = 0;
    for (size_t k = 1; k < columns; k++)
        if (scores[k] > scores[best]) best = k;
    return best;
}

/* The open run as a segment, if it is one. */
static bool close_run(const sn_rt_segmenter *s, sn_rt_found_segment *out)
{
    size_t length = s->frames - s->start;
    if (!length || s->class + 1 == s->columns || length < s->shortest) return false;
    *out = (sn_rt_found_segment){s->start, s->frames, s->class, s->sum / (double)length};
    return true;
}

bool sn_rt_segmenter_add(sn_rt_segmenter *s, const float *scores, sn_rt_found_segment *out)
{
    size_t class = sn_rt_best_class(scores, s->columns);
    bool   ended = s->frames > 0 && class != s->class, found = ended && close_run(s, out);
    if (ended || s->frames == 0) s->start = s->frames, s->class = class, s->sum = 0;
    s->sum += (double)scores[class];
    s->frames++;
    return found;
}

bool sn_rt_segmenter_end(sn_rt_segmenter *s, sn_rt_found_segment *out)
{
    bool found = close_run(s, out);
    *s = (sn_rt_segmenter){.columns = s->columns, .shortest = s->shortest};
    return found;
}

sn_rt_found_segment *sn_rt_segments_of_scores(const float *scores, size_t frames, size_t columns, size_t shortest, size_t *out_count)
{
    sn_rt_found_segment *list = calloc(frames + 1, sizeof *list);
    sn_rt_segmenter      s = {.columns = columns, .shortest = shortest};
    *out_count = 0;
    for (size_t f = 0; list && f < frames; f++) *out_count += sn_rt_segmenter_add(&s, scores + f * columns, &list[*out_count]);
    if (list) *out_count += sn_rt_segmenter_end(&s, &list[*out_count]);
    return list;
}
