/* What the families share.
 * Not public. */
#ifndef SN_RUNTIME_DATA_FAMILIES_INTERNAL_H
#define SN_RUNTIME_DATA_FAMILIES_INTERNAL_H

#include "families.h"

enum { FRAME = SN_RT_JOINTS * 3 /* numbers of a person in a frame */ };

/* Zeroed [SN_RT_PERSONS][frames][25][3]. */
sn_rt_status sn_rt_persons_make(size_t frames, double fps, sn_rt_persons *out, sn_rt_error *err);

/* Frame t of person p. */
static inline float *person_frame(const sn_rt_persons *q, size_t p, size_t t)
{
    return q->x + (p * q->frames + t) * FRAME;
}

/* The originals take a frame for empty when its numbers sum to 0. */
static inline int frame_is_empty(const float *frame)
{
    double sum = 0;
    for (int i = 0; i < FRAME; i++)
        sum += (double)frame[i];
    return sum == 0;
}

/* Body `slot` of frame t by its place in the file, or NULL. */
static inline const float *slot_frame(const sn_rt_bodies *b, size_t t, size_t slot)
{
    return b->first[t] + slot < b->first[t + 1] ? &b->body[b->first[t] + slot].x[0][0] : NULL;
}

sn_rt_status sn_rt_family_agcn(const sn_rt_bodies *bodies, size_t frames, sn_rt_persons *out, sn_rt_error *err);
sn_rt_status sn_rt_family_aimclr(const sn_rt_bodies *bodies, size_t frames, sn_rt_persons *out, sn_rt_error *err);
sn_rt_status sn_rt_family_denoised(const sn_rt_bodies *bodies, size_t frames, sn_rt_persons *out, sn_rt_error *err);

#endif
