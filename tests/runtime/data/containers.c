/* Tests of the containers: safetensors and npy files, whole and damaged.
 * Not a test of what is kept in them. */
#include "check.h"

#include "runtime/data/file.h"
#include "runtime/data/npy.h"
#include "runtime/data/safetensors.h"

#include <dirent.h>

static sn_rt_tensors *small_set(void)
{
    sn_rt_tensors *set = sn_rt_tensors_new();
    float *x;
    check_ok(sn_rt_tensors_add(set, "x", SN_RT_ELEM_F32, 2, (uint64_t[]){2, 3}, NULL, (void **)&x, err));
    for (int i = 0; i < 6; i++)
        x[i] = (float)i / 4;
    check_ok(sn_rt_tensors_add(set, "tag", SN_RT_ELEM_U8, 1, (uint64_t[]){3}, "abc", NULL, err));
    check_ok(sn_rt_tensors_add(set, "none", SN_RT_ELEM_I64, 2, (uint64_t[]){0, 7}, NULL, NULL, err));
    check_ok(sn_rt_tensors_add(set, "step", SN_RT_ELEM_U64, 0, NULL, (uint64_t[]){1} + 0, NULL, err));
    check_ok(sn_rt_tensors_set_meta(set, "zeta", "last \"quoted\"", err));
    check_ok(sn_rt_tensors_set_meta(set, "alpha", "1", err));
    check_ok(sn_rt_tensors_set_meta(set, "alpha", "2", err));
    return set;
}

static int same_array(const sn_rt_array *a, const sn_rt_array *b)
{
    return strcmp(a->name, b->name) == 0 && a->elem == b->elem && a->rank == b->rank &&
           memcmp(a->dims, b->dims, sizeof a->dims) == 0 && a->bytes == b->bytes &&
           memcmp(a->data, b->data, a->bytes) == 0;
}

static int same_arrays(const sn_rt_tensors *a, const sn_rt_tensors *b)
{
    if (sn_rt_tensors_count(a) != sn_rt_tensors_count(b))
        return 0;
    for (size_t i = 0; i < sn_rt_tensors_count(a); i++)
        if (!same_array(sn_rt_tensors_at(a, i), sn_rt_tensors_at(b, i)))
            return 0;
    return 1;
}

static void round_trip(void **state)
{
    (void)state;
    sn_rt_tensors *set = small_set(), *back;
    check_ok(sn_rt_tensors_write(set, "a.safetensors", err));
    check_ok(sn_rt_tensors_read("a.safetensors", &back, err));
    assert_true(same_arrays(set, back));
    assert_int_equal(sn_rt_tensors_meta_count(back), 2);
    const char *key, *value;
    sn_rt_tensors_meta_at(back, 0, &key, &value);
    assert_string_equal(key, "alpha");
    assert_string_equal(value, "2");
    assert_string_equal(sn_rt_tensors_meta(back, "zeta"), "last \"quoted\"");
    assert_null(sn_rt_tensors_meta(back, "beta"));
    assert_null(sn_rt_tensors_meta(back, "sinew.xxh3"));

    /* The same content gives the same bytes, and nothing else is left in the folder. */
    check_ok(sn_rt_tensors_write(back, "b.safetensors", err));
    char *a, *b;
    size_t a_size, b_size;
    check_ok(sn_rt_file_read("a.safetensors", SIZE_MAX, &a, &a_size, err));
    check_ok(sn_rt_file_read("b.safetensors", SIZE_MAX, &b, &b_size, err));
    assert_int_equal(a_size, b_size);
    assert_memory_equal(a, b, a_size);
    DIR *here = opendir(".");
    for (struct dirent *e; (e = readdir(here));)
        assert_null(strstr(e->d_name, ".tmp"));
    closedir(here);
    free(a);
    free(b);
    sn_rt_tensors_free(set);
    sn_rt_tensors_free(back);
}

