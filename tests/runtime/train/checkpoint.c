/* Tests of checkpoints: round trip and continuation bit for bit, damage, other programs and recipes, which files are kept. */
#include "twin_store.h"

#include "runtime/data/file.h"
#include "runtime/data/safetensors.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/optimizer.h"

#include <math.h>
#include <unistd.h>

static const sn_rt_sgd  sgd = {0.9, 1e-4, false};
static const sn_rt_adam adam = {0.9, 0.999, 1e-8, 1e-4};

static void train(twin_store *t, uint64_t from, uint64_t to)
{
    for (uint64_t step = from; step < to; step++) {
        for (uint32_t v = 0; v < 2; v++)
            for (size_t k = 0; k < t->view_count; k++) t->view[v][k] = (float)((k * 2654435761u + step * 97 + v) % 1000) / 500 - 1;
        sn_rt_store_follow(t->store, 2);
        check_ok(sn_rt_session_run(t->s, 5, step, err));
        sn_rt_store_update(t->store, t->s);
        if (sn_rt_store_second(t->store, TWIN_W, &(size_t){0})) sn_rt_adam_step(t->store, &adam, 0.05, step, 2);
        else sn_rt_sgd_step(t->store, &sgd, 0.05, 2);
    }
}

static void check_same_file(const char *a, const char *b)
{
    char  *x, *y;
    size_t n, m;
    check_ok(sn_rt_file_read(a, SIZE_MAX, &x, &n, err));
    check_ok(sn_rt_file_read(b, SIZE_MAX, &y, &m, err));
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

static sn_rt_progress progress(uint64_t step) { return (sn_rt_progress){step, 5, "set of 10", "batch = 8\nrate = 0.05\n"}; }

static void check_resume(bool with_second)
{
    twin_store a, b;
    sn_rt_progress p = progress(13), q = progress(5), read = progress(0);
    twin_store_init(&a, 8, 3, 2, 5);
    if (with_second) check_ok(sn_rt_store_add_second(a.store, err));
    train(&a, 0, 5);
    check_ok(sn_rt_checkpoint_write("five.safetensors", a.store, &q, 2, err));
    train(&a, 5, 13);
    check_ok(sn_rt_checkpoint_write("whole.safetensors", a.store, &p, 2, err));
    twin_store_init(&b, 8, 3, 1, 999);
    if (with_second) check_ok(sn_rt_store_add_second(b.store, err));
    read.seed = 0;
    check_ok(sn_rt_checkpoint_read("five.safetensors", b.store, &read, err));
    assert_int_equal(read.step, 5);
    assert_int_equal(read.seed, 5);
    train(&b, 5, 13);
    check_ok(sn_rt_checkpoint_write("resumed.safetensors", b.store, &p, 1, err));
    check_same_file("whole.safetensors", "resumed.safetensors");
    twin_store_fini(&b);

    twin_store_init(&b, 8, 3, 1, 999); /* a checkpoint is a weights file */
    check_ok(sn_rt_weights_read("whole.safetensors", b.store, err));
    assert_memory_equal(twin_param(&a, TWIN_COPY), twin_param(&b, TWIN_COPY), TWIN_IN * TWIN_OUT * sizeof(float));
    check_ok(sn_rt_weights_write("weights.safetensors", b.store, err));
    twin_store_fini(&a);
    twin_store_fini(&b);
}

static void test_resume(void **unused) { (void)unused, check_resume(false), check_resume(true); }

static void test_other_run(void **unused)
{
    (void)unused;
    twin_store t;
    sn_rt_progress p = progress(3);
    twin_store_init(&t, 8, 3, 2, 5);
    check_ok(sn_rt_checkpoint_write("three.safetensors", t.store, &p, 2, err));
    p.recipe = "batch = 8\nrate = 0.1\n";
    check_fails(sn_rt_checkpoint_read("three.safetensors", t.store, &p, err), SN_RT_ARGUMENT,
                "three.safetensors: made with another recipe: \"rate = 0.05\" there, \"rate = 0.1\" here");
    p = progress(3);
    p.data = "set of 11";
    check_fails(sn_rt_checkpoint_read("three.safetensors", t.store, &p, err), SN_RT_ARGUMENT,
                "three.safetensors: made with another data: \"set of 10\" there, \"set of 11\" here");
    p = progress(3);
    check_ok(sn_rt_weights_write("plain.safetensors", t.store, err));
    check_fails(sn_rt_checkpoint_read("plain.safetensors", t.store, &p, err), SN_RT_FORMAT,
                "plain.safetensors: no checkpoint: metadata \"sinew.kind\" is absent");
    twin_param(&t, TWIN_BIAS)[2] = NAN;
    check_fails(sn_rt_checkpoint_write("three.safetensors", t.store, &p, 2, err), SN_RT_DIVERGED,
                "step 3: q.bias holds a value that is not finite; no checkpoint is written");
    check_ok(sn_rt_checkpoint_read("three.safetensors", t.store, &p, err)); /* the good one is still there */
    assert_true(twin_param(&t, TWIN_BIAS)[2] == 0.5f);
    check_fails(sn_rt_checkpoint_write("absent/x.safetensors", t.store, &p, 2, err), SN_RT_IO, err_.text);
    twin_store_fini(&t);
}

static void test_partial_weights(void **unused)
{
    (void)unused;
    twin_store t;
    twin_store_init(&t, 8, 3, 2, 5);
    sn_rt_tensors *set = sn_rt_tensors_new();
    float          w[TWIN_IN * TWIN_OUT], bias[TWIN_OUT] = {1}, scale[3] = {4, 5, 6};
    for (int k = 0; k < TWIN_IN * TWIN_OUT; k++) w[k] = (float)k;
    check_ok(sn_rt_tensors_add(set, "q.w", SN_RT_ELEM_F32, 2, (uint64_t[]){TWIN_IN, TWIN_OUT}, w, NULL, err));
    check_ok(sn_rt_tensors_add(set, "q.bias", SN_RT_ELEM_F32, 1, (uint64_t[]){TWIN_OUT}, bias, NULL, err));
    check_ok(sn_rt_tensors_write(set, "partial.safetensors", err));
    float before = twin_param(&t, TWIN_W)[3];
    check_fails(sn_rt_weights_read("partial.safetensors", t.store, err), SN_RT_MISSING, err_.text);
    assert_true(twin_param(&t, TWIN_W)[3] == before);
    check_ok(sn_rt_tensors_add(set, "q.scale", SN_RT_ELEM_F32, 1, (uint64_t[]){3}, scale, NULL, err));
    check_ok(sn_rt_tensors_write(set, "partial.safetensors", err));
    check_ok(sn_rt_weights_read("partial.safetensors", t.store, err));
    assert_memory_equal(twin_param(&t, TWIN_COPY), w, sizeof w); /* absent copy: equal to its weight */
    sn_rt_tensors_free(set);
    twin_store_fini(&t);
}

/* Every truncation and flipped bit is an error and leaves the store untouched. */
static void test_damage(void **unused)
{
    (void)unused;
    twin_store t;
    sn_rt_progress p = progress(3);
    twin_store_init(&t, 8, 3, 2, 5);
    train(&t, 0, 3);
    check_ok(sn_rt_checkpoint_write("good.safetensors", t.store, &p, 2, err));
    char  *bytes;
    size_t size;
    float  before[TWIN_OUT];
    memcpy(before, twin_param(&t, TWIN_AVERAGE), sizeof before);
    check_ok(sn_rt_file_read("good.safetensors", SIZE_MAX, &bytes, &size, err));
    for (int i = 0; i < 120; i++) {
        size_t at = (size_t)i * 2654435761u % size;
        bool   cut = i % 2;
        FILE  *f = fopen("bad.safetensors", "wb");
        bytes[at] = (char)(bytes[at] ^ (cut ? 0 : 1 << i / 2 % 8));
        assert_int_equal(fwrite(bytes, 1, cut ? at : size, f), cut ? at : size);
        fclose(f);
        bytes[at] = (char)(bytes[at] ^ (cut ? 0 : 1 << i / 2 % 8));
        sn_rt_error    err = {""};
        sn_rt_progress q = progress(0);
        sn_rt_status   status = sn_rt_checkpoint_read("bad.safetensors", t.store, &q, &err);
        assert_int_not_equal(status, SN_RT_OK);
        assert_non_null(strstr(err.text, "bad.safetensors"));
        assert_memory_equal(before, twin_param(&t, TWIN_AVERAGE), sizeof before);
    }
    free(bytes);
    twin_store_fini(&t);
}

static void test_bad_head(void **unused)
{
    (void)unused;
    twin_store t;
    sn_rt_progress p = progress(3);
    twin_store_init(&t, 8, 3, 2, 5);
    *sn_rt_store_head(t.store, TWIN_QUEUE_STATE) = TWIN_QUEUE;
    check_ok(sn_rt_checkpoint_write("head.safetensors", t.store, &p, 2, err));
    check_fails(sn_rt_checkpoint_read("head.safetensors", t.store, &p, err), SN_RT_FORMAT, "head.safetensors: head:queue is 120, but the queue has 120 rows");
    twin_store_fini(&t);
}

static void touch(const char *name)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fclose(f);
}

