/* The queue loss in one sweep: InfoNCE and its gradient with respect to the query, without a logits matrix.
 * Not its gradient with respect to the key, which the graph makes from the loss (ir/op_loss.c).
 *
 *   s_n = q . k_n log2(e) / tau     m >= about max s     l = sum 2^(s_n - m)     G = sum 2^(s_n - m) k_n      over the queue
 *   loss = log l + (m - s_pos) / log2(e),   dq = (G / l - k_pos) / tau, the positive included in l and G
 *
 * First call: a tile is a block of QUERIES vectors of queries times one of PARTS parts of the queue; its state (G, m, l) goes to a private
 * buffer.  Second call: rows; parts are joined in order and the positive is added.
 *
 * Queries lie along the lanes.  Then both products take the keys as they are: S[key][query] = sum_d key[d] * qt[d][query] and
 * G[query][d] += P[key][query] * key[d], and maximum and sum need no horizontal step.  Keys are read where they lie; a block is copied only
 * where its width or end must be padded with zeros.  The next block is asked for while this one's second product runs.
 *
 * m need not be the maximum: it follows only when a block exceeds it by SLACK, so that G is almost never rescaled.  1/tau as a fixed m
 * would underflow for every term when 2/tau > 87.
 *
 * Blocks of 64 keys: 96, 192 and 384 were 1 to 4 % slower.  The powers of two hide behind the products: without them the sweep is 1 % faster.
 */
#include "gemm.h"
#include "internal.h"

enum { QUERIES = 3, PARTS = 8, KEYS = 64, GROUP = 8, ROWS = 8, SLACK = 16, COLUMNS = 8, CHAINS = 4 };
static const double LOG2E = 0x1.71547652b82fep+0;

typedef struct nce {
    sn_dim   rows, keys;
    int64_t  width, padded;  /* D, and D rounded up to vectors */
    int64_t  lanes, block;   /* queries a block */
    uint32_t step, row, vec; /* first product: keys at once; second: queries and vectors at once */
    double   tau;
    sn_dim   blocks;         /* of queries */
    int64_t  state;          /* floats of a tile's state */
    uint32_t q, key, queue, out, temp; /* kernel buffers */
} nce;

/* ---- plan ---- */

static bool plan_nce(sn_plan *p)
{
    const sn_node *n = sn_at(p->g, p->k->anchor);
    nce *x = sn_new(p->arena, nce);
    const sn_type *q = &sn_at(p->g, n->arg[0])->type, *queue = &sn_at(p->g, n->arg[2])->type;
    if (!sn_dim_is_const(q->dim[1]) || q->dim[1].v < 1)
        return sn_plan_fail(p, "queue_nce: the width of the queries is symbolic, expected a constant");
    x->rows = q->dim[0];
    x->keys = queue->dim[0];
    x->width = q->dim[1].v;
    x->lanes = p->target->lanes;
    x->padded = (x->width + x->lanes - 1) / x->lanes * x->lanes;
    x->block = QUERIES * x->lanes;
    x->step = p->target->registers >= 32 ? 8 : 4;
    x->row = 6;
    x->vec = p->target->registers >= 32 ? 4 : 2;
    x->tau = n->attrs.tau.tau;
    x->blocks = sn_dim_ceil_div(p->dims, x->rows, x->block);
    x->state = x->block * (x->padded + 2);
    x->q = sn_plan_buffer(p, n->arg[0]);
    x->key = sn_plan_buffer(p, n->arg[1]);
    x->queue = sn_plan_buffer(p, n->arg[2]);
    x->out = sn_plan_buffer(p, p->k->anchor);
    sn_dim tiles = sn_dim_mul(p->dims, x->blocks, sn_dim_const(PARTS));
    x->temp = sn_plan_temp(p, sn_dim_mul(p->dims, tiles, sn_dim_const(x->state)));
    p->form = x;
    int64_t scratch = (x->padded * x->block + KEYS * x->padded + KEYS * x->block) * 4;
    sn_plan_call *sweep = sn_plan_add(p, tiles, sn_dim_const(scratch), false);
    sn_plan_read(p, sweep, x->q);
    if (x->queue != x->q)
        sn_plan_read(p, sweep, x->queue);
    sn_plan_write(p, sweep, x->temp);
    sweep->macs = sn_dim_mul(p->dims, sn_dim_mul(p->dims, x->rows, x->keys), sn_dim_const(2 * x->width));
    sn_plan_call *join = sn_plan_add(p, sn_dim_ceil_div(p->dims, x->rows, ROWS), sn_dim_const(0), false);
    sn_plan_read(p, join, x->q);
    if (x->key != x->q)
        sn_plan_read(p, join, x->key);
    sn_plan_read(p, join, x->temp);
    sn_plan_write(p, join, x->out);
    return true;
}

