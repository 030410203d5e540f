/* The REDUCE form: sums, largest elements and their places along axes, several at once, with what comes before and after.
 * Not sums over a kernel's tiles (partial_sum, kernel_map.c).
 *
 * After merging, axes alternate between kept and reduced.  If the last axis is kept, it runs in lanes and every lane has its own result
 * ("down"); otherwise lanes are partial results of one row and meet at its end ("across").
 *
 * Order and accuracy: at most RUN numbers a lane are added in f32, then the run is added in f64; short reductions stay in f32.  A large
 * reduction with few results is cut into PARTS of its first reduced axis; a second call adds the parts in order.
 */
#include <string.h>

#include "reduce.h"

enum { TILE = 8192, BLOCK = 4, WHOLE_ROW = 16, RUN = 64, PARTS = 16, FEW_TILES = 8, SHORT = 1024, LARGE = 65536 };

/* ---- plan ---- */

static int64_t known(sn_dim d, int64_t guess) { return sn_dim_is_const(d) ? d.v : guess; }

static uint32_t reduced_axes(const sn_node *n)
{
    uint32_t bits = 0;
    if (sn_op_get(n->op)->attrs == SN_ATTR_axis)
        return 1u << n->attrs.axis.axis;
    for (uint8_t i = 0; i < n->attrs.axes.n; i++)
        bits |= 1u << n->attrs.axes.axis[i];
    return bits;
}

static bool find_reds(sn_plan *p, sn_reduce *r, uint32_t *axes, const sn_type **space)
{
    const sn_node *anchor = sn_at(p->g, p->k->anchor);
    *axes = reduced_axes(anchor);
    *space = &sn_at(p->g, anchor->arg[0])->type;
    for (uint32_t i = 0; i < p->k->bodies; i++) {
        const sn_node *n = sn_at(p->g, p->k->body[i]);
        if (!sn_op_has(n->op, SN_REDUCE))
            continue;
        if (n->op != SN_OP_sum && n->op != SN_OP_amax && n->op != SN_OP_argmax)
            return sn_plan_fail(p, "operator %s is not a reduction of this form", sn_op_get(n->op)->name);
        if (reduced_axes(n) != *axes || !sn_type_equal(&sn_at(p->g, n->arg[0])->type, *space))
            return sn_plan_fail(p, "reductions over different shapes or axes in one kernel");
        if (r->reds == SN_MAX_REDS)
            return sn_plan_fail(p, "more than %d reductions in one kernel", SN_MAX_REDS);
        r->red[r->reds++] = (sn_red){p->k->body[i], n->arg[0], n->op};
        r->states += n->op == SN_OP_argmax ? 2 : 1;
    }
    return true;
}

static void sort_axes(sn_reduce *r, const sn_type *space, uint32_t axes)
{
    for (uint8_t i = 0; i < space->rank; i++)
        if ((axes >> i & 1) && !(sn_dim_is_const(space->dim[i]) && space->dim[i].v == 1))
            r->reduced[r->space->group[i]] = true;
    r->down = !r->reduced[r->rank - 1];
    for (uint8_t i = 0; i < r->rank; i++) {
        bool last = i == r->rank - 1;
        if (r->reduced[i] && !(last && !r->down))
            r->axis[r->axes++] = i;
        if (!r->reduced[i] && !(last && r->down))
            r->kept[r->keeps++] = i;
    }
}

/* Does the operand come from sums over tiles?  Then it is short, however symbolic its extent. */
static bool from_tiles(const sn_plan *p, sn_ref r)
{
    const sn_node *n = sn_at(p->g, r);
    if (!sn_plan_in_body(p, r))
        return sn_plan_is_tiles(p, r);
    for (uint8_t i = 0; i < n->args; i++)
        if (from_tiles(p, n->arg[i]))
            return true;
    return false;
}

