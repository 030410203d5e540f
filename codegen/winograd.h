/* Fast convolution over time: short correlations with fewer products, as sums before and after them.
 * Not a kernel: kernel_contract_winograd.c and kernel_contract_winograd_weights.c walk over tiles.
 *
 *     y[u] = sum over k < taps of x[u + k] * w[k]        taps a multiple of 3
 *
 * Groups of 3 taps against tiles of 3 results need 5 products where the direct method has 9 (Toom and Cook's algorithm, evaluated at 0, 1, -1,
 * 2 and infinity).  Group g of tile t reads what group 0 of tile t + g reads; so in the domain of the 5 points there remains, for each of them, a
 * correlation over tiles with `groups` taps.  Three groups are done the same way again, 4 products for 2 results (0, 1, -1, infinity): 20 products
 * for 6 frames of 9 taps, where the direct method has 54.  Any other number of groups is added up directly.
 *
 * S. Winograd, Arithmetic complexity of computations, 1980; A. Lavin and S. Gray, Fast algorithms for convolutional neural networks, 2015.
 */
#ifndef SN_CODEGEN_WINOGRAD_H
#define SN_CODEGEN_WINOGRAD_H

#include "internal.h"

enum { SN_WINO_POINTS = 5, SN_WINO_INNER = 3, SN_WINO_MAX_PRODUCTS = 20, SN_WINO_MAX_TAPS = 30, SN_WINO_MAX_SPAN = 14, SN_WINO_MAX_FRAMES = 6,
       SN_WINO_LEAST_WIDTH = 16 /* channels on either side: fewer do not fill a vector */ };

typedef struct sn_wino {
    int64_t taps, groups;
    bool    nested;    /* groups are transformed, too */
    int64_t outer;     /* points of the groups: 4, or 1 if not nested */
    int64_t products;  /* 5 * outer: component i * outer + j is point i of the taps, point j of the groups */
    int64_t segments;  /* transformed tiles that meet in a product: 1, or the groups */
    int64_t frames;    /* of a tile: results, 6 or 3 */
    int64_t span;      /* of a tile: operands that are transformed, 14 or 5 */
} sn_wino;

/* False if there is no fast form for so many taps. */
bool sn_wino_make(int64_t taps, sn_wino *out);

/* Every function below works on one vector of each tensor, at offset `at` of each; frame f is at f * frame_step, component c at
 * c * part_step, in floats.  `point`: component group i < 5, or -1 for all of them; its first component is at c = 0. */
typedef struct sn_wino_place { LLVMValueRef frames, parts; int64_t frame_step, part_step; } sn_wino_place;

/* Operands: `span` frames to components. */
void sn_wino_source(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef at, int point);
/* Results: components to `frames` frames. */
void sn_wino_result(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef at);
/* Gradients of results: `frames` frames to components; their products with the operands' are gradients of the transformed weights. */
void sn_wino_gradient(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef at, int point);
/* Gradients of weights: products * segments numbers to taps. */
void sn_wino_taps(sn_kb *kb, const sn_wino *w, LLVMValueRef *part, LLVMValueRef *tap);
/* Weights: taps to products * segments numbers, component first, then segment. */
void sn_wino_weights(sn_kb *kb, const sn_wino *w, LLVMValueRef *tap, LLVMValueRef *out);

#endif
