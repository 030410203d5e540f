/* Tests of BABEL's reader and what it stands on: .npz archives, the body model, rates, labels, against their oracle (babel.py) and on damaged files.
 * Not a test of the verb (verbs_babel.sh). */
#include "check.h"

#include "runtime/data/babel.h"
#include "runtime/data/file.h"
#include "runtime/data/npy.h"
#include "runtime/data/npz.h"
#include "runtime/data/smplh.h"

#include <math.h>

#ifndef GOLDEN
#error "GOLDEN is the folder of the oracle's files"
#endif
#define BABEL GOLDEN "/babel"
#define STORED BABEL "/amass/BioMotionLab_NTroje/rub001/0001_poses.npz"
#define DEFLATED BABEL "/amass/CMU/8/8_poses.npz"

/* ---- archives ----------------------------------------------------------------------------------------------------------- */

static void reads_npz(void **state)
{
    (void)state;
    sn_rt_npz *npz;
    sn_rt_array a;
    check_ok(sn_rt_npz_open(STORED, &npz, err));
    assert_true(sn_rt_npz_has(npz, "poses") && !sn_rt_npz_has(npz, "pose"));
    check_ok(sn_rt_npz_read(npz, "poses", &a, err));
    assert_true(a.elem == SN_RT_ELEM_F64 && a.rank == 2 && a.dims[0] == 25 && a.dims[1] == 156);
    sn_rt_array_fini(&a);
    check_fails(sn_rt_npz_read(npz, "pose", &a, err), SN_RT_MISSING, STORED ": array \"pose\" is missing");
    check_fails(sn_rt_npz_read(npz, "gender", &a, err), SN_RT_FORMAT,
                STORED ": array \"gender\": byte 20: descr is not one of '<f4' '<f8' '<i4' '<i8' '|u1' '<u8'");
    sn_rt_npz_close(npz);
    check_ok(sn_rt_npz_open(DEFLATED, &npz, err));
    check_ok(sn_rt_npz_read(npz, "joint_pos", &a, err));
    assert_true(a.rank == 3 && a.dims[0] == 100 && a.dims[1] == 73 && a.dims[2] == 3);
    assert_true(((double *)a.data)[3] == round(256 * sin(3 * 0.77)) / 256);
    sn_rt_array_fini(&a);
    check_ok(sn_rt_npz_read(npz, "mocap_framerate", &a, err));
    assert_true(a.elem == SN_RT_ELEM_I64 && a.rank == 0 && *(int64_t *)a.data == 60);
    sn_rt_array_fini(&a);
    sn_rt_npz_close(npz);
    check_ok(sn_rt_npz_open(BABEL "/model.npz", &npz, err));
    check_ok(sn_rt_npz_read(npz, "J_regressor", &a, err)); /* in Fortran order */
    assert_true(((double *)a.data)[51 * 6890 + 51 * 16 + 1] == 0.25 && ((double *)a.data)[0] == 0.5);
    sn_rt_array_fini(&a);
    sn_rt_npz_close(npz);
    check_fails(sn_rt_npz_open(BABEL "/train.json", &npz, err), SN_RT_FORMAT, BABEL "/train.json: no zip archive, which an .npz file is");
    check_fails(sn_rt_npz_open("nothing.npz", &npz, err), SN_RT_IO, "nothing.npz: open: No such file or directory");
}