static void explain_nce(const sn_plan *p)
{
    const nce *x = p->form;
    char logits[128];
    sn_dim_text(p->dims, sn_dim_mul(p->dims, x->rows, x->keys), logits, sizeof logits);
    sn_plan_say(p, "  as queue_nce, its only form: no logits in memory, which would be %s floats written once and read twice\n", logits);
    sn_plan_say(p, "    blocks of %lld queries x 1 of %d parts of the queue, %d keys at a time; registers hold %u keys x %d vectors of queries, then %u queries x %u vectors\n",
                (long long)x->block, PARTS, KEYS, x->step, QUERIES, x->row, x->vec);
}

/* ---- first call ---- */

typedef struct sweep {
    sn_kb        *kb;
    const nce    *x;
    LLVMValueRef  query, queries, vectors; /* first of the block, how many, vectors of them */
    LLVMValueRef  g, m, l;                 /* state in the private buffer */
    LLVMValueRef  qt, space, s;            /* scratch: [padded][block], [KEYS][padded], [KEYS][block] */
    LLVMValueRef  keys;                    /* of the block in work: in the queue, or in space */
    LLVMValueRef  table;                   /* one offset, 0 */
} sweep;

static LLVMValueRef i64(const sweep *w, int64_t v) { return sn_kb_i64(w->kb, v); }

static LLVMValueRef times(const sweep *w, LLVMValueRef a, int64_t b)
{
    return sn_kb_imul(w->kb, a, sn_kb_i64(w->kb, b));
}

/* Fill n floats (a multiple of lanes) with a number. */
static void fill(const sweep *w, LLVMValueRef base, int64_t n, double v)
{
    LLVMValueRef x = sn_kb_splat(w->kb, sn_kb_f32(w->kb, v), (uint32_t)w->x->lanes);
    sn_loop l = sn_kb_for(w->kb, i64(w, 0), i64(w, n), w->x->lanes, NULL, 0);
    sn_kb_store(w->kb, base, l.i, x, NULL);
    sn_kb_endfor(w->kb, &l, NULL);
}

/* qt[d][i] = q[i][d] log2(e) / tau; zero where there is no query or no d. */
static void pack_queries(const sweep *w)
{
    sn_kb *kb = w->kb;
    const nce *x = w->x;
    fill(w, w->qt, x->padded * x->block, 0);
    LLVMValueRef scale = sn_kb_f32(kb, LOG2E / x->tau);
    sn_loop i = sn_kb_for(kb, i64(w, 0), w->queries, 1, NULL, 0);
    LLVMValueRef row = times(w, sn_kb_iadd(kb, w->query, i.i), x->width);
    sn_loop d = sn_kb_for(kb, i64(w, 0), i64(w, x->width), 1, NULL, 0);
    LLVMValueRef v = sn_kb_load(kb, kb->buffer[x->q], sn_kb_iadd(kb, row, d.i), 1, NULL);
    sn_kb_store(kb, w->qt, sn_kb_iadd(kb, times(w, d.i, x->block), i.i), LLVMBuildFMul(kb->b, v, scale, ""), NULL);
    sn_kb_endfor(kb, &d, NULL);
    sn_kb_endfor(kb, &i, NULL);
}