static void choose_shape(sn_plan *p, sn_reduce *r)
{
    sn_dim last = r->dim[r->rank - 1];
    int64_t length = known(last, 1 << 20);
    r->terms = 1;
    for (uint8_t i = 0; i < r->rank; i++)
        if (r->reduced[i]) {
            r->terms *= known(r->dim[i], 1);
            r->open |= !sn_dim_is_const(r->dim[i]);
        }
    r->exact = r->open || r->terms > SHORT;
    r->lanes = p->target->lanes;
    while (r->lanes > 1 && (int64_t)r->lanes / 2 >= length)
        r->lanes /= 2;
    int64_t vectors = (length + r->lanes - 1) / r->lanes;
    r->rows = sn_dim_const(1);
    for (uint8_t i = 0; i < r->keeps; i++)
        r->rows = sn_dim_mul(p->dims, r->rows, r->dim[r->kept[i]]);
    bool few = known(r->rows, FEW_TILES) < FEW_TILES;
    r->split = few && known(r->rows, 1) * (r->down ? vectors : 1) < FEW_TILES && (r->open || r->terms > LARGE) && !from_tiles(p, r->red[0].of);
    uint32_t most = r->down && few && !r->split ? 1 : BLOCK;
    if (r->down && !r->exact && vectors <= WHOLE_ROW && p->target->registers >= 2 * WHOLE_ROW)
        most = WHOLE_ROW; /* a short sum of rows is read as it lies, not in columns */
    while (most > 1 && most * r->states > SN_MAX_CARRY / 2)
        most /= 2;
    r->width = vectors < most ? (uint32_t)vectors : most;
    r->width = r->width ? r->width : 1;
    r->blocks = r->down ? sn_dim_ceil_div(p->dims, last, (int64_t)r->width * r->lanes) : sn_dim_const(1);
    int64_t work = r->open ? TILE : r->terms * (r->down ? (int64_t)r->width * r->lanes : 1);
    r->group = r->split || work >= TILE ? 1 : TILE / (work > 0 ? work : 1);
}

static sn_dim units(sn_plan *p, const sn_reduce *r)
{
    return sn_dim_ceil_div(p->dims, sn_dim_mul(p->dims, r->rows, r->blocks), r->group);
}

static bool plan_reduce(sn_plan *p)
{
    sn_reduce *r = sn_new(p->arena, sn_reduce);
    const sn_type *space;
    uint32_t axes, apart = 0;
    if (!find_reds(p, r, &axes, &space))
        return false;
    for (uint32_t i = 0; i < r->reds; i++)
        if (r->red[i].op == SN_OP_argmax)
            apart |= axes | axes << 1; /* its place is counted along one axis */
    r->space = sn_space_make(p, space, apart);
    r->rank = r->space->rank;
    memcpy(r->dim, r->space->dim, sizeof r->dim);
    if (r->rank == 0)
        return sn_plan_fail(p, "reduction of a scalar");
    sort_axes(r, space, axes);
    choose_shape(p, r);
    p->form = r;
    if (!r->split) {
        sn_plan_add(p, units(p, r), sn_dim_const(0), true);
        return true;
    }
    sn_dim results = sn_dim_mul(p->dims, r->rows, r->down ? r->dim[r->rank - 1] : sn_dim_const(1));
    for (uint32_t i = 0; i < r->states; i++) {
        uint32_t temp = sn_plan_temp(p, sn_dim_mul(p->dims, results, sn_dim_const(PARTS)));
        r->temp = i ? r->temp : temp;
    }
    sn_plan_call *parts = sn_plan_add(p, sn_dim_mul(p->dims, units(p, r), sn_dim_const(PARTS)), sn_dim_const(0), false);
    sn_plan_call *rest = sn_plan_add(p, units(p, r), sn_dim_const(0), false);
    for (uint32_t i = 0; i < p->k->ins; i++) {
        sn_plan_read(p, parts, i);
        sn_plan_read(p, rest, i);
    }
    for (uint32_t i = 0; i < r->states; i++) {
        sn_plan_write(p, parts, r->temp + i);
        sn_plan_read(p, rest, r->temp + i);
    }
    for (uint32_t i = 0; i < p->k->outs; i++)
        sn_plan_write(p, rest, p->k->ins + i);
    return true;
}

