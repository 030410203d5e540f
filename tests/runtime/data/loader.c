/* Tests of the loader: clip rule, determinism, resume, shutdown, messages.
 * Not a test of the augmentations. */
#include "check.h"

#include "runtime/data/augment.h"
#include "runtime/data/loader.h"
#include "runtime/data/resize.h"

#include <time.h>
#include <unistd.h>

/* One joint; x = 1000 * sequence + frame, so that a value tells where it is from. */
static sn_rt_dataset *make_set(const size_t *frames, const char *const *splits, size_t count)
{
    sn_rt_dataset *set = sn_rt_dataset_new("raw");
    uint32_t body;
    check_ok(sn_rt_dataset_body(set, &(sn_rt_body){"dot", 1, (const char *[]){"dot"}, (int32_t[]){-1}}, &body, err));
    for (size_t i = 0; i < count; i++) {
        float *x = calloc(frames[i], 3 * sizeof *x);
        for (size_t t = 0; t < frames[i]; t++)
            x[3 * t] = (float)(1000 * i + t);
        char id[16];
        snprintf(id, sizeof id, "s%zu", i);
        sn_rt_sequence s = {.id = id, .file = "f", .source = "made", .split = splits ? splits[i] : "pretrain",
                            .body = body, .fps = 10, .source_fps = 10, .frames = frames[i], .joints = 1, .x = x};
        check_ok(sn_rt_dataset_add(set, &s, err));
        free(x);
    }
    return set;
}

static sn_rt_loader_config config_of(const sn_rt_dataset *set)
{
    return (sn_rt_loader_config){.set = set, .seed = 9, .batch = 3, .frames = 12, .views = 2,
                                 .view = {"basic", "none"}, .clip_seconds = 1, .stride_seconds = 0.4};
}

static void clip_rule(void **state)
{
    (void)state;
    sn_rt_dataset *set = make_set((size_t[]){7, 10, 25, 18}, NULL, 4);
    sn_rt_loader_config config = config_of(set);
    sn_rt_loader *l;
    check_ok(sn_rt_loader_open(&config, &l, err));
    /* Windows of 10 frames every 4: 25 frames give 0, 4, 8, 12 and the last one at 15; 18 frames end with 8. */
    static const sn_rt_clip expected[] = {{0, 0, 7},   {1, 0, 10},  {2, 0, 10}, {2, 4, 10}, {2, 8, 10},
                                          {2, 12, 10}, {2, 15, 10}, {3, 0, 10}, {3, 4, 10}, {3, 8, 10}};
    assert_int_equal(sn_rt_loader_clips(l), sizeof expected / sizeof *expected);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_memory_equal(sn_rt_loader_clip(l, i), &expected[i], sizeof *expected);
    assert_int_equal(sn_rt_loader_steps(l), 3);
    assert_int_equal(sn_rt_loader_joints(l), 1);
    sn_rt_loader_close(l);
    sn_rt_dataset_free(set);
}

/* An epoch shows distinct clips; view "none" is the clip resized; another epoch has another order. */
static void an_epoch(void **state)
{
    (void)state;
    sn_rt_dataset *set = make_set((size_t[]){7, 10, 25, 18}, NULL, 4);
    sn_rt_loader_config config = config_of(set);
    sn_rt_loader *l;
    uint32_t order[2][9];
    check_ok(sn_rt_loader_open(&config, &l, err));
    for (uint64_t epoch = 0; epoch < 2; epoch++) {
        int seen[10] = {0};
        for (uint64_t step = 0; step < 3; step++) {
            sn_rt_batch b;
            check_ok(sn_rt_loader_next(l, &b, err));
            assert_int_equal(b.epoch, epoch);
            assert_int_equal(b.step, step);
            for (size_t row = 0; row < 3; row++) {
                const sn_rt_clip *clip = sn_rt_loader_clip(l, b.clip[row]);
                float expected[36];
                sn_rt_resize(sn_rt_dataset_at(set, clip->sequence)->x + 3 * clip->start, clip->frames, 1, expected, 12);
                assert_memory_equal(b.view[1] + 36 * row, expected, sizeof expected);
                assert_int_equal(seen[b.clip[row]]++, 0);
                order[epoch][3 * step + row] = b.clip[row];
            }
        }
    }
    assert_memory_not_equal(order[0], order[1], sizeof order[0]);
    sn_rt_loader_close(l);
    sn_rt_dataset_free(set);
}

