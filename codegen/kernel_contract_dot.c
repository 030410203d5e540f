/* Products whose operands agree on the last axis and sum over it: gradients of graphs, affinities between joints.
 *
 *     g[b.., i.., o..] = sum over p.., c of  x[b.., p.., i.., c] * y[b.., p.., o.., c]      (indices in any order but for c)
 *
 * Not weight gradients whose last axes are rows and columns (kernel_contract_wgrad.c).
 *
 * Lanes run along c; every number of g has a vector of partial sums, added up at the end in a fixed order.  Where every result is
 * multiplied by a constant, numbers that meet a zero are left out and count as zero.  Positions are cut into parts whose number and content
 * depend on the sizes only; an item is one part of one b.  A last b just before c is a head: heads and c are one row.  Where a vector of it
 * has several heads, their lanes are added up apart at the end.
 */
#include <stdlib.h>

#include "kernel_contract.h"

enum {
    MAX_PARTS = 32, BATCH_PARTS = 8, ITEMS = 16, /* parts at most, of one b; with fewer b there are parts for so many items */
    PACKED_FLOATS = 1 << 16, MAX_BLOCK = 8,
    START = 60, /* half cycles */
    SPARE = 2, /* registers */
    BRIEF = 4, /* vectors */
    RUN = 256 /* floats multiplied before sums go back to memory: the packed rows of one block and those it meets stay in the first-level cache */
};

typedef struct pair { int64_t in, out; } pair;

typedef struct dot {
    sn_product   product;
    uint8_t      outer[SN_MAX_RANK]; uint32_t outers; /* position loops outside the frame axis */
    uint8_t      batch[SN_MAX_RANK]; uint32_t batches;
    uint8_t      head; int64_t heads;                 /* loop; its extent, 1 if there is none */
    uint8_t      frame;                               /* loop */
    int64_t      frames, positions;                   /* of a tile; of a frame */
    int64_t      ins, outs;
    int64_t      layers, vectors;                     /* sums that a row is added to, apart by head; vectors of a row for each of them */
    int64_t      parts;                               /* at most, of one b */
    sn_ct_pack   pack[2];                             /* of a and b */
    pair        *pair; uint32_t pairs;                /* sparse when pairs > 0, by (in, out) */
    int64_t      group;                               /* pairs at a time */
    int64_t      rows, columns;                       /* dense: block of i times block of o */
    int64_t      elements;                            /* sums kept, padding included */
    bool         direct[2];                           /* operands that are read where they are */
    int64_t      offset[2];                           /* packed operands in scratch; sums come first */
    uint32_t     temp;
} dot;

/* ---- plan ---- */

static sn_refusal find_roles(const sn_contract_facts *f, dot *d)
{
    const sn_contract *c = f->spec;
    sn_refusal no;
    if (c->rank[0] == 0 || c->rank[1] == 0)
        return "an operand is one number";
    if (sn_contract_has_window(f))
        return "it has a window";
    if ((no = sn_contract_product(f, SN_AT_A, SN_AT_OUT, SN_AT_B, &d->product)))
        return no;
    uint8_t x = c->at[0][c->rank[0] - 1].loop[0], y = c->at[1][c->rank[1] - 1].loop[0];
    if (x != y || d->product.role[x] != SN_LOOP_POSITION)
        return "its operands' last axes are not one that is summed";
    return d->product.ins > 0 && d->product.outs > 0 ? NULL : "its result is no matrix";
}

/* The last batch loop, if it stands before the channels of both operands and leaves a batch loop outside. */
static void find_head(const sn_contract_facts *f, dot *d)
{
    const sn_contract *c = f->spec;
    int64_t heads;
    d->heads = 1;
    if (d->batches < 2)
        return;
    const uint8_t l = d->batch[d->batches - 1];
    for (int side = 0; side < 2; side++)
        if (c->rank[side] < 3 || c->at[side][c->rank[side] - 2].loop[0] != l)
            return;
    if (!sn_ct_const_extent(f, l, &heads))
        return;
    d->head = l;
    d->heads = heads;
    d->batches--;
}

