/* Tests of mapping, alignment, data sets, labels and import on small made-up motions.
 * Not a test of real recordings (sample.c). */
#include "check.h"

#include "runtime/data/dataset.h"
#include "runtime/data/draw.h"
#include "runtime/data/file.h"
#include "runtime/data/import.h"
#include "runtime/data/labels.h"
#include "runtime/data/normalise.h"
#include "runtime/data/plot.h"

#include <math.h>

/* ---- mapping and alignment ---- */

static void every_rule_sums_to_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < sn_rt_skeleton_count; i++) {
        for (int j = 0; j < SN_RT_JOINTS; j++) {
            double sum = 0;
            for (int k = 0; k < SN_RT_MAX_TERMS && sn_rt_skeletons[i].rule[j].term[k].point; k++)
                sum += sn_rt_skeletons[i].rule[j].term[k].weight;
            assert_true(fabs(sum - 1) < 1e-12);
        }
    }
}

/* The edges of spec 1.1, child and parent. */
static void layout_edges(void **state)
{
    (void)state;
    static const int edges[24][2] = {{0, 1},   {1, 20},  {2, 20},  {3, 2},   {4, 20},  {5, 4},   {6, 5},   {7, 6},
                                     {8, 20},  {9, 8},   {10, 9},  {11, 10}, {12, 0},  {13, 12}, {14, 13}, {15, 14},
                                     {16, 0},  {17, 16}, {18, 17}, {19, 18}, {21, 22}, {22, 7},  {23, 24}, {24, 11}};
    for (int i = 0; i < 24; i++)
        assert_int_equal(sn_rt_joint_parent[edges[i][0]], edges[i][1]);
    assert_int_equal(sn_rt_joint_parent[20], -1);
}

/* A source whose points are the 25 joints, in a unit of 2 m; `points` holds its coordinates frame after frame. */
static sn_rt_skeleton identity_skeleton(void)
{
    sn_rt_skeleton s = {.name = "identity", .joints = 25, .unit = 2};
    for (int j = 0; j < SN_RT_JOINTS; j++)
        s.rule[j] = (sn_rt_joint_rule){{{sn_rt_joint_name[j], 1}}};
    return s;
}

static sn_rt_motion motion_of(size_t frames, double fps)
{
    sn_rt_motion m = {.frames = frames, .points = 25, .fps = fps};
    m.point = calloc(25, sizeof *m.point);
    m.x = calloc(frames * 75, sizeof *m.x);
    for (int j = 0; j < SN_RT_JOINTS; j++) {
        strcpy(m.point[j].name, sn_rt_joint_name[j]);
        m.point[j].parent = j - 1;
    }
    return m;
}

static void set_joint(sn_rt_motion *m, size_t frame, size_t joint, double x, double y, double z)
{
    double *p = m->x + (frame * 25 + joint) * 3;
    p[0] = x;
    p[1] = y;
    p[2] = z;
}

/* Y up, facing -z or +z or anything between (turned by `angle` about y), shoulders tilted by `tilt`. */
static void align_person(double angle, double tilt, float out[75])
{
    sn_rt_motion m = motion_of(1, 30);
    sn_rt_skeleton skeleton = identity_skeleton();
    sn_rt_pick pick;
    double c = cos(angle), s = sin(angle), ct = cos(tilt), st = sin(tilt);
    set_joint(&m, 0, 0, 5, 0.75, 5);
    set_joint(&m, 0, 1, 5, 1, 5);
    set_joint(&m, 0, 4, 5 - 0.1 * c * ct, 1.25 - 0.1 * st, 5 - 0.1 * s * ct);
    set_joint(&m, 0, 8, 5 + 0.1 * c * ct, 1.25 + 0.1 * st, 5 + 0.1 * s * ct);
    set_joint(&m, 0, 3, 5 + 0.05 * s, 1.5, 5 - 0.05 * c); /* nose: forward of a person whose right is (c, 0, s) */
    check_ok(sn_rt_pick_of(&m, 0, 30, &pick, err));
    check_ok(sn_rt_normalise(&m, &skeleton, &pick, out, err));
    sn_rt_motion_fini(&m);
}

