/* Every allocation of a trainer, a step and a checkpoint fails once: the answer is SN_RT_MEMORY, and nothing leaks or crashes.
 * The linker routes malloc, calloc, realloc and page allocation of the libraries through here. */
#include "../abi_twin.h"
#include "../data/check.h"

#include "runtime/train/checkpoint.h"
#include "runtime/train/trainer.h"

static long countdown = -1; /* the allocation that fails; -1: none */

static int fails_now(void) { return countdown >= 0 && countdown-- == 0; }

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t n);
void *__real_sn_rt_pages_new(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t n);
void *__wrap_sn_rt_pages_new(size_t n);
void *__wrap_malloc(size_t n) { return fails_now() ? NULL : __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t size) { return fails_now() ? NULL : __real_calloc(n, size); }
void *__wrap_realloc(void *old, size_t n) { return fails_now() ? NULL : __real_realloc(old, n); }
void *__wrap_sn_rt_pages_new(size_t n) { return fails_now() ? NULL : __real_sn_rt_pages_new(n); }

static sn_rt_status whole(sn_rt_error *err)
{
    static const int64_t     extent[] = {8, 3};
    static const char *const input[] = {"view_q", "view_k"};
    static _Alignas(64) float view[8 * 3 * TWIN_IN];
    const float *const       list[] = {view, view};
    sn_rt_training training = {twin_program(), extent, input, 2, {.sgd = {0.9, 1e-4, false}}, 1, 1, NULL};
    sn_rt_progress progress = {1, 1, "data", "recipe"};
    sn_rt_trainer *t = NULL;
    sn_rt_status   status = sn_rt_trainer_new(&training, &t, err);
    if (status == SN_RT_OK) status = sn_rt_session_profile(sn_rt_trainer_session(t), true, err);
    long before = countdown;
    if (status == SN_RT_OK) status = sn_rt_trainer_step(t, list, 0, 0.1, err);
    if (status == SN_RT_OK) assert_int_equal(countdown, before); /* a step allocates nothing */
    if (status == SN_RT_OK) status = sn_rt_checkpoint_write("memory.safetensors", sn_rt_trainer_store(t), &progress, 1, err);
    if (status == SN_RT_OK) status = sn_rt_checkpoint_read("memory.safetensors", sn_rt_trainer_store(t), &progress, err);
    sn_rt_trainer_free(t);
    return status;
}

static void test_every_allocation(void **unused)
{
    (void)unused;
    long n = 0;
    for (;; n++) {
        sn_rt_error err = {""};
        countdown = n;
        sn_rt_status status = whole(&err);
        bool         reached = countdown < 0;
        countdown = -1;
        if (!reached) {
            assert_int_equal(status, SN_RT_OK);
            break;
        }
        if (status != SN_RT_MEMORY) fail_msg("allocation %ld: status %d: %s", n, (int)status, err.text);
        assert_true(err.text[0]);
    }
    print_message("%ld allocations\n", n);
    assert_true(n > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