static sn_refusal find_positions(const sn_plan *p, const sn_contract_facts *f, dot *d)
{
    const sn_contract *c = f->spec;
    uint8_t position[SN_MAX_RANK], channel = c->at[1][c->rank[1] - 1].loop[0];
    uint32_t n = 0;
    int64_t extent;
    for (int i = 0; i < c->rank[1]; i++) {
        uint8_t l = c->at[1][i].loop[0];
        if (d->product.role[l] == SN_LOOP_BATCH)
            d->batch[d->batches++] = l;
        if (d->product.role[l] == SN_LOOP_POSITION && l != channel)
            position[n++] = l;
    }
    if (n == 0)
        return "nothing but its last axis is summed";
    if (!sn_ct_const_extent(f, channel, &extent))
        return sn_ct_open(p, f, channel);
    find_head(f, d);
    uint32_t frame = n - 1;
    for (d->positions = 1; frame > 0 && sn_ct_const_extent(f, position[frame], &extent) && d->positions * extent <= 16; frame--)
        d->positions *= extent;
    for (uint32_t i = 0; i < frame; i++)
        d->outer[d->outers++] = position[i];
    d->frame = position[frame];
    for (int side = 0; side < 2; side++) {
        sn_ct_pack *k = &d->pack[side];
        k->tensor = side;
        k->frame_axis = f->loop[d->frame].alone[side];
        for (uint32_t i = frame + 1; i < n; i++)
            k->inner[k->inners++] = position[i];
        for (uint32_t i = 0; i < (side ? d->product.outs : d->product.ins); i++)
            k->inner[k->inners++] = side ? d->product.out[i] : d->product.in[i];
        if (d->heads > 1)
            k->column[k->columns++] = d->head;
        k->column[k->columns++] = channel;
    }
    return NULL;
}

static sn_refusal plan_rows(const sn_plan *p, const sn_ct *ct, dot *d)
{
    const int64_t lanes = p->target->lanes;
    sn_refusal no;
    if ((no = sn_ct_pack_plan(p, ct, &d->pack[0])) || (no = sn_ct_pack_plan(p, ct, &d->pack[1])))
        return no;
    d->ins = d->pack[0].inner_rows / d->positions;
    d->outs = d->pack[1].inner_rows / d->positions;
    const int64_t vectors = (d->pack[0].width + lanes - 1) / lanes, channels = d->pack[0].width / d->heads;
    d->layers = d->heads == 1 ? 1 : channels % lanes == 0 ? d->heads : vectors;
    d->vectors = vectors / d->layers;
    d->parts = d->batches ? BATCH_PARTS : MAX_PARTS;
    return d->ins * d->outs <= 1 << 14 ? NULL : sn_plan_no(p, "its result is a matrix of %lld x %lld", (long long)d->ins, (long long)d->outs);
}

static void plan_frames(dot *d, int64_t lanes)
{
    d->frames = d->pairs ? PACKED_FLOATS / (d->pack[0].inner_rows * d->pack[0].stride + d->pack[1].inner_rows * d->pack[1].stride)
                         : RUN / (lanes * d->vectors * d->positions);
    d->frames = d->frames < 1 ? 1 : d->frames > 64 ? 64 : d->frames;
    for (int side = 0; side < 2; side++) {
        sn_ct_pack *k = &d->pack[side];
        k->group[k->groups++] = (sn_ct_frames){0, d->frames, 0, 1};
        k->slots = d->frames;
    }
}

/* The constant that everything the kernel stores is multiplied by in the end. */
static const float *pattern_of(const sn_plan *p, sn_ref anchor)
{
    const float *data = NULL;
    if (p->k->outs != 1 || sn_same(p->k->out[0], anchor))
        return NULL;
    const sn_node *n = sn_at(p->g, p->k->out[0]);
    for (int i = 0; i < 2 && n->op == SN_OP_mul; i++) {
        const sn_node *c = sn_at(p->g, n->arg[i]);
        if (c->op == SN_OP_const && sn_type_equal(&c->type, &n->type))
            data = c->attrs.data.data;
    }
    return data;
}

/* Flattened i and o of element number e of the result. */
static pair pair_of(const sn_contract_facts *f, const dot *d, int64_t e)
{
    int64_t index[SN_MAX_LOOPS] = {0};
    const sn_contract *c = f->spec;
    for (int i = c->rank[SN_AT_OUT]; i > 0; i--) {
        int64_t n = f->type[SN_AT_OUT].dim[i - 1].v;
        index[c->at[SN_AT_OUT][i - 1].loop[0]] = e % n;
        e /= n;
    }
    pair t = {0, 0};
    for (uint32_t i = 0; i < d->product.ins; i++)
        t.in = t.in * f->loop[d->product.in[i]].extent.v + index[d->product.in[i]];
    for (uint32_t i = 0; i < d->product.outs; i++)
        t.out = t.out * f->loop[d->product.out[i]].extent.v + index[d->product.out[i]];
    return t;
}

static int by_in(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    return x->in != y->in ? (x->in < y->in ? -1 : 1) : (x->out > y->out) - (x->out < y->out);
}

