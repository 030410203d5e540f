/* The kernel builder: functions, loops, branches, vectors and memory.
 * Not operator semantics (emit.c, value.c) and not loop structure of any kernel form (kernel_<form>.c). */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* ---- functions ---- */

static void add_attribute(sn_kb *kb, LLVMValueRef fn, LLVMAttributeIndex at, const char *name)
{
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddAttributeAtIndex(fn, at, LLVMCreateEnumAttribute(kb->ctx, kind, 0));
}

static void add_text_attribute(sn_kb *kb, LLVMValueRef fn, const char *key, const char *value)
{
    LLVMAttributeRef a = LLVMCreateStringAttribute(kb->ctx, key, (unsigned)strlen(key), value, (unsigned)strlen(value));
    LLVMAddAttributeAtIndex(fn, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, a);
}

static LLVMValueRef new_function(sn_kb *kb, const char *name, LLVMTypeRef *param, uint32_t n)
{
    LLVMValueRef fn = LLVMAddFunction(kb->mod, name, LLVMFunctionType(LLVMVoidTypeInContext(kb->ctx), param, n, false));
    char bits[16];
    snprintf(bits, sizeof bits, "%u", 32 * kb->target->lanes);
    add_text_attribute(kb, fn, "target-cpu", kb->target->cpu);
    add_text_attribute(kb, fn, "target-features", kb->target->features);
    add_text_attribute(kb, fn, "prefer-vector-width", bits);
    add_text_attribute(kb, fn, "min-legal-vector-width", bits);
    add_text_attribute(kb, fn, "no-trapping-math", "true");
    add_attribute(kb, fn, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "nounwind");
    return fn;
}

/* Element i of an array of pointers or 64-bit words in memory. */
static LLVMValueRef load_word(sn_kb *kb, LLVMTypeRef type, LLVMValueRef array, uint64_t i)
{
    LLVMValueRef index = LLVMConstInt(kb->i64, i, false);
    return LLVMBuildLoad2(kb->b, type, LLVMBuildInBoundsGEP2(kb->b, kb->i64, array, &index, 1, ""), "");
}

/* Buffers are words of sn_abi_args, in the order of sn_plan_call.arg. */
static void load_args(sn_kb *kb)
{
    enum { ARG, DIM, SEED, STEP };
    LLVMValueRef args = LLVMGetParam(kb->fn, 0), arg = load_word(kb, kb->ptr, args, ARG), dim = load_word(kb, kb->ptr, args, DIM);
    char name[32];
    for (uint32_t i = 0; i < kb->call->args; i++) {
        LLVMValueRef v = kb->buffer[kb->call->arg[i]] = load_word(kb, kb->ptr, arg, i);
        snprintf(name, sizeof name, i < kb->call->reads ? "in%u" : "out%u", i < kb->call->reads ? i : i - kb->call->reads);
        LLVMSetValueName2(v, name, strlen(name));
    }
    for (uint32_t i = 0; i < kb->plan->dim_count; i++) {
        kb->dim[i] = load_word(kb, kb->i64, dim, i);
        snprintf(name, sizeof name, "dim%u", i);
        LLVMSetValueName2(kb->dim[i], name, strlen(name));
    }
    kb->seed = load_word(kb, kb->i64, args, SEED);
    kb->step = load_word(kb, kb->i64, args, STEP);
}