static void alignment(void **state)
{
    (void)state;
    for (int step = 0; step < 24; step++) {
        float x[75];
        align_person(step * 3.14159265358979 / 12, 0, x);
        assert_true(x[3] == 0 && x[4] == 0 && x[5] == 0);
        assert_true(fabsf(x[0]) < 1e-6f && fabsf(x[1]) < 1e-6f && fabsf(x[2] + 0.5f) < 1e-6f);
        assert_true(fabsf(x[24] - 0.2f) < 1e-6f && fabsf(x[25]) < 1e-6f && fabsf(x[26] - 0.5f) < 1e-6f);
        assert_true(fabsf(x[9]) < 1e-6f && fabsf(x[10] - 0.1f) < 1e-6f && fabsf(x[11] - 1) < 1e-6f);
        /* tilted shoulders lie on +x, the spine leans in the xz plane and stays up */
        align_person(step * 3.14159265358979 / 12, 0.3, x);
        float across[3] = {x[24] - x[12], x[25] - x[13], x[26] - x[14]};
        assert_true(fabsf(across[0] - 0.4f) < 1e-6f && fabsf(across[1]) < 1e-6f && fabsf(across[2]) < 1e-6f);
        assert_true(fabsf(-x[0] - 0.5f * sinf(0.3f)) < 1e-5f && fabsf(x[1]) < 1e-6f &&
                    fabsf(-x[2] - 0.5f * cosf(0.3f)) < 1e-5f);
    }
}

/* 120 Hz at 30: every fourth frame behind the dropped ones. 50 Hz at 30: linear between neighbours. */
static void resampling(void **state)
{
    (void)state;
    static const struct {
        double fps;
        size_t frames, first;
        size_t out_frames;
        double at[4]; /* source frames of the first four output frames */
    } rows[] = {
        {120, 20, 6, 4, {6, 10, 14, 18}}, {30, 5, 0, 5, {0, 1, 2, 3}},       {50, 6, 0, 4, {0, 5 / 3.0, 10 / 3.0, 5}},
        {10, 3, 0, 7, {0, 1 / 3.0, 2 / 3.0, 1}}, {119.99, 9, 0, 3, {0, 4, 8, 8}},
    };
    sn_rt_skeleton skeleton = identity_skeleton();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sn_rt_motion m = motion_of(rows[i].frames, rows[i].fps);
        sn_rt_pick pick;
        float out[25 * 25 * 3];
        for (size_t t = 0; t < m.frames; t++)
            set_joint(&m, t, 3, 0, 0, (double)t); /* all other joints stay at the origin: no rotation */
        check_ok(sn_rt_pick_of(&m, rows[i].first, 30, &pick, err));
        assert_int_equal(pick.frames, rows[i].out_frames);
        check_ok(sn_rt_normalise(&m, &skeleton, &pick, out, err));
        for (size_t k = 0; k < 4 && k < pick.frames; k++)
            assert_true(fabs((double)out[75 * k + 11] - 2 * rows[i].at[k]) < 1e-5);
        sn_rt_motion_fini(&m);
    }
    sn_rt_motion m = motion_of(6, 120);
    sn_rt_pick pick;
    check_fails(sn_rt_pick_of(&m, 6, 30, &pick, err), SN_RT_BAD_SHAPE, "6 frames, of which the first 6 are not used");
    check_fails(sn_rt_pick_of(&m, 0, -1, &pick, err), SN_RT_ARGUMENT, "frame rate -1 is not positive");
    sn_rt_motion_fini(&m);
}

/* ---- data sets ---- */

static sn_rt_dataset *small_set(void)
{
    sn_rt_dataset *set = sn_rt_dataset_new("raw");
    uint32_t body;
    check_ok(sn_rt_dataset_body(set, &(sn_rt_body){"two", 2, (const char *[]){"a", "b\"\\"}, (int32_t[]){-1, 0}}, &body,
                                err));
    float x[60];
    for (int i = 0; i < 60; i++)
        x[i] = (float)i;
    sn_rt_sequence s = {.id = "first", .file = "first.bvh", .source = "made", .split = "train", .body = body, .fps = 30,
                        .source_fps = 120, .source_first = 6, .frames = 10, .joints = 2, .x = x};
    check_ok(sn_rt_dataset_add(set, &s, err));
    s.id = "second";
    s.split = "pretrain";
    s.fps = 119.7;
    s.source_fps = 119.7;
    s.source_first = 0;
    s.persons = 2;
    s.frames = 3;
    check_ok(sn_rt_dataset_add(set, &s, err));
    check_ok(sn_rt_dataset_label(set, 0, 4, 10, "walk", "me", err));
    check_ok(sn_rt_dataset_label(set, 0, 0, 4, "stand", "you", err));
    check_ok(sn_rt_dataset_label(set, 0, 4, 10, "walk", "me", err)); /* a second time: nothing */
    return set;
}

