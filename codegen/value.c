/* Evaluation by demand: the value of a node at an index vector.
 * Not loops: the caller chooses the point and how many lanes it has.
 *
 * An argument that is in the kernel's body is evaluated in place by its lowering rule, one that is not is loaded.  Values are remembered
 * per (node, point) within the block that computes them.
 */
#include <string.h>

#include "internal.h"

static bool same_point(const sn_memo *m, const sn_kb *kb, uint32_t node, uint32_t rank, const sn_val *at)
{
    if (m->node != node || m->mask != kb->mask || m->guard != kb->guard || m->lanes != kb->lanes)
        return false;
    for (uint32_t i = 0; i < rank; i++)
        if (m->at[i].ir.value != at[i].ir.value || m->at[i].ir.lane != at[i].ir.lane)
            return false;
    return true;
}

static void remember(sn_kb *kb, uint32_t node, uint32_t rank, const sn_val *at, sn_val v)
{
    if (kb->memos == kb->memo_capacity) {
        uint32_t capacity = kb->memo_capacity ? 2 * kb->memo_capacity : 64;
        sn_memo *memo = sn_new_n(&kb->arena, sn_memo, capacity);
        if (kb->memos)
            memcpy(memo, kb->memo, kb->memos * sizeof *memo);
        kb->memo = memo;
        kb->memo_capacity = capacity;
    }
    sn_memo *m = &kb->memo[kb->memos++];
    *m = (sn_memo){.node = node, .mask = kb->mask, .guard = kb->guard, .lanes = kb->lanes, .value = v};
    for (uint32_t i = 0; i < rank; i++)
        m->at[i] = at[i];
}

void sn_kb_bind(sn_kb *kb, sn_ref r, sn_bind_fn *fn, void *context)
{
    kb->bind[r.i] = (sn_bind){fn, context};
}

LLVMValueRef sn_kb_memory(sn_kb *kb, sn_ref r)
{
    uint32_t b = sn_plan_buffer(kb->plan, r);
    SN_ASSERT(b != UINT32_MAX && kb->buffer[b], "kernel %s has no memory for node %u", kb->k->name, r.i);
    return kb->buffer[b];
}

sn_val sn_kb_offset(sn_kb *kb, const sn_type *t, const sn_val *at)
{
    sn_emit *e = &kb->emit;
    sn_val offset = e->index(e, 0);
    for (uint8_t i = 0; i < t->rank; i++) {
        if (sn_dim_is_const(t->dim[i]) && t->dim[i].v == 1)
            continue;
        offset = e->iadd(e, e->imul(e, offset, e->extent(e, t->dim[i])), at[i]);
    }
    return offset;
}

/* Sixteen zeros: what guarded loads read when their guard is false. */
static LLVMValueRef zeros(sn_kb *kb)
{
    LLVMValueRef g = LLVMGetNamedGlobal(kb->mod, "sn_zeros");
    if (g)
        return g;
    LLVMTypeRef type = LLVMArrayType2(kb->f32, 16);
    g = LLVMAddGlobal(kb->mod, type, "sn_zeros");
    LLVMSetInitializer(g, LLVMConstNull(type));
    LLVMSetGlobalConstant(g, true);
    LLVMSetLinkage(g, LLVMPrivateLinkage);
    LLVMSetAlignment(g, 64);
    return g;
}

static LLVMValueRef guarded(sn_kb *kb, LLVMValueRef base, LLVMValueRef *offset)
{
    if (!kb->guard)
        return base;
    LLVMValueRef at = LLVMBuildGEP2(kb->b, kb->f32, base, offset, 1, "");
    *offset = sn_kb_i64(kb, 0);
    return LLVMBuildSelect(kb->b, kb->guard, at, zeros(kb), "");
}

