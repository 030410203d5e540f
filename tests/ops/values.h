/* Worked examples of every operator: inputs and results written out.
 * The reference interpreter must give these; kernels are compared with the interpreter. */
#ifndef SN_TESTS_OPS_VALUES_H
#define SN_TESTS_OPS_VALUES_H

#include "ir/ir.h"

typedef struct sn_example {
    sn_op       op;
    const char *text; /* statements; outputs y and want have one shape and must be equal to 1e-6 (constants are f32) */
} sn_example;

extern const sn_example SN_EXAMPLE[];
extern const size_t     SN_EXAMPLES;

#endif
