/* Linear resize of motion in time.
 * Not a change of rate of a recording (normalise.c). */
#include "resize.h"

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