/* space[0 .. n-1] from the queue at `from`, then zero rows up to a multiple of GROUP. */
static void copy_keys(const sweep *w, LLVMValueRef from, LLVMValueRef n, LLVMValueRef padded)
{
    sn_kb *kb = w->kb;
    const nce *x = w->x;
    uint32_t lanes = (uint32_t)x->lanes;
    sn_loop r = sn_kb_for(kb, i64(w, 0), n, 1, NULL, 0);
    LLVMValueRef row = times(w, sn_kb_iadd(kb, from, r.i), x->width), to = times(w, r.i, x->padded);
    for (int64_t d = 0; d < x->padded; d += x->lanes) {
        LLVMValueRef mask = d + x->lanes > x->width ? sn_kb_tail(kb, i64(w, x->width - d), lanes) : NULL;
        LLVMValueRef v = sn_kb_load(kb, kb->buffer[x->queue], sn_kb_iadd(kb, row, i64(w, d)), lanes, lanes > 1 ? mask : NULL);
        sn_kb_store(kb, w->space, sn_kb_iadd(kb, to, i64(w, d)), v, NULL);
    }
    sn_kb_endfor(kb, &r, NULL);
    sn_loop z = sn_kb_for(kb, times(w, n, x->padded), times(w, padded, x->padded), x->lanes, NULL, 0);
    sn_kb_store(kb, w->space, z.i, sn_kb_zero(kb, lanes), NULL);
    sn_kb_endfor(kb, &z, NULL);
}

/* Where the block's keys are, n of them from `from` on and zero rows up to `padded`. */
static LLVMValueRef keys_at(const sweep *w, LLVMValueRef from, LLVMValueRef n, LLVMValueRef padded)
{
    sn_kb *kb = w->kb;
    const nce *x = w->x;
    if (x->width != x->padded) {
        copy_keys(w, from, n, padded);
        return w->space;
    }
    LLVMValueRef partial = LLVMBuildICmp(kb->b, LLVMIntNE, n, padded, "");
    sn_if f = sn_kb_if(kb, partial);
    copy_keys(w, from, n, padded);
    sn_kb_endif(kb, &f);
    return LLVMBuildSelect(kb->b, partial, w->space, sn_kb_ptr(kb, kb->buffer[x->queue], times(w, from, x->width)), "");
}

/* Ask for `rows` keys from `row` on: they may lie beyond the queue. */
static void ask_keys(const sweep *w, LLVMValueRef row, int64_t rows)
{
    enum { LINE = 16 };
    sn_kb *kb = w->kb;
    LLVMValueRef from = times(w, row, w->x->width);
    sn_loop l = sn_kb_for(kb, i64(w, 0), i64(w, rows * w->x->width), LINE, NULL, 0);
    LLVMValueRef at = sn_kb_iadd(kb, from, l.i);
    sn_kb_prefetch(kb, LLVMBuildGEP2(kb->b, kb->f32, kb->buffer[w->x->queue], &at, 1, ""), false);
    sn_kb_endfor(kb, &l, NULL);
}

static void call_micro(const sweep *w, const sn_gemm_micro *m, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c, LLVMValueRef steps,
                       bool first)
{
    sn_gemm_env env = {w->kb->ctx, w->kb->mod, w->kb->b, w->kb->fn};
    LLVMValueRef fn = sn_gemm_micro_function(&env, m), arg[7] = {a, b, c, w->table, i64(w, 1), i64(w, first), steps};
    LLVMBuildCall2(w->kb->b, LLVMGlobalGetValueType(fn), fn, arg, 7, "");
}