enum { STEPS = 14, ROW = 36, SIZE = 3 * ROW };

static void copy_next(sn_rt_loader *l, float out[2][SIZE])
{
    sn_rt_batch b;
    check_ok(sn_rt_loader_next(l, &b, err));
    memcpy(out[0], b.view[0], sizeof out[0]);
    memcpy(out[1], b.view[1], sizeof out[1]);
}

/* The same bytes whether the caller is fast or slow, and after a seek to any position. */
static void deterministic_and_resumable(void **state)
{
    (void)state;
    sn_rt_dataset *set = make_set((size_t[]){7, 10, 25, 18}, NULL, 4);
    sn_rt_loader_config config = config_of(set);
    static float first[STEPS][2][SIZE], again[2][SIZE];
    sn_rt_loader *l;
    check_ok(sn_rt_loader_open(&config, &l, err));
    for (int i = 0; i < STEPS; i++)
        copy_next(l, first[i]);
    sn_rt_loader_close(l);
    check_ok(sn_rt_loader_open(&config, &l, err));
    for (int i = 0; i < STEPS; i++) {
        nanosleep(&(struct timespec){0, i % 3 * 1000000}, NULL);
        copy_next(l, again);
        assert_memory_equal(again, first[i], sizeof again);
    }
    for (int i = STEPS - 1; i >= 0; i--) {
        check_ok(sn_rt_loader_seek(l, (uint64_t)i / 3, (uint64_t)i % 3, err));
        for (int k = i; k < STEPS && k < i + 4; k++) {
            copy_next(l, again);
            assert_memory_equal(again, first[k], sizeof again);
        }
    }
    sn_rt_loader_close(l);
    config.seed = 10;
    check_ok(sn_rt_loader_open(&config, &l, err));
    copy_next(l, again);
    assert_memory_not_equal(again, first[0], sizeof again);
    sn_rt_loader_close(l);
    sn_rt_dataset_free(set);
}

/* "basic" of M persons, 12 frames, one joint. */
static void augment(sn_rt_random *r, const float *in, size_t M, float *out)
{
    sn_rt_augmentation basic;
    sn_rt_drawn drawn;
    float scratch[2 * ROW];
    check_ok(sn_rt_augmentation_parse("basic", &basic, err));
    sn_rt_augment_draw(&basic, r, (sn_rt_clip_size){M, 12, 1}, &drawn);
    sn_rt_augment_apply(&basic, &drawn, r, (sn_rt_clip_size){M, 12, 1}, in, scratch, out);
}

/* Two basic views of one clip differ, and view streams are as documented. */
static void views_have_their_own_numbers(void **state)
{
    (void)state;
    sn_rt_dataset *set = make_set((size_t[]){30, 30, 30}, NULL, 3);
    sn_rt_loader_config config = config_of(set);
    config.view[1] = "basic";
    config.clip_seconds = 3;
    sn_rt_loader *l;
    sn_rt_batch b;
    check_ok(sn_rt_loader_open(&config, &l, err));
    check_ok(sn_rt_loader_next(l, &b, err));
    check_ok(sn_rt_loader_next(l, &b, err));
    for (uint32_t row = 0; row < 3; row++) {
        float clip[ROW], expected[ROW];
        sn_rt_resize(sn_rt_dataset_at(set, b.clip[row])->x, 30, 1, clip, 12);
        for (uint32_t v = 0; v < 2; v++) {
            sn_rt_random r;
            sn_rt_random_start(&r, 9, SN_RT_FOR_AUGMENT, 1, row * 2 + v);
            augment(&r, clip, 1, expected);
            assert_memory_equal(b.view[v] + row * ROW, expected, sizeof expected);
        }
        assert_memory_not_equal(b.view[0] + row * ROW, b.view[1] + row * ROW, sizeof expected);
    }
    sn_rt_loader_close(l);
    sn_rt_dataset_free(set);
}

