/* The MAP form: every out is evaluated at each point of one space, or is a partial sum of such values over the kernel's tiles.
 * Not reductions over the whole tensor (kernel_reduce.c).
 *
 * The innermost axis runs in vector lanes.  Without partial sums rows are cut into tiles of about TILE elements.  With them the tile is given
 * by the schedule.  If a row of what is kept fits a block of vectors, sums stay in registers while rows pass:
 *
 *   for tile: for block of up to BLOCK vectors of the last axis: for rows of the tile: evaluate, store, add
 *
 * Wider ones would make that a walk with strides (51 GB/s where memory has 90); then sums stand in memory, a few KB that stay in the first
 * cache, and the tile is walked as it lies.  Every sum is added up in the order of rows, either way.
 */
#include <string.h>

#include "internal.h"

enum { TILE = 8192, BLOCK = 4, UNROLL = 8 };

typedef struct map {
    sn_space *space;
    uint8_t   rank;              /* of the merged space; at least 1 */
    sn_dim    dim[SN_MAX_RANK];
    /* the tile: one index of axes 0 .. outer-1 (`group` of them at once), `chunk` of axis outer */
    uint8_t   outer;
    int64_t   chunk, group;
    sn_dim    count, chunks;     /* of outer indices, of chunks */
    uint8_t   keep;              /* with partial sums: trailing merged axes kept */
    uint32_t  sums, sum[16];     /* outs that are partial sums, by position in k->out */
    bool      wide;              /* sums stand in memory */
} map;

static int64_t known(sn_dim d, int64_t guess)
{
    return sn_dim_is_const(d) ? d.v : guess;
}

static bool is_sum(const sn_graph *g, sn_ref r)
{
    return sn_op_get(sn_at(g, r)->op)->attrs == SN_ATTR_tile;
}

/* ---- plan ---- */

static sn_dim product(const sn_plan *p, const sn_dim *d, uint8_t n)
{
    sn_dim all = sn_dim_const(1);
    for (uint8_t i = 0; i < n; i++)
        all = sn_dim_mul(p->dims, all, d[i]);
    return all;
}

/* Free tiling: whole rows, several outer indices at once when rows are short. */
static void choose_tiles(sn_plan *p, map *m)
{
    int64_t row = m->rank > 1 ? known(m->dim[m->rank - 1], 1024) : 1;
    row = row > 0 ? row : 1;
    int64_t rows = row < TILE ? TILE / row : 1;
    m->group = 1;
    m->outer = (uint8_t)(m->rank > 2 ? m->rank - 2 : 0);
    m->chunk = rows;
    sn_dim mid = m->dim[m->outer];
    if (m->outer > 0 && sn_dim_is_const(mid) && mid.v > 0 && mid.v * 2 <= rows) {
        m->chunk = mid.v;
        m->group = rows / mid.v;
    }
    m->count = product(p, m->dim, m->outer);
    m->chunks = sn_dim_ceil_div(p->dims, mid, m->chunk);
}

static sn_dim tile_count(const sn_plan *p, const map *m)
{
    sn_dim groups = m->group == 1 ? m->count : sn_dim_ceil_div(p->dims, m->count, m->group);
    return sn_dim_mul(p->dims, groups, m->chunks);
}

/* The schedule's tiles, in merged axes: axis `outer` may have taken in constant axes behind it. */
static bool given_tiles(sn_plan *p, map *m, const sn_type *space)
{
    const sn_space *s = m->space;
    uint8_t outer = (uint8_t)p->k->outer;
    m->outer = s->group[outer];
    m->chunk = p->k->chunk;
    for (uint8_t i = (uint8_t)(outer + 1); i < space->rank && s->group[i] == m->outer; i++)
        m->chunk *= space->dim[i].v;
    m->group = 1;
    m->count = product(p, m->dim, m->outer);
    m->chunks = sn_dim_ceil_div(p->dims, space->dim[outer], p->k->chunk);
    return true;
}