static void find_and_need(void **state)
{
    (void)state;
    sn_rt_tensors *set = small_set();
    const sn_rt_array *x = NULL;
    check_ok(sn_rt_tensors_need(set, "x", SN_RT_ELEM_F32, 2, (uint64_t[]){SN_RT_ANY_DIM, 3}, &x, err));
    assert_ptr_equal(x, sn_rt_tensors_find(set, "x"));
    assert_int_equal((uintptr_t)x->data % 64, 0);
    check_fails(sn_rt_tensors_need(set, "x", SN_RT_ELEM_F64, 2, (uint64_t[]){SN_RT_ANY_DIM, 4}, &x, err),
                SN_RT_BAD_SHAPE, "array \"x\": found f32[2,3], expected f64[?,4]");
    check_fails(sn_rt_tensors_need(set, "y", SN_RT_ELEM_F64, 0, NULL, &x, err), SN_RT_MISSING,
                "array \"y\" is missing");
    check_fails(sn_rt_tensors_add(set, "x", SN_RT_ELEM_F32, 0, NULL, NULL, NULL, err), SN_RT_ARGUMENT,
                "array \"x\" is already in the set");
    check_fails(sn_rt_tensors_add(set, "__metadata__", SN_RT_ELEM_F32, 0, NULL, NULL, NULL, err), SN_RT_ARGUMENT,
                "array name \"__metadata__\" is reserved");
    check_fails(sn_rt_tensors_add(set, "\xff", SN_RT_ELEM_F32, 0, NULL, NULL, NULL, err), SN_RT_ARGUMENT,
                "array name is not UTF-8");
    check_fails(sn_rt_tensors_add(set, "big", SN_RT_ELEM_F32, 2, (uint64_t[]){1ull << 40, 1ull << 40}, NULL, NULL, err),
                SN_RT_BAD_SHAPE, "shape f32[1099511627776,1099511627776] is too large");
    check_fails(sn_rt_tensors_set_meta(set, "sinew.xxh3", "", err), SN_RT_ARGUMENT,
                "metadata key \"sinew.xxh3\" is reserved");
    char name[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "w%d", i);
        check_ok(sn_rt_tensors_add(set, name, SN_RT_ELEM_I32, 0, NULL, &i, NULL, err));
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "w%d", i);
        assert_int_equal(*(int32_t *)sn_rt_tensors_find(set, name)->data, i);
    }
    sn_rt_tensors_free(set);
}

/* Bytes of a file with that header and `data_size` zero bytes of data. */
static char *with_header(const char *header, size_t data_size, size_t *out_size)
{
    uint64_t length = strlen(header);
    char *bytes = calloc(1, 8 + length + data_size + 1);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, header, length);
    *out_size = 8 + length + data_size;
    return bytes;
}

