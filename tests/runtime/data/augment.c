/* Tests of resize and of every transform against values worked out by hand and from the spec.
 * Not a test of the loader. */
#include "check.h"

#include "runtime/data/augment.h"
#include "runtime/data/resize.h"

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

/* One transform with given numbers. */
static void apply(const char *text, const double *number, sn_rt_clip_size size, const float *in, float *out)
{
    sn_rt_augmentation how;
    sn_rt_drawn drawn = {0};
    sn_rt_random r;
    float *scratch = malloc(size.M * size.T * size.V * 3 * sizeof *scratch);
    check_ok(sn_rt_augmentation_parse(text, &how, err));
    memcpy(drawn.number[0], number, sizeof drawn.number[0]);
    sn_rt_random_start(&r, 1, SN_RT_FOR_TEST, 0, 0);
    sn_rt_augment_apply(&how, &drawn, &r, size, in, scratch, out);
    free(scratch);
}
#define NUMBERS(...) ((double[SN_RT_MAX_DRAWN]){__VA_ARGS__})

/* Spec section 9, check 8. */
static void crop_of_a_ramp(void **state)
{
    (void)state;
    static float in[900], out[900];
    const sn_rt_clip_size size = {1, 300, 1};
    ramp(in, 300);
    apply("crop", NUMBERS(0), size, in, out);
    for (int t = 0; t < 300; t++)
        assert_true(out[3 * t] == (float)(t < 50 ? 49 - t : t - 50));
    apply("crop", NUMBERS(100), size, in, out);
    for (int t = 0; t < 300; t++)
        assert_true(out[3 * t] == (float)(t < 250 ? t + 50 : 549 - t));
    assert_true(out[3 * 249] == 299 && out[3 * 250] == 299 && out[3 * 251] == 298 && out[3 * 299] == 250);
    apply("crop", NUMBERS(50), size, in, out);
    assert_memory_equal(in, out, sizeof in);
}

static void crop_of_few_frames(void **state)
{
    (void)state;
    float in[15], out[15];
    ramp(in, 5); /* p = 0: nothing to choose */
    apply("crop", NUMBERS(0), (sn_rt_clip_size){1, 5, 1}, in, out);
    assert_memory_equal(in, out, sizeof in);
}

static void shear_points(void **state)
{
    (void)state;
    static const float x[] = {1, 2, 3, -1, 0, 2}, y[] = {1.25f, 2.125f, 4, -1.5f, -0.125f, 1.5f};
    float out[6];
    apply("shear", NUMBERS(0.5, -0.25, 0.125, 0, 0.5, 0.25), (sn_rt_clip_size){1, 2, 1}, x, out);
    assert_memory_equal(out, y, sizeof y);
}

