/* The scalar emitter: what lowering rules speak to.
 * Not LLVM: codegen implements it with LLVM vectors, the reference interpreter with doubles.  One rule gives both the kernel
 * and its check, and the body that fusion composes.
 *
 * An sn_val is either a number (f32 in kernels, double in the reference) or an index (64-bit integer).  Rules may not look inside.
 * Masks are numbers: 1 or 0.  In codegen a value may be a whole vector of lanes along the last axis; rules do not notice, because
 * the only ways to make an index are the ones below.
 */
#ifndef SN_IR_EMIT_H
#define SN_IR_EMIT_H

#include "ir.h"

union sn_val {
    double  f; /* reference interpreter: number */
    int64_t i; /* reference interpreter: index */
    struct { void *value; int64_t lane; } ir; /* codegen: LLVM value; lane step of an index (0 = same in all lanes) */
};

struct sn_emit {
    const sn_graph *g; /* of the nodes being lowered: rules look up argument types in it */
    /* numbers */
    sn_val (*number)(sn_emit *e, double v);
    sn_val (*add)(sn_emit *e, sn_val a, sn_val b);
    sn_val (*sub)(sn_emit *e, sn_val a, sn_val b);
    sn_val (*mul)(sn_emit *e, sn_val a, sn_val b);
    sn_val (*div)(sn_emit *e, sn_val a, sn_val b);
    sn_val (*min)(sn_emit *e, sn_val a, sn_val b);
    sn_val (*max)(sn_emit *e, sn_val a, sn_val b);
    sn_val (*exp)(sn_emit *e, sn_val a);
    sn_val (*log)(sn_emit *e, sn_val a);
    sn_val (*tanh)(sn_emit *e, sn_val a);
    sn_val (*sqrt)(sn_emit *e, sn_val a);
    sn_val (*floor)(sn_emit *e, sn_val a);
    sn_val (*greater)(sn_emit *e, sn_val a, sn_val b); /* 1 if a > b else 0; 0 with NaN */
    sn_val (*equal)(sn_emit *e, sn_val a, sn_val b);
    sn_val (*select)(sn_emit *e, sn_val mask, sn_val a, sn_val b); /* a where mask != 0; the other value is not looked at */
    /* indices */
    sn_val (*index)(sn_emit *e, int64_t v);
    sn_val (*extent)(sn_emit *e, sn_dim d);
    sn_val (*iadd)(sn_emit *e, sn_val a, sn_val b);
    sn_val (*isub)(sn_emit *e, sn_val a, sn_val b);
    sn_val (*imul)(sn_emit *e, sn_val a, sn_val b);
    sn_val (*idiv)(sn_emit *e, sn_val a, sn_val b);    /* floor; b > 0 */
    sn_val (*iless)(sn_emit *e, sn_val a, sn_val b);   /* number: 1 if a < b else 0 */
    sn_val (*to_number)(sn_emit *e, sn_val i);
    /* Argument k of the node being lowered, at an index vector of the argument's rank.  `load_if` yields 0 where the mask is 0 and then does
     * not touch memory, so that the index may be outside. */
    sn_val (*load)(sn_emit *e, const sn_node *n, uint32_t k, const sn_val *at);
    sn_val (*load_if)(sn_emit *e, const sn_node *n, uint32_t k, const sn_val *at, sn_val mask);
    /* Uniform in [0, 1) from (run's seed, run's step, stream, element number), without state; codegen/random.c gives the formula. */
    sn_val (*uniform)(sn_emit *e, int64_t stream, sn_val element);
};

#endif
