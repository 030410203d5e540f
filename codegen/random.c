/* Uniform numbers inside kernels: Philox4x32-10 by counter, one block an element.
 * Not the runtime's generator (runtime/data/random.h), but the same function and the same use of its counter.
 *
 *   key     = seed low, seed high
 *   counter = element number, stream, step low, step bits 32..47 | 5 << 16
 *   result  = the first word's upper 24 bits * 2^-24
 *
 * 5 is the purpose "dropout" there.  Element numbers repeat after 2^32.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
#include "internal.h"

enum { PURPOSE_DROPOUT = 5, ROUNDS = 10 };

typedef struct words { LLVMTypeRef narrow, wide; uint32_t n; } words;

static LLVMValueRef word(sn_kb *kb, const words *w, LLVMValueRef scalar64)
{
    return sn_kb_splat(kb, LLVMBuildTrunc(kb->b, scalar64, kb->i32, ""), w->n);
}

/* High and low words of a constant times x. */
static void multiply(sn_kb *kb, const words *w, uint32_t constant, LLVMValueRef x, LLVMValueRef *high, LLVMValueRef *low)
{
    LLVMValueRef k = sn_kb_splat(kb, LLVMConstInt(kb->i64, constant, false), w->n);
    LLVMValueRef p = LLVMBuildMul(kb->b, LLVMBuildZExt(kb->b, x, w->wide, ""), k, "");
    LLVMValueRef shift = sn_kb_splat(kb, LLVMConstInt(kb->i64, 32, false), w->n);
    *high = LLVMBuildTrunc(kb->b, LLVMBuildLShr(kb->b, p, shift, ""), w->narrow, "");
    *low = LLVMBuildTrunc(kb->b, p, w->narrow, "");
}

/* element: i64, or <n x i64>. */
LLVMValueRef sn_random_uniform(sn_kb *kb, int64_t stream, LLVMValueRef element)
{
    LLVMBuilderRef b = kb->b;
    LLVMTypeRef t = LLVMTypeOf(element);
    words w = {kb->i32, kb->i64, 1};
    if (LLVMGetTypeKind(t) == LLVMVectorTypeKind)
        w = (words){LLVMVectorType(kb->i32, LLVMGetVectorSize(t)), t, LLVMGetVectorSize(t)};
    LLVMValueRef thirty_two = sn_kb_i64(kb, 32);
    LLVMValueRef top = LLVMBuildAnd(b, LLVMBuildLShr(b, kb->step, thirty_two, ""), sn_kb_i64(kb, 0xFFFF), "");
    top = LLVMBuildOr(b, top, sn_kb_i64(kb, PURPOSE_DROPOUT << 16), "");
    LLVMValueRef c[4] = {LLVMBuildTrunc(b, element, w.narrow, ""), word(kb, &w, sn_kb_i64(kb, stream)), word(kb, &w, kb->step),
                         word(kb, &w, top)};
    LLVMValueRef k0 = word(kb, &w, kb->seed), k1 = word(kb, &w, LLVMBuildLShr(b, kb->seed, thirty_two, ""));
    for (int round = 0; round < ROUNDS; round++) {
        LLVMValueRef high0, low0, high1, low1;
        multiply(kb, &w, 0xD2511F53u, c[0], &high0, &low0);
        multiply(kb, &w, 0xCD9E8D57u, c[2], &high1, &low1);
        c[0] = LLVMBuildXor(b, LLVMBuildXor(b, high1, c[1], ""), k0, "");
        c[2] = LLVMBuildXor(b, LLVMBuildXor(b, high0, c[3], ""), k1, "");
        c[1] = low1;
        c[3] = low0;
        k0 = LLVMBuildAdd(b, k0, sn_kb_splat(kb, LLVMConstInt(kb->i32, 0x9E3779B9u, false), w.n), "");
        k1 = LLVMBuildAdd(b, k1, sn_kb_splat(kb, LLVMConstInt(kb->i32, 0xBB67AE85u, false), w.n), "");
    }
    LLVMValueRef upper = LLVMBuildLShr(b, c[0], sn_kb_splat(kb, LLVMConstInt(kb->i32, 8, false), w.n), "");
    LLVMValueRef number = LLVMBuildUIToFP(b, upper, sn_kb_vec(kb, w.n), "");
    return LLVMBuildFMul(b, number, sn_kb_splat(kb, sn_kb_f32(kb, 0x1p-24), w.n), "");
}
