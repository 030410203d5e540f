/* Golden files: an input graph, a command and the expected text in one .sn file.
 * Not the comparison of values: see values.h.
 *
 *     # run: opt --passes=cse,simplify            the graph after the passes
 *     # run: grad --of=loss --inputs              the graph after autodiff
 *     # run: schedule                             kernels and buffers
 *     # run: schedule --skip=order                the same without that step
 *     # run: why                                  kernels with the reasons fusion had, and what the caller says of each
 *     graph @f(...) { ... }
 *     # expect:
 *     ...
 *
 * With SN_BLESS=1 in the environment expectations are rewritten instead of compared.
 */
#ifndef SN_TESTS_PASSES_GOLDEN_H
#define SN_TESTS_PASSES_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "passes/passes.h"

/* Told of every kernel that `why` prints. */
typedef void golden_kernel(const sn_schedule *s, uint32_t kernel, FILE *out, sn_diags *diags);
/* A test for every file that fits the pattern, and one more if it is not NULL; `say` may be NULL.  What `main` returns. */
int golden_tests(const char *pattern, golden_kernel *say, const struct CMUnitTest *more);

#endif