sn_val sn_kb_read(sn_kb *kb, LLVMValueRef base, sn_val offset)
{
    LLVMValueRef at = offset.ir.value;
    if (offset.ir.lane == 0 || offset.ir.lane == 1) {
        base = guarded(kb, base, &at);
        bool vector = offset.ir.lane == 1;
        return sn_kb_wrap(sn_kb_load(kb, base, at, vector ? kb->lanes : 1, vector ? kb->mask : NULL));
    }
    LLVMValueRef mask = kb->mask;
    if (kb->guard) {
        LLVMValueRef all = sn_kb_splat(kb, kb->guard, kb->lanes);
        mask = mask ? LLVMBuildAnd(kb->b, mask, all, "") : all;
    }
    return sn_kb_wrap(sn_kb_gather(kb, base, sn_kb_lanes_of(kb, offset), mask));
}

void sn_kb_store_at(sn_kb *kb, LLVMValueRef base, const sn_type *t, const sn_val *at, sn_val v)
{
    sn_val offset = sn_kb_offset(kb, t, at);
    bool vector = LLVMGetTypeKind(LLVMTypeOf(v.ir.value)) == LLVMVectorTypeKind;
    if (offset.ir.lane == 0 && !vector) {
        sn_kb_store(kb, base, offset.ir.value, v.ir.value, NULL);
        return;
    }
    /* Lanes along an axis of size 1 leave no lane step: the mask has one live lane. */
    SN_ASSERT(offset.ir.lane == 1 || (offset.ir.lane == 0 && kb->mask), "kernel %s stores with a lane step", kb->k->name);
    sn_kb_store(kb, base, offset.ir.value, sn_kb_number(kb, v), kb->mask);
}

/* ---- nodes of the body ---- */

static sn_val pointwise(sn_kb *kb, const sn_node *n, const sn_val *at)
{
    sn_val x[SN_MAX_ARGS], inner[SN_MAX_RANK], zero = sn_kb_index(kb, sn_kb_i64(kb, 0), 0);
    for (uint8_t k = 0; k < n->args; k++) {
        const sn_type *t = &sn_at(kb->g, n->arg[k])->type;
        for (uint8_t i = 0; i < t->rank; i++)
            inner[i] = sn_dim_is_const(t->dim[i]) && t->dim[i].v == 1 ? zero : at[i + n->type.rank - t->rank];
        x[k] = sn_kb_value(kb, n->arg[k], inner);
    }
    return sn_op_get(n->op)->value(&kb->emit, n, x);
}

static bool in_body(const sn_kb *kb, sn_ref r)
{
    return sn_plan_in_body(kb->plan, r);
}

static bool given(const sn_kb *kb, sn_ref r)
{
    return kb->bind[r.i].fn != NULL;
}

static sn_val compute(sn_kb *kb, sn_ref r, const sn_val *at)
{
    const sn_node *n = sn_at(kb->g, r);
    const sn_op_info *op = sn_op_get(n->op);
    if (op->traits & SN_POINTWISE)
        return pointwise(kb, n, at);
    /* A view of memory has its elements in the same order: no way back through the index is needed. */
    if ((op->traits & SN_VIEW) && !in_body(kb, n->arg[0]) && !given(kb, n->arg[0]))
        return sn_kb_read(kb, sn_kb_memory(kb, n->arg[0]), sn_kb_offset(kb, &n->type, at));
    SN_ASSERT(op->index != NULL, "%s in kernel %s has no rule for single elements", op->name, kb->k->name);
    return op->index(&kb->emit, n, at);
}

sn_val sn_kb_value(sn_kb *kb, sn_ref r, const sn_val *at)
{
    const sn_type *t = &sn_at(kb->g, r)->type;
    for (uint32_t i = kb->memos; i > 0; i--)
        if (same_point(&kb->memo[i - 1], kb, r.i, t->rank, at))
            return kb->memo[i - 1].value;
    sn_val v;
    if (given(kb, r)) {
        v = kb->bind[r.i].fn(kb, kb->bind[r.i].context, r, at);
    } else if (in_body(kb, r)) {
        LLVMMetadataRef before = sn_debug_enter(kb, r);
        v = compute(kb, r, at);
        sn_debug_leave(kb, before);
    } else {
        v = sn_kb_read(kb, sn_kb_memory(kb, r), sn_kb_offset(kb, t, at));
    }
    remember(kb, r.i, t->rank, at, v);
    return v;
}
