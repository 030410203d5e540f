/* Untrimmed sequences composed of clips: the clips of a set one after another, as a table says.
 * Not motion that anybody performed: labels are exact, transitions are made here. Whoever reports a score on them says "composite".
 *
 * Joining. The person of family "ntu25" stands along +z and has no place (normalise.h), so only the heading can jump: each clip is turned about z
 * as a whole until it begins with the heading that the clip before ended with. Heading is the direction of (joint 8 - joint 4) + (joint 16 - joint 12),
 * right minus left of shoulders and hips, in the xy plane. What then still differs between the last pose before and the first after the join
 * is faded out over the first `blend` frames b of the later clip: frame k = 0..b-1 gets
 *
 *   (last - first) * (1 - s)^2 (1 + 2 s),   s = (k + 1) / (b + 1)
 *
 * which begins and ends with slope 0. Limbs change their length a little in those frames; no frame is added or dropped. */
#ifndef SN_RUNTIME_DATA_COMPOSE_H
#define SN_RUNTIME_DATA_COMPOSE_H

#include "dataset.h"

typedef struct sn_rt_compose {
    const char *table;  /* CSV with columns seq, fps, start_frame, end_frame, label, clip and optionally source; others are ignored */
    const char *prefix; /* only sequences whose id begins so; NULL: all */
    const char *split;  /* of the sequences made */
    uint32_t    blend;  /* frames; a clip shorter than that is blended as a whole */
} sn_rt_compose;

/* Add the sequences of a table to `out`, a set of layout "ntu25". The rows of a sequence stand together, in order of time; the first begins at 0, each
 * other where the one before ends, and each is exactly as long as its clip, at its rate. The label of a row (none if empty) covers its clip; its origin is
 * the row's source, or "composite". `out_sequences` counts what was added.
 *
 * SN_RT_FORMAT "TABLE:LINE: what was found, what was expected"; SN_RT_ARGUMENT for clips of another layout. `out` then holds the sequences before. */
sn_rt_status sn_rt_compose_add(const sn_rt_dataset *clips, const sn_rt_compose *how, sn_rt_dataset *out, size_t *out_sequences, sn_rt_error *err);

#endif