/* Flip a bit in places all over the file, cut it everywhere: an error, or the same numbers, never a crash. */
static void survives_damaged_npz(void **state)
{
    (void)state;
    char *bytes, *copy;
    size_t size, same = 0, refused = 0;
    sn_rt_array whole, a;
    sn_rt_npz *npz;
    check_ok(sn_rt_file_read(DEFLATED, 1 << 20, &bytes, &size, err));
    check_ok(sn_rt_npz_parse("whole", bytes, size, &npz, err));
    check_ok(sn_rt_npz_read(npz, "joint_pos", &whole, err));
    sn_rt_npz_close(npz);
    for (size_t i = 0; i < size; i += i < 100 || i > size - 400 ? 1 : 11)
        for (int cut = 0; cut < 2; cut++) {
            sn_rt_error err = {""};
            size_t n = cut ? i : size;
            copy = malloc(n + 1); /* so that a byte too far is seen */
            memcpy(copy, bytes, n);
            copy[cut ? n : i] = (char)(cut ? 0 : copy[i] ^ 1 << i % 8);
            bool read = sn_rt_npz_parse("f", copy, n, &npz, &err) == SN_RT_OK;
            if (read && sn_rt_npz_read(npz, "joint_pos", &a, &err) == SN_RT_OK) {
                assert_true(!cut && a.bytes == whole.bytes && memcmp(a.data, whole.data, a.bytes) == 0);
                sn_rt_array_fini(&a);
                same++;
            } else {
                assert_int_equal(strncmp(err.text, "f: ", 3), 0);
                refused++;
            }
            if (read)
                sn_rt_npz_close(npz);
            free(copy);
        }
    assert_true(refused > same && same > 0);
    sn_rt_array_fini(&whole);
    free(bytes);
}

/* An archive that says its member is larger than its bytes can hold is refused before any memory is asked for. */
static void refuses_bombs(void **state)
{
    (void)state;
    char *bytes;
    size_t size, at;
    sn_rt_array a;
    sn_rt_npz *npz;
    check_ok(sn_rt_file_read(DEFLATED, 1 << 20, &bytes, &size, err));
    for (at = size - 4; memcmp(bytes + at, "PK\1\2", 4) != 0 || memcmp(bytes + at + 46, "joint_pos.npy", 13) != 0;)
        at--;
    memcpy(bytes + at + 24, "\0\0\0\20", 4); /* 256 MiB uncompressed, in the central directory */
    check_ok(sn_rt_npz_parse("bomb.npz", bytes, size, &npz, err));
    sn_rt_error err = {""};
    assert_int_equal(sn_rt_npz_read(npz, "joint_pos", &a, &err), SN_RT_FORMAT);
    assert_non_null(strstr(err.text, "bomb.npz: array \"joint_pos\": 268435456 bytes said to be packed in "));
    sn_rt_npz_close(npz);
    free(bytes);
}

/* ---- rates -------------------------------------------------------------------------------------------------------------- */

static void picks_frames(void **state)
{
    (void)state;
    static const struct { size_t frames; double fps; bool quirks; size_t count, at[4], is[4]; } c[] = {
        {40, 120, false, 10, {0, 1, 2, 9}, {0, 4, 8, 36}},
        {41, 120.00005, true, 11, {0, 1, 2, 10}, {0, 4, 8, 40}},
        {100, 100, false, 30, {1, 2, 3, 29}, {3, 6, 10, 96}},
        {101, 100, false, 31, {1, 29, 30, 30}, {3, 96, 100, 100}},
        {120, 59.99999, false, 60, {1, 29, 30, 59}, {2, 58, 60, 118}},
        {120, 59.99999, true, 62, {1, 2, 29, 30}, {1, 3, 57, 59}},
        {500, 250, false, 60, {1, 2, 29, 30}, {8, 16, 241, 250}},
        {30, 30, true, 30, {0, 1, 2, 29}, {0, 1, 2, 29}},
    };
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        size_t at[512];
        assert_int_equal(sn_rt_babel_pick(c[i].frames, c[i].fps, c[i].quirks, at, 512), c[i].count);
        for (int k = 0; k < 4; k++)
            assert_int_equal(at[c[i].at[k]], c[i].is[k]);
    }
}

/* ---- the body model ------------------------------------------------------------------------------------------------------ */

static void refuses_other_models(void **state)
{
    (void)state;
    sn_rt_smplh *m;
    check_fails(sn_rt_smplh_read(STORED, &m, err), SN_RT_MISSING, STORED ": array \"v_template\" is missing");
    check_fails(sn_rt_smplh_read("nothing.npz", &m, err), SN_RT_IO, "nothing.npz: open: No such file or directory");
}

