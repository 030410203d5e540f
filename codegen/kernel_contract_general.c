/* Any contraction as a loop nest: the points of the result outside, the sum inside.
 * Not the fast path of large products; correct for every rank, any number of windows, windows in the result, repeated loops.
 *
 * A result index that is one loop fixes it.  One that is not (a window in the result: the gradient of a convolution) is solved for one
 * of its loops, and the others are summed over:  j = s*t + d*k - p  gives  t = (j - d*k + p) / s  where that is whole and in range.
 * Lanes run along the last result axis, or along a summed loop (added up at the end in a fixed order) when operands are contiguous there.
 */
#include "kernel_contract.h"

typedef enum lane_mode { LANE_NONE, LANE_OUT, LANE_SUM } lane_mode;

typedef struct solve { int axis, loop, term; } solve; /* result axis `axis` gives `loop`; loop < 0: a condition only */

typedef struct general { /* the plan: order of things */
    lane_mode mode;
    int       lane;                      /* the loop with lanes, or -1 */
    int       fixed[SN_MAX_RANK];        /* loop fixed by result axis i, or -1 */
    solve     later[SN_MAX_RANK];  int laters; /* windowed or repeated result axes, in order */
    int       sum[SN_MAX_LOOPS];   int sums;   /* loops summed over, outermost first */
} general;

typedef struct nest { /* emission */
    sn_kb         *kb;
    sn_ct         *ct;
    const general *gen;
    sn_ct_tile     tile;
    sn_val         loop[SN_MAX_LOOPS], at[SN_MAX_RANK];
    LLVMValueRef   sum_mask;
} nest;

/* ---- plan ---- */

/* Loop of a windowed result axis to solve for: not known yet, preferring run-time extents, then large ones, so that the sum is short. */
static int best_loop(const sn_contract_facts *f, const sn_affine *at, const bool *known, int *term)
{
    int best = -1;
    for (int k = 0; k < at->terms; k++) {
        int l = at->loop[k];
        if (known[l])
            continue;
        sn_dim e = f->loop[l].extent, b = best >= 0 ? f->loop[best].extent : sn_dim_const(0);
        bool open = !sn_dim_is_const(e), best_open = !sn_dim_is_const(b);
        if (best < 0 || (open && !best_open) || (!open && !best_open && e.v > b.v)) {
            best = l;
            *term = k;
        }
    }
    return best;
}

static void solve_result(const sn_contract_facts *f, general *gen)
{
    bool known[SN_MAX_LOOPS] = {false};
    const sn_contract *c = f->spec;
    for (int i = 0; i < c->rank[SN_AT_OUT]; i++) {
        gen->fixed[i] = -1;
        if (sn_contract_windowed(f, SN_AT_OUT, i) || known[c->at[SN_AT_OUT][i].loop[0]])
            continue;
        gen->fixed[i] = c->at[SN_AT_OUT][i].loop[0];
        known[gen->fixed[i]] = true;
    }
    for (int i = 0; i < c->rank[SN_AT_OUT]; i++) {
        if (gen->fixed[i] >= 0)
            continue;
        solve *s = &gen->later[gen->laters++];
        *s = (solve){.axis = i};
        s->loop = best_loop(f, &c->at[SN_AT_OUT][i], known, &s->term);
        if (s->loop >= 0)
            known[s->loop] = true;
    }
    for (int l = 0; l < c->loops; l++)
        if (!known[l])
            gen->sum[gen->sums++] = l;
}

/* May lanes run along loop l?  Never where it decides what is inside. */
static bool lane_legal(const sn_contract_facts *f, int l) { return !f->loop[l].window; }

/* Contiguous or constant along the loop in tensor t. */
static bool lane_smooth(const sn_contract_facts *f, int l, int t)
{
    return f->loop[l].count[t] == 0 || (f->loop[l].count[t] == 1 && f->loop[l].alone[t] == f->spec->rank[t] - 1);
}

static void choose_lane(const sn_contract_facts *f, general *gen)
{
    int rank = f->spec->rank[SN_AT_OUT], last = rank > 0 ? gen->fixed[rank - 1] : -1;
    bool out = last >= 0 && lane_legal(f, last) && f->loop[last].count[SN_AT_OUT] == 1;
    gen->lane = -1;
    gen->mode = LANE_NONE;
    if (out && lane_smooth(f, last, SN_AT_A) && lane_smooth(f, last, SN_AT_B)) {
        gen->mode = LANE_OUT;
        gen->lane = last;
        return;
    }
    for (int i = gen->sums; i > 0; i--) {
        int l = gen->sum[i - 1];
        if (!lane_legal(f, l) || !lane_smooth(f, l, SN_AT_A) || !lane_smooth(f, l, SN_AT_B))
            continue;
        for (int k = i - 1; k + 1 < gen->sums; k++) /* innermost */
            gen->sum[k] = gen->sum[k + 1];
        gen->sum[gen->sums - 1] = l;
        gen->mode = LANE_SUM;
        gen->lane = l;
        return;
    }
    if (out) {
        gen->mode = LANE_OUT;
        gen->lane = last;
    }
}

