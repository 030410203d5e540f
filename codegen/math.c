/* exp, log and tanh as inline polynomials: the same bits on every machine of equal vector width and FMA support.
 * Not libm, whose results differ between systems.
 *
 * The coefficients are minimax fits of the remainders named at each table (Lawson's iteration on Chebyshev points, rounded to float32).
 * Range reduction: Cody and Waite, "Software Manual for the Elementary Functions", 1980.
 */
#include "internal.h"

static LLVMTypeRef int_like(sn_kb *kb, LLVMValueRef x)
{
    LLVMTypeRef t = LLVMTypeOf(x);
    return LLVMGetTypeKind(t) == LLVMVectorTypeKind ? LLVMVectorType(kb->i32, LLVMGetVectorSize(t)) : kb->i32;
}

static LLVMValueRef splat_like(sn_kb *kb, LLVMValueRef x, LLVMValueRef scalar)
{
    LLVMTypeRef t = LLVMTypeOf(x);
    uint32_t n = LLVMGetTypeKind(t) == LLVMVectorTypeKind ? LLVMGetVectorSize(t) : 1;
    return sn_kb_splat(kb, scalar, n);
}

static LLVMValueRef real(sn_kb *kb, LLVMValueRef x, double v)
{
    return splat_like(kb, x, sn_kb_f32(kb, v));
}

static LLVMValueRef integer(sn_kb *kb, LLVMValueRef x, int32_t v)
{
    return splat_like(kb, x, LLVMConstInt(kb->i32, (unsigned long long)(long long)v, true));
}

/* c[n-1] x^(n-1) + ... + c[0], Horner. */
static LLVMValueRef polynomial(sn_kb *kb, LLVMValueRef x, const double *c, int n)
{
    LLVMValueRef y = real(kb, x, c[n - 1]);
    for (int i = n - 2; i >= 0; i--)
        y = sn_kb_fma(kb, y, x, real(kb, x, c[i]));
    return y;
}

static LLVMValueRef choose(sn_kb *kb, LLVMRealPredicate p, LLVMValueRef a, LLVMValueRef b, LLVMValueRef then, LLVMValueRef other)
{
    return LLVMBuildSelect(kb->b, LLVMBuildFCmp(kb->b, p, a, b, ""), then, other, "");
}

/* 2^n for integers -126 .. 127. */
static LLVMValueRef power_of_two(sn_kb *kb, LLVMValueRef n, LLVMValueRef like)
{
    LLVMValueRef bits = LLVMBuildShl(kb->b, LLVMBuildAdd(kb->b, n, integer(kb, like, 127), ""), integer(kb, like, 23), "");
    return LLVMBuildBitCast(kb->b, bits, LLVMTypeOf(like), "");
}

/* x = n ln2 + r, e^x = 2^n (1 + r + r^2 P(r)).  Results below the smallest normal are rounded twice; above the largest they are infinite. */
LLVMValueRef sn_math_exp(sn_kb *kb, LLVMValueRef x)
{
    static const double p[] = {0x1.000000p-1, 0x1.555554p-3, 0x1.555486p-5, 0x1.111280p-7, 0x1.6d945cp-10, 0x1.9f02cap-13};
    LLVMBuilderRef b = kb->b;
    LLVMTypeRef ints = int_like(kb, x);
    x = choose(kb, LLVMRealOGT, x, real(kb, x, 89.0), real(kb, x, 89.0), x);
    x = choose(kb, LLVMRealOLT, x, real(kb, x, -104.0), real(kb, x, -104.0), x);
    LLVMValueRef magic = real(kb, x, 0x1.8p23); /* adding it rounds to an integer, which stands in the low bits */
    LLVMValueRef shifted = LLVMBuildFAdd(b, LLVMBuildFMul(b, x, real(kb, x, 0x1.715476p+0), ""), magic, "");
    LLVMValueRef n = LLVMBuildSub(b, LLVMBuildBitCast(b, shifted, ints, ""), LLVMBuildBitCast(b, magic, ints, ""), "");
    LLVMValueRef nf = LLVMBuildFSub(b, shifted, magic, "");
    LLVMValueRef r = sn_kb_fma(kb, nf, real(kb, x, -0x1.63p-1), x); /* 9 bits of ln 2: exact without FMA too */
    r = sn_kb_fma(kb, nf, real(kb, x, 0x1.bd0106p-13), r);
    LLVMValueRef rr = LLVMBuildFMul(b, r, r, "");
    LLVMValueRef y = LLVMBuildFAdd(b, sn_kb_fma(kb, polynomial(kb, r, p, 6), rr, r), real(kb, x, 1.0), "");
    LLVMValueRef half = LLVMBuildAShr(b, n, integer(kb, x, 1), "");
    y = LLVMBuildFMul(b, y, power_of_two(kb, half, x), "");
    return LLVMBuildFMul(b, y, power_of_two(kb, LLVMBuildSub(b, n, half, ""), x), "");
}

/* x = n + f, 2^x = 2^n P(f), |f| <= 1/2: the exponent field takes n as it is, so x must stay below 127.  What is below -125 counts as -125;
 * a NaN stays one. */
