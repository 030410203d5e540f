/* The contraction: shape and gradient.
 * Its loops belong to the contract generator and the reference interpreter, so there is no lowering rule. */
#include "internal.h"

typedef struct operand { const char *name; const sn_type *type; } operand;

/* Every loop has one extent: that of all axes where it stands alone. */
static bool loop_agrees(const sn_infer *in, const sn_contract *c, uint8_t loop, const operand *x)
{
    int found = -1;
    sn_dim extent = {0};
    for (int p = 0; p < 3; p++)
        for (uint8_t i = 0; i < c->rank[p]; i++) {
            const sn_affine *f = &c->at[p][i];
            if (!sn_affine_is_loop(f) || f->loop[0] != loop)
                continue;
            const sn_dim d = x[p].type->dim[i];
            if (found >= 0 && !sn_dim_equal(extent, d))
                return sn_why(in, "loop %s is %s in %s %s but %s in %s %s", c->name[loop], sn_text_of_dim(in->dims, extent).s, x[found].name,
                           sn_text_of(in->dims, x[found].type).s, sn_text_of_dim(in->dims, d).s, x[p].name, sn_text_of(in->dims, x[p].type).s);
            found = found < 0 ? p : found;
            extent = d;
        }
    return true;
}

bool shape_contract(const sn_infer *in, sn_type *out)
{
    const sn_contract *c = in->attrs->spec.spec;
    const operand x[3] = {{"x", &in->arg[0]}, {"w", &in->arg[1]}, {"the result", out}};
    for (int p = 0; p < 3; p++)
        if (c->rank[p] != x[p].type->rank)
            return sn_why(in, "the spec has %u indices for %s, which is %s", c->rank[p], x[p].name, sn_text_of(in->dims, x[p].type).s);
    for (uint8_t l = 0; l < c->loops; l++)
        if (!loop_agrees(in, c, l, x))
            return false;
    return true;
}

void grad_contract(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    const sn_contract *spec = g->node->attrs.spec.spec; /* in the arena: survives building */
    for (int i = 0; i < 2; i++) {
        if (!g->need[i])
            continue;
        const sn_contract back = sn_contract_grad(spec, i == 0 ? SN_AT_A : SN_AT_B);
        const sn_type t = sn_type_of(b, g->x[i]);
        dx[i] = sn_build_contract(b, &back, g->dy, g->x[1 - i], &t);
    }
}
