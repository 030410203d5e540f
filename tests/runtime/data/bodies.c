/* Tests of tracked bodies: the NTU and PKU-MMD readers on files in the real format, exact messages, and the three families
 * against their oracle (families.py).
 * Not a test of data sets (dataset.c). */
#include "check.h"

#include "runtime/data/bodies.h"
#include "runtime/data/families.h"
#include "runtime/data/import.h"
#include "runtime/data/npy.h"

#include <math.h>

#ifndef GOLDEN
#error "GOLDEN is the folder of the oracle's files"
#endif

/* ---- readers ------------------------------------------------------------------------------------------------------------ */

/* A body of `joints` lines, all at x y z. */
static size_t put_body(char *out, const char *id, const char *joint, int joints)
{
    size_t n = (size_t)sprintf(out, "%s 0 1 1 1 1 0 0.1 -0.2 2\n%d\n", id, joints);
    for (int j = 0; j < joints; j++)
        n += (size_t)sprintf(out + n, "%s\n", joint);
    return n;
}

#define JOINT "0.25 -1.5e-1 3 1 2 3 4 0.1 0.2 0.3 -1.#IND 2"

static void reads_ntu(void **state)
{
    (void)state;
    char text[8192];
    sn_rt_bodies b;
    size_t n = (size_t)sprintf(text, "3\r\n1\n");
    n += put_body(text + n, "72057594037931101", JOINT, 25);
    n += (size_t)sprintf(text + n, "0\n\n2 \n");
    n += put_body(text + n, "72057594037931102", JOINT, 25);
    n += put_body(text + n, "18446744073709551615", JOINT, 25);
    check_ok(sn_rt_ntu_parse("a.skeleton", text, n, &b, err));
    assert_int_equal(b.frames, 3);
    assert_true(b.fps == 30);
    const size_t first[] = {0, 1, 1, 3};
    assert_memory_equal(b.first, first, sizeof first);
    assert_true(b.body[0].id == 72057594037931101u && b.body[1].id == 72057594037931102u && b.body[2].id == UINT64_MAX);
    assert_true(b.body[2].x[24][0] == 0.25f && b.body[2].x[24][1] == -0.15f && b.body[2].x[24][2] == 3);
    sn_rt_bodies_fini(&b);
}

static void check_ntu(const char *text, const char *message)
{
    sn_rt_bodies b;
    check_fails(sn_rt_ntu_parse("a.skeleton", text, strlen(text), &b, err), SN_RT_FORMAT, message);
}

static void names_what_is_wrong_in_ntu(void **state)
{
    (void)state;
    char text[8192];
    check_ntu("", "a.skeleton:1: found the end of the file, expected the number of frames");
    check_ntu("0\n", "a.skeleton:1: no frames");
    check_ntu("-4\n", "a.skeleton:1: found '-4', expected the number of frames");
    check_ntu("2\n0\n", "a.skeleton:3: the file ends after 1 frames, its first line says 2");
    check_ntu("1\n0\n7\n", "a.skeleton:3: found '7', expected the end of the file after the last frame");
    check_ntu("1\n65\n", "a.skeleton:2: 65 bodies in a frame, expected at most 64");
    check_ntu("1\n1\n1e17 0 1 1 1 1 0 0 0 2\n25\n",
              "a.skeleton:3: found '1e17', expected a body id (a whole number of up to 64 bits)");
    check_ntu("1\n1\n18446744073709551616 0 1 1 1 1 0 0 0 2\n25\n",
              "a.skeleton:3: found '18446744073709551616', expected a body id (a whole number of up to 64 bits)");
    check_ntu("1\n1\n7 0 1 1 1 1 0 0 0\n25\n", "a.skeleton:3: found the end of the line, expected 10 fields of a body");
    strcpy(text, "1\n1\n");
    put_body(text + 4, "7", JOINT, 24);
    check_ntu(text, "a.skeleton:4: a body of 24 joints, expected 25");
    put_body(text + 4, "7", "0.1 nan 3 1 2 3 4 5 6 7 8 2", 25);
    check_ntu(text, "a.skeleton:5: found 'nan', expected 12 fields of a joint, x y z first");
    put_body(text + 4, "7", "0.1 1e39 3 1 2 3 4 5 6 7 8 2", 25);
    check_ntu(text, "a.skeleton:5: 1e+39 is no length in metres");
    put_body(text + 4, "7", "0.1 0 3 1 2 3 4 5 6 7 8", 25);
    check_ntu(text, "a.skeleton:5: found the end of the line, expected 12 fields of a joint");
    text[put_body(text + 4, "7", JOINT, 25) - 20] = '\0';
    check_ntu(text, "a.skeleton:29: found the end of the file, expected 12 fields of a joint");
}