/* S[key][query], for blocks with `vectors` vectors of queries. */
static void products(const sweep *w, uint32_t vectors, LLVMValueRef keys)
{
    sn_kb *kb = w->kb;
    const nce *x = w->x;
    sn_gemm_micro m = {.rows = x->step, .vectors = vectors, .lanes = (uint32_t)x->lanes, .steps = (uint32_t)x->padded, .unroll = 4,
                       .x_row = x->padded, .x_step = 1, .w_step = x->block, .c_row = x->block, .fma = kb->target->fma};
    sn_loop r = sn_kb_for(kb, i64(w, 0), keys, x->step, NULL, 0);
    call_micro(w, &m, sn_kb_ptr(kb, w->keys, times(w, r.i, x->padded)), w->qt, sn_kb_ptr(kb, w->s, times(w, r.i, x->block)),
               i64(w, x->padded), true);
    sn_kb_endfor(kb, &r, NULL);
}

static void all_products(const sweep *w, uint32_t vectors, LLVMValueRef keys)
{
    if (vectors == 1) {
        products(w, 1, keys);
        return;
    }
    LLVMValueRef full = LLVMBuildICmp(w->kb->b, LLVMIntEQ, w->vectors, i64(w, vectors), "");
    sn_if f = sn_kb_if(w->kb, full);
    products(w, vectors, keys);
    sn_kb_else(w->kb, &f);
    all_products(w, vectors - 1, keys);
    sn_kb_endif(w->kb, &f);
}

/* Multiply row i of G, of the block's vector at `column`, by factor[i]. */
static void rescale(const sweep *w, LLVMValueRef column, LLVMValueRef factor)
{
    sn_kb *kb = w->kb;
    const nce *x = w->x;
    uint32_t lanes = (uint32_t)x->lanes;
    sn_loop i = sn_kb_for(kb, i64(w, 0), i64(w, x->lanes), 1, NULL, 0);
    LLVMValueRef f = lanes == 1 ? factor : LLVMBuildExtractElement(kb->b, factor, i.i, "");
    f = sn_kb_splat(kb, f, lanes);
    LLVMValueRef row = times(w, sn_kb_iadd(kb, column, i.i), x->padded);
    sn_loop d = sn_kb_for(kb, i64(w, 0), i64(w, x->padded), x->lanes, NULL, 0);
    LLVMValueRef at = sn_kb_iadd(kb, row, d.i);
    sn_kb_store(kb, w->g, at, LLVMBuildFMul(kb->b, sn_kb_load(kb, w->g, at, lanes, NULL), f, ""), NULL);
    sn_kb_endfor(kb, &d, NULL);
    sn_kb_endfor(kb, &i, NULL);
}

static LLVMValueRef larger(sn_kb *kb, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildSelect(kb->b, LLVMBuildFCmp(kb->b, LLVMRealOGT, a, b, ""), a, b, "");
}

/* The largest of m and the block's values in a column: CHAINS rows at once, then the rest. */
static LLVMValueRef largest(const sweep *w, LLVMValueRef column, LLVMValueRef keys, LLVMValueRef m)
{
    sn_kb *kb = w->kb;
    uint32_t lanes = (uint32_t)w->x->lanes;
    LLVMValueRef top[CHAINS] = {m, m, m, m}, whole = sn_kb_isub(kb, keys, sn_kb_irem(kb, keys, i64(w, CHAINS)));
    for (int64_t step = CHAINS; step > 0; step = step == CHAINS ? 1 : 0) {
        bool first = step == CHAINS;
        sn_loop r = sn_kb_for(kb, first ? i64(w, 0) : whole, first ? whole : keys, step, top, (uint32_t)step);
        for (int64_t c = 0; c < step; c++) {
            LLVMValueRef at = sn_kb_iadd(kb, times(w, sn_kb_iadd(kb, r.i, i64(w, c)), w->x->block), column);
            top[c] = larger(kb, sn_kb_load(kb, w->s, at, lanes, NULL), r.carry[c]);
        }
        sn_kb_endfor(kb, &r, top);
        for (int64_t c = 0; c < step; c++)
            top[0] = c == 0 ? r.carry[0] : larger(kb, r.carry[c], top[0]);
    }
    return top[0];
}