static void malformed(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        const char *message;
    } rows[] = {
        {"[]", 0, "f: byte 8: header is not an object"},
        {"{", 0, "f: byte 9: header: string or '}' expected near end of file"},
        {"{\"a\":1}", 0, "f: array \"a\": entry is not an object"},
        {"{\"a\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[0,2]}}", 2,
         "f: array \"a\": dtype \"BF16\" is not one of F32 F64 I32 I64 U8 U64"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":4,\"data_offsets\":[0,4]}}", 4, "f: array \"a\": shape is not a list"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4,
         "f: array \"a\": shape[0] is not a count"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
         "f: array \"a\": rank 9 is above 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4,
         "f: array \"a\": data_offsets is not [begin, end]"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "f: array \"a\": data_offsets is not [begin, end]"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 4,
         "f: array \"a\": data ends at 8, the file has 4 bytes of data"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8,
         "f: array \"a\": f32[3] needs 12 bytes, data_offsets span 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0,
         "f: array \"a\": shape f32[4611686018427387904,4] is too large"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":0}}", 4,
         "f: array \"a\": unknown field \"x\""},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         8, "f: arrays \"a\" and \"b\" overlap at data offset 4"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8,
         "f: no array covers data offsets 0 to 4"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8,
         "f: arrays cover 4 bytes of data, the file has 8"},
        {"{\"\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "f: array name is empty"},
        {"{\"__metadata__\":3}", 0, "f: __metadata__ is not an object"},
        {"{\"__metadata__\":{\"k\":3}}", 0, "f: metadata \"k\" is not a string"},
        {"{\"__metadata__\":{\"sinew.xxh3\":\"12\"}}", 0,
         "f: metadata \"sinew.xxh3\" is not 16 hexadecimal digits"},
        {"{\"__metadata__\":{\"sinew.xxh3\":\"0123456789abcdef\"}}", 0,
         "f: content has checksum 80266df44eb06d79, metadata \"sinew.xxh3\" says 0123456789abcdef: the file is "
         "damaged, or was changed by a tool that kept the key"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t size;
        sn_rt_tensors *set = NULL;
        char *bytes = with_header(rows[i].header, rows[i].data, &size);
        check_fails(sn_rt_tensors_parse("f", bytes, size, &set, err), SN_RT_FORMAT, rows[i].message);
        assert_null(set);
        free(bytes);
    }
    sn_rt_tensors *set = NULL;
    check_fails(sn_rt_tensors_parse("f", "abc", 3, &set, err), SN_RT_FORMAT,
                "f: 3 bytes, the header length alone needs 8");
    check_fails(sn_rt_tensors_parse("f", "\1\1\0\0\0\0\0\0{}", 10, &set, err), SN_RT_FORMAT,
                "f: byte 0: header length 257, the file has 2 bytes after it");
    check_fails(sn_rt_tensors_read("absent", &set, err), SN_RT_IO, "absent: open: No such file or directory");
    check_fails(sn_rt_tensors_read(".", &set, err), SN_RT_IO, ".: not a regular file");
}

static void duplicate_names(void **state)
{
    (void)state;
    size_t size;
    sn_rt_tensors *set = NULL;
    sn_rt_error error = {""};
    char *bytes = with_header("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                              "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
                              2, &size);
    assert_int_equal(sn_rt_tensors_parse("f", bytes, size, &set, &error), SN_RT_FORMAT);
    assert_non_null(strstr(error.text, "duplicate object key"));
    free(bytes);
}

/* A file of another tool: no checksum, blanks in the JSON, data not aligned. */
static void foreign_file(void **state)
{
    (void)state;
    size_t size;
    sn_rt_tensors *set = NULL;
    char *bytes = with_header("{ \"b\": {\"shape\":[1], \"dtype\":\"F32\", \"data_offsets\":[1,5]},"
                              "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}   ",
                              5, &size);
    memcpy(bytes + size - 4, &(float){2.5f}, 4);
    check_ok(sn_rt_tensors_parse("f", bytes, size, &set, err));
    assert_string_equal(sn_rt_tensors_at(set, 0)->name, "a");
    assert_true(*(float *)sn_rt_tensors_at(set, 1)->data == 2.5f);
    sn_rt_tensors_free(set);
    free(bytes);
}

