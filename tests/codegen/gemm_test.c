/* Contraction kernels of every kind against the reference interpreter: odd sizes, run-time extents, edges, any grouping of tiles.
 * Not speed: gemm_bench.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "gemm_case.h"

static const char *cpu = NULL;

static void unary(gemm_case *c, sn_ref *x, sn_op op) { *x = sn_unary(&c->b, op, *x); }

/* Same bits for all groupings; error within float rounding of long sums. */
static void check_at(gemm_case *c, int64_t n, int64_t t)
{
    gemm_run once, other;
    int64_t symbol[2] = {n, t};
    gr_init(&once, c, symbol);
    gr_run(&once, 0, false);
    double error = gr_error(&once, c);
    if (!(error < 2e-5))
        fail_msg("N=%lld T=%lld: error %g", (long long)n, (long long)t, error);
    for (int64_t group = 1; group <= 3; group += 2) {
        gr_init(&other, c, symbol);
        gr_run(&other, group, group == 1);
        for (uint32_t i = 0; i < c->outs; i++) {
            size_t count;
            const float *a = gr_out(&once, i, &count), *b = gr_out(&other, i, &count);
            assert_memory_equal(a, b, count * sizeof *a);
        }
        gr_fini(&other);
    }
    gr_fini(&once);
}

static void check(gemm_case *c)
{
    assert_true(gc_compile(c, cpu));
    check_at(c, 1, 9);
    check_at(c, 2, 30);
    check_at(c, 3, 1);
    gc_fini(c);
}

typedef struct plain { const char *spec, *a, *b, *out; } plain;

static void check_plain(const plain *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        gemm_case c;
        print_message("%s\n", p[i].spec);
        gc_init(&c);
        sn_ref a = gc_param(&c, "a", p[i].a), b = gc_param(&c, "b", p[i].b);
        gc_out(&c, gc_contract(&c, p[i].spec, a, b, p[i].out));
        check(&c);
    }
}

static void general(void **state)
{
    (void)state;
    static const plain p[] = {
        {"i,k ; k,j -> i,j", "N,T", "T,7", "N,7"},
        {"i ; i -> ", "T", "T", ""},
        {"i ; j -> i,j", "N", "19", "N,19"},
        {"n,t,v,c ; n,t,w,c -> n,v,w", "N,T,5,18", "N,T,5,18", "N,5,5"},
        {"b,t,c ; s,t -> b,s,c", "N,T,21", "4,T", "N,4,21"},
        {"n,t+k,c ; k,c -> n,t,c", "N,T,17", "3,17", "N,T,17"},
        {"n,2t+k-1,v+l-1 ; k,l -> n,t,v", "N,T,6", "3,3", "N,T/2,6"},
        {"n,t,v ; k,l -> n,2t+k-1,v+l-1", "N,T/2,6", "3,3", "N,T,6"},
        {"n,t,v ; n,2t+k-1,v+l-1 -> k,l", "N,T/2,6", "N,T,6", "3,3"},
        {"n,v ; v -> n,v,v", "N,5", "5", "N,5,5"},
        {"n,i ; i,o -> o", "N,6", "6,9", "9"},
        {"n,o,i ; i -> n,o", "N,T,33", "33", "N,T"},
    };
    check_plain(p, sizeof p / sizeof p[0]);
}