void sn_kb_begin(sn_kb *kb, uint32_t call)
{
    kb->call = &kb->plan->call[call];
    kb->buffer = sn_new_n(&kb->arena, LLVMValueRef, kb->k->ins + kb->k->outs + kb->plan->temps + 1);
    kb->dim = sn_new_n(&kb->arena, LLVMValueRef, kb->plan->dim_count + 1);
    LLVMTypeRef param[] = {kb->ptr, kb->i64, kb->i64, kb->ptr};
    static const char *const label[] = {"args", "begin", "end", "scratch"};
    kb->fn = new_function(kb, sn_format(&kb->arena, "%s_%u", kb->symbol, call), param, 4);
    for (unsigned i = 0; i < 4; i++)
        LLVMSetValueName2(LLVMGetParam(kb->fn, i), label[i], strlen(label[i]));
    kb->begin = LLVMGetParam(kb->fn, 1);
    kb->end = LLVMGetParam(kb->fn, 2);
    kb->scratch = LLVMGetParam(kb->fn, 3);
    kb->entry = LLVMAppendBasicBlockInContext(kb->ctx, kb->fn, "entry");
    LLVMPositionBuilderAtEnd(kb->b, kb->entry);
    sn_debug_function(kb, kb->fn);
    load_args(kb);
    kb->memos = 0;
    kb->lanes = kb->target->lanes;
    kb->mask = kb->guard = NULL;
    kb->stream_key[0] = NULL;
    memset(kb->bind, 0, kb->g->nodes * sizeof *kb->bind);
}

/* ---- what may be at one address ---- */

enum { MAX_PLACES = 32 }; /* buffers of a call and scratch, none of which overlap */

typedef struct places {
    LLVMValueRef    root[MAX_PLACES];
    LLVMMetadataRef scope[MAX_PLACES];
    uint32_t        n;
    unsigned        kind[2]; /* of metadata: what an instruction accesses, what it does not */
} places;

static void add_place(sn_kb *kb, places *p, LLVMMetadataRef domain, LLVMValueRef root)
{
    char name[16];
    snprintf(name, sizeof name, "%u", p->n);
    LLVMMetadataRef part[2] = {LLVMMDStringInContext2(kb->ctx, name, strlen(name)), domain};
    p->root[p->n] = root;
    p->scope[p->n++] = LLVMMDNodeInContext2(kb->ctx, part, 2);
}

/* The bit of the place that an address is in; all of them if it may be anywhere. */
static uint32_t place_of(const places *p, LLVMValueRef address)
{
    while (LLVMIsAGetElementPtrInst(address))
        address = LLVMGetOperand(address, 0);
    for (uint32_t i = 0; i < p->n; i++)
        if (p->root[i] == address)
            return 1u << i;
    return LLVMIsAGlobalVariable(address) ? 0 : UINT32_MAX; /* tables are constant */
}

static uint32_t accessed(const places *p, LLVMValueRef instruction)
{
    uint32_t all = 0;
    const int n = LLVMGetNumOperands(instruction) - (LLVMIsACallInst(instruction) != NULL); /* without the function */
    for (int i = 0; i < n; i++)
        if (LLVMGetTypeKind(LLVMTypeOf(LLVMGetOperand(instruction, (unsigned)i))) == LLVMPointerTypeKind)
            all |= place_of(p, LLVMGetOperand(instruction, (unsigned)i));
    return all;
}

static void say(sn_kb *kb, const places *p, LLVMValueRef instruction)
{
    const uint32_t in = accessed(p, instruction);
    if (in == 0 || in == UINT32_MAX)
        return;
    LLVMMetadataRef list[2][MAX_PLACES];
    uint32_t        n[2] = {0};
    for (uint32_t i = 0; i < p->n; i++) {
        const int which = !(in >> i & 1);
        list[which][n[which]++] = p->scope[i];
    }
    for (int which = 0; which < 2; which++)
        if (n[which] > 0)
            LLVMSetMetadata(instruction, p->kind[which], LLVMMetadataAsValue(kb->ctx, LLVMMDNodeInContext2(kb->ctx, list[which], n[which])));
}