/* ---- splits -------------------------------------------------------------------------------------------------------------- */

static size_t said;
static void say(void *context, const char *text)
{
    (void)context;
    (void)text;
    said++;
}

static const sn_rt_babel_options options = {.motions = BABEL "/amass", .body_model = BABEL "/model.npz", .say = say};

static sn_rt_dataset *import_with(const sn_rt_babel_options *o, sn_rt_babel_report *train, sn_rt_babel_report *val)
{
    sn_rt_babel *b;
    sn_rt_dataset *set = sn_rt_dataset_new("ntu25");
    memset(train, 0, sizeof *train);
    memset(val, 0, sizeof *val);
    check_ok(sn_rt_babel_new(o, &b, err));
    check_ok(sn_rt_babel_import(b, set, BABEL "/train.json", train, err));
    check_ok(sn_rt_babel_import(b, set, BABEL "/val.json", val, err));
    sn_rt_babel_free(b);
    return set;
}

/* Names of the labels of frame t, in order of the alphabet, joined by '+'. */
static void names_at(const sn_rt_dataset *set, const sn_rt_sequence *s, size_t t, char *out)
{
    const char *name[16];
    size_t count = 0;
    for (size_t i = 0; i < s->segments; i++)
        if (s->segment[i].start <= t && t < s->segment[i].end)
            name[count++] = sn_rt_dataset_label_name(set, s->segment[i].label);
    *out = '\0';
    for (const char *last = ""; count > 0;) {
        const char *next = NULL;
        for (size_t i = 0; i < count; i++)
            if (strcmp(name[i], last) > 0 && (!next || strcmp(name[i], next) < 0))
                next = name[i];
        if (!next)
            return;
        sprintf(out + strlen(out), "%s%s", *out ? "+" : "", next);
        last = next;
    }
}

/* As the oracle prints it. */
static void print_sequence(const sn_rt_dataset *set, const char *mode, const sn_rt_sequence *s, char *out)
{
    char names[256], next[256];
    out += sprintf(out, "%s %s %zu ", mode, s->id, s->frames);
    for (size_t t = 0, start = 0; t <= s->frames; t++) {
        names_at(set, s, t, next);
        if (t > 0 && (t == s->frames || strcmp(names, next) != 0)) {
            out += sprintf(out, "%s%zu-%zu:%s", start ? ", " : "", start, t, names);
            start = t;
        }
        strcpy(names, next);
    }
    strcpy(out, "\n");
}

static void check_mode(const char *mode, int subset, bool quirks, size_t most, char **expected)
{
    sn_rt_babel_options o = options;
    sn_rt_babel_report train, val;
    o.subset = subset;
    o.quirks = quirks;
    o.most_frames = most;
    sn_rt_dataset *set = import_with(&o, &train, &val);
    assert_int_equal(train.imported + val.imported, sn_rt_dataset_count(set));
    for (int sid = 0; sid < 6000; sid++) {
        char id[16], line[1024];
        snprintf(id, sizeof id, "%06d", sid);
        size_t at = sn_rt_dataset_find(set, id);
        if (at == SIZE_MAX)
            continue;
        print_sequence(set, mode, sn_rt_dataset_at(set, at), line);
        if (strncmp(*expected, line, strlen(line)) != 0)
            fail_msg("found    %sexpected %.*s", line, (int)strcspn(*expected, "\n"), *expected);
        *expected += strlen(line);
    }
    sn_rt_dataset_free(set);
}

static void labels_equal_the_oracle(void **state)
{
    (void)state;
    char *text, *at;
    size_t size;
    check_ok(sn_rt_file_read(BABEL "/expected.txt", 1 << 20, &text, &size, err));
    at = text;
    check_mode("all", 0, false, 0, &at);
    check_mode("subset1", 1, false, 60, &at);
    check_mode("quirks1", 1, true, 0, &at);
    check_mode("subset3", 3, false, 0, &at);
    assert_int_equal(at - text, size);
    free(text);
}

