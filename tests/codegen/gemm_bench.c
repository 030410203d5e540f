/* Speed of contraction kernels against the measured FMA peak: forward, data gradient, weight gradient, graph products.
 * Not correctness: gemm_test.c.  Usage: gemm_bench [processor [filter [threads]]]
 *
 *   plain   the contraction alone
 *   edges   batch norm and relu in front, two sums behind
 *   step    what a training step fuses with a temporal convolution, dropout included, on tensors larger than a cache */
#include <omp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gemm_case.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { MAX_THREADS = 64, CHUNK = 12 };

typedef struct bench {
    const char *name, *spec, *a, *b, *out;
    int64_t     n, t;
    const char *channels; /* of a, to put a batch norm in front; NULL = none */
    size_t      sparse;   /* b is a constant with so many numbers that are not zero, times a parameter */
} bench;

static double macs_of(const gemm_run *r)
{
    double n = 0;
    for (uint32_t i = 0; i < r->p->calls; i++)
        n += (double)gr_dim(r, r->p->call[i].macs);
    return n;
}

/* All calls, their tiles shared by threads as the runtime does it. */
static void run_threads(gemm_run *r, int threads, float **scratch)
{
    for (uint32_t i = 0; i < r->p->calls; i++) {
        const sn_abi_call *c = &r->p->call[i];
        _Atomic int64_t next = 0;
        int64_t tiles = gr_dim(r, c->tiles);
#pragma omp parallel num_threads(threads)
        {
            int64_t begin = atomic_load(&next);
            while (begin < tiles) {
                int64_t n = threads == 1 ? tiles : (tiles - begin) / (4 * threads);
                n = n < 1 ? 1 : n;
                if (!atomic_compare_exchange_weak(&next, &begin, begin + n))
                    continue;
                gr_tiles(r, c, begin, begin + n, scratch[omp_get_thread_num()]);
                begin = atomic_load(&next);
            }
        }
    }
}

/* Best of several runs of at least 50 ms together; seconds. */
static double best_time(gemm_run *r, int threads)
{
    float *scratch[MAX_THREADS];
    for (int i = 0; i < threads; i++)
        scratch[i] = i ? aligned_alloc(64, (r->scratch_floats * sizeof(float) + 63) / 64 * 64) : r->scratch;
    double best = 1e9, start = now();
    for (int i = 0; i < 5 || (now() - start < 0.3 && i < 1000); i++) {
        double from = now();
        run_threads(r, threads, scratch);
        double took = now() - from;
        best = took < best ? took : best;
    }
    for (int i = 1; i < threads; i++)
        free(scratch[i]);
    return best;
}

static void report(const bench *q, gemm_case *c, const char *cpu, const char *edges, int threads)
{
    double start = now();
    if (gc_compile(c, cpu)) {
        double compile = now() - start;
        gemm_run r;
        gr_init(&r, c, (int64_t[]){q->n, q->t});
        gr_run(&r, 0, false);
        double took = best_time(&r, threads), macs = macs_of(&r);
        printf("%-28s %s %9.3f ms %8.1f GFLOP/s   compiled in %5.1f ms\n", q->name, edges, took * 1e3, 2e-9 * macs / took, compile * 1e3);
        gr_fini(&r);
    }
}

static void run(const bench *q, const char *cpu, bool edges, int threads)
{
    gemm_case c;
    gc_init(&c);
    sn_ref a = gc_param(&c, "a", q->a), b = gc_param(&c, "b", q->b);
    if (q->sparse)
        b = sn_mul(&c.b, gc_sparse(&c, q->b, q->sparse), b);
    if (edges && q->channels) { /* batch norm and relu in front; bias and sums behind */
        sn_ref scale = gc_param(&c, "scale", q->channels), shift = gc_param(&c, "shift", q->channels);
        a = sn_unary(&c.b, SN_OP_relu, sn_add(&c.b, sn_mul(&c.b, a, scale), shift));
    }
    sn_ref y = gc_contract(&c, q->spec, a, b, q->out);
    gc_out(&c, y);
    if (edges && q->out[0] == 'N' && c.g->node[y.i].type.rank == 4) {
        gc_out(&c, gc_partial_sum(&c, y, 1, 12, 1));
        gc_out(&c, gc_partial_sum(&c, sn_mul(&c.b, y, y), 1, 12, 1));
    }
    report(q, &c, cpu, edges ? "edges" : "plain", threads);
    gc_fini(&c);
}