/* Buffers do not overlap, which only parameters could say by an attribute. */
static void say_places(sn_kb *kb)
{
    places p = {.kind = {LLVMGetMDKindIDInContext(kb->ctx, "alias.scope", 11), LLVMGetMDKindIDInContext(kb->ctx, "noalias", 7)}};
    size_t n;
    const char *name = LLVMGetValueName2(kb->fn, &n);
    LLVMMetadataRef text = LLVMMDStringInContext2(kb->ctx, name, n), domain = LLVMMDNodeInContext2(kb->ctx, &text, 1);
    if (kb->call->args >= MAX_PLACES)
        return;
    for (uint32_t i = 0; i < kb->call->args; i++)
        add_place(kb, &p, domain, kb->buffer[kb->call->arg[i]]);
    add_place(kb, &p, domain, kb->scratch);
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(kb->fn); b; b = LLVMGetNextBasicBlock(b))
        for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i))
            if (LLVMIsALoadInst(i) || LLVMIsAStoreInst(i) || LLVMIsACallInst(i))
                say(kb, &p, i);
}

void sn_kb_end(sn_kb *kb)
{
    LLVMBuildRetVoid(kb->b);
    say_places(kb);
    kb->fn = NULL;
}

bool sn_kb_beside_begin(sn_kb *kb, sn_kb_beside *o, const char *name, LLVMTypeRef *param, LLVMValueRef *arg, uint32_t n)
{
    LLVMValueRef fn = LLVMGetNamedFunction(kb->mod, name);
    const bool   made = fn != NULL;
    if (!made) {
        fn = new_function(kb, name, param, n);
        LLVMSetLinkage(fn, LLVMInternalLinkage);
        add_attribute(kb, fn, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "noinline");
    }
    LLVMBuildCall2(kb->b, LLVMGlobalGetValueType(fn), fn, arg, n, "");
    if (made)
        return false;
    *o = (sn_kb_beside){kb->fn, LLVMGetInsertBlock(kb->b), LLVMGetCurrentDebugLocation2(kb->b)};
    LLVMSetCurrentDebugLocation2(kb->b, NULL);
    kb->fn = fn;
    LLVMPositionBuilderAtEnd(kb->b, LLVMAppendBasicBlockInContext(kb->ctx, fn, "entry"));
    return true;
}

void sn_kb_beside_end(sn_kb *kb, const sn_kb_beside *o)
{
    LLVMBuildRetVoid(kb->b);
    kb->fn = o->fn;
    LLVMPositionBuilderAtEnd(kb->b, o->at);
    LLVMSetCurrentDebugLocation2(kb->b, o->line);
}

/* ---- integers ---- */

LLVMValueRef sn_kb_i64(sn_kb *kb, int64_t v)
{
    return LLVMConstInt(kb->i64, (uint64_t)v, true);
}

LLVMValueRef sn_kb_f32(sn_kb *kb, double v)
{
    return LLVMConstReal(kb->f32, (double)(float)v);
}

LLVMValueRef sn_kb_dim(sn_kb *kb, sn_dim d)
{
    if (sn_dim_is_const(d))
        return sn_kb_i64(kb, d.v);
    for (uint32_t i = 0; i < kb->plan->dim_count; i++)
        if (sn_dim_equal(kb->plan->dim[i], d))
            return kb->dim[i];
    const sn_dim_entry *e = &kb->g->dims.entry[~d.v];
    SN_ASSERT(e->op != SN_DIM_SYMBOL, "kernel %s does not know symbol %s", kb->k->name, e->name);
    LLVMValueRef a = sn_kb_dim(kb, e->a), b = sn_kb_dim(kb, e->b);
    switch (e->op) {
    case SN_DIM_ADD: return sn_kb_iadd(kb, a, b);
    case SN_DIM_SUB: return sn_kb_isub(kb, a, b);
    case SN_DIM_MUL: return sn_kb_imul(kb, a, b);
    default: return sn_kb_floor_div(kb, a, b);
    }
}

static bool is_const(LLVMValueRef v, int64_t *out)
{
    if (!LLVMIsAConstantInt(v))
        return false;
    *out = LLVMConstIntGetSExtValue(v);
    return true;
}

