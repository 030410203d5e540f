/* Tests of sessions with the hand-written program: results, thread-count equality, plan size, rebinding, errors. */
#include "../data/check.h"

#include <math.h>

#include "../abi_twin.h"
#include "runtime/core/internal.h"

typedef struct twin {
    sn_rt_session *s;
    float         *param[TWIN_PARAMS];
    size_t         count[TWIN_PARAMS];
} twin;

static float *floats(size_t n) { return aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64); }

static void twin_bind(twin *t, int64_t N, int64_t T, int threads)
{
    const sn_abi_program *p = twin_program();
    check_ok(sn_rt_session_bind(t->s, (int64_t[]){N, T}, err));
    for (uint32_t i = 0; i < p->params; i++) {
        t->count[i] = sn_rt_session_count(t->s, &p->param[i].type);
        free(t->param[i]);
        t->param[i] = floats(t->count[i]);
        for (size_t k = 0; k < t->count[i]; k++) t->param[i][k] = sinf((float)(k * 7 + i + 1)) * 0.3f;
        check_ok(sn_rt_session_set_param(t->s, i, t->param[i], t->count[i], err));
    }
    check_ok(sn_rt_session_prepare(t->s, threads, NULL, 0, err));
}

static void twin_init(twin *t, int64_t N, int64_t T, int threads)
{
    memset(t, 0, sizeof *t);
    check_ok(sn_rt_session_new(twin_program(), &t->s, err));
    twin_bind(t, N, T, threads);
}

static void twin_fini(twin *t)
{
    for (int i = 0; i < TWIN_PARAMS; i++) free(t->param[i]);
    sn_rt_session_free(t->s);
}

/* Loss with w[i,o] moved by h, in double precision from the program's own definition is not needed: the program's loss is quadratic in w,
 * so a central difference is exact up to rounding. */
static void test_gradient(void **unused)
{
    (void)unused;
    twin t;
    twin_init(&t, 6, 5, 2);
    check_ok(sn_rt_session_run(t.s, 1, 2, err));
    const float *grad = sn_rt_session_output(t.s, TWIN_GRAD_W);
    for (size_t k = 0; k < t.count[TWIN_W]; k += 37) {
        float g = grad[k], w = t.param[TWIN_W][k], h = 0.5f, up, down;
        t.param[TWIN_W][k] = w + h;
        check_ok(sn_rt_session_run(t.s, 1, 2, err));
        up = *sn_rt_session_output(t.s, TWIN_LOSS);
        t.param[TWIN_W][k] = w - h;
        check_ok(sn_rt_session_run(t.s, 1, 2, err));
        down = *sn_rt_session_output(t.s, TWIN_LOSS);
        t.param[TWIN_W][k] = w;
        check_ok(sn_rt_session_run(t.s, 1, 2, err));
        assert_true(fabsf((up - down) / (2 * h) - g) < 1e-4f);
    }
    twin_fini(&t);
}

static void test_threads_equal(void **unused)
{
    (void)unused;
    twin one, many;
    twin_init(&one, 30, 9, 1);
    check_ok(sn_rt_session_run(one.s, 3, 4, err));
    for (int threads = 2; threads <= 5; threads++) {
        twin_init(&many, 30, 9, threads);
        assert_int_equal(sn_rt_session_threads(many.s), threads);
        for (int repeat = 0; repeat < 10; repeat++) {
            check_ok(sn_rt_session_run(many.s, 3, 4, err));
            for (uint32_t o = 0; o < TWIN_OUTPUTS; o++)
                assert_memory_equal(sn_rt_session_output(many.s, o), sn_rt_session_output(one.s, o),
                                    sn_rt_session_count(one.s, &twin_program()->output[o].type) * sizeof(float));
            for (uint32_t u = 0; u < 2; u++) {
                size_t n, m;
                const float *a = sn_rt_session_update(one.s, u, &n), *b = sn_rt_session_update(many.s, u, &m);
                assert_int_equal(n, m);
                assert_memory_equal(a, b, n * sizeof(float));
            }
        }
        twin_fini(&many);
    }
    twin_fini(&one);
}

/* Every output and update of two sessions is the same. */
static void check_equal(const twin *a, const twin *b)
{
    const sn_abi_program *p = twin_program();
    for (uint32_t o = 0; o < TWIN_OUTPUTS; o++)
        assert_memory_equal(sn_rt_session_output(a->s, o), sn_rt_session_output(b->s, o), sn_rt_session_count(a->s, &p->output[o].type) * sizeof(float));
    for (uint32_t u = 0; u < p->updates; u++) {
        size_t n, m;
        const float *x = sn_rt_session_update(a->s, u, &n), *y = sn_rt_session_update(b->s, u, &m);
        assert_int_equal(n, m);
        assert_memory_equal(x, y, n * sizeof(float));
    }
}

static void move_all(twin *t, uint32_t param, float by)
{
    for (size_t k = 0; k < t->count[param]; k++) t->param[param][k] += by;
}

