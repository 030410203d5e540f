/* t-SNE: rows of features as points of a plane, near ones near.
 * Not a measure of anything: distances between far points mean nothing.
 *
 * Sources: van der Maaten and Hinton, JMLR 9 (2008); van der Maaten, "Accelerating t-SNE using tree-based algorithms", JMLR 15 (2014).
 *
 * Sums run in a fixed order, one row after another, so results do not depend on the number of threads. */
#ifndef SN_RUNTIME_EVAL_TSNE_H
#define SN_RUNTIME_EVAL_TSNE_H

#include "../status.h"

#include <stddef.h>
#include <stdint.h>

/* Zero means the published value. */
typedef struct sn_rt_tsne {
    double   perplexity;   /* 30; at most (rows - 1) / 3 is used */
    double   theta;        /* of Barnes and Hut's tree: 0.5; below 0: exact, every pair */
    double   rate;         /* max(rows / 48, 50): what the exaggeration allows (Belkina et al., 2019) */
    double   exaggeration; /* 12, in the first 250 iterations, where momentum is 0.5 and 0.8 after them */
    int      iterations;   /* 1000 */
    uint64_t seed;         /* of the first positions, N(0, 1e-4) */
    int      threads;
} sn_rt_tsne;

/* y f64[rows][2] from x f32[rows][width]; *out_kl is the divergence that was minimised, with the same approximation.  SN_RT_ARGUMENT for fewer than four
 * rows or a setting out of range, SN_RT_DIVERGED if positions grow out of bounds, SN_RT_MEMORY. */
sn_rt_status sn_rt_tsne_run(const sn_rt_tsne *how, const float *x, size_t rows, size_t width, double *out_y, double *out_kl, sn_rt_error *err);

/* ---- its parts, for tests ----------------------------------------------------------------------------------------------- */

/* Joint probabilities p_ij = p_ji of nearby pairs, sparse: row i has columns column[begin[i]] .. column[begin[i + 1] - 1], rising; all sum to 1. */
typedef struct sn_rt_affinity {
    size_t    rows;
    size_t   *begin;  /* [rows + 1] */
    uint32_t *column;
    double   *p;
} sn_rt_affinity;

/* Of each row's floor(3 * perplexity) nearest others, or of all others if `all`. */
sn_rt_status sn_rt_affinity_make(const float *x, size_t rows, size_t width, double perplexity, int all, int threads, sn_rt_affinity *out, sn_rt_error *err);
void         sn_rt_affinity_fini(sn_rt_affinity *a);

/* Divergence of y and its gradient f64[rows][2]; theta below 0: exact. */
sn_rt_status sn_rt_tsne_gradient(const sn_rt_affinity *a, const double *y, double theta, double exaggeration, int threads, double *out_gradient, double *out_kl,
                                 sn_rt_error *err);

#endif
