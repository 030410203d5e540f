/* Graph products whose graph differs from head to head: gradients of affinities.
 *
 *     y[p.., o, k, c] = sum over i of  x[p.., i, k, c] * g[.., k, i, o]      (indices of g in any order; it may depend on some of p, too)
 *
 * Not products with one graph for all columns (kernel_contract_graph.c).
 *
 * A row is k and c together, so that few channels a head still fill vectors.  Where a vector has several heads, each number of the graph is
 * laid out as the vector that it is to be multiplied with; where it has one, the number is broadcast.  A block is some rows o of some
 * frames; blocks at the end step back or repeat the last frame instead of being smaller, and write the same numbers twice.
 */
#include "kernel_contract.h"

enum { BLOCK_ROWS = 5, MAX_TABLE = 1 << 18 };

typedef struct heads {
    int          x, g;                 /* operands */
    sn_product   product;
    uint8_t      in, out, head;        /* loops */
    int64_t      ins, outs, heads, channels, width;
    int64_t      lanes, vectors;       /* of a row */
    bool         broadcast;            /* a vector has one head */
    int64_t      rows, frames;         /* of a block */
} heads;

/* ---- plan ---- */

static uint8_t loop_at(const sn_contract_facts *f, int tensor, int from_end)
{
    return f->spec->at[tensor][f->spec->rank[tensor] - 1 - from_end].loop[0];
}

/* x and y agree but for i and o, which stand before k and c; k is in all three tensors, c not in g. */
static sn_refusal find_axes(const sn_plan *p, const sn_contract_facts *f, heads *h, int x)
{
    const sn_contract *c = f->spec;
    const uint8_t rank = c->rank[SN_AT_OUT];
    static const char other[] = "no operand is positions, a node, head and channel, as its result would be";
    sn_refusal no;
    h->x = x;
    h->g = 1 - x;
    if (sn_contract_has_window(f))
        return "it has a window";
    if (rank < 4 || c->rank[x] != rank)
        return other;
    if ((no = sn_contract_product(f, x, h->g, SN_AT_OUT, &h->product)))
        return no;
    for (uint8_t i = 0; i < rank; i++)
        if (i != rank - 3 && c->at[x][i].loop[0] != c->at[SN_AT_OUT][i].loop[0])
            return other;
    h->in = loop_at(f, h->x, 2);
    h->out = loop_at(f, SN_AT_OUT, 2);
    h->head = loop_at(f, SN_AT_OUT, 1);
    const sn_loop_role *role = h->product.role;
    if (role[h->head] != SN_LOOP_BATCH)
        return "there is no graph a head";
    if (role[h->in] != SN_LOOP_IN || role[h->out] != SN_LOOP_OUT || h->product.ins != 1 || h->product.outs != 1 ||
        role[loop_at(f, SN_AT_OUT, 0)] != SN_LOOP_POSITION || role[loop_at(f, SN_AT_OUT, 3)] != SN_LOOP_POSITION)
        return other;
    const uint8_t loop[] = {h->in, h->out, h->head, loop_at(f, SN_AT_OUT, 0)};
    int64_t *const extent[] = {&h->ins, &h->outs, &h->heads, &h->channels};
    for (int i = 0; i < 4; i++)
        if (!sn_ct_const_extent(f, loop[i], extent[i]))
            return sn_ct_open(p, f, loop[i]);
    return NULL;
}

/* Outs are the result itself and its sums over all but heads and channels. */
static sn_refusal outs_fit(const sn_plan *p, const sn_ct *ct)
{
    static const char other[] = "more is stored than the product and its sums over all but heads and channels";
    bool stored = false;
    for (uint32_t i = 0; i < p->k->outs; i++) {
        const sn_node *n = sn_at(p->g, p->k->out[i]);
        if (sn_same(p->k->out[i], ct->anchor))
            stored = true;
        else if (!sn_ct_is_sums(p->g, p->k->out[i]) || !sn_same(n->arg[0], ct->anchor) || n->type.rank != 3)
            return other;
    }
    return stored ? NULL : other;
}

static int64_t table_floats(const heads *h)
{
    return h->broadcast ? h->heads * h->ins * h->outs : h->ins * h->outs * h->vectors * h->lanes;
}

