/* The register-tiled micro-kernel: a block of rows times vectors, reduced over segments of steps.
 * Not a kernel: who packs operands and walks over blocks is kernel_contract_rows.c and kernel_contract_wgrad.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gemm.h"

enum { CARRIED = SN_GEMM_MAX_ACC + 2 + SN_GEMM_MAX_AHEAD }; /* accumulators, x, w, addresses asked for */

typedef struct micro { /* the function being built */
    sn_gemm_env       *e;
    const sn_gemm_micro *m;
    LLVMTypeRef        vec, f32, i64;
    LLVMValueRef       fn;
    LLVMBasicBlockRef  entry;
} micro;

static LLVMValueRef i64(micro *u, int64_t v) { return LLVMConstInt(u->i64, (unsigned long long)v, true); }

static LLVMValueRef at(micro *u, LLVMValueRef base, LLVMValueRef offset)
{
    return LLVMBuildInBoundsGEP2(u->e->b, u->f32, base, &offset, 1, "");
}

static LLVMValueRef load_vec(micro *u, LLVMValueRef base, int64_t offset)
{
    LLVMValueRef v = LLVMBuildLoad2(u->e->b, u->vec, at(u, base, i64(u, offset)), "");
    LLVMSetAlignment(v, 4); /* as fast as an aligned load where the address is aligned */
    return v;
}

static LLVMValueRef splat(micro *u, LLVMValueRef scalar)
{
    LLVMTypeRef i32 = LLVMInt32TypeInContext(u->e->ctx);
    LLVMValueRef v = LLVMBuildInsertElement(u->e->b, LLVMGetPoison(u->vec), scalar, LLVMConstInt(i32, 0, false), "");
    LLVMValueRef mask = LLVMConstNull(LLVMVectorType(i32, u->m->lanes));
    return LLVMBuildShuffleVector(u->e->b, v, LLVMGetPoison(u->vec), mask, "");
}

static LLVMValueRef fma3(micro *u, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c)
{
    if (!u->m->fma)
        return LLVMBuildFAdd(u->e->b, LLVMBuildFMul(u->e->b, a, b, ""), c, "");
    unsigned id = LLVMLookupIntrinsicID("llvm.fma", 8);
    LLVMValueRef f = LLVMGetIntrinsicDeclaration(u->e->mod, id, &u->vec, 1);
    LLVMValueRef arg[3] = {a, b, c};
    return LLVMBuildCall2(u->e->b, LLVMIntrinsicGetType(u->e->ctx, id, &u->vec, 1), f, arg, 3, "");
}

/* One reduction step: acc[r][j] += x[r * row + step] * w[j * lanes]. */
static void step(micro *u, LLVMValueRef x, int64_t xoff, LLVMValueRef w, int64_t woff, LLVMValueRef *acc)
{
    const sn_gemm_micro *m = u->m;
    LLVMValueRef wv[SN_GEMM_MAX_VECTORS];
    for (uint32_t j = 0; j < m->vectors; j++) {
        wv[j] = load_vec(u, w, woff + (int64_t)(j * m->lanes));
        LLVMSetVolatile(wv[j], true); /* in its place: selection puts loads of one base together, and those of two steps have no registers */
    }
    for (uint32_t r = 0; r < m->rows; r++) {
        LLVMValueRef s = LLVMBuildLoad2(u->e->b, u->f32, at(u, x, i64(u, xoff + (int64_t)r * m->x_row)), "");
        LLVMValueRef xv = splat(u, s);
        for (uint32_t j = 0; j < m->vectors; j++)
            acc[r * m->vectors + j] = fma3(u, xv, wv[j], acc[r * m->vectors + j]);
    }
}

typedef struct mloop { LLVMBasicBlockRef before, body, after; LLVMValueRef to, i, phi[CARRIED], init[CARRIED]; uint32_t n; } mloop;

/* for (i = 0; i < to; i++) with n carried values. */
static mloop loop_begin(micro *u, LLVMValueRef to, const LLVMValueRef *init, uint32_t n)
{
    LLVMBuilderRef b = u->e->b;
    mloop l = {.before = LLVMGetInsertBlock(b), .to = to, .n = n};
    l.body = LLVMAppendBasicBlockInContext(u->e->ctx, u->fn, "loop");
    l.after = LLVMAppendBasicBlockInContext(u->e->ctx, u->fn, "done");
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntSGT, to, i64(u, 0), ""), l.body, l.after);
    LLVMPositionBuilderAtEnd(b, l.body);
    l.i = LLVMBuildPhi(b, u->i64, "i");
    for (uint32_t k = 0; k < n; k++) {
        l.init[k] = init[k];
        l.phi[k] = LLVMBuildPhi(b, LLVMTypeOf(init[k]), "");
        LLVMAddIncoming(l.phi[k], &l.init[k], &l.before, 1);
    }
    return l;
}

