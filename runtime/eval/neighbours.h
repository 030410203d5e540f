/* Nearest neighbours by cosine, and votes of their classes.
 * Not an index: every query is compared with every row. */
#ifndef SN_RUNTIME_EVAL_NEIGHBOURS_H
#define SN_RUNTIME_EVAL_NEIGHBOURS_H

#include "../status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows of features with what is known of each. */
typedef struct sn_rt_rows {
    float    *x;     /* [count][width]; of unit length after sn_rt_rows_normalise */
    uint32_t *group; /* [count]: rows of one group (sequence) are no neighbours of each other when asked so */
    int32_t  *class; /* [count]: -1: none */
    size_t    count, width, capacity;
} sn_rt_rows;

/* Add a row, copied.  SN_RT_BAD_SHAPE if its width differs. */
sn_rt_status sn_rt_rows_add(sn_rt_rows *rows, const float *x, size_t width, uint32_t group, int32_t class, sn_rt_error *err);
/* Divide each row by its L2 norm (in double); a row of zeros stays. */
void sn_rt_rows_normalise(sn_rt_rows *rows);
void sn_rt_rows_fini(sn_rt_rows *rows); /* harmless on a zeroed struct */

/* A neighbour: its number in the bank (SN_RT_NO_ROW: there are no more) and cosine. */
#define SN_RT_NO_ROW UINT32_MAX
typedef struct sn_rt_neighbour {
    uint32_t row;
    float    cosine;
} sn_rt_neighbour;

/* The `k` rows of the bank with the highest cosine to each query, best first, of equal ones the lower number first: out [queries.count][k].
 * Both normalised, of one width.  `others_only`: rows of the query's own group do not count.  Dot products are summed in f32 over 16 chains that are added
 * in a fixed order, so results depend neither on threads nor on the processor. */
sn_rt_status sn_rt_neighbours(const sn_rt_rows *bank, const sn_rt_rows *queries, size_t k, bool others_only, int threads, sn_rt_neighbour *out,
                              sn_rt_error *err);

/* Votes of the first `k` of a query's neighbours: p[class] = sum of exp(cosine / tau), normalised to 1.  tau 0: every vote counts 1.  Without any neighbour
 * all are 0. */
void sn_rt_votes(const sn_rt_rows *bank, const sn_rt_neighbour *neighbour, size_t k, double tau, size_t classes, double *out_p);

/* out f32[n][width]: bin i is the mean of rows floor(i * frames / n) .. ceil((i + 1) * frames / n) - 1, as snippets are pooled in pretraining. */
void sn_rt_bins(const float *x, size_t frames, size_t width, size_t n, float *out);

/* out f32[n][width]: rows at (t + 0.5) * frames / n - 0.5, linearly between neighbours, clamped at the ends. */
void sn_rt_upsample(const float *x, size_t frames, size_t width, size_t n, float *out);

#endif
