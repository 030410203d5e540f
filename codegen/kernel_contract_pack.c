/* Packing: operands copied once, prologue applied, to where the micro-kernel reads them.
 * Not the products. */
#include <string.h>

#include "kernel_contract.h"

int64_t sn_ct_ceil(int64_t a, int64_t b) { return (a + b - 1) / b * b; }

/* ---- position tensors: frames as rows ---- */

bool sn_ct_const_extent(const sn_contract_facts *f, uint8_t loop, int64_t *out)
{
    sn_dim e = f->loop[loop].extent;
    *out = e.v;
    return sn_dim_is_const(e) && e.v > 0;
}

sn_refusal sn_ct_open(const sn_plan *p, const sn_contract_facts *f, uint8_t loop)
{
    char extent[128] = "";
    if (p->why)
        sn_dim_text(p->dims, f->loop[loop].extent, extent, sizeof extent);
    return sn_plan_no(p, "loop %s of %s has no constant extent", f->spec->name[loop], extent);
}

sn_refusal sn_ct_scratch(const sn_plan *p, int64_t bytes)
{
    return bytes > SN_CT_MAX_SCRATCH ? sn_plan_no(p, "it needs %lld MiB of scratch a thread", (long long)bytes >> 20) : NULL;
}

sn_refusal sn_ct_sums_fit(const sn_plan *p, int64_t floats)
{
    return floats > SN_CT_MAX_SUMS ? sn_plan_no(p, "its sums are %lld MiB", (long long)floats >> 18) : NULL;
}

sn_refusal sn_ct_neither(const sn_plan *p, sn_refusal one, sn_refusal other)
{
    return strcmp(one, other) == 0 ? one : sn_plan_no(p, "%s; or else %s", one, other);
}

int64_t sn_ct_bands(const sn_contract_facts *f, const sn_product *p)
{
    return p->band == UINT8_MAX ? 1 : f->loop[p->band].extent.v;
}

sn_gemm_block sn_ct_band_block(const sn_plan *p, int64_t rows, int64_t columns, bool several)
{
    int64_t       lanes = p->target->lanes, vectors = (columns + lanes - 1) / lanes;
    sn_gemm_block block = sn_gemm_block_choose(p->target->registers, rows, vectors, NULL);
    while (several && columns % (block.vectors * lanes))
        block = sn_gemm_block_choose(p->target->registers, rows, --vectors, NULL);
    return block;
}

bool sn_ct_axes_are(const sn_contract_facts *f, int tensor, uint32_t from, const uint8_t *loop, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (f->spec->at[tensor][from + i].loop[0] != loop[i])
            return false;
    return true;
}

static bool is_run(const sn_plan *plan, const sn_ct *ct, const sn_ct_pack *p)
{
    return p->columns >= 2 && !sn_plan_in_body(plan, ct->operand[p->tensor]) &&
           sn_ct_axes_are(&ct->facts, p->tensor, ct->facts.spec->rank[p->tensor] - p->columns, p->column, p->columns);
}

sn_refusal sn_ct_pack_plan(const sn_plan *plan, const sn_ct *ct, sn_ct_pack *p)
{
    const sn_contract_facts *f = &ct->facts;
    const int64_t lanes = plan->target->lanes;
    int64_t n;
    p->inner_rows = p->width = 1;
    for (uint32_t i = 0; i < p->inners; i++) {
        if (!sn_ct_const_extent(f, p->inner[i], &n))
            return sn_plan_no(plan, "in what it packs, %s", sn_ct_open(plan, f, p->inner[i]));
        p->inner_rows *= n;
    }
    if (p->columns == 0)
        return "an operand has no columns";
    for (uint32_t i = 0; i < p->columns; i++) {
        if (!sn_ct_const_extent(f, p->column[i], &n))
            return sn_plan_no(plan, "in what it packs, %s", sn_ct_open(plan, f, p->column[i]));
        p->width *= n;
    }
    p->run = is_run(plan, ct, p);
    /* A vector may run over the end of the row by less than a vector. */
    p->stride = sn_ct_ceil(p->run ? p->width : p->width - n + sn_ct_ceil(n, lanes), lanes);
    if (p->stride % 64 == 0) /* rows of one column would share few cache sets */
        p->stride += lanes;
    if (p->width > 1 << 20 || p->inner_rows > 1 << 20)
        return sn_plan_no(plan, "a frame to pack is too large: %lld rows of %lld", (long long)p->inner_rows, (long long)p->width);
    return NULL;
}

double sn_ct_pack_cost(const sn_plan *plan, const sn_ct_pack *p)
{
    return (double)p->slots * (2.0 * (double)(p->inner_rows * p->stride) / plan->target->lanes + sn_ct_mix_cost(plan, p));
}