/* Two persons of a row are cropped and sheared alike; a sequence of one has zeros for the second, one of two gives its first. */
static void persons(void **state)
{
    (void)state;
    sn_rt_dataset *set = make_set((size_t[]){12}, NULL, 1);
    float x[2 * ROW], clip[2 * ROW], expected[2 * ROW];
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        x[i] = (float)(i * i % 31);
    sn_rt_sequence s = *sn_rt_dataset_at(set, 0);
    s.id = "two";
    s.x = x;
    s.persons = 2;
    check_ok(sn_rt_dataset_add(set, &s, err));
    for (uint32_t M = 1; M <= 2; M++) {
        sn_rt_loader_config config = config_of(set);
        config.batch = 2;
        config.persons = M;
        config.clip_seconds = 3;
        sn_rt_loader *l;
        sn_rt_batch b;
        check_ok(sn_rt_loader_open(&config, &l, err));
        check_ok(sn_rt_loader_next(l, &b, err));
        for (uint32_t row = 0; row < 2; row++) {
            const sn_rt_sequence *from = sn_rt_dataset_at(set, b.clip[row]);
            memset(clip, 0, sizeof clip);
            memcpy(clip, from->x, (from->persons < M ? from->persons : M) * ROW * sizeof *clip);
            sn_rt_random r;
            sn_rt_random_start(&r, 9, SN_RT_FOR_AUGMENT, 0, row * 2);
            augment(&r, clip, M, expected);
            assert_memory_equal(b.view[0] + row * M * ROW, expected, M * ROW * sizeof *expected);
            assert_memory_equal(b.view[1] + row * M * ROW, clip, M * ROW * sizeof *clip);
        }
        sn_rt_loader_close(l);
    }
    sn_rt_dataset_free(set);
}

static void splits(void **state)
{
    (void)state;
    sn_rt_dataset *set = make_set((size_t[]){9, 9, 9, 9}, (const char *[]){"train", "val", "pretrain", "train"}, 4);
    sn_rt_loader_config config = config_of(set);
    sn_rt_loader *l = NULL;
    config.splits = "pretrain,train";
    check_ok(sn_rt_loader_open(&config, &l, err));
    assert_int_equal(sn_rt_loader_clips(l), 3);
    assert_int_equal(sn_rt_loader_clip(l, 1)->sequence, 2);
    sn_rt_loader_close(l);
    config.splits = "train,tain";
    check_fails(sn_rt_loader_open(&config, &l, err), SN_RT_ARGUMENT,
                "split \"tain\" is not pretrain, train, val or test");
    config.splits = "val";
    check_fails(sn_rt_loader_open(&config, &l, err), SN_RT_ARGUMENT,
                "loader: 1 clips (splits val) do not fill a batch of 3");
    config = config_of(set);
    config.view[1] = "strong";
    check_fails(sn_rt_loader_open(&config, &l, err), SN_RT_BAD_SHAPE,
                "loader: view 1: augmentation flip is for 25 joints, found 1");
    config.views = 9;
    check_fails(sn_rt_loader_open(&config, &l, err), SN_RT_ARGUMENT, "loader: 9 views, expected 1 to 8");
    config = config_of(set);
    check_ok(sn_rt_loader_open(&config, &l, err));
    check_fails(sn_rt_loader_seek(l, 0, 1, err), SN_RT_ARGUMENT, "loader: step 1, an epoch has 1");
    sn_rt_loader_close(l);
    sn_rt_dataset_free(set);
}