/* Of one vector of products, some of whose lanes may be beyond the end: the latency of a sum that is one chain, and a load a lane where lanes are not side
 * by side in memory. */
static void predict(const sn_plan *p, sn_ct *ct, const general *gen)
{
    enum { CHAIN = 8 }; /* four cycles */
    const int64_t lanes = gen->mode == LANE_NONE ? 1 : p->target->lanes;
    int64_t n = lanes;
    if (gen->mode != LANE_NONE && !sn_ct_const_extent(&ct->facts, (uint8_t)gen->lane, &n))
        n = lanes;
    ct->cost = (sn_ct_cost){.macs = (double)n, .products = CHAIN * (double)(sn_ct_ceil(n, lanes) / lanes)};
    for (int t = 0; t < 2 && gen->mode == LANE_OUT; t++)
        ct->cost.moves += lane_smooth(&ct->facts, gen->lane, t) ? 0 : (double)sn_ct_ceil(n, lanes);
}

static sn_refusal general_plan(sn_plan *p, sn_ct *ct)
{
    general *gen = sn_new(p->arena, general);
    const sn_type *t = &ct->facts.type[SN_AT_OUT];
    ct->data = gen;
    solve_result(&ct->facts, gen);
    choose_lane(&ct->facts, gen);
    if (!p->k->tiled) {
        ct->outer = t->rank > 1 ? t->rank - 2u : 0;
        ct->chunk = t->rank > 1 ? 1 : 4 * (int64_t)p->target->lanes;
    }
    sn_plan_add(p, sn_ct_tiles(p, ct), sn_dim_const(0), true);
    predict(p, ct, gen);
    return NULL;
}

/* ---- sum ---- */

static LLVMValueRef both(sn_kb *kb, LLVMValueRef a, LLVMValueRef b)
{
    return !a ? b : !b ? a : LLVMBuildAnd(kb->b, a, b, "");
}

static LLVMValueRef inside(sn_kb *kb, LLVMValueRef i, sn_dim extent)
{
    return LLVMBuildICmp(kb->b, LLVMIntULT, i, sn_kb_dim(kb, extent), ""); /* negative is large */
}

/* offset + coef * loop over the terms but `skip`. */
static sn_val affine(nest *n, const sn_affine *a, int skip)
{
    sn_emit *e = &n->kb->emit;
    sn_val v = e->index(e, a->offset);
    for (int k = 0; k < a->terms; k++)
        if (k != skip)
            v = e->iadd(e, v, e->imul(e, n->loop[a->loop[k]], e->index(e, a->coef[k])));
    return v;
}

/* Loops given by windowed result axes; returns when they exist. */
static LLVMValueRef solve_loops(nest *n)
{
    sn_kb *kb = n->kb;
    sn_emit *e = &kb->emit;
    LLVMValueRef cond = NULL;
    for (int i = 0; i < n->gen->laters; i++) {
        const solve *s = &n->gen->later[i];
        const sn_affine *a = &n->ct->facts.spec->at[SN_AT_OUT][s->axis];
        LLVMValueRef rest = e->isub(e, n->at[s->axis], affine(n, a, s->loop < 0 ? -1 : s->term)).ir.value;
        if (s->loop < 0) {
            cond = both(kb, cond, LLVMBuildICmp(kb->b, LLVMIntEQ, rest, sn_kb_i64(kb, 0), ""));
            continue;
        }
        int32_t coef = a->coef[s->term];
        LLVMValueRef t = rest;
        if (coef != 1) {
            LLVMValueRef by = sn_kb_i64(kb, coef);
            t = LLVMBuildSDiv(kb->b, rest, by, "");
            cond = both(kb, cond, LLVMBuildICmp(kb->b, LLVMIntEQ, LLVMBuildMul(kb->b, t, by, ""), rest, ""));
        }
        cond = both(kb, cond, inside(kb, t, n->ct->facts.loop[s->loop].extent));
        n->loop[s->loop] = sn_kb_index(kb, t, 0);
    }
    return cond;
}

static LLVMValueRef operand_index(nest *n, int t, sn_val *at, LLVMValueRef cond)
{
    const sn_contract_facts *f = &n->ct->facts;
    for (int i = 0; i < f->spec->rank[t]; i++) {
        at[i] = affine(n, &f->spec->at[t][i], -1);
        if (sn_contract_windowed(f, t, i))
            cond = both(n->kb, cond, inside(n->kb, at[i].ir.value, f->type[t].dim[i]));
    }
    return cond;
}