/* next[] = values after this turn; becomes those after the loop. */
static void loop_end(micro *u, mloop *l, LLVMValueRef *next)
{
    LLVMBuilderRef b = u->e->b;
    LLVMValueRef zero = i64(u, 0), inc = LLVMBuildAdd(b, l->i, i64(u, 1), "");
    LLVMBasicBlockRef latch = LLVMGetInsertBlock(b);
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntSLT, inc, l->to, ""), l->body, l->after);
    LLVMMoveBasicBlockAfter(l->after, latch);
    LLVMAddIncoming(l->i, &zero, &l->before, 1);
    LLVMAddIncoming(l->i, &inc, &latch, 1);
    LLVMPositionBuilderAtEnd(b, l->after);
    for (uint32_t k = 0; k < l->n; k++) {
        LLVMValueRef out = LLVMBuildPhi(b, LLVMTypeOf(next[k]), "");
        LLVMAddIncoming(l->phi[k], &next[k], &latch, 1);
        LLVMAddIncoming(out, &l->init[k], &l->before, 1);
        LLVMAddIncoming(out, &next[k], &latch, 1);
        next[k] = out;
    }
}

/* Ask for a line at each address, and move on. */
static void ask(micro *u, LLVMValueRef *address)
{
    const sn_gemm_micro *m = u->m;
    LLVMBuilderRef b = u->e->b;
    LLVMTypeRef i32 = LLVMInt32TypeInContext(u->e->ctx), i8 = LLVMInt8TypeInContext(u->e->ctx), ptr = LLVMPointerTypeInContext(u->e->ctx, 0);
    unsigned id = LLVMLookupIntrinsicID("llvm.prefetch", 13);
    LLVMValueRef fn = LLVMGetIntrinsicDeclaration(u->e->mod, id, &ptr, 1);
    for (uint32_t k = 0; k < m->ahead; k++) {
        LLVMValueRef arg[4] = {address[k], LLVMConstInt(i32, m->ahead_write[k], false), LLVMConstInt(i32, 2, false), LLVMConstInt(i32, 1, false)};
        LLVMBuildCall2(b, LLVMIntrinsicGetType(u->e->ctx, id, &ptr, 1), fn, arg, 4, "");
        LLVMValueRef step = i64(u, m->ahead_step[k]);
        address[k] = LLVMBuildGEP2(b, i8, address[k], &step, 1, "");
    }
}

/* `turns` times `each` steps; carry[] = accumulators, x, w, addresses asked for. */
static void steps(micro *u, LLVMValueRef turns, uint32_t each, LLVMValueRef *carry)
{
    const sn_gemm_micro *m = u->m;
    uint32_t n = m->rows * m->vectors;
    mloop l = loop_begin(u, turns, carry, n + 2 + m->ahead);
    for (uint32_t k = 0; k < n + 2 + m->ahead; k++)
        carry[k] = l.phi[k];
    if (each == m->unroll)
        ask(u, carry + n + 2);
    for (uint32_t s = 0; s < each; s++)
        step(u, l.phi[n], (int64_t)s * m->x_step, l.phi[n + 1], (int64_t)s * m->w_step, carry);
    carry[n] = at(u, l.phi[n], i64(u, (int64_t)each * m->x_step));
    carry[n + 1] = at(u, l.phi[n + 1], i64(u, (int64_t)each * m->w_step));
    loop_end(u, &l, carry);
}

/* The steps of one segment, in order. */
static void segment(micro *u, LLVMValueRef count, LLVMValueRef *carry)
{
    const sn_gemm_micro *m = u->m;
    uint32_t n = m->rows * m->vectors, rest = m->steps % m->unroll;
    LLVMValueRef unroll = i64(u, m->unroll);
    if (m->steps == 0) {
        steps(u, LLVMBuildUDiv(u->e->b, count, unroll, ""), m->unroll, carry);
        steps(u, LLVMBuildURem(u->e->b, count, unroll, ""), 1, carry);
        return;
    }
    if (m->steps >= m->unroll)
        steps(u, i64(u, m->steps / m->unroll), m->unroll, carry);
    for (uint32_t s = 0; s < rest; s++)
        step(u, carry[n], (int64_t)s * m->x_step, carry[n + 1], (int64_t)s * m->w_step, carry);
    carry[n + 1] = at(u, carry[n + 1], i64(u, (int64_t)rest * m->w_step));
}