static void explain_reduce(const sn_plan *p)
{
    const sn_reduce *r = p->form;
    const char *terms = r->open ? "terms of no constant number" : sn_plan_no(p, "%lld terms", (long long)r->terms);
    bool sums = false;
    for (uint32_t i = 0; i < r->reds; i++)
        sums = sums || r->red[i].op == SN_OP_sum;
    sn_dim whole = sn_dim_ceil_div(p->dims, sn_dim_mul(p->dims, r->rows, r->blocks), r->group);
    char tiles[128];
    sn_dim_text(p->dims, whole, tiles, sizeof tiles);
    sn_plan_say(p, "  as reduce, its only form: lanes %s, %u vectors of %u at once\n",
                r->down ? "along the last axis, which is kept" : "along the last axis, which is reduced: they meet at its end", r->width, r->lanes);
    if (sums && r->exact)
        sn_plan_say(p, "    sums in f32 of %d terms a lane, in f64 of those: %s, in f32 alone are up to %d\n", RUN, terms, SHORT);
    else if (sums)
        sn_plan_say(p, "    sums in f32: %s, up to %d are\n", terms, SHORT);
    if (r->split)
        sn_plan_say(p, "    in %d parts, which a second call adds: as a whole it would be %s tiles of %s, fewer than %d for all threads\n", PARTS, tiles, terms, FEW_TILES);
    else
        sn_plan_say(p, "    whole: %s\n", from_tiles(p, r->red[0].of) ? "its terms are sums over tiles, which are few"
                                        : r->open || r->terms > LARGE ? sn_plan_no(p, "its tiles are enough for all threads, %d or more", FEW_TILES)
                                                                      : sn_plan_no(p, "%s, parts pay beyond %d", terms, LARGE));
}

typedef struct point {
    sn_kb        *kb;
    const sn_reduce *r;
    sn_val        at[SN_MAX_RANK];
    LLVMValueRef  part;        /* split: number of the part, else NULL */
    LLVMValueRef  row, column; /* number of the kept combination; down: first element of the block */
} point;

/* Where argmax is: along its axis, which is the only reduced one. */
static LLVMValueRef place_of(point *pt)
{
    sn_kb *kb = pt->kb;
    if (pt->r->down && pt->r->axes == 0) /* an axis of one element */
        return LLVMConstNull(sn_red_type(kb->i32, kb->lanes));
    uint8_t axis = pt->r->down ? pt->r->axis[0] : (uint8_t)(pt->r->rank - 1);
    if (!pt->r->down)
        return LLVMBuildTrunc(kb->b, sn_kb_lanes_of(kb, pt->at[axis]), sn_red_type(kb->i32, kb->lanes), "");
    return sn_kb_splat(kb, LLVMBuildTrunc(kb->b, pt->at[axis].ir.value, kb->i32, ""), kb->lanes);
}

/* Evaluate the operands at the point and bring them into the states s of one vector. */
static void take_vector(point *pt, LLVMValueRef *s)
{
    sn_kb *kb = pt->kb;
    for (uint32_t i = 0; i < pt->r->reds; i++) {
        const sn_red *d = &pt->r->red[i];
        const sn_type *t = &sn_at(kb->g, d->of)->type;
        LLVMValueRef x = sn_kb_number(kb, sn_kb_value(kb, d->of, &pt->at[pt->r->rank - t->rank]));
        bool sum = d->op == SN_OP_sum;
        if (kb->mask && !pt->r->down) {
            LLVMValueRef none = sum ? sn_kb_zero(kb, kb->lanes) : sn_kb_splat(kb, sn_kb_f32(kb, -__builtin_inf()), kb->lanes);
            x = LLVMBuildSelect(kb->b, kb->mask, x, none, "");
        }
        if (sum)
            *s = LLVMBuildFAdd(kb->b, *s, x, "");
        else
            sn_red_take_best(kb, s, x, d->op == SN_OP_argmax ? place_of(pt) : NULL, false);
        s += d->op == SN_OP_argmax ? 2 : 1;
    }
}

