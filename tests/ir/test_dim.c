/* Dimensions: canonical forms, their values, their text.
 * Not shapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir.h"

static void text_is(const sn_dims *d, sn_dim a, const char *want)
{
    char text[256];
    assert_int_equal(sn_dim_text(d, a, text, sizeof text), strlen(want));
    assert_string_equal(text, want);
}

static void paths_meet(void **state)
{
    (void)state;
    sn_dims d;
    sn_dims_init(&d);
    const sn_dim T = sn_dim_symbol(&d, "T"), N = sn_dim_symbol(&d, "N"), one = sn_dim_const(1);
    const sn_dim half = sn_dim_add(&d, sn_dim_div(&d, sn_dim_sub(&d, T, one), 2), one); /* 1-tap, stride 2 */
    const sn_dim conv = sn_dim_add_const(&d, sn_dim_div(&d, sn_dim_add_const(&d, T, 2 * 4 - 9), 2), 1); /* 9 taps, padding 4 */
    assert_true(sn_dim_equal(half, conv));
    assert_true(sn_dim_equal(half, sn_dim_ceil_div(&d, T, 2)));
    text_is(&d, half, "(T-1)/2+1");
    const sn_dim quarter = sn_dim_ceil_div(&d, half, 2);
    assert_true(sn_dim_equal(quarter, sn_dim_ceil_div(&d, T, 4)));
    text_is(&d, quarter, "(T-1)/4+1");
    assert_true(sn_dim_equal(sn_dim_mul(&d, N, T), sn_dim_mul(&d, T, N)));
    assert_true(sn_dim_equal(sn_dim_sub(&d, sn_dim_add(&d, N, T), T), N));
    assert_true(sn_dim_equal(sn_dim_div(&d, sn_dim_mul(&d, N, sn_dim_const(6)), 3), sn_dim_mul(&d, N, sn_dim_const(2))));
    assert_true(sn_dim_is_const(sn_dim_add_const(&d, sn_dim_sub(&d, T, T), 5)));
    sn_dims_fini(&d);
}

static void texts(void **state)
{
    (void)state;
    sn_dims d;
    sn_dims_init(&d);
    const sn_dim T = sn_dim_symbol(&d, "T"), N = sn_dim_symbol(&d, "N");
    text_is(&d, sn_dim_const(25), "25");
    text_is(&d, sn_dim_mul(&d, sn_dim_add_const(&d, N, -2), sn_dim_add_const(&d, T, 3)), "N*T+3*N-2*T-6");
    text_is(&d, sn_dim_sub(&d, sn_dim_const(5), T), "5-T");
    text_is(&d, sn_dim_sub(&d, sn_dim_const(0), T), "0-T");
    text_is(&d, sn_dim_mul(&d, N, sn_dim_ceil_div(&d, T, 4)), "N*((T-1)/4)+N");
    text_is(&d, sn_dim_div(&d, sn_dim_mul(&d, T, sn_dim_const(6)), 4), "T+T/2");
    char small[4];
    assert_int_equal(sn_dim_text(&d, sn_dim_ceil_div(&d, T, 4), small, sizeof small), 9);
    assert_string_equal(small, "(T-");
    sn_dims_fini(&d);
}

/* Random expressions: arithmetic on dimensions equals arithmetic on their values. */
static void values(void **state)
{
    (void)state;
    uint64_t noise = 7;
    for (int round = 0; round < 300; round++) {
        sn_dims d;
        sn_dims_init(&d);
        const int64_t symbol[2] = {1 + round % 23, 1 + round % 7};
        sn_dim e[16] = {sn_dim_symbol(&d, "T"), sn_dim_symbol(&d, "N"), sn_dim_const(3)};
        int64_t v[16] = {symbol[0], symbol[1], 3};
        for (int i = 3; i < 16; i++) {
            noise = noise * 6364136223846793005u + 1442695040888963407u;
            const int a = (int)(noise >> 33) % i, b = (int)(noise >> 45) % i;
            const int64_t c = 1 + (int64_t)((noise >> 55) % 5);
            switch ((noise >> 60) % 5) {
            case 0: e[i] = sn_dim_add(&d, e[a], e[b]), v[i] = v[a] + v[b]; break;
            case 1: e[i] = sn_dim_add_const(&d, e[a], c), v[i] = v[a] + c; break;
            case 2: e[i] = sn_dim_div(&d, e[a], c), v[i] = v[a] / c; break;
            case 3: e[i] = sn_dim_ceil_div(&d, e[a], c), v[i] = (v[a] + c - 1) / c; break;
            default: /* products grow fast: small ones only */
                e[i] = v[a] < 1000 && v[b] < 1000 ? sn_dim_mul(&d, e[a], e[b]) : e[a];
                v[i] = v[a] < 1000 && v[b] < 1000 ? v[a] * v[b] : v[a];
            }
            assert_int_equal(sn_dim_eval(&d, e[i], symbol), v[i]);
        }
        sn_dims_fini(&d);
    }
}

static void too_large_saturates(void **state)
{
    (void)state;
    sn_dims d;
    sn_dims_init(&d);
    const sn_dim big = sn_dim_const(SN_DIM_HUGE - 1), T = sn_dim_symbol(&d, "T");
    const int64_t huge[1] = {INT64_MAX};
    assert_int_equal(sn_dim_mul(&d, big, big).v, SN_DIM_HUGE);
    assert_int_equal(sn_dim_add(&d, big, big).v, SN_DIM_HUGE);
    assert_int_equal(sn_dim_eval(&d, sn_dim_mul(&d, T, T), huge), SN_DIM_HUGE);
    assert_int_equal(sn_dim_sub(&d, sn_dim_const(3), sn_dim_const(5)).v, 0);
    const sn_type t = {3, {big, big, T}};
    assert_false(sn_type_legal(&d, &t, NULL, 0));
    sn_dims_fini(&d);
}

static void tables_compare_and_copy(void **state)
{
    (void)state;
    sn_dims d, e;
    sn_dims_init(&d);
    const sn_dim N = sn_dim_symbol(&d, "N"), T = sn_dim_symbol(&d, "T");
    const sn_dim x = sn_dim_add(&d, sn_dim_mul(&d, N, T), sn_dim_ceil_div(&d, T, 2));
    sn_dims_copy(&e, &d);
    assert_true(sn_dim_same(&d, x, &e, x));
    assert_string_equal(sn_dim_symbol_name(&e, 1), "T");
    assert_int_equal(sn_dim_symbol(&e, "T").v, T.v);
    sn_dims_fini(&e);
    sn_dims_init(&e); /* another order of creation */
    const sn_dim T2 = sn_dim_symbol(&e, "T");
    const sn_dim y = sn_dim_add(&e, sn_dim_ceil_div(&e, T2, 2), sn_dim_mul(&e, T2, sn_dim_symbol(&e, "N")));
    assert_true(sn_dim_same(&d, x, &e, y));
    assert_false(sn_dim_same(&d, N, &e, T2));
    text_is(&d, x, "N*T+(T-1)/2+1");
    text_is(&e, y, "N*T+(T-1)/2+1");
    sn_dims_fini(&d);
    sn_dims_fini(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_meet), cmocka_unit_test(texts), cmocka_unit_test(values), cmocka_unit_test(too_large_saturates),
        cmocka_unit_test(tables_compare_and_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
