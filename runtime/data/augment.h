/* Augmentations of a clip f32[M][T][V][3] of M persons, and the resize that makes its T.
 * Not random by itself: every number comes from the stream given (random.h).
 *
 * Source: spec section 3.1 (AimCLR's feeder); "basic" = temporal crop with ratio 6, then shear with amplitude 0.5. */
#ifndef SN_RUNTIME_DATA_AUGMENT_H
#define SN_RUNTIME_DATA_AUGMENT_H

#include "random.h"

#include "../status.h"

/* Linear resize in time of in[frames][V][3] to out[T][V][3]: half-pixel centres, edge clamp, no filter (decision D4):
 *   src = (t + 0.5) * frames / T - 0.5, clamped to [0, frames - 1].
 * frames == T copies bit for bit. No aliasing. */
void sn_rt_resize(const float *in, size_t frames, size_t V, float *out, size_t T);

/* Temporal crop: extend both ends of in[T][V][3] by p = T / ratio mirrored frames (the edge frame is repeated) and take
 * the T frames from `start`, 0 <= start <= 2p, of the extended sequence. No aliasing. */
void sn_rt_temporal_crop(const float *in, size_t T, size_t V, size_t ratio, size_t start, float *out);

/* x' = R x for every joint of x[points][3], in place; R row-major. */
void sn_rt_shear(float *x, size_t points, const float R[9]);

/* R for a shear: unit diagonal, the six others uniform in [-amplitude, amplitude), drawn row by row. */
void sn_rt_shear_draw(sn_rt_random *r, double amplitude, float out_R[9]);

/* A named augmentation, or NULL if there is none of that name. */
typedef struct sn_rt_augmentation sn_rt_augmentation;
const sn_rt_augmentation *sn_rt_augmentation_of(const char *name);

/* Names joined by ", ", for messages. */
const char *sn_rt_augmentation_names(void);

/* out[M][T][V][3] from in[M][T][V][3], the same for all persons. Draws, in this order: crop start (one `below`), shear (six
 * `uniform`). No aliasing. */
void sn_rt_augment(const sn_rt_augmentation *how, sn_rt_random *r, const float *in, size_t M, size_t T, size_t V, float *out);

#endif
