/* Tests on the recordings in models/data: positions computed elsewhere, BVH against AMC of one motion, import.
 * Not a test of odd files (motion.c). The folder of the unpacked sample is the argument. */
#include "check.h"

#include "runtime/data/import.h"
#include "runtime/data/labels.h"
#include "runtime/data/motion.h"

#include <math.h>

static const char *folder, *label_folder;

static const char *at(const char *name)
{
    static char path[2][4096];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void read_amc(const char *asf_name, const char *amc_name, sn_rt_motion *out)
{
    sn_rt_asf *asf;
    check_ok(sn_rt_asf_read(at(asf_name), &asf, err));
    check_ok(sn_rt_amc_read(at(amc_name), asf, 120, out, err));
    sn_rt_asf_free(asf);
}

/* Reference positions in file units by a separate implementation (recursive, NumPy), six digits behind the point. */
typedef struct reference {
    const char *point;
    double x[3];
} reference;

static void check_references(const sn_rt_motion *m, size_t frame, const reference *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int32_t point = sn_rt_motion_find(m, rows[i].point);
        assert_true(point >= 0);
        for (int k = 0; k < 3; k++)
            assert_true(fabs(m->x[(frame * m->points + (size_t)point) * 3 + (size_t)k] - rows[i].x[k]) < 1e-6);
    }
}

static void bvh_positions(void **state)
{
    (void)state;
    static const reference in_131[] = {{"Hips", {4.3222, 15.9435, -6.55}},
                                       {"LeftToe", {9.00749, 1.251336, -5.067357}},
                                       {"RightToe:end", {-5.083058, 1.410401, -2.280667}},
                                       {"Head:end", {3.385056, 24.600026, -5.500201}},
                                       {"LFingers", {7.659586, 14.190034, -5.110104}},
                                       {"RThumb:end", {-0.954075, 19.954147, -4.7066}}};
    static const reference in_13[] = {{"hip", {-0.807041, 79.7409, -23.1664}},
                                      {"head", {0.293795, 139.834038, -13.923749}},
                                      {"lFoot:end", {10.217919, 2.341366, -14.423126}},
                                      {"rHand", {-38.286218, 102.969476, -18.833851}},
                                      {"lMid2:end", {13.505914, 144.929704, -14.338597}},
                                      {"leftEye", {3.066375, 148.635813, -6.079986}}};
    sn_rt_motion m;
    check_ok(sn_rt_bvh_read(at("bvh/131_03.bvh"), &m, err));
    assert_true(m.frames == 1102 && m.points == 38 && m.fps == 120);
    check_references(&m, 500, in_131, 6);
    sn_rt_motion_fini(&m);
    check_ok(sn_rt_bvh_read(at("crosscheck/13_30.bvh"), &m, err));
    assert_true(m.frames == 2466 && m.points == 57 && m.fps == 120);
    check_references(&m, 1000, in_13, 6);
    sn_rt_motion_fini(&m);
}

static void amc_positions(void **state)
{
    (void)state;
    static const reference in_86[] = {{"root", {-14.4651, 17.95, 0.197028}},
                                      {"head", {-13.788965, 28.659092, -0.829736}},
                                      {"ltoes", {-10.974925, 0.978659, -0.740119}},
                                      {"rfingers", {-10.738567, 17.359684, 3.111883}},
                                      {"lthumb", {-12.619566, 17.184587, -3.730526}},
                                      {"rtibia", {-13.843654, 1.1085, 3.563642}}};
    static const reference in_13[] = {{"root", {-0.279908, 18.3252, -5.20122}},
                                      {"head", {0.616552, 29.823743, -3.328888}},
                                      {"ltoes", {2.118252, 1.92376, -1.990747}},
                                      {"rfingers", {-9.435742, 18.951263, -3.7815}},
                                      {"lthumb", {2.970504, 28.074549, 0.629605}},
                                      {"rtibia", {-3.628529, 5.853097, -3.428975}}};
    sn_rt_motion m;
    read_amc("amc/86.asf", "amc/86_01.amc", &m);
    assert_true(m.frames == 4579 && m.points == 31);
    check_references(&m, 2000, in_86, 6);
    sn_rt_motion_fini(&m);
    read_amc("amc/03.asf", "amc/13_30.amc", &m); /* another person's skeleton */
    assert_true(m.frames == 2465 && m.points == 31);
    check_references(&m, 999, in_13, 6);
    sn_rt_motion_fini(&m);
}