static void rows(void **state)
{
    (void)state;
    static const plain p[] = {
        {"n,t,v,i ; i,o -> n,t,v,o", "N,T,25,16", "16,48", "N,T,25,48"},
        {"n,t,v,i ; i,o -> n,t,v,o", "N,T,25,3", "3,16", "N,T,25,16"},
        {"n,t,v,i ; i,o -> n,t,v,o", "N,T,5,129", "129,7", "N,T,5,7"},
        {"n,i ; i,o -> n,o", "N,256", "256,128", "N,128"},
        {"n,i ; o,i -> n,o", "N,65", "33,65", "N,33"},
        {"i,o ; n,t,i -> n,t,o", "18,20", "N,T,18", "N,T,20"},
        {"n,t,v,i ; i,k,c -> n,t,v,k,c", "N,T,5,8", "8,3,16", "N,T,5,3,16"},
        {"n,t,v,k,c ; i,k,c -> n,t,v,i", "N,T,5,3,18", "8,3,18", "N,T,5,8"},
        {"n,2t,v,i ; i,o -> n,t,v,o", "N,T,5,16", "16,32", "N,T/2,5,32"},
        {"n,t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,25,16", "9,16,16", "N,T,25,16"},
        {"n,2t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,25,16", "9,16,32", "N,T/2,25,32"},
        {"n,3t+2k-2,v,i ; k,i,o -> n,t,v,o", "N,T,3,17", "3,17,31", "N,T/3,3,31"},
        {"n,t-2k+4,v,i ; k,i,o -> n,t,v,o", "N,T,3,17", "5,17,70", "N,T,3,70"},
        {"n,t+3,v,i ; i,o -> n,t,v,o", "N,T,3,17", "17,16", "N,T,3,16"},
        {"n,v,t+k-1,i ; k,i,o -> n,t,v,o", "N,5,T,16", "3,16,16", "N,T,5,16"},
        {"n,i,t+k-1 ; k,i,o -> n,t,o", "N,20,T", "3,20,16", "N,T,16"},
        {"n,t,v,o ; k,i,o -> n,t+k-4,v,i", "N,T,25,16", "9,16,16", "N,T,25,16"},
        {"n,t,v,o ; k,i,o -> n,2t+k-4,v,i", "N,T/2,25,32", "9,16,32", "N,T,25,16"},
        {"n,t,v,o ; k,i,o -> n,3t+2k-2,v,i", "N,T/3,3,33", "3,17,33", "N,T,3,17"},
        {"n,t,v,o ; i,o -> n,2t,v,i", "N,T/2,5,33", "17,33", "N,T,5,17"},
        {"n,t,v,o ; i,o -> n,t,v,i", "N,T,25,48", "16,48", "N,T,25,16"},
    };
    check_plain(p, sizeof p / sizeof p[0]);
}

/* Grouped linear maps and convolutions, their gradients by data and by weights; groups of a vector, of several, of parts of one. */
static void bands(void **state)
{
    (void)state;
    static const plain p[] = {
        {"n,t,v,k,i ; k,i,o -> n,t,v,k,o", "N,T,28,8,16", "8,16,16", "N,T,28,8,16"},
        {"n,t,v,k,i ; k,i,o -> n,t,v,k,o", "N,T,5,3,13", "3,13,48", "N,T,5,3,48"},
        {"n,t,v,k,i ; k,i,o -> n,t,v,k,o", "N,T,5,2,32", "2,32,80", "N,T,5,2,80"},
        {"n,t,v,k,i ; k,i,o -> n,t,v,k,o", "N,T,5,8,4", "8,4,6", "N,T,5,8,6"},
        {"n,t,v,k,o ; k,i,o -> n,t,v,k,i", "N,T,28,8,16", "8,16,16", "N,T,28,8,16"},
        {"n,t,v,k,o ; k,i,o -> n,t,v,k,i", "N,T,5,3,20", "3,48,20", "N,T,5,3,48"},
        {"n,2t+l-1,v,k,i ; l,k,i,o -> n,t,v,k,o", "N,T,5,4,16", "3,4,16,32", "N,T/2,5,4,32"},
        {"n,t,v,k,o ; l,k,i,o -> n,2t+l-1,v,k,i", "N,T/2,5,4,32", "3,4,16,32", "N,T,5,4,16"},
        {"n,t,v,k,i ; n,t,v,k,o -> k,i,o", "N,T,28,8,16", "N,T,28,8,16", "8,16,16"},
        {"n,t,v,k,i ; n,t,v,k,o -> k,i,o", "N,T,5,3,13", "N,T,5,3,48", "3,13,48"},
        {"n,t,v,k,i ; n,t,v,k,o -> k,i,o", "N,T,5,2,70", "N,T,5,2,80", "2,70,80"},
        {"n,t,v,k,i ; n,t,v,k,o -> k,i,o", "N,T,5,8,4", "N,T,5,8,6", "8,4,6"},
        {"n,2t+l-1,v,k,i ; n,t,v,k,o -> l,k,i,o", "N,T,5,4,16", "N,T/2,5,4,32", "3,4,16,32"},
    };
    check_plain(p, sizeof p / sizeof p[0]);
}