/* Axes that must stay apart for the schedule's tiles: around `outer`, and before the kept axes; symbolic axes do not join a chunk. */
static uint32_t tile_bounds(const sn_plan *p, const sn_type *space, uint8_t keep)
{
    uint8_t outer = (uint8_t)p->k->outer;
    uint32_t apart = 1u << outer | 1u << (space->rank - keep);
    for (uint8_t i = (uint8_t)(outer + 1); i < space->rank; i++)
        if (!sn_dim_is_const(space->dim[i]))
            apart |= 1u << i;
    return apart;
}

static bool find_sums(sn_plan *p, map *m, const sn_type **space, uint8_t *keep)
{
    for (uint32_t i = 0; i < p->k->outs; i++) {
        sn_ref r = p->k->out[i];
        const sn_node *n = sn_at(p->g, r);
        if (!is_sum(p->g, r)) {
            *space = &n->type;
            continue;
        }
        if (m->sums == sizeof m->sum / sizeof m->sum[0])
            return sn_plan_fail(p, "more than %zu partial sums in one kernel", sizeof m->sum / sizeof m->sum[0]);
        if (!p->k->tiled || n->attrs.tile.outer != p->k->outer || n->attrs.tile.chunk != p->k->chunk)
            return sn_plan_fail(p, "a partial sum's tiles differ from its kernel's");
        uint8_t own = (uint8_t)(n->type.rank - 1);
        if (m->sums && own != *keep)
            return sn_plan_fail(p, "partial sums of one kernel keep different axes");
        *keep = own;
        m->sum[m->sums++] = i;
        if (!*space)
            *space = &sn_at(p->g, n->arg[0])->type;
    }
    return true;
}

static void explain_map(const sn_plan *p)
{
    const map *m = p->form;
    const int64_t row = known(m->dim[m->rank - 1], 0), most = BLOCK * p->target->lanes;
    sn_plan_say(p, "  as map, its only form: %s\n", m->sums ? "tiles of its partial sums" : p->k->tiled ? "tiles as the schedule has them" : sn_plan_no(p, "tiles of whole rows, about %d points", TILE));
    if (m->sums && m->wide && m->keep > 1)
        sn_plan_say(p, "    sums in memory: they are of several axes\n");
    else if (m->sums && m->wide)
        sn_plan_say(p, "    sums in memory: their rows of %lld are wider than the %lld that registers hold, for which the tile would be walked with strides\n", (long long)row, (long long)most);
    else if (m->sums)
        sn_plan_say(p, "    sums in registers: their rows of %lld are not wider than the %lld that they hold\n", (long long)(m->keep ? row : 1), (long long)most);
}

static bool plan_map(sn_plan *p)
{
    map *m = sn_new(p->arena, map);
    const sn_type *space = NULL;
    uint8_t keep = 0;
    if (!find_sums(p, m, &space, &keep))
        return false;
    bool tiled = p->k->tiled && space->rank > 0;
    m->space = sn_space_make(p, space, tiled ? tile_bounds(p, space, m->sums ? keep : 0) : 0);
    m->rank = m->space->rank;
    memcpy(m->dim, m->space->dim, sizeof m->dim);
    if (m->rank == 0) {
        m->rank = 1;
        m->dim[0] = sn_dim_const(1);
    }
    m->keep = m->sums && keep ? (uint8_t)(m->rank - m->space->group[space->rank - keep]) : 0;
    if (tiled)
        given_tiles(p, m, space);
    else
        choose_tiles(p, m);
    m->wide = m->keep > 1 || (m->keep == 1 && known(m->dim[m->rank - 1], INT64_MAX) > BLOCK * p->target->lanes);
    p->form = m;
    sn_plan_add(p, tile_count(p, m), sn_dim_const(0), true);
    return true;
}

/* ---- emission ---- */

typedef struct point {
    sn_kb       *kb;
    const map   *m;
    sn_val       at[SN_MAX_RANK];
    LLVMValueRef tile;
} point;