static void initial(micro *u, LLVMValueRef c, LLVMValueRef first, LLVMValueRef *acc)
{
    LLVMBuilderRef b = u->e->b;
    uint32_t n = u->m->rows * u->m->vectors;
    LLVMBasicBlockRef head = LLVMGetInsertBlock(b), load = LLVMAppendBasicBlockInContext(u->e->ctx, u->fn, "load"),
                      go = LLVMAppendBasicBlockInContext(u->e->ctx, u->fn, "go");
    LLVMBuildCondBr(b, first, go, load);
    LLVMPositionBuilderAtEnd(b, load);
    LLVMValueRef old[SN_GEMM_MAX_ACC];
    for (uint32_t k = 0; k < n; k++)
        old[k] = load_vec(u, c, (int64_t)(k / u->m->vectors) * u->m->c_row + (int64_t)(k % u->m->vectors * u->m->lanes));
    LLVMBuildBr(b, go);
    LLVMPositionBuilderAtEnd(b, go);
    LLVMValueRef zero = LLVMConstNull(u->vec);
    for (uint32_t k = 0; k < n; k++) {
        acc[k] = LLVMBuildPhi(b, u->vec, "");
        LLVMAddIncoming(acc[k], &zero, &head, 1);
        LLVMAddIncoming(acc[k], &old[k], &load, 1);
    }
}

static void attribute(micro *u, LLVMValueRef f, LLVMAttributeIndex at_, const char *name)
{
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddAttributeAtIndex(f, at_, LLVMCreateEnumAttribute(u->e->ctx, kind, 0));
}

static void declare(micro *u, const char *name)
{
    LLVMTypeRef ptr = LLVMPointerTypeInContext(u->e->ctx, 0);
    LLVMTypeRef arg[7 + SN_GEMM_MAX_AHEAD] = {ptr, ptr, ptr, ptr, u->i64, u->i64, u->i64};
    for (uint32_t k = 0; k < u->m->ahead; k++)
        arg[7 + k] = ptr;
    LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(u->e->ctx), arg, 7 + u->m->ahead, false);
    u->fn = LLVMAddFunction(u->e->mod, name, type);
    LLVMSetLinkage(u->fn, LLVMInternalLinkage);
    attribute(u, u->fn, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "noinline");
    attribute(u, u->fn, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "nounwind");
    for (unsigned k = 1; k <= 4; k++)
        attribute(u, u->fn, k, "noalias");
    static const char *const copied[] = {"target-cpu", "target-features", "prefer-vector-width", "min-legal-vector-width"};
    for (int k = 0; k < 4; k++) {
        LLVMAttributeRef a = !u->e->like ? NULL : LLVMGetStringAttributeAtIndex(u->e->like, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, copied[k],
                                                           (unsigned)strlen(copied[k]));
        if (a)
            LLVMAddAttributeAtIndex(u->fn, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, a);
    }
}