/* Let m follow the block's largest value where it exceeds m by SLACK; l and G follow m. */
static void follow(const sweep *w, LLVMValueRef column, LLVMValueRef keys)
{
    sn_kb *kb = w->kb;
    uint32_t lanes = (uint32_t)w->x->lanes;
    LLVMValueRef m = sn_kb_load(kb, w->m, column, lanes, NULL), top = largest(w, column, keys, m);
    LLVMValueRef limit = LLVMBuildFAdd(kb->b, m, sn_kb_splat(kb, sn_kb_f32(kb, SLACK), lanes), "");
    LLVMValueRef above = LLVMBuildFCmp(kb->b, LLVMRealOGT, top, limit, "");
    LLVMValueRef any = above;
    if (lanes > 1)
        any = LLVMBuildICmp(kb->b, LLVMIntNE, LLVMBuildBitCast(kb->b, above, LLVMIntTypeInContext(kb->ctx, lanes), ""),
                            LLVMConstNull(LLVMIntTypeInContext(kb->ctx, lanes)), "");
    sn_if f = sn_kb_if(kb, any);
    LLVMValueRef next = LLVMBuildSelect(kb->b, above, top, m, "");
    LLVMValueRef factor = sn_math_exp2_fast(kb, LLVMBuildFSub(kb->b, m, next, ""));
    factor = LLVMBuildSelect(kb->b, above, factor, sn_kb_splat(kb, sn_kb_f32(kb, 1), lanes), "");
    sn_kb_store(kb, w->m, column, next, NULL);
    sn_kb_store(kb, w->l, column, LLVMBuildFMul(kb->b, sn_kb_load(kb, w->l, column, lanes, NULL), factor, ""), NULL);
    rescale(w, column, factor);
    sn_kb_endif(kb, &f);
}

/* S becomes P = 2^(S - m), l grows. */
static void weights(const sweep *w, LLVMValueRef column, LLVMValueRef keys)
{
    sn_kb *kb = w->kb;
    uint32_t lanes = (uint32_t)w->x->lanes;
    LLVMValueRef m = sn_kb_load(kb, w->m, column, lanes, NULL), zero = sn_kb_zero(kb, lanes);
    sn_loop r = sn_kb_for(kb, i64(w, 0), keys, 1, &zero, 1);
    LLVMValueRef at = sn_kb_iadd(kb, times(w, r.i, w->x->block), column);
    LLVMValueRef p = sn_math_exp2_fast(kb, LLVMBuildFSub(kb->b, sn_kb_load(kb, w->s, at, lanes, NULL), m, ""));
    sn_kb_store(kb, w->s, at, p, NULL);
    LLVMValueRef sum = LLVMBuildFAdd(kb->b, r.carry[0], p, "");
    sn_kb_endfor(kb, &r, &sum);
    LLVMValueRef l = sn_kb_load(kb, w->l, column, lanes, NULL);
    sn_kb_store(kb, w->l, column, LLVMBuildFAdd(kb->b, l, r.carry[0], ""), NULL);
}

/* G[query][d] += sum over the block's keys; asks for those from row `next` on. */
static void gather(const sweep *w, LLVMValueRef keys, LLVMValueRef next)
{
    sn_kb *kb = w->kb;
    const nce *x = w->x;
    sn_gemm_micro m = {.rows = x->row, .vectors = x->vec, .lanes = (uint32_t)x->lanes, .steps = 0, .unroll = 4, .x_row = 1,
                       .x_step = x->block, .w_step = x->padded, .c_row = x->padded, .fma = kb->target->fma};
    const int64_t step = m.vectors * x->lanes, calls = (x->padded + step - 1) / step * ((x->block + x->row - 1) / x->row);
    const int64_t ask = (KEYS + calls - 1) / calls;
    for (int64_t d = 0; d < x->padded; d += m.vectors * x->lanes) { /* outside: these columns of the keys stay near */
        while (d + m.vectors * x->lanes > x->padded)
            m.vectors--;
        sn_loop i = sn_kb_for(kb, i64(w, 0), w->queries, x->row, &next, 1);
        next = i.carry[0];
        ask_keys(w, next, ask);
        next = sn_kb_iadd(kb, next, i64(w, ask));
        LLVMValueRef at = sn_kb_iadd(kb, times(w, i.i, x->padded), i64(w, d));
        call_micro(w, &m, sn_kb_ptr(kb, w->s, i.i), sn_kb_ptr(kb, w->keys, i64(w, d)), sn_kb_ptr(kb, w->g, at), keys, false);
        sn_kb_endfor(kb, &i, &next);
        next = i.carry[0];
    }
}

