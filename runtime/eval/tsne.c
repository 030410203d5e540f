/* The embedding of t-SNE: forces between points, exact or with the tree of Barnes and Hut, and gradient descent.
 * Not the probabilities (affinity.c). */
#include "tsne.h"

#include "../data/random.h"
#include "../sinew_rt.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- tree --------------------------------------------------------------------------------------------------------------- */

/* A square cell.  A leaf is one place, which several points may share, or the place of the first of points too close to part. */
typedef struct cell {
    double   x, y;     /* leaf: the place; else the sum of positions, and their mean when the tree is done */
    uint32_t count;
    uint32_t child[4]; /* 0: none (the root is nobody's child) */
    bool     leaf;
} cell;

typedef struct tree {
    cell    *cell;
    uint32_t cells, capacity;
    double   x, y, side; /* of the root: lowest corner, side */
} tree;

enum { DEEPEST = 48, WORTH_THREADS = 1024 /* rows: fewer are moved in the time that threads wait for each other on a busy machine */ };

static bool new_cell(tree *t, uint32_t *out)
{
    if (t->cells == t->capacity) {
        uint32_t capacity = t->capacity ? 2 * t->capacity : 1024;
        cell    *grown = realloc(t->cell, capacity * sizeof *grown);
        if (!grown) return false;
        t->cell = grown;
        t->capacity = capacity;
    }
    t->cell[t->cells] = (cell){.leaf = true};
    *out = t->cells++;
    return true;
}

/* Which quarter of the cell at (x, y) with half side h holds the point; moves (x, y) to that quarter's corner. */
static int quarter(double px, double py, double *x, double *y, double h)
{
    int right = px >= *x + h, up = py >= *y + h;
    *x += right ? h : 0;
    *y += up ? h : 0;
    return 2 * up + right;
}

/* The child of `at` for a point, made if needed. */
static bool child_for(tree *t, uint32_t at, double px, double py, double *x, double *y, double h, uint32_t *out)
{
    int q = quarter(px, py, x, y, h);
    if (!t->cell[at].child[q]) {
        uint32_t made;
        if (!new_cell(t, &made)) return false;
        t->cell[at].child[q] = made;
    }
    *out = t->cell[at].child[q];
    return true;
}

/* A leaf whose points another one must not share hands them down one level. */
static bool split(tree *t, uint32_t at, double x, double y, double h)
{
    uint32_t below, n = t->cell[at].count;
    double   px = t->cell[at].x, py = t->cell[at].y;
    if (!child_for(t, at, px, py, &x, &y, h, &below)) return false;
    t->cell[below].x = px;
    t->cell[below].y = py;
    t->cell[below].count = n;
    t->cell[at].x = px * n;
    t->cell[at].y = py * n;
    t->cell[at].leaf = false;
    return true;
}

static bool insert(tree *t, double px, double py)
{
    double   x = t->x, y = t->y, h = t->side / 2;
    uint32_t at = 0;
    for (int depth = 0;; depth++, h /= 2) {
        cell *c = &t->cell[at];
        bool  same = c->x == px && c->y == py;
        if (c->leaf && c->count && !same && depth < DEEPEST && !split(t, at, x, y, h)) return false;
        c = &t->cell[at];
        c->x = c->leaf && c->count ? c->x : c->x + px;
        c->y = c->leaf && c->count ? c->y : c->y + py;
        c->count++;
        if (c->leaf) return true;
        if (!child_for(t, at, px, py, &x, &y, h, &at)) return false;
    }
}

static bool build(tree *t, const double *y, size_t rows)
{
    double   low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    uint32_t root;
    for (size_t i = 0; i < 2 * rows; i++) {
        low[i % 2] = fmin(low[i % 2], y[i]);
        high[i % 2] = fmax(high[i % 2], y[i]);
    }
    t->cells = 0;
    t->x = low[0];
    t->y = low[1];
    t->side = fmax(fmax(high[0] - low[0], high[1] - low[1]) * (1 + 1e-9), 1e-300);
    if (!new_cell(t, &root)) return false;
    for (size_t i = 0; i < rows; i++)
        if (!insert(t, y[2 * i], y[2 * i + 1])) return false;
    for (uint32_t c = 0; c < t->cells; c++) {
        if (t->cell[c].leaf) continue;
        t->cell[c].x /= t->cell[c].count;
        t->cell[c].y /= t->cell[c].count;
    }
    return true;
}

/* ---- forces ------------------------------------------------------------------------------------------------------------- */

typedef struct forces {
    const sn_rt_affinity *a;
    const double         *y;
    const tree           *tree;   /* NULL: every pair */
    double                theta, exaggeration;
    double               *attract, *repel; /* [rows][2] */
    double               *sum, *cost;      /* [rows]: of q's numerators; of p log(p / numerator) */
} forces;

