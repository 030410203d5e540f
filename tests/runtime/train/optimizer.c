/* Tests of the optimiser against its formula, element by element in the same precision, and of the schedule. */
#include "twin_store.h"

#include "runtime/train/optimizer.h"

#include <math.h>

static void check_steps(bool nesterov, int threads)
{
    enum { COUNT = TWIN_IN * TWIN_OUT };
    static float w[COUNT], v[COUNT];
    twin_store t;
    twin_store_init(&t, 4, 2, threads, 7);
    size_t n;
    float *weight = twin_param(&t, TWIN_W), *gradient = sn_rt_store_gradient(t.store, TWIN_W, &n), *scale = twin_param(&t, TWIN_SCALE);
    float  frozen = scale[1];
    assert_int_equal(n, COUNT);
    assert_null(sn_rt_store_gradient(t.store, TWIN_SCALE, &n));
    static float c[COUNT];
    const float *copy = twin_param(&t, TWIN_COPY);
    memcpy(w, weight, sizeof w);
    memcpy(c, copy, sizeof c);
    assert_false(sn_rt_store_ahead(t.store));
    sn_rt_sgd sgd = {0.9, 1e-2, nesterov};
    for (int step = 0; step < 5; step++) {
        for (int k = 0; k < COUNT; k++) gradient[k] = sinf((float)(k + step));
        sn_rt_sgd_step(t.store, &sgd, 0.1, threads);
        for (int k = 0; k < COUNT; k++) { /* volatile: one rounding an operation, as the optimiser promises */
            volatile float wd = 1e-2f * w[k], g = gradient[k] + wd, mv = 0.9f * v[k];
            v[k] = step ? mv + g : g;
            volatile float ahead = 0.9f * v[k], d = nesterov ? g + ahead : v[k], move = 0.1f * d;
            w[k] = w[k] - move;
            volatile float far = w[k] - c[k], near = (float)(1 - 0.99) * far;
            c[k] = c[k] + near;
        }
        assert_memory_equal(weight, w, sizeof w);
        assert_memory_equal(sn_rt_store_velocity(t.store, TWIN_W, &n), v, sizeof v);
        assert_memory_equal(copy, c, sizeof c);
        assert_true(sn_rt_store_ahead(t.store));
    }
    assert_true(scale[1] == frozen); /* no gradient: no decay either */
    twin_store_fini(&t);
}

static void test_adam(void **unused)
{
    enum { COUNT = TWIN_IN * TWIN_OUT };
    static double w[COUNT], v[COUNT], s[COUNT];
    const sn_rt_adam adam = {0.9, 0.999, 1e-8, 1e-2};
    (void)unused;
    for (int threads = 1; threads < 4; threads += 2) {
        twin_store t;
        twin_store_init(&t, 4, 2, threads, 7);
        size_t n;
        float *weight = twin_param(&t, TWIN_W), *gradient = sn_rt_store_gradient(t.store, TWIN_W, &n);
        assert_null(sn_rt_store_second(t.store, TWIN_W, &n));
        check_ok(sn_rt_store_add_second(t.store, err));
        assert_null(sn_rt_store_second(t.store, TWIN_SCALE, &n));
        memset(v, 0, sizeof v), memset(s, 0, sizeof s);
        for (int k = 0; k < COUNT; k++) w[k] = (double)weight[k];
        for (int step = 0; step < 20; step++) {
            for (int k = 0; k < COUNT; k++) gradient[k] = k % 3 ? sinf((float)(k + step)) : 0; /* without decay a zero gradient would move nothing */
            sn_rt_adam_step(t.store, &adam, 0.01, (uint64_t)step, threads);
            for (int k = 0; k < COUNT; k++) { /* the paper's form, in double */
                double g = (double)gradient[k] + 1e-2 * w[k];
                v[k] = 0.9 * v[k] + 0.1 * g;
                s[k] = 0.999 * s[k] + 0.001 * g * g;
                w[k] -= 0.01 * (v[k] / (1 - pow(0.9, step + 1))) / (sqrt(s[k] / (1 - pow(0.999, step + 1))) + 1e-8);
            }
        }
        for (int k = 0; k < COUNT; k++) assert_true(fabs((double)weight[k] - w[k]) < 2e-6);
        assert_true(sn_rt_store_ahead(t.store));
        twin_store_fini(&t);
    }
}

static void test_sgd(void **unused) { (void)unused, check_steps(false, 1), check_steps(false, 3); }
static void test_nesterov(void **unused) { (void)unused, check_steps(true, 2); }

/* A trained weight with two copies between untrained ones, of which the last has a copy: sizes beyond a piece, odd ends. */
enum { P_A, P_W, P_B, P_FIRST, P_SECOND, P_OF_B, PARAMS };
static const int64_t length[PARAMS] = {33, 10007, 5000, 10007, 10007, 5000};

static void nothing(const sn_abi_args *args, int64_t begin, int64_t end, void *scratch) { (void)args, (void)begin, (void)end, (void)scratch; }