/* Convolutions over time wide enough for the fast form: all numbers of taps it has, both directions, strides, odd sizes, padding of columns. */
static void wide_convolutions(void **state)
{
    (void)state;
    static const plain p[] = {
        {"n,t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,3,64", "9,64,64", "N,T,3,64"},
        {"n,t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,7,33", "9,33,70", "N,T,7,70"},
        {"n,t+k-4,v,i ; o,i,k -> n,t,v,o", "N,T,5,64", "129,64,9", "N,T,5,129"},
        {"n,t-k+4,v,i ; k,i,o -> n,t,v,o", "N,T,3,48", "9,48,48", "N,T,3,48"},
        {"n,t+k+7,v,i ; k,i,o -> n,t,v,o", "N,T,3,40", "9,40,64", "N,T,3,64"},
        {"n,t+k-1,v,i ; k,i,o -> n,t,v,o", "N,T,5,64", "3,64,64", "N,T,5,64"},
        {"n,t+k-7,v,i ; k,i,o -> n,t,v,o", "N,T,5,64", "15,64,64", "N,T,5,64"},
        {"n,v,t+k-4,i ; k,i,o -> n,t,v,o", "N,5,T,64", "9,64,96", "N,T,5,96"},
        {"n,i,t+k-4 ; k,i,o -> n,t,o", "N,64,T", "9,64,64", "N,T,64"},
        {"n,t,v,o ; k,i,o -> n,t+k-4,v,i", "N,T,3,64", "9,64,64", "N,T,3,64"},
        {"n,t,v,o ; k,i,o -> n,t+k-4,v,i", "N,T,7,70", "9,33,70", "N,T,7,33"},
        {"n,t,v,o ; k,i,o -> n,t-k+2,v,i", "N,T,5,64", "3,96,64", "N,T,5,96"},
        {"n,t+k-2,v,i ; k,i,o -> n,t,v,o", "N,T,3,48", "5,48,64", "N,T,3,64"},
        {"n,t,v,o ; k,i,o -> n,t-k+4,v,i", "N,T,3,64", "8,48,64", "N,T,3,48"},
        {"n,t+k-1,v,i ; k,i,o -> n,t,v,o", "N,T,3,48", "4,48,64", "N,T,3,64"},
        {"n,t,v,o ; k,i,o -> n,t+k-2,v,i", "N,T,3,64", "4,48,64", "N,T,3,48"},
        {"n,t+k-3,v,i ; k,i,o -> n,t,v,o", "N,T,3,48", "7,48,64", "N,T,3,64"},
        {"n,t,v,o ; k,i,o -> n,t+k-3,v,i", "N,T,3,96", "7,80,96", "N,T,3,80"},
        {"n,2t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,5,48", "9,48,70", "N,T/2,5,70"},
        {"n,2t-k+4,v,i ; k,i,o -> n,t,v,o", "N,T,3,33", "9,33,64", "N,T/2,3,64"},
        {"n,2t+k-2,v,i ; k,i,o -> n,t,v,o", "N,T,3,64", "6,64,64", "N,T/2,3,64"},
        {"n,2t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,5,96", "9,96,112", "N,T/2,5,112"}, /* point by point */
        {"n,t,v,o ; k,i,o -> n,2t+k-4,v,i", "N,T/2,5,112", "9,96,112", "N,T,5,96"},
        {"n,2t+k-3,v,i ; k,i,o -> n,t,v,o", "N,T,3,48", "7,48,64", "N,T/2,3,64"},
        {"n,3t+k-1,v,i ; k,i,o -> n,t,v,o", "N,T,3,64", "9,64,64", "N,T/3,3,64"},
        {"n,t,v,o ; k,i,o -> n,2t+k-4,v,i", "N,T/2,5,70", "9,48,70", "N,T,5,48"},
        {"n,t,v,o ; k,i,o -> n,2t-k+3,v,i", "N,T/2,3,64", "9,64,64", "N,T,3,64"},
        {"n,t,v,o ; k,i,o -> n,3t+k-5,v,i", "N,T/3,3,64", "12,64,64", "N,T,3,64"},
    };
    check_plain(p, sizeof p / sizeof p[0]);
}

/* relu(x * scale + shift) in front, bias, residual, relu and two sums behind. */
static void edged(gemm_case *c, sn_ref x, const char *spec, sn_ref w, const char *out, int64_t channels, int64_t outer, int64_t chunk)
{
    char dims[16];
    snprintf(dims, sizeof dims, "%lld", (long long)channels);
    sn_ref bias = gc_param(c, "bias", dims), other = gc_param(c, "other", out);
    sn_ref y = gc_contract(c, spec, x, w, out);
    y = sn_add(&c->b, y, bias);
    gc_out(c, y);
    sn_ref r = sn_unary(&c->b, SN_OP_relu, sn_add(&c->b, y, other));
    gc_out(c, r);
    if (chunk > 0) {
        gc_out(c, gc_partial_sum(c, y, outer, chunk, 1));
        gc_out(c, gc_partial_sum(c, sn_mul(&c->b, y, r), outer, chunk, 1));
    }
}

