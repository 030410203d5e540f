/* Nearest neighbours against a search in double, votes and changes of length by hand.
 * Not features (tests/frontend/features_test.c). */
#include "../data/check.h"

#include <math.h>

#include "runtime/data/random.h"
#include "runtime/eval/neighbours.h"

enum { WIDTH = 37, BANK = 203, QUERIES = 131, K = 9, CLASSES = 4 };

/* Rows in a few directions, so that many are near each other. */
static sn_rt_rows rows(size_t count, uint64_t seed)
{
    sn_rt_rows   r = {0};
    sn_rt_random random;
    sn_rt_random_start(&random, seed, SN_RT_FOR_TEST, 0, 0);
    for (size_t i = 0; i < count; i++) {
        float x[WIDTH];
        for (size_t d = 0; d < WIDTH; d++) x[d] = (float)(sn_rt_random_normal(&random) + 3 * (d % CLASSES == i % CLASSES));
        check_ok(sn_rt_rows_add(&r, x, WIDTH, (uint32_t)(i / 5), (int32_t)(i % CLASSES), err));
    }
    sn_rt_rows_normalise(&r);
    return r;
}

static double cosine(const sn_rt_rows *a, size_t i, const sn_rt_rows *b, size_t j)
{
    double sum = 0;
    for (size_t d = 0; d < WIDTH; d++) sum += (double)a->x[i * WIDTH + d] * (double)b->x[j * WIDTH + d];
    return sum;
}

static bool allowed(const sn_rt_rows *bank, const sn_rt_rows *queries, size_t q, size_t j, bool others_only)
{
    return !others_only || bank->group[j] != queries->group[q];
}

/* Found rows have the cosine that they should, fall, and nothing that was left out is nearer than the last. */
static void compare(const sn_rt_rows *bank, const sn_rt_rows *queries, const sn_rt_neighbour *found, bool others_only)
{
    for (size_t q = 0; q < queries->count; q++) {
        const sn_rt_neighbour *f = found + q * K;
        bool chosen[BANK] = {false};
        for (size_t i = 0; i < K; i++) {
            assert_true(fabs((double)f[i].cosine - cosine(queries, q, bank, f[i].row)) < 1e-6);
            assert_true(i == 0 || f[i].cosine <= f[i - 1].cosine);
            assert_true(allowed(bank, queries, q, f[i].row, others_only) && !chosen[f[i].row]);
            chosen[f[i].row] = true;
        }
        for (size_t j = 0; j < bank->count; j++)
            assert_true(chosen[j] || !allowed(bank, queries, q, j, others_only) || cosine(queries, q, bank, j) < (double)f[K - 1].cosine + 1e-6);
    }
}

static void searches(void **state)
{
    (void)state;
    sn_rt_rows      bank = rows(BANK, 1), queries = rows(QUERIES, 2);
    sn_rt_neighbour one[QUERIES * K], three[QUERIES * K];
    for (int others_only = 0; others_only < 2; others_only++) {
        check_ok(sn_rt_neighbours(&bank, &queries, K, others_only, 1, one, err));
        check_ok(sn_rt_neighbours(&bank, &queries, K, others_only, 3, three, err));
        assert_memory_equal(one, three, sizeof one);
        compare(&bank, &queries, one, others_only);
    }
    sn_rt_rows_fini(&queries);
    queries = rows(BANK, 1); /* the bank itself: leaving one's own group out matters */
    sn_rt_neighbour own[BANK * K];
    check_ok(sn_rt_neighbours(&bank, &queries, K, false, 2, own, err));
    for (size_t q = 0; q < BANK; q++) assert_int_equal(own[q * K].row, q);
    check_ok(sn_rt_neighbours(&bank, &queries, K, true, 2, own, err));
    for (size_t q = 0; q < BANK; q++) assert_int_not_equal(own[q * K].row / 5, q / 5);
    sn_rt_rows_fini(&bank), sn_rt_rows_fini(&queries);
}

/* Equal rows: the first ones; fewer rows than k: the rest says so. */
static void ties_and_few(void **state)
{
    (void)state;
    sn_rt_rows      bank = {0}, query = {0};
    sn_rt_neighbour found[5];
    const float     x[2] = {3, 4}, zero[2] = {0, 0};
    for (int i = 0; i < 3; i++) check_ok(sn_rt_rows_add(&bank, x, 2, 0, i, err));
    check_ok(sn_rt_rows_add(&query, zero, 2, 0, 0, err));
    sn_rt_rows_normalise(&bank), sn_rt_rows_normalise(&query);
    assert_true(bank.x[0] == 0.6f && bank.x[1] == 0.8f && query.x[0] == 0);
    check_ok(sn_rt_neighbours(&bank, &query, 5, false, 1, found, err));
    for (uint32_t i = 0; i < 3; i++) assert_int_equal(found[i].row, i);
    assert_int_equal(found[3].row, SN_RT_NO_ROW);
    double p[3];
    sn_rt_votes(&bank, found, 5, 0.07, 3, p);
    for (int c = 0; c < 3; c++) assert_true(fabs(p[c] - 1.0 / 3) < 1e-15);
    check_fails(sn_rt_rows_add(&bank, x, 1, 0, 0, err), SN_RT_BAD_SHAPE, "found 1 features, expected 2 as in the rows before");
    sn_rt_rows_fini(&bank), sn_rt_rows_fini(&query);
}

/* exp(1 / 0.5) and exp(0.5 / 0.5) twice: shares e / (e + 2) and 2 / (e + 2). */
static void votes(void **state)
{
    (void)state;
    int32_t               class[3] = {1, 0, 0};
    const sn_rt_rows      bank = {.class = class, .count = 3};
    const sn_rt_neighbour found[3] = {{0, 1}, {1, 0.5f}, {2, 0.5f}};
    double                p[2];
    sn_rt_votes(&bank, found, 3, 0.5, 2, p);
    assert_true(fabs(p[1] - exp(1) / (exp(1) + 2)) < 1e-12 && fabs(p[0] - 2 / (exp(1) + 2)) < 1e-12);
    sn_rt_votes(&bank, found, 3, 0, 2, p);
    assert_true(fabs(p[0] - 2.0 / 3) < 1e-12);
    sn_rt_votes(&bank, found, 1, 0.07, 2, p);
    assert_true(p[1] == 1);
}

/* A ramp of 38 frames in 19 bins has means 0.5, 2.5 ... 36.5; 3 frames in 2 bins overlap in the middle one; 2 frames become 4 at -0.25, 0.25, 0.75, 1.25. */
static void lengths(void **state)
{
    (void)state;
    float ramp[38], out[19];
    for (int t = 0; t < 38; t++) ramp[t] = (float)t;
    sn_rt_bins(ramp, 38, 1, 19, out);
    for (int i = 0; i < 19; i++) assert_true(out[i] == 2 * (float)i + 0.5f);
    sn_rt_bins(ramp, 3, 1, 2, out);
    assert_true(out[0] == 0.5f && out[1] == 1.5f);
    sn_rt_upsample(ramp, 2, 1, 4, out);
    assert_true(out[0] == 0 && out[1] == 0.25f && out[2] == 0.75f && out[3] == 1);
    sn_rt_upsample(ramp, 1, 1, 3, out);
    assert_true(out[0] == 0 && out[2] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(searches), cmocka_unit_test(ties_and_few), cmocka_unit_test(votes), cmocka_unit_test(lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
