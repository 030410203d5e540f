/* Equal values before and after a pass, by the reference interpreter.
 * Not the interpreter (ir/reference.h). */
#ifndef SN_TESTS_PASSES_VALUES_H
#define SN_TESTS_PASSES_VALUES_H

#include "ir/reference.h"

/* Extents for the symbols of g by name: N = 2, T = 7, others 3, 4, 5.. */
void values_extents(const sn_graph *g, int64_t *symbol);
/* Numbers for every parameter, the same for equal names; arrays to free with values_free. */
const double **values_params(const sn_graph *g, const int64_t *symbol);
void values_free(const sn_graph *g, const double **param);

/* Do all outputs and updates that both graphs have agree to `tolerance` of each tensor's largest value?  Else prints the first that does not. */
bool values_agree(const sn_graph *a, const sn_graph *b, double tolerance);
/* Do the outputs grad.<param> agree with central differences of the output `of` (a single number), for up to `samples` elements of
 * each parameter? */
bool values_gradients_agree(const sn_graph *g, const char *of, int samples, double tolerance);

#endif