static sn_ref activated(gemm_case *c, sn_ref x, const char *channels)
{
    sn_ref scale = gc_param(c, "scale", channels), shift = gc_param(c, "shift", channels);
    x = sn_add(&c->b, sn_mul(&c->b, x, scale), shift);
    unary(c, &x, SN_OP_relu);
    return x;
}

static void rows_with_edges(void **state)
{
    (void)state;
    static const struct { const char *spec, *x, *i, *w, *out; int64_t o, outer, chunk; } p[] = {
        {"n,t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,25,16", "16", "9,16,16", "N,T,25,16", 16, 1, 12},
        {"n,2t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,7,18", "18", "9,18,33", "N,T/2,7,33", 33, 1, 5},
        {"n,t,v,i ; i,o -> n,t,v,o", "N,T,25,3", "3", "3,48", "N,T,25,48", 48, 1, 12},
        {"n,t,v,i ; i,o -> n,t,v,o", "N,T,5,20", "20", "20,70", "N,T,5,70", 70, 0, 0},
        {"n,t,v,o ; k,i,o -> n,2t+k-4,v,i", "N,T/2,7,32", "32", "9,16,32", "N,T,7,16", 16, 1, 12},
        {"n,t,v,o ; k,i,o -> n,t+k-4,v,i", "N,T,7,32", "32", "9,70,32", "N,T,7,70", 70, 1, 7},
        {"n,t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,25,64", "64", "9,64,64", "N,T,25,64", 64, 1, 12},
        {"n,t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,5,64", "64", "9,64,96", "N,T,5,96", 96, 1, 5},
        {"n,t,v,o ; k,i,o -> n,2t+k-4,v,i", "N,T/2,7,32", "32", "9,16,32", "N,T,7,16", 16, 1, 5}, /* tiles begin in either phase */
        {"n,t,v,o ; k,i,o -> n,2t+k-4,v,i", "N,T/2,5,64", "64", "9,48,64", "N,T,5,48", 48, 1, 11}, /* the same in the fast form */
        {"n,2t+k-4,v,i ; k,i,o -> n,t,v,o", "N,T,5,48", "48", "9,48,64", "N,T/2,5,64", 64, 1, 12},
    };
    for (size_t i = 0; i < sizeof p / sizeof p[0]; i++) {
        gemm_case c;
        print_message("%s\n", p[i].spec);
        gc_init(&c);
        sn_ref x = activated(&c, gc_param(&c, "x", p[i].x), p[i].i), w = gc_param(&c, "w", p[i].w);
        edged(&c, x, p[i].spec, w, p[i].out, p[i].o, p[i].outer, p[i].chunk);
        check(&c);
    }
}

static void weight_gradients(void **state)
{
    (void)state;
    static const plain p[] = {
        {"n,t,v,i ; n,t,v,o -> i,o", "N,T,25,16", "N,T,25,48", "16,48"},
        {"n,t,v,i ; n,t,v,o -> i,o", "N,T,25,3", "N,T,25,48", "3,48"},
        {"n,t,v,o ; n,t,v,i -> i,o", "N,T,5,33", "N,T,5,70", "70,33"},
        {"n,i ; n,o -> o,i", "N,65", "N,33", "33,65"},
        {"n,t,v,i ; n,t,v,k,c -> i,k,c", "N,T,5,8", "N,T,5,3,16", "8,3,16"},
        {"n,2t,v,i ; n,t,v,o -> i,o", "N,T,5,16", "N,T/2,5,32", "16,32"},
        {"n,t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,25,16", "N,T,25,16", "9,16,16"},
        {"n,2t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,25,16", "N,T/2,25,32", "9,16,32"},
        {"n,t,v,o ; n,2t+k-4,v,i -> k,o,i", "N,T/2,7,18", "N,T,7,64", "9,18,64"},
        {"n,3t-2k+2,v,i ; n,t,v,o -> i,k,o", "N,T,3,17", "N,T/3,3,70", "17,3,70"},
        {"n,t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,5,128", "N,T,5,130", "9,128,130"},
        {"n,t+k-1,v,i ; n,t,v,o -> k,i,o", "N,T,2,300", "N,T,2,70", "3,300,70"},
        {"n,t+k-4,v,i ; n,t,v,o -> k,o,i", "N,T,5,144", "N,T,5,130", "9,130,144"},
    };
    check_plain(p, sizeof p / sizeof p[0]);
}