/* q's numerator of (px, py) and `count` points at (x, y), added to the row's repulsion. */
static double push(double px, double py, double x, double y, double count, double *repel)
{
    double dx = px - x, dy = py - y, q = 1 / (1 + dx * dx + dy * dy);
    repel[0] += count * q * q * dx;
    repel[1] += count * q * q * dy;
    return count * q;
}

static double repel_all(const forces *f, size_t i, double *repel)
{
    double sum = 0;
    for (size_t j = 0; j < f->a->rows; j++)
        if (j != i) sum += push(f->y[2 * i], f->y[2 * i + 1], f->y[2 * j], f->y[2 * j + 1], 1, repel);
    return sum;
}

/* Cells that look small from the point count as one; a leaf no farther than the tree can part is the point's own and counts without it. */
static double repel_tree(const forces *f, size_t i, double *repel)
{
    struct { uint32_t cell; double side; } stack[3 * DEEPEST + 8];
    double px = f->y[2 * i], py = f->y[2 * i + 1], sum = 0, own = 2 * ldexp(f->tree->side, -DEEPEST) * ldexp(f->tree->side, -DEEPEST);
    int    top = 0;
    stack[top].cell = 0, stack[top++].side = f->tree->side;
    while (top > 0) {
        const cell *c = &f->tree->cell[stack[--top].cell];
        double      side = stack[top].side, dx = px - c->x, dy = py - c->y, square = dx * dx + dy * dy;
        if (c->leaf && square <= own) sum += c->count - 1;
        else if (c->leaf || side * side < f->theta * f->theta * square) sum += push(px, py, c->x, c->y, c->count, repel);
        else
            for (int q = 4; q-- > 0;)
                if (c->child[q]) stack[top].cell = c->child[q], stack[top++].side = side / 2;
    }
    return sum;
}

static void row_forces(void *context, int64_t begin, int64_t end)
{
    const forces *f = context;
    for (size_t i = (size_t)begin; i < (size_t)end; i++) {
        double *attract = f->attract + 2 * i, *repel = f->repel + 2 * i;
        attract[0] = attract[1] = repel[0] = repel[1] = f->cost[i] = 0;
        for (size_t e = f->a->begin[i]; e < f->a->begin[i + 1]; e++) {
            size_t j = f->a->column[e];
            double dx = f->y[2 * i] - f->y[2 * j], dy = f->y[2 * i + 1] - f->y[2 * j + 1], square = dx * dx + dy * dy, p = f->exaggeration * f->a->p[e];
            attract[0] += p / (1 + square) * dx;
            attract[1] += p / (1 + square) * dy;
            if (p > 0) f->cost[i] += p * log(p * (1 + square));
        }
        f->sum[i] = f->tree ? repel_tree(f, i, repel) : repel_all(f, i, repel);
    }
}

/* Gradient 4 (attract - repel / Z) into f->attract; the divergence sum p log(p / q) with q = numerator / Z and sum p = exaggeration. */
static double combine(const forces *f)
{
    double z = 0, cost = 0;
    for (size_t i = 0; i < f->a->rows; i++) z += f->sum[i];
    for (size_t i = 0; i < f->a->rows; i++) cost += f->cost[i];
    for (size_t i = 0; i < 2 * f->a->rows; i++) f->attract[i] = 4 * (f->attract[i] - f->repel[i] / z);
    return cost + f->exaggeration * log(z);
}

static bool forces_init(forces *f, const sn_rt_affinity *a)
{
    size_t n = a->rows;
    *f = (forces){.a = a, .attract = malloc(2 * n * sizeof(double)), .repel = malloc(2 * n * sizeof(double)), .sum = malloc(n * sizeof(double)),
                  .cost = malloc(n * sizeof(double))};
    return f->attract && f->repel && f->sum && f->cost;
}

static void forces_fini(forces *f) { free(f->attract), free(f->repel), free(f->sum), free(f->cost); }

/* False if there is no memory for the tree. */
static bool evaluate(forces *f, tree *t, const double *y, double theta, double exaggeration, int threads, double *out_kl)
{
    f->y = y;
    f->theta = theta;
    f->exaggeration = exaggeration;
    f->tree = theta < 0 ? NULL : t;
    if (f->tree && !build(t, y, f->a->rows)) return false;
    sn_rt_parallel_for(f->tree && f->a->rows < WORTH_THREADS ? 1 : threads, (int64_t)f->a->rows, row_forces, f);
    *out_kl = combine(f);
    return true;
}