static void check_same(const sn_rt_dataset *a, const sn_rt_dataset *b)
{
    assert_int_equal(sn_rt_dataset_count(a), sn_rt_dataset_count(b));
    assert_string_equal(sn_rt_dataset_layout(a), sn_rt_dataset_layout(b));
    for (size_t i = 0; i < sn_rt_dataset_count(a); i++) {
        const sn_rt_sequence *s = sn_rt_dataset_at(a, i), *t = sn_rt_dataset_at(b, i);
        assert_string_equal(s->id, t->id);
        assert_string_equal(s->file, t->file);
        assert_string_equal(s->source, t->source);
        assert_string_equal(s->split, t->split);
        assert_true(s->fps == t->fps && s->source_fps == t->source_fps && s->source_first == t->source_first);
        assert_true(s->persons == t->persons && s->frames == t->frames && s->joints == t->joints && s->segments == t->segments);
        assert_memory_equal(s->x, t->x, s->persons * s->frames * s->joints * 3 * sizeof(float));
        for (size_t k = 0; k < s->segments; k++) {
            assert_int_equal(s->segment[k].start, t->segment[k].start);
            assert_int_equal(s->segment[k].end, t->segment[k].end);
            assert_string_equal(sn_rt_dataset_label_name(a, s->segment[k].label),
                                sn_rt_dataset_label_name(b, t->segment[k].label));
            assert_string_equal(sn_rt_dataset_origin_name(a, s->segment[k].origin),
                                sn_rt_dataset_origin_name(b, t->segment[k].origin));
        }
        const sn_rt_body *p = sn_rt_dataset_body_at(a, s->body), *q = sn_rt_dataset_body_at(b, t->body);
        assert_string_equal(p->joint[1], q->joint[1]);
        assert_int_equal(p->parent[1], q->parent[1]);
    }
}

static void round_trip(void **state)
{
    (void)state;
    sn_rt_dataset *set = small_set(), *back;
    check_ok(sn_rt_dataset_write(set, "s.safetensors", err));
    check_ok(sn_rt_dataset_open("s.safetensors", &back, err));
    check_same(set, back);
    assert_int_equal(sn_rt_dataset_at(back, 0)->segments, 2);
    assert_int_equal(sn_rt_dataset_at(back, 0)->segment[0].end, 4);
    assert_int_equal(sn_rt_dataset_find(back, "second"), 1);
    assert_true(sn_rt_dataset_find(back, "third") == SIZE_MAX);
    /* written again it is the same file */
    check_ok(sn_rt_dataset_write(back, "t.safetensors", err));
    char *a, *b;
    size_t na, nb;
    check_ok(sn_rt_file_read("s.safetensors", SIZE_MAX, &a, &na, err));
    check_ok(sn_rt_file_read("t.safetensors", SIZE_MAX, &b, &nb, err));
    assert_true(na == nb && memcmp(a, b, na) == 0);
    free(a);
    free(b);
    sn_rt_dataset_free(back);
    sn_rt_dataset_free(set);
}

static void refusals(void **state)
{
    (void)state;
    sn_rt_dataset *set = small_set();
    float x[12] = {0};
    uint32_t body;
    sn_rt_sequence s = *sn_rt_dataset_at(set, 0);
    check_fails(sn_rt_dataset_add(set, &s, err), SN_RT_ARGUMENT, "sequence \"first\" is already in the set");
    s.id = "n";
    s.split = "dev";
    check_fails(sn_rt_dataset_add(set, &s, err), SN_RT_ARGUMENT,
                "sequence \"n\": split \"dev\" is not pretrain, train, val or test");
    s.split = "val";
    s.x = x;
    s.frames = 2;
    x[9] = NAN;
    check_fails(sn_rt_dataset_add(set, &s, err), SN_RT_ARGUMENT, "sequence \"n\": frame 1 joint 1 is not finite");
    s.joints = 3;
    check_fails(sn_rt_dataset_add(set, &s, err), SN_RT_ARGUMENT, "sequence \"n\": 2 frames of 3 joints do not fit its skeleton");
    check_fails(sn_rt_dataset_label(set, 0, 4, 11, "walk", "me", err), SN_RT_ARGUMENT,
                "sequence \"first\": segment [4, 11) is not within its 10 frames");
    check_fails(sn_rt_dataset_body(set, &(sn_rt_body){"loop", 1, (const char *[]){"a"}, (int32_t[]){0}}, &body, err),
                SN_RT_ARGUMENT, "skeleton \"loop\": joint 0 has parent 0 of 1 joints");
    assert_null(sn_rt_dataset_new("ntu13"));
    sn_rt_dataset_free(set);
}