static void check_positions(const sn_rt_dataset *set, const char *id, const char *golden)
{
    sn_rt_array a;
    const sn_rt_sequence *s = sn_rt_dataset_at(set, sn_rt_dataset_find(set, id));
    check_ok(sn_rt_npy_read(golden, &a, err));
    assert_true(a.rank == 3 && a.dims[0] == s->frames && s->persons == 1 && s->fps == 30);
    for (size_t i = 0; i < a.bytes / sizeof(float); i++)
        if (!(fabsf(((float *)a.data)[i] - s->x[i]) < 1e-5f))
            fail_msg("%s: element %zu is %g, expected %g", golden, i, (double)s->x[i], (double)((float *)a.data)[i]);
    sn_rt_array_fini(&a);
}

static void positions_equal_the_oracle(void **state)
{
    (void)state;
    sn_rt_babel_options o = options;
    sn_rt_babel_report train, val;
    said = 0;
    sn_rt_dataset *set = import_with(&o, &train, &val);
    check_positions(set, "005534", BABEL "/all_005534.npy");
    check_positions(set, "000012", BABEL "/all_000012.npy");
    assert_string_equal(sn_rt_dataset_at(set, sn_rt_dataset_find(set, "000008"))->split, "val");
    assert_true(train.sequences == 6 && train.imported == 3 && train.unannotated == 1 && train.faulty == 2 && said == 2);
    assert_true(train.segments == 7 && train.uncategorised == 1 && train.outside == 1 && val.segments == 5);
    sn_rt_dataset_free(set);
    o.quirks = true;
    o.subset = 1;
    set = import_with(&o, &train, &val);
    check_positions(set, "000007", BABEL "/quirks1_000007.npy");
    assert_true(val.other == 1 && val.imported == 1);
    sn_rt_dataset_free(set);
    o.most_frames = 56;
    sn_rt_dataset_free(import_with(&o, &train, &val));
    assert_true(train.longer == 1 && val.longer == 1);
}

static void needs_the_body_model(void **state)
{
    (void)state;
    sn_rt_babel_options o = options;
    sn_rt_babel *b;
    sn_rt_babel_report r = {0};
    sn_rt_dataset *set = sn_rt_dataset_new("ntu25");
    o.body_model = NULL;
    check_ok(sn_rt_babel_new(&o, &b, err));
    check_fails(sn_rt_babel_import(b, set, BABEL "/train.json", &r, err), SN_RT_ARGUMENT,
                BABEL "/train.json: sequence 005534: poses of the body model SMPL+H, whose file was not given");
    check_ok(sn_rt_babel_import(b, set, BABEL "/val.json", &r, err)); /* joint_pos */
    sn_rt_babel_free(b);
    o.splits = BABEL "/splits.json";
    o.rates = BABEL "/rates.json";
    o.body_model = BABEL "/model.npz";
    check_ok(sn_rt_babel_new(&o, &b, err));
    check_ok(sn_rt_babel_import(b, set, BABEL "/train.json", &r, err));
    assert_string_equal(sn_rt_dataset_at(set, sn_rt_dataset_find(set, "005534"))->split, "train");
    sn_rt_babel_free(b);
    sn_rt_dataset_free(set);
}

/* ---- malformed files ------------------------------------------------------------------------------------------------------ */

static void check_split(const char *text, const char *message)
{
    sn_rt_babel_options o = options;
    sn_rt_babel *b;
    sn_rt_babel_report r = {0};
    sn_rt_dataset *set = sn_rt_dataset_new("ntu25");
    o.body_model = NULL;
    check_ok(sn_rt_file_replace("train.json", text, strlen(text), err));
    check_ok(sn_rt_babel_new(&o, &b, err));
    check_fails(sn_rt_babel_import(b, set, "train.json", &r, err), SN_RT_FORMAT, message);
    sn_rt_babel_free(b);
    sn_rt_dataset_free(set);
}

