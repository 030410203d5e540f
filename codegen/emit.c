/* The scalar emitter of ir/emit.h over LLVM vectors.
 * Not evaluation by demand (value.c): here a rule's single operations become instructions.
 *
 * A number is a float when it is the same in all lanes, otherwise a vector of kb->lanes floats.  An index is lane 0's i64 with a constant
 * step from lane to lane, or, with step SN_LANE_ANY, a vector of kb->lanes i64.
 */
#include "internal.h"

static sn_kb *kb_of(sn_emit *e) { return (sn_kb *)e; }
static LLVMValueRef value_of(sn_val v) { return v.ir.value; }

sn_val sn_kb_wrap(LLVMValueRef number)
{
    return (sn_val){.ir = {number, 0}};
}

static bool is_vector(LLVMValueRef v)
{
    return LLVMGetTypeKind(LLVMTypeOf(v)) == LLVMVectorTypeKind;
}

LLVMValueRef sn_kb_number(sn_kb *kb, sn_val v)
{
    return is_vector(value_of(v)) ? value_of(v) : sn_kb_splat(kb, value_of(v), kb->lanes);
}

/* Two numbers of the same type. */
static void unify(sn_kb *kb, sn_val *a, sn_val *b)
{
    if (is_vector(value_of(*a)) == is_vector(value_of(*b)))
        return;
    a->ir.value = sn_kb_number(kb, *a);
    b->ir.value = sn_kb_number(kb, *b);
}

/* ---- numbers ---- */

static sn_val emit_number(sn_emit *e, double v)
{
    return sn_kb_wrap(sn_kb_f32(kb_of(e), v));
}

#define BINARY(name, Build)                                                                       \
    static sn_val emit_##name(sn_emit *e, sn_val a, sn_val b)                                     \
    {                                                                                             \
        unify(kb_of(e), &a, &b);                                                                  \
        return sn_kb_wrap(Build(kb_of(e)->b, value_of(a), value_of(b), ""));                      \
    }
BINARY(add, LLVMBuildFAdd)
BINARY(sub, LLVMBuildFSub)
BINARY(mul, LLVMBuildFMul)
BINARY(div, LLVMBuildFDiv)
#undef BINARY

static LLVMValueRef compare(sn_kb *kb, LLVMRealPredicate p, sn_val a, sn_val b)
{
    unify(kb, &a, &b);
    return LLVMBuildFCmp(kb->b, p, value_of(a), value_of(b), "");
}

/* The forms `b < a ? b : a` and `b > a ? b : a` are one instruction and yield a when a is NaN. */
static sn_val emit_min(sn_emit *e, sn_val a, sn_val b)
{
    unify(kb_of(e), &a, &b);
    LLVMValueRef less = compare(kb_of(e), LLVMRealOLT, b, a);
    return sn_kb_wrap(LLVMBuildSelect(kb_of(e)->b, less, value_of(b), value_of(a), ""));
}

static sn_val emit_max(sn_emit *e, sn_val a, sn_val b)
{
    unify(kb_of(e), &a, &b);
    LLVMValueRef more = compare(kb_of(e), LLVMRealOGT, b, a);
    return sn_kb_wrap(LLVMBuildSelect(kb_of(e)->b, more, value_of(b), value_of(a), ""));
}

static sn_val emit_exp(sn_emit *e, sn_val a) { return sn_kb_wrap(sn_math_exp(kb_of(e), value_of(a))); }
static sn_val emit_log(sn_emit *e, sn_val a) { return sn_kb_wrap(sn_math_log(kb_of(e), value_of(a))); }
static sn_val emit_tanh(sn_emit *e, sn_val a) { return sn_kb_wrap(sn_math_tanh(kb_of(e), value_of(a))); }

static sn_val unary(sn_emit *e, const char *name, sn_val a)
{
    LLVMValueRef arg[1] = {value_of(a)};
    return sn_kb_wrap(sn_kb_intrinsic(kb_of(e), name, LLVMTypeOf(arg[0]), arg, 1));
}

static sn_val emit_sqrt(sn_emit *e, sn_val a) { return unary(e, "llvm.sqrt", a); }
static sn_val emit_floor(sn_emit *e, sn_val a) { return unary(e, "llvm.floor", a); }