int64_t sn_ct_pack_last(const sn_ct_pack *p)
{
    int64_t last = 0;
    for (uint32_t g = 0; g < p->groups; g++) {
        int64_t end = p->group[g].start + (p->group[g].count - 1) * p->group[g].step;
        last = end > last ? end : last;
    }
    return last;
}

LLVMValueRef sn_ct_pack_end(sn_kb *kb, const sn_ct_pack *p, LLVMValueRef column)
{
    const int64_t whole = sn_ct_ceil(p->width, kb->lanes);
    LLVMValueRef end = sn_kb_iadd(kb, column, sn_kb_i64(kb, p->part));
    return p->part && whole % p->part ? sn_kb_imin(kb, end, sn_kb_i64(kb, whole)) : end;
}

typedef struct packing {
    sn_kb           *kb;
    sn_ct           *ct;
    const sn_ct_pack *p;
    LLVMValueRef    *loop;  /* values of the loops known so far */
    LLVMValueRef     frame, to; /* source frame; address of the row being written */
    LLVMValueRef     column;    /* first column of a part */
} packing;

/* One vector of the row: lanes of the last column loop from `at` on. */
static void pack_vector(packing *k, LLVMValueRef at, LLVMValueRef offset, LLVMValueRef mask)
{
    sn_kb *kb = k->kb;
    const sn_contract *c = k->ct->facts.spec;
    uint8_t lane = k->p->column[k->p->columns - 1];
    sn_val index[SN_MAX_RANK];
    for (int i = 0; i < c->rank[k->p->tensor]; i++) {
        uint8_t l = c->at[k->p->tensor][i].loop[0];
        if (i == k->p->frame_axis)
            index[i] = sn_kb_index(kb, k->frame, 0);
        else
            index[i] = l == lane ? sn_kb_index(kb, at, 1) : sn_kb_index(kb, k->loop[l], 0);
    }
    kb->mask = mask;
    LLVMValueRef v = sn_kb_number(kb, sn_kb_value(kb, k->ct->operand[k->p->tensor], index));
    kb->mask = NULL;
    if (mask)
        v = LLVMBuildSelect(kb->b, mask, v, sn_kb_zero(kb, kb->lanes), "");
    sn_kb_store(kb, k->to, sn_kb_iadd(kb, offset, at), v, NULL);
}

/* A whole row that is one run. */
static void pack_run(packing *k)
{
    sn_kb *kb = k->kb;
    const sn_contract *c = k->ct->facts.spec;
    sn_val index[SN_MAX_RANK];
    for (uint32_t i = 0; i < k->p->columns; i++)
        k->loop[k->p->column[i]] = sn_kb_i64(kb, 0);
    for (int i = 0; i < c->rank[k->p->tensor]; i++)
        index[i] = sn_kb_index(kb, i == k->p->frame_axis ? k->frame : k->loop[c->at[k->p->tensor][i].loop[0]], 0);
    LLVMValueRef memory = sn_kb_memory(kb, k->ct->operand[k->p->tensor]);
    LLVMValueRef from = sn_kb_ptr(kb, memory, sn_kb_offset(kb, &k->ct->facts.type[k->p->tensor], index).ir.value);
    const int64_t lanes = kb->lanes, whole = k->p->width / lanes * lanes;
    sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, whole), lanes, NULL, 0);
    sn_kb_store(kb, k->to, l.i, sn_kb_load(kb, from, l.i, kb->lanes, NULL), NULL);
    sn_kb_endfor(kb, &l, NULL);
    if (k->p->width > whole) {
        LLVMValueRef at = sn_kb_i64(kb, whole), mask = sn_kb_tail(kb, sn_kb_i64(kb, k->p->width - whole), kb->lanes);
        sn_kb_store(kb, k->to, at, sn_kb_load(kb, from, at, kb->lanes, mask), NULL);
    }
}

