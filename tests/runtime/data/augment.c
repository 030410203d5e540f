/* Tests of resize, temporal crop and shear against values worked out by hand and from the spec.
 * Not a test of the loader. */
#include "check.h"

#include "runtime/data/augment.h"

#include <math.h>

/* Ramp of T frames, one joint: x = t, y = 10 t, z = -t. */
static void ramp(float *x, size_t T)
{
    for (size_t t = 0; t < T; t++) {
        x[3 * t] = (float)t;
        x[3 * t + 1] = 10 * (float)t;
        x[3 * t + 2] = -(float)t;
    }
}

/* Spec section 9, check 8. */
static void crop_of_a_ramp(void **state)
{
    (void)state;
    static float in[900], out[900];
    ramp(in, 300);
    sn_rt_temporal_crop(in, 300, 1, 6, 0, out);
    for (int t = 0; t < 300; t++)
        assert_true(out[3 * t] == (float)(t < 50 ? 49 - t : t - 50));
    sn_rt_temporal_crop(in, 300, 1, 6, 100, out);
    for (int t = 0; t < 300; t++)
        assert_true(out[3 * t] == (float)(t < 250 ? t + 50 : 549 - t));
    assert_true(out[3 * 249] == 299 && out[3 * 250] == 299 && out[3 * 251] == 298 && out[3 * 299] == 250);
    sn_rt_temporal_crop(in, 300, 1, 6, 50, out);
    assert_memory_equal(in, out, sizeof in);
}

static void crop_of_few_frames(void **state)
{
    (void)state;
    float in[15], out[15];
    ramp(in, 5); /* p = 0: nothing to choose */
    sn_rt_temporal_crop(in, 5, 1, 6, 0, out);
    assert_memory_equal(in, out, sizeof in);
}

static void resize(void **state)
{
    (void)state;
    float in[12], out[24];
    ramp(in, 4);
    sn_rt_resize(in, 4, 1, out, 8);
    static const float up[] = {0, 0.25f, 0.75f, 1.25f, 1.75f, 2.25f, 2.75f, 3};
    for (int t = 0; t < 8; t++) {
        assert_true(out[3 * t] == up[t]);
        assert_true(out[3 * t + 1] == 10 * up[t]);
    }
    sn_rt_resize(in, 4, 1, out, 2);
    assert_true(out[0] == 0.5f && out[3] == 2.5f);
    sn_rt_resize(in, 4, 1, out, 3); /* src = (t + 0.5) * 4/3 - 0.5 = 1/6, 1.5, 17/6 */
    assert_true(fabsf(out[0] - 1 / 6.0f) < 1e-6f && fabsf(out[3] - 1.5f) < 1e-6f && fabsf(out[6] - 17 / 6.0f) < 1e-6f);
    sn_rt_resize(in, 4, 1, out, 4);
    assert_memory_equal(in, out, sizeof in);
    sn_rt_resize(in, 1, 1, out, 8);
    for (int t = 0; t < 8; t++)
        assert_true(out[3 * t] == in[0]);
}

/* The matrix has a unit diagonal and bounded, independent, symmetric entries; det = 1 + xyz terms of their products. */
static void shear_matrix(void **state)
{
    (void)state;
    double sum[9] = {0}, squares[9] = {0}, product = 0;
    enum { N = 20000 };
    for (uint32_t i = 0; i < N; i++) {
        sn_rt_random r;
        float R[9];
        sn_rt_random_start(&r, 5, SN_RT_FOR_TEST, 0, i);
        sn_rt_shear_draw(&r, 0.5, R);
        assert_true(R[0] == 1 && R[4] == 1 && R[8] == 1);
        double det = (double)R[0] * (R[4] * R[8] - R[5] * R[7]) - (double)R[1] * (R[3] * R[8] - R[5] * R[6]) +
                     (double)R[2] * (R[3] * R[7] - R[4] * R[6]);
        double form = 1 - (double)R[5] * R[7] - (double)R[1] * R[3] - (double)R[2] * R[6] +
                      (double)R[1] * R[5] * R[6] + (double)R[2] * R[3] * R[7];
        assert_true(fabs(det - form) < 1e-6);
        assert_true(det >= 1 - 3 * 0.25 - 2 * 0.125 && det <= 1 + 3 * 0.25 + 2 * 0.125);
        for (int k = 0; k < 9; k++) {
            assert_true(k % 4 == 0 || (R[k] >= -0.5f && R[k] <= 0.5f));
            sum[k] += R[k];
            squares[k] += (double)R[k] * R[k];
        }
        product += (double)R[1] * R[3];
    }
    for (int k = 0; k < 9; k++) {
        if (k % 4 == 0)
            continue;
        assert_true(fabs(sum[k] / N) < 0.01);
        assert_true(fabs(squares[k] / N - 1 / 12.0) < 0.002);
    }
    assert_true(fabs(product / N) < 0.003);
}

static void shear_points(void **state)
{
    (void)state;
    float x[] = {1, 2, 3, -1, 0, 2};
    static const float R[9] = {1, 0.5f, -0.25f, 0.125f, 1, 0, 0.5f, 0.25f, 1};
    sn_rt_shear(x, 2, R);
    static const float y[] = {1.25f, 2.125f, 4, -1.5f, -0.125f, 1.5f};
    assert_memory_equal(x, y, sizeof x);
}

/* "basic" draws the start of the crop first and then the shear; "none" copies. */
static void named_sets(void **state)
{
    (void)state;
    static float in[900], out[900], expected[900];
    ramp(in, 300);
    sn_rt_random r, same;
    sn_rt_random_start(&r, 6, SN_RT_FOR_AUGMENT, 7, 8);
    same = r;
    sn_rt_augment(sn_rt_augmentation_of("basic"), &r, in, 1, 300, 1, out);
    float R[9];
    sn_rt_temporal_crop(in, 300, 1, 6, sn_rt_random_below(&same, 101), expected);
    sn_rt_shear_draw(&same, 0.5, R);
    sn_rt_shear(expected, 300, R);
    assert_memory_equal(out, expected, sizeof out);
    assert_memory_equal(&r, &same, sizeof r.counter);
    sn_rt_augment(sn_rt_augmentation_of("none"), &r, in, 1, 300, 1, out);
    assert_memory_equal(out, in, sizeof out);
    assert_null(sn_rt_augmentation_of("strong"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crop_of_a_ramp), cmocka_unit_test(crop_of_few_frames), cmocka_unit_test(resize),
        cmocka_unit_test(shear_matrix),   cmocka_unit_test(shear_points),       cmocka_unit_test(named_sets),
    };
    return cmocka_run_group_tests_name("augment", tests, NULL, NULL);
}