/* Wide enough for the fast form; the window on either side, parts of the columns, numbers of taps it has. */
static void wide_weight_gradients(void **state)
{
    (void)state;
    static const plain p[] = {
        {"n,t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,3,64", "N,T,3,64", "9,64,64"},
        {"n,t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,7,33", "N,T,7,70", "9,33,70"},
        {"n,t,v,o ; n,t+k-4,v,i -> k,o,i", "N,T,5,48", "N,T,5,64", "9,48,64"},
        {"n,t-k+4,v,i ; n,t,v,o -> i,k,o", "N,T,5,48", "N,T,5,64", "48,9,64"},
        {"n,t+k-1,v,i ; n,t,v,o -> k,i,o", "N,T,2,64", "N,T,2,70", "3,64,70"},
        {"n,t+k-7,v,i ; n,t,v,o -> i,k,o", "N,T,2,40", "N,T,2,64", "40,15,64"},
        {"n,t+k-1,v,i ; n,t,v,o -> k,i,o", "N,T,2,48", "N,T,2,64", "4,48,64"},
        {"n,t+k-3,v,i ; n,t,v,o -> k,i,o", "N,T,2,48", "N,T,2,64", "7,48,64"},
        {"n,t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,1,260", "N,T,1,130", "9,260,130"},
        {"n,t+k-4,v,i ; n,t,v,o -> k,o,i", "N,T,1,200", "N,T,1,256", "9,256,200"},
        {"n,t+k-4,i ; n,t,o -> k,i,o", "N,T,64", "N,T,64", "9,64,64"},
        {"n,2t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,5,48", "N,T/2,5,64", "9,48,64"},
        {"n,t,v,o ; n,2t-k+4,v,i -> k,o,i", "N,T/2,3,33", "N,T,3,70", "9,33,70"},
        {"n,2t+k-2,v,i ; n,t,v,o -> k,i,o", "N,T,3,64", "N,T/2,3,64", "6,64,64"},
        {"n,2t+k-4,v,i ; n,t,v,o -> k,i,o", "N,T,1,260", "N,T/2,1,130", "9,260,130"},
    };
    check_plain(p, sizeof p / sizeof p[0]);
}

static void weight_gradient_with_edges(void **state)
{
    (void)state;
    gemm_case c;
    gc_init(&c);
    sn_ref x = activated(&c, gc_param(&c, "x", "N,T,7,18"), "18"), dy = gc_param(&c, "dy", "N,T/2,7,33"), z = gc_param(&c, "z", "N,T/2,7,33");
    dy = sn_binary(&c.b, SN_OP_mul, dy, sn_binary(&c.b, SN_OP_greater, z, sn_scalar(&c.b, 0)));
    sn_ref w = gc_param(&c, "w", "9,18,33");
    sn_ref dw = gc_contract(&c, "n,2t+k-4,v,i ; n,t,v,o -> k,i,o", x, dy, "9,18,33");
    gc_out(&c, sn_add(&c.b, dw, sn_mul(&c.b, w, sn_scalar(&c.b, 1e-2))));
    check(&c);
    gc_init(&c);
    x = activated(&c, gc_param(&c, "x", "N,T,7,40"), "40");
    dy = gc_param(&c, "dy", "N,T,7,64");
    dw = gc_contract(&c, "n,t+k-4,v,i ; n,t,v,o -> k,i,o", x, dy, "9,40,64");
    gc_out(&c, sn_add(&c.b, dw, sn_mul(&c.b, gc_param(&c, "w", "9,40,64"), sn_scalar(&c.b, 1e-2))));
    check(&c);
}

/* And with sums of five frames over all but the last `keep` axes. */
static void check_with_sums(const plain *p, size_t n, uint32_t keep)
{
    for (size_t i = 0; i < n; i++) {
        gemm_case c;
        gc_init(&c);
        sn_ref y = gc_contract(&c, p[i].spec, gc_param(&c, "a", p[i].a), gc_param(&c, "b", p[i].b), p[i].out);
        gc_out(&c, y);
        gc_out(&c, gc_partial_sum(&c, y, 1, 5, keep));
        check(&c);
    }
}

