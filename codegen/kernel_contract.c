/* Kernels around one contraction: choice of kind, tiles of the result, and what happens to a result before it is stored.
 * Not the products themselves: see kernel_contract_<kind>.c. */
#include <xxhash.h>

#include "kernel_contract.h"

/* In order of preference; the last takes everything.  With all extents constant a graph product would also fit the picture of a weight
 * gradient, so graph products come first; a weight gradient has no leading positions and never fits theirs. */
static const sn_ct_kind *const kinds[] = {&sn_ct_winograd, &sn_ct_rows, &sn_ct_dot, &sn_ct_graph, &sn_ct_heads, &sn_ct_winograd_weights, &sn_ct_wgrad, &sn_ct_general};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

bool sn_ct_is_sums(const sn_graph *g, sn_ref r) { return sn_at(g, r)->op == SN_OP_partial_sum; }

/* Multiply-adds of the direct method; products with known zeros do not count. */
static sn_dim macs_of(sn_plan *p, const sn_ct *ct)
{
    const sn_contract_facts *f = &ct->facts;
    sn_dim n = sn_dim_const(1);
    for (int l = 0; l < f->spec->loops; l++)
        if (ct->terms == 0 || f->loop[l].count[ct->pattern] == 0)
            n = sn_dim_mul(p->dims, n, f->loop[l].extent);
    n = sn_dim_mul(p->dims, n, sn_dim_const(ct->terms ? (int64_t)ct->terms : 1));
    return sn_dim_add(p->dims, n, ct->nested);
}

static void mark_needed(sn_plan *p, const sn_ct *ct, sn_ref r, bool *needed)
{
    uint32_t b = sn_plan_buffer(p, r);
    if (b < p->k->ins) {
        needed[b] = true;
        return;
    }
    const sn_node *n = sn_at(p->g, r);
    for (uint8_t i = 0; i < n->args; i++)
        if (!sn_same(n->arg[i], ct->anchor))
            mark_needed(p, ct, n->arg[i], needed);
}

void sn_ct_reads(sn_plan *p, const sn_ct *ct, sn_plan_call *c, unsigned what)
{
    bool *needed = sn_new_n(p->arena, bool, p->k->ins + 1);
    for (unsigned side = 0; side < 2; side++)
        if (what & (1u << side))
            mark_needed(p, ct, ct->operand[side], needed);
    for (uint32_t i = 0; i < p->k->outs && (what & SN_CT_EPILOGUE); i++)
        if (!sn_same(p->k->out[i], ct->anchor))
            mark_needed(p, ct, p->k->out[i], needed);
    for (uint32_t i = 0; i < p->k->ins; i++)
        if (needed[i])
            sn_plan_read(p, c, i);
}

sn_gemm_env sn_ct_env(sn_kb *kb)
{
    return (sn_gemm_env){kb->ctx, kb->mod, kb->b, kb->fn};
}

const float *sn_ct_pattern(const sn_plan *p, sn_ref operand)
{
    const sn_node *n = sn_at(p->g, operand);
    if (n->op == SN_OP_const)
        return n->attrs.data.data;
    if (n->op != SN_OP_mul || !sn_plan_in_body(p, operand))
        return NULL;
    for (int i = 0; i < 2; i++) {
        const sn_node *c = sn_at(p->g, n->arg[i]);
        if (c->op == SN_OP_const && sn_type_equal(&c->type, &n->type))
            return c->attrs.data.data;
    }
    return NULL;
}

static sn_refusal plan_as(sn_plan *p, sn_ct *ct, const sn_ct_kind *kind)
{
    const bool nested = sn_ct_is_nested(p, ct->operand[0]) || sn_ct_is_nested(p, ct->operand[1]);
    if (nested && (kind == &sn_ct_dot || kind == &sn_ct_graph || kind == &sn_ct_heads || kind == &sn_ct_general))
        return "it cannot make an operand that is a product itself";
    ct->kind = kind;
    ct->nested = sn_dim_const(0);
    ct->outer = (uint32_t)p->k->outer;
    ct->chunk = p->k->chunk;
    return kind->plan(p, ct);
}

/* What decides about the functions that kernels share, as far as it is the same for all kinds: about transforms, which are longer and serve any extent, in
 * the upper half; about micro-kernels in the lower: the block and the constant extents, in any order, since a data gradient back to the same
 * channels calls what its convolution calls. */
