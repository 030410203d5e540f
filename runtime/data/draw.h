/* A sequence as a picture: poses along time, seen from the front and from the side, over a strip of its labels.
 * Not an animation. */
#ifndef SN_RUNTIME_DATA_DRAW_H
#define SN_RUNTIME_DATA_DRAW_H

#include "dataset.h"

/* `poses` (1..32) equally spaced frames of a sequence, each centred on its first joint, all at one scale. Up is z for the
 * layout ntu25 and y for raw sources. Left limbs are blue, right ones orange, the rest grey.
 * Replaces `path` (PNG) atomically. */
sn_rt_status sn_rt_draw_sequence(const sn_rt_dataset *set, size_t sequence, size_t poses, const char *path,
                                 sn_rt_error *err);

/* Sequences [first, first + count) one below the other, all at one scale, so that they compare. */
sn_rt_status sn_rt_draw_sequences(const sn_rt_dataset *set, size_t first, size_t count, size_t poses, const char *path,
                                  sn_rt_error *err);

#endif