/* ---- as in a training step ---- */

typedef struct step { const char *name; int64_t in, out, s, taps, pad, n, t; } step;

static sn_ref normalised(gemm_case *c, sn_ref z, const char *channels)
{
    sn_ref centred = sn_sub(&c->b, z, gc_param(c, "mean", channels));
    sn_ref scaled = sn_mul(&c->b, centred, gc_param(c, "scale", channels));
    return sn_unary(&c->b, SN_OP_relu, sn_add(&c->b, scaled, gc_param(c, "shift", channels)));
}

/* Gradient of a convolution's result: through dropout and batch norm. */
static sn_ref result_gradient(gemm_case *c, const char *dims, const char *channels)
{
    sn_type t = gc_type(c, dims);
    sn_ref g = gc_param(c, "g", dims);
    g = sn_mul(&c->b, g, sn_build_op(&c->b, SN_OP_bernoulli, NULL, 0, &(sn_attrs){.random = {.p = 0.5, .stream = 1}}, &t));
    sn_ref y = sn_mul(&c->b, gc_param(c, "y", dims), gc_param(c, "y_scale", channels));
    return sn_add(&c->b, sn_add(&c->b, sn_mul(&c->b, g, gc_param(c, "g_scale", channels)), y), gc_param(c, "y_shift", channels));
}

static void add_sums(gemm_case *c, sn_ref a, sn_ref b)
{
    gc_out(c, gc_partial_sum(c, a, 1, CHUNK, 1));
    gc_out(c, gc_partial_sum(c, b, 1, CHUNK, 1));
}

/* kind: 0 forward, 1 data gradient, 2 weight gradient. */
static void run_step(const step *s, int kind, const char *cpu, int threads)
{
    static const char *const kinds[] = {"forward", "data gradient", "weight gradient"};
    static const char *const pattern[] = {"n,%dt+k-%d,v,i ; k,i,o -> n,t,v,o", "n,t,v,o ; k,i,o -> n,%dt+k-%d,v,i",
                                          "n,t,v,o ; n,%dt+k-%d,v,i -> k,i,o"};
    char x[64], y[64], w[64], ci[16], co[16], spec[96], name[64];
    snprintf(ci, sizeof ci, "%d", (int)s->in);
    snprintf(co, sizeof co, "%d", (int)s->out);
    snprintf(x, sizeof x, "N,T,25,%s", ci);
    snprintf(y, sizeof y, "N,T/%d,25,%s", (int)s->s, co);
    snprintf(w, sizeof w, "%d,%s,%s", (int)s->taps, ci, co);
    snprintf(spec, sizeof spec, pattern[kind], (int)s->s, (int)s->pad);
    snprintf(name, sizeof name, "%s %s", kinds[kind], s->name);
    gemm_case c;
    gc_init(&c);
    sn_ref z = gc_param(&c, "z", x), a = normalised(&c, z, ci);
    if (kind == 0) {
        sn_ref r = sn_add(&c.b, gc_contract(&c, spec, a, gc_param(&c, "w", w), y), gc_param(&c, "bias", co));
        gc_out(&c, r);
        add_sums(&c, r, sn_mul(&c.b, r, r));
    } else if (kind == 1) {
        sn_ref d = gc_contract(&c, spec, result_gradient(&c, y, co), gc_param(&c, "w", w), x), zero = sn_scalar(&c.b, 0);
        sn_ref masked = sn_select(&c.b, sn_binary(&c.b, SN_OP_greater, a, zero), d, zero);
        gc_out(&c, masked);
        add_sums(&c, masked, sn_mul(&c.b, masked, z));
    } else {
        gc_out(&c, gc_contract(&c, spec, result_gradient(&c, y, co), a, w));
    }
    bench q = {.name = name, .n = s->n, .t = s->t};
    report(&q, &c, cpu, "step ", threads);
    gc_fini(&c);
}