/* Files that are safetensors but not data sets. */
static void wrong_files(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value; /* metadata that replaces that of a good file */
        const char *message;
    } rows[] = {
        {"sinew.dataset", "1", "w: data set version \"1\", expected \"2\""},
        {"layout", "coco", "w: layout \"coco\", expected ntu25, ntu25-aimclr, ntu25-denoised or raw"},
        {"layout", "ntu25", "w: layout ntu25, but skeleton \"two\" has 2 joints"},
        {"labels", "[1]", "w: metadata \"labels\"[0] is not a string"},
        {"labels", "[\"a\",\"a\"]", "w: metadata \"labels\"[1] \"a\" occurs twice"},
        {"labels", "{}", "w: metadata \"labels\" is not a list"},
        {"labels", "[]", "w: array \"segments/first\": row 0 [0, 4, 1, 1] is not a segment of 10 frames, 0 labels and 2 origins"},
        {"skeletons", "[]", "w: metadata \"sequences\"[0] lacks id, file, source, split, skeleton or source_first"},
        {"skeletons", "[{\"name\":\"n\",\"joints\":[\"a\"],\"parents\":[]}]",
         "w: metadata \"skeletons\"[0] lacks name, joints or as many parents"},
        {"skeletons", "[{\"name\":\"n\",\"joints\":[\"a\"],\"parents\":[7]}]",
         "w: metadata \"skeletons\"[0]: joint 0 has no name or parent"},
        {"skeletons", "[{\"name\":\"n\",\"joints\":[\"a\"],\"parents\":[-1]}]",
         "w: array \"x/first\": found f32[1,10,2,3], expected f32[?,?,1,3]"},
        {"sequences", "[]", "w: 3 arrays, its sequences account for 0"},
        {"sequences", "[{}]", "w: metadata \"sequences\"[0] lacks id, file, source, split, skeleton or source_first"},
        {"sequences",
         "[{\"id\":\"q\",\"file\":\"f\",\"source\":\"s\",\"split\":\"val\",\"skeleton\":0,\"fps\":30,\"source_fps\":30,"
         "\"source_first\":0}]",
         "w: array \"x/q\" is missing"},
    };
    sn_rt_dataset *set = small_set();
    check_ok(sn_rt_dataset_write(set, "w", err));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sn_rt_tensors *file;
        sn_rt_dataset *back = NULL;
        check_ok(sn_rt_dataset_write(set, "w", err));
        check_ok(sn_rt_tensors_read("w", &file, err));
        check_ok(sn_rt_tensors_set_meta(file, rows[i].key, rows[i].value, err));
        check_ok(sn_rt_tensors_write(file, "w", err));
        sn_rt_tensors_free(file);
        sn_rt_error error = {""};
        assert_int_not_equal(sn_rt_dataset_open("w", &back, &error), SN_RT_OK);
        assert_string_equal(error.text, rows[i].message);
    }
    sn_rt_dataset_free(set);
}