LLVMValueRef sn_kb_iadd(sn_kb *kb, LLVMValueRef a, LLVMValueRef b)
{
    int64_t c;
    if (is_const(a, &c) && c == 0)
        return b;
    if (is_const(b, &c) && c == 0)
        return a;
    return LLVMBuildNSWAdd(kb->b, a, b, "");
}

LLVMValueRef sn_kb_isub(sn_kb *kb, LLVMValueRef a, LLVMValueRef b)
{
    int64_t c;
    return is_const(b, &c) && c == 0 ? a : LLVMBuildNSWSub(kb->b, a, b, "");
}

LLVMValueRef sn_kb_imul(sn_kb *kb, LLVMValueRef a, LLVMValueRef b)
{
    int64_t c;
    if (is_const(a, &c) && (c == 0 || c == 1))
        return c ? b : a;
    if (is_const(b, &c) && (c == 0 || c == 1))
        return c ? a : b;
    return LLVMBuildNSWMul(kb->b, a, b, "");
}

LLVMValueRef sn_kb_idiv(sn_kb *kb, LLVMValueRef a, LLVMValueRef b)
{
    int64_t c;
    return is_const(b, &c) && c == 1 ? a : LLVMBuildUDiv(kb->b, a, b, "");
}

LLVMValueRef sn_kb_floor_div(sn_kb *kb, LLVMValueRef a, LLVMValueRef b)
{
    int64_t c;
    if (is_const(b, &c) && c == 1)
        return a;
    LLVMValueRef q = LLVMBuildSDiv(kb->b, a, b, ""), r = LLVMBuildSRem(kb->b, a, b, "");
    LLVMValueRef below = LLVMBuildICmp(kb->b, LLVMIntSLT, r, LLVMConstNull(LLVMTypeOf(r)), "");
    return LLVMBuildAdd(kb->b, q, LLVMBuildSExt(kb->b, below, LLVMTypeOf(q), ""), "");
}

LLVMValueRef sn_kb_irem(sn_kb *kb, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildURem(kb->b, a, b, "");
}

LLVMValueRef sn_kb_iless(sn_kb *kb, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildICmp(kb->b, LLVMIntSLT, a, b, "");
}

LLVMValueRef sn_kb_imin(sn_kb *kb, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildSelect(kb->b, sn_kb_iless(kb, a, b), a, b, "");
}

LLVMValueRef sn_kb_imax(sn_kb *kb, LLVMValueRef a, LLVMValueRef b)
{
    return LLVMBuildSelect(kb->b, sn_kb_iless(kb, a, b), b, a, "");
}

/* ---- control flow ---- */

static LLVMBasicBlockRef new_block(sn_kb *kb, const char *name)
{
    return LLVMAppendBasicBlockInContext(kb->ctx, kb->fn, name);
}

uint32_t sn_kb_mark(const sn_kb *kb)
{
    return kb->memos;
}

void sn_kb_forget(sn_kb *kb, uint32_t mark)
{
    kb->memos = mark;
}

/* Guarded loop with the test at the bottom, so that the optimiser need not turn it around. */
sn_loop sn_kb_for(sn_kb *kb, LLVMValueRef from, LLVMValueRef to, int64_t step, const LLVMValueRef *init, uint32_t n)
{
    SN_ASSERT(n <= SN_MAX_CARRY, "a loop carries %u values", n);
    sn_loop l = {.from = from, .to = to, .step = step, .carries = n, .memos = sn_kb_mark(kb)};
    l.before = LLVMGetInsertBlock(kb->b);
    l.body = new_block(kb, "loop");
    l.exit = new_block(kb, "done");
    LLVMBuildCondBr(kb->b, sn_kb_iless(kb, from, to), l.body, l.exit);
    LLVMPositionBuilderAtEnd(kb->b, l.body);
    l.i = LLVMBuildPhi(kb->b, kb->i64, "i");
    LLVMAddIncoming(l.i, &l.from, &l.before, 1);
    for (uint32_t j = 0; j < n; j++) {
        l.init[j] = init[j];
        l.carry[j] = LLVMBuildPhi(kb->b, LLVMTypeOf(init[j]), "");
        LLVMAddIncoming(l.carry[j], &l.init[j], &l.before, 1);
    }
    return l;
}