static void sweep_block(const sweep *block, LLVMValueRef from, LLVMValueRef to)
{
    sweep in = *block, *w = &in;
    sn_kb *kb = w->kb;
    LLVMValueRef n = sn_kb_imin(kb, i64(w, KEYS), sn_kb_isub(kb, to, from));
    LLVMValueRef padded = times(w, sn_kb_idiv(kb, sn_kb_iadd(kb, n, i64(w, GROUP - 1)), i64(w, GROUP)), GROUP);
    in.keys = keys_at(w, from, n, padded);
    all_products(w, QUERIES, padded);
    sn_loop v = sn_kb_for(kb, i64(w, 0), times(w, w->vectors, w->x->lanes), w->x->lanes, NULL, 0);
    follow(w, v.i, n);
    weights(w, v.i, n);
    sn_kb_endfor(kb, &v, NULL);
    gather(w, n, sn_kb_iadd(kb, from, i64(w, KEYS)));
}

/* The part's share of the queue: whole groups of keys, so that only the queue's end is padded. */
static void part_range(const sweep *w, LLVMValueRef part, LLVMValueRef *from, LLVMValueRef *to)
{
    sn_kb *kb = w->kb;
    LLVMValueRef keys = sn_kb_dim(kb, w->x->keys);
    LLVMValueRef size = sn_kb_idiv(kb, sn_kb_iadd(kb, keys, i64(w, PARTS * GROUP - 1)), i64(w, PARTS * GROUP));
    size = times(w, size, GROUP);
    *from = sn_kb_imul(kb, part, size);
    *to = sn_kb_imin(kb, keys, sn_kb_iadd(kb, *from, size));
}

static void emit_sweep(sn_kb *kb, const nce *x)
{
    sn_kb_begin(kb, 0);
    sn_gemm_env env = {kb->ctx, kb->mod, kb->b, kb->fn};
    LLVMValueRef table = sn_gemm_table(&env, &(int64_t){0}, 1), from, to;
    sn_loop t = sn_kb_for(kb, kb->begin, kb->end, 1, NULL, 0);
    sweep w = {.kb = kb, .x = x, .qt = kb->scratch, .table = table};
    w.space = sn_kb_ptr(kb, w.qt, sn_kb_i64(kb, x->padded * x->block));
    w.s = sn_kb_ptr(kb, w.space, sn_kb_i64(kb, KEYS * x->padded));
    w.g = sn_kb_ptr(kb, kb->buffer[x->temp], times(&w, t.i, x->state));
    w.m = sn_kb_ptr(kb, w.g, sn_kb_i64(kb, x->block * x->padded));
    w.l = sn_kb_ptr(kb, w.m, sn_kb_i64(kb, x->block));
    w.query = times(&w, sn_kb_idiv(kb, t.i, sn_kb_i64(kb, PARTS)), x->block);
    w.queries = sn_kb_imin(kb, sn_kb_i64(kb, x->block), sn_kb_isub(kb, sn_kb_dim(kb, x->rows), w.query));
    w.vectors = sn_kb_idiv(kb, sn_kb_iadd(kb, w.queries, sn_kb_i64(kb, x->lanes - 1)), sn_kb_i64(kb, x->lanes));
    fill(&w, w.g, x->block * x->padded, 0);
    fill(&w, w.m, x->block, -__builtin_inf());
    fill(&w, w.l, x->block, 0);
    fill(&w, w.s, KEYS * x->block, 0);
    pack_queries(&w);
    part_range(&w, sn_kb_irem(kb, t.i, sn_kb_i64(kb, PARTS)), &from, &to);
    sn_loop b = sn_kb_for(kb, from, to, KEYS, NULL, 0);
    sweep_block(&w, b.i, to);
    sn_kb_endfor(kb, &b, NULL);
    sn_kb_endfor(kb, &t, NULL);
    sn_kb_end(kb);
}