static void reads_pku(void **state)
{
    (void)state;
    char text[4096];
    sn_rt_bodies b;
    size_t n = 0;
    for (int t = 0; t < 3; t++) {
        for (int i = 0; i < 150; i++)
            n += (size_t)sprintf(text + n, "%d ", t == 1 || (t == 0 && i >= 75) ? 0 : i + 1);
        n += (size_t)sprintf(text + n, "\r\n");
    }
    check_ok(sn_rt_pku_parse("0002-L.txt", text, n, &b, err));
    assert_int_equal(b.frames, 3);
    const size_t first[] = {0, 1, 1, 3};
    assert_memory_equal(b.first, first, sizeof first);
    assert_true(b.body[1].id == 0 && b.body[2].id == 1 && b.body[2].x[0][0] == 76 && b.body[1].x[24][2] == 75);
    sn_rt_bodies_fini(&b);
    check_fails(sn_rt_pku_parse("0002-L.txt", "\n", 1, &b, err), SN_RT_FORMAT, "0002-L.txt:2: no frames");
    check_fails(sn_rt_pku_parse("0002-L.txt", "1 2 x", 5, &b, err), SN_RT_FORMAT,
                "0002-L.txt:1: found 'x', expected 150 numbers in a line: two bodies of 25 joints");
    memcpy(strchr(text, '\r'), "0 ", 2);
    check_fails(sn_rt_pku_parse("0002-L.txt", text, n, &b, err), SN_RT_FORMAT,
                "0002-L.txt:1: found '0', expected the end of the line after 150 numbers");
}

static void knows_the_names_of_ntu(void **state)
{
    (void)state;
    sn_rt_ntu_name name;
    assert_int_equal(sn_rt_ntu_name_of("x/S017C003P020R002A060.skeleton", &name), 0);
    assert_true(name.setup == 17 && name.camera == 3 && name.performer == 20 && name.replication == 2 && name.action == 60);
    assert_int_equal(sn_rt_ntu_name_of("S017C003P020R002A060", &name), 0);
    assert_int_equal(sn_rt_ntu_name_of("S017C003P020R002A06.skeleton", &name), -1);
    assert_int_equal(sn_rt_ntu_name_of("S017C003P020R002A0601.skeleton", &name), -1);
}

/* Every beginning of the oracle's file is an error or a shorter recording, never a crash. */
static void survives_truncation(void **state)
{
    (void)state;
    char text[8192];
    size_t n = (size_t)sprintf(text, "1\n2\n");
    n += put_body(text + n, "7", JOINT, 25);
    n += put_body(text + n, "8", JOINT, 25);
    for (size_t size = 0; size + 1 < n; size++) {
        sn_rt_bodies b;
        sn_rt_error err = {""};
        char *exact = malloc(size + 1); /* so that a byte too far is seen */
        memcpy(exact, text, size);
        if (sn_rt_ntu_parse("a", exact, size, &b, &err) == SN_RT_OK)
            fail_msg("%zu of %zu bytes were taken for a whole file", size, n);
        free(exact);
    }
}

/* ---- families ----------------------------------------------------------------------------------------------------------- */

static void check_family(const char *name, size_t frames, const char *golden)
{
    sn_rt_bodies b;
    sn_rt_persons q;
    sn_rt_array expected;
    check_ok(sn_rt_ntu_read(GOLDEN "/bodies.skeleton", &b, err));
    check_ok(sn_rt_npy_read(golden, &expected, err));
    check_ok(sn_rt_family_apply(sn_rt_family_of(name), &b, frames, &q, err));
    assert_true(expected.rank == 4 && expected.dims[0] == q.persons && expected.dims[1] == q.frames);
    const float *value = expected.data;
    double worst = 0, most = 0;
    for (size_t i = 0; i < q.persons * q.frames * SN_RT_JOINTS * 3; i++) {
        worst = fmax(worst, fabs((double)q.x[i] - (double)value[i]));
        most = fmax(most, fabs((double)value[i]));
    }
    if (!(worst <= 2e-6 * most))
        fail_msg("%s: differs by %g where the largest is %g", golden, worst, most);
    sn_rt_persons_fini(&q);
    sn_rt_bodies_fini(&b);
    sn_rt_array_fini(&expected);
}

static void families_equal_the_oracle(void **state)
{
    (void)state;
    check_family("agcn", 0, GOLDEN "/family_agcn.npy");
    check_family("agcn", 40, GOLDEN "/family_agcn40.npy");
    check_family("aimclr", 0, GOLDEN "/family_aimclr.npy");
    check_family("aimclr", 20, GOLDEN "/family_aimclr20.npy");
    check_family("denoised", 0, GOLDEN "/family_denoised.npy");
}

