/* From scores of frames to segments.
 * Not the proposals of an evaluation protocol (runtime/eval). */
#include "segments.h"

#include <stdlib.h>

size_t sn_best_class(const float *scores, size_t columns)
{
    size_t best = 0;
    for (size_t k = 1; k < columns; k++)
        if (scores[k] > scores[best]) best = k;
    return best;
}

static double mean_of(const float *scores, size_t columns, const sn_found_segment *s)
{
    double sum = 0;
    for (size_t f = s->start; f < s->end; f++) sum += (double)scores[f * columns + s->class];
    return sum / (double)(s->end - s->start);
}

sn_found_segment *sn_segments_of_scores(const float *scores, size_t frames, size_t columns, size_t shortest, size_t *out_count)
{
    sn_found_segment *list = calloc(frames + 1, sizeof *list);
    *out_count = 0;
    for (size_t start = 0, end; list && start < frames; start = end) {
        size_t class = sn_best_class(scores + start * columns, columns);
        for (end = start + 1; end < frames && sn_best_class(scores + end * columns, columns) == class;) end++;
        sn_found_segment s = {start, end, class, 0};
        if (class + 1 == columns || end - start < shortest) continue;
        s.score = mean_of(scores, columns, &s);
        list[(*out_count)++] = s;
    }
    return list;
}
