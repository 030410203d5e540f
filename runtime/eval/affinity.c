/* Joint probabilities of t-SNE: near rows, the width of each one's Gaussian, symmetry.
 * Not the embedding (tsne.c). */
#include "tsne.h"

#include "../core/compat.h"
#include "../sinew_rt.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct near {
    uint32_t row;
    float    square; /* of the distance */
} near;

typedef struct making {
    const float *x;
    size_t       rows, width, k;
    double       perplexity;
    near        *list;   /* [rows][k], by row number */
    double      *p;      /* [rows][k]: of the row's own Gaussian */
} making;

/* ---- distances ---------------------------------------------------------------------------------------------------------- */

enum { CHAINS = 16 };

/* out[j] = |x - y_j|^2 */
SN_RT_CLONES static void squares(const float *x, const float *y, size_t rows, size_t width, float *out)
{
    for (size_t j = 0; j < rows; j++, y += width) {
        float chain[CHAINS] = {0}, sum = 0;
        size_t d = 0;
        for (; d + CHAINS <= width; d += CHAINS)
            for (size_t c = 0; c < CHAINS; c++) chain[c] += (x[d + c] - y[d + c]) * (x[d + c] - y[d + c]);
        for (size_t c = 0; d + c < width; c++) chain[c] += (x[d + c] - y[d + c]) * (x[d + c] - y[d + c]);
        for (size_t c = 0; c < CHAINS; c++) sum += chain[c];
        out[j] = sum;
    }
}

