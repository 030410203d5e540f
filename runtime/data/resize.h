/* Linear resize of motion in time.
 * Not a change of rate of a recording (normalise.h). */
#ifndef SN_RUNTIME_DATA_RESIZE_H
#define SN_RUNTIME_DATA_RESIZE_H

#include <stddef.h>

/* Linear resize in time of in[frames][V][3] to out[T][V][3]: half-pixel centres, edge clamp, no filter (decision D4):
 *   src = (t + 0.5) * frames / T - 0.5, clamped to [0, frames - 1].
 * frames == T copies bit for bit. No aliasing. */
void sn_rt_resize(const float *in, size_t frames, size_t V, float *out, size_t T);

#endif
