/* Speed of contraction kernels on one core against the measured FMA peak: forward, data gradient, weight gradient, graph products.
 * Not correctness: gemm_test.c.  Usage: gemm_bench [processor [filter]] */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gemm_case.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

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
    double start = now();
    if (gc_compile(&c, cpu)) {
        double compile = now() - start;
        gemm_run r;
        gr_init(&r, &c, (int64_t[]){q->n, q->t});
        gr_run(&r, 0, false);
        double took = best_time(&r), macs = macs_of(&r);
        printf("%-28s %s %9.3f ms %8.1f GFLOP/s   compiled in %5.1f ms\n", q->name, edges ? "edges" : "plain", took * 1e3,
               2e-9 * macs / took, compile * 1e3);
        gr_fini(&r);
    }
    gc_fini(&c);
}

#define CONV(C, N, T) \
    {"forward 9x1 " #C, "n,t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,25," #C, "9," #C "," #C, "N,T,25," #C, N, T, #C, 0}, \
    {"data gradient 9x1 " #C, "n,t,v,o ; k,i,o -> n,t+k-4,v,i", "N,T,25," #C, "9," #C "," #C, "N,T,25," #C, N, T, #C, 0}, \
    {"weight gradient 9x1 " #C, "n,t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,25," #C, "N,T,25," #C, "9," #C "," #C, N, T, #C, 0}

static const bench cases[] = {
    CONV(16, 8, 300), CONV(32, 8, 150), CONV(64, 8, 75), CONV(128, 8, 75), CONV(256, 8, 75), CONV(512, 8, 38),
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

/* Multiply-adds on registers alone: what one core can do, in GFLOP/s. */
__attribute__((target("avx512f"))) static double peak512(void)
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