static void damaged(void **state)
{
    (void)state;
    sn_rt_dataset *set = small_set(), *back = NULL;
    char *bytes;
    size_t size;
    check_ok(sn_rt_dataset_write(set, "d", err));
    check_ok(sn_rt_file_read("d", SIZE_MAX, &bytes, &size, err));
    for (size_t cut = 0; cut < size; cut++) {
        char *part = malloc(cut ? cut : 1);
        sn_rt_error error = {""};
        memcpy(part, bytes, cut);
        assert_int_not_equal(sn_rt_dataset_parse("d", part, cut, &back, &error), SN_RT_OK);
        assert_memory_equal(error.text, "d: ", 3);
        free(part);
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        sn_rt_error error = {""};
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        if (sn_rt_dataset_parse("d", bytes, size, &back, &error) == SN_RT_OK) {
            check_same(set, back);
            sn_rt_dataset_free(back);
        } else {
            assert_memory_equal(error.text, "d: ", 3);
        }
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    free(bytes);
    sn_rt_dataset_free(set);
}

/* ---- labels, splits, pictures ---- */

static void write_text(const char *path, const char *text)
{
    check_ok(sn_rt_file_replace(path, text, strlen(text), err));
}

/* "first" shows source frames 6, 10, ... 42 of 120 Hz. */
static void labels(void **state)
{
    (void)state;
    sn_rt_dataset *set = small_set();
    sn_rt_label_report r;
    write_text("l.csv", "label,seq,fps,start_frame,end_frame,source\r\njump,first,120,10,19,x\r\n\"sit, down\",first,30,0,4,x\n"
                        "gone,nobody,120,0,9,x\n,first,120,0,9,x\nnone,first,120,11,14,x\nrun,first,120,30,900,x\n");
    check_ok(sn_rt_labels_apply(set, "l.csv", &r, err));
    assert_true(r.rows == 6 && r.applied == 3 && r.absent == 1 && r.empty == 1 && r.clipped == 2);
    const sn_rt_sequence *s = sn_rt_dataset_at(set, 0);
    assert_int_equal(s->segments, 5);
    static const struct {
        uint32_t start, end;
        const char *label;
    } expected[] = {{0, 3, "sit, down"}, {0, 4, "stand"}, {1, 4, "jump"}, {4, 10, "walk"}, {6, 10, "run"}};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(s->segment[i].start, expected[i].start);
        assert_int_equal(s->segment[i].end, expected[i].end);
        assert_string_equal(sn_rt_dataset_label_name(set, s->segment[i].label), expected[i].label);
    }
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "l.csv:1: the header is missing"},
        {"seq,fps\n", "l.csv:1: column \"start_frame\" is missing"},
        {"seq,fps,start_frame,end_frame,label\nfirst,120,0\n", "l.csv:2: found 3 fields, the header has 5"},
        {"seq,fps,start_frame,end_frame,label\n\nfirst,120,x,9,a\n", "l.csv:3: found 'x' as start_frame, expected a number from 0"},
        {"seq,fps,start_frame,end_frame,label\nfirst,120,9,9,a\n",
         "l.csv:2: found frames 9 to 9 at rate 120, expected start < end and a rate"},
        {"seq,fps,start_frame,end_frame,label\n\"first,120,9,9,a\n", "l.csv:2: a quote is not closed"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_text("l.csv", rows[i].text);
        check_fails(sn_rt_labels_apply(set, "l.csv", &r, err), SN_RT_FORMAT, rows[i].message);
    }
    sn_rt_dataset_free(set);
}

static void splits(void **state)
{
    (void)state;
    sn_rt_dataset *set = small_set();
    sn_rt_label_report r;
    write_text("p.csv", "benchmark,seq,split\nx,first,val\nx,nobody,train\ny,first,val\n");
    check_ok(sn_rt_splits_apply(set, "p.csv", &r, err));
    assert_true(r.rows == 3 && r.applied == 2 && r.absent == 1);
    assert_string_equal(sn_rt_dataset_at(set, 0)->split, "val");
    write_text("p.csv", "clip,split\nfirst,val\nfirst,train\n");
    check_fails(sn_rt_splits_apply(set, "p.csv", &r, err), SN_RT_FORMAT,
                "p.csv:3: sequence \"first\" is train here but val in line 2");
    write_text("p.csv", "seq,split\nfirst,dev\n");
    check_fails(sn_rt_splits_apply(set, "p.csv", &r, err), SN_RT_FORMAT,
                "p.csv:2: split \"dev\" is not pretrain, train, val or test");
    sn_rt_dataset_free(set);
}

/* Width and height stand in the header of a PNG file. */
static void check_png(const char *path, unsigned width, unsigned height)
{
    char *bytes;
    size_t size;
    check_ok(sn_rt_file_read(path, SIZE_MAX, &bytes, &size, err));
    const unsigned char *b = (const unsigned char *)bytes;
    assert_true(size > 1000 && memcmp(b, "\x89PNG\r\n\x1a\n", 8) == 0);
    assert_int_equal(b[18] << 8 | b[19], width);
    assert_int_equal(b[22] << 8 | b[23], height);
    free(bytes);
}

