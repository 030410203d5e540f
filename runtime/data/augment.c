/* Augmentations: temporal crop, shear, and the table of named sets.
 * Not a pipeline; loader.c calls these a clip at a time. */
#include "augment.h"

#include <math.h>
#include <string.h>

void sn_rt_resize(const float *in, size_t frames, size_t V, float *out, size_t T)
{
    size_t width = V * 3;
    if (frames == T) {
        memcpy(out, in, T * width * sizeof *out);
        return;
    }
    for (size_t t = 0; t < T; t++) {
        double src = ((double)t + 0.5) * (double)frames / (double)T - 0.5;
        src = fmin(fmax(src, 0), (double)(frames - 1));
        size_t low = (size_t)src, high = low + 1 < frames ? low + 1 : low;
        float weight = (float)(src - (double)low);
        const float *a = in + low * width, *b = in + high * width;
        for (size_t i = 0; i < width; i++)
            out[t * width + i] = a[i] + weight * (b[i] - a[i]);
    }
}

void sn_rt_temporal_crop(const float *in, size_t T, size_t V, size_t ratio, size_t start, float *out)
{
    size_t p = T / ratio, width = V * 3;
    for (size_t t = 0; t < T; t++) {
        size_t k = start + t; /* of the extended sequence: p mirrored, T, p mirrored */
        size_t from = k < p ? p - 1 - k : k < p + T ? k - p : 2 * T - 1 - (k - p);
        memcpy(out + t * width, in + from * width, width * sizeof *out);
    }
}

void sn_rt_shear(float *x, size_t points, const float R[9])
{
    for (size_t i = 0; i < points; i++, x += 3) {
        float a = x[0], b = x[1], c = x[2];
        x[0] = R[0] * a + R[1] * b + R[2] * c;
        x[1] = R[3] * a + R[4] * b + R[5] * c;
        x[2] = R[6] * a + R[7] * b + R[8] * c;
    }
}

void sn_rt_shear_draw(sn_rt_random *r, double amplitude, float out_R[9])
{
    for (int i = 0; i < 9; i++)
        out_R[i] = i % 4 == 0 ? 1.0f : (float)((2 * sn_rt_random_uniform(r) - 1) * amplitude);
}

struct sn_rt_augmentation {
    const char *name;
    size_t crop_ratio;   /* 0: no crop */
    double shear;        /* 0: no shear */
};

static const sn_rt_augmentation table[] = {
    {"none", 0, 0},
    {"basic", 6, 0.5},
};

const sn_rt_augmentation *sn_rt_augmentation_of(const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

const char *sn_rt_augmentation_names(void)
{
    return "none, basic";
}

void sn_rt_augment(const sn_rt_augmentation *how, sn_rt_random *r, const float *in, size_t M, size_t T, size_t V, float *out)
{
    if (how->crop_ratio) {
        size_t p = T / how->crop_ratio, start = sn_rt_random_below(r, (uint32_t)(2 * p + 1));
        for (size_t m = 0; m < M; m++)
            sn_rt_temporal_crop(in + m * T * V * 3, T, V, how->crop_ratio, start, out + m * T * V * 3);
    } else {
        memcpy(out, in, M * T * V * 3 * sizeof *out);
    }
    if (how->shear > 0) {
        float R[9];
        sn_rt_shear_draw(r, how->shear, R);
        sn_rt_shear(out, M * T * V, R);
    }
}