static sn_rt_store *store_of_many(sn_rt_session **out_session)
{
    static sn_abi_buffer  buffer[2];
    static sn_abi_param   param[PARAMS];
    static sn_abi_output  output;
    static const uint32_t arg[] = {0, 1};
    static sn_abi_call    call;
    static sn_abi_program program;
    static const char *const name[PARAMS] = {"a", "w", "b", "first", "second", "of_b"};
    for (uint32_t i = 0; i < PARAMS; i++) param[i] = (sn_abi_param){name[i], i < P_FIRST ? SN_ABI_WEIGHT : SN_ABI_COPY, i < P_FIRST ? SN_ABI_NORMAL : SN_ABI_SAME, 0, 1, P_W, 0.9, {1, {length[i]}}};
    param[P_SECOND].coefficient = 0.5;
    param[P_OF_B].of = P_B;
    buffer[0] = (sn_abi_buffer){SN_ABI_PARAM, P_W, NULL, length[P_W], 0, 0};
    buffer[1] = (sn_abi_buffer){SN_ABI_OUTPUT, 0, NULL, length[P_W], 0, 0};
    output = (sn_abi_output){"grad.w", 1, {1, {length[P_W]}}, P_W};
    call = (sn_abi_call){nothing, "g", "", arg, 2, 1, NULL, 0, 1, 0, 0};
    program = (sn_abi_program){.version = SN_ABI_VERSION, .calls = 1, .buffers = 2, .params = PARAMS, .outputs = 1,
                               .call = &call, .buffer = buffer, .param = param, .output = &output};
    sn_rt_store *store = NULL;
    check_ok(sn_rt_session_new(&program, out_session, err));
    check_ok(sn_rt_session_bind(*out_session, NULL, err));
    check_ok(sn_rt_store_new(&program, *out_session, &store, err));
    sn_rt_store_init(store, 3, 2);
    return store;
}

static void test_copies_follow(void **unused)
{
    (void)unused;
    sn_rt_session *s = NULL;
    sn_rt_store   *store = store_of_many(&s);
    size_t         n;
    float *w = sn_rt_store_param(store, P_W, &n), *b = sn_rt_store_param(store, P_B, &n), *x[PARAMS], *before[PARAMS];
    float *g = sn_rt_store_gradient(store, P_W, &n);
    b[4999] += 1; /* as weights from a file may: its copy is not equal */
    for (size_t k = 0; k < n; k++) g[k] = cosf((float)k);
    for (uint32_t i = 0; i < PARAMS; i++) {
        x[i] = sn_rt_store_param(store, i, &n);
        before[i] = malloc(n * sizeof(float));
        memcpy(before[i], x[i], n * sizeof(float));
    }
    sn_rt_sgd_step(store, &(sn_rt_sgd){0, 0, false}, 0.5, 3);
    for (int64_t k = 0; k < length[P_W]; k++) {
        assert_true(w[k] == before[P_W][k] - 0.5f * g[k]);
        assert_true(fabsf(x[P_FIRST][k] - (0.9f * before[P_FIRST][k] + 0.1f * w[k])) < 1e-6f);
        assert_true(fabsf(x[P_SECOND][k] - (0.5f * before[P_SECOND][k] + 0.5f * w[k])) < 1e-6f);
    }
    assert_memory_equal(x[P_A], before[P_A], (size_t)length[P_A] * sizeof(float));
    assert_memory_equal(x[P_B], before[P_B], (size_t)length[P_B] * sizeof(float));
    assert_memory_equal(x[P_OF_B], before[P_OF_B], 4999 * sizeof(float));
    assert_true(fabsf(x[P_OF_B][4999] - (before[P_OF_B][4999] + 0.1f)) < 1e-6f);
    /* w and v read and written, g read; two copies read and written; a copy of an untrained weight with the weight: in floats, padded to 16 */
    assert_true(sn_rt_sgd_bytes(store) == sizeof(float) * (9.0 * 10016 + 3.0 * 5008));
    for (uint32_t i = 0; i < PARAMS; i++) free(before[i]);
    sn_rt_session_free(s);
    sn_rt_store_free(store);
}

static void test_schedule(void **unused)
{
    (void)unused;
    const int64_t  at[] = {3, 5};
    sn_rt_schedule s = {0.1, 0.1, 8, 2, at, 2};
    const double   expected[] = {0.1 / 20, 0.1 / 2, 0.1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001};
    const uint64_t step[] = {0, 9, 19, 20, 29, 30, 49, 50, 79};
    for (int i = 0; i < 9; i++) assert_true(fabs(sn_rt_schedule_rate(&s, step[i], 10) - expected[i]) < 1e-12);
    s.warmup = 0;
    assert_true(sn_rt_schedule_rate(&s, 0, 10) == 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sgd), cmocka_unit_test(test_nesterov), cmocka_unit_test(test_adam),
                                       cmocka_unit_test(test_copies_follow), cmocka_unit_test(test_schedule)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
