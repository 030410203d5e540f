/* Tests of composed sequences: headings meet, poses are faded into each other, wrong tables are named by line.
 * Not a test of the verb (verbs.sh). */
#include "check.h"

#include "runtime/data/compose.h"
#include "runtime/data/file.h"
#include "runtime/data/skeleton.h"

#include <math.h>

enum { FRAMES = 8, POSE = SN_RT_JOINTS * 3 };

static void write_table(const char *rows)
{
    char text[1024];
    int  size = snprintf(text, sizeof text, "seq,fps,start_frame,end_frame,label,clip,source\n%s", rows);
    check_ok(sn_rt_file_replace("table.csv", text, (size_t)size, err));
}

/* A person of 25 joints with some depth, who turns from heading `from` to `to`; `lift` raises the head. */
static void add_clip(sn_rt_dataset *set, const char *id, double from, double to, float lift)
{
    float x[FRAMES * POSE] = {0};
    for (int t = 0; t < FRAMES; t++) {
        double a = from + (to - from) * t / (FRAMES - 1), c = cos(a), s = sin(a);
        for (int j = 0; j < SN_RT_JOINTS; j++) {
            double side = j == 4 || j == 12 ? -0.2 : j == 8 || j == 16 ? 0.2 : 0, front = 0.01 * j;
            float *p = &x[t * POSE + 3 * j];
            p[0] = (float)(c * side - s * front);
            p[1] = (float)(s * side + c * front);
            p[2] = 0.04f * (float)j + (j == 3 ? lift : 0);
        }
    }
    const char    *joint[SN_RT_JOINTS];
    sn_rt_body     body = {"person", SN_RT_JOINTS, joint, sn_rt_joint_parent};
    sn_rt_sequence q = {.id = id, .file = "made", .source = "made", .split = "pretrain", .fps = 30, .source_fps = 30, .frames = FRAMES, .joints = SN_RT_JOINTS, .x = x};
    for (int j = 0; j < SN_RT_JOINTS; j++) joint[j] = sn_rt_joint_name[j];
    check_ok(sn_rt_dataset_body(set, &body, &q.body, err));
    check_ok(sn_rt_dataset_add(set, &q, err));
}

static sn_rt_dataset *clips(void)
{
    sn_rt_dataset *set = sn_rt_dataset_new("ntu25");
    add_clip(set, "turn", 0, 1.5, 0);
    add_clip(set, "still", 0.7, 0.7, 0);
    add_clip(set, "nod", 0, 0, 0.1f);
    return set;
}

/* "turn" ends at 1.5; "still" goes on there, though it was recorded at 0.7, and no pose differs, so nothing is faded. "nod" has another head. */
static void joins(void **state)
{
    (void)state;
    sn_rt_dataset *set = clips(), *out = sn_rt_dataset_new("ntu25");
    sn_rt_compose  how = {"table.csv", NULL, "val", 3};
    size_t         added;
    write_table("a,30,0,8,x,turn,me\na,30,8,16,,still,me\na,30,16,24,y,nod,\nb,30,0,8,x,nod,me\n");
    check_ok(sn_rt_compose_add(set, &how, out, &added, err));
    assert_int_equal(added, 2);
    const sn_rt_sequence *q = sn_rt_dataset_at(out, 0);
    assert_string_equal(q->id, "a");
    assert_string_equal(q->split, "val");
    assert_string_equal(q->file, "table.csv");
    assert_int_equal(q->frames, 24);
    const float *end = q->x + 7 * POSE;
    for (int t = 8; t < 24; t++)
        for (int i = 0; i < POSE; i++)
            if (i != 3 * 3 + 2 || t < 16) assert_true(fabsf(q->x[t * POSE + i] - end[i]) < 1e-6f);
    /* s = 1/4, 2/4, 3/4: 27/32, 16/32, 5/32 of the difference are left, then nothing */
    static const float left[] = {27 / 32.0f, 0.5f, 5 / 32.0f, 0, 0, 0, 0, 0};
    for (int k = 0; k < FRAMES; k++) assert_true(fabsf(q->x[(16 + k) * POSE + 11] - (0.12f + 0.1f * (1 - left[k]))) < 1e-6f);
    assert_int_equal(q->segments, 2);
    assert_true(q->segment[1].start == 16 && q->segment[1].end == 24);
    assert_string_equal(sn_rt_dataset_label_name(out, q->segment[1].label), "y");
    assert_string_equal(sn_rt_dataset_origin_name(out, q->segment[0].origin), "me");
    assert_string_equal(sn_rt_dataset_origin_name(out, q->segment[1].origin), "composite");
    assert_memory_equal(sn_rt_dataset_at(out, 1)->x, sn_rt_dataset_at(set, 2)->x, FRAMES * POSE * sizeof(float));
    how.prefix = "c";
    check_ok(sn_rt_compose_add(set, &how, out, &added, err));
    assert_int_equal(added, 0);
    sn_rt_dataset_free(set);
    sn_rt_dataset_free(out);
}

static void wrong_tables(void **state)
{
    (void)state;
    static const struct {
        const char *rows, *message;
    } wrong[] = {
        {"a,30,0,8,x,absent,\n", "table.csv:2: the set has no clip \"absent\""},
        {"a,25,0,8,x,turn,\n", "table.csv:2: the clip has another rate than \"25\""},
        {"a,30,1,9,x,turn,\n", "table.csv:2: start_frame is not where the clip before ends: \"1\""},
        {"a,30,0,8,x,turn,\na,30,9,17,x,turn,\n", "table.csv:3: start_frame is not where the clip before ends: \"9\""},
        {"a,30,0,7,x,turn,\n", "table.csv:2: end_frame is not 8, where its clip ends: \"7\""},
        {"a,30,0,,x,turn,\n", "table.csv:2: end_frame is not 8, where its clip ends: \"\""},
    };
    sn_rt_dataset *set = clips(), *out = sn_rt_dataset_new("ntu25"), *raw = sn_rt_dataset_new("raw");
    sn_rt_compose  how = {"table.csv", NULL, "train", 3};
    size_t         added;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_table(wrong[i].rows);
        check_fails(sn_rt_compose_add(set, &how, out, &added, err), SN_RT_FORMAT, wrong[i].message);
    }
    check_ok(sn_rt_file_replace("table.csv", "seq,fps,start_frame,end_frame,label\n", 36, err));
    check_fails(sn_rt_compose_add(set, &how, out, &added, err), SN_RT_FORMAT, "table.csv:1: no column clip");
    check_fails(sn_rt_compose_add(raw, &how, out, &added, err), SN_RT_ARGUMENT, "clips have layout raw, not ntu25");
    assert_int_equal(sn_rt_dataset_count(out), 0);
    sn_rt_dataset_free(set);
    sn_rt_dataset_free(out);
    sn_rt_dataset_free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(joins), cmocka_unit_test(wrong_tables)};
    return cmocka_run_group_tests_name("compose", tests, NULL, NULL);
}