LLVMValueRef sn_gemm_micro_function(sn_gemm_env *e, const sn_gemm_micro *m)
{
    char name[320];
    int len = snprintf(name, sizeof name, "sn_gemm_%ux%u_s%u_x%d_%d_w%d_c%d", m->rows, m->vectors, m->steps, (int)m->x_row, (int)m->x_step,
                       (int)m->w_step, (int)m->c_row);
    for (uint32_t k = 0; k < m->ahead; k++)
        len += snprintf(name + len, sizeof name - (size_t)len, "_%c%d", m->ahead_write[k] ? 'a' : 'b', (int)m->ahead_step[k]);
    LLVMValueRef have = LLVMGetNamedFunction(e->mod, name);
    if (have)
        return have;
    micro u = {.e = e, .m = m, .f32 = LLVMFloatTypeInContext(e->ctx), .i64 = LLVMInt64TypeInContext(e->ctx)};
    u.vec = LLVMVectorType(u.f32, m->lanes);
    LLVMBasicBlockRef back = LLVMGetInsertBlock(e->b);
    LLVMMetadataRef   line = LLVMGetCurrentDebugLocation2(e->b);
    LLVMSetCurrentDebugLocation2(e->b, NULL); /* the function serves any kernel of the module */
    declare(&u, name);
    LLVMPositionBuilderAtEnd(e->b, LLVMAppendBasicBlockInContext(e->ctx, u.fn, "entry"));
    LLVMValueRef x = LLVMGetParam(u.fn, 0), w = LLVMGetParam(u.fn, 1), c = LLVMGetParam(u.fn, 2), table = LLVMGetParam(u.fn, 3),
                 segments = LLVMGetParam(u.fn, 4), first = LLVMBuildICmp(e->b, LLVMIntNE, LLVMGetParam(u.fn, 5), i64(&u, 0), "");
    LLVMValueRef acc[CARRIED];
    uint32_t n = m->rows * m->vectors;
    initial(&u, c, first, acc);
    acc[n] = w;
    for (uint32_t k = 0; k < m->ahead; k++)
        acc[n + 1 + k] = LLVMGetParam(u.fn, 7 + k);
    mloop l = loop_begin(&u, segments, acc, n + 1 + m->ahead);
    LLVMValueRef next[CARRIED];
    for (uint32_t k = 0; k < n; k++)
        next[k] = l.phi[k];
    for (uint32_t k = 0; k < m->ahead; k++)
        next[n + 2 + k] = l.phi[n + 1 + k];
    LLVMValueRef off = LLVMBuildLoad2(e->b, u.i64, LLVMBuildInBoundsGEP2(e->b, u.i64, table, &l.i, 1, ""), "");
    next[n] = at(&u, x, off);
    next[n + 1] = l.phi[n];
    segment(&u, LLVMGetParam(u.fn, 6), next);
    for (uint32_t k = 0; k < 1 + m->ahead; k++)
        next[n + k] = next[n + 1 + k];
    loop_end(&u, &l, next);
    for (uint32_t k = 0; k < n; k++) {
        int64_t to = (int64_t)(k / m->vectors) * m->c_row + (int64_t)(k % m->vectors * m->lanes);
        LLVMSetAlignment(LLVMBuildStore(e->b, next[k], at(&u, c, i64(&u, to))), 4);
    }
    LLVMBuildRetVoid(e->b);
    if (back)
        LLVMPositionBuilderAtEnd(e->b, back);
    LLVMSetCurrentDebugLocation2(e->b, line);
    return u.fn;
}

LLVMValueRef sn_gemm_table(sn_gemm_env *e, const int64_t *value, uint32_t n)
{
    LLVMTypeRef i64 = LLVMInt64TypeInContext(e->ctx), type = LLVMArrayType2(i64, n);
    LLVMValueRef *element = malloc(n * sizeof *element);
    for (uint32_t i = 0; i < n; i++)
        element[i] = LLVMConstInt(i64, (unsigned long long)value[i], true);
    LLVMValueRef g = LLVMAddGlobal(e->mod, type, "sn_offsets");
    LLVMSetInitializer(g, LLVMConstArray2(i64, element, n));
    LLVMSetGlobalConstant(g, true);
    LLVMSetLinkage(g, LLVMPrivateLinkage);
    free(element);
    return g;
}

/* Two multiply-adds or two loads start in a cycle.  Eight multiply-adds hide their latency if none is ever late; measured, ten do.  Loads behind
 * multiply-adds still cost a little. */
static int64_t eighths(int64_t rows, int64_t vectors, int64_t mr, int64_t nr)
{
    int64_t blocks = ((rows + mr - 1) / mr) * ((vectors + nr - 1) / nr), loads = mr + nr, most = mr * nr > loads ? mr * nr : loads;
    return blocks * (8 * (most > 10 ? most : 10) + loads);
}

double sn_gemm_step_cost(int64_t rows, int64_t vectors, sn_gemm_block b) { return (double)eighths(rows, vectors, b.rows, b.vectors) / 8; }

sn_gemm_block sn_gemm_block_choose(uint32_t registers, int64_t rows, int64_t vectors, const sn_gemm_block *but)
{
    sn_gemm_block best = {but ? 0 : 1, but ? 0 : 1};
    int64_t least = INT64_MAX;
    for (int64_t nr = vectors < SN_GEMM_MAX_VECTORS ? vectors : SN_GEMM_MAX_VECTORS; nr >= 1; nr--)
        for (int64_t mr = 1; mr * nr <= SN_GEMM_MAX_ACC && mr * nr + nr + 1 <= registers; mr++) {
            int64_t cost = eighths(rows, vectors, mr, nr);
            if (but && mr == but->rows && nr == but->vectors)
                continue;
            if (cost < least || (cost == least && mr * nr > best.rows * best.vectors)) {
                least = cost;
                best = (sn_gemm_block){mr, nr};
            }
        }
    return best;
}