static uint32_t lanes_for(const sn_kb *kb, sn_dim last)
{
    uint32_t lanes = kb->target->lanes;
    while (sn_dim_is_const(last) && lanes > 1 && (int64_t)lanes / 2 >= last.v)
        lanes /= 2;
    return lanes;
}

static const sn_val *aligned(const point *pt, const sn_type *t)
{
    return &pt->at[pt->m->rank - t->rank];
}

/* Evaluate every out at the point; store the ordinary ones; add partial sums to sum[] (vectors of the current width). */
static void visit_point(point *pt, LLVMValueRef *sum)
{
    sn_kb *kb = pt->kb;
    uint32_t s = 0;
    for (uint32_t i = 0; i < kb->k->outs; i++) {
        sn_ref r = kb->k->out[i];
        const sn_node *n = sn_at(kb->g, r);
        bool sums = s < pt->m->sums && pt->m->sum[s] == i;
        sn_ref of = sums ? n->arg[0] : r;
        const sn_type *t = &sn_at(kb->g, of)->type;
        sn_val v = sn_kb_value(kb, of, aligned(pt, t));
        if (!sums) {
            sn_kb_store_at(kb, sn_kb_memory(kb, r), t, aligned(pt, t), v);
            continue;
        }
        LLVMValueRef x = sn_kb_number(kb, v);
        if (kb->mask)
            x = LLVMBuildSelect(kb->b, kb->mask, x, sn_kb_zero(kb, kb->lanes), "");
        sum[s] = LLVMBuildFAdd(kb->b, sum[s], x, "");
        s++;
    }
}

/* Where partial sum s of this tile has the point; its kept axes end with `at`. */
static LLVMValueRef place_of_sum(const point *pt, LLVMValueRef at)
{
    sn_kb *kb = pt->kb;
    const map *m = pt->m;
    LLVMValueRef offset = pt->tile;
    for (uint8_t i = (uint8_t)(m->rank - m->keep); i < m->rank; i++)
        offset = sn_kb_iadd(kb, sn_kb_imul(kb, offset, sn_kb_dim(kb, m->dim[i])), i + 1 == m->rank ? at : pt->at[i].ir.value);
    return offset;
}

/* Evaluate the point, whose sums stand in memory. */
static void visit_wide(point *pt, LLVMValueRef at)
{
    sn_kb *kb = pt->kb;
    const map *m = pt->m;
    LLVMValueRef sum[16], place = place_of_sum(pt, at);
    for (uint32_t s = 0; s < m->sums; s++)
        sum[s] = sn_kb_load(kb, sn_kb_memory(kb, kb->k->out[m->sum[s]]), place, kb->lanes, kb->mask);
    visit_point(pt, sum);
    for (uint32_t s = 0; s < m->sums; s++)
        sn_kb_store(kb, sn_kb_memory(kb, kb->k->out[m->sum[s]]), place, sum[s], kb->mask);
}

/* One vector of the last axis at `at`; `left` lanes of it are inside, NULL = all. */
static void visit_vector(point *pt, LLVMValueRef at, LLVMValueRef left, LLVMValueRef *sum)
{
    sn_kb *kb = pt->kb;
    uint32_t mark = sn_kb_mark(kb);
    kb->mask = left && kb->lanes > 1 ? sn_kb_tail(kb, left, kb->lanes) : NULL;
    pt->at[pt->m->rank - 1] = sn_kb_index(kb, at, 1);
    if (pt->m->wide)
        visit_wide(pt, at);
    else
        visit_point(pt, sum);
    kb->mask = NULL;
    if (left)
        sn_kb_forget(kb, mark);
}

