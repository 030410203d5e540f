/* A file with imports and overrides as one file: it elaborates to the same graph.
 * Not the printing of files (models_test.c). */
#include "support.h"

static sn_graph *elaborate(const sn_model *m, const sn_program_options *o)
{
    sn_diags diags;
    sn_diags_init(&diags);
    sn_graph *g = sn_model_elaborate(m, o, &diags);
    if (!g) fail_msg("%s", render(&diags));
    sn_diags_fini(&diags);
    return g;
}

/* The bundle, written to `path` and as text; free() it. */
static char *bundle(const sn_model *m, const sn_program_options *o, const char *path)
{
    char    *text = NULL;
    size_t   size = 0;
    FILE    *f = open_memstream(&text, &size);
    sn_diags diags;
    sn_diags_init(&diags);
    if (!sn_model_bundle(m, o, f, &diags)) fail_msg("%s", render(&diags));
    sn_diags_fini(&diags);
    fclose(f);
    spill(path, text, size);
    return text;
}

/* The bundle of a file, made with overrides, is the file under these overrides. */
static void check(const char *path, const char *const *set, uint32_t sets)
{
    sn_diags diags;
    sn_diags_init(&diags);
    sn_model *from = sn_model_load(path, &diags);
    if (!from) fail_msg("%s", render(&diags));
    for (int training = 0; training < 2; training++) {
        const sn_program_options with = {.set = set, .sets = sets, .training = training}, plain = {.training = training};
        free(bundle(from, &with, SCRATCH "/bundle.json"));
        sn_model *to = sn_model_load(SCRATCH "/bundle.json", &diags);
        if (!to) fail_msg("%s", render(&diags));
        assert_int_equal(to->files, 1);
        sn_graph *a = elaborate(from, &with), *b = elaborate(to, &plain);
        assert_true(sn_graph_equal(a, b));
        sn_graph_free(a);
        sn_graph_free(b);
        sn_model_free(to);
    }
    sn_model_free(from);
    sn_diags_fini(&diags);
}

static void shipped_files_bundle(void **state)
{
    static const char *const set[] = {"hidden=64", "frames=60", "lambda=0.25", "N=6", "T=60"};
    (void)state;
    check(MODELS "/recipes/moco_stgcn.json", NULL, 0);
    check(MODELS "/recipes/moco_stgcn.json", set, 5);
    check(MODELS "/recipes/moco_agcn.json", NULL, 0);
    check(MODELS "/recipes/rvtclr_stgcn.json", set, 5);
    check(MODELS "/encoders/stgcn.json", set, 1);
}

#define MODULE(name, node) "{ name: \"" name "\", inputs: [ { name: \"x\", shape: [\"N\", 3] } ], nodes: [ " node " ], outputs: [ { name: \"y\" } ] }"

static void write_file(const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", SCRATCH, name);
    spill(path, text, strlen(text));
}

/* Two files that do not see each other may both have a module `part`. */
static void equal_names_are_told_apart(void **state)
{
    sn_diags diags;
    (void)state;
    write_file("left.json", "{ imports: [ { file: \"left_part.json\" } ], modules: [ " MODULE("left", "{ name: \"y\", op: \"part\", in: [\"x\"] }") " ] }");
    write_file("right.json", "{ imports: [ { file: \"right_part.json\" } ], modules: [ " MODULE("right", "{ name: \"y\", op: \"part\", in: [\"x\"] }") " ] }");
    write_file("left_part.json", "{ modules: [ " MODULE("part", "{ name: \"y\", is: \"x + 1\" }") ", " MODULE("unused", "{ name: \"y\", is: \"x\" }") " ] }");
    write_file("right_part.json", "{ modules: [ " MODULE("part", "{ name: \"y\", is: \"x * 2\" }") " ] }");
    write_file("main.json", "{ imports: [ { file: \"left.json\" }, { file: \"right.json\" } ], modules: [ "
               MODULE("main", "{ name: \"a\", op: \"left\", in: [\"x\"] }, { name: \"y\", op: \"right\", in: [\"a\"] }") " ] }");
    check(SCRATCH "/main.json", NULL, 0);
    sn_diags_init(&diags);
    sn_model *m = sn_model_load(SCRATCH "/main.json", &diags);
    assert_non_null(m);
    const sn_program_options plain = {0};
    char *text = bundle(m, &plain, SCRATCH "/bundle.json");
    assert_non_null(strstr(text, "name: \"part_2\""));
    assert_null(strstr(text, "unused"));
    assert_null(strstr(text, "import"));
    free(text);
    sn_model_free(m);
    sn_diags_fini(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_files_bundle),
        cmocka_unit_test(equal_names_are_told_apart),
    };
    mkdir(SCRATCH, 0777);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
