/* For tests of kernels: schedules by hand, execution tile by tile, comparison with the reference interpreter.
 * Not the scheduler and not the runtime. */
#ifndef SN_TESTS_CODEGEN_HARNESS_H
#define SN_TESTS_CODEGEN_HARNESS_H

#include "codegen/codegen.h"
#include "ir/reference.h"

/* A kernel to be: its body is everything its outs need that no earlier kernel has stored. */
typedef struct cg_kernel {
    sn_form form;
    sn_ref  anchor;
    sn_ref  out[16];
    uint32_t outs;
    bool    tiled;
    int64_t outer, chunk;
} cg_kernel;

/* A schedule of g (borrowed: sn_schedule_free would take it; use cg_schedule_free). */
sn_schedule *cg_schedule(sn_graph *g, const cg_kernel *kernel, uint32_t n);
/* Every node that outputs need is its own kernel. */
sn_schedule *cg_schedule_each(sn_graph *g);
void cg_schedule_free(sn_schedule *s);

typedef struct cg_memory { float **buffer; size_t *count; bool *alias; uint32_t buffers; } cg_memory;
/* Run a program: tiles in `pieces` pieces, backwards if `back`; scratch is filled with nonsense for every piece.  param: by number. */
cg_memory cg_run(const sn_abi_program *p, const int64_t *symbol, float *const *param, int pieces, bool back);
void cg_memory_free(cg_memory *m);

/* Random parameter values in [low, high), a fresh set of arrays each call; freed by cg_params_free. */
typedef struct cg_params { float **f; double **d; uint32_t n; } cg_params;
cg_params cg_params_new(const sn_graph *g, const int64_t *symbol, uint64_t seed, double low, double high);
void cg_params_free(cg_params *p);

enum { CG_SEED = 77, CG_STEP = 5 };

/* Compile s for cpu (NULL = native), run, compare every stored node with the reference: |a - b| <= tolerance * (1 + largest |b| of the tensor);
 * and compare runs with other pieces bit for bit.  Fails the running cmocka test. */
void cg_check(sn_schedule *s, const int64_t *symbol, const cg_params *params, double tolerance, const char *cpu, const char *name);

#endif