static void find_pairs(sn_plan *p, const sn_ct *ct, dot *d)
{
    const float *data = pattern_of(p, ct->anchor);
    int64_t all = d->ins * d->outs, n = 0;
    if (!data || d->batches)
        return;
    for (int64_t e = 0; e < all; e++)
        n += data[e] != 0;
    if (n == 0 || n > 512 || 3 * n > all)
        return;
    d->pair = sn_new_n(p->arena, pair, n);
    for (int64_t e = 0; e < all; e++)
        if (data[e] != 0)
            d->pair[d->pairs++] = pair_of(&ct->facts, d, e);
    qsort(d->pair, d->pairs, sizeof *d->pair, by_in);
}

/* Block of the dense product: fewest half cycles, padding included; two loads or two multiply-adds start in a cycle, and a run begins and ends with its
 * sums in memory.  All sums and columns have a register, rows SPARE of them in turn: without, every sum was copied at every step. */
static int64_t half_cycles(const sn_plan *p, const dot *d, int64_t r, int64_t c)
{
    const int64_t blocks = ((d->ins + r - 1) / r) * ((d->outs + c - 1) / c), work = r * c > r + c ? r * c : r + c;
    return blocks * (RUN / p->target->lanes * (r * c < 8 ? 8 : work) + 4 * r * c + START);
}

static void choose_block(const sn_plan *p, dot *d)
{
    int64_t least = INT64_MAX;
    for (int64_t r = 1; r <= MAX_BLOCK; r++)
        for (int64_t c = 1; c <= MAX_BLOCK; c++) {
            const int64_t cost = half_cycles(p, d, r, c);
            if (r * c + c + SPARE > p->target->registers)
                continue;
            if (cost < least) {
                least = cost;
                d->rows = r;
                d->columns = c;
            }
        }
}

/* May rows be read in place: whole vectors in whole blocks, and frame after frame one piece of memory? */
static bool is_direct(const sn_plan *p, const sn_ct *ct, const dot *d, int side)
{
    const sn_ct_pack *k = &d->pack[side];
    const uint32_t    rank = ct->facts.spec->rank[side], inner = rank - k->columns - k->inners;
    if (k->mix || sn_plan_in_body(p, ct->operand[side]) || k->width % p->target->lanes || inner < 1 || k->frame_axis != (int)inner - 1)
        return false;
    if (d->pairs == 0 && (side ? d->outs % d->columns : d->ins % d->rows))
        return false;
    return sn_ct_axes_are(&ct->facts, side, inner, k->inner, k->inners) && sn_ct_axes_are(&ct->facts, side, rank - k->columns, k->column, k->columns);
}

static int64_t packed_floats(const dot *d, int side, int64_t lanes)
{
    const sn_ct_pack *k = &d->pack[side];
    return d->direct[side] ? 0 : sn_ct_ceil((k->slots * k->inner_rows + MAX_BLOCK) * k->stride, lanes); /* blocks may run over the last rows */
}

static void plan_calls(sn_plan *p, sn_ct *ct, dot *d, int64_t scratch)
{
    sn_dim items = sn_dim_const(d->parts);
    for (uint32_t i = 0; i < d->batches; i++)
        items = sn_dim_mul(p->dims, ct->facts.loop[d->batch[i]].extent, items);
    d->temp = sn_plan_temp(p, sn_dim_mul(p->dims, items, sn_dim_const(d->elements * d->heads)));
    sn_plan_call *sum = sn_plan_add(p, items, sn_dim_const(scratch), false);
    sn_ct_reads(p, ct, sum, SN_CT_OPERANDS);
    sn_plan_write(p, sum, d->temp);
    sn_plan_call *add = sn_plan_add(p, sn_ct_tiles(p, ct), sn_dim_const(0), false);
    sn_ct_reads(p, ct, add, SN_CT_EPILOGUE);
    sn_plan_read(p, add, d->temp);
    for (uint32_t i = 0; i < p->k->outs; i++)
        sn_plan_write(p, add, p->k->ins + i);
}

/* Tiles of the second call: as the schedule wants, else rows of the last axis. */
static sn_refusal plan_tiles(const sn_plan *p, sn_ct *ct)
{
    const sn_type *out = &ct->facts.type[SN_AT_OUT];
    if (p->k->tiled)
        return NULL;
    ct->outer = out->rank - 1u;
    ct->chunk = out->dim[ct->outer].v;
    return sn_dim_is_const(out->dim[ct->outer]) ? NULL : "the last axis of its result has no constant extent";
}

