/* The reference interpreter: every node of a graph in double precision, by the lowering rules of the operator table.
 * Not fast and not fused: it is what kernels and passes are checked against.
 *
 *     sn_ref_run *r = sn_ref_eval(g, &(sn_ref_setting){.symbol = n_and_t, .param = arrays, .seed = 1});
 *     const sn_ref_array *y = sn_ref_value(r, ref);
 *     sn_ref_free(r);
 */
#ifndef SN_TESTS_OPS_REF_EVAL_H
#define SN_TESTS_OPS_REF_EVAL_H

#include "ir/ir.h"

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
} sn_ref_setting;

typedef struct sn_ref_run sn_ref_run;

/* Evaluate all nodes.  Wrong use (a missing parameter, a graph that does not verify) ends by assertion. */
sn_ref_run *sn_ref_eval(const sn_graph *g, const sn_ref_setting *setting);
const sn_ref_array *sn_ref_value(const sn_ref_run *run, sn_ref node);
/* Value of the output of that name; NULL if there is none. */
const sn_ref_array *sn_ref_output(const sn_ref_run *run, const char *name);
void sn_ref_free(sn_ref_run *run);

#endif