/* Blocks of some rows of some frames: as the micro-kernel's, a number for every row and vectors for every frame. */
static void predict(sn_ct *ct, const heads *h)
{
    const double frames = (double)ct->chunk;
    const double step = sn_gemm_step_cost(h->outs, ct->chunk, (sn_gemm_block){h->rows, h->frames});
    ct->cost = (sn_ct_cost){.macs = frames * (double)(h->ins * h->outs * h->width), .products = (double)(h->vectors * h->ins) * step, .moves = frames * (double)(h->outs * h->vectors)};
}

static sn_refusal heads_plan(sn_plan *p, sn_ct *ct)
{
    heads *h = sn_new(p->arena, heads);
    const uint32_t frame = ct->facts.spec->rank[SN_AT_OUT] < 4 ? 0 : ct->facts.spec->rank[SN_AT_OUT] - 4u;
    sn_refusal one = find_axes(p, &ct->facts, h, SN_AT_A), no = one ? find_axes(p, &ct->facts, h, SN_AT_B) : NULL;
    if (no)
        return sn_ct_neither(p, one, no);
    if (sn_plan_in_body(p, ct->operand[h->x]))
        return "its operand is not in memory";
    if ((no = outs_fit(p, ct)))
        return no;
    if (!p->k->tiled) {
        ct->outer = frame;
        ct->chunk = 12;
    }
    h->lanes = p->target->lanes;
    h->width = h->heads * h->channels;
    h->vectors = (h->width + h->lanes - 1) / h->lanes;
    h->broadcast = h->channels % h->lanes == 0;
    h->rows = h->outs < BLOCK_ROWS ? h->outs : BLOCK_ROWS;
    h->frames = p->target->registers > 16 ? 4 : 2;
    if (ct->outer != frame)
        return "the schedule's tiles cut another axis than its frames";
    if (table_floats(h) > MAX_TABLE)
        return sn_plan_no(p, "its graphs are %lld KiB", (long long)table_floats(h) >> 8);
    predict(ct, h);
    ct->data = h;
    sn_plan_call *c = sn_plan_add(p, sn_ct_tiles(p, ct), sn_dim_const(4 * sn_ct_ceil(table_floats(h), h->lanes)), false);
    sn_ct_reads(p, ct, c, SN_CT_OPERANDS);
    for (uint32_t i = 0; i < p->k->outs; i++)
        sn_plan_write(p, c, p->k->ins + i);
    return NULL;
}

/* ---- emission ---- */

typedef struct body {
    sn_kb       *kb;
    sn_ct       *ct;
    const heads *h;
    LLVMValueRef loop[SN_MAX_LOOPS];
    LLVMValueRef x, y;          /* memory of the tile's first frame */
    LLVMValueRef frames;        /* of the tile */
    LLVMValueRef column, mask;  /* of a vector; its number is column / lanes */
    sn_ct_streams ahead;        /* what the next tile reads and writes */
    int64_t       blocks;       /* of a whole tile */
} body;

/* The number of the graph for head `k` at the current i and o, as one float. */
static LLVMValueRef number_of(body *b, LLVMValueRef k)
{
    sn_kb *kb = b->kb;
    const sn_contract *c = b->ct->facts.spec;
    const uint32_t lanes = kb->lanes;
    sn_val at[SN_MAX_RANK];
    b->loop[b->h->head] = k;
    for (int i = 0; i < c->rank[b->h->g]; i++)
        at[i] = sn_kb_index(kb, b->loop[c->at[b->h->g][i].loop[0]], 0);
    kb->lanes = 1;
    LLVMValueRef v = sn_kb_value(kb, b->ct->operand[b->h->g], at).ir.value;
    kb->lanes = lanes;
    return v;
}

/* Lanes of head k in vector j, both constant: <lanes x i1>, or NULL if there are none. */
static LLVMValueRef lanes_of_head(const body *b, int64_t k, int64_t j)
{
    const heads *h = b->h;
    LLVMValueRef bit[64];
    bool any = false;
    for (int64_t l = 0; l < h->lanes; l++) {
        const bool on = (j * h->lanes + l) / h->channels == k;
        bit[l] = LLVMConstInt(b->kb->i1, on, 0);
        any = any || on;
    }
    return any ? LLVMConstVector(bit, (unsigned)h->lanes) : NULL;
}

