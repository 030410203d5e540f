/* Matrix products over packed operands: the micro-kernel and the choice of its block.
 * Not a kernel form; inside code generation only. */
#ifndef SN_CODEGEN_GEMM_H
#define SN_CODEGEN_GEMM_H

#include <llvm-c/Core.h>
#include <stdbool.h>
#include <stdint.h>

enum { SN_GEMM_MAX_VECTORS = 4, SN_GEMM_MAX_ACC = 28, SN_GEMM_MAX_AHEAD = 8 };

typedef struct sn_gemm_env { /* where functions are made */
    LLVMContextRef ctx;
    LLVMModuleRef  mod;
    LLVMBuilderRef b;
    LLVMValueRef   like; /* a function whose target attributes new ones get */
} sn_gemm_env;

/* void micro(const float *x, const float *w, float *c, const int64_t *table, int64_t segments, int64_t first,
 *            int64_t steps)
 *
 *   for s < segments, k < steps, r < rows, j < vectors:
 *       c[r * c_row + j * lanes ..] += x[table[s] + r * x_row + k * x_step] * w[(s * steps + k) * w_step + j * lanes ..]
 *
 * where `steps` is the constant of the function, or the argument if that is 0;
 * in this order of (s, k) for every element; first != 0 starts from zero instead of the old c.  Strides in floats; best with w
 * and c aligned to a vector; segments >= 1, steps >= 1.  x, w and c do not overlap.
 *
 * Each of `ahead` further arguments is an address from which memory is asked for on the way, so that it arrives while multiply-adds run:
 * with every `unroll` steps a line, and the address moves on by `ahead_step` bytes.  It may lie anywhere. */
typedef struct sn_gemm_micro {
    uint32_t rows, vectors, lanes, steps, unroll;
    int64_t  x_row, x_step, w_step, c_row;
    bool     fma;
    uint32_t ahead;
    int64_t  ahead_step[SN_GEMM_MAX_AHEAD];
    bool     ahead_write[SN_GEMM_MAX_AHEAD];
} sn_gemm_micro;

/* The function, made on first use in the module. */
LLVMValueRef sn_gemm_micro_function(sn_gemm_env *e, const sn_gemm_micro *m);

/* A constant table of offsets in the module. */
LLVMValueRef sn_gemm_table(sn_gemm_env *e, const int64_t *value, uint32_t n);

/* The register block, rows x vectors, for a product of so many rows and vectors: least padding and fewest loads;
 * no wider than the product.  `but`: the best block except this one; {0, 0} if there is no other. */
typedef struct sn_gemm_block { int64_t rows, vectors; } sn_gemm_block;
sn_gemm_block sn_gemm_block_choose(uint32_t registers, int64_t rows, int64_t vectors, const sn_gemm_block *but);
/* What it chooses by: vector operations of one reduction step over the whole product, two of which start in a cycle. */
double sn_gemm_step_cost(int64_t rows, int64_t vectors, sn_gemm_block block);

#endif