static void families_refuse(void **state)
{
    (void)state;
    sn_rt_bodies b;
    sn_rt_persons q;
    check_ok(sn_rt_ntu_parse("a", "2\n0\n0\n", 6, &b, err));
    check_fails(sn_rt_family_apply(sn_rt_family_of("agcn"), &b, 0, &q, err), SN_RT_BAD_SHAPE, "no frame shows a body");
    sn_rt_bodies_fini(&b);
    check_ok(sn_rt_ntu_read(GOLDEN "/bodies.skeleton", &b, err));
    check_fails(sn_rt_family_apply(sn_rt_family_of("agcn"), &b, 31, &q, err), SN_RT_BAD_SHAPE,
                "32 frames, more than the 31 to fill");
    check_fails(sn_rt_family_apply(sn_rt_family_of("denoised"), &b, 300, &q, err), SN_RT_ARGUMENT,
                "family denoised keeps a recording's frames, 300 were asked for");
    b.frames = 11; /* every track is short now */
    check_fails(sn_rt_family_apply(sn_rt_family_of("denoised"), &b, 0, &q, err), SN_RT_BAD_SHAPE,
                "no body is tracked for more than 11 frames");
    sn_rt_bodies_fini(&b);
    assert_null(sn_rt_family_of("B"));
}

/* ---- arrays of samples ------------------------------------------------------------------------------------------------- */

static void write_npy(const char *path, sn_rt_elem elem, uint32_t rank, const uint64_t *dims, void *data)
{
    sn_rt_array a = {NULL, elem, rank, {0}, data, sn_rt_elem_size(elem)};
    for (uint32_t i = 0; i < rank; i++) {
        a.dims[i] = dims[i];
        a.bytes *= dims[i];
    }
    check_ok(sn_rt_npy_write(path, &a, err));
}

/* Three samples of up to 4 frames: 3 frames, none, 4 frames with an empty one inside. */
static void samples_become_sequences(void **state)
{
    (void)state;
    enum { N = 3, T = 4, V = 25, M = 2 };
    static float x[N][3][T][V][M];
    int64_t label[N] = {0, 7, 119};
    size_t empty;
    for (int c = 0; c < 3; c++)
        for (int t = 0; t < T; t++)
            for (int v = 0; v < V; v++)
                for (int m = 0; m < M; m++) {
                    x[0][c][t][v][m] = t < 3 && m == 0 ? (float)(100 * t + 10 * c + v) : 0;
                    x[2][c][t][v][m] = t != 1 ? (float)(v + 1) * (m ? -1 : 1) : 0;
                }
    write_npy("x.npy", SN_RT_ELEM_F32, 5, (uint64_t[]){N, 3, T, V, M}, x);
    write_npy("l.npy", SN_RT_ELEM_I64, 2, (uint64_t[]){N, 1}, label);
    sn_rt_dataset *set = sn_rt_dataset_new("ntu25");
    check_ok(sn_rt_import_samples(set, "x.npy", "l.npy", "train", "val", &empty, err));
    assert_int_equal(empty, 1);
    assert_int_equal(sn_rt_dataset_count(set), 2);
    const sn_rt_sequence *first = sn_rt_dataset_at(set, 0), *second = sn_rt_dataset_at(set, 1);
    assert_string_equal(first->id, "train_000000");
    assert_string_equal(second->id, "train_000002");
    assert_string_equal(second->split, "val");
    assert_true(first->frames == 3 && second->frames == 4 && second->persons == 2);
    assert_true(first->x[(2 * V + 5) * 3 + 1] == 215 && second->x[((T + 3) * V + 4) * 3 + 2] == -5);
    assert_string_equal(sn_rt_dataset_label_name(set, second->segment[0].label), "A120");
    assert_true(second->segments == 1 && second->segment[0].start == 0 && second->segment[0].end == 4);
    label[1] = -1;
    write_npy("l.npy", SN_RT_ELEM_I64, 1, (uint64_t[]){N}, label);
    check_fails(sn_rt_import_samples(set, "x.npy", "l.npy", "b", "val", &empty, err), SN_RT_FORMAT, "l.npy: label -1 of sample 1 is not 0 to 9999");
    write_npy("l.npy", SN_RT_ELEM_I64, 1, (uint64_t[]){N - 1}, label);
    check_fails(sn_rt_import_samples(set, "x.npy", "l.npy", "b", "val", &empty, err), SN_RT_FORMAT,
                "l.npy: found i64[2], expected i64[3] or i32[3], a label for each sample of x.npy");
    write_npy("y.npy", SN_RT_ELEM_F32, 5, (uint64_t[]){N, T, 3, V, M}, x);
    check_fails(sn_rt_import_samples(set, "y.npy", NULL, "b", "val", &empty, err), SN_RT_FORMAT,
                "y.npy: found f32[3,4,3,25,2], expected f32[N,3,T,25,M] of 1 or 2 persons");
    sn_rt_dataset_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_ntu),
        cmocka_unit_test(names_what_is_wrong_in_ntu),
        cmocka_unit_test(reads_pku),
        cmocka_unit_test(knows_the_names_of_ntu),
        cmocka_unit_test(survives_truncation),
        cmocka_unit_test(families_equal_the_oracle),
        cmocka_unit_test(families_refuse),
        cmocka_unit_test(samples_become_sequences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