/* A block of the last axis from `at`; `left` elements of it are inside, NULL = all. */
static void take_block(point *pt, LLVMValueRef at, LLVMValueRef left, LLVMValueRef *s)
{
    sn_kb *kb = pt->kb;
    for (uint32_t v = 0; v < pt->r->width; v++) {
        uint32_t mark = sn_kb_mark(kb);
        LLVMValueRef skip = sn_kb_i64(kb, (int64_t)v * kb->lanes);
        kb->mask = left && kb->lanes > 1 ? sn_kb_tail(kb, sn_kb_isub(kb, left, skip), kb->lanes) : NULL;
        pt->at[pt->r->rank - 1] = sn_kb_index(kb, sn_kb_iadd(kb, at, skip), 1);
        take_vector(pt, s + v * pt->r->states);
        kb->mask = NULL;
        if (left)
            sn_kb_forget(kb, mark);
    }
}

/* ---- loops ---- */

typedef void step_fn(point *pt, LLVMValueRef i, LLVMValueRef *s);

/* for i in from..to by step, in runs if the sums are wide. */
static void loop_runs(point *pt, LLVMValueRef from, LLVMValueRef to, int64_t step, step_fn *fn, LLVMValueRef *s)
{
    sn_kb *kb = pt->kb;
    const sn_reduce *r = pt->r;
    uint32_t n = r->width * r->states;
    LLVMValueRef next[SN_MAX_CARRY], run[SN_MAX_CARRY];
    if (!r->exact) {
        sn_loop l = sn_kb_for(kb, from, to, step, s, n);
        memcpy(next, l.carry, n * sizeof *next);
        fn(pt, l.i, next);
        sn_kb_endfor(kb, &l, next);
        memcpy(s, l.carry, n * sizeof *s);
        return;
    }
    sn_loop outer = sn_kb_for(kb, from, to, step * RUN, s, n);
    memcpy(next, outer.carry, n * sizeof *next);
    sn_red_start_run(kb, r, next, run);
    LLVMValueRef end = sn_kb_imin(kb, to, sn_kb_iadd(kb, outer.i, sn_kb_i64(kb, step * RUN)));
    sn_loop inner = sn_kb_for(kb, outer.i, end, step, run, n);
    memcpy(run, inner.carry, n * sizeof *run);
    fn(pt, inner.i, run);
    sn_kb_endfor(kb, &inner, run);
    sn_red_merge_run(kb, r, next, inner.carry);
    sn_kb_endfor(kb, &outer, next);
    memcpy(s, outer.carry, n * sizeof *s);
}

typedef struct range { LLVMValueRef from, to; } range;

/* The whole axis, or the part's share of the first reduced one. */
static range range_of(point *pt, uint8_t axis, bool first)
{
    sn_kb *kb = pt->kb;
    LLVMValueRef extent = sn_kb_dim(kb, pt->r->dim[axis]);
    if (!pt->part || !first)
        return (range){sn_kb_i64(kb, 0), extent};
    LLVMValueRef size = sn_kb_idiv(kb, sn_kb_iadd(kb, extent, sn_kb_i64(kb, PARTS - 1)), sn_kb_i64(kb, PARTS));
    LLVMValueRef from = sn_kb_imul(kb, pt->part, size);
    return (range){from, sn_kb_imin(kb, extent, sn_kb_iadd(kb, from, size))};
}

static void step_down(point *pt, LLVMValueRef i, LLVMValueRef *s)
{
    sn_kb *kb = pt->kb;
    const sn_reduce *r = pt->r;
    pt->at[r->axis[r->axes - 1]] = sn_kb_index(kb, i, 0);
    sn_dim last = r->dim[r->rank - 1];
    int64_t block = (int64_t)r->width * kb->lanes;
    bool whole = sn_dim_is_const(last) && last.v % block == 0;
    take_block(pt, pt->column, whole ? NULL : sn_kb_isub(kb, sn_kb_dim(kb, last), pt->column), s);
}

static void step_across(point *pt, LLVMValueRef i, LLVMValueRef *s)
{
    take_block(pt, i, NULL, s);
}

