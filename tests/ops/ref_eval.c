/* The reference interpreter: scalar emitter over doubles, and generic loops for the forms without a scalar rule.
 * Not tuned; clarity is what makes it a reference. */
#include "ref_eval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/emit.h"

struct sn_ref_run {
    sn_emit              emit; /* first: rules get &run->emit */
    const sn_graph      *g;
    const sn_ref_setting *setting;
    sn_ref_array        *value; /* by node */
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
static sn_val e_greater(sn_emit *e, sn_val a, sn_val b) { (void)e; return number(a.f > b.f); }
static sn_val e_equal(sn_emit *e, sn_val a, sn_val b) { (void)e; return number(!(a.f < b.f) && !(a.f > b.f) && a.f == a.f && b.f == b.f); }
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

static sn_ref_array array_new(const sn_ref_run *r, const sn_type *t)
{
    sn_ref_array a = {.rank = t->rank, .count = 1};
    for (uint8_t i = 0; i < t->rank; i++) {
        a.dim[i] = extent_of(r, t->dim[i]);
        a.count *= (size_t)a.dim[i];
    }
    a.data = must(calloc(a.count ? a.count : 1, sizeof *a.data));
    return a;
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
    int64_t at[SN_MAX_RANK], from[SN_MAX_RANK];
    for (size_t j = 0; j < y->count; j++) {
        sn_val x[SN_MAX_ARGS];
        unravel(y, j, at);
        for (uint8_t k = 0; k < n->args; k++) {
            const sn_ref_array *a = &r->value[n->arg[k].i];
            for (uint8_t i = 0; i < a->rank; i++)
                from[i] = a->dim[i] == 1 ? 0 : at[y->rank - a->rank + i];
            x[k] = number(a->data[ravel(a, from)]);
        }
        y->data[j] = sn_op_get(n->op)->value(&r->emit, n, x).f;
    }
}

static void eval_sum(sn_ref_run *r, const sn_node *n, sn_ref_array *y)
{
    const sn_ref_array *x = &r->value[n->arg[0].i];
    int64_t at[SN_MAX_RANK];
    for (size_t j = 0; j < x->count; j++) {
        unravel(x, j, at);
        for (uint8_t i = 0; i < n->attrs.axes.n; i++)
            at[n->attrs.axes.axis[i]] = 0;
        y->data[ravel(y, at)] += x->data[j];
    }
}

/* amax and argmax: first largest element along the axis. */
static void eval_largest(sn_ref_run *r, const sn_node *n, sn_ref_array *y)
{
    const sn_ref_array *x = &r->value[n->arg[0].i];
    const int64_t axis = n->attrs.axis.axis;
    int64_t at[SN_MAX_RANK];
    for (size_t j = 0; j < y->count; j++) {
        int64_t best = 0;
        double top = 0;
        unravel(y, j, at);
        for (int64_t i = 0; i < x->dim[axis]; i++) {
            at[axis] = i;
            const double v = x->data[ravel(x, at)];
            if (i == 0 || v > top) {
                top = v;
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
        y->data[number_of_tile + kept] += x->data[j];
    }
}

static void eval_affine(const sn_affine *f, uint8_t rank, const int64_t *loop, int64_t *at)
{
    for (uint8_t i = 0; i < rank; i++) {
        at[i] = f[i].offset;
        for (uint8_t t = 0; t < f[i].terms; t++)
            at[i] += (int64_t)f[i].coef[t] * loop[f[i].loop[t]];
    }
}

static void eval_contract(sn_ref_run *r, const sn_node *n, sn_ref_array *y)
{
    const sn_contract *c = n->attrs.spec.spec;
    const sn_ref_array *tensor[3] = {&r->value[n->arg[0].i], &r->value[n->arg[1].i], y};
    int64_t extent[SN_MAX_LOOPS] = {0}, loop[SN_MAX_LOOPS], at[SN_MAX_RANK], place[3];
    size_t count = 1;
    for (int t = 0; t < 3; t++)
        for (uint8_t i = 0; i < c->rank[t]; i++)
            if (sn_affine_is_loop(&c->at[t][i]))
                extent[c->at[t][i].loop[0]] = tensor[t]->dim[i];
    for (uint8_t i = 0; i < c->loops; i++)
        count *= (size_t)extent[i];
    for (size_t j = 0; j < count; j++) {
        size_t rest = j;
        for (int i = c->loops - 1; i >= 0; i--) {
            loop[i] = (int64_t)(rest % (size_t)extent[i]);
            rest /= (size_t)extent[i];
        }
        bool inside = true;
        for (int t = 0; t < 3 && inside; t++) {
            eval_affine(c->at[t], c->rank[t], loop, at);
            place[t] = ravel(tensor[t], at);
            inside = place[t] >= 0;
        }
        if (inside)
            y->data[place[SN_AT_OUT]] += tensor[0]->data[place[0]] * tensor[1]->data[place[1]];
    }
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

/* Parameters that nothing reads may be left out; nodes of such parameters stay zero. */
static bool is_unread(const sn_graph *g, const uint32_t *use, uint32_t i) { return g->node[i].op == SN_OP_param && use[i] == 0; }

sn_ref_run *sn_ref_eval(const sn_graph *g, const sn_ref_setting *setting)
{
    sn_ref_run *r = must(calloc(1, sizeof *r));
    uint32_t *use = sn_graph_uses(g);
    r->emit = EMITTER;
    r->emit.g = g;
    r->g = g;
    r->setting = setting;
    r->value = must(calloc(g->nodes ? g->nodes : 1, sizeof *r->value));
    for (uint32_t i = 0; i < g->nodes; i++) {
        r->value[i] = array_new(r, &g->node[i].type);
        if (!is_unread(g, use, i))
            eval_node(r, &g->node[i], &r->value[i]);
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