/* Products of a tile, and its sums from memory and back; sparse: two loads at most for a multiply-add. */
static void predict(const sn_plan *p, sn_ct *ct, const dot *d)
{
    const double positions = (double)(d->frames * d->positions), vectors = (double)(d->vectors * d->layers);
    const double each = d->pairs ? SN_CT_TERM_LOADS * (double)d->pairs : (double)half_cycles(p, d, d->rows, d->columns) * p->target->lanes / RUN;
    ct->cost = (sn_ct_cost){.macs = positions * (double)(d->ins * d->outs * d->pack[0].width), .products = positions * vectors * each,
                            .moves = 2 * (double)d->pairs};
    for (int side = 0; side < 2; side++)
        ct->cost.moves += d->direct[side] ? 0 : sn_ct_pack_cost(p, &d->pack[side]);
}

static sn_refusal dot_plan(sn_plan *p, sn_ct *ct)
{
    dot *d = sn_new(p->arena, dot);
    const sn_contract_facts *f = &ct->facts;
    int64_t lanes = p->target->lanes;
    sn_refusal no;
    if ((no = find_roles(f, d)) || (no = find_positions(p, f, d)) || (no = plan_rows(p, ct, d)) || (no = plan_tiles(p, ct)))
        return no;
    find_pairs(p, ct, d);
    plan_frames(d, lanes);
    d->group = p->target->registers > 16 ? 24 : 8;
    if (d->pairs == 0)
        choose_block(p, d);
    for (int side = 0; side < 2; side++)
        if ((d->direct[side] = is_direct(p, ct, d, side)))
            d->pack[side].stride = d->pack[side].width;
    d->elements = d->pairs ? d->pairs : sn_ct_ceil(d->ins, d->rows) * sn_ct_ceil(d->outs, d->columns);
    d->offset[0] = d->layers * d->elements * lanes;
    d->offset[1] = d->offset[0] + packed_floats(d, 0, lanes);
    int64_t scratch = 4 * (d->offset[1] + packed_floats(d, 1, lanes));
    if ((no = sn_ct_scratch(p, scratch)))
        return no;
    predict(p, ct, d);
    ct->data = d;
    ct->terms = d->pairs;
    ct->pattern = SN_AT_OUT;
    plan_calls(p, ct, d, scratch);
    return NULL;
}

/* ---- items ---- */

typedef struct body {
    sn_kb       *kb;
    sn_ct       *ct;
    dot         *d;
    LLVMValueRef chunks, tiles, parts;
    LLVMValueRef sums, packed[2], live; /* live positions of the packed tile */
    LLVMValueRef column;                /* the layer's first */
    sn_ct_streams ahead;                /* what the next tile packs */
    int64_t       runs;                 /* over the positions of a tile */
    LLVMValueRef loop[SN_MAX_LOOPS];
} body;

static LLVMValueRef batch_count(body *b)
{
    LLVMValueRef count = sn_kb_i64(b->kb, 1);
    for (uint32_t i = 0; i < b->d->batches; i++)
        count = sn_kb_imul(b->kb, count, sn_kb_dim(b->kb, b->ct->facts.loop[b->d->batch[i]].extent));
    return count;
}

static void count_tiles(body *b)
{
    sn_kb *kb = b->kb;
    LLVMValueRef frames = sn_kb_dim(kb, b->ct->facts.loop[b->d->frame].extent);
    b->chunks = sn_kb_idiv(kb, sn_kb_iadd(kb, frames, sn_kb_i64(kb, b->d->frames - 1)), sn_kb_i64(kb, b->d->frames));
    b->tiles = b->chunks;
    for (uint32_t i = 0; i < b->d->outers; i++)
        b->tiles = sn_kb_imul(kb, b->tiles, sn_kb_dim(kb, b->ct->facts.loop[b->d->outer[i]].extent));
    LLVMValueRef most = sn_kb_i64(kb, b->d->parts);
    if (b->d->batches) {
        LLVMValueRef count = sn_kb_imax(kb, batch_count(b), sn_kb_i64(kb, 1));
        most = sn_kb_imin(kb, most, sn_kb_idiv(kb, sn_kb_iadd(kb, count, sn_kb_i64(kb, ITEMS - 1)), count));
    }
    b->parts = sn_kb_imin(kb, b->tiles, most);
}

static void unflatten(body *b, const uint8_t *loop, uint32_t n, LLVMValueRef flat)
{
    for (uint32_t i = n; i > 0; i--) {
        LLVMValueRef e = sn_kb_dim(b->kb, b->ct->facts.loop[loop[i - 1]].extent);
        b->loop[loop[i - 1]] = i > 1 ? sn_kb_irem(b->kb, flat, e) : flat;
        flat = i > 1 ? sn_kb_idiv(b->kb, flat, e) : flat;
    }
}

