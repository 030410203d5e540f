/* The reference interpreter: scalar emitter over doubles, and generic loops for the forms without a scalar rule.
 * Not tuned; clarity is what makes it a reference. */
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"

struct sn_ref_run {
    sn_emit              emit; /* first: rules get &run->emit */
    const sn_graph      *g;
    const sn_ref_setting *setting;
    sn_ref_array        *value; /* by node */
    double               margin; /* of comparisons: signed, 0 if there is no doubt */
    double              *terms; /* of the sum being made, by element: sum of the terms' sizes; NULL if there is no doubt */
};

static sn_ref_run *run_of(sn_emit *e) { return (sn_ref_run *)(void *)e; }
static sn_val number(double f) { return (sn_val){.f = f}; }
static sn_val integer(int64_t i) { return (sn_val){.i = i}; }

/* ---- emitter: numbers --------------------------------------------------------------------------------------------------- */

static sn_val e_number(sn_emit *e, double v) { (void)e; return number(v); }
static sn_val e_add(sn_emit *e, sn_val a, sn_val b) { (void)e; return number(a.f + b.f); }
static sn_val e_sub(sn_emit *e, sn_val a, sn_val b) { (void)e; return number(a.f - b.f); }
static sn_val e_mul(sn_emit *e, sn_val a, sn_val b) { (void)e; return number(a.f * b.f); }
static sn_val e_div(sn_emit *e, sn_val a, sn_val b) { (void)e; return number(a.f / b.f); }
static sn_val e_min(sn_emit *e, sn_val a, sn_val b) { (void)e; return number(b.f < a.f ? b.f : a.f); }
static sn_val e_max(sn_emit *e, sn_val a, sn_val b) { (void)e; return number(b.f > a.f ? b.f : a.f); }
static sn_val e_exp(sn_emit *e, sn_val a) { (void)e; return number(exp(a.f)); }
static sn_val e_log(sn_emit *e, sn_val a) { (void)e; return number(log(a.f)); }
static sn_val e_tanh(sn_emit *e, sn_val a) { (void)e; return number(tanh(a.f)); }
static sn_val e_sqrt(sn_emit *e, sn_val a) { (void)e; return number(sqrt(a.f)); }
static sn_val e_floor(sn_emit *e, sn_val a) { (void)e; return number(floor(a.f)); }
static sn_val e_greater(sn_emit *e, sn_val a, sn_val b) { return number(a.f + run_of(e)->margin > b.f); }
static sn_val e_equal(sn_emit *e, sn_val a, sn_val b)
{
    const double near = fmax(run_of(e)->margin, 0);
    return number(!(a.f < b.f - near) && !(a.f > b.f + near) && a.f == a.f && b.f == b.f);
}
static sn_val e_select(sn_emit *e, sn_val mask, sn_val a, sn_val b) { (void)e; return fabs(mask.f) > 0 ? a : b; }

/* ---- emitter: indices --------------------------------------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

static int64_t extent_of(const sn_ref_run *r, sn_dim d) { return sn_dim_eval(&r->g->dims, d, r->setting->symbol); }

static sn_val e_index(sn_emit *e, int64_t v) { (void)e; return integer(v); }
static sn_val e_extent(sn_emit *e, sn_dim d) { return integer(extent_of(run_of(e), d)); }
static sn_val e_iadd(sn_emit *e, sn_val a, sn_val b) { (void)e; return integer(a.i + b.i); }
static sn_val e_isub(sn_emit *e, sn_val a, sn_val b) { (void)e; return integer(a.i - b.i); }
static sn_val e_imul(sn_emit *e, sn_val a, sn_val b) { (void)e; return integer(a.i * b.i); }
static sn_val e_idiv(sn_emit *e, sn_val a, sn_val b) { (void)e; return integer(floor_div(a.i, b.i)); }
static sn_val e_iless(sn_emit *e, sn_val a, sn_val b) { (void)e; return number(a.i < b.i); }
static sn_val e_to_number(sn_emit *e, sn_val i) { (void)e; return number((double)i.i); }

/* ---- emitter: memory and random numbers --------------------------------------------------------------------------------- */