/* The last axis from..to without sums: unrolled when short and constant, otherwise vectors and a masked rest. */
static void visit_row(point *pt, LLVMValueRef from, LLVMValueRef to)
{
    sn_kb *kb = pt->kb;
    int64_t lanes = kb->lanes;
    if (LLVMIsAConstantInt(from) && LLVMIsAConstantInt(to)) {
        int64_t a = LLVMConstIntGetSExtValue(from), b = LLVMConstIntGetSExtValue(to);
        if (b - a <= UNROLL * lanes) {
            for (; a < b; a += lanes)
                visit_vector(pt, sn_kb_i64(kb, a), b - a < lanes ? sn_kb_i64(kb, b - a) : NULL, NULL);
            return;
        }
    }
    LLVMValueRef whole = sn_kb_isub(kb, to, sn_kb_irem(kb, sn_kb_isub(kb, to, from), sn_kb_i64(kb, lanes)));
    sn_loop l = sn_kb_for(kb, from, whole, lanes, NULL, 0);
    visit_vector(pt, l.i, NULL, NULL);
    sn_kb_endfor(kb, &l, NULL);
    sn_if rest = sn_kb_if(kb, sn_kb_iless(kb, whole, to));
    visit_vector(pt, whole, sn_kb_isub(kb, to, whole), NULL);
    sn_kb_endif(kb, &rest);
}

static void set_axis(point *pt, uint8_t axis, LLVMValueRef i)
{
    pt->at[axis] = sn_kb_index(pt->kb, i, 0);
}

/* Axes 0 .. n-1 from their common number, row-major. */
static void unflatten(point *pt, LLVMValueRef number, uint8_t n)
{
    for (uint8_t i = n; i-- > 0;) {
        LLVMValueRef d = sn_kb_dim(pt->kb, pt->m->dim[i]);
        set_axis(pt, i, i == 0 ? number : sn_kb_irem(pt->kb, number, d));
        number = i == 0 ? number : sn_kb_idiv(pt->kb, number, d);
    }
}

typedef struct range { LLVMValueRef from, to; } range;

static range chunk_of(point *pt, LLVMValueRef chunk)
{
    sn_kb *kb = pt->kb;
    LLVMValueRef extent = sn_kb_dim(kb, pt->m->dim[pt->m->outer]);
    LLVMValueRef from = sn_kb_imul(kb, chunk, sn_kb_i64(kb, pt->m->chunk));
    if (sn_dim_is_const(pt->m->chunks) && pt->m->chunks.v == 1)
        return (range){sn_kb_i64(kb, 0), extent};
    return (range){from, sn_kb_imin(kb, extent, sn_kb_iadd(kb, from, sn_kb_i64(kb, pt->m->chunk)))};
}

/* Rows of a free tile: axis outer over its chunk, every later axis in full; the last in lanes. */
static void visit_rows(point *pt, uint8_t axis, range r)
{
    sn_kb *kb = pt->kb;
    if (axis == pt->m->rank - 1) {
        visit_row(pt, r.from, r.to);
        return;
    }
    sn_loop l = sn_kb_for(kb, r.from, r.to, 1, NULL, 0);
    set_axis(pt, axis, l.i);
    visit_rows(pt, (uint8_t)(axis + 1), (range){sn_kb_i64(kb, 0), sn_kb_dim(kb, pt->m->dim[axis + 1])});
    sn_kb_endfor(kb, &l, NULL);
}

static void free_tile(point *pt, LLVMValueRef tile)
{
    sn_kb *kb = pt->kb;
    const map *m = pt->m;
    LLVMValueRef chunks = sn_kb_dim(kb, m->chunks);
    bool one = sn_dim_is_const(m->chunks) && m->chunks.v == 1;
    LLVMValueRef group = one ? tile : sn_kb_idiv(kb, tile, chunks), chunk = one ? sn_kb_i64(kb, 0) : sn_kb_irem(kb, tile, chunks);
    range r = chunk_of(pt, chunk);
    if (m->group == 1) {
        unflatten(pt, group, m->outer);
        visit_rows(pt, m->outer, r);
        return;
    }
    LLVMValueRef first = sn_kb_imul(kb, group, sn_kb_i64(kb, m->group));
    LLVMValueRef last = sn_kb_imin(kb, sn_kb_dim(kb, m->count), sn_kb_iadd(kb, first, sn_kb_i64(kb, m->group)));
    sn_loop l = sn_kb_for(kb, first, last, 1, NULL, 0);
    unflatten(pt, l.i, m->outer);
    visit_rows(pt, m->outer, r);
    sn_kb_endfor(kb, &l, NULL);
}