static uint64_t kin_of(const sn_ct *ct, uint64_t kind)
{
    uint64_t extents = 0;
    for (int l = 0; l < ct->facts.spec->loops; l++)
        if (sn_dim_is_const(ct->facts.loop[l].extent))
            extents += XXH3_64bits(&ct->facts.loop[l].extent.v, sizeof ct->facts.loop[l].extent.v);
    const uint64_t transforms[] = {kind, ct->transforms}, micro[] = {(uint64_t)ct->cost.block.rows, (uint64_t)ct->cost.block.vectors, extents};
    return XXH3_64bits(transforms, sizeof transforms) << 32 | XXH3_64bits(micro, sizeof micro) >> 32;
}

static bool contract_plan(sn_plan *p)
{
    sn_ct *ct = sn_new(p->arena, sn_ct);
    const sn_node *anchor = sn_at(p->g, p->k->anchor);
    ct->anchor = p->k->anchor;
    ct->operand[SN_AT_A] = anchor->arg[0];
    ct->operand[SN_AT_B] = anchor->arg[1];
    sn_contract_facts_get(p->g, anchor, &ct->facts);
    p->form = ct;
    for (int i = 0; i < KINDS; i++)
        if (!plan_as(p, ct, kinds[i])) {
            p->call[ct->main].macs = macs_of(p, ct);
            p->kin = kin_of(ct, (uint64_t)i);
            return true;
        }
    return sn_plan_fail(p, "contract: no kernel for this contraction");
}

/* Planned as every kind, beside the plan. */
static void contract_explain(const sn_plan *p)
{
    const sn_ct *chosen = p->form;
    sn_ct_verdict v[KINDS];
    for (int i = 0; i < KINDS; i++) {
        sn_plan plan = *p;
        sn_ct   ct = *chosen;
        plan.calls = plan.temps = 0;
        v[i] = (sn_ct_verdict){.kind = kinds[i], .no = plan_as(&plan, &ct, kinds[i])};
        v[i].cost = ct.cost;
    }
    sn_ct_explain(p, chosen, v, KINDS);
}

static bool contract_emit(sn_kb *kb)
{
    sn_ct *ct = kb->plan->form;
    return ct->kind->emit(kb, ct);
}

const sn_generator sn_kernel_contract = {.name = "contract", .plan = contract_plan, .explain = contract_explain, .emit = contract_emit};

/* ---- tiles ---- */

sn_dim sn_ct_tiles(sn_plan *p, const sn_ct *ct)
{
    const sn_type *t = &ct->facts.type[SN_AT_OUT];
    if (t->rank == 0)
        return sn_dim_const(1);
    sn_dim n = sn_dim_ceil_div(p->dims, t->dim[ct->outer], ct->chunk);
    for (uint32_t i = ct->outer; i > 0; i--)
        n = sn_dim_mul(p->dims, t->dim[i - 1], n);
    return n;
}

sn_ct_tile sn_ct_tile_of(sn_kb *kb, const sn_ct *ct, LLVMValueRef number)
{
    const sn_type *t = &ct->facts.type[SN_AT_OUT];
    sn_ct_tile tile = {.number = number, .from = sn_kb_i64(kb, 0), .to = sn_kb_i64(kb, 1)};
    if (t->rank == 0)
        return tile;
    LLVMValueRef extent = sn_kb_dim(kb, t->dim[ct->outer]), left = number;
    LLVMValueRef chunks = sn_kb_idiv(kb, sn_kb_iadd(kb, extent, sn_kb_i64(kb, ct->chunk - 1)), sn_kb_i64(kb, ct->chunk));
    if (ct->outer > 0)
        left = sn_kb_irem(kb, number, chunks);
    tile.from = sn_kb_imul(kb, left, sn_kb_i64(kb, ct->chunk));
    tile.to = sn_kb_imin(kb, sn_kb_iadd(kb, tile.from, sn_kb_i64(kb, ct->chunk)), extent);
    LLVMValueRef rest = ct->outer > 0 ? sn_kb_idiv(kb, number, chunks) : NULL;
    for (uint32_t i = ct->outer; i > 0; i--) {
        LLVMValueRef d = sn_kb_dim(kb, t->dim[i - 1]);
        tile.at[i - 1] = i > 1 ? sn_kb_irem(kb, rest, d) : rest;
        rest = i > 1 ? sn_kb_idiv(kb, rest, d) : NULL;
    }
    return tile;
}