static sn_val e_load(sn_emit *e, const sn_node *n, uint32_t k, const sn_val *at)
{
    const sn_ref_array *a = &run_of(e)->value[n->arg[k].i];
    int64_t offset = 0;
    for (uint8_t i = 0; i < a->rank; i++) {
        SN_ASSERT(at[i].i >= 0 && at[i].i < a->dim[i], "%s reads index %lld of axis %u of argument %u, extent %lld",
                  sn_op_get(n->op)->name, (long long)at[i].i, i, k, (long long)a->dim[i]);
        offset = offset * a->dim[i] + at[i].i;
    }
    return number(a->data[offset]);
}

static sn_val e_load_if(sn_emit *e, const sn_node *n, uint32_t k, const sn_val *at, sn_val mask)
{
    return fabs(mask.f) > 0 ? e_load(e, n, k, at) : number(0);
}

/* Philox4x32-10 of (0, stream, step low, step bits 32..47 | 5 << 16) under the seed keys a hash of the element: codegen/random.c. */
static void stream_key(const sn_ref_setting *s, int64_t stream, uint32_t c[4])
{
    const uint32_t start[4] = {0, (uint32_t)stream, (uint32_t)s->step, (uint32_t)((s->step >> 32 & 0xFFFF) | 5u << 16)};
    uint32_t k[2] = {(uint32_t)s->seed, (uint32_t)(s->seed >> 32)};
    memcpy(c, start, sizeof start);
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c[0], p1 = (uint64_t)0xCD9E8D57u * c[2];
        const uint32_t next[4] = {(uint32_t)(p1 >> 32) ^ c[1] ^ k[0], (uint32_t)p1, (uint32_t)(p0 >> 32) ^ c[3] ^ k[1], (uint32_t)p0};
        memcpy(c, next, sizeof next);
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
}

static sn_val e_uniform(sn_emit *e, int64_t stream, sn_val element)
{
    uint32_t k[4], x;
    stream_key(run_of(e)->setting, stream, k);
    x = (uint32_t)element.i + k[0];
    x = (x ^ x >> 17) * 0xed5ad4bbu ^ k[1];
    x = (x ^ x >> 11) * 0xac4c1b51u + k[2];
    x = (x ^ x >> 15) * 0x31848babu ^ k[3];
    x ^= x >> 14;
    return number((double)(x >> 8) * 0x1p-24);
}

static const sn_emit EMITTER = {
    .number = e_number, .add = e_add, .sub = e_sub, .mul = e_mul, .div = e_div, .min = e_min, .max = e_max, .exp = e_exp, .log = e_log,
    .tanh = e_tanh, .sqrt = e_sqrt, .floor = e_floor, .greater = e_greater, .equal = e_equal, .select = e_select, .index = e_index,
    .extent = e_extent, .iadd = e_iadd, .isub = e_isub, .imul = e_imul, .idiv = e_idiv, .iless = e_iless, .to_number = e_to_number,
    .load = e_load, .load_if = e_load_if, .uniform = e_uniform,
};

/* ---- arrays ------------------------------------------------------------------------------------------------------------- */

static void *must(void *p)
{
    SN_ASSERT(p != NULL, "out of memory");
    return p;
}

static void array_make(const sn_ref_run *r, uint32_t i)
{
    const sn_type *t = &r->g->node[i].type;
    sn_ref_array *a = &r->value[i];
    *a = (sn_ref_array){.rank = t->rank, .count = 1, .data = a->data};
    for (uint8_t k = 0; k < t->rank; k++) {
        a->dim[k] = extent_of(r, t->dim[k]);
        a->count *= (size_t)a->dim[k];
    }
    free(a->data);
    a->data = must(calloc(a->count ? a->count : 1, sizeof *a->data));
}

/* Index vector of element `flat`. */
static void unravel(const sn_ref_array *a, size_t flat, int64_t *at)
{
    for (int i = a->rank - 1; i >= 0; i--) {
        at[i] = (int64_t)(flat % (size_t)a->dim[i]);
        flat /= (size_t)a->dim[i];
    }
}

