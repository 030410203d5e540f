/* Tests of loading OpenBLAS: a product against a plain loop, and the correction of a wrong choice of kernels.
 * Skipped where the library is absent. */
#include "../data/check.h"

#include <math.h>

#include "runtime/core/blas.h"

static void test_product(void **unused)
{
    (void)unused;
    enum { M = 7, N = 5, K = 9 };
    float       A[M * K], B[K * N], C[M * N];
    sn_rt_blas  b;
    sn_rt_error err = {""};
    if (sn_rt_blas_open(&b, true, &err) == SN_RT_MISSING) skip();
    assert_true(b.core[0] && strstr(b.version, "OpenBLAS"));
    for (int i = 0; i < M * K; i++) A[i] = sinf((float)i);
    for (int i = 0; i < K * N; i++) B[i] = cosf((float)i);
    b.set_threads(1);
    b.multiply(&b, M, N, K, A, B, C);
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) {
            float sum = 0;
            for (int k = 0; k < K; k++) sum += A[m * K + k] * B[k * N + n];
            assert_true(fabsf(sum - C[m * N + n]) < 1e-5f);
        }
    sn_rt_blas_close(&b);
}

/* A library that believes to be on an old processor is found out; what the environment asks for is respected. */
static void test_misdetection(void **unused)
{
    (void)unused;
    sn_rt_blas  b;
    sn_rt_error why = {""};
    setenv("OPENBLAS_CORETYPE", "PRESCOTT", 1);
    if (sn_rt_blas_open(&b, true, &why) == SN_RT_MISSING) skip();
    if (strcmp(b.core, "Prescott")) skip(); /* a build for one processor */
    assert_false(b.corrected);
    assert_true(b.advice ? b.fit == SN_RT_BLAS_CRIPPLED : b.fit == SN_RT_BLAS_FITS);
    sn_rt_blas_close(&b);
    unsetenv("OPENBLAS_CORETYPE");
    check_ok(sn_rt_blas_open(&b, true, err));
    assert_null(getenv("OPENBLAS_CORETYPE"));
    assert_int_equal(b.fit, SN_RT_BLAS_FITS);
    sn_rt_blas_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_product), cmocka_unit_test(test_misdetection)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