static void pack_tile(body *b, LLVMValueRef tile)
{
    sn_kb *kb = b->kb;
    const dot *d = b->d;
    unflatten(b, d->outer, d->outers, sn_kb_idiv(kb, tile, b->chunks));
    LLVMValueRef from = sn_kb_imul(kb, sn_kb_irem(kb, tile, b->chunks), sn_kb_i64(kb, d->frames));
    for (int side = 0; side < 2; side++)
        if (d->direct[side])
            b->packed[side] = sn_kb_ptr(kb, sn_kb_memory(kb, b->ct->operand[side]), sn_ct_source_offset(kb, b->ct, &d->pack[side], b->loop, from));
        else
            sn_ct_pack_emit(kb, b->ct, &d->pack[side], b->loop, from, NULL, b->packed[side]);
    b->ahead = (sn_ct_streams){0};
    for (int side = 0; side < 2; side++)
        sn_ct_stream_source(kb, b->ct, &d->pack[side], b->loop, sn_kb_iadd(kb, from, sn_kb_i64(kb, d->frames)), d->frames, &b->ahead);
    LLVMValueRef left = sn_kb_isub(kb, sn_kb_dim(kb, b->ct->facts.loop[d->frame].extent), from);
    b->live = sn_kb_imul(kb, sn_kb_imin(kb, left, sn_kb_i64(kb, d->frames)), sn_kb_i64(kb, d->positions));
}

/* Vector `at` of row `row` (constant) of a position of a side, counted from `base`. */
static LLVMValueRef row_vector(body *b, int side, LLVMValueRef base, int64_t row)
{
    return sn_kb_load(b->kb, base, sn_kb_i64(b->kb, row * b->d->pack[side].stride), b->kb->lanes, NULL);
}

typedef struct sums { LLVMValueRef at[SN_MAX_CARRY]; uint32_t n; LLVMValueRef memory; } sums;

static void load_sums(body *b, sums *s, LLVMValueRef memory, int64_t n)
{
    s->n = (uint32_t)n;
    s->memory = memory;
    for (uint32_t i = 0; i < s->n; i++)
        s->at[i] = sn_kb_load(b->kb, memory, sn_kb_i64(b->kb, (int64_t)i * b->kb->lanes), b->kb->lanes, NULL);
}

static void store_sums(body *b, const sums *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        sn_kb_store(b->kb, s->memory, sn_kb_i64(b->kb, (int64_t)i * b->kb->lanes), s->at[i], NULL);
}

/* For every live position and vector of c: add(b, context, first row of x there, of y, sums).  Runs are numbered for what they ask of memory. */
typedef void add_fn(body *b, const void *context, LLVMValueRef x, LLVMValueRef y, LLVMValueRef *at);

static void over_positions(body *b, sums *s, LLVMValueRef run, LLVMValueRef x_row, LLVMValueRef y_row, add_fn *add, const void *context)
{
    sn_kb *kb = b->kb;
    const dot *d = b->d;
    LLVMValueRef base[2], next[SN_MAX_CARRY], first[2] = {x_row, y_row};
    int64_t rows[2] = {d->ins, d->outs};
    const int64_t steps = d->frames * d->positions;
    const bool brief = d->vectors < BRIEF; /* a position takes no longer than to ask for memory */
    if (brief)
        sn_ct_stream_step(kb, &b->ahead, b->runs, run);
    sn_loop q = sn_kb_for(kb, sn_kb_i64(kb, 0), b->live, 1, s->at, s->n);
    if (!brief)
        sn_ct_stream_step(kb, &b->ahead, b->runs * steps, sn_kb_iadd(kb, sn_kb_imul(kb, run, sn_kb_i64(kb, steps)), q.i));
    for (int side = 0; side < 2; side++) {
        LLVMValueRef row = sn_kb_iadd(kb, sn_kb_imul(kb, q.i, sn_kb_i64(kb, rows[side])), first[side]);
        base[side] = sn_kb_ptr(kb, b->packed[side], sn_kb_imul(kb, row, sn_kb_i64(kb, d->pack[side].stride)));
    }
    sn_loop c = sn_kb_for(kb, b->column, sn_kb_iadd(kb, b->column, sn_kb_i64(kb, d->vectors * kb->lanes)), kb->lanes, q.carry, s->n);
    for (uint32_t i = 0; i < s->n; i++)
        next[i] = c.carry[i];
    add(b, context, sn_kb_ptr(kb, base[0], c.i), sn_kb_ptr(kb, base[1], c.i), next);
    sn_kb_endfor(kb, &c, next);
    sn_kb_endfor(kb, &q, c.carry);
    for (uint32_t i = 0; i < s->n; i++)
        s->at[i] = q.carry[i];
}

