/* Normal numbers in bulk: Box-Muller on whole blocks of Philox words, in loops the compiler vectorises.
 * Not the generator itself (random.c).
 *
 * Two queues of 32768 rows of 128 are 8 million numbers before the first step.  libm's log and cos take them one by one, 50 ns each;
 * series in plain double arithmetic cost a tenth of that.  No multiply-add is fused here (runtime/data/CMakeLists.txt), so that every
 * processor gives the same bits.
 */
#include "philox.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 64 }; /* numbers at a time: their words and intermediate values stay in the first-level cache */

typedef struct words { uint32_t w[4][BLOCK]; } words;

#define INLINE static inline __attribute__((always_inline))

INLINE double of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

INLINE uint64_t bits_of(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* x < 2^52 as a double, without the conversion that AVX2 lacks: 2^52 + x has x in its low bits. */
INLINE double of_small(uint64_t x)
{
    return of_bits(x | 0x4330000000000000u) - 0x1p52;
}

/* Multiples of 2^-53 in [0, 1), as sn_rt_random_uniform gives them. */
INLINE double uniform_of(uint32_t high, uint32_t low)
{
    return (of_small(high) * 0x1p21 + of_small(low >> 11)) * 0x1p-53;
}

/* log u for normal u > 0: u = m 2^e with m in [sqrt 1/2, sqrt 2), log m = 2 artanh s, s = (m - 1)/(m + 1), |s| < 0.172; the first term left out
 * is below 2^-58 of the sum. */
INLINE double log_of(double u)
{
    uint64_t bits = bits_of(u), shifted = bits + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu), biased = shifted >> 52;
    double   e = of_small(biased) - 1023.0, m = of_bits(bits - (biased << 52) + (1023ull << 52));
    double   s = (m - 1.0) / (m + 1.0), z = s * s;
    double   p = 1.0 / 21;
    p = p * z + 1.0 / 19;
    p = p * z + 1.0 / 17;
    p = p * z + 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    return e * 0.69314718055994530942 + 2.0 * (s + s * (z * p));
}

/* cos 2 pi v for v in [0, 1]: 4v = q + r with whole q and |r| <= 1/2, both exact; then the series of sine or cosine of r pi/2. */
INLINE double cos_of_turn(double v)
{
    double   t = 4.0 * v + 0x1.8p52, r = 4.0 * v - (t - 0x1.8p52), a = r * 1.57079632679489661923, z = a * a;
    uint64_t q = bits_of(t);
    double   c = 1.0 / 20922789888000, s = 1.0 / 355687428096000;
    c = c * z - 1.0 / 87178291200;
    c = c * z + 1.0 / 479001600;
    c = c * z - 1.0 / 3628800;
    c = c * z + 1.0 / 40320;
    c = c * z - 1.0 / 720;
    c = c * z + 1.0 / 24;
    c = c * z - 0.5;
    c = c * z + 1.0;
    s = s * z - 1.0 / 1307674368000;
    s = s * z + 1.0 / 6227020800;
    s = s * z - 1.0 / 39916800;
    s = s * z + 1.0 / 362880;
    s = s * z - 1.0 / 5040;
    s = s * z + 1.0 / 120;
    s = s * z - 1.0 / 6;
    s = a + a * (z * s);
    uint64_t odd = 0 - (q & 1), negative = ((q + 1) & 2) << 62; /* quarters 1 and 2 */
    return of_bits(((bits_of(s) & odd) | (bits_of(c) & ~odd)) ^ negative);
}

INLINE void philox(const sn_rt_random *r, words *x)
{
    for (uint32_t i = 0; i < BLOCK; i++) {
        philox_block b = philox_of((philox_block){r->counter[0] + i, r->counter[1], r->counter[2], r->counter[3]}, r->key[0], r->key[1]);
        x->w[0][i] = b.c0;
        x->w[1][i] = b.c1;
        x->w[2][i] = b.c2;
        x->w[3][i] = b.c3;
    }
}

INLINE void transform(const words *x, double *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        double u = 1.0 - uniform_of(x->w[0][i], x->w[1][i]); /* (0, 1]: the logarithm is finite */
        out[i] = sqrt(-2.0 * log_of(u)) * cos_of_turn(uniform_of(x->w[2][i], x->w[3][i]));
    }
}

/* The next `BLOCK` blocks of the stream, made into normals.  One body for every width of vectors. */
INLINE void block(const sn_rt_random *r, double out[BLOCK])
{
    words x;
    philox(r, &x);
    transform(&x, out, BLOCK);
}

typedef void block_fn(const sn_rt_random *r, double out[BLOCK]);

static void block_plain(const sn_rt_random *r, double out[BLOCK]) { block(r, out); }

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void block_avx2(const sn_rt_random *r, double out[BLOCK]) { block(r, out); }
__attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512"))) static void block_avx512(const sn_rt_random *r, double out[BLOCK])
{
    block(r, out);
}

static block_fn *block_here(void)
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) return block_avx512;
    return __builtin_cpu_supports("avx2") ? block_avx2 : block_plain;
}
#else
static block_fn *block_here(void) { return block_plain; }
#endif

/* From the next four words, wherever the stream stands in its block. */
double sn_rt_random_normal(sn_rt_random *r)
{
    words  x;
    double out;
    for (int k = 0; k < 4; k++) x.w[k][0] = sn_rt_random_u32(r);
    transform(&x, &out, 1);
    return out;
}

void sn_rt_random_normals(sn_rt_random *r, double *out, size_t n)
{
    block_fn *make = block_here();
    while (n && r->used == 4) {
        double some[BLOCK];
        size_t count = n < BLOCK ? n : BLOCK;
        make(r, some);
        memcpy(out, some, count * sizeof *out);
        r->counter[0] += (uint32_t)count;
        out += count;
        n -= count;
    }
    for (size_t i = 0; i < n; i++) out[i] = sn_rt_random_normal(r);
}