/* Held parameters: the same results, from fewer calls, until told that they changed. */
static void test_hold(void **unused)
{
    (void)unused;
    const sn_abi_program *p = twin_program();
    twin plain, held;
    twin_init(&plain, 30, 9, 2);
    twin_init(&held, 30, 9, 2);
    check_fails(sn_rt_session_hold(held.s, err), SN_RT_ARGUMENT, err_.text); /* prepared already */
    check_ok(sn_rt_session_bind(held.s, (int64_t[]){30, 9}, err));
    check_ok(sn_rt_session_hold(held.s, err));
    for (uint32_t i = 0; i < p->params; i++) check_ok(sn_rt_session_set_param(held.s, i, held.param[i], held.count[i], err));
    check_ok(sn_rt_session_prepare(held.s, 2, NULL, 0, err));
    assert_true(sn_rt_plan_bytes(held.s, 2) >= sn_rt_plan_bytes(plain.s, 2));
    uint32_t calls = 0;
    for (uint32_t i = 0; i < p->calls; i++) {
        calls += held.s->held[i];
        assert_false(plain.s->held[i]);
    }
    assert_int_equal(calls, 1); /* the queue's centre: all others see an input */
    for (uint64_t step = 0; step < 8; step++) {
        for (uint32_t i = 0; i < p->params; i++) { /* inputs change in every step, what is held in some */
            if (p->param[i].kind != SN_ABI_INPUT && step % 3 != 2) continue;
            move_all(&plain, i, 0.125f);
            move_all(&held, i, 0.125f);
        }
        if (step == 2) sn_rt_session_renew(held.s);
        if (step == 5) check_ok(sn_rt_session_set_param(held.s, TWIN_BIAS, held.param[TWIN_BIAS], held.count[TWIN_BIAS], err));
        check_ok(sn_rt_session_run(plain.s, 3, step, err));
        check_ok(sn_rt_session_run(held.s, 3, step, err));
        check_equal(&plain, &held);
    }
    twin_fini(&plain);
    twin_fini(&held);
}

static void test_plan_is_allocation(void **unused)
{
    (void)unused;
    twin t;
    memset(&t, 0, sizeof t);
    check_ok(sn_rt_session_new(twin_program(), &t.s, err));
    assert_int_equal(sn_rt_plan_bytes(t.s, 2), 0);
    twin_bind(&t, 40, 3, 2);
    size_t planned = sn_rt_plan_bytes(t.s, 2);
    assert_int_equal(planned, t.s->slab_bytes);
    assert_true(sn_rt_plan_live_bytes(t.s) <= planned);
    float before[TWIN_OUT];
    check_ok(sn_rt_session_run(t.s, 1, 1, err));
    memcpy(before, sn_rt_session_output(t.s, TWIN_GRAD_BIAS), sizeof before);

    twin_bind(&t, 8, 2, 1); /* other extents, same code */
    assert_true(sn_rt_plan_bytes(t.s, 1) < planned);
    check_ok(sn_rt_session_run(t.s, 1, 1, err));

    check_ok(sn_rt_session_bind(t.s, (int64_t[]){40, 3}, err)); /* back, in the caller's slab and outputs */
    float *grad = floats(TWIN_OUT);
    check_ok(sn_rt_session_set_output(t.s, TWIN_GRAD_BIAS, grad, TWIN_OUT, err));
    size_t bytes = sn_rt_plan_bytes(t.s, 2);
    void  *slab = aligned_alloc(64, bytes);
    check_fails(sn_rt_session_prepare(t.s, 2, slab, 64, err), SN_RT_ARGUMENT, err_.text);
    check_ok(sn_rt_session_prepare(t.s, 2, slab, bytes, err));
    for (uint32_t i = 0; i < TWIN_PARAMS; i++) {
        size_t n = sn_rt_session_count(t.s, &twin_program()->param[i].type);
        free(t.param[i]);
        t.param[i] = floats(n);
        for (size_t k = 0; k < n; k++) t.param[i][k] = sinf((float)(k * 7 + i + 1)) * 0.3f;
        check_ok(sn_rt_session_set_param(t.s, i, t.param[i], n, err));
    }
    check_ok(sn_rt_session_run(t.s, 1, 1, err));
    assert_memory_equal(grad, before, sizeof before);
    twin_fini(&t);
    free(grad);
    free(slab);
}

static void test_profile(void **unused)
{
    (void)unused;
    twin t;
    twin_init(&t, 60, 50, 2);
    check_ok(sn_rt_session_profile(t.s, true, err));
    for (int i = 0; i < 3; i++) check_ok(sn_rt_session_run(t.s, 1, (uint64_t)i, err));
    double wall = 0;
    for (uint32_t i = 0; i < twin_program()->calls; i++) {
        sn_rt_call_time c = sn_rt_session_call_time(t.s, i);
        assert_true(c.busy > 0 && c.wall > 0);
        wall += c.wall;
    }
    assert_true(wall < 1);
    check_ok(sn_rt_session_profile(t.s, false, err));
    assert_true(sn_rt_session_call_time(t.s, 0).busy == 0);
    twin_fini(&t);
}