sn_rt_status sn_rt_tsne_gradient(const sn_rt_affinity *a, const double *y, double theta, double exaggeration, int threads, double *out_gradient, double *out_kl,
                                 sn_rt_error *err)
{
    forces f;
    tree   t = {0};
    bool   fits = forces_init(&f, a) && evaluate(&f, &t, y, theta, exaggeration, threads, out_kl);
    if (fits) memcpy(out_gradient, f.attract, 2 * a->rows * sizeof *out_gradient);
    forces_fini(&f);
    free(t.cell);
    return fits ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for the forces of %zu rows", a->rows);
}

/* ---- descent ------------------------------------------------------------------------------------------------------------ */

enum { EARLY = 250 };

/* At rest: where a phase begins. */
static void rest(size_t rows, double *velocity, double *gain)
{
    for (size_t i = 0; i < 2 * rows; i++) {
        velocity[i] = 0;
        gain[i] = 1;
    }
}

/* Step sizes grow where gradient and velocity agree that they should (delta-bar-delta); the mean stays at 0. */
static void move(const double *gradient, size_t rows, double rate, double momentum, double *velocity, double *gain, double *y)
{
    double mean[2] = {0, 0};
    for (size_t i = 0; i < 2 * rows; i++) {
        gain[i] = fmax(0.01, (gradient[i] > 0) != (velocity[i] > 0) ? gain[i] + 0.2 : gain[i] * 0.8);
        velocity[i] = momentum * velocity[i] - rate * gain[i] * gradient[i];
        y[i] += velocity[i];
        mean[i % 2] += y[i] / (double)rows;
    }
    for (size_t i = 0; i < 2 * rows; i++) y[i] -= mean[i % 2];
}

static sn_rt_status descend(const sn_rt_tsne *how, const sn_rt_affinity *a, forces *f, double *velocity, double *gain, double *y, double *out_kl,
                            sn_rt_error *err)
{
    size_t       rows = a->rows;
    tree         t = {0};
    double       rate = how->rate > 0 ? how->rate : fmax((double)rows / 48, 50), early = how->exaggeration > 0 ? how->exaggeration : 12;
    double       theta = how->theta < 0 ? -1 : how->theta > 0 ? how->theta : 0.5;
    int          iterations = how->iterations > 0 ? how->iterations : 1000;
    sn_rt_status status = SN_RT_OK;
    for (int i = 0; i < iterations && status == SN_RT_OK; i++) {
        if (i == 0 || i == EARLY) rest(rows, velocity, gain); /* anew after the exaggeration: ends at a lower divergence */
        if (!evaluate(f, &t, y, theta, i < EARLY ? early : 1, how->threads, out_kl)) status = sn_rt_fail(err, SN_RT_MEMORY, "no memory for a tree of %zu rows", rows);
        else if (!isfinite(*out_kl)) status = sn_rt_fail(err, SN_RT_DIVERGED, "the embedding left all bounds in iteration %d; a lower rate helps", i);
        else move(f->attract, rows, rate, i < EARLY ? 0.5 : 0.8, velocity, gain, y);
    }
    if (status == SN_RT_OK && !evaluate(f, &t, y, theta, 1, how->threads, out_kl)) status = sn_rt_fail(err, SN_RT_MEMORY, "no memory for a tree of %zu rows", rows);
    free(t.cell);
    return status;
}

sn_rt_status sn_rt_tsne_run(const sn_rt_tsne *how, const float *x, size_t rows, size_t width, double *y, double *out_kl, sn_rt_error *err)
{
    sn_rt_affinity a = {0};
    forces         f = {0};
    sn_rt_random   random;
    double         most = (double)(rows > 0 ? rows - 1 : 0) / 3, perplexity = fmin(how->perplexity > 0 ? how->perplexity : 30, most);
    if (how->theta > 1) return sn_rt_fail(err, SN_RT_ARGUMENT, "theta %g is above 1", how->theta);
    sn_rt_status status = sn_rt_affinity_make(x, rows, width, perplexity, how->theta < 0, how->threads, &a, err);
    if (status != SN_RT_OK) return status;
    double *velocity = malloc(2 * rows * sizeof *velocity), *gain = malloc(2 * rows * sizeof *gain);
    if (!forces_init(&f, &a) || !velocity || !gain) status = sn_rt_fail(err, SN_RT_MEMORY, "no memory for an embedding of %zu rows", rows);
    sn_rt_random_start(&random, how->seed, SN_RT_FOR_EMBEDDING, 0, 0);
    for (size_t i = 0; i < 2 * rows && status == SN_RT_OK; i++) y[i] = 1e-4 * sn_rt_random_normal(&random);
    if (status == SN_RT_OK) status = descend(how, &a, &f, velocity, gain, y, out_kl, err);
    forces_fini(&f);
    sn_rt_affinity_fini(&a);
    free(velocity), free(gain);
    return status;
}
