/* The object cache: hits, misses, merged kernels, damaged and foreign entries; names and text of kernels.
 * Not what kernels compute. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness.h"

typedef struct fixture { char dir[64], inner[96]; sn_graph *g; sn_schedule *s; sn_diags d; } fixture;

/* Three kernels, two of them equal but for their names. */
static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    strcpy(f->dir, "/tmp/sinew-cache-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->inner, sizeof f->inner, "%s/a/b", f->dir);
    f->g = sn_graph_new("cache");
    sn_diags_init(&f->d);
    sn_build b = {.g = f->g, .diags = &f->d};
    sn_type t = {.rank = 2, .dim = {sn_dim_symbol(&f->g->dims, "N"), sn_dim_const(20)}};
    sn_ref x = sn_graph_param(f->g, "x", SN_INPUT, &t, (sn_init){0}, (sn_loc){0});
    sn_ref y = sn_unary(&b, SN_OP_relu, x), z = sn_unary(&b, SN_OP_relu, y), w = sn_unary(&b, SN_OP_exp, z);
    sn_graph_output(f->g, "w", w, (sn_loc){0});
    f->s = cg_schedule_each(f->g);
    *state = f;
    return 0;
}

static void remove_all(const char *dir)
{
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (e->d_type == DT_DIR)
            remove_all(path);
        else
            unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

static int teardown(void **state)
{
    fixture *f = *state;
    cg_schedule_free(f->s);
    sn_graph_free(f->g);
    sn_diags_fini(&f->d);
    remove_all(f->dir);
    free(f);
    return 0;
}

/* Compile and run; the numbers must be right whatever the cache holds. */
static sn_compile_stats compile(fixture *f, const char *dir, const char *cpu)
{
    sn_compiled *c = sn_compile(f->s, &(sn_codegen_options){.cpu = cpu, .cache_dir = dir, .threads = 2}, &f->d);
    assert_non_null(c);
    float x[60];
    for (int i = 0; i < 60; i++)
        x[i] = i % 2 ? 0.0f : -1.0f;
    cg_memory m = cg_run(sn_compiled_program(c), (int64_t[]){3}, (float *[]){x}, 1, false);
    for (int i = 0; i < 60; i++)
        assert_true(m.buffer[f->s->buffer_of[f->g->output[0].ref.i]][i] == 1.0f);
    cg_memory_free(&m);
    sn_compile_stats stats = sn_compiled_stats(c);
    sn_compiled_free(c);
    return stats;
}

static void entries(fixture *f, void (*each)(const char *path))
{
    DIR *d = opendir(f->inner);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') {
            char path[512];
            snprintf(path, sizeof path, "%s/%s", f->inner, e->d_name);
            each(path);
        }
    closedir(d);
}

static void test_hit(void **state)
{
    fixture *f = *state;
    sn_compile_stats s = compile(f, f->inner, NULL);
    assert_int_equal(s.kernels, 3);
    assert_int_equal(s.distinct, 2);
    assert_int_equal(s.cached, 0);
    assert_int_equal(compile(f, f->inner, NULL).cached, 2);
    assert_int_equal(compile(f, NULL, NULL).cached, 0);
    assert_int_equal(compile(f, f->inner, "x86-64-v2").cached, 0); /* another processor is another key */
    assert_int_equal(compile(f, f->inner, "x86-64-v2").cached, 2);
    assert_int_equal(f->d.count, 0);
}

static void is_private(const char *path)
{
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
}

static off_t flip_at;
static void flip(const char *path)
{
    int fd = open(path, O_RDWR);
    struct stat s;
    unsigned char c;
    assert_true(fd >= 0 && fstat(fd, &s) == 0);
    off_t at = flip_at < s.st_size ? flip_at : s.st_size - 1;
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 0x10;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

static void cut(const char *path)
{
    struct stat s;
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(truncate(path, s.st_size / 2), 0);
}

static void empty(const char *path) { assert_int_equal(truncate(path, 0), 0); }
static void open_to_all(const char *path) { assert_int_equal(chmod(path, 0666), 0); }

static void make_link(const char *path)
{
    char other[560];
    snprintf(other, sizeof other, "%s.moved", path);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
}

/* Every damaged entry is compiled again and replaced. */
static void test_damage(void **state)
{
    fixture *f = *state;
    compile(f, f->inner, NULL);
    entries(f, is_private);
    for (flip_at = 0; flip_at < 900; flip_at += flip_at < 100 ? 5 : 97) {
        entries(f, flip);
        assert_int_equal(compile(f, f->inner, NULL).cached, 0);
        assert_int_equal(compile(f, f->inner, NULL).cached, 2);
    }
    void (*const damage[])(const char *) = {cut, empty, open_to_all, make_link};
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        entries(f, damage[i]);
        assert_int_equal(compile(f, f->inner, NULL).cached, 0);
        assert_int_equal(compile(f, f->inner, NULL).cached, 2);
    }
}

/* A directory that others may write to is not used, and that is said. */
static void test_foreign(void **state)
{
    fixture *f = *state;
    compile(f, f->inner, NULL);
    assert_int_equal(chmod(f->inner, 0777), 0);
    assert_int_equal(compile(f, f->inner, NULL).cached, 0);
    assert_int_equal(f->d.count, 1);
    assert_int_equal(f->d.diag[0].severity, SN_WARNING);
    assert_non_null(strstr(f->d.diag[0].text, "others may write"));
    assert_int_equal(compile(f, "/dev/null/x", NULL).cached, 0);
    assert_int_equal(f->d.count, 2);
}

static void test_processor(void **state)
{
    fixture *f = *state;
    assert_null(sn_compile(f->s, &(sn_codegen_options){.cpu = "x86-64-v5"}, &f->d));
    assert_int_equal(f->d.count, 1);
    assert_non_null(strstr(f->d.diag[0].text, "processor \"x86-64-v5\" is not known"));
    sn_codegen_target t;
    assert_true(sn_codegen_target_get(NULL, &t, &f->d));
    assert_true(t.vector_bits >= 128 && t.vector_registers >= 16 && t.cpu[0]);
    assert_true(sn_codegen_target_get(&(sn_codegen_options){.cpu = "x86-64-v3"}, &t, &f->d));
    assert_int_equal(t.vector_bits, 256);
}

static char *text_of(fixture *f, sn_code_stage stage, const char *filter)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_true(sn_codegen_print(f->s, NULL, stage, filter, out, &f->d));
    fclose(out);
    return text;
}

static void test_text(void **state)
{
    fixture *f = *state;
    char *ir = text_of(f, SN_CODE_LLVM, NULL), *opt = text_of(f, SN_CODE_LLVM_OPT, "k2"), *code = text_of(f, SN_CODE_ASM, "k0");
    assert_non_null(strstr(ir, "define void @k0_0("));
    assert_non_null(strstr(ir, "; kernel k2"));
    assert_null(strstr(opt, "; kernel k1"));
    assert_non_null(strstr(opt, "define void @k2_0("));
    assert_non_null(strstr(code, "k0_0:"));
    assert_non_null(strstr(code, "#   map\n#   %0 = in f32[N,20]\n#   %1 = relu %0 : f32[N,20]\n#   out %1\n#   dims N\n"));
    free(ir);
    free(opt);
    free(code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign, setup, teardown),
        cmocka_unit_test_setup_teardown(test_processor, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