/* ---- tiles with sums ---- */

typedef struct block { /* of the last axis: `vectors` vectors from `at`, of which `left` elements are inside (NULL = all) */
    LLVMValueRef at, left;
    uint32_t     vectors;
} block;

static void visit_block(point *pt, const block *b, LLVMValueRef *sum)
{
    sn_kb *kb = pt->kb;
    for (uint32_t v = 0; v < b->vectors; v++) {
        LLVMValueRef skip = sn_kb_i64(kb, (int64_t)v * kb->lanes);
        visit_vector(pt, sn_kb_iadd(kb, b->at, skip), b->left ? sn_kb_isub(kb, b->left, skip) : NULL, sum + v * pt->m->sums);
    }
}

/* Rows of a tile for one block: axes outer .. before the kept ones (or before the last), carrying sums. */
static void sum_rows(point *pt, uint8_t axis, range r, const block *b, LLVMValueRef *sum)
{
    sn_kb *kb = pt->kb;
    const map *m = pt->m;
    uint8_t end = (uint8_t)(m->keep ? m->rank - m->keep : m->rank - 1);
    if (axis >= end) {
        visit_block(pt, b, sum);
        return;
    }
    uint32_t n = b->vectors * m->sums;
    sn_loop l = sn_kb_for(kb, r.from, r.to, 1, sum, n);
    set_axis(pt, axis, l.i);
    LLVMValueRef next[SN_MAX_CARRY];
    memcpy(next, l.carry, n * sizeof *next);
    range inner = {sn_kb_i64(kb, 0), sn_kb_dim(kb, m->dim[axis + 1])};
    sum_rows(pt, (uint8_t)(axis + 1), inner, b, next);
    sn_kb_endfor(kb, &l, next);
    memcpy(sum, l.carry, n * sizeof *sum);
}

static void sum_block(point *pt, range rows, const block *b, LLVMValueRef *total)
{
    sn_kb *kb = pt->kb;
    const map *m = pt->m;
    LLVMValueRef sum[SN_MAX_CARRY];
    for (uint32_t i = 0; i < b->vectors * m->sums; i++)
        sum[i] = sn_kb_zero(kb, kb->lanes);
    sum_rows(pt, m->outer, rows, b, sum);
    for (uint32_t v = 0; v < b->vectors; v++)
        for (uint32_t s = 0; s < m->sums; s++) {
            LLVMValueRef x = sum[v * m->sums + s], skip = sn_kb_i64(kb, (int64_t)v * kb->lanes);
            if (m->keep == 0) {
                total[s] = LLVMBuildFAdd(kb->b, total[s], sn_kb_hsum(kb, x), "");
                continue;
            }
            LLVMValueRef offset = place_of_sum(pt, sn_kb_iadd(kb, b->at, skip));
            LLVMValueRef mask = b->left && kb->lanes > 1 ? sn_kb_tail(kb, sn_kb_isub(kb, b->left, skip), kb->lanes) : NULL;
            sn_kb_store(kb, sn_kb_memory(kb, kb->k->out[m->sum[s]]), offset, x, mask);
        }
}

