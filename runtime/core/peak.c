/* Limits of the machine as it is now: fused multiply-adds and bytes a second.
 * Not a benchmark of our kernels; the figure they are compared with. */
#include "internal.h"

#include <omp.h>
#include <string.h>
#include <time.h>

#ifdef SN_RT_X86
#include <immintrin.h>
#endif

enum {
    FMA_ROUNDS = 4096,
    CHUNK_TILES = 64,      /* of FMA_ROUNDS turns: about 1 ms between two readings of the clock */
    READ_FLOATS = 1 << 15, /* 128 KiB */
    CHUNK_READS = 512,     /* of READ_FLOATS: 64 MiB, so that what a cache kept from before weighs little */
    READ_BYTES = 256 << 20 /* larger than the caches of common machines */
};

/* ---- multiply-adds: independent accumulators that fill the register file ------------------------------------------------- */

/* Keeps results alive; never read. */
static volatile float sink;

#ifdef SN_RT_X86
enum { WIDE_ACC = 24, HALF_ACC = 12 };

__attribute__((target("avx512f"))) static void fma_512(int64_t tiles)
{
    __m512 acc[WIDE_ACC], a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(sink * 0.0f + 1e-3f);
    for (int i = 0; i < WIDE_ACC; i++) acc[i] = _mm512_set1_ps((float)i);
    for (int64_t r = 0; r < tiles * FMA_ROUNDS; r++)
#pragma GCC unroll 24
        for (int i = 0; i < WIDE_ACC; i++) acc[i] = _mm512_fmadd_ps(acc[i], a, b);
    for (int i = 1; i < WIDE_ACC; i++) acc[0] = _mm512_add_ps(acc[0], acc[i]);
    sink = _mm512_cvtss_f32(acc[0]);
}

__attribute__((target("avx2,fma"))) static void fma_256(int64_t tiles)
{
    __m256 acc[HALF_ACC], a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(sink * 0.0f + 1e-3f);
    for (int i = 0; i < HALF_ACC; i++) acc[i] = _mm256_set1_ps((float)i);
    for (int64_t r = 0; r < tiles * FMA_ROUNDS; r++)
#pragma GCC unroll 12
        for (int i = 0; i < HALF_ACC; i++) acc[i] = _mm256_fmadd_ps(acc[i], a, b);
    for (int i = 1; i < HALF_ACC; i++) acc[0] = _mm256_add_ps(acc[0], acc[i]);
    sink = _mm256_cvtss_f32(acc[0]);
}

__attribute__((target("avx512f"))) static float read_512(const float *x)
{
    __m512 acc[8];
    for (int i = 0; i < 8; i++) acc[i] = _mm512_setzero_ps();
    for (int k = 0; k < READ_FLOATS; k += 128)
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) acc[i] = _mm512_add_ps(acc[i], _mm512_load_ps(x + k + 16 * i));
    for (int i = 1; i < 8; i++) acc[0] = _mm512_add_ps(acc[0], acc[i]);
    return _mm512_cvtss_f32(acc[0]);
}

__attribute__((target("avx2"))) static float read_256(const float *x)
{
    __m256 acc[8];
    for (int i = 0; i < 8; i++) acc[i] = _mm256_setzero_ps();
    for (int k = 0; k < READ_FLOATS; k += 64)
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) acc[i] = _mm256_add_ps(acc[i], _mm256_load_ps(x + k + 8 * i));
    for (int i = 1; i < 8; i++) acc[0] = _mm256_add_ps(acc[0], acc[i]);
    return _mm256_cvtss_f32(acc[0]);
}
#endif

enum { BASE_ACC = 32 };

static void fma_base(int64_t tiles)
{
    float acc[BASE_ACC], a = 0.999f, b = sink * 0.0f + 1e-3f;
    for (int i = 0; i < BASE_ACC; i++) acc[i] = (float)i;
    for (int64_t r = 0; r < tiles * FMA_ROUNDS; r++)
        for (int i = 0; i < BASE_ACC; i++) acc[i] = acc[i] * a + b;
    for (int i = 1; i < BASE_ACC; i++) acc[0] += acc[i];
    sink = acc[0];
}

