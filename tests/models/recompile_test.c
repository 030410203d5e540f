/* Another batch, another length of sequences: everything comes from the cache.
 * Not what the cache does with damaged files (tests/codegen/cache_test.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "frontend/training.h"

static char cache[32]; /* in the working folder */

/* Make the recipe with the settings after it, NULL last; kernels that were compiled. */
static uint32_t compiled(const char *recipe, const char *const *set)
{
    sn_training t;
    sn_rt_error err = {""};
    uint32_t    sets = 0;
    while (set[sets]) sets++;
    if (!sn_training_open(&t, recipe, set, sets, cache, NULL, NULL, &err)) {
        sn_training_complain(&t, "test", &err);
        fail();
    }
    const sn_compile_stats s = t.program.stats;
    assert_int_equal(t.diags.count, 0);
    assert_true(s.distinct > 50);
    sn_training_close(&t);
    return s.distinct - s.cached;
}

/* `other` is a queue length that no check before used: recipes share kernels. */
static void check(const char *recipe, const char *other)
{
    static const char *const hidden = "hidden=4", *const queue = "queue=512";
    assert_true(compiled(recipe, (const char *[]){hidden, queue, "batch=8", NULL}) > 50);
    assert_int_equal(compiled(recipe, (const char *[]){hidden, queue, "batch=8", NULL}), 0);
    assert_int_equal(compiled(recipe, (const char *[]){hidden, queue, "batch=64", NULL}), 0);
    assert_int_equal(compiled(recipe, (const char *[]){hidden, queue, "batch=8", "frames=450", NULL}), 0);
    assert_int_equal(compiled(recipe, (const char *[]){hidden, queue, "batch=3", "frames=77", NULL}), 0);
    /* The queue's length is a constant of its kernels: loss, gradient and ranks of both queues, no others. */
    assert_in_range(compiled(recipe, (const char *[]){hidden, other, "batch=8", NULL}), 1, 8);
}

static void test_stgcn(void **unused)
{
    (void)unused;
    check(MODELS "/recipes/moco_stgcn.json", "queue=1024");
}

static void test_agcn(void **unused)
{
    (void)unused;
    check(MODELS "/recipes/moco_agcn.json", "queue=2048");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stgcn), cmocka_unit_test(test_agcn)};
    snprintf(cache, sizeof cache, "recompile-%d", (int)getpid());
    if (mkdir(cache, 0700)) return 1;
    int  failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", cache);
    return system(command) != 0 || failed;
}