/* 1 or 0 from a condition. */
static sn_val truth(sn_kb *kb, LLVMValueRef cond)
{
    uint32_t n = is_vector(cond) ? kb->lanes : 1;
    LLVMValueRef one = sn_kb_splat(kb, sn_kb_f32(kb, 1.0), n);
    return sn_kb_wrap(LLVMBuildSelect(kb->b, cond, one, sn_kb_zero(kb, n), ""));
}

static sn_val emit_greater(sn_emit *e, sn_val a, sn_val b)
{
    return truth(kb_of(e), compare(kb_of(e), LLVMRealOGT, a, b));
}

static sn_val emit_equal(sn_emit *e, sn_val a, sn_val b)
{
    return truth(kb_of(e), compare(kb_of(e), LLVMRealOEQ, a, b));
}

/* The condition a mask number stands for. */
static LLVMValueRef condition(sn_kb *kb, sn_val mask)
{
    return compare(kb, LLVMRealUNE, mask, sn_kb_wrap(sn_kb_f32(kb, 0.0)));
}

static sn_val emit_select(sn_emit *e, sn_val mask, sn_val a, sn_val b)
{
    sn_kb *kb = kb_of(e);
    unify(kb, &a, &b);
    LLVMValueRef cond = condition(kb, mask);
    if (is_vector(cond)) {
        a.ir.value = sn_kb_number(kb, a);
        b.ir.value = sn_kb_number(kb, b);
    }
    return sn_kb_wrap(LLVMBuildSelect(kb->b, cond, value_of(a), value_of(b), ""));
}

/* ---- indices ---- */

sn_val sn_kb_index(sn_kb *kb, LLVMValueRef base, int64_t lane)
{
    return (sn_val){.ir = {base, kb->lanes == 1 ? 0 : lane}};
}

LLVMValueRef sn_kb_lanes_of(sn_kb *kb, sn_val i)
{
    if (i.ir.lane == SN_LANE_ANY)
        return value_of(i);
    LLVMValueRef step[64], base = sn_kb_splat(kb, value_of(i), kb->lanes);
    if (kb->lanes == 1 || i.ir.lane == 0)
        return base;
    for (uint32_t l = 0; l < kb->lanes; l++)
        step[l] = sn_kb_i64(kb, i.ir.lane * (int64_t)l);
    return LLVMBuildNSWAdd(kb->b, base, LLVMConstVector(step, kb->lanes), "");
}

static sn_val any_lanes(LLVMValueRef v)
{
    return (sn_val){.ir = {v, SN_LANE_ANY}};
}

static sn_val emit_index(sn_emit *e, int64_t v)
{
    return sn_kb_index(kb_of(e), sn_kb_i64(kb_of(e), v), 0);
}

static sn_val emit_extent(sn_emit *e, sn_dim d)
{
    return sn_kb_index(kb_of(e), sn_kb_dim(kb_of(e), d), 0);
}

static bool any(sn_val a, sn_val b)
{
    return a.ir.lane == SN_LANE_ANY || b.ir.lane == SN_LANE_ANY;
}

static sn_val emit_iadd(sn_emit *e, sn_val a, sn_val b)
{
    sn_kb *kb = kb_of(e);
    if (any(a, b))
        return any_lanes(LLVMBuildNSWAdd(kb->b, sn_kb_lanes_of(kb, a), sn_kb_lanes_of(kb, b), ""));
    return sn_kb_index(kb, sn_kb_iadd(kb, value_of(a), value_of(b)), a.ir.lane + b.ir.lane);
}

static sn_val emit_isub(sn_emit *e, sn_val a, sn_val b)
{
    sn_kb *kb = kb_of(e);
    if (any(a, b))
        return any_lanes(LLVMBuildNSWSub(kb->b, sn_kb_lanes_of(kb, a), sn_kb_lanes_of(kb, b), ""));
    return sn_kb_index(kb, sn_kb_isub(kb, value_of(a), value_of(b)), a.ir.lane - b.ir.lane);
}

static sn_val emit_imul(sn_emit *e, sn_val a, sn_val b)
{
    sn_kb *kb = kb_of(e);
    if (!any(a, b) && a.ir.lane == 0) { /* the varying factor first */
        sn_val t = a;
        a = b;
        b = t;
    }
    bool constant = b.ir.lane == 0 && LLVMIsAConstantInt(value_of(b));
    if (any(a, b) || b.ir.lane != 0 || (a.ir.lane != 0 && !constant))
        return any_lanes(LLVMBuildNSWMul(kb->b, sn_kb_lanes_of(kb, a), sn_kb_lanes_of(kb, b), ""));
    int64_t lane = a.ir.lane == 0 ? 0 : a.ir.lane * LLVMConstIntGetSExtValue(value_of(b));
    return sn_kb_index(kb, sn_kb_imul(kb, value_of(a), value_of(b)), lane);
}