LLVMValueRef sn_ct_sample_of(sn_kb *kb, const sn_ct *ct, const sn_ct_tile *tile, int tensor)
{
    LLVMValueRef sample = sn_kb_i64(kb, 0);
    for (uint32_t i = 0; i < ct->outer; i++)
        if (ct->facts.loop[ct->facts.spec->at[SN_AT_OUT][i].loop[0]].count[tensor])
            sample = sn_kb_iadd(kb, sn_kb_imul(kb, sample, sn_kb_dim(kb, ct->facts.type[SN_AT_OUT].dim[i])), tile->at[i]);
    return sample;
}

/* ---- epilogue ---- */

static uint32_t keep_of(const sn_node *sums) { return (uint32_t)(sums->type.rank - 1); }

LLVMValueRef sn_ct_sums_row(sn_kb *kb, sn_ref r, const sn_ct_tile *tile, LLVMValueRef *out_size)
{
    const sn_node *n = sn_at(kb->g, r);
    LLVMValueRef size = sn_kb_i64(kb, 1);
    for (uint8_t i = 1; i < n->type.rank; i++)
        size = sn_kb_imul(kb, size, sn_kb_dim(kb, n->type.dim[i]));
    *out_size = size;
    return sn_kb_ptr(kb, sn_kb_memory(kb, r), sn_kb_imul(kb, tile->number, size));
}

void sn_ct_clear_sums(sn_kb *kb, const sn_ct *ct, const sn_ct_tile *tile)
{
    (void)ct;
    for (uint32_t i = 0; i < kb->k->outs; i++) {
        if (!sn_ct_is_sums(kb->g, kb->k->out[i]))
            continue;
        LLVMValueRef size, row = sn_ct_sums_row(kb, kb->k->out[i], tile, &size);
        sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), size, 1, NULL, 0);
        sn_kb_store(kb, row, l.i, sn_kb_zero(kb, 1), NULL);
        sn_kb_endfor(kb, &l, NULL);
    }
}

void sn_ct_add_sums(sn_kb *kb, sn_ref r, const sn_ct_tile *tile, const sn_val *at)
{
    const sn_node *n = sn_at(kb->g, r);
    uint32_t keep = keep_of(n), rank = sn_at(kb->g, n->arg[0])->type.rank;
    LLVMValueRef v = sn_kb_number(kb, sn_kb_value(kb, n->arg[0], at)), size, row = sn_ct_sums_row(kb, r, tile, &size);
    sn_type kept = {.rank = (uint8_t)keep};
    for (uint32_t i = 0; i < keep; i++)
        kept.dim[i] = n->type.dim[i + 1];
    sn_val offset = sn_kb_offset(kb, &kept, at + (rank - keep));
    LLVMValueRef mask = kb->lanes == 1 ? NULL : kb->mask;
    if (kb->lanes > 1 && offset.ir.lane == 0) { /* the lane axis itself is summed */
        v = mask ? LLVMBuildSelect(kb->b, mask, v, sn_kb_zero(kb, kb->lanes), "") : v;
        v = sn_kb_hsum(kb, v);
        mask = NULL;
    }
    uint32_t lanes = offset.ir.lane == 0 ? 1 : kb->lanes;
    LLVMValueRef old = sn_kb_load(kb, row, offset.ir.value, lanes, mask);
    sn_kb_store(kb, row, offset.ir.value, LLVMBuildFAdd(kb->b, old, v, ""), mask);
}

static sn_val given_value(sn_kb *kb, void *context, sn_ref r, const sn_val *at)
{
    (void)kb;
    (void)r;
    (void)at;
    return sn_kb_wrap(context);
}

void sn_ct_store(sn_kb *kb, const sn_ct *ct, const sn_ct_tile *tile, const sn_val *at, LLVMValueRef value)
{
    uint32_t mark = sn_kb_mark(kb);
    sn_kb_bind(kb, ct->anchor, given_value, value);
    for (uint32_t i = 0; i < kb->k->outs; i++) {
        sn_ref r = kb->k->out[i];
        if (sn_ct_is_sums(kb->g, r))
            sn_ct_add_sums(kb, r, tile, at);
        else
            sn_kb_store_at(kb, sn_kb_memory(kb, r), &sn_at(kb->g, r)->type, at, sn_kb_value(kb, r, at));
    }
    sn_kb_bind(kb, ct->anchor, NULL, NULL);
    sn_kb_forget(kb, mark);
}