/* ---- second call ---- */

typedef struct row {
    sn_kb       *kb;
    const nce   *x;
    LLVMValueRef at, in;      /* number of the row; offset of its query and key */
    LLVMValueRef state, lane; /* offset of part 0's state of its block; its place in the block */
} row;

static LLVMValueRef mask_at(const row *r, int64_t d)
{
    uint32_t lanes = (uint32_t)r->x->lanes;
    return lanes > 1 && d + r->x->lanes > r->x->width ? sn_kb_tail(r->kb, sn_kb_i64(r->kb, r->x->width - d), lanes) : NULL;
}

static LLVMValueRef input(const row *r, uint32_t buffer, int64_t d)
{
    sn_kb *kb = r->kb;
    return sn_kb_load(kb, kb->buffer[buffer], sn_kb_iadd(kb, r->in, sn_kb_i64(kb, d)), (uint32_t)r->x->lanes, mask_at(r, d));
}

/* Float `field` floats behind the part's G, of this row's lane. */
static LLVMValueRef of_part(const row *r, LLVMValueRef part, int64_t field)
{
    sn_kb *kb = r->kb;
    LLVMValueRef at = sn_kb_iadd(kb, r->state, sn_kb_imul(kb, part, sn_kb_i64(kb, r->x->state)));
    at = sn_kb_iadd(kb, sn_kb_iadd(kb, at, sn_kb_i64(kb, r->x->block * r->x->padded + field)), r->lane);
    return sn_kb_load(kb, kb->buffer[r->x->temp], at, 1, NULL);
}

static LLVMValueRef positive(const row *r)
{
    sn_kb *kb = r->kb;
    LLVMValueRef sum = sn_kb_zero(kb, (uint32_t)r->x->lanes);
    for (int64_t d = 0; d < r->x->padded; d += r->x->lanes)
        sum = sn_kb_fma(kb, input(r, r->x->q, d), input(r, r->x->key, d), sum);
    return LLVMBuildFMul(kb->b, sn_kb_hsum(kb, sum), sn_kb_f32(kb, LOG2E / r->x->tau), "");
}

/* dq at COLUMNS vectors from d: (sum of parts / l - share of the others * key) / tau. */
static void store_gradient(const row *r, int64_t d, LLVMValueRef m, LLVMValueRef inverse, LLVMValueRef others)
{
    sn_kb *kb = r->kb;
    const nce *x = r->x;
    uint32_t lanes = (uint32_t)x->lanes, n = 0;
    LLVMValueRef sum[COLUMNS], next[COLUMNS];
    for (int64_t c = d; c < x->padded && n < COLUMNS; c += x->lanes)
        sum[n++] = sn_kb_zero(kb, lanes);
    sn_loop p = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, PARTS), 1, sum, n);
    LLVMValueRef scale = sn_math_exp2_fast(kb, LLVMBuildFSub(kb->b, of_part(r, p.i, 0), m, ""));
    LLVMValueRef g = sn_kb_iadd(kb, r->state, sn_kb_imul(kb, p.i, sn_kb_i64(kb, x->state)));
    g = sn_kb_iadd(kb, g, sn_kb_imul(kb, r->lane, sn_kb_i64(kb, x->padded)));
    for (uint32_t c = 0; c < n; c++) {
        LLVMValueRef v = sn_kb_load(kb, kb->buffer[x->temp], sn_kb_iadd(kb, g, sn_kb_i64(kb, d + c * x->lanes)), lanes, NULL);
        next[c] = sn_kb_fma(kb, v, sn_kb_splat(kb, scale, lanes), p.carry[c]);
    }
    sn_kb_endfor(kb, &p, next);
    LLVMValueRef out = sn_kb_iadd(kb, sn_kb_imul(kb, r->at, sn_kb_i64(kb, x->width + 1)), sn_kb_i64(kb, 1 + d));
    for (uint32_t c = 0; c < n; c++) {
        LLVMValueRef key = LLVMBuildFMul(kb->b, input(r, x->key, d + c * x->lanes), sn_kb_splat(kb, others, lanes), "");
        LLVMValueRef v = LLVMBuildFSub(kb->b, LLVMBuildFMul(kb->b, p.carry[c], sn_kb_splat(kb, inverse, lanes), ""), key, "");
        v = LLVMBuildFMul(kb->b, v, sn_kb_splat(kb, sn_kb_f32(kb, 1 / x->tau), lanes), "");
        sn_kb_store(kb, kb->buffer[x->out], sn_kb_iadd(kb, out, sn_kb_i64(kb, c * x->lanes)), v, mask_at(r, d + c * x->lanes));
    }
}