static void test_files(void **unused)
{
    (void)unused;
    char     path[64];
    uint64_t newest;
    assert_int_equal(system("rm -rf run && mkdir run"), 0);
    assert_false(sn_rt_checkpoint_newest("run", &newest));
    for (uint64_t step = 1; step < 6; step++) {
        sn_rt_checkpoint_path("run", step * 10, path, sizeof path);
        touch(path);
    }
    touch("run/checkpoint-00000060.safetensors.tmp12-0");
    touch("run/checkpoint-notes.txt");
    assert_true(sn_rt_checkpoint_newest("run", &newest));
    assert_int_equal(newest, 50);
    sn_rt_checkpoint_keep("run", 2);
    assert_int_equal(access("run/checkpoint-00000050.safetensors", F_OK), 0);
    assert_int_equal(access("run/checkpoint-00000040.safetensors", F_OK), 0);
    assert_int_not_equal(access("run/checkpoint-00000030.safetensors", F_OK), 0);
    assert_int_not_equal(access("run/checkpoint-00000060.safetensors.tmp12-0", F_OK), 0);
    assert_int_equal(access("run/checkpoint-notes.txt", F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume), cmocka_unit_test(test_other_run), cmocka_unit_test(test_partial_weights),
        cmocka_unit_test(test_damage), cmocka_unit_test(test_bad_head),  cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