static void pack_column(packing *k, uint32_t depth, LLVMValueRef offset)
{
    sn_kb *kb = k->kb;
    int64_t n = k->ct->facts.loop[k->p->column[depth]].extent.v, lanes = kb->lanes, whole = n / lanes;
    if (depth + 1 < k->p->columns) {
        sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, n), 1, NULL, 0);
        k->loop[k->p->column[depth]] = l.i;
        int64_t step = 1;
        for (uint32_t i = depth + 1; i < k->p->columns; i++)
            step *= k->ct->facts.loop[k->p->column[i]].extent.v;
        pack_column(k, depth + 1, sn_kb_iadd(kb, offset, sn_kb_imul(kb, l.i, sn_kb_i64(kb, step))));
        sn_kb_endfor(kb, &l, NULL);
        return;
    }
    if (k->p->part) {
        sn_loop l = sn_kb_for(kb, k->column, sn_ct_pack_end(kb, k->p, k->column), lanes, NULL, 0);
        pack_vector(k, l.i, offset, n % lanes ? sn_kb_tail(kb, sn_kb_isub(kb, sn_kb_i64(kb, n), l.i), kb->lanes) : NULL);
        sn_kb_endfor(kb, &l, NULL);
        return;
    }
    if (whole <= 4) {
        for (int64_t i = 0; i < whole; i++)
            pack_vector(k, sn_kb_i64(kb, i * lanes), offset, NULL);
    } else {
        sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, whole * lanes), lanes, NULL, 0);
        pack_vector(k, l.i, offset, NULL);
        sn_kb_endfor(kb, &l, NULL);
    }
    if (n % lanes)
        pack_vector(k, sn_kb_i64(kb, whole * lanes), offset, sn_kb_tail(kb, sn_kb_i64(kb, n % lanes), (uint32_t)lanes));
}

/* The rows of one frame; `row` counts inner rows so far. */
static void pack_inner(packing *k, uint32_t depth, LLVMValueRef row, LLVMValueRef base)
{
    sn_kb *kb = k->kb;
    if (depth == k->p->inners) {
        k->to = sn_kb_ptr(kb, base, sn_kb_imul(kb, row, sn_kb_i64(kb, k->p->stride)));
        if (k->p->run)
            pack_run(k);
        else
            pack_column(k, 0, sn_kb_i64(kb, 0));
        return;
    }
    int64_t n = k->ct->facts.loop[k->p->inner[depth]].extent.v;
    sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, n), 1, NULL, 0);
    k->loop[k->p->inner[depth]] = l.i;
    pack_inner(k, depth + 1, sn_kb_iadd(kb, sn_kb_imul(kb, row, sn_kb_i64(kb, n)), l.i), base);
    sn_kb_endfor(kb, &l, NULL);
}

static void clear(sn_kb *kb, LLVMValueRef base, int64_t floats)
{
    sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, floats), kb->lanes, NULL, 0);
    sn_kb_store(kb, base, l.i, sn_kb_zero(kb, kb->lanes), NULL);
    sn_kb_endfor(kb, &l, NULL);
}

void sn_ct_pack_emit(sn_kb *kb, sn_ct *ct, const sn_ct_pack *p, LLVMValueRef *loop, LLVMValueRef frame, LLVMValueRef column, LLVMValueRef to)
{
    packing k = {.kb = kb, .ct = ct, .p = p, .loop = loop, .column = column};
    int64_t floats = p->inner_rows * p->stride;
    LLVMValueRef extent = sn_kb_dim(kb, ct->facts.type[p->tensor].dim[p->frame_axis]);
    for (uint32_t g = 0; g < p->groups; g++) {
        const sn_ct_frames *q = &p->group[g];
        sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, q->count), 1, NULL, 0);
        k.frame = sn_kb_iadd(kb, frame, sn_kb_iadd(kb, sn_kb_imul(kb, l.i, sn_kb_i64(kb, q->step)), sn_kb_i64(kb, q->start)));
        LLVMValueRef slot = sn_kb_iadd(kb, l.i, sn_kb_i64(kb, q->slot));
        LLVMValueRef base = sn_kb_ptr(kb, to, sn_kb_imul(kb, slot, sn_kb_i64(kb, floats)));
        sn_if inside = sn_kb_if(kb, LLVMBuildICmp(kb->b, LLVMIntULT, k.frame, extent, ""));
        if (p->mix)
            sn_ct_mix_frame(kb, ct, p, loop, k.frame, base);
        else
            pack_inner(&k, 0, sn_kb_i64(kb, 0), base);
        sn_kb_else(kb, &inside);
        clear(kb, base, floats);
        sn_kb_endif(kb, &inside);
        sn_kb_endfor(kb, &l, NULL);
    }
}

/* ---- weights: panels of columns ---- */

LLVMValueRef sn_ct_pack_column(sn_kb *kb, const sn_ct *ct, const sn_ct_pack *p, const LLVMValueRef *loop)
{
    LLVMValueRef flat = sn_kb_i64(kb, 0);
    for (uint32_t i = 0; i < p->columns; i++) {
        LLVMValueRef n = sn_kb_i64(kb, ct->facts.loop[p->column[i]].extent.v);
        flat = sn_kb_iadd(kb, sn_kb_imul(kb, flat, n), loop[p->column[i]]);
    }
    return flat;
}