/* Cut at every length, flip every bit: an error that names the file, or the same arrays. */
static void damaged(void **state)
{
    (void)state;
    sn_rt_tensors *set = small_set();
    check_ok(sn_rt_tensors_write(set, "d.safetensors", err));
    char *bytes;
    size_t size;
    check_ok(sn_rt_file_read("d.safetensors", SIZE_MAX, &bytes, &size, err));
    for (size_t cut = 0; cut < size; cut++) {
        sn_rt_tensors *back = NULL;
        sn_rt_error error = {""};
        char *part = malloc(cut ? cut : 1); /* exact size: reads beyond it are seen by the sanitizer */
        memcpy(part, bytes, cut);
        assert_int_equal(sn_rt_tensors_parse("d", part, cut, &back, &error), SN_RT_FORMAT);
        assert_memory_equal(error.text, "d: ", 3);
        free(part);
    }
    size_t unseen = 0;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        sn_rt_tensors *back = NULL;
        sn_rt_error error = {""};
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        if (sn_rt_tensors_parse("d", bytes, size, &back, &error) == SN_RT_OK) {
            assert_true(same_arrays(set, back));
            unseen++;
        } else {
            assert_memory_equal(error.text, "d: ", 3);
        }
        sn_rt_tensors_free(back);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    /* Only a flip inside the checksum's own key goes unseen. */
    assert_true(unseen <= 8 * strlen("sinew.xxh3"));
    free(bytes);
    sn_rt_tensors_free(set);
}