/* Quarter turns tell signs and order: x maps (y,z) to (z,-y), y maps (x,z) to (-z,x), z maps (x,y) to (y,-x). */
static void rotations(void **state)
{
    (void)state;
    static const float x[] = {1, 2, 3};
    static const struct {
        double angle[3];
        float y[3];
    } rows[] = {{{90, 0, 0}, {1, 3, -2}}, {{0, 90, 0}, {-3, 2, 1}}, {{0, 0, 90}, {2, -1, 3}}, {{90, 90, 0}, {2, 3, 1}},
                {{90, 90, 90}, {3, -2, 1}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        float out[3];
        apply("rotate", NUMBERS(rows[i].angle[0], rows[i].angle[1], rows[i].angle[2]), (sn_rt_clip_size){1, 1, 1}, x, out);
        for (int c = 0; c < 3; c++)
            assert_true(fabsf(out[c] - rows[i].y[c]) < 1e-6f);
    }
}

static void flips_and_masks(void **state)
{
    (void)state;
    enum { V = 25, T = 2, SIZE = 2 * T * V * 3 };
    static float in[SIZE], out[SIZE];
    const sn_rt_clip_size size = {2, T, V};
    for (int i = 0; i < SIZE; i++)
        in[i] = (float)(i + 1);
    apply("flip", NUMBERS(1), size, in, out);
    static const int other[V] = {0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 20, 23, 24, 21, 22};
    for (int i = 0; i < SIZE / 3; i++)
        for (int c = 0; c < 3; c++)
            assert_true(out[3 * i + c] == in[3 * (i / V * V + other[i % V]) + c]);
    apply("flip", NUMBERS(0), size, in, out);
    assert_memory_equal(in, out, sizeof in);
    apply("axis_mask", NUMBERS(1, 2), size, in, out);
    for (int i = 0; i < SIZE; i++)
        assert_true(out[i] == (i % 3 == 2 ? 0 : in[i]));
    apply("time_flip", NUMBERS(1), size, in, out);
    for (int i = 0; i < SIZE; i++)
        assert_true(out[i] == in[i / (2 * V * 3) * (2 * V * 3) + (i / (V * 3) % 2 ? i % (V * 3) : V * 3 + i % (V * 3))]);
}

/* A pulse becomes the kernel, which is not normalised and is cut at the ends and at 7 frames. */
static void blur_of_a_pulse(void **state)
{
    (void)state;
    float in[2 * 20 * 3] = {0}, out[2 * 20 * 3];
    in[3 * 4 + 1] = 2;
    in[3 * (20 + 17)] = 1;
    apply("blur", NUMBERS(1, 1.5), (sn_rt_clip_size){2, 20, 1}, in, out);
    for (int t = 0; t < 20; t++) {
        double first = abs(t - 4) <= 7 ? 2 * exp(-(t - 4) * (t - 4) / 4.5) : 0, second = abs(t - 17) <= 7 ? exp(-(t - 17) * (t - 17) / 4.5) : 0;
        assert_true(fabs((double)out[3 * t + 1] - first) < 1e-6 && fabs((double)out[3 * (20 + t)] - second) < 1e-6);
        assert_true(out[3 * t] == 0 && out[3 * (20 + t) + 1] == 0);
    }
}

static void noise_and_joint_mask(void **state)
{
    (void)state;
    enum { V = 25, T = 300, SIZE = T * V * 3 };
    static float in[SIZE], out[SIZE];
    const sn_rt_clip_size size = {1, T, V};
    double sum = 0, square = 0;
    apply("noise(std=0.02)", NUMBERS(1), size, in, out);
    for (int i = 0; i < SIZE; i++) {
        sum += (double)out[i];
        square += (double)out[i] * (double)out[i];
    }
    assert_true(fabs(sum / SIZE) < 5 * 0.02 / sqrt(SIZE) && fabs(sqrt(square / SIZE) - 0.02) < 3e-4);
    for (int i = 0; i < SIZE; i++)
        in[i] = 1;
    apply("joint_mask", NUMBERS(7, 60), size, in, out);
    int frames = 0, joints[V] = {0};
    for (int t = 0; t < T; t++) {
        int masked = 0;
        for (int v = 0; v < V; v++) {
            const float *x = out + (t * V + v) * 3;
            assert_true((x[0] == 0) == (x[1] == 0) && (x[0] == 0) == (x[2] == 0));
            masked += x[0] == 0;
            joints[v] += x[0] == 0;
        }
        assert_true(masked == 0 || masked == 7);
        frames += masked == 7;
    }
    assert_int_equal(frames, 60);
    int masked = 0;
    for (int v = 0; v < V; v++) {
        assert_true(joints[v] == 0 || joints[v] == 60);
        masked += joints[v] == 60;
    }
    assert_int_equal(masked, 7);
}

/* Ranges and probabilities of spec 3.1, over many draws. */
static void what_is_drawn(void **state)
{
    (void)state;
    enum { N = 20000 };
    static const struct {
        const char *text;
        sn_rt_clip_size size;
        double low[SN_RT_MAX_DRAWN], high[SN_RT_MAX_DRAWN], mean[SN_RT_MAX_DRAWN];
    } rows[] = {
        {"crop", {1, 300, 25}, {0}, {100}, {50}},
        {"shear", {1, 300, 25}, {-0.5, -0.5, -0.5, -0.5, -0.5, -0.5}, {0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, {0}},
        {"flip", {1, 300, 25}, {0}, {1}, {0.5}},
        {"rotate", {1, 300, 25}, {0}, {30, 30, 30}, {16 / 3.0, 16 / 3.0, 16 / 3.0}},
        {"noise", {1, 300, 25}, {0}, {1}, {0.5}},
        {"blur", {1, 300, 25}, {0, 0.1}, {1, 2}, {0.5, 1.05}},
        {"axis_mask", {1, 300, 25}, {0}, {1, 2}, {0.5, 1}},
        {"time_flip(p=0.25)", {1, 300, 25}, {0}, {1}, {0.25}},
        {"joint_mask", {1, 300, 25}, {5, 50}, {15, 100}, {10, 75}},
        {"joint_mask", {1, 99, 25}, {5, 20}, {15, 50}, {10, 35}},
        {"joint_mask", {1, 30, 9}, {5, 20}, {9, 30}, {8.0909, 28.2258}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sn_rt_augmentation how;
        double sum[SN_RT_MAX_DRAWN] = {0}, low[SN_RT_MAX_DRAWN], high[SN_RT_MAX_DRAWN];
        check_ok(sn_rt_augmentation_parse(rows[i].text, &how, err));
        for (uint32_t n = 0; n < N; n++) {
            sn_rt_random r;
            sn_rt_drawn drawn;
            sn_rt_random_start(&r, 5, SN_RT_FOR_TEST, 0, n);
            sn_rt_augment_draw(&how, &r, rows[i].size, &drawn);
            for (int k = 0; k < SN_RT_MAX_DRAWN; k++) {
                double x = drawn.number[0][k];
                sum[k] += x;
                low[k] = n ? fmin(low[k], x) : x;
                high[k] = n ? fmax(high[k], x) : x;
            }
        }
        for (int k = 0; k < SN_RT_MAX_DRAWN; k++) {
            double span = rows[i].high[k] - rows[i].low[k];
            if (low[k] < rows[i].low[k] || high[k] > rows[i].high[k] || high[k] - low[k] < 0.999 * span ||
                fabs(sum[k] / N - rows[i].mean[k]) > 0.015 * span)
                fail_msg("%s: number %d: %g to %g, mean %g", rows[i].text, k, low[k], high[k], sum[k] / N);
        }
    }
}

/* A list draws for one transform after the other and applies them in order; the same stream gives the same clip. */
static void lists(void **state)
{
    (void)state;
    static float in[900], out[900], again[900], expected[900], half[900], scratch[900];
    const sn_rt_clip_size size = {1, 300, 1};
    sn_rt_augmentation how;
    sn_rt_drawn drawn;
    sn_rt_random r, same;
    ramp(in, 300);
    sn_rt_random_start(&r, 6, SN_RT_FOR_AUGMENT, 7, 8);
    same = r;
    check_ok(sn_rt_augmentation_parse("basic", &how, err));
    assert_int_equal(how.steps, 2);
    sn_rt_augment_draw(&how, &r, size, &drawn);
    sn_rt_augment_apply(&how, &drawn, &r, size, in, scratch, out);
    assert_true(drawn.number[0][0] == sn_rt_random_below(&same, 101));
    assert_true(drawn.number[1][0] == sn_rt_random_uniform(&same) - 0.5);
    apply("crop", drawn.number[0], size, in, half);
    apply("shear", drawn.number[1], size, half, expected);
    assert_memory_equal(out, expected, sizeof out);
    check_ok(sn_rt_augmentation_parse(" strong_rvt , rotate( far = 10 ,little=0 ),time_flip(p=1)", &how, err));
    assert_int_equal(how.steps, 7);
    assert_true(how.step[5].setting[0] == 10 && how.step[5].setting[1] == 0 && how.step[6].setting[0] == 1);
    for (int i = 0; i < 2; i++) {
        sn_rt_random_start(&r, 6, SN_RT_FOR_AUGMENT, 7, 9);
        sn_rt_augment_draw(&how, &r, size, &drawn);
        sn_rt_augment_apply(&how, &drawn, &r, size, in, scratch, i ? again : out);
    }
    assert_memory_equal(out, again, sizeof out);
    check_ok(sn_rt_augmentation_parse("none", &how, err));
    sn_rt_augment_draw(&how, &r, size, &drawn);
    sn_rt_augment_apply(&how, &drawn, &r, size, in, scratch, out);
    assert_memory_equal(out, in, sizeof out);
}

static void wrong_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "augmentation is empty: \"none\" is its name"},
        {"basics", "augmentation \"basics\" is none of none, basic, strong, strong_rvt, crop, shear, flip, rotate, noise, blur, axis_mask, "
                   "time_flip, joint_mask"},
        {"crop(width=3)", "augmentation crop has no setting \"width\""},
        {"crop(ratio=x)", "augmentation crop: ratio is no number"},
        {"crop(ratio)", "augmentation crop: ratio is no number"},
        {"crop(ratio=0)", "augmentation crop: ratio is 0, expected 1 to 1e+06"},
        {"noise(p=0.5", "augmentation noise: ')' is missing before \"\""},
        {"crop shear", "augmentation: found \"shear\", expected ','"},
        {"basic(p=1)", "augmentation: found \"(p=1)\", expected ','"},
        {"noise,noise,noise,noise,noise,noise,noise,noise,noise,noise,noise,noise,noise", "augmentation of more than 12 transforms"},
    };
    sn_rt_augmentation how;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_fails(sn_rt_augmentation_parse(rows[i].text, &how, err), SN_RT_ARGUMENT, rows[i].message);
    check_ok(sn_rt_augmentation_parse("strong", &how, err));
    check_fails(sn_rt_augmentation_check(&how, 31, err), SN_RT_BAD_SHAPE, "augmentation flip is for 25 joints, found 31");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resize),          cmocka_unit_test(crop_of_a_ramp),       cmocka_unit_test(crop_of_few_frames),
        cmocka_unit_test(shear_points),    cmocka_unit_test(rotations),            cmocka_unit_test(flips_and_masks),
        cmocka_unit_test(blur_of_a_pulse), cmocka_unit_test(noise_and_joint_mask), cmocka_unit_test(what_is_drawn),
        cmocka_unit_test(lists),           cmocka_unit_test(wrong_text),
    };
    return cmocka_run_group_tests_name("augment", tests, NULL, NULL);
}