/* Element number of an index vector; -1 if it lies outside. */
static int64_t ravel(const sn_ref_array *a, const int64_t *at)
{
    int64_t flat = 0;
    for (uint8_t i = 0; i < a->rank; i++) {
        if (at[i] < 0 || at[i] >= a->dim[i])
            return -1;
        flat = flat * a->dim[i] + at[i];
    }
    return flat;
}

/* All elements of an array in order, with the places that belong to them in others that are aligned at the last axis and stretched. */
typedef struct walk {
    const sn_ref_array *over;
    uint32_t others;
    int64_t  at[SN_MAX_RANK], stride[SN_MAX_ARGS][SN_MAX_RANK], place[SN_MAX_ARGS];
} walk;

static void walk_add(walk *w, const sn_ref_array *a)
{
    int64_t *stride = w->stride[w->others++], step = 1;
    for (int i = a->rank - 1, k = w->over->rank - 1; i >= 0; i--, k--) {
        stride[k] = a->dim[i] == 1 ? 0 : step;
        step *= a->dim[i];
    }
}

static void walk_next(walk *w)
{
    for (int i = w->over->rank - 1; i >= 0; i--) {
        const int64_t back = ++w->at[i] == w->over->dim[i] ? w->at[i] : 0;
        for (uint32_t k = 0; k < w->others; k++)
            w->place[k] += w->stride[k][i] * (1 - back);
        if (!back)
            return;
        w->at[i] = 0;
    }
}

/* ---- doubt -------------------------------------------------------------------------------------------------------------- */

/* Single precision's rounding; of one operation, of a long sum in any usual order, and differences that are not trusted, all in terms of it. */
static const double EPSILON = 0x1p-24, ONE = 4, SUM = 64, NEAR = 256;

static double side_of(size_t element) { return (uint32_t)element * 2654435761u >> 31 ? 1 : -1; }

/* What a comparison of these is not sure of. */
static double margin_of(const sn_ref_run *r, const sn_node *n)
{
    double largest = 0;
    for (uint8_t k = 0; k < n->args && r->setting->doubt != 0; k++) {
        const sn_ref_array *a = &r->value[n->arg[k].i];
        for (size_t j = 0; j < a->count; j++)
            largest = isfinite(a->data[j]) ? fmax(largest, fabs(a->data[j])) : largest;
    }
    return r->setting->doubt * NEAR * EPSILON * largest;
}

static void add_term(const sn_ref_run *r, sn_ref_array *y, int64_t place, double term)
{
    y->data[place] += term;
    if (r->terms)
        r->terms[place] += fabs(term);
}

static void doubt_terms(sn_ref_run *r, sn_ref_array *y)
{
    for (size_t j = 0; r->terms && j < y->count; j++)
        y->data[j] += r->setting->doubt * side_of(j) * SUM * EPSILON * r->terms[j];
}

/* ---- forms -------------------------------------------------------------------------------------------------------------- */

static void eval_index(sn_ref_run *r, const sn_node *n, sn_ref_array *y)
{
    int64_t at[SN_MAX_RANK];
    for (size_t j = 0; j < y->count; j++) {
        sn_val v[SN_MAX_RANK];
        unravel(y, j, at);
        for (uint8_t i = 0; i < y->rank; i++)
            v[i] = integer(at[i]);
        y->data[j] = sn_op_get(n->op)->index(&r->emit, n, v).f;
    }
}

static void eval_pointwise(sn_ref_run *r, const sn_node *n, sn_ref_array *y)
{
    sn_value_rule *value = sn_op_get(n->op)->value;
    walk w = {.over = y};
    for (uint8_t k = 0; k < n->args; k++)
        walk_add(&w, &r->value[n->arg[k].i]);
    r->margin = margin_of(r, n);
    for (size_t j = 0; j < y->count; j++, walk_next(&w)) {
        sn_val x[SN_MAX_ARGS];
        for (uint8_t k = 0; k < n->args; k++)
            x[k] = number(r->value[n->arg[k].i].data[w.place[k]]);
        y->data[j] = value(&r->emit, n, x).f;
        y->data[j] *= 1 + r->setting->doubt * side_of(j) * ONE * EPSILON;
    }
    r->margin = 0;
}