/* Vectors that the rows of i are multiplied with for row o: [i][o][vector], lanes beyond the width zero. */
static void table_of_vectors(body *b, LLVMValueRef at)
{
    sn_kb *kb = b->kb;
    const heads *h = b->h;
    LLVMValueRef number[64];
    for (int64_t k = 0; k < h->heads; k++)
        number[k] = sn_kb_splat(kb, number_of(b, sn_kb_i64(kb, k)), kb->lanes);
    for (int64_t j = 0; j < h->vectors; j++) {
        LLVMValueRef v = sn_kb_zero(kb, kb->lanes), on;
        for (int64_t k = 0; k < h->heads; k++)
            if ((on = lanes_of_head(b, k, j)))
                v = LLVMBuildSelect(kb->b, on, number[k], v, "");
        LLVMValueRef to = sn_kb_iadd(kb, sn_kb_imul(kb, at, sn_kb_i64(kb, h->vectors * h->lanes)), sn_kb_i64(kb, j * h->lanes));
        sn_kb_store(kb, kb->scratch, to, v, NULL);
    }
}

/* [k][i][o] */
static void table_of_numbers(body *b, LLVMValueRef at)
{
    sn_kb *kb = b->kb;
    for (int64_t k = 0; k < b->h->heads; k++)
        sn_kb_store(kb, kb->scratch, sn_kb_iadd(kb, at, sn_kb_i64(kb, k * b->h->ins * b->h->outs)), number_of(b, sn_kb_i64(kb, k)), NULL);
}

static void make_table(body *b)
{
    sn_kb *kb = b->kb;
    const heads *h = b->h;
    sn_loop i = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, h->ins), 1, NULL, 0);
    b->loop[h->in] = i.i;
    sn_loop o = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, h->outs), 1, NULL, 0);
    b->loop[h->out] = o.i;
    LLVMValueRef at = sn_kb_iadd(kb, sn_kb_imul(kb, i.i, sn_kb_i64(kb, h->outs)), o.i);
    if (h->broadcast)
        table_of_numbers(b, at);
    else
        table_of_vectors(b, at);
    sn_kb_endfor(kb, &o, NULL);
    sn_kb_endfor(kb, &i, NULL);
}

/* Floats of the table from one o to the next, i's outs times as many. */
static int64_t table_step(const heads *h) { return h->broadcast ? 1 : h->vectors * h->lanes; }

/* Where numbers for rows from o on and the current column begin, row 0 of x. */
static LLVMValueRef factors_of(body *b, LLVMValueRef o)
{
    sn_kb *kb = b->kb;
    const heads *h = b->h;
    LLVMValueRef at = b->column;
    if (h->broadcast)
        at = sn_kb_imul(kb, sn_kb_idiv(kb, b->column, sn_kb_i64(kb, h->channels)), sn_kb_i64(kb, h->ins * h->outs));
    return sn_kb_ptr(kb, kb->scratch, sn_kb_iadd(kb, sn_kb_imul(kb, o, sn_kb_i64(kb, table_step(h))), at));
}

/* Numbers of a row: a vector of the table, or one number in all lanes. */
static LLVMValueRef factor(body *b, LLVMValueRef factors, int64_t row)
{
    sn_kb *kb = b->kb;
    LLVMValueRef at = sn_kb_i64(kb, row * table_step(b->h));
    return b->h->broadcast ? sn_kb_splat(kb, sn_kb_load(kb, factors, at, 1, NULL), kb->lanes) : sn_kb_load(kb, factors, at, kb->lanes, NULL);
}

/* Rows o .. of frames from `frame` on; block `number` of the tile.  Addresses are made outside the loop as far as they can be, and memory is asked
 * for there: inside, both would take as long as the multiply-adds. */
