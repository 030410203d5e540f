/* The reference interpreter: every node of a graph in double precision, by the lowering rules of the operator table.
 * Not fast and not fused: it is what kernels and passes are checked against.
 *
 *     sn_ref_run *r = sn_ref_eval(g, &(sn_ref_setting){.symbol = n_and_t, .param = arrays, .seed = 1});
 *     const sn_ref_array *y = sn_ref_value(r, ref);
 *     sn_ref_free(r);
 */
#ifndef SN_IR_REFERENCE_H
#define SN_IR_REFERENCE_H

#include "ir.h"

typedef struct sn_ref_array {
    uint8_t rank;
    int64_t dim[SN_MAX_RANK];
    size_t  count;
    double *data; /* row-major */
} sn_ref_array;

typedef struct sn_ref_setting {
    const int64_t       *symbol; /* extents, by symbol number of g->dims */
    const double *const *param;  /* values, by number in g->param; may be NULL where no live node reads the parameter */
    uint64_t             seed, step; /* for `uniform`, as in sn_abi_args */
    double               doubt;  /* 0: as exact as it gets.  1, -1: what single precision may make of it instead, in two opposite ways: numbers are rounded
                                  * as much as sums of their terms in any order are, and comparisons of what is nearly equal lean to one side.  How far
                                  * the results are from the exact ones is how much rounding matters here. */
    /* Call fn for parts of 0 .. n - 1 that together are all, perhaps in several threads; NULL: one part.  Values do not depend on the parts. */
    void               (*share)(int64_t n, void (*fn)(void *context, int64_t begin, int64_t end), void *context);
} sn_ref_setting;

typedef struct sn_ref_run sn_ref_run;

/* Evaluate all nodes.  Wrong use (a missing parameter, a graph that does not verify) ends by assertion. */
sn_ref_run *sn_ref_eval(const sn_graph *g, const sn_ref_setting *setting);

/* The same node by node: nothing is known at first.  `give`: the value is that of memory; `compute`: by its rule, the arguments being known; `drop`: forget
 * it.  The setting must outlive the run. */
sn_ref_run *sn_ref_new(const sn_graph *g, const sn_ref_setting *setting);
void sn_ref_give(sn_ref_run *run, sn_ref node, const float *data);
void sn_ref_compute(sn_ref_run *run, sn_ref node);
void sn_ref_drop(sn_ref_run *run, sn_ref node);

/* Its data is NULL if the value is not known. */
const sn_ref_array *sn_ref_value(const sn_ref_run *run, sn_ref node);
/* Value of the output of that name; NULL if there is none. */
const sn_ref_array *sn_ref_output(const sn_ref_run *run, const char *name);
void sn_ref_free(sn_ref_run *run);

#endif
