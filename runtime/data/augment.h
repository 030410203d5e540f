/* Augmentations of a clip f32[M][T][V][3] of M persons; the resize that makes its T is resize.h.
 * Not random by itself: every number comes from the stream given (random.h).
 *
 * Source: spec section 3.1 (the feeders of AimCLR, HiCLR and RVTCLR). An augmentation is a list of transforms, applied in the order written
 * and to all persons with the same numbers. It is written as text, in recipes and on the command line:
 *
 *   crop(ratio=6), shear(amplitude=0.5), noise        a transform with its settings, or with the defaults of transforms.c
 *   basic                                             a name of the table of sets: none, basic, strong, strong_rvt */
#ifndef SN_RUNTIME_DATA_AUGMENT_H
#define SN_RUNTIME_DATA_AUGMENT_H

#include "random.h"

#include "../status.h"

#include <stdbool.h>

enum { SN_RT_MAX_SETTINGS = 6, SN_RT_MAX_DRAWN = 6, SN_RT_MAX_TRANSFORMS = 12 };

/* Sizes of a clip. */
typedef struct sn_rt_clip_size {
    size_t M, T, V;
} sn_rt_clip_size;

/* One kind of change. `draw` turns settings into the numbers that decide what is done; `apply` does it from in to out (no aliasing), drawing
 * what there is one of for every value or frame. A number called "apply" is 0 or 1: done or left. */
typedef struct sn_rt_transform {
    const char *name, *about;
    struct {
        const char *name; /* NULL behind the last */
        double value, low, high;
    } setting[SN_RT_MAX_SETTINGS];
    const char *drawn[SN_RT_MAX_DRAWN]; /* NULL behind the last */
    void (*draw)(const double *setting, sn_rt_random *r, sn_rt_clip_size size, double *drawn);
    void (*apply)(const double *drawn, const double *setting, sn_rt_random *r, sn_rt_clip_size size, const float *in, float *out);
    size_t joints; /* V it needs; 0: any */
    bool retimes;  /* frame t of the result is another moment than frame t of the clip: not for clips whose frames are labelled */
} sn_rt_transform;

/* The table (transforms.c). */
extern const sn_rt_transform sn_rt_transforms[];
extern const size_t sn_rt_transform_count;

/* A plain value. */
typedef struct sn_rt_augmentation {
    size_t steps;
    struct {
        const sn_rt_transform *transform;
        double setting[SN_RT_MAX_SETTINGS];
    } step[SN_RT_MAX_TRANSFORMS];
} sn_rt_augmentation;

/* SN_RT_ARGUMENT names the word that is no transform, set or setting, or the value out of its range. */
sn_rt_status sn_rt_augmentation_parse(const char *list, sn_rt_augmentation *out, sn_rt_error *err);
/* Name of the first transform that retimes, or NULL. */
const char *sn_rt_augmentation_retimes(const sn_rt_augmentation *how);
/* SN_RT_BAD_SHAPE if a transform needs another number of joints. */
sn_rt_status sn_rt_augmentation_check(const sn_rt_augmentation *how, size_t V, sn_rt_error *err);
/* Name and meaning of set `index`, NULL behind the last. */
const char *sn_rt_augmentation_set(size_t index, const char **out_meaning);

/* The numbers of every step, drawn step after step. */
typedef struct sn_rt_drawn {
    double number[SN_RT_MAX_TRANSFORMS][SN_RT_MAX_DRAWN];
} sn_rt_drawn;
void sn_rt_augment_draw(const sn_rt_augmentation *how, sn_rt_random *r, sn_rt_clip_size size, sn_rt_drawn *out);

/* out[M][T][V][3] from in, with the numbers drawn; `r` goes on where sn_rt_augment_draw left it. `scratch` is as large as out; no aliasing. */
void sn_rt_augment_apply(const sn_rt_augmentation *how, const sn_rt_drawn *drawn, sn_rt_random *r, sn_rt_clip_size size,
                         const float *in, float *scratch, float *out);

#endif
