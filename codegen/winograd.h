/* Fast convolution over time: short correlations with fewer products, as sums before and after them.
 * Not a kernel: kernel_contract_winograd.c and kernel_contract_winograd_weights.c walk over tiles.
 *
 *     y[u] = sum over k < taps of x[u + k] * w[k]
 *
 * Some results of some taps need results + taps - 1 products where the direct method has results * taps (Toom and Cook's algorithm, evaluated
 * at a few small points and infinity).  From six taps on these are cut into groups, as long as a tile of such results: then group g of tile t reads
 * what group 0 of tile t + g reads, and in the domain of the points there remains, for each of them, a correlation over tiles with `groups` taps.  That
 * is done the same way again; where no table fits so many groups, they are added up directly.
 *
 *     taps        3    4    5    6    7, 8, 9     12, 15 .. 30
 *     inner       4,3  4,4  4,5  3,3  3,3         3,3             results, taps
 *     across                     4,2  4,3         added
 *     products    6    7    8    25   29, 29, 30  5 a group
 *     frames      4    4    4    12   12          3               of results
 *
 * Where the last group lacks taps, its value at infinity is zero; so the last product of all, infinity of both, is left out.
 *
 * S. Winograd, Arithmetic complexity of computations, 1980; A. Lavin and S. Gray, Fast algorithms for convolutional neural networks, 2015.
 */
#ifndef SN_CODEGEN_WINOGRAD_H
#define SN_CODEGEN_WINOGRAD_H

#include "internal.h"

enum { SN_WINO_MAX_POINTS = 8, SN_WINO_MAX_SHORT = 5 /* taps or results of a short correlation */, SN_WINO_MAX_TAPS = 30,
       SN_WINO_MAX_FRAMES = 12, SN_WINO_MAX_SPAN = SN_WINO_MAX_FRAMES + 9 - 1,
       SN_WINO_MAX_PIECES = SN_WINO_MAX_TAPS / 3 * SN_WINO_MAX_POINTS,
       SN_WINO_LEAST_WIDTH = 16 /* channels on either side: fewer do not fill a vector */ };

typedef struct sn_wino_short { /* tables: a row a point */
    int64_t results, taps, points;
    float   tap[SN_WINO_MAX_POINTS][SN_WINO_MAX_SHORT], source[SN_WINO_MAX_POINTS][SN_WINO_MAX_POINTS], result[SN_WINO_MAX_POINTS][SN_WINO_MAX_SHORT];
} sn_wino_short;

typedef struct sn_wino {
    int64_t taps, groups;
    sn_wino_short inner, across; /* within a group, over groups; across.points = 0: groups are added up */
    int64_t outer;     /* points of the groups, 1 if they are added up */
    int64_t products;  /* component i * outer + j is point i of the taps, point j of the groups */
    int64_t segments;  /* transformed tiles that meet in a product: 1, or the groups */
    int64_t frames;    /* of a tile: results */
    int64_t span;      /* of a tile: operands that are transformed */
} sn_wino;

/* False if there is no fast form for so many taps. */
bool sn_wino_make(int64_t taps, sn_wino *out);
/* Components of point i of the taps; the second in a kernel. */
int64_t sn_wino_of_point(const sn_wino *w, int64_t i);
LLVMValueRef sn_wino_count(sn_kb *kb, const sn_wino *w, LLVMValueRef point);

/* The next four call a function that walks over `floats` numbers from `frames` and `parts` on; frame f is f * frame_step floats behind, component c
 * c * part_step.  Steps are arguments: kernels of any width that are one object have one function.  `point`: of the taps; its first component is
 * at c = 0.  NULL: all of them. */
typedef struct sn_wino_place { LLVMValueRef frames, parts; int64_t frame_step, part_step; } sn_wino_place;

/* Operands: `span` frames to components. */
void sn_wino_source(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef floats, LLVMValueRef point);
/* Results: components to `frames` frames; of n correlations of as many frames that are added up, their components one after the other; `gathered`:
 * not components but their sums, made point by point by the other function. */
void sn_wino_result(sn_kb *kb, const sn_wino *w, int64_t n, const sn_wino_place *p, LLVMValueRef floats, bool gathered);
/* Components of one point to sums, one for each tile of the taps' results; sum q is at frames + q * frame_step. */
void sn_wino_gather(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef floats, LLVMValueRef point);
/* Sums of a correlation: point after point, for each of them one for each tile. */
int64_t sn_wino_sums(const sn_wino *w);
/* Gradients of results: `frames` frames to components; their products with the operands' are gradients of the transformed weights. */
void sn_wino_gradient(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef floats, LLVMValueRef point);
/* The last two work on one vector of each.  Gradients of weights: products * segments numbers to taps. */
void sn_wino_taps(sn_kb *kb, const sn_wino *w, LLVMValueRef *part, LLVMValueRef *tap);
/* Weights: taps to products * segments numbers, component first, then segment. */
void sn_wino_weights(sn_kb *kb, const sn_wino *w, LLVMValueRef *tap, LLVMValueRef *out);

#endif