static void eval_sum(sn_ref_run *r, const sn_node *n, sn_ref_array *y)
{
    const sn_ref_array *x = &r->value[n->arg[0].i];
    walk w = {.over = x};
    walk_add(&w, y);
    for (size_t j = 0; j < x->count; j++, walk_next(&w))
        add_term(r, y, w.place[0], x->data[j]);
}

/* amax and argmax: first largest element along the axis; in doubt, any of the largest. */
static void eval_largest(sn_ref_run *r, const sn_node *n, sn_ref_array *y)
{
    const sn_ref_array *x = &r->value[n->arg[0].i];
    const int64_t axis = n->attrs.axis.axis;
    const double margin = n->op == SN_OP_argmax ? margin_of(r, n) : 0;
    int64_t at[SN_MAX_RANK];
    for (size_t j = 0; j < y->count; j++) {
        int64_t best = 0;
        double top = 0;
        unravel(y, j, at);
        for (int64_t i = 0; i < x->dim[axis]; i++) {
            at[axis] = i;
            const double v = x->data[ravel(x, at)];
            if (i == 0 || v > top - margin) {
                top = i == 0 || v > top ? v : top;
                best = i;
            }
        }
        y->data[j] = n->op == SN_OP_argmax ? (double)best : top;
    }
}

static void eval_partial_sum(sn_ref_run *r, const sn_node *n, sn_ref_array *y)
{
    const sn_ref_array *x = &r->value[n->arg[0].i];
    const sn_attr_tile *tile = &n->attrs.tile;
    const int64_t cuts = (x->dim[tile->outer] + tile->chunk - 1) / tile->chunk;
    int64_t at[SN_MAX_RANK];
    for (size_t j = 0; j < x->count; j++) {
        int64_t number_of_tile = 0, kept = 0;
        unravel(x, j, at);
        for (int64_t i = 0; i < tile->outer; i++)
            number_of_tile = number_of_tile * x->dim[i] + at[i];
        number_of_tile = number_of_tile * cuts + at[tile->outer] / tile->chunk;
        for (int64_t i = x->rank - tile->keep; i < x->rank; i++) {
            number_of_tile = number_of_tile * x->dim[i];
            kept = kept * x->dim[i] + at[i];
        }
        add_term(r, y, number_of_tile + kept, x->data[j]);
    }
}

/* ---- contractions ------------------------------------------------------------------------------------------------------- */

/* A place in a tensor is linear in the loops; only indices that are more than a loop can lie outside. */
typedef struct product {
    const sn_ref_run  *r;
    const sn_contract *c;
    sn_ref_array      *tensor[3];
    int64_t            extent[SN_MAX_LOOPS], base[3], step[3][SN_MAX_LOOPS];
    struct window { const sn_affine *at; int64_t dim; } window[3 * SN_MAX_RANK];
    uint32_t           windows;
    uint8_t            inner, shared; /* the innermost loop; the one that threads share */
} product;

static void product_make(product *p)
{
    for (int t = 0; t < 3; t++) {
        int64_t stride = 1;
        for (int i = p->c->rank[t] - 1; i >= 0; i--) {
            const sn_affine *f = &p->c->at[t][i];
            const int64_t dim = p->tensor[t]->dim[i];
            p->base[t] += f->offset * stride;
            for (uint8_t k = 0; k < f->terms; k++)
                p->step[t][f->loop[k]] += f->coef[k] * stride;
            if (sn_affine_is_loop(f))
                p->extent[f->loop[0]] = dim;
            else
                p->window[p->windows++] = (struct window){f, dim};
            stride *= dim;
        }
    }
}

/* Does every value of the loop have its own part of the result? */
static bool parts_result(const product *p, uint8_t loop)
{
    bool alone = false;
    for (uint8_t i = 0; i < p->c->rank[SN_AT_OUT]; i++) {
        const sn_affine *f = &p->c->at[SN_AT_OUT][i];
        alone = alone || (sn_affine_is_loop(f) && f->loop[0] == loop);
    }
    return alone;
}