static void add_block(body *b, const void *context, LLVMValueRef x, LLVMValueRef y, LLVMValueRef *at)
{
    (void)context;
    const dot *d = b->d;
    LLVMValueRef yv[MAX_BLOCK];
    for (int64_t c = 0; c < d->columns; c++)
        yv[c] = row_vector(b, 1, y, c);
    for (int64_t r = 0; r < d->rows; r++) {
        LLVMValueRef xv = row_vector(b, 0, x, r);
        for (int64_t c = 0; c < d->columns; c++)
            at[r * d->columns + c] = sn_kb_fma(b->kb, xv, yv[c], at[r * d->columns + c]);
    }
}

static void dense_tile(body *b)
{
    sn_kb *kb = b->kb;
    const dot *d = b->d;
    int64_t across = (d->outs + d->columns - 1) / d->columns, down = (d->ins + d->rows - 1) / d->rows, size = d->rows * d->columns;
    b->runs = d->layers * down * across;
    sn_loop layer = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, d->layers), 1, NULL, 0);
    LLVMValueRef sums_of = sn_kb_ptr(kb, b->sums, sn_kb_imul(kb, layer.i, sn_kb_i64(kb, d->elements * kb->lanes)));
    b->column = sn_kb_imul(kb, layer.i, sn_kb_i64(kb, d->vectors * kb->lanes));
    sn_loop i = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, down), 1, NULL, 0);
    sn_loop o = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, across), 1, NULL, 0);
    LLVMValueRef block = sn_kb_iadd(kb, sn_kb_imul(kb, i.i, sn_kb_i64(kb, across)), o.i);
    sums s;
    load_sums(b, &s, sn_kb_ptr(kb, sums_of, sn_kb_imul(kb, block, sn_kb_i64(kb, size * kb->lanes))), size);
    LLVMValueRef run = sn_kb_iadd(kb, sn_kb_imul(kb, layer.i, sn_kb_i64(kb, down * across)), block);
    over_positions(b, &s, run, sn_kb_imul(kb, i.i, sn_kb_i64(kb, d->rows)), sn_kb_imul(kb, o.i, sn_kb_i64(kb, d->columns)), add_block, NULL);
    store_sums(b, &s);
    sn_kb_endfor(kb, &o, NULL);
    sn_kb_endfor(kb, &i, NULL);
    sn_kb_endfor(kb, &layer, NULL);
}

typedef struct pair_range { const pair *pair; int64_t n; } pair_range;

static void add_pairs(body *b, const void *context, LLVMValueRef x, LLVMValueRef y, LLVMValueRef *at)
{
    const pair_range *r = context;
    LLVMValueRef xv = NULL;
    for (int64_t i = 0; i < r->n; i++) {
        if (i == 0 || r->pair[i].in != r->pair[i - 1].in)
            xv = row_vector(b, 0, x, r->pair[i].in);
        at[i] = sn_kb_fma(b->kb, xv, row_vector(b, 1, y, r->pair[i].out), at[i]);
    }
}

static void sparse_tile(body *b)
{
    sn_kb *kb = b->kb;
    const dot *d = b->d;
    b->column = sn_kb_i64(kb, 0);
    b->runs = (d->pairs + d->group - 1) / d->group;
    for (int64_t from = 0; from < d->pairs; from += d->group) {
        pair_range r = {d->pair + from, d->pairs - from < d->group ? d->pairs - from : d->group};
        sums s;
        load_sums(b, &s, sn_kb_ptr(kb, b->sums, sn_kb_i64(kb, from * kb->lanes)), r.n);
        over_positions(b, &s, sn_kb_i64(kb, from / d->group), sn_kb_i64(kb, 0), sn_kb_i64(kb, 0), add_pairs, &r);
        store_sums(b, &s);
    }
}

/* Lanes first .. end - 1 of a vector, the others zero; both constant. */
static LLVMValueRef only_lanes(sn_kb *kb, LLVMValueRef v, int64_t first, int64_t end)
{
    LLVMValueRef bit[64];
    for (int64_t l = 0; l < kb->lanes; l++)
        bit[l] = LLVMConstInt(kb->i1, l >= first && l < end, 0);
    return LLVMBuildSelect(kb->b, LLVMConstVector(bit, kb->lanes), v, sn_kb_zero(kb, kb->lanes), "");
}

