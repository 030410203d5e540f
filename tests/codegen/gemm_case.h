/* One contraction kernel with its edges: built, compiled, run in several groupings of tiles, compared with the reference interpreter.
 * Not a test by itself: see gemm_test.c and gemm_bench.c. */
#ifndef SN_TESTS_CODEGEN_GEMM_CASE_H
#define SN_TESTS_CODEGEN_GEMM_CASE_H

#include "codegen/codegen.h"

enum { GC_MAX_OUTS = 4, GC_MAX_SYMBOLS = 4 };

typedef struct gemm_case {
    sn_graph    *g;
    sn_diags     diags;
    sn_build     b;
    sn_ref       anchor;
    sn_ref       out[GC_MAX_OUTS]; uint32_t outs;
    sn_schedule *s;
    sn_compiled *compiled;
} gemm_case;

void   gc_init(gemm_case *c);
void   gc_fini(gemm_case *c);
/* f32[dims] from "N,T,25,3": upper-case words are symbols; "" is a scalar. */
sn_type gc_type(gemm_case *c, const char *dims);
/* A parameter of that type. */
sn_ref gc_param(gemm_case *c, const char *name, const char *dims);
/* A constant with `nonzero` numbers that are not zero, spread over it. */
sn_ref gc_sparse(gemm_case *c, const char *dims, size_t nonzero);
/* The contraction (becomes the anchor). */
sn_ref gc_contract(gemm_case *c, const char *spec, sn_ref x, sn_ref w, const char *dims);
sn_ref gc_partial_sum(gemm_case *c, sn_ref x, int64_t outer, int64_t chunk, int64_t keep);
void   gc_out(gemm_case *c, sn_ref r);
/* One kernel of everything the outs need; tiled by its partial sums, if any.  Prints diagnostics and returns false on failure. */
bool   gc_compile(gemm_case *c, const char *cpu);

typedef struct gemm_run { /* buffers for one binding of the symbols */
    const sn_abi_program *p;
    int64_t  symbol[GC_MAX_SYMBOLS];
    int64_t *dim;      /* values of the program's dim table */
    float  **buffer;
    double **param;    /* what the reference gets */
    float   *scratch; size_t scratch_floats;
} gemm_run;

/* Parameters get reproducible numbers in [-1, 1]; everything else NaN. */
void gr_init(gemm_run *r, gemm_case *c, const int64_t *symbol);
void gr_fini(gemm_run *r);
int64_t gr_dim(const gemm_run *r, int64_t dim_value);
/* All calls; tiles in groups of `group` (0 = all at once), in reverse order if told. */
void gr_run(gemm_run *r, int64_t group, bool reverse);
/* Some tiles of one call, with scratch of the caller's. */
void gr_tiles(const gemm_run *r, const sn_abi_call *c, int64_t from, int64_t to, float *scratch);
const float *gr_out(const gemm_run *r, uint32_t out, size_t *count);
/* Largest |kernel - reference| over the outs, each relative to the largest reference value of that out. */
double gr_error(gemm_run *r, gemm_case *c);

#endif