static LLVMValueRef product(nest *n, LLVMValueRef acc)
{
    sn_kb *kb = n->kb;
    sn_val at[2][SN_MAX_RANK];
    LLVMValueRef cond = solve_loops(n), outer = kb->guard;
    cond = operand_index(n, SN_AT_A, at[0], cond);
    cond = operand_index(n, SN_AT_B, at[1], cond);
    if (cond)
        kb->guard = both(kb, outer, cond);
    LLVMValueRef a = sn_kb_number(kb, sn_kb_value(kb, n->ct->operand[0], at[0]));
    LLVMValueRef b = sn_kb_number(kb, sn_kb_value(kb, n->ct->operand[1], at[1]));
    kb->guard = outer;
    LLVMValueRef next = sn_kb_fma(kb, a, b, acc);
    if (n->gen->mode == LANE_SUM && kb->mask)
        next = LLVMBuildSelect(kb->b, kb->mask, next, acc, "");
    return cond ? LLVMBuildSelect(kb->b, cond, next, acc, "") : next;
}

static LLVMValueRef sum_from(nest *n, int depth, LLVMValueRef acc)
{
    sn_kb *kb = n->kb;
    if (depth == n->gen->sums)
        return product(n, acc);
    int l = n->gen->sum[depth];
    bool lanes = n->gen->mode == LANE_SUM && l == n->gen->lane;
    sn_dim extent = n->ct->facts.loop[l].extent;
    LLVMValueRef to = sn_kb_dim(kb, extent);
    sn_loop loop = sn_kb_for(kb, sn_kb_i64(kb, 0), to, lanes ? kb->lanes : 1, &acc, 1);
    n->loop[l] = sn_kb_index(kb, loop.i, lanes);
    if (lanes)
        kb->mask = sn_dim_is_const(extent) && extent.v % kb->lanes == 0 ? NULL : sn_kb_tail(kb, sn_kb_isub(kb, to, loop.i), kb->lanes);
    LLVMValueRef next = sum_from(n, depth + 1, loop.carry[0]);
    if (lanes)
        kb->mask = NULL;
    sn_kb_endfor(kb, &loop, &next);
    return loop.carry[0];
}

/* ---- points of the result ---- */

static void point(nest *n)
{
    sn_kb *kb = n->kb;
    uint32_t lanes = kb->lanes;
    if (n->gen->mode == LANE_SUM)
        kb->lanes = kb->target->lanes;
    LLVMValueRef acc = sum_from(n, 0, sn_kb_zero(kb, kb->lanes));
    kb->lanes = lanes;
    if (n->gen->mode == LANE_SUM)
        acc = sn_kb_hsum(kb, acc);
    sn_ct_store(kb, n->ct, &n->tile, n->at, acc);
}

static void result_axis(nest *n, uint32_t axis)
{
    sn_kb *kb = n->kb;
    const sn_contract_facts *f = &n->ct->facts;
    const sn_type *t = &f->type[SN_AT_OUT];
    if (axis == t->rank) {
        point(n);
        return;
    }
    bool outer = axis < n->ct->outer, chunked = axis == n->ct->outer, lanes = kb->lanes > 1 && axis + 1 == t->rank;
    LLVMValueRef from = outer ? n->tile.at[axis] : chunked ? n->tile.from : sn_kb_i64(kb, 0);
    LLVMValueRef to = outer ? NULL : chunked ? n->tile.to : sn_kb_dim(kb, t->dim[axis]);
    sn_loop loop = {.i = from};
    if (!outer)
        loop = sn_kb_for(kb, from, to, lanes ? kb->lanes : 1, NULL, 0);
    n->at[axis] = sn_kb_index(kb, loop.i, lanes);
    if (n->gen->fixed[axis] >= 0)
        n->loop[n->gen->fixed[axis]] = n->at[axis];
    bool whole = !chunked && sn_dim_is_const(t->dim[axis]) && t->dim[axis].v % kb->lanes == 0;
    if (lanes)
        kb->mask = whole ? NULL : sn_kb_tail(kb, sn_kb_isub(kb, to, loop.i), kb->lanes);
    result_axis(n, axis + 1);
    if (lanes)
        kb->mask = NULL;
    if (!outer)
        sn_kb_endfor(kb, &loop, NULL);
}

static bool general_emit(sn_kb *kb, sn_ct *ct)
{
    nest n = {.kb = kb, .ct = ct, .gen = ct->data};
    sn_kb_begin(kb, 0);
    kb->lanes = n.gen->mode == LANE_OUT ? kb->target->lanes : 1;
    sn_loop tiles = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    n.tile = sn_ct_tile_of(kb, ct, tiles.i);
    sn_ct_clear_sums(kb, ct, &n.tile);
    result_axis(&n, 0);
    sn_kb_endfor(kb, &tiles, NULL);
    sn_kb_end(kb);
    return true;
}

const sn_ct_kind sn_ct_general = {.name = "general", .plan = general_plan, .emit = general_emit};