static float read_base(const float *x)
{
    float acc[BASE_ACC] = {0};
    for (int k = 0; k < READ_FLOATS; k += BASE_ACC)
        for (int i = 0; i < BASE_ACC; i++) acc[i] += x[k + i];
    for (int i = 1; i < BASE_ACC; i++) acc[0] += acc[i];
    return acc[0];
}

/* ---- choice and measurement --------------------------------------------------------------------------------------------- */

typedef struct probe {
    const char *isa;
    int         bits, accumulators, threads;
    void (*fma)(int64_t tiles);
    float (*read)(const float *x);
    const float *memory;
} probe;

static probe probe_of_machine(void)
{
#ifdef SN_RT_X86
    if (sn_rt_cpu_has_avx512()) return (probe){"avx512f", 512, WIDE_ACC, 0, fma_512, read_512, NULL};
    if (sn_rt_cpu_has_avx2()) return (probe){"avx2+fma", 256, HALF_ACC, 0, fma_256, read_256, NULL};
#endif
    return (probe){"baseline", 128, BASE_ACC / 4, 0, fma_base, read_base, NULL};
}

/* One chunk of work of thread `self`; its flops or bytes. */
typedef double chunk_fn(const probe *p, int self, int turn);

static double fma_chunk(const probe *p, int self, int turn)
{
    (void)self, (void)turn;
    p->fma(CHUNK_TILES);
    return 2.0 * p->accumulators * (p->bits / 32) * FMA_ROUNDS * CHUNK_TILES;
}

/* Threads read stretches of their own, one after another, round and round. */
static double read_chunk(const probe *p, int self, int turn)
{
    enum { STRETCHES = READ_BYTES / (READ_FLOATS * (int)sizeof(float)) };
    float sum = 0;
    int   begin = (int)((int64_t)STRETCHES * self / p->threads), n = (int)((int64_t)STRETCHES * (self + 1) / p->threads) - begin;
    for (int i = 0; i < CHUNK_READS; i++) sum += p->read(p->memory + (int64_t)(begin + (turn * CHUNK_READS + i) % n) * READ_FLOATS);
    sink = sum;
    return (double)CHUNK_READS * READ_FLOATS * sizeof(float);
}

static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Sum over threads of the rate of each one's best chunk, by the thread's own clock: a thread that had to share its processor with
 * another process is measured while it runs. */
static double measure(const probe *p, chunk_fn *chunk, double seconds)
{
    double rate = 0, until = sn_rt_now() + seconds;
#pragma omp parallel num_threads(p->threads) reduction(+ : rate)
    {
        double best = 0;
        for (int turn = 0; turn < 3 || sn_rt_now() < until; turn++) {
            double from = thread_seconds(), work = chunk(p, omp_get_thread_num(), turn), took = thread_seconds() - from;
            if (took > 0 && work / took > best) best = work / took;
        }
        rate += best;
    }
    return rate;
}

sn_rt_peak sn_rt_peak_measure(int threads, double seconds)
{
    if (threads < 1) threads = sn_rt_threads_default();
    probe      p = probe_of_machine();
    sn_rt_peak out = {p.isa, p.bits, threads, 0, 0};
    p.threads = threads;
    out.flops = measure(&p, fma_chunk, seconds / 2);
    float *memory = sn_rt_pages_new(READ_BYTES);
    if (!memory) return out;
    memset(memory, 0, READ_BYTES); /* give every page its own memory: reads of untouched pages would all see one */
    p.memory = memory;
    out.bandwidth = measure(&p, read_chunk, seconds / 2);
    sn_rt_pages_free(memory, READ_BYTES);
    return out;
}