static int by_distance(const void *a, const void *b)
{
    const near *x = a, *y = b;
    if (x->square != y->square) return x->square < y->square ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static int by_row(const void *a, const void *b)
{
    const near *x = a, *y = b;
    return (x->row > y->row) - (x->row < y->row);
}

/* The k nearest of all others; a heap would do, but a row is sorted once. */
static void choose(const making *m, size_t i, near *all)
{
    near  *out = m->list + i * m->k;
    size_t n = 0;
    for (size_t j = 0; j < m->rows; j++)
        if (j != i) all[n++] = (near){(uint32_t)j, all[j].square};
    if (m->k < n) qsort(all, n, sizeof *all, by_distance);
    memcpy(out, all, m->k * sizeof *out);
    qsort(out, m->k, sizeof *out, by_row);
}

/* ---- widths ------------------------------------------------------------------------------------------------------------- */

/* Gaussian of precision beta over the row's neighbours, relative to the nearest; its entropy. */
static double gaussian(const near *list, size_t k, double least, double beta, double *p)
{
    double sum = 0, weighted = 0;
    for (size_t j = 0; j < k; j++) {
        double square = (double)list[j].square - least;
        p[j] = exp(-beta * square);
        sum += p[j];
        weighted += square * p[j];
    }
    for (size_t j = 0; j < k; j++) p[j] /= sum;
    return log(sum) + beta * weighted / sum;
}

/* The beta whose entropy is log(perplexity), by bisection. */
static void fit(const making *m, size_t i)
{
    const near *list = m->list + i * m->k;
    double     *p = m->p + i * m->k, low = 0, high = INFINITY, beta = 1, least = INFINITY;
    for (size_t j = 0; j < m->k; j++) least = fmin(least, (double)list[j].square);
    for (int step = 0; step < 200; step++) {
        double excess = gaussian(list, m->k, least, beta, p) - log(m->perplexity);
        if (fabs(excess) < 1e-5) return;
        if (excess > 0) low = beta;
        else high = beta;
        beta = isinf(high) ? 2 * beta : (low + high) / 2;
    }
}

static void make_rows(void *context, int64_t begin, int64_t end)
{
    const making *m = context;
    for (int64_t i = begin; i < end; i++) {
        float *square = malloc(m->rows * sizeof *square);
        near  *all = malloc(m->rows * sizeof *all);
        if (square && all) {
            squares(m->x + (size_t)i * m->width, m->x, m->rows, m->width, square);
            for (size_t j = 0; j < m->rows; j++) all[j].square = square[j];
            choose(m, (size_t)i, all);
            fit(m, (size_t)i);
        } else {
            m->p[(size_t)i * m->k] = NAN; /* told by the caller */
        }
        free(square), free(all);
    }
}

/* ---- symmetry ----------------------------------------------------------------------------------------------------------- */

/* Rows and columns exchanged: for each column, who names it, in order. */
typedef struct transposed {
    size_t   *begin;
    uint32_t *row;
    double   *p;
} transposed;

static void transpose(const making *m, transposed *t)
{
    size_t entries = m->rows * m->k;
    for (size_t e = 0; e < entries; e++) t->begin[m->list[e].row + 2]++;
    for (size_t i = 2; i < m->rows + 2; i++) t->begin[i] += t->begin[i - 1];
    for (size_t e = 0; e < entries; e++) { /* begin[i + 1] moves to the end of row i */
        size_t at = t->begin[m->list[e].row + 1]++;
        t->row[at] = (uint32_t)(e / m->k);
        t->p[at] = m->p[e];
    }
}

/* (p_j|i + p_i|j) / 2n over the union of both lists. */
static void join(const making *m, const transposed *t, sn_rt_affinity *out)
{
    size_t at = 0;
    for (size_t i = 0; i < m->rows; i++) {
        size_t a = i * m->k, a_end = a + m->k, b = t->begin[i], b_end = t->begin[i + 1];
        out->begin[i] = at;
        while (a < a_end || b < b_end) {
            bool own = b == b_end || (a < a_end && m->list[a].row <= t->row[b]), other = a == a_end || (b < b_end && t->row[b] <= m->list[a].row);
            out->column[at] = own ? m->list[a].row : t->row[b];
            out->p[at] = 0;
            if (own) out->p[at] += m->p[a++] / (2 * (double)m->rows);
            if (other) out->p[at] += t->p[b++] / (2 * (double)m->rows);
            at++;
        }
    }
    out->begin[m->rows] = at;
}

static sn_rt_status symmetric(const making *m, sn_rt_affinity *out, sn_rt_error *err)
{
    size_t         entries = m->rows * m->k;
    transposed     t = {calloc(m->rows + 2, sizeof *t.begin), malloc(entries * sizeof *t.row), malloc(entries * sizeof *t.p)};
    sn_rt_affinity a = {m->rows, malloc((m->rows + 1) * sizeof *a.begin), malloc(2 * entries * sizeof *a.column), malloc(2 * entries * sizeof *a.p)};
    bool           fits = t.begin && t.row && t.p && a.begin && a.column && a.p;
    for (size_t i = 0; i < m->rows; i++) fits &= !isnan(m->p[i * m->k]);
    if (fits) {
        transpose(m, &t);
        join(m, &t, &a);
        *out = a;
    } else {
        sn_rt_affinity_fini(&a);
    }
    free(t.begin), free(t.row), free(t.p);
    return fits ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for the neighbours of %zu rows", m->rows);
}

sn_rt_status sn_rt_affinity_make(const float *x, size_t rows, size_t width, double perplexity, int all, int threads, sn_rt_affinity *out, sn_rt_error *err)
{
    making m = {.x = x, .rows = rows, .width = width, .perplexity = perplexity};
    if (rows < 4 || rows > UINT32_MAX / 2) return sn_rt_fail(err, SN_RT_ARGUMENT, "an embedding of %zu rows, expected at least 4", rows);
    if (!(perplexity >= 1) || perplexity > (double)(rows - 1) / 3) return sn_rt_fail(err, SN_RT_ARGUMENT, "perplexity %g of %zu rows, expected 1 to %.3g", perplexity, rows, (double)(rows - 1) / 3);
    m.k = all ? rows - 1 : (size_t)(3 * perplexity);
    m.list = malloc(rows * m.k * sizeof *m.list);
    m.p = malloc(rows * m.k * sizeof *m.p);
    sn_rt_status status = m.list && m.p ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for the neighbours of %zu rows", rows);
    if (status == SN_RT_OK) {
        sn_rt_parallel_for(threads, (int64_t)rows, make_rows, &m);
        status = symmetric(&m, out, err);
    }
    free(m.list), free(m.p);
    return status;
}

void sn_rt_affinity_fini(sn_rt_affinity *a)
{
    free(a->begin), free(a->column), free(a->p);
    *a = (sn_rt_affinity){0};
}