static void join_row(const row *r)
{
    sn_kb *kb = r->kb;
    const nce *x = r->x;
    LLVMValueRef s = positive(r), m = s, zero = sn_kb_f32(kb, 0);
    for (int64_t p = 0; p < PARTS; p++)
        m = larger(kb, of_part(r, sn_kb_i64(kb, p), 0), m);
    sn_loop p = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, PARTS), 1, &zero, 1);
    LLVMValueRef scale = sn_math_exp2_fast(kb, LLVMBuildFSub(kb->b, of_part(r, p.i, 0), m, ""));
    LLVMValueRef sum = sn_kb_fma(kb, of_part(r, p.i, x->block), scale, p.carry[0]);
    sn_kb_endfor(kb, &p, &sum);
    LLVMValueRef rest = p.carry[0], l = LLVMBuildFAdd(kb->b, rest, sn_math_exp2_fast(kb, LLVMBuildFSub(kb->b, s, m, "")), "");
    LLVMValueRef loss = sn_kb_fma(kb, LLVMBuildFSub(kb->b, m, s, ""), sn_kb_f32(kb, 1 / LOG2E), sn_math_log(kb, l));
    sn_kb_store(kb, kb->buffer[x->out], sn_kb_imul(kb, r->at, sn_kb_i64(kb, x->width + 1)), loss, NULL);
    LLVMValueRef inverse = LLVMBuildFDiv(kb->b, sn_kb_f32(kb, 1), l, ""), others = LLVMBuildFMul(kb->b, rest, inverse, "");
    for (int64_t d = 0; d < x->padded; d += COLUMNS * x->lanes)
        store_gradient(r, d, m, inverse, others);
}

static void emit_join(sn_kb *kb, const nce *x)
{
    sn_kb_begin(kb, 1);
    LLVMValueRef rows = sn_kb_dim(kb, x->rows), end = sn_kb_imin(kb, rows, sn_kb_imul(kb, kb->end, sn_kb_i64(kb, ROWS)));
    sn_loop l = sn_kb_for(kb, sn_kb_imul(kb, kb->begin, sn_kb_i64(kb, ROWS)), end, 1, NULL, 0);
    LLVMValueRef block = sn_kb_i64(kb, x->block);
    row r = {.kb = kb, .x = x, .at = l.i, .in = sn_kb_imul(kb, l.i, sn_kb_i64(kb, x->width)), .lane = sn_kb_irem(kb, l.i, block)};
    r.state = sn_kb_imul(kb, sn_kb_idiv(kb, l.i, block), sn_kb_i64(kb, PARTS * x->state));
    join_row(&r);
    sn_kb_endfor(kb, &l, NULL);
    sn_kb_end(kb);
}

static bool emit_nce(sn_kb *kb)
{
    emit_sweep(kb, kb->plan->form);
    emit_join(kb, kb->plan->form);
    return true;
}

const sn_generator sn_kernel_queue_nce = {.name = "queue_nce", .plan = plan_nce, .explain = explain_nce, .emit = emit_nce};
