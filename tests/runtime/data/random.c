/* Tests of the random numbers: published vectors, distributions, independence of streams.
 * Not a statistical test suite. */
#include "check.h"

#include "runtime/data/random.h"

#include <math.h>

/* Known answers distributed with Random123 (kat_vectors, "philox4x32 10"). */
static void known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t out[4];
        sn_rt_philox(rows[i].counter, rows[i].key, out);
        assert_memory_equal(out, rows[i].out, sizeof out);
    }
}

/* The documented layout of key and counter. */
static void stream_layout(void **state)
{
    (void)state;
    sn_rt_random r;
    sn_rt_random_start(&r, 0x1122334455667788u, SN_RT_FOR_AUGMENT, 0x123456789abcu, 77);
    uint32_t out[4];
    for (uint32_t block = 0; block < 3; block++) {
        sn_rt_philox((uint32_t[]){block, 77, 0x56789abcu, 0x00031234u}, (uint32_t[]){0x55667788u, 0x11223344u}, out);
        for (int word = 0; word < 4; word++)
            assert_int_equal(sn_rt_random_u32(&r), out[word]);
    }
}

enum { DRAWS = 100000 };

/* Chi-square over 100 equal bins: 99 degrees of freedom, mean 99, deviation 14.1; 160 is beyond p = 1e-4. */
static double chi_square(const uint32_t bins[100])
{
    double sum = 0, expected = DRAWS / 100.0;
    for (int i = 0; i < 100; i++)
        sum += (bins[i] - expected) * (bins[i] - expected) / expected;
    return sum;
}

static void uniform_and_below(void **state)
{
    (void)state;
    uint32_t bins[100] = {0}, counts[100] = {0};
    sn_rt_random r;
    sn_rt_random_start(&r, 1, SN_RT_FOR_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        double u = sn_rt_random_uniform(&r);
        assert_true(u >= 0 && u < 1);
        bins[(int)(u * 100)]++;
        uint32_t n = sn_rt_random_below(&r, 100);
        assert_true(n < 100);
        counts[n]++;
    }
    assert_true(chi_square(bins) < 160 && chi_square(bins) > 50);
    assert_true(chi_square(counts) < 160 && chi_square(counts) > 50);
    assert_int_equal(sn_rt_random_below(&r, 1), 0);
}

/* Equal-probability bins through the normal's distribution function. */
static void normal(void **state)
{
    (void)state;
    uint32_t bins[100] = {0};
    sn_rt_random r;
    sn_rt_random_start(&r, 2, SN_RT_FOR_TEST, 0, 0);
    double sum = 0, squares = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = sn_rt_random_normal(&r);
        int bin = (int)(50 * erfc(-x / sqrt(2)));
        bins[bin < 99 ? bin : 99]++;
        sum += x;
        squares += x * x;
    }
    assert_true(chi_square(bins) < 160 && chi_square(bins) > 50);
    assert_true(fabs(sum / DRAWS) < 0.02);
    assert_true(fabs(squares / DRAWS - 1) < 0.03);
}

/* In bulk and one by one the same bits, from any place of a block; and both what libm makes of the same words. */
static void normals(void **state)
{
    (void)state;
    enum { N = 1000 };
    double bulk[N];
    for (uint32_t skip = 0; skip < 5; skip++) {
        sn_rt_random r, single, plain;
        sn_rt_random_start(&r, 7, SN_RT_FOR_TEST, 3, skip);
        for (uint32_t i = 0; i < skip; i++) sn_rt_random_u32(&r);
        single = plain = r;
        sn_rt_random_normals(&r, bulk, N - 1);
        sn_rt_random_normals(&r, bulk + N - 1, 1);
        for (int i = 0; i < N; i++) {
            double x = sn_rt_random_normal(&single), u = 1 - sn_rt_random_uniform(&plain), v = sn_rt_random_uniform(&plain);
            assert_memory_equal(&x, &bulk[i], sizeof x);
            assert_true(fabs(x - sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v)) < 1e-14);
        }
        assert_int_equal(sn_rt_random_u32(&r), sn_rt_random_u32(&single));
    }
}

/* First numbers of neighbouring streams: uniform, and uncorrelated from one to the next. */
static void neighbouring_streams(void **state)
{
    (void)state;
    uint32_t bins[100] = {0};
    double product = 0, previous = 0;
    for (uint32_t i = 0; i < DRAWS; i++) {
        sn_rt_random r;
        sn_rt_random_start(&r, 3, SN_RT_FOR_TEST, i / 100, i % 100);
        double u = sn_rt_random_uniform(&r);
        bins[(int)(u * 100)]++;
        product += (u - 0.5) * (previous - 0.5);
        previous = u;
    }
    assert_true(chi_square(bins) < 160 && chi_square(bins) > 50);
    assert_true(fabs(product / DRAWS) * 12 < 0.015);
}

static void permutation(void **state)
{
    (void)state;
    uint32_t items[50], first[100] = {0};
    for (uint32_t i = 0; i < 5000; i++) {
        sn_rt_random r;
        int seen[50] = {0};
        sn_rt_random_start(&r, 4, SN_RT_FOR_ORDER, i, 0);
        sn_rt_random_permutation(&r, items, 50);
        for (int k = 0; k < 50; k++)
            seen[items[k]]++;
        for (int k = 0; k < 50; k++)
            assert_int_equal(seen[k], 1);
        first[items[0]]++;
    }
    double sum = 0;
    for (int k = 0; k < 50; k++)
        sum += (first[k] - 100.0) * (first[k] - 100.0) / 100.0;
    assert_true(sum < 95 && sum > 20); /* 49 degrees of freedom */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers), cmocka_unit_test(stream_layout),        cmocka_unit_test(uniform_and_below),
        cmocka_unit_test(normal),        cmocka_unit_test(normals), cmocka_unit_test(neighbouring_streams), cmocka_unit_test(permutation),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
