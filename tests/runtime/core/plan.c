/* Tests of the slab plan: random intervals never overlap in memory while both alive; equal input, equal output; errors. */
#include "../data/check.h"

#include "runtime/core/internal.h"

static uint32_t next_random(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

static void fill_random(sn_rt_interval *item, uint32_t n, uint32_t calls, uint32_t *state)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t a = (next_random(state) >> 8) % calls, length = (next_random(state) >> 8) % (1 + calls / 4);
        size_t   lines = (next_random(state) >> 8) % 200;
        item[i] = (sn_rt_interval){lines * SN_RT_ALIGN, a, a + length < calls ? a + length : calls - 1, 0};
    }
}

static void test_no_overlap(void **unused)
{
    (void)unused;
    enum { N = 120, CALLS = 40 };
    sn_rt_interval item[N], again[N];
    uint32_t       state = 7, scratch[2 * N];
    size_t         waste = 0, least = 0;
    for (int round = 0; round < 300; round++) {
        uint32_t n = 1 + (next_random(&state) >> 8) % N;
        fill_random(item, n, CALLS, &state);
        memcpy(again, item, sizeof item);
        size_t total, total_again;
        check_ok(sn_rt_plan(item, n, scratch, &total, err));
        check_ok(sn_rt_plan(again, n, scratch, &total_again, err));
        assert_int_equal(total, total_again);
        size_t live = sn_rt_plan_live(item, n, CALLS);
        assert_true(total >= live);
        waste += total - live;
        least += live;
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(item[i].offset, again[i].offset);
            assert_int_equal(item[i].offset % SN_RT_ALIGN, 0);
            assert_true(item[i].offset + item[i].bytes <= total);
            for (uint32_t j = 0; j < i; j++) {
                bool together = item[i].first <= item[j].last && item[j].first <= item[i].last;
                bool shared = item[i].offset < item[j].offset + item[j].bytes && item[j].offset < item[i].offset + item[i].bytes;
                if (item[i].bytes && item[j].bytes) assert_false(together && shared);
            }
        }
    }
    assert_true(waste * 10 < least); /* within a tenth of the lower bound on average */
}

static void test_reuse(void **unused)
{
    (void)unused;
    sn_rt_interval chain[] = {{128, 0, 1, 9}, {128, 1, 2, 9}, {128, 2, 3, 9}, {0, 0, 3, 9}, {128, 3, 3, 9}};
    size_t         total;
    uint32_t       scratch[10];
    check_ok(sn_rt_plan(chain, 5, scratch, &total, err));
    assert_int_equal(total, 256); /* a chain needs two buffers */
    assert_int_equal(chain[3].offset, 0);
    check_ok(sn_rt_plan(NULL, 0, scratch, &total, err));
    assert_int_equal(total, 0);
}

static void test_overflow(void **unused)
{
    (void)unused;
    sn_rt_interval huge[] = {{SIZE_MAX / 64 * 64 - 64, 0, 1, 0}, {1 << 20, 0, 1, 0}};
    size_t         total = 5;
    uint32_t       scratch[4];
    check_fails(sn_rt_plan(huge, 2, scratch, &total, err), SN_RT_BAD_SHAPE, "sizes of 2 buffers overflow");
    assert_int_equal(total, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_overlap), cmocka_unit_test(test_reuse), cmocka_unit_test(test_overflow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