#define SEQUENCE(rest) "{\"8\": {\"babel_sid\": 8, \"feat_p\": \"CMU/CMU/8/8_poses.npz\", " rest "}}"
#define LABELLED(labels) SEQUENCE("\"dur\": 2, \"frame_ann\": {\"labels\": " labels "}")

static void names_what_is_wrong(void **state)
{
    (void)state;
    check_split("", "train.json:1:0: '[' or '{' expected near end of file");
    check_split("[]", "train.json: the JSON is no object");
    check_split("{\"1\": 7}", "train.json: sequence 1 has not a number babel_sid and a text feat_p");
    check_split(SEQUENCE("\"dur\": \"2\""), "train.json: sequence 8 has no dur of up to 86400 seconds");
    check_split(SEQUENCE("\"dur\": -1"), "train.json: sequence 8 has no dur of up to 86400 seconds");
    check_split(SEQUENCE("\"dur\": 2, \"frame_ann\": []"), "train.json: sequence 8: frame_ann is neither null nor an object");
    check_split(SEQUENCE("\"dur\": 2, \"frame_ann\": {}"), "train.json: sequence 000008: frame_ann has no list labels");
    check_split(LABELLED("[1]"), "train.json: sequence 000008: label 0 has not a list act_cat and numbers start_t and end_t");
    check_split(LABELLED("[{\"act_cat\": null}, {\"act_cat\": [\"walk\"], \"start_t\": 0}]"),
                "train.json: sequence 000008: label 1 has not a list act_cat and numbers start_t and end_t");
    check_split(LABELLED("[{\"act_cat\": [\"\"], \"start_t\": 0, \"end_t\": 1}]"), "train.json: sequence 000008: label 0 has an act_cat that is no text");
}

static void check_sequence(const char *feat_p, const char *seconds, size_t faulty)
{
    char text[1024];
    sn_rt_babel_options o = options;
    sn_rt_babel *b;
    sn_rt_babel_report r = {0};
    sn_rt_dataset *set = sn_rt_dataset_new("ntu25");
    snprintf(text, sizeof text, "{\"8\": {\"babel_sid\": 8, \"feat_p\": \"%s\", \"dur\": %s, \"frame_ann\": {\"labels\": [{\"act_cat\": [\"walk\"], "
             "\"start_t\": 0, \"end_t\": 1e9}]}}}", feat_p, seconds);
    check_ok(sn_rt_file_replace("val.json", text, strlen(text), err));
    check_ok(sn_rt_babel_new(&o, &b, err));
    check_ok(sn_rt_babel_import(b, set, "val.json", &r, err));
    assert_int_equal(r.faulty, faulty);
    assert_int_equal(sn_rt_dataset_count(set), 1 - faulty);
    sn_rt_babel_free(b);
    sn_rt_dataset_free(set);
}

static void paths_stay_in_the_folder(void **state)
{
    (void)state;
    check_sequence("CMU/CMU/8/8_poses.npz", "1.5", 0);
    check_sequence("CMU/8/8_poses.npz", "80000", 0); /* labels to far behind the motion's end */
    check_sequence("x/../CMU/8/8_poses.npz", "1.5", 1);
    check_sequence("/CMU/8/8_poses.npz", "1.5", 1);
    check_sequence("CMU/CMU/13/13_poses.npz", "1.5", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_npz),
        cmocka_unit_test(survives_damaged_npz),
        cmocka_unit_test(refuses_bombs),
        cmocka_unit_test(picks_frames),
        cmocka_unit_test(refuses_other_models),
        cmocka_unit_test(labels_equal_the_oracle),
        cmocka_unit_test(positions_equal_the_oracle),
        cmocka_unit_test(needs_the_body_model),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(paths_stay_in_the_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