static void limb(const sn_rt_motion *m, size_t frame, const char *from, const char *to, double out[3])
{
    const double *a = m->x + (frame * m->points + (size_t)sn_rt_motion_find(m, from)) * 3;
    const double *b = m->x + (frame * m->points + (size_t)sn_rt_motion_find(m, to)) * 3;
    double length = sqrt(pow(b[0] - a[0], 2) + pow(b[1] - a[1], 2) + pow(b[2] - a[2], 2));
    for (int k = 0; k < 3; k++)
        out[k] = (b[k] - a[k]) / length;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The same performance in both formats: BVH frame k + 1 is AMC frame k. Median angle between limbs, in degrees. The
 * two figures differ (the BVH is retargeted, the ASF another person's), the motion does not. */
static void bvh_agrees_with_amc(void **state)
{
    (void)state;
    static const struct {
        const char *amc_from, *amc_to, *bvh_from, *bvh_to;
        double degrees;
    } rows[] = {
        {"lhipjoint", "lfemur", "lThigh", "lShin", 8},      {"rhipjoint", "rfemur", "rThigh", "rShin", 8},
        {"lfemur", "ltibia", "lShin", "lFoot", 5},          {"rfemur", "rtibia", "rShin", "rFoot", 5},
        {"lclavicle", "lhumerus", "lShldr", "lForeArm", 8}, {"rclavicle", "rhumerus", "rShldr", "rForeArm", 8},
        {"lhumerus", "lwrist", "lForeArm", "lHand", 23},    {"rhumerus", "rwrist", "rForeArm", "rHand", 23},
        {"root", "thorax", "hip", "neck", 10},
    };
    enum { FIRST = 6, LAST = 2465 };
    static double angle[LAST];
    sn_rt_motion amc, bvh;
    read_amc("amc/03.asf", "amc/13_30.amc", &amc);
    check_ok(sn_rt_bvh_read(at("crosscheck/13_30.bvh"), &bvh, err));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = FIRST; k < LAST; k++) {
            double u[3], v[3];
            limb(&amc, k, rows[i].amc_from, rows[i].amc_to, u);
            limb(&bvh, k + 1, rows[i].bvh_from, rows[i].bvh_to, v);
            angle[k] = acos(fmin(1, fmax(-1, u[0] * v[0] + u[1] * v[1] + u[2] * v[2]))) * 180 / 3.14159265358979;
        }
        qsort(angle + FIRST, LAST - FIRST, sizeof *angle, by_value);
        assert_true(angle[(FIRST + LAST) / 2] < rows[i].degrees);
    }
    sn_rt_motion_fini(&amc);
    sn_rt_motion_fini(&bvh);
}

static double joint_distance(const sn_rt_sequence *s, size_t frame, int a, int b)
{
    const float *p = s->x + (frame * s->joints + (size_t)a) * 3, *q = s->x + (frame * s->joints + (size_t)b) * 3;
    return sqrt(pow((double)p[0] - (double)q[0], 2) + pow((double)p[1] - (double)q[1], 2) +
                pow((double)p[2] - (double)q[2], 2));
}

/* What must hold of every imported person: centre at the origin, spine up, shoulders across, limbs of human and constant
 * length, toes in front of the ankles at the beginning. */
static void check_person(const sn_rt_sequence *s)
{
    static const struct {
        int a, b;
        double least, most;
    } limbs[] = {{4, 5, 0.2, 0.35},    {5, 6, 0.17, 0.35},    {8, 9, 0.2, 0.35},  {9, 10, 0.17, 0.35}, {12, 13, 0.3, 0.5},
                 {13, 14, 0.33, 0.5},  {16, 17, 0.3, 0.5},    {17, 18, 0.33, 0.5}, {14, 15, 0.08, 0.2}, {18, 19, 0.08, 0.2},
                 {12, 16, 0.1, 0.25}};
    assert_true(s->joints == 25 && s->fps == 30);
    for (size_t k = 0; k < s->frames; k++)
        for (int c = 0; c < 3; c++)
            assert_true(s->x[(k * 25 + 1) * 3 + (size_t)c] == 0);
    assert_true(-s->x[2] > 0.95 * joint_distance(s, 0, 0, 1));
    assert_true(fabs((double)(s->x[24] - s->x[12]) - joint_distance(s, 0, 4, 8)) < 1e-5);
    for (size_t i = 0; i < sizeof limbs / sizeof *limbs; i++) {
        double first = joint_distance(s, 0, limbs[i].a, limbs[i].b);
        if (first < limbs[i].least || first > limbs[i].most)
            fail_msg("%s: %d to %d is %g m", s->id, limbs[i].a, limbs[i].b, first);
        for (size_t k = 0; k < s->frames; k++)
            assert_true(fabs(joint_distance(s, k, limbs[i].a, limbs[i].b) - first) < 1e-4);
    }
    assert_true(s->x[15 * 3 + 1] + s->x[19 * 3 + 1] > s->x[14 * 3 + 1] + s->x[18 * 3 + 1]);
}