static void block(body *b, LLVMValueRef o, LLVMValueRef frame, LLVMValueRef number)
{
    sn_kb *kb = b->kb;
    const heads *h = b->h;
    const uint32_t n = (uint32_t)(h->rows * h->frames);
    LLVMValueRef sum[SN_MAX_CARRY], x[8], from[8], to[8], last = sn_kb_isub(kb, b->frames, sn_kb_i64(kb, 1)), factors = factors_of(b, o);
    for (uint32_t s = 0; s < n; s++)
        sum[s] = sn_kb_zero(kb, kb->lanes);
    for (int64_t f = 0; f < h->frames; f++) {
        LLVMValueRef at = sn_kb_imin(kb, sn_kb_iadd(kb, frame, sn_kb_i64(kb, f)), last);
        LLVMValueRef row = sn_kb_iadd(kb, sn_kb_imul(kb, at, sn_kb_i64(kb, h->outs)), o);
        from[f] = sn_kb_ptr(kb, b->x, sn_kb_iadd(kb, sn_kb_imul(kb, at, sn_kb_i64(kb, h->ins * h->width)), b->column));
        to[f] = sn_kb_ptr(kb, b->y, sn_kb_iadd(kb, sn_kb_imul(kb, row, sn_kb_i64(kb, h->width)), b->column));
    }
    sn_ct_stream_step(kb, &b->ahead, b->blocks, number);
    sn_loop i = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, h->ins), 1, sum, n);
    LLVMValueRef row = sn_kb_imul(kb, i.i, sn_kb_i64(kb, h->width)), line = sn_kb_ptr(kb, factors, sn_kb_imul(kb, i.i, sn_kb_i64(kb, h->outs * table_step(h))));
    for (int64_t f = 0; f < h->frames; f++)
        x[f] = sn_kb_load(kb, from[f], row, kb->lanes, b->mask);
    for (int64_t r = 0; r < h->rows; r++) {
        LLVMValueRef g = factor(b, line, r);
        for (int64_t f = 0; f < h->frames; f++)
            sum[r * h->frames + f] = sn_kb_fma(kb, x[f], g, i.carry[r * h->frames + f]);
    }
    sn_kb_endfor(kb, &i, sum);
    for (int64_t r = 0; r < h->rows; r++)
        for (int64_t f = 0; f < h->frames; f++)
            sn_kb_store(kb, to[f], sn_kb_i64(kb, r * h->width), i.carry[r * h->frames + f], b->mask);
}

/* The current column of some frames. */
static void column(body *b, LLVMValueRef frame)
{
    sn_kb *kb = b->kb;
    const heads *h = b->h;
    const int64_t across = (h->outs + h->rows - 1) / h->rows;
    b->blocks = (b->ct->chunk + h->frames - 1) / h->frames * h->vectors * across;
    LLVMValueRef number = sn_kb_imul(kb, sn_kb_idiv(kb, frame, sn_kb_i64(kb, h->frames)), sn_kb_i64(kb, h->vectors));
    number = sn_kb_imul(kb, sn_kb_iadd(kb, number, sn_kb_idiv(kb, b->column, sn_kb_i64(kb, h->lanes))), sn_kb_i64(kb, across));
    sn_loop o = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, h->outs), h->rows, NULL, 0);
    block(b, sn_kb_imin(kb, o.i, sn_kb_i64(kb, h->outs - h->rows)), frame, sn_kb_iadd(kb, number, sn_kb_idiv(kb, o.i, sn_kb_i64(kb, h->rows))));
    sn_kb_endfor(kb, &o, NULL);
}

/* The current column of the tile's sums. */
static void column_sums(body *b, const sn_ct_tile *tile)
{
    sn_kb *kb = b->kb;
    const heads *h = b->h;
    for (uint32_t i = 0; i < kb->k->outs; i++) {
        if (!sn_ct_is_sums(kb->g, kb->k->out[i]))
            continue;
        LLVMValueRef size, to = sn_ct_sums_row(kb, kb->k->out[i], tile, &size), sum = sn_kb_zero(kb, kb->lanes);
        sn_loop r = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_imul(kb, b->frames, sn_kb_i64(kb, h->outs)), 1, &sum, 1);
        LLVMValueRef v = sn_kb_load(kb, b->y, sn_kb_iadd(kb, sn_kb_imul(kb, r.i, sn_kb_i64(kb, h->width)), b->column), kb->lanes, b->mask);
        sum = LLVMBuildFAdd(kb->b, r.carry[0], v, "");
        sn_kb_endfor(kb, &r, &sum);
        sn_kb_store(kb, to, b->column, r.carry[0], b->mask);
    }
}