static sn_val emit_idiv(sn_emit *e, sn_val a, sn_val b)
{
    sn_kb *kb = kb_of(e);
    if (a.ir.lane == 0 && b.ir.lane == 0)
        return sn_kb_index(kb, sn_kb_floor_div(kb, value_of(a), value_of(b)), 0);
    return any_lanes(sn_kb_floor_div(kb, sn_kb_lanes_of(kb, a), sn_kb_lanes_of(kb, b)));
}

static sn_val emit_iless(sn_emit *e, sn_val a, sn_val b)
{
    sn_kb *kb = kb_of(e);
    bool uniform = a.ir.lane == 0 && b.ir.lane == 0;
    LLVMValueRef x = uniform ? value_of(a) : sn_kb_lanes_of(kb, a), y = uniform ? value_of(b) : sn_kb_lanes_of(kb, b);
    return truth(kb, LLVMBuildICmp(kb->b, LLVMIntSLT, x, y, ""));
}

static sn_val emit_to_number(sn_emit *e, sn_val i)
{
    sn_kb *kb = kb_of(e);
    if (i.ir.lane == 0)
        return sn_kb_wrap(LLVMBuildSIToFP(kb->b, value_of(i), kb->f32, ""));
    LLVMValueRef narrow = LLVMBuildTrunc(kb->b, sn_kb_lanes_of(kb, i), LLVMVectorType(kb->i32, kb->lanes), "");
    return sn_kb_wrap(LLVMBuildSIToFP(kb->b, narrow, sn_kb_vec(kb, kb->lanes), ""));
}

/* ---- arguments ---- */

static sn_val emit_load(sn_emit *e, const sn_node *n, uint32_t k, const sn_val *at)
{
    return sn_kb_value(kb_of(e), n->arg[k], at);
}

static LLVMValueRef both(sn_kb *kb, LLVMValueRef a, LLVMValueRef b)
{
    return a ? LLVMBuildAnd(kb->b, a, b, "") : b;
}

static sn_val emit_load_if(sn_emit *e, const sn_node *n, uint32_t k, const sn_val *at, sn_val mask)
{
    sn_kb *kb = kb_of(e);
    LLVMValueRef outer_mask = kb->mask, outer_guard = kb->guard, live = condition(kb, mask);
    if (is_vector(live))
        kb->mask = both(kb, kb->mask, live);
    else
        kb->guard = both(kb, kb->guard, live);
    sn_val v = sn_kb_value(kb, n->arg[k], at);
    kb->mask = outer_mask;
    kb->guard = outer_guard;
    if (is_vector(live))
        v.ir.value = sn_kb_number(kb, v);
    return sn_kb_wrap(LLVMBuildSelect(kb->b, live, value_of(v), LLVMConstNull(LLVMTypeOf(value_of(v))), ""));
}

static sn_val emit_uniform(sn_emit *e, int64_t stream, sn_val element)
{
    sn_kb *kb = kb_of(e);
    LLVMValueRef at = element.ir.lane == 0 ? value_of(element) : sn_kb_lanes_of(kb, element);
    return sn_kb_wrap(sn_random_uniform(kb, stream, at));
}

void sn_emit_init(sn_kb *kb)
{
    kb->emit = (sn_emit){
        .g = kb->g, .number = emit_number, .add = emit_add, .sub = emit_sub, .mul = emit_mul, .div = emit_div, .min = emit_min, .max = emit_max,
        .exp = emit_exp, .log = emit_log, .tanh = emit_tanh, .sqrt = emit_sqrt, .floor = emit_floor, .greater = emit_greater,
        .equal = emit_equal, .select = emit_select, .index = emit_index, .extent = emit_extent, .iadd = emit_iadd, .isub = emit_isub,
        .imul = emit_imul, .idiv = emit_idiv, .iless = emit_iless, .to_number = emit_to_number, .load = emit_load,
        .load_if = emit_load_if, .uniform = emit_uniform,
    };
}
