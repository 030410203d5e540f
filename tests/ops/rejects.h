/* Wrong uses of every operator, with the exact message.
 * Wrong graph files are the frontend's tests. */
#ifndef SN_TESTS_OPS_REJECTS_H
#define SN_TESTS_OPS_REJECTS_H

#include "ir/ir.h"

typedef struct sn_reject {
    sn_op       op;
    const char *text;    /* one statement; %x is f32[N,T,5], %m is f32[R,8], %q is f32[K,8] */
    const char *message; /* of the first diagnostic */
} sn_reject;

extern const sn_reject SN_REJECT[];
extern const size_t    SN_REJECTS;

#endif