static void import_mapped(void **state)
{
    (void)state;
    static const struct {
        const char *format, *file, *id, *source;
        size_t dropped, frames;
        bool borrowed;
    } rows[] = {
        {"bvh", "crosscheck/13_30.bvh", "13_30", "cmu-bvh43", 6, 615, false},
        {"bvh", "bvh/09_03.bvh", "09_03", "cmu-bvh43", 6, 31, false},
        {"bvh", "bvh/131_03.bvh", "131_03", "cmu-bvh31", 0, 276, false},
        {"amc", "amc/86_01.amc", "86_01", "cmu-asf31", 0, 1145, false},
        {"amc", "amc/13_29.amc", "13_29", "cmu-asf31", 0, 1148, true},
    };
    char asf[4096];
    snprintf(asf, sizeof asf, "%s/amc/03.asf", folder);
    sn_rt_dataset *set = sn_rt_dataset_new("ntu25");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sn_rt_import how = sn_rt_import_defaults(rows[i].format);
        sn_rt_imported done;
        how.asf = asf;
        check_ok(sn_rt_import_file(set, &how, at(rows[i].file), rows[i].id, &done, err));
        const sn_rt_sequence *s = sn_rt_dataset_at(set, i);
        assert_string_equal(s->source, rows[i].source);
        assert_int_equal(s->source_first, rows[i].dropped);
        assert_int_equal(done.borrowed_asf, rows[i].borrowed);
        assert_int_equal(s->frames, rows[i].frames);
        check_person(s);
    }
    char csv[4096];
    sn_rt_label_report r;
    snprintf(csv, sizeof csv, "%s/mocap6.csv", label_folder);
    check_ok(sn_rt_labels_apply(set, csv, &r, err));
    assert_int_equal(r.applied, 11);
    const sn_rt_segment *g = sn_rt_dataset_at(set, 4)->segment; /* 13_29: JumpJack 0..468, Twist 468..1212 at 120 Hz */
    assert_true(g[0].start == 0 && g[0].end == 117 && g[1].start == 117 && g[1].end == 303);
    g = sn_rt_dataset_at(set, 0)->segment; /* 13_30 as BVH: frame 0 shows source frame 6 */
    assert_true(g[0].start == 0);
    sn_rt_dataset_free(set);
}

/* Raw: the file's frames, joints and world, times the unit. */
static void import_raw(void **state)
{
    (void)state;
    sn_rt_dataset *set = sn_rt_dataset_new("raw");
    sn_rt_import how = sn_rt_import_defaults("bvh");
    sn_rt_imported done;
    sn_rt_motion m;
    how.raw = true;
    check_ok(sn_rt_import_file(set, &how, at("crosscheck/13_30.bvh"), "a", &done, err));
    how.all_frames = true;
    check_ok(sn_rt_import_file(set, &how, at("crosscheck/13_30.bvh"), "b", &done, err));
    check_ok(sn_rt_bvh_read(at("crosscheck/13_30.bvh"), &m, err));
    const sn_rt_sequence *a = sn_rt_dataset_at(set, 0), *b = sn_rt_dataset_at(set, 1);
    assert_true(a->frames == 2460 && b->frames == 2466 && a->joints == 43 && a->fps == 120 && a->source_first == 6);
    assert_memory_equal(a->x, b->x + 6 * 43 * 3, 2460 * 43 * 3 * sizeof(float));
    const sn_rt_body *body = sn_rt_dataset_body_at(set, a->body);
    for (size_t j = 0; j < 43; j++) {
        size_t point = (size_t)sn_rt_motion_find(&m, body->joint[j]);
        for (size_t c = 0; c < 3; c++)
            assert_true(a->x[(500 * 43 + j) * 3 + c] == (float)(0.01 * m.x[(506 * m.points + point) * 3 + c]));
        if (body->parent[j] >= 0)
            assert_string_equal(body->joint[body->parent[j]], m.point[m.point[point].parent].name);
    }
    sn_rt_motion_fini(&m);
    sn_rt_dataset_free(set);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    folder = argv[1];
    label_folder = argv[2];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bvh_positions),       cmocka_unit_test(amc_positions),
        cmocka_unit_test(bvh_agrees_with_amc), cmocka_unit_test(import_mapped),
        cmocka_unit_test(import_raw),
    };
    return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