/* Rows keep their time; every frame has the lowest of its labels' classes, background or none; what is behind a short sequence has none. */
static void labels(void **state)
{
    (void)state;
    sn_rt_dataset *set = make_set((size_t[]){7, 10, 25, 18}, NULL, 4);
    check_ok(sn_rt_dataset_label(set, 2, 3, 8, "walk", "made", err));
    check_ok(sn_rt_dataset_label(set, 2, 6, 20, "turn", "made", err));
    check_ok(sn_rt_dataset_label(set, 0, 0, 2, "walk", "made", err));
    check_ok(sn_rt_dataset_label(set, 0, 2, 5, "other", "made", err));
    sn_rt_classes *all = NULL, *two = NULL, *none = NULL;
    check_ok(sn_rt_classes_new(set, NULL, &all, err));
    assert_int_equal(all->count, 3);
    check_fails(sn_rt_classes_new(set, "walk,run", &none, err), SN_RT_ARGUMENT, "class \"run\" is no label of the set, which has walk, turn, other");
    check_fails(sn_rt_classes_new(set, "walk,walk", &none, err), SN_RT_ARGUMENT, "class \"walk\" stands twice");
    check_ok(sn_rt_classes_new(set, "turn,walk", &two, err));
    sn_rt_loader_config config = config_of(set);
    config.view[0] = "noise";
    config.classes = two;
    config.stride_seconds = 0.5;
    for (int ignore = 0; ignore < 2; ignore++) {
        float expected[4][25];
        for (int i = 0; i < 4; i++)
            for (int t = 0; t < 25; t++) expected[i][t] = ignore ? -1 : 2;
        for (int t = 3; t < 20; t++) expected[2][t] = t < 6 ? 1 : 0;
        for (int t = 0; t < 5; t++) expected[0][t] = t < 2 ? 1 : 2;
        two->ignore_unlabelled = ignore != 0;
        sn_rt_loader *l;
        check_ok(sn_rt_loader_open(&config, &l, err));
        for (int step = 0; step < 6; step++) {
            sn_rt_batch b;
            check_ok(sn_rt_loader_next(l, &b, err));
            for (size_t row = 0; row < 3; row++) {
                const sn_rt_clip *clip = sn_rt_loader_clip(l, b.clip[row]);
                for (size_t t = 0; t < 12; t++) {
                    bool there = t < clip->frames;
                    assert_true(b.view[1][(row * 12 + t) * 3] == (there ? (float)(1000 * clip->sequence + clip->start + t) : 0));
                    assert_true(b.label[row * 12 + t] == (there ? expected[clip->sequence][clip->start + t] : -1));
                }
            }
        }
        sn_rt_loader_close(l);
    }
    config.only = (bool[]){false, true, true, false};
    sn_rt_loader *l;
    check_ok(sn_rt_loader_open(&config, &l, err));
    for (size_t i = 0; i < sn_rt_loader_clips(l); i++) assert_int_equal(sn_rt_loader_clip(l, i)->sequence, i ? 2 : 1);
    sn_rt_loader_close(l);
    config.view[0] = "basic";
    check_fails(sn_rt_loader_open(&config, &l, err), SN_RT_ARGUMENT, "loader: view 0: crop moves frames away from their labels");
    sn_rt_classes_free(all);
    sn_rt_classes_free(two);
    sn_rt_dataset_free(set);
}

/* Close at once, and after any number of batches, without waiting for the caller to take them. */
static void shutdown_at_any_time(void **state)
{
    (void)state;
    sn_rt_dataset *set = make_set((size_t[]){100, 100}, NULL, 2);
    sn_rt_loader_config config = config_of(set);
    for (int taken = 0; taken < 20; taken++) {
        sn_rt_loader *l;
        sn_rt_batch b;
        check_ok(sn_rt_loader_open(&config, &l, err));
        for (int i = 0; i < taken; i++)
            check_ok(sn_rt_loader_next(l, &b, err));
        sn_rt_loader_close(l);
    }
    sn_rt_loader_close(NULL);
    sn_rt_dataset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clip_rule), cmocka_unit_test(an_epoch), cmocka_unit_test(deterministic_and_resumable),
        cmocka_unit_test(views_have_their_own_numbers), cmocka_unit_test(persons), cmocka_unit_test(splits), cmocka_unit_test(labels),
        cmocka_unit_test(shutdown_at_any_time),
    };
    return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