void sn_kb_endfor(sn_kb *kb, sn_loop *l, const LLVMValueRef *next)
{
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(kb->b);
    LLVMValueRef i = LLVMBuildNSWAdd(kb->b, l->i, sn_kb_i64(kb, l->step), "");
    LLVMBuildCondBr(kb->b, sn_kb_iless(kb, i, l->to), l->body, l->exit);
    LLVMAddIncoming(l->i, &i, &latch, 1);
    LLVMMoveBasicBlockAfter(l->exit, latch);
    LLVMPositionBuilderAtEnd(kb->b, l->exit);
    for (uint32_t j = 0; j < l->carries; j++) {
        LLVMValueRef value = next[j], out;
        LLVMAddIncoming(l->carry[j], &value, &latch, 1);
        out = LLVMBuildPhi(kb->b, LLVMTypeOf(value), "");
        LLVMAddIncoming(out, &l->init[j], &l->before, 1);
        LLVMAddIncoming(out, &value, &latch, 1);
        l->carry[j] = out;
    }
    sn_kb_forget(kb, l->memos);
}

sn_if sn_kb_if(sn_kb *kb, LLVMValueRef cond)
{
    sn_if f = {.other = new_block(kb, "else"), .join = new_block(kb, "join"), .memos = sn_kb_mark(kb)};
    LLVMBasicBlockRef then = new_block(kb, "then");
    LLVMBuildCondBr(kb->b, cond, then, f.other);
    LLVMPositionBuilderAtEnd(kb->b, then);
    return f;
}

void sn_kb_else(sn_kb *kb, sn_if *f)
{
    LLVMBuildBr(kb->b, f->join);
    LLVMMoveBasicBlockAfter(f->other, LLVMGetInsertBlock(kb->b));
    LLVMPositionBuilderAtEnd(kb->b, f->other);
    f->has_else = true;
    sn_kb_forget(kb, f->memos);
}

void sn_kb_endif(sn_kb *kb, sn_if *f)
{
    if (!f->has_else)
        sn_kb_else(kb, f);
    LLVMBuildBr(kb->b, f->join);
    LLVMMoveBasicBlockAfter(f->join, LLVMGetInsertBlock(kb->b));
    LLVMPositionBuilderAtEnd(kb->b, f->join);
    sn_kb_forget(kb, f->memos);
}

/* ---- vectors ---- */

LLVMTypeRef sn_kb_vec(sn_kb *kb, uint32_t n)
{
    return n == 1 ? kb->f32 : LLVMVectorType(kb->f32, n);
}

static uint32_t width_of(LLVMTypeRef t)
{
    return LLVMGetTypeKind(t) == LLVMVectorTypeKind ? LLVMGetVectorSize(t) : 1;
}

LLVMValueRef sn_kb_splat(sn_kb *kb, LLVMValueRef scalar, uint32_t n)
{
    if (n == 1)
        return scalar;
    LLVMTypeRef i32v = LLVMVectorType(kb->i32, n), type = LLVMVectorType(LLVMTypeOf(scalar), n);
    LLVMValueRef one = LLVMBuildInsertElement(kb->b, LLVMGetPoison(type), scalar, LLVMConstInt(kb->i32, 0, false), "");
    return LLVMBuildShuffleVector(kb->b, one, LLVMGetPoison(type), LLVMConstNull(i32v), "");
}

LLVMValueRef sn_kb_zero(sn_kb *kb, uint32_t n)
{
    return LLVMConstNull(sn_kb_vec(kb, n));
}