static const step steps[] = {
    {"9x1 16", 16, 16, 1, 9, 4, 32, 300},       {"9x1 32", 32, 32, 1, 9, 4, 32, 150},       {"9x1 64", 64, 64, 1, 9, 4, 32, 75},
    {"9x1 128", 128, 128, 1, 9, 4, 16, 75},     {"9x1 256", 256, 256, 1, 9, 4, 8, 75},      {"9x1 512", 512, 512, 1, 9, 4, 4, 75},
    {"9x1/2 16-32", 16, 32, 2, 9, 4, 32, 300},  {"9x1/2 32-64", 32, 64, 2, 9, 4, 32, 150},  {"9x1/2 64-128", 64, 128, 2, 9, 4, 16, 150},
    {"1x1 64-256", 64, 256, 1, 1, 0, 32, 75},   {"1x1/2 32-64", 32, 64, 2, 1, 0, 32, 150},
};

#define CONV(C, N, T) \
    {"forward 9x1 " #C, "n,t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,25," #C, "9," #C "," #C, "N,T,25," #C, N, T, #C, 0}, \
    {"data gradient 9x1 " #C, "n,t,v,o ; k,i,o -> n,t+k-4,v,i", "N,T,25," #C, "9," #C "," #C, "N,T,25," #C, N, T, #C, 0}, \
    {"weight gradient 9x1 " #C, "n,t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,25," #C, "N,T,25," #C, "9," #C "," #C, N, T, #C, 0}

#define CONV2(C, N, T) \
    {"forward 9x1/2 " #C, "n,2t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,25," #C, "9," #C "," #C, "N,T/2,25," #C, N, T, #C, 0}, \
    {"data gradient 9x1/2 " #C, "n,t,v,o ; k,i,o -> n,2t+k-4,v,i", "N,T/2,25," #C, "9," #C "," #C, "N,T,25," #C, N, T, #C, 0}, \
    {"weight gradient 9x1/2 " #C, "n,2t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,25," #C, "N,T/2,25," #C, "9," #C "," #C, N, T, #C, 0}

static const bench cases[] = {
    CONV(16, 8, 300), CONV(32, 8, 150), CONV(64, 8, 75), CONV(128, 8, 75), CONV(256, 8, 75), CONV(512, 8, 38),
    CONV2(16, 16, 300), CONV2(32, 16, 150), CONV2(64, 16, 150), CONV2(128, 8, 150), CONV2(256, 8, 74), CONV2(512, 4, 74),
    {"forward 9x1/2 16-32", "n,2t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,25,16", "9,16,32", "N,T/2,25,32", 4, 300, "16", 0},
    {"data gradient 9x1/2 16-32", "n,t,v,o ; k,i,o -> n,2t+k-4,v,i", "N,T/2,25,32", "9,16,32", "N,T,25,16", 4, 300, "32", 0},
    {"weight gradient 9x1/2 16-32", "n,2t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,25,16", "N,T/2,25,32", "9,16,32", 4, 300, "16", 0},
    {"forward 1x1 3-48", "n,t,v,i ; i,o -> n,t,v,o", "N,T,25,3", "3,48", "N,T,25,48", 4, 300, "3", 0},
    {"forward 1x1 16-48", "n,t,v,i ; i,o -> n,t,v,o", "N,T,25,16", "16,48", "N,T,25,48", 4, 300, "16", 0},
    {"forward 1x1 64-192", "n,t,v,i ; i,o -> n,t,v,o", "N,T,25,64", "64,192", "N,T,25,192", 4, 75, "64", 0},
    {"data gradient 1x1 64-192", "n,t,v,o ; i,o -> n,t,v,i", "N,T,25,192", "64,192", "N,T,25,64", 4, 75, "192", 0},
    {"weight gradient 1x1 64-192", "n,t,v,i ; n,t,v,o -> i,o", "N,T,25,64", "N,T,25,192", "64,192", 4, 75, "64", 0},
    {"weight gradient 1x1 3-48", "n,t,v,i ; n,t,v,o -> i,o", "N,T,25,3", "N,T,25,48", "3,48", 4, 300, "3", 0},
    {"linear 256-128", "n,i ; i,o -> n,o", "N,256", "256,128", "N,128", 512, 1, NULL, 0},
    {"graph 3x25x25 dense 16", "n,t,v,k,c ; k,v,w -> n,t,w,c", "N,T,25,3,16", "3,25,25", "N,T,25,16", 4, 300, NULL, 0},
    {"graph 3x25x25 sparse 16", "n,t,v,k,c ; k,v,w -> n,t,w,c", "N,T,25,3,16", "3,25,25", "N,T,25,16", 4, 300, NULL, 73},
    {"graph 3x25x25 sparse 64", "n,t,v,k,c ; k,v,w -> n,t,w,c", "N,T,25,3,64", "3,25,25", "N,T,25,64", 4, 75, NULL, 73},
    {"graph gradient sparse 64", "n,t,w,c ; k,v,w -> n,t,v,k,c", "N,T,25,64", "3,25,25", "N,T,25,3,64", 4, 75, NULL, 73},
    {"gradient of graph dense 16", "n,t,v,k,c ; n,t,w,c -> k,v,w", "N,T,25,3,16", "N,T,25,16", "3,25,25", 4, 300, NULL, 0},
    {"gradient of graph dense 64", "n,t,v,k,c ; n,t,w,c -> k,v,w", "N,T,25,3,64", "N,T,25,64", "3,25,25", 4, 75, NULL, 0},
    {"graph 3x25x25 a head 4", "n,k,v,w ; n,t,w,k,c -> n,t,v,k,c", "N,3,25,25", "N,T,25,3,4", "N,T,25,3,4", 4, 300, NULL, 0},
    {"graph 3x25x25 a head 64", "n,k,v,w ; n,t,w,k,c -> n,t,v,k,c", "N,3,25,25", "N,T,25,3,64", "N,T,25,3,64", 4, 75, NULL, 0},
    {"gradient of graph a sample 16", "n,t,w,k,c ; n,t,v,c -> n,k,v,w", "N,T,25,3,16", "N,T,25,16", "N,3,25,25", 4, 300, NULL, 0},
    {"affinity 3x25x25 4", "n,t,v,k,c ; n,t,w,k,c -> n,k,v,w", "N,T,25,3,4", "N,T,25,3,4", "N,3,25,25", 4, 300, NULL, 0},
    {"affinity 25x25 16", "n,t,v,c ; n,t,w,c -> n,v,w", "N,T,25,16", "N,T,25,16", "N,25,25", 4, 300, NULL, 0},
    {"pooling 19", "b,t,c ; s,t -> b,s,c", "N,T,256", "19,T", "N,19,256", 32, 75, NULL, 0},
    {"graph 3x25x25 dense 64", "n,t,v,k,c ; k,v,w -> n,t,w,c", "N,T,25,3,64", "3,25,25", "N,T,25,64", 4, 75, NULL, 0},
};

__attribute__((target("avx512f"))) static double core512(void)
{
    double best = 0;
    for (int trial = 0; trial < 20; trial++) {
        double from = now();
        long n = 500000;
#define FMA(i) "vfmadd231ps %%zmm30, %%zmm31, %%zmm" #i "\n\t"
        __asm__ volatile("vpxord %%zmm30, %%zmm30, %%zmm30\n\tvpxord %%zmm31, %%zmm31, %%zmm31\n"
                         "1:\n\t" FMA(0) FMA(1) FMA(2) FMA(3) FMA(4) FMA(5) FMA(6) FMA(7) FMA(8) FMA(9) FMA(10) FMA(11)
                         "dec %0\n\tjnz 1b"
                         : "+r"(n)::"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
                           "xmm30", "xmm31", "cc");
#undef FMA
        double rate = 12.0 * 32 * 500000 / (now() - from) * 1e-9;
        best = rate > best ? rate : best;
    }
    return best;
}

/* Multiply-adds on registers alone, in GFLOP/s of all threads. */
static double peak512(int threads)
{
    double sum = 0;
#pragma omp parallel num_threads(threads) reduction(+ : sum)
    sum += core512();
    return sum;
}

int main(int argc, char **argv)
{
    const char *cpu = argc > 1 ? argv[1] : NULL, *filter = argc > 2 ? argv[2] : "";
    int threads = argc > 3 ? atoi(argv[3]) : 1;
    threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
    if (__builtin_cpu_supports("avx512f"))
        printf("peak %.1f GFLOP/s\n", peak512(threads));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int edges = 0; edges < 2; edges++)
            if (strstr(cases[i].name, filter) && (!edges || cases[i].channels))
                run(&cases[i], cpu, edges, threads);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        for (int kind = 0; kind < 3; kind++)
            if (strstr(steps[i].name, filter) || strstr("step", filter))
                run_step(&steps[i], kind, cpu, threads);
    return 0;
}
