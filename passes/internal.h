/* Inside passes: one function a pass, and what they share.
 * Not for other folders. */
#ifndef SN_PASSES_INTERNAL_H
#define SN_PASSES_INTERNAL_H

#include "passes.h"

/* A graph pass: may replace *g.  Findings go to diags; false when it did not complete. */
typedef bool sn_pass_fn(sn_graph **g, const sn_pipeline *options, sn_diags *diags);

#define SN_PASS(name, level, doc) sn_pass_fn sn_pass_##name;
#include "passes.def"
#undef SN_PASS

/* Kernels of g in an order that can run; sets s->kernel.  fuse.c */
bool sn_fuse(sn_schedule *s, sn_diags *diags);
/* Buffers: places and lifetimes; sets s->buffer and s->buffer_of.  plan.c */
void sn_plan_buffers(sn_schedule *s);

/* realloc or assertion; never NULL */
void *sn_must(void *p);
/* Does the type depend on a free dimension?  Then it is activation-sized. */
static inline bool sn_is_static(const sn_type *t)
{
    for (uint8_t i = 0; i < t->rank; i++)
        if (!sn_dim_is_const(t->dim[i]))
            return false;
    return true;
}

#endif