static void graph_products(void **state)
{
    (void)state;
    static const plain p[] = {
        {"n,t,v,k,c ; k,v,w -> n,t,w,c", "N,T,25,3,16", "3,25,25", "N,T,25,16"},
        {"n,t,v,k,c ; k,v,w -> n,t,w,c", "N,T,17,2,18", "2,17,17", "N,T,17,18"},
        {"n,t,w,c ; k,v,w -> n,t,v,k,c", "N,T,25,64", "3,25,25", "N,T,25,3,64"},
        {"v,w ; n,t,v,c -> n,t,w,c", "5,7", "N,T,5,80", "N,T,7,80"},
        {"n,t,k,v,c ; n,k,v,w -> n,t,w,c", "N,T,2,5,16", "N,2,5,6", "N,T,6,16"},
        {"n,v,c ; v,w -> n,w,c", "N,5,3", "5,25", "N,25,3"},
        {"n,t,m,v,c ; v,w -> n,t,m,w,c", "N,T,2,5,16", "5,5", "N,T,2,5,16"},
    };
    check_plain(p, sizeof p / sizeof p[0]);
}

/* Dense ones whose tiles are frames, and these have rows of their own beside the nodes; packed, since their rows are no whole vectors. */
static void graph_products_with_rows(void **state)
{
    (void)state;
    static const plain p[] = {
        {"n,t,m,v,c ; v,w -> n,t,m,w,c", "N,T,5,5,3", "5,20", "N,T,5,20,3"},
        {"n,t,m,v,c ; n,v,w -> n,t,m,w,c", "N,T,2,25,18", "N,25,7", "N,T,2,7,18"},
    };
    check_with_sums(p, sizeof p / sizeof p[0], 1);
}

static void sparse_graph_products(void **state)
{
    (void)state;
    static const plain p[] = {
        {"n,t,v,k,c ; k,v,w -> n,t,w,c", "N,T,25,3,16", "3,25,25", "N,T,25,16"},
        {"n,t,w,c ; k,v,w -> n,t,v,k,c", "N,T,25,18", "3,25,25", "N,T,25,3,18"},
        {"n,t,v,k,c ; k,v,w -> n,t,w,c", "N,T,25,3,70", "3,25,25", "N,T,25,70"},
    };
    for (size_t i = 0; i < sizeof p / sizeof p[0]; i++) {
        gemm_case c;
        gc_init(&c);
        sn_ref x = gc_param(&c, "x", p[i].a), a = gc_sparse(&c, p[i].b, 73), importance = gc_param(&c, "importance", p[i].b);
        sn_ref y = gc_contract(&c, p[i].spec, x, sn_mul(&c.b, a, importance), p[i].out);
        gc_out(&c, y);
        if (c.g->node[y.i].type.rank == 4) {
            gc_out(&c, gc_partial_sum(&c, y, 1, 5, 1));
            gc_out(&c, gc_partial_sum(&c, sn_mul(&c.b, y, y), 1, 5, 1));
        }
        check(&c);
    }
}