/* The last axis of a row: whole blocks, then a masked one. */
static void take_across(point *pt, range x, LLVMValueRef *s)
{
    sn_kb *kb = pt->kb;
    const sn_reduce *r = pt->r;
    int64_t block = (int64_t)r->width * kb->lanes;
    uint32_t n = r->width * r->states;
    LLVMValueRef span = sn_kb_isub(kb, x.to, x.from);
    LLVMValueRef whole = sn_kb_isub(kb, x.to, sn_kb_irem(kb, sn_kb_imax(kb, span, sn_kb_i64(kb, 0)), sn_kb_i64(kb, block)));
    loop_runs(pt, x.from, whole, block, step_across, s);
    LLVMValueRef next[SN_MAX_CARRY], run[SN_MAX_CARRY];
    sn_loop rest = sn_kb_for(kb, whole, x.to, block, s, n); /* at most once */
    memcpy(next, rest.carry, n * sizeof *next);
    if (r->exact)
        sn_red_start_run(kb, r, next, run);
    else
        memcpy(run, next, n * sizeof *run);
    take_block(pt, rest.i, sn_kb_isub(kb, x.to, rest.i), run);
    if (r->exact)
        sn_red_merge_run(kb, r, next, run);
    sn_kb_endfor(kb, &rest, r->exact ? next : run);
    memcpy(s, rest.carry, n * sizeof *s);
}

/* Reduced axes from list position `i` on. */
static void take_axes(point *pt, uint8_t i, LLVMValueRef *s)
{
    sn_kb *kb = pt->kb;
    const sn_reduce *r = pt->r;
    if (i == r->axes && !r->down) {
        take_across(pt, range_of(pt, (uint8_t)(r->rank - 1), i == 0), s);
        return;
    }
    if (i == r->axes) { /* every reduced axis has size 1 */
        LLVMValueRef run[SN_MAX_CARRY];
        sn_red_start_run(kb, r, s, run);
        sn_dim last = r->dim[r->rank - 1];
        take_block(pt, pt->column, sn_kb_isub(kb, sn_kb_dim(kb, last), pt->column), run);
        if (r->exact)
            sn_red_merge_run(kb, r, s, run);
        else
            memcpy(s, run, r->width * r->states * sizeof *s);
        return;
    }
    range x = range_of(pt, r->axis[i], i == 0);
    if (r->down && i + 1 == r->axes) {
        loop_runs(pt, x.from, x.to, 1, step_down, s);
        return;
    }
    uint32_t n = r->width * r->states;
    LLVMValueRef next[SN_MAX_CARRY];
    sn_loop l = sn_kb_for(kb, x.from, x.to, 1, s, n);
    memcpy(next, l.carry, n * sizeof *next);
    pt->at[r->axis[i]] = sn_kb_index(kb, l.i, 0);
    take_axes(pt, (uint8_t)(i + 1), next);
    sn_kb_endfor(kb, &l, next);
    memcpy(s, l.carry, n * sizeof *s);
}

/* ---- results ---- */

static sn_val given(sn_kb *kb, void *context, sn_ref r, const sn_val *at)
{
    (void)kb, (void)r, (void)at;
    return sn_kb_wrap(context);
}

/* Bind the reductions to their results, evaluate and store every out at the row (and the vector's column). */
static void store_outs(point *pt, const LLVMValueRef *s, LLVMValueRef column)
{
    sn_kb *kb = pt->kb;
    const sn_reduce *r = pt->r;
    sn_val at[SN_MAX_RANK];
    uint32_t mark = sn_kb_mark(kb);
    for (uint8_t i = 0; i < r->rank; i++)
        at[i] = r->reduced[i] ? sn_kb_index(kb, sn_kb_i64(kb, 0), 0) : pt->at[i];
    if (r->down)
        at[r->rank - 1] = sn_kb_index(kb, column, 1);
    for (uint32_t i = 0; i < r->reds; i++) {
        sn_kb_bind(kb, r->red[i].node, given, sn_red_result(kb, r->red[i].op, s, kb->lanes));
        s += r->red[i].op == SN_OP_argmax ? 2 : 1;
    }
    for (uint32_t i = 0; i < kb->k->outs; i++) {
        sn_ref out = kb->k->out[i];
        const sn_type *t = &sn_at(kb->g, out)->type;
        const sn_val *own = &at[r->rank - t->rank];
        sn_kb_store_at(kb, sn_kb_memory(kb, out), t, own, sn_kb_value(kb, out, own));
    }
    for (uint32_t i = 0; i < r->reds; i++)
        sn_kb_bind(kb, r->red[i].node, NULL, NULL);
    sn_kb_forget(kb, mark);
}

