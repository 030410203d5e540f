/* Features of a sequence by frames, snippets or as a whole, with classes.
 * Not the features themselves (features.c). */
#include "grain.h"

#include "../runtime/eval/neighbours.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const sn_grain_name[SN_GRAINS] = {"frame", "snippet", "sequence"};

static bool grain_of(const char *word, size_t n, sn_grain *out)
{
    for (int g = 0; g < SN_GRAINS; g++)
        if (strlen(sn_grain_name[g]) == n && memcmp(sn_grain_name[g], word, n) == 0) return *out = (sn_grain)g, true;
    return false;
}

bool sn_grain_of(const char *word, sn_grain *out) { return grain_of(word, strlen(word), out); }

bool sn_grains_read(const char *list, bool out[SN_GRAINS])
{
    sn_grain g;
    memset(out, 0, SN_GRAINS * sizeof *out);
    for (size_t n; *list; list += n + (list[n] == ',')) {
        n = strcspn(list, ",");
        if (!grain_of(list, n, &g)) return false;
        out[g] = true;
    }
    return out[0] || out[1] || out[2];
}

/* The commonest class of frames [begin, end); -1 counts like a class. */
static int32_t commonest(const float *class, size_t begin, size_t end)
{
    int32_t best = -1;
    size_t  most = 0;
    for (size_t t = begin; t < end; t++) {
        size_t same = 0;
        for (size_t u = begin; u < end; u++) same += class[u] == class[t];
        if (same < most || (same == most && (int32_t)class[t] >= best)) continue;
        most = same;
        best = (int32_t)class[t];
    }
    return best;
}

static int32_t class_of(sn_grain level, const float *class, size_t frames, size_t rows, size_t row)
{
    if (!class) return -1;
    if (level == SN_GRAIN_FRAME) return (int32_t)class[(2 * row + 1) * frames / (2 * rows)];
    return commonest(class, row * frames / rows, (row + 1) * frames / rows);
}

sn_rt_status sn_grain_rows(sn_grain level, const sn_features *f, const float *class, size_t frames, double snippet_frames, sn_features *out,
                           int32_t **out_class, sn_rt_error *err)
{
    size_t snippets = (size_t)fmax(1, round((double)frames / snippet_frames));
    size_t rows = level == SN_GRAIN_FRAME ? f->frames : level == SN_GRAIN_SEQUENCE ? 1 : snippets < f->frames ? snippets : f->frames;
    float   *x = malloc((rows * f->width + 1) * sizeof *x);
    int32_t *of = malloc((rows + 1) * sizeof *of);
    if (!x || !of) {
        free(x), free(of);
        return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu rows of features", rows);
    }
    sn_rt_bins(f->x, f->frames, f->width, rows, x);
    for (size_t i = 0; i < rows; i++) of[i] = class_of(level, class, frames, rows, i);
    *out = (sn_features){x, rows, f->width};
    *out_class = of;
    return SN_RT_OK;
}
