/* Linear maps and their gradients against OpenBLAS with the kernels of this processor: numbers and, with `time`, speed on one core.
 * Not convolutions: gemm_test.c.  Exit code 77 (skipped) where OpenBLAS is not installed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gemm_case.h"
#include "runtime/core/blas.h"

typedef struct shape { const char *spec, *a, *b, *out; bool ta, tb; int m, n, k; } shape; /* out[m, n] = op(a) op(b) */

static const shape shapes[] = {
    {"n,i ; i,o -> n,o", "512,256", "256,128", "512,128", false, false, 512, 128, 256},
    {"n,i ; i,o -> n,o", "7500,64", "64,192", "7500,192", false, false, 7500, 192, 64},
    {"n,o ; i,o -> n,i", "1875,192", "64,192", "1875,64", false, true, 1875, 64, 192},
    {"n,i ; n,o -> i,o", "1875,64", "1875,192", "64,192", true, false, 64, 192, 1875},
    {"n,i ; i,o -> n,o", "1875,256", "256,256", "1875,256", false, false, 1875, 256, 256},
    {"n,i ; i,o -> n,o", "37,19", "19,33", "37,33", false, false, 37, 33, 19},
    {"n,i ; n,o -> i,o", "37,19", "37,33", "19,33", true, false, 19, 33, 37},
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void blas(const sn_rt_blas *b, const shape *s, const gemm_run *r, float *out)
{
    b->gemm(101, s->ta ? 112 : 111, s->tb ? 112 : 111, s->m, s->n, s->k, 1.0f, r->buffer[0], s->ta ? s->m : s->k, r->buffer[1],
            s->tb ? s->k : s->n, 0.0f, out, s->n);
}

static double rate(const sn_rt_blas *b, const shape *s, gemm_run *r, float *out)
{
    double best = 1e9;
    for (int i = 0; i < 30; i++) {
        double from = now();
        if (b)
            blas(b, s, r, out);
        else
            gr_run(r, 0, false);
        double took = now() - from;
        best = took < best ? took : best;
    }
    return 2e-9 * s->m * s->n * s->k / best;
}

/* Largest difference relative to the largest number. */
static double compare(const sn_rt_blas *b, const shape *s, bool timed)
{
    gemm_case c;
    gemm_run r;
    gc_init(&c);
    sn_ref x = gc_param(&c, "a", s->a), w = gc_param(&c, "b", s->b);
    gc_out(&c, gc_contract(&c, s->spec, x, w, s->out));
    if (!gc_compile(&c, NULL)) {
        gc_fini(&c);
        return INFINITY;
    }
    gr_init(&r, &c, (int64_t[]){1, 1});
    gr_run(&r, 0, false);
    size_t n;
    const float *have = gr_out(&r, 0, &n);
    float *want = calloc(n, sizeof *want);
    blas(b, s, &r, want);
    double most = 0, error = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)want[i]));
        error = fmax(error, fabs((double)have[i] - (double)want[i]));
    }
    printf("%-20s m=%-5d n=%-4d k=%-5d difference %.1e", s->spec, s->m, s->n, s->k, error / most);
    if (timed)
        printf("   %6.1f GFLOP/s, %s %6.1f", rate(NULL, s, &r, NULL), b->core, rate(b, s, &r, want));
    printf("\n");
    free(want);
    gr_fini(&r);
    gc_fini(&c);
    return error / most;
}

int main(int argc, char **argv)
{
    sn_rt_blas b;
    sn_rt_error err;
    if (sn_rt_blas_open(&b, true, &err) != SN_RT_OK) {
        printf("skipped: %s\n", err.text);
        return 77;
    }
    b.set_threads(1);
    bool ok = true;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        ok &= compare(&b, &shapes[i], argc > 1 && strcmp(argv[1], "time") == 0) < 1e-5;
    sn_rt_blas_close(&b);
    return ok ? 0 : 1;
}
