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

/* The commonest class of frames [begin, end), the lowest of equally common ones; -1 counts like a class.  `count` has room for the classes and -1. */
static int32_t commonest(const float *class, size_t begin, size_t end, size_t *count, int32_t classes)
{
    int32_t best = -1;
    memset(count, 0, ((size_t)classes + 1) * sizeof *count);
    for (size_t t = begin; t < end; t++) count[(int32_t)class[t] + 1]++;
    for (int32_t c = 0; c < classes; c++)
        if (count[c + 1] > count[best + 1]) best = c;
    return best;
}

static sn_rt_status classes_of_rows(sn_grain grain, const float *class, size_t frames, size_t rows, int32_t *out, sn_rt_error *err)
{
    int32_t classes = 0;
    for (size_t t = 0; t < frames; t++) classes = (int32_t)class[t] >= classes ? (int32_t)class[t] + 1 : classes;
    size_t *count = malloc(((size_t)classes + 1) * sizeof *count);
    if (!count) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %d classes", classes);
    for (size_t i = 0; i < rows; i++)
        out[i] = grain == SN_GRAIN_FRAME ? (int32_t)class[(2 * i + 1) * frames / (2 * rows)]
                                         : commonest(class, i * frames / rows, (i + 1) * frames / rows, count, classes);
    free(count);
    return SN_RT_OK;
}

sn_rt_status sn_grain_rows(sn_grain grain, const sn_features *f, const float *class, size_t frames, double snippet_frames, sn_features *out,
                           int32_t **out_class, sn_rt_error *err)
{
    size_t   snippets = (size_t)fmax(1, round((double)frames / snippet_frames));
    size_t   rows = grain == SN_GRAIN_FRAME ? f->frames : grain == SN_GRAIN_SEQUENCE ? 1 : snippets < f->frames ? snippets : f->frames;
    float   *x = malloc((rows * f->width + 1) * sizeof *x);
    int32_t *of = malloc((rows + 1) * sizeof *of);
    sn_rt_status status = x && of ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu rows of features", rows);
    for (size_t i = 0; i < rows && status == SN_RT_OK; i++) of[i] = -1;
    if (status == SN_RT_OK && class) status = classes_of_rows(grain, class, frames, rows, of, err);
    if (status != SN_RT_OK) {
        free(x), free(of);
        return status;
    }
    sn_rt_bins(f->x, f->frames, f->width, rows, x);
    *out = (sn_features){x, rows, f->width};
    *out_class = of;
    return SN_RT_OK;
}