LLVMValueRef sn_math_exp2_fast(sn_kb *kb, LLVMValueRef x)
{
    static const double p[] = {0x1.000000p+0, 0x1.62e430p-1, 0x1.ebfbdap-3, 0x1.c6aed4p-5, 0x1.3b2dbcp-7, 0x1.5f456ap-10, 0x1.41d334p-13};
    LLVMBuilderRef b = kb->b;
    LLVMTypeRef ints = int_like(kb, x);
    x = choose(kb, LLVMRealOGT, real(kb, x, -125.0), x, real(kb, x, -125.0), x);
    LLVMValueRef magic = real(kb, x, 0x1.8p23), shifted = LLVMBuildFAdd(b, x, magic, "");
    LLVMValueRef f = LLVMBuildFSub(b, x, LLVMBuildFSub(b, shifted, magic, ""), "");
    LLVMValueRef n = LLVMBuildShl(b, LLVMBuildBitCast(b, shifted, ints, ""), integer(kb, x, 23), "");
    LLVMValueRef bits = LLVMBuildAdd(b, LLVMBuildBitCast(b, polynomial(kb, f, p, 7), ints, ""), n, "");
    return LLVMBuildBitCast(b, bits, LLVMTypeOf(x), "");
}

/* x = 2^e (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2); log x = e ln2 + f - f^2/2 + f^3 P(f). */
LLVMValueRef sn_math_log(sn_kb *kb, LLVMValueRef x)
{
    static const double p[] = {0x1.555548p-2, -0x1.000006p-2, 0x1.99a4b6p-3, -0x1.555c4ep-3, 0x1.233768p-3,
                               -0x1.fc2208p-4, 0x1.e6f06ap-4, -0x1.de3c16p-4, 0x1.1457a8p-4};
    LLVMBuilderRef b = kb->b;
    LLVMTypeRef ints = int_like(kb, x);
    LLVMValueRef zero = real(kb, x, 0.0), tiny = LLVMBuildFCmp(b, LLVMRealOLT, x, real(kb, x, 0x1p-126), "");
    LLVMValueRef scaled = LLVMBuildSelect(b, tiny, LLVMBuildFMul(b, x, real(kb, x, 0x1p23), ""), x, "");
    LLVMValueRef bits = LLVMBuildBitCast(b, scaled, ints, "");
    /* subtracting the bits of sqrt(1/2) makes the exponent field count from there */
    LLVMValueRef off = LLVMBuildSub(b, bits, integer(kb, x, 0x3f3504f3), "");
    LLVMValueRef e = LLVMBuildAShr(b, off, integer(kb, x, 23), "");
    LLVMValueRef m = LLVMBuildSub(b, bits, LLVMBuildShl(b, e, integer(kb, x, 23), ""), "");
    LLVMValueRef f = LLVMBuildFSub(b, LLVMBuildBitCast(b, m, LLVMTypeOf(x), ""), real(kb, x, 1.0), "");
    LLVMValueRef ef = LLVMBuildSIToFP(b, e, LLVMTypeOf(x), "");
    ef = LLVMBuildFSub(b, ef, LLVMBuildSelect(b, tiny, real(kb, x, 23.0), zero, ""), "");
    LLVMValueRef ff = LLVMBuildFMul(b, f, f, "");
    LLVMValueRef y = LLVMBuildFMul(b, LLVMBuildFMul(b, ff, f, ""), polynomial(kb, f, p, 9), "");
    y = sn_kb_fma(kb, ef, real(kb, x, -0x1.bd0106p-13), y);
    y = sn_kb_fma(kb, ff, real(kb, x, -0.5), y);
    y = sn_kb_fma(kb, ef, real(kb, x, 0x1.63p-1), LLVMBuildFAdd(b, f, y, ""));
    y = choose(kb, LLVMRealOEQ, x, zero, real(kb, x, -__builtin_inf()), y);
    y = choose(kb, LLVMRealULT, x, zero, real(kb, x, __builtin_nan("")), y); /* negative or NaN */
    return choose(kb, LLVMRealOEQ, x, real(kb, x, __builtin_inf()), x, y);
}

/* |x| < 0.625: x + x^3 P(x^2); otherwise 1 - 2 / (e^2|x| + 1) with the sign of x. */
LLVMValueRef sn_math_tanh(sn_kb *kb, LLVMValueRef x)
{
    static const double p[] = {-0x1.555532p-2, 0x1.110726p-3, -0x1.b83c5ap-5, 0x1.52269cp-6, -0x1.75e1ccp-8};
    LLVMBuilderRef b = kb->b;
    LLVMValueRef arg[2] = {x, NULL}, xx = LLVMBuildFMul(b, x, x, "");
    LLVMValueRef size = sn_kb_intrinsic(kb, "llvm.fabs", LLVMTypeOf(x), arg, 1);
    LLVMValueRef near = sn_kb_fma(kb, LLVMBuildFMul(b, xx, x, ""), polynomial(kb, xx, p, 5), x);
    LLVMValueRef e = sn_math_exp(kb, LLVMBuildFAdd(b, size, size, ""));
    LLVMValueRef q = LLVMBuildFDiv(b, real(kb, x, 2.0), LLVMBuildFAdd(b, e, real(kb, x, 1.0), ""), "");
    arg[0] = LLVMBuildFSub(b, real(kb, x, 1.0), q, "");
    arg[1] = x;
    LLVMValueRef far = sn_kb_intrinsic(kb, "llvm.copysign", LLVMTypeOf(x), arg, 2);
    return choose(kb, LLVMRealOLT, size, real(kb, x, 0.625), near, far);
}