LLVMValueRef sn_kb_intrinsic(sn_kb *kb, const char *name, LLVMTypeRef overload, LLVMValueRef *arg, uint32_t n)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    SN_ASSERT(id != 0, "LLVM has no intrinsic %s", name);
    LLVMTypeRef overloads[1] = {overload};
    LLVMValueRef fn = LLVMGetIntrinsicDeclaration(kb->mod, id, overloads, 1);
    return LLVMBuildCall2(kb->b, LLVMIntrinsicGetType(kb->ctx, id, overloads, 1), fn, arg, n, "");
}

void sn_kb_prefetch(sn_kb *kb, LLVMValueRef address, bool write)
{
    enum { SECOND_LEVEL = 2, DATA = 1 };
    LLVMValueRef arg[4] = {address, LLVMConstInt(kb->i32, write, false), LLVMConstInt(kb->i32, SECOND_LEVEL, false),
                           LLVMConstInt(kb->i32, DATA, false)};
    sn_kb_intrinsic(kb, "llvm.prefetch", kb->ptr, arg, 4);
}

LLVMValueRef sn_kb_fma(sn_kb *kb, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c)
{
    if (!kb->target->fma)
        return LLVMBuildFAdd(kb->b, LLVMBuildFMul(kb->b, a, b, ""), c, "");
    LLVMValueRef arg[3] = {a, b, c};
    return sn_kb_intrinsic(kb, "llvm.fma", LLVMTypeOf(c), arg, 3);
}

/* Halves added to halves: ((l0+l8)+(l4+l12))+... for any width, hence the same bits on every target of equal width. */
LLVMValueRef sn_kb_hsum(sn_kb *kb, LLVMValueRef v)
{
    for (uint32_t n = width_of(LLVMTypeOf(v)); n > 1; n /= 2) {
        LLVMValueRef low[64], high[64];
        for (uint32_t i = 0; i < n / 2; i++) {
            low[i] = LLVMConstInt(kb->i32, i, false);
            high[i] = LLVMConstInt(kb->i32, i + n / 2, false);
        }
        LLVMValueRef none = LLVMGetPoison(LLVMTypeOf(v));
        LLVMValueRef a = LLVMBuildShuffleVector(kb->b, v, none, LLVMConstVector(low, n / 2), "");
        LLVMValueRef b = LLVMBuildShuffleVector(kb->b, v, none, LLVMConstVector(high, n / 2), "");
        v = LLVMBuildFAdd(kb->b, a, b, "");
    }
    if (LLVMGetTypeKind(LLVMTypeOf(v)) == LLVMVectorTypeKind)
        v = LLVMBuildExtractElement(kb->b, v, LLVMConstInt(kb->i32, 0, false), "");
    return v;
}

LLVMValueRef sn_kb_tail(sn_kb *kb, LLVMValueRef left, uint32_t n)
{
    LLVMValueRef lane[64], most = sn_kb_imax(kb, sn_kb_imin(kb, left, sn_kb_i64(kb, n)), sn_kb_i64(kb, 0));
    if (n == 1)
        return LLVMBuildICmp(kb->b, LLVMIntSGT, most, sn_kb_i64(kb, 0), "");
    for (uint32_t i = 0; i < n; i++)
        lane[i] = LLVMConstInt(kb->i32, i, false);
    LLVMValueRef count = sn_kb_splat(kb, LLVMBuildTrunc(kb->b, most, kb->i32, ""), n);
    return LLVMBuildICmp(kb->b, LLVMIntULT, LLVMConstVector(lane, n), count, "");
}

/* ---- memory ---- */

/* A constant part of the offset is added last, as the displacement of an access: all that meet about one place share the rest.  Otherwise loop-invariant
 * code motion adds the constant to the base first, and every access of a loop has a base of its own, which is a register or its reload. */