/* The sum of element e for a head: its vectors, and its lanes of those it shares, in order. */
static LLVMValueRef head_sum(body *b, LLVMValueRef e, int64_t head)
{
    sn_kb *kb = b->kb;
    const dot *d = b->d;
    const int64_t lanes = kb->lanes, channels = d->pack[0].width / d->heads, first = head * channels, end = first + channels;
    const bool apart = d->heads == 1 || channels % lanes == 0; /* else as many layers as vectors, though there may be as many of these as heads */
    LLVMValueRef sum = NULL, offset = sn_kb_imul(kb, e, sn_kb_i64(kb, lanes));
    for (int64_t layer = apart ? head : first / lanes; layer <= (apart ? head : (end - 1) / lanes); layer++) {
        LLVMValueRef v = sn_kb_load(kb, b->sums, sn_kb_iadd(kb, offset, sn_kb_i64(kb, layer * d->elements * lanes)), kb->lanes, NULL);
        if (!apart)
            v = only_lanes(kb, v, first - layer * lanes, end - layer * lanes);
        sum = sum ? LLVMBuildFAdd(kb->b, sum, v, "") : v;
    }
    return sn_kb_hsum(kb, sum);
}

/* Item = b * parts + part; items beyond the parts in use do nothing. */
static void item_body(body *b, LLVMValueRef item)
{
    sn_kb *kb = b->kb;
    const dot *d = b->d;
    LLVMValueRef most = sn_kb_i64(kb, d->parts), part = sn_kb_irem(kb, item, most), next = sn_kb_iadd(kb, part, sn_kb_i64(kb, 1));
    sn_if used = sn_kb_if(kb, sn_kb_iless(kb, part, b->parts));
    unflatten(b, d->batch, d->batches, sn_kb_idiv(kb, item, most));
    LLVMValueRef from = sn_kb_idiv(kb, sn_kb_imul(kb, part, b->tiles), b->parts), to = sn_kb_idiv(kb, sn_kb_imul(kb, next, b->tiles), b->parts);
    sn_loop zero = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, d->layers * d->elements * kb->lanes), kb->lanes, NULL, 0);
    sn_kb_store(kb, b->sums, zero.i, sn_kb_zero(kb, kb->lanes), NULL);
    sn_kb_endfor(kb, &zero, NULL);
    sn_loop tile = sn_kb_for(kb, from, to, 1, NULL, 0);
    pack_tile(b, tile.i);
    if (d->pairs)
        sparse_tile(b);
    else
        dense_tile(b);
    sn_kb_endfor(kb, &tile, NULL);
    LLVMValueRef memory = sn_kb_ptr(kb, kb->buffer[d->temp], sn_kb_imul(kb, item, sn_kb_i64(kb, d->elements * d->heads)));
    sn_loop e = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, d->elements), 1, NULL, 0);
    for (int64_t k = 0; k < d->heads; k++)
        sn_kb_store(kb, memory, sn_kb_iadd(kb, e.i, sn_kb_i64(kb, k * d->elements)), head_sum(b, e.i, k), NULL);
    sn_kb_endfor(kb, &e, NULL);
    sn_kb_endif(kb, &used);
}

static void emit_items(sn_kb *kb, sn_ct *ct)
{
    dot *d = ct->data;
    sn_kb_begin(kb, 0);
    body b = {.kb = kb, .ct = ct, .d = d, .sums = kb->scratch};
    for (int side = 0; side < 2; side++)
        b.packed[side] = sn_kb_ptr(kb, kb->scratch, sn_kb_i64(kb, d->offset[side]));
    count_tiles(&b);
    sn_loop item = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    item_body(&b, item.i);
    sn_kb_endfor(kb, &item, NULL);
    sn_kb_end(kb);
}

/* ---- sum of the parts ---- */

static LLVMValueRef flatten(body *b, const uint8_t *loop, uint32_t n)
{
    LLVMValueRef flat = sn_kb_i64(b->kb, 0);
    for (uint32_t i = 0; i < n; i++) {
        LLVMValueRef e = sn_kb_dim(b->kb, b->ct->facts.loop[loop[i]].extent);
        flat = sn_kb_iadd(b->kb, sn_kb_imul(b->kb, flat, e), b->loop[loop[i]]);
    }
    return flat;
}

/* Number of the pair of (i, o) at i * outs + o; -1 where there is none. */
static LLVMValueRef pair_table(body *b)
{
    const dot *d = b->d;
    sn_gemm_env env = sn_ct_env(b->kb);
    int64_t n = d->ins * d->outs, *number = sn_new_n(&b->kb->arena, int64_t, n);
    for (int64_t i = 0; i < n; i++)
        number[i] = -1;
    for (uint32_t i = 0; i < d->pairs; i++)
        number[d->pair[i].in * d->outs + d->pair[i].out] = i;
    return sn_gemm_table(&env, number, (uint32_t)n);
}