/* Long rows whose numbers lie beside each other are innermost; threads share a loop of the result. */
static void product_order(product *p)
{
    enum { LONG = 64, BESIDE = 8 };
    int64_t best = 0, most = 0;
    for (uint8_t l = 0; l < p->c->loops; l++) {
        bool beside = true;
        for (int t = 0; t < 3; t++)
            beside = beside && (p->step[t][l] == 0 || p->step[t][l] == 1);
        const int64_t score = (p->extent[l] < LONG ? p->extent[l] : LONG) * (beside ? BESIDE : 1);
        if (score > best)
            best = score, p->inner = l;
    }
    p->shared = UINT8_MAX;
    for (uint8_t l = 0; l < p->c->loops; l++)
        if (l != p->inner && parts_result(p, l) && p->extent[l] > most)
            most = p->extent[l], p->shared = l;
}

/* First and last + 1 value of the innermost loop for which all indices lie inside. */
static void inside(const product *p, const int64_t *loop, int64_t *first, int64_t *end)
{
    *first = 0;
    *end = p->extent[p->inner];
    for (uint32_t w = 0; w < p->windows; w++) {
        const sn_affine *f = p->window[w].at;
        const int64_t dim = p->window[w].dim;
        int64_t coef = 0, v = f->offset;
        for (uint8_t k = 0; k < f->terms; k++) {
            v += f->loop[k] == p->inner ? 0 : (int64_t)f->coef[k] * loop[f->loop[k]];
            coef += f->loop[k] == p->inner ? f->coef[k] : 0;
        }
        if (coef == 0 && (v < 0 || v >= dim))
            *end = 0;
        for (; coef != 0 && *first < *end && (v + coef * *first < 0 || v + coef * *first >= dim); ++*first) {}
        for (; coef != 0 && *first < *end && (v + coef * (*end - 1) < 0 || v + coef * (*end - 1) >= dim); --*end) {}
    }
}

static double dot(const double *a, const double *b, int64_t n)
{
    double part[8] = {0};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++)
            part[k] += a[i + k] * b[i + k];
    for (; i < n; i++)
        part[0] += a[i] * b[i];
    return ((part[0] + part[4]) + (part[1] + part[5])) + ((part[2] + part[6]) + (part[3] + part[7]));
}

/* y += a * b */
static void add_scaled(double *restrict y, double a, const double *restrict b, int64_t n)
{
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int k = 0; k < 8; k++)
            y[i + k] += a * b[i + k];
    for (; i < n; i++)
        y[i] += a * b[i];
}

static void add_row(const product *p, const int64_t *loop, const int64_t *place)
{
    int64_t first, end, at[3], step[3];
    inside(p, loop, &first, &end);
    if (first >= end)
        return;
    for (int t = 0; t < 3; t++) {
        step[t] = p->step[t][p->inner];
        at[t] = place[t] + first * step[t];
    }
    const double *a = p->tensor[0]->data + at[0], *b = p->tensor[1]->data + at[1];
    double *y = p->tensor[SN_AT_OUT]->data + at[SN_AT_OUT];
    const int64_t n = end - first;
    if (p->r->terms)
        for (int64_t i = 0; i < n; i++)
            add_term(p->r, p->tensor[SN_AT_OUT], at[SN_AT_OUT] + i * step[SN_AT_OUT], a[i * step[0]] * b[i * step[1]]);
    else if (step[SN_AT_OUT] == 0 && step[0] == 1 && step[1] == 1)
        *y += dot(a, b, n);
    else if (step[SN_AT_OUT] == 1 && step[0] == 0 && step[1] == 1)
        add_scaled(y, *a, b, n);
    else if (step[SN_AT_OUT] == 1 && step[0] == 1 && step[1] == 0)
        add_scaled(y, *b, a, n);
    else
        for (int64_t i = 0; i < n; i++)
            y[i * step[SN_AT_OUT]] += a[i * step[0]] * b[i * step[1]];
}

