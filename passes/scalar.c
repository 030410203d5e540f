/* Lowering rules run on plain doubles: the value of an operator on constants, and what one element of it costs.
 * Not the reference interpreter (ir/reference.c): no memory is read here. */
#include <math.h>

#include "../ir/emit.h"
#include "internal.h"

typedef struct scalar {
    sn_emit  e; /* first */
    uint32_t cost;
} scalar;

/* In additions; a division and a square root occupy the unit about as long as four, a function is a polynomial of about ten,
 * a random number a keyed hash of a few integer operations. */
enum { COST_ONE = 1, COST_DIVIDE = 4, COST_FUNCTION = 14, COST_RANDOM = 8 };

static sn_val number_of(sn_emit *e, double v, uint32_t cost)
{
    ((scalar *)e)->cost += cost;
    return (sn_val){.f = v};
}

static sn_val index_of(sn_emit *e, int64_t v, uint32_t cost)
{
    ((scalar *)e)->cost += cost;
    return (sn_val){.i = v};
}

static sn_val s_number(sn_emit *e, double v) { return number_of(e, v, 0); }
static sn_val s_add(sn_emit *e, sn_val a, sn_val b) { return number_of(e, a.f + b.f, COST_ONE); }
static sn_val s_sub(sn_emit *e, sn_val a, sn_val b) { return number_of(e, a.f - b.f, COST_ONE); }
static sn_val s_mul(sn_emit *e, sn_val a, sn_val b) { return number_of(e, a.f * b.f, COST_ONE); }
static sn_val s_div(sn_emit *e, sn_val a, sn_val b) { return number_of(e, a.f / b.f, COST_DIVIDE); }
static sn_val s_min(sn_emit *e, sn_val a, sn_val b) { return number_of(e, a.f < b.f ? a.f : b.f, COST_ONE); }
static sn_val s_max(sn_emit *e, sn_val a, sn_val b) { return number_of(e, a.f > b.f ? a.f : b.f, COST_ONE); }
static sn_val s_exp(sn_emit *e, sn_val a) { return number_of(e, exp(a.f), COST_FUNCTION); }
static sn_val s_log(sn_emit *e, sn_val a) { return number_of(e, log(a.f), COST_FUNCTION); }
static sn_val s_tanh(sn_emit *e, sn_val a) { return number_of(e, tanh(a.f), COST_FUNCTION); }
static sn_val s_sqrt(sn_emit *e, sn_val a) { return number_of(e, sqrt(a.f), COST_DIVIDE); }
static sn_val s_floor(sn_emit *e, sn_val a) { return number_of(e, floor(a.f), COST_ONE); }
static sn_val s_greater(sn_emit *e, sn_val a, sn_val b) { return number_of(e, a.f > b.f, COST_ONE); }
static sn_val s_equal(sn_emit *e, sn_val a, sn_val b) { return number_of(e, a.f >= b.f && a.f <= b.f, COST_ONE); }
static sn_val s_select(sn_emit *e, sn_val m, sn_val a, sn_val b) { return number_of(e, m.f > 0 || m.f < 0 ? a.f : b.f, COST_ONE); }

/* Indices are run-time numbers here of which only the cost counts. */
static sn_val s_index(sn_emit *e, int64_t v) { return index_of(e, v, 0); }
static sn_val s_extent(sn_emit *e, sn_dim d) { return (void)d, index_of(e, 1, 0); }
static sn_val s_iadd(sn_emit *e, sn_val a, sn_val b) { return (void)a, (void)b, index_of(e, 0, 0); }
static sn_val s_idiv(sn_emit *e, sn_val a, sn_val b) { return (void)a, (void)b, index_of(e, 0, COST_DIVIDE); }
static sn_val s_iless(sn_emit *e, sn_val a, sn_val b) { return number_of(e, a.i < b.i, COST_ONE); }
static sn_val s_to_number(sn_emit *e, sn_val i) { return number_of(e, (double)i.i, COST_ONE); }
static sn_val s_load(sn_emit *e, const sn_node *n, uint32_t k, const sn_val *at) { return (void)n, (void)k, (void)at, number_of(e, 0, 0); }
static sn_val s_load_if(sn_emit *e, const sn_node *n, uint32_t k, const sn_val *at, sn_val m)
{
    (void)m;
    return s_load(e, n, k, at);
}
static sn_val s_uniform(sn_emit *e, int64_t stream, sn_val element) { return (void)stream, (void)element, number_of(e, 0, COST_RANDOM); }

static scalar scalar_emitter(const sn_graph *g)
{
    return (scalar){.e = {.g = g, .number = s_number, .add = s_add, .sub = s_sub, .mul = s_mul, .div = s_div, .min = s_min, .max = s_max,
                          .exp = s_exp, .log = s_log, .tanh = s_tanh, .sqrt = s_sqrt, .floor = s_floor, .greater = s_greater,
                          .equal = s_equal, .select = s_select, .index = s_index, .extent = s_extent, .iadd = s_iadd, .isub = s_iadd,
                          .imul = s_iadd, .idiv = s_idiv, .iless = s_iless, .to_number = s_to_number, .load = s_load,
                          .load_if = s_load_if, .uniform = s_uniform}};
}

double sn_value_of(const sn_graph *g, const sn_node *n, const double *x)
{
    scalar s = scalar_emitter(g);
    sn_val v[SN_MAX_ARGS];
    for (uint8_t k = 0; k < n->args; k++)
        v[k] = (sn_val){.f = x[k]};
    return sn_op_get(n->op)->value(&s.e, n, v).f;
}

uint32_t sn_cost_of(const sn_graph *g, const sn_node *n)
{
    scalar s = scalar_emitter(g);
    sn_val v[(int)SN_MAX_ARGS + (int)SN_MAX_RANK] = {{0}};
    const sn_op_info *info = sn_op_get(n->op);
    if (info->value)
        info->value(&s.e, n, v);
    else if (info->index)
        info->index(&s.e, n, v);
    return s.cost;
}