/* All blocks of the range of the last axis: whole ones in a loop, then single vectors, the last of them masked. */
static void sum_blocks(point *pt, range rows, range last, LLVMValueRef *total)
{
    sn_kb *kb = pt->kb;
    uint32_t sums = pt->m->sums, width = BLOCK;
    while (width > 1 && width * sums > SN_MAX_CARRY / 4)
        width /= 2;
    for (; width > 0; width = width > 1 ? 1 : 0) {
        int64_t step = (int64_t)width * kb->lanes;
        LLVMValueRef span = sn_kb_isub(kb, last.to, last.from);
        LLVMValueRef whole = sn_kb_isub(kb, last.to, sn_kb_irem(kb, span, sn_kb_i64(kb, step)));
        sn_loop l = sn_kb_for(kb, last.from, whole, step, total, pt->m->keep ? 0 : sums);
        LLVMValueRef next[SN_MAX_CARRY];
        memcpy(next, pt->m->keep ? total : l.carry, sums * sizeof *next);
        sum_block(pt, rows, &(block){l.i, NULL, width}, next);
        sn_kb_endfor(kb, &l, next);
        if (!pt->m->keep)
            memcpy(total, l.carry, sums * sizeof *total);
        last.from = whole;
    }
    /* an empty rest is one masked block of nothing: adds zeros, stores nothing */
    if (kb->lanes > 1 && !(LLVMIsAConstantInt(last.from) && LLVMIsAConstantInt(last.to) &&
                           LLVMConstIntGetSExtValue(last.from) == LLVMConstIntGetSExtValue(last.to)))
        sum_block(pt, rows, &(block){last.from, sn_kb_isub(kb, last.to, last.from), 1}, total);
}

static void sum_narrow(point *pt, range rows)
{
    sn_kb *kb = pt->kb;
    const map *m = pt->m;
    LLVMValueRef total[16];
    for (uint32_t i = 0; i < m->sums; i++)
        total[i] = sn_kb_f32(kb, 0.0);
    range last = {sn_kb_i64(kb, 0), sn_kb_dim(kb, m->dim[m->rank - 1])};
    if (!m->keep && m->outer == m->rank - 1)
        last = rows; /* the chunk is of the last axis itself */
    sum_blocks(pt, rows, last, total);
    for (uint32_t i = 0; !m->keep && i < m->sums; i++)
        sn_kb_store(kb, sn_kb_memory(kb, kb->k->out[m->sum[i]]), pt->tile, total[i], NULL);
}

/* Sums of this tile := 0. */
static void clear_sums(const point *pt)
{
    sn_kb *kb = pt->kb;
    const map *m = pt->m;
    LLVMValueRef size = sn_kb_i64(kb, 1);
    for (uint8_t i = (uint8_t)(m->rank - m->keep); i < m->rank; i++)
        size = sn_kb_imul(kb, size, sn_kb_dim(kb, m->dim[i]));
    LLVMValueRef first = sn_kb_imul(kb, pt->tile, size);
    sn_loop l = sn_kb_for(kb, sn_kb_i64(kb, 0), size, kb->lanes, NULL, 0);
    LLVMValueRef mask = kb->lanes > 1 ? sn_kb_tail(kb, sn_kb_isub(kb, size, l.i), kb->lanes) : NULL;
    for (uint32_t s = 0; s < m->sums; s++)
        sn_kb_store(kb, sn_kb_memory(kb, kb->k->out[m->sum[s]]), sn_kb_iadd(kb, first, l.i), sn_kb_zero(kb, kb->lanes), mask);
    sn_kb_endfor(kb, &l, NULL);
}

static void sum_tile(point *pt, LLVMValueRef tile)
{
    sn_kb *kb = pt->kb;
    const map *m = pt->m;
    LLVMValueRef chunks = sn_kb_dim(kb, m->chunks);
    pt->tile = tile;
    unflatten(pt, sn_kb_idiv(kb, tile, chunks), m->outer);
    range rows = chunk_of(pt, sn_kb_irem(kb, tile, chunks));
    if (m->wide) {
        clear_sums(pt);
        visit_rows(pt, m->outer, rows);
    } else {
        sum_narrow(pt, rows);
    }
}

static bool emit_map(sn_kb *kb)
{
    const map *m = kb->plan->form;
    sn_space_apply(kb, m->space);
    sn_kb_begin(kb, 0);
    kb->lanes = lanes_for(kb, m->dim[m->rank - 1]);
    point pt = {.kb = kb, .m = m};
    sn_loop l = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    if (m->sums)
        sum_tile(&pt, l.i);
    else
        free_tile(&pt, l.i);
    sn_kb_endfor(kb, &l, NULL);
    sn_kb_end(kb);
    return true;
}

const sn_generator sn_kernel_map = {.name = "map", .plan = plan_map, .explain = explain_map, .emit = emit_map};
