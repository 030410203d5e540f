/* Speed of contraction kernels on one core against the measured FMA peak: forward, data gradient, weight gradient, graph products.
 * Not correctness: gemm_test.c.  Usage: gemm_bench [processor [filter]] */
#include <immintrin.h>
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

typedef struct bench { const char *name, *spec, *a, *b, *out; int64_t n, t; const char *channels; } bench;

static double macs_of(const gemm_run *r)
{
    double n = 0;
    for (uint32_t i = 0; i < r->p->calls; i++)
        n += (double)gr_dim(r, r->p->call[i].macs);
    return n;
}

/* Best of several runs of at least 50 ms together; seconds. */
static double best_time(gemm_run *r)
{
    double best = 1e9, start = now();
    for (int i = 0; i < 5 || (now() - start < 0.3 && i < 1000); i++) {
        double from = now();
        gr_run(r, 0, false);
        double took = now() - from;
        best = took < best ? took : best;
    }
    return best;
}

static void run(const bench *q, const char *cpu, bool edges)
{
    gemm_case c;
    gc_init(&c);
    sn_ref a = gc_param(&c, "a", q->a), b = gc_param(&c, "b", q->b);
    if (edges && q->channels) { /* batch norm and relu in front; bias and sums behind */
        sn_ref scale = gc_param(&c, "scale", q->channels), shift = gc_param(&c, "shift", q->channels);
        a = sn_unary(&c.b, SN_OP_relu, sn_add(&c.b, sn_mul(&c.b, a, scale), shift));
    }
    sn_ref y = gc_contract(&c, q->spec, a, b, q->out);
    gc_out(&c, y);
    if (edges && q->out[0] == 'N') {
        gc_out(&c, gc_partial_sum(&c, y, 1, 12, 1));
        gc_out(&c, gc_partial_sum(&c, sn_mul(&c.b, y, y), 1, 12, 1));
    }
    if (gc_compile(&c, cpu)) {
        gemm_run r;
        gr_init(&r, &c, (int64_t[]){q->n, q->t});
        gr_run(&r, 0, false);
        double took = best_time(&r), macs = macs_of(&r);
        printf("%-28s %s %9.3f ms %8.1f GFLOP/s\n", q->name, edges ? "edges" : "plain", took * 1e3, 2e-9 * macs / took);
        gr_fini(&r);
    }
    gc_fini(&c);
}

#define CONV(C, N, T) \
    {"forward 9x1 " #C, "n,t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,25," #C, "9," #C "," #C, "N,T,25," #C, N, T, #C}, \
    {"data gradient 9x1 " #C, "n,t,v,o ; k,i,o -> n,t+k-4,v,i", "N,T,25," #C, "9," #C "," #C, "N,T,25," #C, N, T, #C}, \
    {"weight gradient 9x1 " #C, "n,t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,25," #C, "N,T,25," #C, "9," #C "," #C, N, T, #C}

static const bench cases[] = {
    CONV(16, 4, 300), CONV(32, 2, 150), CONV(64, 2, 75), CONV(128, 2, 75), CONV(256, 2, 75), CONV(512, 1, 38),
    {"forward 9x1/2 16-32", "n,2t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,25,16", "9,16,32", "N,T/2,25,32", 4, 300, "16"},
    {"data gradient 9x1/2 16-32", "n,t,v,o ; k,i,o -> n,2t+k-4,v,i", "N,T/2,25,32", "9,16,32", "N,T,25,16", 4, 300, "32"},
    {"weight gradient 9x1/2 16-32", "n,2t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,25,16", "N,T/2,25,32", "9,16,32", 4, 300, "16"},
    {"forward 1x1 3-48", "n,t,v,i ; i,o -> n,t,v,o", "N,T,25,3", "3,48", "N,T,25,48", 4, 300, "3"},
    {"forward 1x1 16-48", "n,t,v,i ; i,o -> n,t,v,o", "N,T,25,16", "16,48", "N,T,25,48", 4, 300, "16"},
    {"forward 1x1 64-192", "n,t,v,i ; i,o -> n,t,v,o", "N,T,25,64", "64,192", "N,T,25,192", 4, 75, "64"},
    {"data gradient 1x1 64-192", "n,t,v,o ; i,o -> n,t,v,i", "N,T,25,192", "64,192", "N,T,25,64", 4, 75, "192"},
    {"weight gradient 1x1 64-192", "n,t,v,i ; n,t,v,o -> i,o", "N,T,25,64", "N,T,25,192", "64,192", 4, 75, "64"},
    {"weight gradient 1x1 3-48", "n,t,v,i ; n,t,v,o -> i,o", "N,T,25,3", "N,T,25,48", "3,48", 4, 300, "3"},
    {"linear 256-128", "n,i ; i,o -> n,o", "N,256", "256,128", "N,128", 512, 1, NULL},
    {"graph 3x25x25 dense 16", "n,t,v,k,c ; k,v,w -> n,t,w,c", "N,T,25,3,16", "3,25,25", "N,T,25,16", 4, 300, NULL},
    {"graph 3x25x25 dense 64", "n,t,v,k,c ; k,v,w -> n,t,w,c", "N,T,25,3,64", "3,25,25", "N,T,25,64", 4, 75, NULL},
};

/* Multiply-adds on registers alone: what one core can do, in GFLOP/s. */
__attribute__((target("avx512f"))) static double peak512(void)
{
    __m512 a[16], x = _mm512_set1_ps(1.0000001f), y = _mm512_set1_ps(1e-9f);
    for (int i = 0; i < 16; i++)
        a[i] = _mm512_set1_ps((float)i);
    double best = 0;
    for (int trial = 0; trial < 20; trial++) {
        double from = now();
        for (int k = 0; k < 1000000; k++) {
            for (int i = 0; i < 16; i++)
                a[i] = _mm512_fmadd_ps(a[i], x, y);
            __asm__ volatile("" ::"v"(a[0]));
        }
        double rate = 16.0 * 32 * 1e6 / (now() - from) * 1e-9;
        best = rate > best ? rate : best;
    }
    float sink = 0;
    for (int i = 0; i < 16; i++)
        sink += _mm512_reduce_add_ps(a[i]);
    return sink == 1.5f ? 0 : best;
}

int main(int argc, char **argv)
{
    const char *cpu = argc > 1 ? argv[1] : NULL, *filter = argc > 2 ? argv[2] : "";
    if (__builtin_cpu_supports("avx512f"))
        printf("peak %.1f GFLOP/s\n", peak512());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int edges = 0; edges < 2; edges++)
            if (strstr(cases[i].name, filter) && (!edges || cases[i].channels))
                run(&cases[i], cpu, edges);
    return 0;
}