/* Element of the sums for the current loop values, negative where it is known to be zero. */
static LLVMValueRef element_of(body *b, LLVMValueRef table)
{
    sn_kb *kb = b->kb;
    const dot *d = b->d;
    LLVMValueRef in = flatten(b, d->product.in, d->product.ins), out = flatten(b, d->product.out, d->product.outs);
    if (d->pairs) {
        LLVMValueRef at = sn_kb_iadd(kb, sn_kb_imul(kb, in, sn_kb_i64(kb, d->outs)), out);
        return LLVMBuildLoad2(kb->b, kb->i64, LLVMBuildInBoundsGEP2(kb->b, kb->i64, table, &at, 1, ""), "");
    }
    LLVMValueRef rows = sn_kb_i64(kb, d->rows), columns = sn_kb_i64(kb, d->columns), across = sn_kb_i64(kb, (d->outs + d->columns - 1) / d->columns);
    LLVMValueRef block = sn_kb_iadd(kb, sn_kb_imul(kb, sn_kb_idiv(kb, in, rows), across), sn_kb_idiv(kb, out, columns));
    LLVMValueRef line = sn_kb_iadd(kb, sn_kb_imul(kb, block, rows), sn_kb_irem(kb, in, rows));
    return sn_kb_iadd(kb, sn_kb_imul(kb, line, columns), sn_kb_irem(kb, out, columns));
}

static LLVMValueRef add_parts(body *b, LLVMValueRef element)
{
    sn_kb *kb = b->kb;
    const dot *d = b->d;
    LLVMValueRef size = sn_kb_i64(kb, d->elements * d->heads), zero = sn_kb_i64(kb, 0), sum = sn_kb_zero(kb, 1);
    LLVMValueRef first = sn_kb_imul(kb, flatten(b, d->batch, d->batches), sn_kb_i64(kb, d->parts)), at = sn_kb_imax(kb, element, zero);
    if (d->heads > 1)
        at = sn_kb_iadd(kb, at, sn_kb_imul(kb, b->loop[d->head], sn_kb_i64(kb, d->elements)));
    sn_loop part = sn_kb_for(kb, zero, b->parts, 1, &sum, 1);
    LLVMValueRef from = sn_kb_imul(kb, sn_kb_iadd(kb, first, part.i), size);
    LLVMValueRef v = sn_kb_load(kb, kb->buffer[d->temp], sn_kb_iadd(kb, from, at), 1, NULL);
    LLVMValueRef next = LLVMBuildFAdd(kb->b, part.carry[0], v, "");
    sn_kb_endfor(kb, &part, &next);
    LLVMValueRef known = LLVMBuildICmp(kb->b, LLVMIntSGE, element, zero, "");
    return LLVMBuildSelect(kb->b, known, part.carry[0], sn_kb_zero(kb, 1), "");
}

/* Points of a tile from axis `axis` on. */
static void points(body *b, const sn_ct_tile *tile, uint32_t axis, LLVMValueRef table, sn_val *at)
{
    sn_kb *kb = b->kb;
    const sn_contract *c = b->ct->facts.spec;
    if (axis == c->rank[SN_AT_OUT]) {
        sn_ct_store(kb, b->ct, tile, at, add_parts(b, element_of(b, table)));
        return;
    }
    const bool outer = axis == b->ct->outer;
    sn_loop e = sn_kb_for(kb, outer ? tile->from : sn_kb_i64(kb, 0), outer ? tile->to : sn_kb_dim(kb, b->ct->facts.type[SN_AT_OUT].dim[axis]), 1, NULL, 0);
    b->loop[c->at[SN_AT_OUT][axis].loop[0]] = e.i;
    at[axis] = sn_kb_index(kb, e.i, 0);
    points(b, tile, axis + 1, table, at);
    sn_kb_endfor(kb, &e, NULL);
}

static void emit_sum(sn_kb *kb, sn_ct *ct)
{
    dot *d = ct->data;
    sn_val at[SN_MAX_RANK];
    sn_kb_begin(kb, 1);
    kb->lanes = 1;
    body b = {.kb = kb, .ct = ct, .d = d};
    LLVMValueRef table = d->pairs ? pair_table(&b) : NULL;
    count_tiles(&b);
    sn_loop number = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    sn_ct_tile tile = sn_ct_tile_of(kb, ct, number.i);
    for (uint32_t i = 0; i < ct->outer; i++) {
        b.loop[ct->facts.spec->at[SN_AT_OUT][i].loop[0]] = tile.at[i];
        at[i] = sn_kb_index(kb, tile.at[i], 0);
    }
    sn_ct_clear_sums(kb, ct, &tile);
    points(&b, &tile, ct->outer, table, at);
    sn_kb_endfor(kb, &number, NULL);
    sn_kb_end(kb);
}

static bool dot_emit(sn_kb *kb, sn_ct *ct)
{
    emit_items(kb, ct);
    emit_sum(kb, ct);
    return true;
}

const sn_ct_kind sn_ct_dot = {.name = "dot", .plan = dot_plan, .emit = dot_emit};