/* All values of the loops, with `shared` from `begin` to `end`. */
static void add_part(void *context, int64_t begin, int64_t end)
{
    const product *p = context;
    int64_t loop[SN_MAX_LOOPS] = {0}, place[3];
    for (int t = 0; t < 3; t++)
        place[t] = p->base[t];
    if (p->shared != UINT8_MAX) {
        loop[p->shared] = begin;
        for (int t = 0; t < 3; t++)
            place[t] += begin * p->step[t][p->shared];
    }
    for (int l = 0; l >= 0;) {
        add_row(p, loop, place);
        for (l = p->c->loops - 1; l >= 0; l--) {
            if (l == p->inner)
                continue;
            const int64_t from = l == p->shared ? begin : 0, to = l == p->shared ? end : p->extent[l];
            const int64_t back = ++loop[l] < to ? 0 : to - from;
            loop[l] -= back;
            for (int t = 0; t < 3; t++)
                place[t] += p->step[t][l] * (1 - back);
            if (!back)
                break;
        }
    }
}

static void eval_contract(sn_ref_run *r, const sn_node *n, sn_ref_array *y)
{
    static const double WORTH = 1 << 22; /* products, for which threads are woken */
    double products = 1;
    product p = {.r = r, .c = n->attrs.spec.spec, .tensor = {&r->value[n->arg[0].i], &r->value[n->arg[1].i], y}};
    product_make(&p);
    if (p.c->loops == 0) {
        add_term(r, y, 0, p.tensor[0]->data[0] * p.tensor[1]->data[0]);
        return;
    }
    for (uint8_t l = 0; l < p.c->loops; l++)
        products *= (double)p.extent[l];
    if (products == 0)
        return;
    product_order(&p);
    if (r->setting->share && products >= WORTH && p.shared != UINT8_MAX)
        r->setting->share(p.extent[p.shared], add_part, &p);
    else
        add_part(&p, 0, p.shared != UINT8_MAX ? p.extent[p.shared] : 1);
}

/* Spec: loss = logsumexp(z) - z0 with z = (q.k, q.queue...) / tau; gradient = ((p0 - 1) k + sum p_n queue_n) / tau. */
static void eval_queue_nce(sn_ref_run *r, const sn_node *n, sn_ref_array *y)
{
    const sn_ref_array *q = &r->value[n->arg[0].i], *k = &r->value[n->arg[1].i], *queue = &r->value[n->arg[2].i];
    const int64_t rows = q->dim[0], width = q->dim[1], length = queue->dim[0];
    const double tau = n->attrs.tau.tau;
    double *z = must(malloc((size_t)(length + 1) * sizeof *z));
    for (int64_t i = 0; i < rows; i++) {
        const double *x = q->data + i * width;
        double *out = y->data + i * (1 + width), top, sum = 0;
        for (int64_t j = 0; j <= length; j++) {
            const double *other = j == 0 ? k->data + i * width : queue->data + (j - 1) * width;
            z[j] = 0;
            for (int64_t d = 0; d < width; d++)
                z[j] += x[d] * other[d] / tau;
        }
        top = z[0];
        for (int64_t j = 1; j <= length; j++)
            top = fmax(top, z[j]);
        for (int64_t j = 0; j <= length; j++)
            sum += exp(z[j] - top);
        out[0] = log(sum) + top - z[0];
        for (int64_t j = 0; j <= length; j++) {
            const double *other = j == 0 ? k->data + i * width : queue->data + (j - 1) * width;
            const double weight = (exp(z[j] - top) / sum - (j == 0)) / tau;
            for (int64_t d = 0; d < width; d++)
                out[1 + d] += weight * other[d];
        }
    }
    free(z);
}

static void eval_leaf(sn_ref_run *r, const sn_node *n, sn_ref_array *y)
{
    if (n->op == SN_OP_const) {
        for (size_t j = 0; j < y->count; j++)
            y->data[j] = (double)n->attrs.data.data[j];
        return;
    }
    const double *given = r->setting->param ? r->setting->param[n->attrs.param.index] : NULL;
    SN_ASSERT(given != NULL, "parameter %s has no value", r->g->param[n->attrs.param.index].name);
    memcpy(y->data, given, y->count * sizeof *y->data);
}