/* Element of the private buffers for a row (and column) of a part. */
static LLVMValueRef temp_offset(point *pt, LLVMValueRef part, LLVMValueRef column)
{
    sn_kb *kb = pt->kb;
    LLVMValueRef at = sn_kb_iadd(kb, sn_kb_imul(kb, part, sn_kb_dim(kb, pt->r->rows)), pt->row);
    return pt->r->down ? sn_kb_iadd(kb, sn_kb_imul(kb, at, sn_kb_dim(kb, pt->r->dim[pt->r->rank - 1])), column) : at;
}

static void store_parts(point *pt, const LLVMValueRef *s, LLVMValueRef column)
{
    sn_kb *kb = pt->kb;
    const sn_reduce *r = pt->r;
    LLVMTypeRef type = sn_red_type(kb->f32, kb->lanes);
    for (uint32_t i = 0, n = 0; i < r->reds; i++) {
        bool two = r->red[i].op == SN_OP_argmax;
        LLVMValueRef offset = temp_offset(pt, pt->part, column), x = two ? s[n] : sn_red_result(kb, r->red[i].op, s + n, kb->lanes);
        sn_kb_store(kb, kb->buffer[r->temp + n], offset, x, kb->mask);
        n++;
        if (two) {
            sn_kb_store(kb, kb->buffer[r->temp + n], offset, LLVMBuildBitCast(kb->b, s[n], type, ""), kb->mask);
            n++;
        }
    }
}

/* Second call: the states of one vector from all parts, in order. */
static void load_parts(point *pt, LLVMValueRef column, LLVMValueRef *s)
{
    sn_kb *kb = pt->kb;
    const sn_reduce *r = pt->r;
    sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, PARTS), 1, s, r->states);
    LLVMValueRef next[SN_MAX_CARRY], offset = temp_offset(pt, l.i, column);
    memcpy(next, l.carry, r->states * sizeof *next);
    for (uint32_t i = 0, n = 0; i < r->reds; i++) {
        uint32_t parts = r->red[i].op == SN_OP_argmax ? 2 : 1;
        LLVMValueRef x[2];
        for (uint32_t j = 0; j < parts; j++)
            x[j] = sn_kb_load(kb, kb->buffer[r->temp + n + j], offset, kb->lanes, kb->mask);
        if (parts == 2)
            x[1] = LLVMBuildBitCast(kb->b, x[1], sn_red_type(kb->i32, kb->lanes), "");
        if (r->red[i].op == SN_OP_sum)
            x[0] = LLVMBuildFPExt(kb->b, x[0], sn_red_type(kb->f64, kb->lanes), "");
        sn_red_join(kb, r->red[i].op, next + n, x);
        n += parts;
    }
    sn_kb_endfor(kb, &l, next);
    memcpy(s, l.carry, r->states * sizeof *s);
}

/* What to do with the states of every vector of a down block. */
static void each_vector(point *pt, LLVMValueRef *s, bool second)
{
    sn_kb *kb = pt->kb;
    const sn_reduce *r = pt->r;
    sn_dim last = r->dim[r->rank - 1];
    bool whole = sn_dim_is_const(last) && last.v % ((int64_t)r->width * kb->lanes) == 0;
    for (uint32_t v = 0; v < r->width; v++) {
        LLVMValueRef column = sn_kb_iadd(kb, pt->column, sn_kb_i64(kb, (int64_t)v * kb->lanes));
        kb->mask = whole || kb->lanes == 1 ? NULL : sn_kb_tail(kb, sn_kb_isub(kb, sn_kb_dim(kb, last), column), kb->lanes);
        LLVMValueRef *mine = s + v * r->states;
        if (second)
            load_parts(pt, column, mine);
        if (pt->part)
            store_parts(pt, mine, column);
        else
            store_outs(pt, mine, column);
        kb->mask = NULL;
    }
}