LLVMValueRef sn_kb_ptr(sn_kb *kb, LLVMValueRef base, LLVMValueRef offset)
{
    LLVMValueRef sum = LLVMIsAInstruction(offset), last = sum && LLVMGetInstructionOpcode(sum) == LLVMAdd ? LLVMGetOperand(sum, 1) : NULL;
    if (last && LLVMIsAConstantInt(last)) {
        LLVMValueRef shared = LLVMGetOperand(sum, 0);
        base = LLVMBuildGEP2(kb->b, kb->f32, base, &shared, 1, ""); /* may lie outside */
        return LLVMBuildGEP2(kb->b, kb->f32, base, &last, 1, "");
    }
    return LLVMBuildInBoundsGEP2(kb->b, kb->f32, base, &offset, 1, "");
}

static LLVMValueRef masked_intrinsic(sn_kb *kb, const char *name, LLVMTypeRef *overload, uint32_t overloads, LLVMValueRef *arg, uint32_t n)
{
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef fn = LLVMGetIntrinsicDeclaration(kb->mod, id, overload, overloads);
    return LLVMBuildCall2(kb->b, LLVMIntrinsicGetType(kb->ctx, id, overload, overloads), fn, arg, n, "");
}

/* n = 1 with a mask: a select keeps the address inside by reading the first element instead. */
LLVMValueRef sn_kb_load(sn_kb *kb, LLVMValueRef base, LLVMValueRef offset, uint32_t n, LLVMValueRef mask)
{
    LLVMTypeRef type = sn_kb_vec(kb, n);
    LLVMValueRef v;
    if (mask && n > 1) {
        LLVMValueRef arg[4] = {sn_kb_ptr(kb, base, offset), LLVMConstInt(kb->i32, 4, false), mask, LLVMConstNull(type)};
        LLVMTypeRef overload[2] = {type, kb->ptr};
        return masked_intrinsic(kb, "llvm.masked.load", overload, 2, arg, 4);
    }
    if (mask)
        offset = LLVMBuildSelect(kb->b, mask, offset, sn_kb_i64(kb, 0), "");
    v = LLVMBuildLoad2(kb->b, type, sn_kb_ptr(kb, base, offset), "");
    LLVMSetAlignment(v, 4);
    return mask ? LLVMBuildSelect(kb->b, mask, v, LLVMConstNull(type), "") : v;
}

void sn_kb_store(sn_kb *kb, LLVMValueRef base, LLVMValueRef offset, LLVMValueRef v, LLVMValueRef mask)
{
    LLVMTypeRef type = LLVMTypeOf(v);
    if (mask && width_of(type) > 1) {
        LLVMValueRef arg[4] = {v, sn_kb_ptr(kb, base, offset), LLVMConstInt(kb->i32, 4, false), mask};
        LLVMTypeRef overload[2] = {type, kb->ptr};
        masked_intrinsic(kb, "llvm.masked.store", overload, 2, arg, 4);
        return;
    }
    sn_if live = {0};
    if (mask)
        live = sn_kb_if(kb, mask);
    LLVMValueRef store = LLVMBuildStore(kb->b, v, sn_kb_ptr(kb, base, offset));
    LLVMSetAlignment(store, 4);
    if (mask)
        sn_kb_endif(kb, &live);
}

LLVMValueRef sn_kb_gather(sn_kb *kb, LLVMValueRef base, LLVMValueRef offsets, LLVMValueRef mask)
{
    uint32_t n = width_of(LLVMTypeOf(offsets));
    LLVMTypeRef type = sn_kb_vec(kb, n), pointers = LLVMVectorType(kb->ptr, n);
    LLVMValueRef at = LLVMBuildInBoundsGEP2(kb->b, kb->f32, base, &offsets, 1, "");
    LLVMValueRef all = LLVMConstAllOnes(LLVMVectorType(kb->i1, n));
    LLVMValueRef arg[4] = {at, LLVMConstInt(kb->i32, 4, false), mask ? mask : all, LLVMConstNull(type)};
    LLVMTypeRef overload[2] = {type, pointers};
    return masked_intrinsic(kb, "llvm.masked.gather", overload, 2, arg, 4);
}