/* Calls in order, each with what it wrote; the watcher may end the run. */
typedef struct seen { sn_rt_session *s; uint32_t calls, end; } seen;

static sn_rt_status see(void *context, uint32_t call, sn_rt_error *e)
{
    seen *x = context;
    const sn_abi_call *c = &twin_program()->call[call];
    size_t count;
    assert_int_equal(call, x->calls++);
    for (uint32_t i = 0; i < c->args; i++) assert_true(sn_rt_session_buffer(x->s, c->arg[i], &count) != NULL && count > 0);
    return x->calls == x->end ? sn_rt_fail(e, SN_RT_STOPPED, "enough") : SN_RT_OK;
}

static void test_watch(void **unused)
{
    (void)unused;
    twin a, b;
    twin_init(&a, 60, 50, 2);
    twin_init(&b, 60, 50, 2);
    seen x = {.s = b.s};
    sn_rt_session_watch(b.s, see, &x);
    check_ok(sn_rt_session_run(a.s, 1, 2, err));
    check_ok(sn_rt_session_run(b.s, 1, 2, err));
    assert_int_equal(x.calls, twin_program()->calls);
    check_equal(&a, &b);
    x = (seen){.s = b.s, .end = 2};
    check_fails(sn_rt_session_run(b.s, 1, 3, err), SN_RT_STOPPED, "enough");
    assert_int_equal(x.calls, 2);
    sn_rt_session_watch(b.s, NULL, NULL);
    check_ok(sn_rt_session_run(b.s, 1, 3, err));
    assert_int_equal(x.calls, 2);
    twin_fini(&a);
    twin_fini(&b);
}

static void test_errors(void **unused)
{
    (void)unused;
    sn_rt_session *s;
    float         *data = floats(TWIN_OUT);
    check_ok(sn_rt_session_new(twin_program(), &s, err));
    check_fails(sn_rt_session_run(s, 0, 0, err), SN_RT_ARGUMENT, "a session is run before it is prepared");
    check_fails(sn_rt_session_bind(s, (int64_t[]){0, 1}, err), SN_RT_BAD_SHAPE, "N = 0: must be at least 1");
    check_fails(sn_rt_session_bind(s, (int64_t[]){7, 1}, err), SN_RT_BAD_SHAPE,
                "queue queue: 7 rows a step do not divide its length of 120");
    check_fails(sn_rt_session_bind(s, (int64_t[]){INT64_MAX / 2, 4}, err), SN_RT_BAD_SHAPE, "dimension 4 does not fit in 64 bits");
    check_fails(sn_rt_session_prepare(s, 1, NULL, 0, err), SN_RT_ARGUMENT, "a session is prepared before it is bound");
    check_ok(sn_rt_session_bind(s, (int64_t[]){4, 1}, err));
    check_fails(sn_rt_session_set_param(s, TWIN_BIAS, data, 3, err), SN_RT_BAD_SHAPE, "parameter q.bias: 3 elements given, 8 expected");
    check_fails(sn_rt_session_set_param(s, TWIN_BIAS, data + 1, 8, err), SN_RT_ARGUMENT, "parameter q.bias: memory must be aligned to 64 bytes");
    check_fails(sn_rt_session_set_param(s, 99, data, 8, err), SN_RT_ARGUMENT, "no parameter 99");
    check_ok(sn_rt_session_prepare(s, 1, NULL, 0, err));
    check_fails(sn_rt_session_set_output(s, TWIN_GRAD_BIAS, data, 8, err), SN_RT_ARGUMENT,
                "output grad.q.bias was planned into the slab: set it before preparing");
    check_fails(sn_rt_session_run(s, 0, 0, err), SN_RT_MISSING, "parameter view_q was not set");
    sn_rt_session_free(s);
    free(data);

    sn_abi_program wrong = *twin_program();
    wrong.version = 99;
    check_fails(sn_rt_session_new(&wrong, &s, err), SN_RT_FORMAT, "compiled program has interface version 99, this runtime has 3");
    wrong = *twin_program();
    wrong.buffers = 10;
    check_fails(sn_rt_session_new(&wrong, &s, err), SN_RT_FORMAT, "compiled program: call 2: argument is no buffer");
}

static void test_find(void **unused)
{
    (void)unused;
    assert_int_equal(sn_rt_find_param(twin_program(), "queue"), TWIN_QUEUE_STATE);
    assert_int_equal(sn_rt_find_output(twin_program(), "features"), TWIN_FEATURES);
    assert_int_equal(sn_rt_find_symbol(twin_program(), "T"), 1);
    assert_int_equal(sn_rt_find_symbol(twin_program(), "V"), SN_RT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradient), cmocka_unit_test(test_threads_equal), cmocka_unit_test(test_plan_is_allocation),
        cmocka_unit_test(test_profile),  cmocka_unit_test(test_errors),        cmocka_unit_test(test_find),
        cmocka_unit_test(test_hold),     cmocka_unit_test(test_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