typedef struct form { sn_op op; void (*eval)(sn_ref_run *, const sn_node *, sn_ref_array *); } form;
static const form FORMS[] = {
    {SN_OP_param, eval_leaf}, {SN_OP_const, eval_leaf}, {SN_OP_sum, eval_sum}, {SN_OP_amax, eval_largest}, {SN_OP_argmax, eval_largest},
    {SN_OP_partial_sum, eval_partial_sum}, {SN_OP_contract, eval_contract}, {SN_OP_queue_nce, eval_queue_nce},
};

static void eval_node(sn_ref_run *r, const sn_node *n, sn_ref_array *y)
{
    const sn_op_info *info = sn_op_get(n->op);
    if (info->value) {
        eval_pointwise(r, n, y);
        return;
    }
    if (info->index) {
        eval_index(r, n, y);
        return;
    }
    for (size_t i = 0; i < sizeof FORMS / sizeof FORMS[0]; i++)
        if (FORMS[i].op == n->op) {
            FORMS[i].eval(r, n, y);
            return;
        }
    SN_ASSERT(false, "the reference interpreter does not know %s", info->name);
}

/* ---- public ------------------------------------------------------------------------------------------------------------- */

sn_ref_run *sn_ref_new(const sn_graph *g, const sn_ref_setting *setting)
{
    sn_ref_run *r = must(calloc(1, sizeof *r));
    r->emit = EMITTER;
    r->emit.g = g;
    r->g = g;
    r->setting = setting;
    r->value = must(calloc(g->nodes ? g->nodes : 1, sizeof *r->value));
    return r;
}

void sn_ref_give(sn_ref_run *r, sn_ref node, const float *data)
{
    array_make(r, node.i);
    for (size_t j = 0; j < r->value[node.i].count; j++)
        r->value[node.i].data[j] = (double)data[j];
}

void sn_ref_compute(sn_ref_run *r, sn_ref node)
{
    sn_ref_array *y = &r->value[node.i];
    array_make(r, node.i);
    if (r->setting->doubt != 0 && sn_op_has(sn_at(r->g, node)->op, SN_REDUCE | SN_CONTRACT))
        r->terms = must(calloc(y->count ? y->count : 1, sizeof *r->terms));
    eval_node(r, sn_at(r->g, node), y);
    doubt_terms(r, y);
    free(r->terms);
    r->terms = NULL;
}

void sn_ref_drop(sn_ref_run *r, sn_ref node)
{
    free(r->value[node.i].data);
    r->value[node.i].data = NULL;
}

/* Parameters that nothing reads may be left out; nodes of such parameters stay zero. */
static bool is_unread(const sn_graph *g, const uint32_t *use, uint32_t i) { return g->node[i].op == SN_OP_param && use[i] == 0; }

sn_ref_run *sn_ref_eval(const sn_graph *g, const sn_ref_setting *setting)
{
    sn_ref_run *r = sn_ref_new(g, setting);
    uint32_t *use = sn_graph_uses(g);
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (is_unread(g, use, i))
            array_make(r, i);
        else
            sn_ref_compute(r, (sn_ref){i});
    }
    free(use);
    return r;
}

const sn_ref_array *sn_ref_value(const sn_ref_run *run, sn_ref node)
{
    SN_ASSERT(node.i < run->g->nodes, "node %u", node.i);
    return &run->value[node.i];
}

const sn_ref_array *sn_ref_output(const sn_ref_run *run, const char *name)
{
    for (uint32_t i = 0; i < run->g->outputs; i++)
        if (strcmp(run->g->output[i].name, name) == 0)
            return &run->value[run->g->output[i].ref.i];
    return NULL;
}

void sn_ref_free(sn_ref_run *run)
{
    if (!run)
        return;
    for (uint32_t i = 0; i < run->g->nodes; i++)
        free(run->value[i].data);
    free(run->value);
    free(run);
}