static void do_row(point *pt, bool second)
{
    sn_kb *kb = pt->kb;
    const sn_reduce *r = pt->r;
    LLVMValueRef s[SN_MAX_CARRY];
    kb->lanes = second && !r->down ? 1 : r->lanes;
    sn_red_start(kb, r, r->exact, s);
    if (!second)
        take_axes(pt, 0, s);
    if (r->down) {
        each_vector(pt, s, second);
        return;
    }
    if (second)
        load_parts(pt, NULL, s);
    else
        sn_red_meet(kb, r, s);
    kb->lanes = 1;
    if (pt->part)
        store_parts(pt, s, NULL);
    else
        store_outs(pt, s, NULL);
}

/* One unit of work: kept combination and block from their common number. */
static void do_unit(point *pt, LLVMValueRef unit, bool second)
{
    sn_kb *kb = pt->kb;
    const sn_reduce *r = pt->r;
    LLVMValueRef blocks = sn_kb_dim(kb, r->blocks), block = sn_kb_i64(kb, (int64_t)r->width * r->lanes);
    bool one = sn_dim_is_const(r->blocks) && r->blocks.v == 1;
    pt->column = one ? sn_kb_i64(kb, 0) : sn_kb_imul(kb, sn_kb_irem(kb, unit, blocks), block);
    pt->row = one ? unit : sn_kb_idiv(kb, unit, blocks);
    LLVMValueRef rest = pt->row;
    for (uint8_t i = r->keeps; i-- > 0;) {
        LLVMValueRef d = sn_kb_dim(kb, r->dim[r->kept[i]]);
        pt->at[r->kept[i]] = sn_kb_index(kb, i == 0 ? rest : sn_kb_irem(kb, rest, d), 0);
        rest = i == 0 ? rest : sn_kb_idiv(kb, rest, d);
    }
    do_row(pt, second);
}

static void emit_call(sn_kb *kb, uint32_t call)
{
    const sn_reduce *r = kb->plan->form;
    sn_kb_begin(kb, call);
    point pt = {.kb = kb, .r = r};
    LLVMValueRef all = sn_kb_imul(kb, sn_kb_dim(kb, r->rows), sn_kb_dim(kb, r->blocks));
    sn_loop tiles = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    if (r->split && call == 0) {
        pt.part = sn_kb_irem(kb, tiles.i, sn_kb_i64(kb, PARTS));
        do_unit(&pt, sn_kb_idiv(kb, tiles.i, sn_kb_i64(kb, PARTS)), false);
    } else if (r->group == 1) {
        do_unit(&pt, tiles.i, call == 1);
    } else {
        LLVMValueRef first = sn_kb_imul(kb, tiles.i, sn_kb_i64(kb, r->group));
        LLVMValueRef last = sn_kb_imin(kb, all, sn_kb_iadd(kb, first, sn_kb_i64(kb, r->group)));
        sn_loop l = sn_kb_for(kb, first, last, 1, NULL, 0);
        do_unit(&pt, l.i, false);
        sn_kb_endfor(kb, &l, NULL);
    }
    sn_kb_endfor(kb, &tiles, NULL);
    sn_kb_end(kb);
}

static bool emit_reduce(sn_kb *kb)
{
    const sn_reduce *r = kb->plan->form;
    sn_space_apply(kb, r->space);
    for (uint32_t c = 0; c < kb->plan->calls; c++)
        emit_call(kb, c);
    return true;
}

const sn_generator sn_kernel_reduce = {.name = "reduce", .plan = plan_reduce, .explain = explain_reduce, .emit = emit_reduce};