/* Operands that are products with a graph themselves, made while they are packed: sparse, and dense ones of a sample each. */
static void graph_products_as_operands(void **state)
{
    (void)state;
    static const struct { const char *x, *graph, *inner, *mixed, *other, *outer, *out; bool dense; } p[] = {
        {"N,T,25,16", "3,25,25", "n,t,v,i ; k,v,w -> n,t,w,k,i", "N,T,25,3,16", "16,3,32", "n,t,w,k,i ; i,k,c -> n,t,w,c", "N,T,25,32", false},
        {"N,T,25,3", "3,25,25", "n,t,v,i ; k,v,w -> n,t,w,k,i", "N,T,25,3,3", "3,3,16", "n,t,w,k,i ; i,k,c -> n,t,w,c", "N,T,25,16", false},
        {"N,T,17,20", "17,2,17", "n,t,v,i ; v,k,w -> n,t,k,w,i", "N,T,2,17,20", "2,20,7", "n,t,k,w,i ; k,i,c -> n,t,w,c", "N,T,17,7", false},
        {"N,2,25,18", "25,25", "n,t,v,i ; v,w -> n,t,w,i", "N,2,25,18", "18,16", "n,t,w,i ; i,c -> n,t,w,c", "N,2,25,16", false},
        {"N,T,25,20", "3,25,25", "n,t,v,i ; k,v,w -> n,t,w,k,i", "N,T,25,3,20", "N,T,25,32", "n,t,w,k,i ; n,t,w,c -> i,k,c", "20,3,32", false},
        {"N,T,25,32", "3,25,25", "n,t,v,i ; k,v,w -> n,t,w,k,i", "N,T,25,3,32", "N,T,25,18", "n,t,w,c ; n,t,w,k,i -> c,k,i", "18,3,32", false},
        {"N,T,25,16", "N,3,25,25", "n,t,v,i ; n,k,v,w -> n,t,w,k,i", "N,T,25,3,16", "3,16,32", "n,t,w,k,i ; k,i,c -> n,t,w,c", "N,T,25,32", true},
        {"N,T,25,3", "N,3,25,25", "n,t,v,i ; n,k,v,w -> n,t,w,k,i", "N,T,25,3,3", "3,3,16", "n,t,w,k,i ; k,i,c -> n,t,w,c", "N,T,25,16", true},
        {"N,T,25,80", "N,3,25,25", "n,t,v,i ; n,k,w,v -> n,t,w,k,i", "N,T,25,3,80", "3,80,20", "n,t,w,k,i ; k,i,c -> n,t,w,c", "N,T,25,20", true},
        {"N,T,17,20", "N,17,2,17", "n,t,v,i ; n,v,k,w -> n,t,k,w,i", "N,T,2,17,20", "2,20,7", "n,t,k,w,i ; k,i,c -> n,t,w,c", "N,T,17,7", true},
        {"N,T,17,32", "N,T,17,19", "n,t,v,i ; n,t,v,w -> n,t,w,i", "N,T,19,32", "32,7", "n,t,w,i ; i,c -> n,t,w,c", "N,T,19,7", true},
        {"N,T,2,9,16", "3,9,11", "n,t,m,v,i ; k,v,w -> n,t,m,w,k,i", "N,T,2,11,3,16", "3,16,20", "n,t,m,w,k,i ; k,i,c -> n,t,m,w,c", "N,T,2,11,20", true},
        {"N,T,25,20", "N,3,25,25", "n,t,v,i ; n,k,v,w -> n,t,w,k,i", "N,T,25,3,20", "N,T,25,32", "n,t,w,k,i ; n,t,w,c -> k,i,c", "3,20,32", true},
        {"N,T,25,32", "N,3,25,25", "n,t,v,i ; n,k,v,w -> n,t,w,k,i", "N,T,25,3,32", "N,T,25,18", "n,t,w,c ; n,t,w,k,i -> c,k,i", "18,3,32", true},
    };
    for (size_t i = 0; i < sizeof p / sizeof p[0]; i++) {
        gemm_case c;
        gc_init(&c);
        sn_ref x = gc_param(&c, "x", p[i].x), g = gc_param(&c, "graph", p[i].graph);
        if (!p[i].dense)
            g = sn_mul(&c.b, gc_sparse(&c, p[i].graph, 73), g);
        sn_ref mixed = gc_contract(&c, p[i].inner, x, g, p[i].mixed), w = gc_param(&c, "w", p[i].other);
        bool second = strncmp(p[i].outer, "n,t,w,c", 7) == 0;
        sn_ref y = gc_contract(&c, p[i].outer, second ? w : mixed, second ? mixed : w, p[i].out);
        gc_out(&c, y);
        if (c.g->node[y.i].type.rank == 4)
            gc_out(&c, gc_partial_sum(&c, y, 1, 5, 1));
        check(&c);
    }
}

static void dot_products(void **state)
{
    (void)state;
    static const plain p[] = {
        {"n,t,v,k,c ; n,t,w,c -> k,v,w", "N,T,25,3,16", "N,T,25,16", "3,25,25"},
        {"n,t,w,c ; n,t,v,k,c -> k,v,w", "N,T,17,18", "N,T,17,2,18", "2,17,17"},
        {"n,t,v,c ; n,t,w,c -> n,v,w", "N,T,25,16", "N,T,25,16", "N,25,25"},
        {"n,t,v,k,c ; n,t,w,k,c -> n,k,v,w", "N,T,25,3,4", "N,T,25,3,4", "N,3,25,25"},
        {"n,t,v,k,c ; n,t,w,k,c -> n,v,w,k", "N,T,7,2,1", "N,T,5,2,1", "N,7,5,2"},
        {"n,t,v,k,c ; n,t,w,k,c -> n,k,v,w", "N,T,7,3,16", "N,T,5,3,16", "N,3,7,5"},
        {"n,t,v,k,c ; n,t,w,k,c -> n,k,v,w", "N,T,7,3,8", "N,T,5,3,8", "N,3,7,5"},
        {"n,t,v,k,c ; n,t,w,k,c -> n,k,v,w", "N,T,7,2,24", "N,T,5,2,24", "N,2,7,5"},
        {"n,t,v,k,c ; n,t,w,k,c -> n,k,v,w", "N,T,7,3,3", "N,T,5,3,3", "N,3,7,5"}, /* as many vectors as heads, which share them: of 4, 8, 16 */
        {"n,t,v,k,c ; n,t,w,k,c -> n,k,v,w", "N,T,7,3,6", "N,T,5,3,6", "N,3,7,5"},
        {"n,t,v,k,c ; n,t,w,k,c -> n,k,v,w", "N,T,7,3,12", "N,T,5,3,12", "N,3,7,5"},
        {"n,t,v,k,c ; t,n,w,k,c -> n,w,v,k", "N,T,7,2,32", "T,N,5,2,32", "N,5,7,2"},
        {"n,t,m,v,c ; n,t,m,w,c -> m,v,w", "N,T,2,5,70", "N,T,2,7,70", "2,5,7"},
        {"n,t,m,v,c ; n,t,m,w,c -> v,w", "N,T,2,5,70", "N,T,2,7,70", "5,7"},
    };
    check_plain(p, sizeof p / sizeof p[0]);
    for (int sparse = 0; sparse < 2; sparse++) {
        gemm_case c;
        gc_init(&c);
        sn_ref x = activated(&c, gc_param(&c, "x", "N,T,25,3,18"), "18"), y = gc_param(&c, "y", "N,T,25,18");
        sn_ref g = gc_contract(&c, "n,t,v,k,c ; n,t,w,c -> k,v,w", x, y, "3,25,25");
        gc_out(&c, sn_mul(&c.b, g, gc_sparse(&c, "3,25,25", sparse ? 73 : 1000)));
        check(&c);
    }
}

