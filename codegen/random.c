/* Uniform numbers inside kernels: a keyed hash of the element's number; no state.
 * Not the runtime's generator (runtime/data/random.h), which keys it: ten rounds of Philox an element would cost more than all else a
 * dropout kernel does.
 *
 *   k0 .. k3 = Philox4x32-10 of the counter (0, stream, step low, step bits 32..47 | 5 << 16) under the key (seed low, seed high)
 *   x = element + k0
 *   x = (x ^ x >> 17) * 0xed5ad4bb ^ k1
 *   x = (x ^ x >> 11) * 0xac4c1b51 + k2
 *   x = (x ^ x >> 15) * 0x31848bab ^ k3
 *   x = x ^ x >> 14
 *   result = upper 24 bits of x * 2^-24
 *
 * 5 is the purpose "dropout" of the runtime's streams.  For each key x is a permutation of the element numbers 0 .. 2^32 - 1; larger ones
 * repeat.  All words are 32 bits.
 * Sources: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011; the multipliers and shifts are those of
 * triple32, Wellons, "Prospecting for hash functions", 2018, found by search for least bias.
 */
#include "internal.h"

enum { PURPOSE_DROPOUT = 5, ROUNDS = 10 };

static LLVMValueRef i32(sn_kb *kb, uint32_t v) { return LLVMConstInt(kb->i32, v, false); }

/* High and low words of a constant times x. */
static void multiply(sn_kb *kb, uint32_t constant, LLVMValueRef x, LLVMValueRef *high, LLVMValueRef *low)
{
    LLVMValueRef p = LLVMBuildMul(kb->b, LLVMBuildZExt(kb->b, x, kb->i64, ""), LLVMConstInt(kb->i64, constant, false), "");
    *high = LLVMBuildTrunc(kb->b, LLVMBuildLShr(kb->b, p, sn_kb_i64(kb, 32), ""), kb->i32, "");
    *low = LLVMBuildTrunc(kb->b, p, kb->i32, "");
}

/* The four words of a stream. */
static void philox(sn_kb *kb, int64_t stream, LLVMValueRef c[4])
{
    LLVMBuilderRef b = kb->b;
    LLVMValueRef top = LLVMBuildTrunc(b, LLVMBuildLShr(b, kb->step, sn_kb_i64(kb, 32), ""), kb->i32, "");
    c[0] = i32(kb, 0);
    c[1] = LLVMBuildTrunc(b, kb->dim[sn_plan_stream(kb->plan, stream)], kb->i32, "");
    c[2] = LLVMBuildTrunc(b, kb->step, kb->i32, "");
    c[3] = LLVMBuildOr(b, LLVMBuildAnd(b, top, i32(kb, 0xFFFF), ""), i32(kb, PURPOSE_DROPOUT << 16), "");
    LLVMValueRef k0 = LLVMBuildTrunc(b, kb->seed, kb->i32, "");
    LLVMValueRef k1 = LLVMBuildTrunc(b, LLVMBuildLShr(b, kb->seed, sn_kb_i64(kb, 32), ""), kb->i32, "");
    for (int round = 0; round < ROUNDS; round++) {
        LLVMValueRef high0, low0, high1, low1;
        multiply(kb, 0xD2511F53u, c[0], &high0, &low0);
        multiply(kb, 0xCD9E8D57u, c[2], &high1, &low1);
        c[0] = LLVMBuildXor(b, LLVMBuildXor(b, high1, c[1], ""), k0, "");
        c[2] = LLVMBuildXor(b, LLVMBuildXor(b, high0, c[3], ""), k1, "");
        c[1] = low1;
        c[3] = low0;
        k0 = LLVMBuildAdd(b, k0, i32(kb, 0x9E3779B9u), "");
        k1 = LLVMBuildAdd(b, k1, i32(kb, 0xBB67AE85u), "");
    }
}

/* The words are made once, where the function begins. */
static void stream_key(sn_kb *kb, int64_t stream)
{
    if (kb->stream_key[0] && kb->stream == stream)
        return;
    LLVMBasicBlockRef back = LLVMGetInsertBlock(kb->b);
    LLVMValueRef last = LLVMGetBasicBlockTerminator(kb->entry);
    if (last)
        LLVMPositionBuilderBefore(kb->b, last);
    else
        LLVMPositionBuilderAtEnd(kb->b, kb->entry);
    kb->stream = stream;
    philox(kb, stream, kb->stream_key);
    LLVMPositionBuilderAtEnd(kb->b, back);
}

/* (x ^ x >> shift) * factor */
static LLVMValueRef mix(sn_kb *kb, LLVMValueRef x, uint32_t shift, uint32_t factor, uint32_t n)
{
    LLVMValueRef moved = LLVMBuildLShr(kb->b, x, sn_kb_splat(kb, i32(kb, shift), n), "");
    x = LLVMBuildXor(kb->b, x, moved, "");
    return factor == 1 ? x : LLVMBuildMul(kb->b, x, sn_kb_splat(kb, i32(kb, factor), n), "");
}

/* element: i64, or <n x i64>. */
LLVMValueRef sn_random_uniform(sn_kb *kb, int64_t stream, LLVMValueRef element)
{
    LLVMBuilderRef b = kb->b;
    LLVMTypeRef t = LLVMTypeOf(element);
    bool vector = LLVMGetTypeKind(t) == LLVMVectorTypeKind;
    uint32_t n = vector ? LLVMGetVectorSize(t) : 1;
    LLVMValueRef key[4], x = LLVMBuildTrunc(b, element, vector ? LLVMVectorType(kb->i32, n) : kb->i32, "");
    stream_key(kb, stream);
    for (int i = 0; i < 4; i++)
        key[i] = sn_kb_splat(kb, kb->stream_key[i], n);
    x = mix(kb, LLVMBuildAdd(b, x, key[0], ""), 17, 0xed5ad4bbu, n);
    x = mix(kb, LLVMBuildXor(b, x, key[1], ""), 11, 0xac4c1b51u, n);
    x = mix(kb, LLVMBuildAdd(b, x, key[2], ""), 15, 0x31848babu, n);
    x = mix(kb, LLVMBuildXor(b, x, key[3], ""), 14, 1, n);
    LLVMValueRef upper = LLVMBuildLShr(b, x, sn_kb_splat(kb, i32(kb, 8), n), "");
    LLVMValueRef number = LLVMBuildSIToFP(b, upper, sn_kb_vec(kb, n), "");
    return LLVMBuildFMul(b, number, sn_kb_splat(kb, sn_kb_f32(kb, 0x1p-24), n), "");
}
