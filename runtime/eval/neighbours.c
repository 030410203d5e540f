/* Nearest neighbours by cosine.
 * Not approximate. */
#include "neighbours.h"

#include "../core/compat.h"
#include "../sinew_rt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

static sn_rt_status grow(sn_rt_rows *r, sn_rt_error *err)
{
    size_t    capacity = r->capacity ? 2 * r->capacity : 256;
    float    *x = realloc(r->x, capacity * r->width * sizeof *x);
    if (x) r->x = x;
    uint32_t *group = realloc(r->group, capacity * sizeof *group);
    if (group) r->group = group;
    int32_t  *class = realloc(r->class, capacity * sizeof *class);
    if (class) r->class = class;
    if (!x || !group || !class) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu rows of features", capacity);
    r->capacity = capacity;
    return SN_RT_OK;
}

sn_rt_status sn_rt_rows_add(sn_rt_rows *r, const float *x, size_t width, uint32_t group, int32_t class, sn_rt_error *err)
{
    if (!r->count) r->width = width;
    if (r->width != width) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "found %zu features, expected %zu as in the rows before", width, r->width);
    sn_rt_status status = r->count == r->capacity ? grow(r, err) : SN_RT_OK;
    if (status != SN_RT_OK) return status;
    memcpy(r->x + r->count * width, x, width * sizeof *x);
    r->group[r->count] = group;
    r->class[r->count++] = class;
    return SN_RT_OK;
}

void sn_rt_rows_normalise(sn_rt_rows *r)
{
    for (size_t i = 0; i < r->count; i++) {
        float *x = r->x + i * r->width;
        double square = 0;
        for (size_t d = 0; d < r->width; d++) square += (double)x[d] * (double)x[d];
        for (size_t d = 0; d < r->width && square > 0; d++) x[d] = (float)((double)x[d] / sqrt(square));
    }
}

void sn_rt_rows_fini(sn_rt_rows *r)
{
    free(r->x), free(r->group), free(r->class);
    *r = (sn_rt_rows){0};
}

/* ---- search ------------------------------------------------------------------------------------------------------------- */

enum { CHAINS = 16, BLOCK = 64 };

/* out[j] = x . y[j] for `n` rows of `width`. */
SN_RT_CLONES static void dots(const float *x, const float *y, size_t n, size_t width, float *out)
{
    for (size_t j = 0; j < n; j++, y += width) {
        float chain[CHAINS] = {0}, sum = 0;
        size_t d = 0;
        for (; d + CHAINS <= width; d += CHAINS)
            for (size_t c = 0; c < CHAINS; c++) chain[c] += x[d + c] * y[d + c];
        for (size_t c = 0; d + c < width; c++) chain[c] += x[d + c] * y[d + c];
        for (size_t c = 0; c < CHAINS; c++) sum += chain[c];
        out[j] = sum;
    }
}

typedef struct search {
    const sn_rt_rows *bank, *queries;
    size_t            k;
    bool              others_only;
    sn_rt_neighbour  *out;
} search;

/* Put a row where it belongs among the k best so far. */
static void offer(sn_rt_neighbour *best, size_t k, uint32_t row, float cosine)
{
    if (best[k - 1].row != SN_RT_NO_ROW && !(cosine > best[k - 1].cosine)) return;
    size_t at = k - 1;
    for (; at > 0 && (best[at - 1].row == SN_RT_NO_ROW || cosine > best[at - 1].cosine); at--) best[at] = best[at - 1];
    best[at] = (sn_rt_neighbour){row, cosine};
}

/* Tiles are blocks of queries, so that a block of the bank is read once for all of them. */
static void search_block(void *context, int64_t begin, int64_t end)
{
    const search *s = context;
    float         cosine[BLOCK];
    for (int64_t tile = begin; tile < end; tile++) {
        size_t first = (size_t)tile * BLOCK, last = first + BLOCK < s->queries->count ? first + BLOCK : s->queries->count, width = s->bank->width;
        for (size_t i = first * s->k; i < last * s->k; i++) s->out[i] = (sn_rt_neighbour){SN_RT_NO_ROW, 0};
        for (size_t b = 0; b < s->bank->count; b += BLOCK) {
            size_t n = b + BLOCK < s->bank->count ? BLOCK : s->bank->count - b;
            for (size_t q = first; q < last; q++) {
                dots(s->queries->x + q * width, s->bank->x + b * width, n, width, cosine);
                for (size_t j = 0; j < n; j++)
                    if (!s->others_only || s->bank->group[b + j] != s->queries->group[q]) offer(s->out + q * s->k, s->k, (uint32_t)(b + j), cosine[j]);
            }
        }
    }
}

sn_rt_status sn_rt_neighbours(const sn_rt_rows *bank, const sn_rt_rows *queries, size_t k, bool others_only, int threads, sn_rt_neighbour *out,
                              sn_rt_error *err)
{
    if (k < 1) return sn_rt_fail(err, SN_RT_ARGUMENT, "the number of neighbours is below 1");
    if (bank->count && queries->count && bank->width != queries->width)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "queries have %zu features, the bank %zu", queries->width, bank->width);
    if (bank->count >= SN_RT_NO_ROW) return sn_rt_fail(err, SN_RT_ARGUMENT, "a bank of %zu rows is too large", bank->count);
    search s = {bank, queries, k, others_only, out};
    sn_rt_parallel_for(threads, (int64_t)((queries->count + BLOCK - 1) / BLOCK), search_block, &s);
    return SN_RT_OK;
}

void sn_rt_votes(const sn_rt_rows *bank, const sn_rt_neighbour *neighbour, size_t k, double tau, size_t classes, double *p)
{
    double sum = 0;
    for (size_t c = 0; c < classes; c++) p[c] = 0;
    for (size_t i = 0; i < k && neighbour[i].row != SN_RT_NO_ROW; i++) { /* relative to the best, so that nothing overflows */
        double vote = tau > 0 ? exp(((double)neighbour[i].cosine - (double)neighbour[0].cosine) / tau) : 1;
        p[bank->class[neighbour[i].row]] += vote;
        sum += vote;
    }
    for (size_t c = 0; c < classes && sum > 0; c++) p[c] /= sum;
}

/* ---- time --------------------------------------------------------------------------------------------------------------- */

void sn_rt_bins(const float *x, size_t frames, size_t width, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++) {
        size_t begin = i * frames / n, end = ((i + 1) * frames + n - 1) / n;
        for (size_t d = 0; d < width; d++) {
            double sum = 0;
            for (size_t t = begin; t < end; t++) sum += (double)x[t * width + d];
            out[i * width + d] = (float)(sum / (double)(end - begin));
        }
    }
}

void sn_rt_upsample(const float *x, size_t frames, size_t width, size_t n, float *out)
{
    for (size_t t = 0; t < n; t++) {
        double at = fmax(0, fmin(((double)t + 0.5) * (double)frames / (double)n - 0.5, (double)(frames - 1)));
        size_t low = (size_t)at, high = low + 1 < frames ? low + 1 : low;
        float  part = (float)(at - (double)low);
        for (size_t d = 0; d < width; d++) out[t * width + d] = (1 - part) * x[low * width + d] + part * x[high * width + d];
    }
}