/* For every vector of a row: the frames from `frame` on, or the sums where that is NULL. */
static void columns(body *b, const sn_ct_tile *tile, LLVMValueRef frame)
{
    sn_kb *kb = b->kb;
    const heads *h = b->h;
    const int64_t whole = h->width / h->lanes * h->lanes;
    sn_loop j = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, whole), h->lanes, NULL, 0);
    b->column = j.i;
    frame ? column(b, frame) : column_sums(b, tile);
    sn_kb_endfor(kb, &j, NULL);
    if (h->width == whole)
        return;
    b->column = sn_kb_i64(kb, whole);
    b->mask = sn_kb_tail(kb, sn_kb_i64(kb, h->width - whole), kb->lanes);
    frame ? column(b, frame) : column_sums(b, tile);
    b->mask = NULL;
}

/* Frames outside, so that neighbouring vectors meet the lines that they share while these are in the first-level cache. */
static void tile_body(body *b, const sn_ct_tile *tile)
{
    sn_loop f = sn_kb_for(b->kb, sn_kb_i64(b->kb, 0), b->frames, b->h->frames, NULL, 0);
    columns(b, tile, f.i);
    sn_kb_endfor(b->kb, &f, NULL);
    columns(b, tile, NULL);
}

/* Memory of the tile's first frame in a tensor of `rows` rows a frame. */
static LLVMValueRef first_frame(body *b, sn_ref r, const sn_ct_tile *tile, int64_t rows)
{
    sn_kb *kb = b->kb;
    const sn_type *t = &b->ct->facts.type[SN_AT_OUT];
    LLVMValueRef at = sn_kb_i64(kb, 0);
    for (uint32_t i = 0; i < b->ct->outer; i++)
        at = sn_kb_iadd(kb, sn_kb_imul(kb, at, sn_kb_dim(kb, t->dim[i])), tile->at[i]);
    at = sn_kb_iadd(kb, sn_kb_imul(kb, at, sn_kb_dim(kb, t->dim[b->ct->outer])), tile->from);
    return sn_kb_ptr(kb, sn_kb_memory(kb, r), sn_kb_imul(kb, at, sn_kb_i64(kb, rows * b->h->width)));
}

static bool heads_emit(sn_kb *kb, sn_ct *ct)
{
    const heads *h = ct->data;
    sn_kb_begin(kb, 0);
    body b = {.kb = kb, .ct = ct, .h = h};
    LLVMValueRef made = sn_kb_i64(kb, -1); /* the sample whose table is made */
    sn_loop number = sn_kb_for(kb, kb->begin, kb->end, 1, &made, 1);
    sn_ct_tile tile = sn_ct_tile_of(kb, ct, number.i);
    for (uint32_t i = 0; i < ct->outer; i++)
        b.loop[ct->facts.spec->at[SN_AT_OUT][i].loop[0]] = tile.at[i];
    b.frames = sn_kb_isub(kb, tile.to, tile.from);
    b.x = first_frame(&b, ct->operand[h->x], &tile, h->ins);
    b.y = first_frame(&b, ct->anchor, &tile, h->outs);
    b.ahead = (sn_ct_streams){0};
    sn_ct_stream_add(&b.ahead, sn_kb_ptr(kb, b.x, sn_kb_imul(kb, b.frames, sn_kb_i64(kb, h->ins * h->width))), ct->chunk * h->ins * h->width, false);
    sn_ct_stream_add(&b.ahead, sn_kb_ptr(kb, b.y, sn_kb_imul(kb, b.frames, sn_kb_i64(kb, h->outs * h->width))), ct->chunk * h->outs * h->width, true);
    made = sn_ct_sample_of(kb, ct, &tile, h->g);
    sn_if other = sn_kb_if(kb, LLVMBuildICmp(kb->b, LLVMIntNE, made, number.carry[0], ""));
    make_table(&b);
    sn_kb_endif(kb, &other);
    tile_body(&b, &tile);
    sn_kb_endfor(kb, &number, &made);
    sn_kb_end(kb);
    return true;
}

const sn_ct_kind sn_ct_heads = {.name = "heads", .plan = heads_plan, .emit = heads_emit};
