/* Small graphs for every operator: what shape, gradient and kernel tests run on.
 * Not the checks themselves.
 *
 * A case is textual IR: inputs only (no weights or states), result `y`.  Odd sizes throughout.  For a kernel test: make the graph, bind the
 * symbols, fill the inputs, evaluate with sn_ref_eval, compile and run the same graph, compare output y (and other outputs if any):
 *
 *     for (size_t i = 0; i < SN_CASES; i++) {
 *         sn_graph *g = sn_case_graph(&SN_CASE[i], diags);
 *         int64_t symbol[8];
 *         sn_case_bind(g, symbol);
 *         double **param = sn_case_inputs(&SN_CASE[i], g, seed);   // values are exact in f32
 *         ...
 *         sn_case_inputs_free(g, param);
 *         sn_graph_free(g);
 *     }
 */
#ifndef SN_TESTS_OPS_CASES_H
#define SN_TESTS_OPS_CASES_H

#include "ir/ir.h"

typedef enum sn_fill_kind {
    SN_FILL_REAL,     /* uniform between lo and hi */
    SN_FILL_INTEGER,  /* integers lo .. hi, so that ties happen */
    SN_FILL_UNIT_ROWS /* rows of unit L2 norm */
} sn_fill_kind;

typedef struct sn_case {
    sn_op        op;      /* the operator it is about */
    const char  *name;    /* unique with op */
    const char  *text;    /* the graph's statements; sn_case_graph puts `graph @case` before it */
    sn_fill_kind fill;
    double       lo, hi;
    bool         no_grad; /* gradients are not checked: integers, or results without gradient */
} sn_case;

extern const sn_case SN_CASE[];
extern const size_t  SN_CASES;

/* NULL with diagnostics if the text is wrong. */
sn_graph *sn_case_graph(const sn_case *c, sn_diags *diags);
/* Extents by symbol number, at most 8 symbols: N = 3, T = 7, R = 5, K = 13, V = 4. */
void sn_case_bind(const sn_graph *g, int64_t symbol[8]);
/* Values of all params, from `seed`; owned by the caller. */
double **sn_case_inputs(const sn_case *c, const sn_graph *g, uint64_t seed);
void sn_case_inputs_free(const sn_graph *g, double **param);
/* Elements of a type under sn_case_bind. */
size_t sn_case_count(const sn_graph *g, const sn_type *t);

#endif
