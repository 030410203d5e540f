/* t-SNE against scikit-learn's probabilities, divergence, gradient and result (tsne.py); the tree against every pair.
 * Not pictures. */
#include "../data/check.h"

#include <math.h>

#include "runtime/data/safetensors.h"
#include "runtime/eval/tsne.h"

enum { N = 90, WIDTH = 20, PERPLEXITY = 12 };

static const void *array(const sn_rt_tensors *set, const char *name) { return sn_rt_tensors_find(set, name)->data; }

static void probabilities_and_gradient(void **state)
{
    const sn_rt_tensors *set = *state;
    const double        *p = array(set, "p"), *gradient = array(set, "gradient"), *y = array(set, "y");
    sn_rt_affinity       a;
    double               g[N][2], kl, sum = 0;
    check_ok(sn_rt_affinity_make(array(set, "x"), N, WIDTH, PERPLEXITY, 1, 2, &a, err));
    for (size_t i = 0; i < N; i++)
        for (size_t e = a.begin[i]; e < a.begin[i + 1]; e++) {
            double expected = p[i * N + a.column[e]];
            assert_true(fabs(a.p[e] - expected) < 1e-4 * expected + 1e-8);
            sum += a.p[e];
        }
    assert_int_equal(a.begin[N], N * (N - 1));
    assert_true(fabs(sum - 1) < 1e-12);
    check_ok(sn_rt_tsne_gradient(&a, y, -1, 1, 2, &g[0][0], &kl, err));
    assert_true(fabs(kl - ((const double *)array(set, "kl"))[0]) < 1e-4);
    for (size_t i = 0; i < 2 * N; i++) assert_true(fabs(g[i / 2][i % 2] - gradient[i]) < 1e-6);
    sn_rt_affinity_fini(&a);
}

/* A tree that never takes cells together is exact; at 0.5 the forces are off by little.  Points that share a place are no trouble. */
static void tree_and_pairs(void **state)
{
    const sn_rt_tensors *set = *state;
    sn_rt_affinity       a;
    double               y[N][2], exact[N][2], g[N][2], kl, other, norm = 0, off = 0;
    memcpy(y, array(set, "y"), sizeof y);
    for (size_t i = 10; i < 20; i++) memcpy(y[i], y[9], sizeof y[i]);
    y[20][0] = y[9][0] + 1e-15;
    check_ok(sn_rt_affinity_make(array(set, "x"), N, WIDTH, PERPLEXITY, 0, 2, &a, err));
    assert_true(a.begin[N] < N * (N - 1));
    check_ok(sn_rt_tsne_gradient(&a, &y[0][0], -1, 4, 1, &exact[0][0], &kl, err));
    check_ok(sn_rt_tsne_gradient(&a, &y[0][0], 1e-9, 4, 1, &g[0][0], &other, err));
    assert_true(fabs(kl - other) < 1e-9);
    for (size_t i = 0; i < 2 * N; i++) assert_true(fabs(g[i / 2][i % 2] - exact[i / 2][i % 2]) < 1e-10);
    check_ok(sn_rt_tsne_gradient(&a, &y[0][0], 0.5, 4, 1, &g[0][0], &other, err));
    for (size_t i = 0; i < 2 * N; i++) {
        off += pow(g[i / 2][i % 2] - exact[i / 2][i % 2], 2);
        norm += pow(exact[i / 2][i % 2], 2);
    }
    assert_true(off > 0 && sqrt(off / norm) < 0.02);
    sn_rt_affinity_fini(&a);
}

/* The best of three seeds, like scikit-learn's; the same bits for any number of threads. */
static double best(const sn_rt_tensors *set, double theta)
{
    double one[N][2], three[N][2], kl, again, least = INFINITY;
    for (uint64_t seed = 0; seed < 3; seed++) {
        check_ok(sn_rt_tsne_run(&(sn_rt_tsne){.perplexity = PERPLEXITY, .theta = theta, .seed = seed, .threads = 1}, array(set, "x"), N, WIDTH, &one[0][0], &kl, err));
        check_ok(sn_rt_tsne_run(&(sn_rt_tsne){.perplexity = PERPLEXITY, .theta = theta, .seed = seed, .threads = 3}, array(set, "x"), N, WIDTH, &three[0][0], &again, err));
        assert_memory_equal(one, three, sizeof one);
        assert_true(kl == again);
        least = fmin(least, kl);
    }
    return least;
}

static void descends(void **state)
{
    const double reached = ((const double *)array(*state, "kl"))[1], exact = best(*state, -1), tree = best(*state, 0.5);
    if (exact > 1.03 * reached || tree > 1.06 * reached) fail_msg("divergence %g, with the tree %g; scikit-learn's is %g", exact, tree, reached);
}

/* Rows enough for the tree's forces to be shared among threads. */
static void many_rows(void **state)
{
    enum { ROWS = 1500 };
    static float  x[ROWS][3];
    static double one[ROWS][2], three[ROWS][2];
    double        kl, again;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < 3; k++) x[i][k] = (float)sin((double)(i * (k + 1)) * 0.7 + (double)k) + (float)(i % 3);
    check_ok(sn_rt_tsne_run(&(sn_rt_tsne){.threads = 1, .iterations = 10}, &x[0][0], ROWS, 3, &one[0][0], &kl, err));
    check_ok(sn_rt_tsne_run(&(sn_rt_tsne){.threads = 3, .iterations = 10}, &x[0][0], ROWS, 3, &three[0][0], &again, err));
    assert_memory_equal(one, three, sizeof one);
    assert_true(kl == again);
}

static void what_is_wrong(void **state)
{
    (void)state;
    float  x[10] = {0};
    double y[20], kl;
    check_fails(sn_rt_tsne_run(&(sn_rt_tsne){.threads = 1}, x, 3, 1, y, &kl, err), SN_RT_ARGUMENT, "an embedding of 3 rows, expected at least 4");
    check_fails(sn_rt_tsne_run(&(sn_rt_tsne){.theta = 2}, x, 10, 1, y, &kl, err), SN_RT_ARGUMENT, "theta 2 is above 1");
    check_ok(sn_rt_tsne_run(&(sn_rt_tsne){.threads = 1, .iterations = 20}, x, 10, 1, y, &kl, err)); /* ten equal rows */
}

int main(void)
{
    sn_rt_tensors *set = NULL;
    sn_rt_error    err;
    if (sn_rt_tensors_read(GOLDEN "/tsne.safetensors", &set, &err) != SN_RT_OK) return 1;
    const struct CMUnitTest tests[] = {
        {"probabilities and gradient", probabilities_and_gradient, NULL, NULL, set},
        {"tree and pairs", tree_and_pairs, NULL, NULL, set},
        {"descends", descends, NULL, NULL, set},
        {"many rows", many_rows, NULL, NULL, NULL},
        {"what is wrong", what_is_wrong, NULL, NULL, NULL},
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    sn_rt_tensors_free(set);
    return failed;
}