static void pictures(void **state)
{
    (void)state;
    sn_rt_dataset *set = small_set();
    check_ok(sn_rt_draw_sequence(set, 0, 5, "p.png", err));
    check_png("p.png", 2 * 24 + 5 * 150, 602);
    check_fails(sn_rt_draw_sequence(set, 2, 5, "p.png", err), SN_RT_ARGUMENT,
                "p.png: 5 poses of sequence 2, expected 1 to 32 of 2 sequences");
    sn_rt_dataset_free(set);

    double x[] = {0, 1, 2, 3, 4}, y[] = {2.5, 1.25, NAN, 0.5, 0.25}, flat[] = {1, 1, 1, 1, 1};
    sn_rt_series series[] = {{"loss", x, y, 5}, {"flat", x, flat, 5}};
    check_ok(sn_rt_plot_write(&(sn_rt_plot){.title = "t", .x_label = "x", .y_label = "y", .series = series, .count = 2,
                                            .from_zero = true},
                              "p.png", err));
    check_png("p.png", 960, 540);
    check_ok(sn_rt_plot_write(&(sn_rt_plot){.series = series + 1, .count = 1, .width = 200, .height = 150}, "p.png", err));
    check_png("p.png", 200, 150);
    check_ok(sn_rt_plot_write(&(sn_rt_plot){.count = 0}, "p.png", err));
    check_fails(sn_rt_plot_write(&(sn_rt_plot){.width = 10}, "p.png", err), SN_RT_ARGUMENT,
                "p.png: a plot of 10 x 540 pixels, expected at least 200 x 150");
    check_fails(sn_rt_plot_write(&(sn_rt_plot){.count = 0}, "no/p.png", err), SN_RT_IO,
                "no/p.png: create: No such file or directory");
}

/* ---- import ---- */

static const char stick[] = "HIERARCHY\nROOT hip\n{\nOFFSET 0 0 0\nCHANNELS 3 Xposition Yposition Zposition\nJOINT top\n{\n"
                            "OFFSET 0 5 0\nCHANNELS 0\nEnd Site\n{\nOFFSET 0 1 0\n}\n}\n}\nMOTION\nFrames: 3\n"
                            "Frame Time: 0.02\n1 2 3\n4 5 6\n7 8 9\n";

static void import_unknown_skeleton(void **state)
{
    (void)state;
    sn_rt_dataset *set = sn_rt_dataset_new("raw");
    sn_rt_import how = sn_rt_import_defaults("bvh");
    sn_rt_imported done;
    write_text("stick.bvh", stick);
    check_fails(sn_rt_import_file(set, &how, "stick.bvh", "s", &done, err), SN_RT_FORMAT,
                "stick.bvh: a skeleton of 2 joints from 'hip' on, which no table maps to 25 joints");
    how.raw = true;
    check_fails(sn_rt_import_file(set, &how, "stick.bvh", "s", &done, err), SN_RT_FORMAT,
                "stick.bvh: a skeleton of 2 joints from 'hip' on, whose unit is not known; state it in metres");
    how.unit = 0.5;
    check_ok(sn_rt_import_file(set, &how, "stick.bvh", "s", &done, err));
    check_fails(sn_rt_import_file(set, &how, "stick.bvh", "s", &done, err), SN_RT_ARGUMENT,
                "stick.bvh: sequence \"s\" is already in the set");
    const sn_rt_sequence *s = sn_rt_dataset_at(set, 0);
    static const float expected[] = {0.5f, 1, 1.5f, 0.5f, 3.5f, 1.5f, 2,    2.5f, 3,
                                     2,    5, 3,    3.5f, 4,    4.5f, 3.5f, 6.5f, 4.5f};
    assert_true(s->frames == 3 && s->joints == 2 && s->fps == 50);
    assert_memory_equal(s->x, expected, sizeof expected);
    how.format = "c3d";
    check_fails(sn_rt_import_file(set, &how, "stick.bvh", "t", &done, err), SN_RT_ARGUMENT,
                "motion format \"c3d\" is none of bvh, amc, ntu, pku, npy, babel");
    how.format = "amc";
    write_text("7_1.amc", "");
    check_fails(sn_rt_import_file(set, &how, "7_1.amc", "t", &done, err), SN_RT_MISSING,
                "7_1.amc: no skeleton: 7.asf is not beside it and no ASF was given");
    sn_rt_dataset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_sums_to_one), cmocka_unit_test(layout_edges), cmocka_unit_test(alignment),
        cmocka_unit_test(resampling),             cmocka_unit_test(round_trip),   cmocka_unit_test(refusals),
        cmocka_unit_test(wrong_files),            cmocka_unit_test(damaged),      cmocka_unit_test(labels),
        cmocka_unit_test(splits),                 cmocka_unit_test(pictures),     cmocka_unit_test(import_unknown_skeleton),
    };
    return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