/* A graph a sample and head: few channels a head, whole vectors a head, odd sizes; with sums over positions, as a bias gradient has them. */
static void graph_products_with_heads(void **state)
{
    (void)state;
    static const plain p[] = {
        {"n,k,v,w ; n,t,w,k,c -> n,t,v,k,c", "N,3,25,25", "N,T,25,3,4", "N,T,25,3,4"},
        {"n,t,v,k,c ; n,k,v,w -> n,t,w,k,c", "N,T,25,3,8", "N,3,25,25", "N,T,25,3,8"},
        {"n,k,v,w ; n,t,w,k,c -> n,t,v,k,c", "N,3,25,25", "N,T,25,3,16", "N,T,25,3,16"},
        {"n,k,v,w ; n,t,w,k,c -> n,t,v,k,c", "N,2,7,4", "N,T,4,2,32", "N,T,7,2,32"},
        {"n,t,v,k,c ; k,v,w -> n,t,w,k,c", "N,T,6,3,7", "3,6,11", "N,T,11,3,7"},
    };
    check_plain(p, sizeof p / sizeof p[0]);
    check_with_sums(p, sizeof p / sizeof p[0], 2);
}

/* The gradient of a graph a sample, and its sum over samples. */
static void dot_products_with_sums(void **state)
{
    (void)state;
    static const plain p[] = {
        {"n,t,w,k,c ; n,t,v,c -> n,k,v,w", "N,T,25,3,16", "N,T,25,16", "N,3,25,25"},
        {"n,t,w,k,c ; n,t,v,c -> n,k,v,w", "N,T,7,2,18", "N,T,5,18", "N,2,5,7"},
    };
    for (size_t i = 0; i < sizeof p / sizeof p[0]; i++)
        for (int chunk = 1; chunk < 4; chunk += 2) {
            gemm_case c;
            gc_init(&c);
            sn_ref y = gc_contract(&c, p[i].spec, gc_param(&c, "a", p[i].a), gc_param(&c, "b", p[i].b), p[i].out);
            gc_out(&c, y);
            gc_out(&c, gc_partial_sum(&c, y, 0, chunk, 3));
            check(&c);
        }
}

int main(int argc, char **argv)
{
    cpu = argc > 1 ? argv[1] : NULL;
    if (argc > 2)
        cmocka_set_test_filter(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(general),
        cmocka_unit_test(rows), cmocka_unit_test(bands),
        cmocka_unit_test(wide_convolutions), cmocka_unit_test(rows_with_edges),
        cmocka_unit_test(weight_gradients), cmocka_unit_test(wide_weight_gradients),
        cmocka_unit_test(weight_gradient_with_edges),
        cmocka_unit_test(graph_products),
        cmocka_unit_test(graph_products_with_rows),
        cmocka_unit_test(sparse_graph_products),
        cmocka_unit_test(graph_products_as_operands),
        cmocka_unit_test(graph_products_with_heads),
        cmocka_unit_test(dot_products), cmocka_unit_test(dot_products_with_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