static void npy_round_trip(void **state)
{
    (void)state;
    static const struct {
        sn_rt_elem elem;
        uint32_t rank;
        uint64_t dims[3];
    } rows[] = {
        {SN_RT_ELEM_F32, 2, {2, 3, 0}}, {SN_RT_ELEM_F64, 1, {5, 0, 0}}, {SN_RT_ELEM_I32, 0, {0, 0, 0}},
        {SN_RT_ELEM_I64, 3, {2, 1, 4}}, {SN_RT_ELEM_U8, 2, {0, 3, 0}},  {SN_RT_ELEM_U64, 1, {1, 0, 0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sn_rt_array array, back;
        check_ok(sn_rt_array_init(rows[i].elem, rows[i].rank, rows[i].dims, &array, err));
        for (size_t b = 0; b < array.bytes; b++)
            ((uint8_t *)array.data)[b] = (uint8_t)(b * 37 + i);
        check_ok(sn_rt_npy_write("a.npy", &array, err));
        check_ok(sn_rt_npy_read("a.npy", &back, err));
        check_ok(sn_rt_array_expect(&back, "a", array.elem, array.rank, array.dims, err));
        assert_memory_equal(array.data, back.data, array.bytes);
        sn_rt_array_fini(&array);
        sn_rt_array_fini(&back);
    }
}

static void npy_malformed(void **state)
{
    (void)state;
#define V1(length) "\x93NUMPY\1\0" length
#define FILE_OF(text) text, sizeof text - 1
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } rows[] = {
        {FILE_OF("PK\3\4abcdefgh"), "f: byte 0: not an npy file"},
        {FILE_OF("\x93NUMPY\3\0\0\0{}"), "f: byte 6: version 3.0, only 1.0 and 2.0 are read"},
        {FILE_OF(V1("\377\0") "{}"), "f: byte 8: header length 255 goes beyond the file's 12 bytes"},
        {FILE_OF(V1("\2\0") "[]"), "f: byte 10: header is not a dictionary"},
        {FILE_OF(V1("\17\0") "{'descr': '>f4'"),
         "f: byte 20: descr is not one of '<f4' '<f8' '<i4' '<i8' '|u1' '<u8'"},
        {FILE_OF(V1("\27\0") "{'fortran_order': Trye,"), "f: byte 28: fortran_order is not True or False"},
        {FILE_OF(V1("\16\0") "{'shape': (-1)"), "f: byte 21: expected a dimension"},
        {FILE_OF(V1("\16\0") "{'shape': (3;)"), "f: byte 22: expected ',' or ')' in shape"},
        {FILE_OF(V1("\22\0") "{'shape': (), 'x':"),
         "f: byte 24: expected one of 'descr' 'fortran_order' 'shape', each once"},
        {FILE_OF(V1("\16\0") "{'shape': (),}"), "f: byte 24: header lacks descr, fortran_order or shape"},
        {FILE_OF(V1("\70\0") "{'descr':'<f4','fortran_order':False,'shape':(2,)}      1234567"),
         "f: f32[2] needs 8 bytes of data, the file has 7"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sn_rt_array array = {0};
        sn_rt_error error = {""};
        assert_int_equal(sn_rt_npy_parse("f", rows[i].bytes, rows[i].size, &array, &error), SN_RT_FORMAT);
        assert_string_equal(error.text, rows[i].message);
        assert_null(array.data);
    }
}

static void npy_damaged(void **state)
{
    (void)state;
    sn_rt_array array, back;
    check_ok(sn_rt_array_init(SN_RT_ELEM_F32, 2, (uint64_t[]){3, 4}, &array, err));
    check_ok(sn_rt_npy_write("d.npy", &array, err));
    char *bytes;
    size_t size;
    check_ok(sn_rt_file_read("d.npy", SIZE_MAX, &bytes, &size, err));
    for (size_t cut = 0; cut < size; cut++) {
        char *part = malloc(cut ? cut : 1);
        sn_rt_error error = {""};
        memcpy(part, bytes, cut);
        assert_int_equal(sn_rt_npy_parse("d", part, cut, &back, &error), SN_RT_FORMAT);
        free(part);
    }
    for (size_t bit = 0; bit < 8 * size; bit++) {
        sn_rt_error error = {""};
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        if (sn_rt_npy_parse("d", bytes, size, &back, &error) == SN_RT_OK) {
            assert_int_equal(back.bytes, array.bytes);
            sn_rt_array_fini(&back);
        }
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    free(bytes);
    sn_rt_array_fini(&array);
}

/* Version 2.0 differs in the width of the header's length. */
static void npy_version_2(void **state)
{
    (void)state;
    static const char bytes[] = "\x93NUMPY\2\0\72\0\0\0{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }\nxyz";
    sn_rt_array array;
    check_ok(sn_rt_npy_parse("f", bytes, sizeof bytes - 1, &array, err));
    assert_memory_equal(array.data, "xyz", 3);
    sn_rt_array_fini(&array);
}

/* [2, 3], of which NumPy wrote columns first, comes out row by row. */
static void npy_fortran_order(void **state)
{
    (void)state;
    static const char bytes[] = "\x93NUMPY\1\0\73\0{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\nadbecf";
    sn_rt_array array;
    check_ok(sn_rt_npy_parse("f", bytes, sizeof bytes - 1, &array, err));
    assert_true(array.rank == 2 && array.dims[0] == 2 && array.dims[1] == 3);
    assert_memory_equal(array.data, "abcdef", 6);
    sn_rt_array_fini(&array);
}

static void replace_keeps_old_file_on_error(void **state)
{
    (void)state;
    check_ok(sn_rt_file_replace("keep", "old", 3, err));
    sn_rt_replace *r;
    check_ok(sn_rt_replace_open("keep", &r, err));
    check_ok(sn_rt_replace_write(r, "new", 3, err));
    sn_rt_replace_abandon(r);
    char *bytes;
    size_t size;
    check_ok(sn_rt_file_read("keep", 100, &bytes, &size, err));
    assert_string_equal(bytes, "old");
    free(bytes);
    check_fails(sn_rt_file_read("keep", 2, &bytes, &size, err), SN_RT_IO, "keep: 3 bytes, at most 2 are read");
    check_fails(sn_rt_file_replace("no/where", "x", 1, err), SN_RT_IO,
                "no/where: create: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),      cmocka_unit_test(find_and_need),
        cmocka_unit_test(malformed),       cmocka_unit_test(duplicate_names),
        cmocka_unit_test(foreign_file),    cmocka_unit_test(damaged),
        cmocka_unit_test(npy_round_trip),  cmocka_unit_test(npy_malformed),
        cmocka_unit_test(npy_damaged),     cmocka_unit_test(npy_version_2), cmocka_unit_test(npy_fortran_order),
        cmocka_unit_test(replace_keeps_old_file_on_error),
    };
    return cmocka_run_group_tests_name("containers", tests, NULL, NULL);
}