/* Loop values of a flattened index over constant extents, last fastest. */
static void unflatten(sn_kb *kb, const sn_contract_facts *f, const uint8_t *loop, uint32_t n, LLVMValueRef flat, LLVMValueRef *value)
{
    for (uint32_t i = n; i > 0; i--) {
        LLVMValueRef e = sn_kb_i64(kb, f->loop[loop[i - 1]].extent.v);
        value[loop[i - 1]] = i > 1 ? sn_kb_irem(kb, flat, e) : flat;
        if (i > 1)
            flat = sn_kb_idiv(kb, flat, e);
    }
}

static sn_val weight_at(sn_kb *kb, sn_ct *ct, const sn_ct_panels *w, LLVMValueRef *loop, int64_t lane)
{
    const sn_contract *c = ct->facts.spec;
    sn_val index[SN_MAX_RANK];
    for (int i = 0; i < c->rank[w->tensor]; i++) {
        uint8_t l = c->at[w->tensor][i].loop[0];
        index[i] = sn_kb_index(kb, loop[l], l == w->column[w->columns - 1] ? lane : 0);
    }
    return sn_kb_value(kb, ct->operand[w->tensor], index);
}

/* Columns from `column` on, as one vector; those beyond the width are zero. */
static LLVMValueRef weight_vector(sn_kb *kb, sn_ct *ct, const sn_ct_panels *w, LLVMValueRef *loop, LLVMValueRef column)
{
    LLVMValueRef mask = NULL;
    if (w->blocks * w->vectors * kb->lanes > w->width) {
        mask = sn_kb_tail(kb, sn_kb_isub(kb, sn_kb_i64(kb, w->width), column), kb->lanes);
        column = sn_kb_imin(kb, column, sn_kb_i64(kb, (w->width - 1) / kb->lanes * kb->lanes)); /* vectors of padding alone */
    }
    unflatten(kb, &ct->facts, w->column, w->columns, column, loop);
    kb->mask = mask;
    LLVMValueRef v = sn_kb_number(kb, weight_at(kb, ct, w, loop, 1));
    kb->mask = NULL;
    return mask ? LLVMBuildSelect(kb->b, mask, v, sn_kb_zero(kb, kb->lanes), "") : v;
}

LLVMValueRef sn_ct_panels_vector(sn_kb *kb, sn_ct *ct, const sn_ct_panels *w, LLVMValueRef *loop, LLVMValueRef row, LLVMValueRef column)
{
    unflatten(kb, &ct->facts, w->row, w->rows, row, loop);
    return weight_vector(kb, ct, w, loop, column);
}

static void pack_row(sn_kb *kb, sn_ct *ct, const sn_ct_panels *w, LLVMValueRef *loop, LLVMValueRef block, LLVMValueRef to)
{
    for (int64_t j = 0; j < w->vectors; j++) {
        LLVMValueRef column = sn_kb_iadd(kb, sn_kb_imul(kb, block, sn_kb_i64(kb, w->vectors * kb->lanes)), sn_kb_i64(kb, j * kb->lanes));
        LLVMValueRef v = weight_vector(kb, ct, w, loop, column);
        sn_kb_store(kb, to, sn_kb_i64(kb, j * kb->lanes), v, NULL);
    }
}

sn_dim sn_ct_panels_tiles(const sn_ct_panels *w) { return sn_dim_const(w->blocks * w->taps); }

void sn_ct_panels_emit(sn_kb *kb, sn_ct *ct, const sn_ct_panels *w, LLVMValueRef to)
{
    LLVMValueRef loop[SN_MAX_LOOPS], order = NULL;
    int64_t panel = w->vectors * kb->lanes;
    sn_gemm_env e = sn_ct_env(kb);
    if (w->tap != UINT8_MAX)
        order = sn_gemm_table(&e, w->tap_order, (uint32_t)w->taps);
    sn_loop tile = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0); /* one tap of one block */
    LLVMValueRef block = sn_kb_idiv(kb, tile.i, sn_kb_i64(kb, w->taps)), nth = sn_kb_irem(kb, tile.i, sn_kb_i64(kb, w->taps));
    if (w->tap != UINT8_MAX)
        loop[w->tap] = LLVMBuildLoad2(kb->b, kb->i64, LLVMBuildInBoundsGEP2(kb->b, kb->i64, order, &nth, 1, ""), "");
    LLVMValueRef base = sn_kb_ptr(kb, to, sn_kb_imul(kb, tile.i, sn_kb_i64(kb, w->depth * panel)));
    sn_loop row = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, w->depth), 1, NULL, 0);
    unflatten(kb, &ct->facts, w->row, w->rows, row.i, loop);
    pack_row(kb, ct, w, loop, block, sn_kb_ptr(kb, base, sn_kb_imul(kb, row.i, sn_kb_i64(kb, panel))));
    sn_kb_endfor(kb, &row, NULL);
    sn_kb_endfor(kb, &tile, NULL);
}
