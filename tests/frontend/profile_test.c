/* The profile of a step: bytes as counted by hand, rows that add up, groups, JSON that others can read.
 * No speeds: nothing here depends on how fast the machine is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/bench.h"

enum { ROWS = 1000, IN = 64, OUT = 32 };

static bool near_to(double a, double b) { return fabs(a - b) <= 1e-6 * (fabs(a) + fabs(b)) + 1e-12; }

static void run(sn_bench *b, const char *file, const char *const *set, uint32_t sets, int threads)
{
    const sn_bench_options options = {.set = set, .sets = sets, .threads = threads, .seconds = 0};
    if (sn_bench_run(b, file, &options)) return;
    sn_diags_print(&b->job.diags, stderr);
    fail_msg("%s", b->err.text);
}

static const sn_profile_row *row_of(const sn_profile *p, const char *name)
{
    for (uint32_t i = 0; i < p->kernels; i++)
        if (!strcmp(p->kernel[i].name, name)) return &p->kernel[i];
    fail_msg("no row %s", name);
    return NULL;
}

/* Operands are floats: x [1000,64], row [64], w [64,32]; results scaled [1000,64], y [1000,32]. */
static void bytes_are_those_counted_by_hand(void **state)
{
    static const char *const set[] = {"N=1000"};
    sn_bench b;
    (void)state;
    run(&b, HERE "/profile.json", set, 1, 2);
    const sn_profile_row *map = row_of(&b.profile, "scaled"), *contract = NULL;
    assert_true(near_to(map->bytes, sizeof(float) * (ROWS * IN + IN + ROWS * IN)));
    assert_true(map->flop == 0);
    for (uint32_t i = 0; i < b.profile.kernels; i++)
        if (b.profile.kernel[i].flop > 0) contract = &b.profile.kernel[i];
    assert_non_null(contract);
    assert_string_equal(contract->node, "y");
    assert_true(near_to(contract->flop, 2.0 * ROWS * IN * OUT));
    double data = sizeof(float) * (ROWS * IN + ROWS * OUT), weights = sizeof(float) * IN * OUT;
    assert_true(contract->bytes >= data + weights && contract->bytes <= data + 2 * weights); /* packed weights may be padded */
    double compute = contract->flop / b.peak.flops, memory = contract->bytes / b.peak.bandwidth;
    assert_true(near_to(contract->limit, compute > memory ? compute : memory));
    sn_bench_fini(&b);
}

static double number(const json_t *object, const char *key)
{
    const json_t *x = json_object_get(object, key);
    if (!json_is_number(x)) fail_msg("%s is no number", key);
    return json_number_value(x);
}

static double sum_of(const json_t *rows, const char *key)
{
    double sum = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) sum += number(json_array_get(rows, i), key);
    return sum;
}

static json_t *as_json(const sn_bench *b, const sn_profile *rows, const char *by)
{
    char        *text = NULL;
    size_t       size = 0;
    json_error_t error;
    FILE        *f = open_memstream(&text, &size);
    assert_non_null(f);
    assert_true(sn_bench_json_print(sn_bench_json(b, rows, by), f));
    fclose(f);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!root) fail_msg("line %d: %s", error.line, error.text);
    free(text);
    return root;
}

static void check_json(const sn_bench *b, const char *by)
{
    sn_profile grouped;
    sn_arena   arena;
    sn_arena_init(&arena);
    assert_true(sn_profile_group(&b->profile, by, &arena, &grouped));
    json_t *root = as_json(b, &grouped, by), *profile = json_object_get(root, "profile");
    json_t *kernels = json_object_get(root, "kernel_times"), *others = json_object_get(root, "other_times");
    assert_true(json_array_size(kernels) > 0 && json_array_size(others) > 0);
    assert_true(near_to(sum_of(kernels, "seconds"), number(profile, "kernels_s")));
    assert_true(near_to(sum_of(kernels, "seconds") + sum_of(others, "seconds"), number(profile, "step_s")));
    assert_true(fabs(sum_of(kernels, "share") + sum_of(others, "share") - 1) < 1e-6);
    assert_true(near_to(sum_of(kernels, "calls"), b->profile.kernels));
    assert_true(near_to(sum_of(kernels, "bytes"), b->profile.total.bytes) && near_to(sum_of(kernels, "flop"), b->profile.total.flop));
    for (size_t i = 0; i < json_array_size(kernels); i++) {
        const json_t *row = json_array_get(kernels, i);
        assert_true(json_string_length(json_object_get(row, "name")) > 0);
        assert_true(number(row, "bytes") > 0 && number(row, "roofline_share") >= 0 && number(row, "seconds") >= 0);
    }
    json_decref(root);
    sn_arena_fini(&arena);
}

/* One thread, so that starting another beside busy processes of others is not part of the step. */
static void rows_of_a_training_step_add_up_to_it(void **state)
{
    static const char *const set[] = {"batch=2"};
    sn_bench b;
    double   share = 0;
    (void)state;
    for (int attempt = 0; attempt < 3 && share < 0.95; attempt++) {
        if (attempt) sn_bench_fini(&b);
        run(&b, MODELS "/recipes/moco_stgcn.json", set, 1, 1);
        share = b.profile.total.seconds / b.profile.step;
    }
    if (share < 0.95) fail_msg("kernels are %.1f%% of the step", 100 * share);
    for (uint32_t i = 0; i < b.profile.kernels; i++) {
        const sn_profile_row *r = &b.profile.kernel[i];
        assert_true(r->node[0] && strchr(r->where, ':'));
        assert_true(r->busy <= b.profile.threads * r->seconds * 1.001 + 1e-6);
    }
    const sn_profile_row *written = row_of(&b.profile, "q.enc.norm.d2"), *gradient = row_of(&b.profile, "q.enc.block4.bn2.y.dy");
    assert_true(!strcmp(written->node, "q.enc.norm.d2") && written->backward == 0); /* a node that is called like a gradient */
    assert_true(!strcmp(gradient->node, "q.enc.block4.bn2.y") && gradient->backward == gradient->seconds);
    double explained = (double)(b.memory_planned + b.memory_inputs), grown = (double)b.memory_grown; /* what the plan says is what a step takes */
    if (fabs(grown - explained) > 8 << 20) fail_msg("memory grew by %.1f MiB, %.1f were planned", grown / (1 << 20), explained / (1 << 20));
    assert_true(b.memory_grown + b.memory_files <= b.memory_peak);
    check_json(&b, "call");
    check_json(&b, "module");
    check_json(&b, "3");
    json_t *root = as_json(&b, NULL, NULL);
    assert_null(json_object_get(root, "kernel_times"));
    json_decref(root);
    sn_bench_fini(&b);
}

static void names_are_grouped(void **state)
{
    static double own[] = {3, 2, 1};
    static sn_profile_row rows[] = {
        {.name = "q.enc.block4.tcn.xw.2.dx#2", .node = "q.enc.block4.tcn.xw", .thread = own, .where = "layers.json:23", .code = rows, .calls = 1, .seconds = 3, .flop = 1, .bytes = 8},
        {.name = "q.enc.block4.tcn.xw#1", .node = "q.enc.block4.tcn.xw", .thread = own + 1, .where = "layers.json:23", .code = rows, .calls = 1, .seconds = 2, .flop = 2, .bytes = 16},
        {.name = "q.enc.block4.y.d3", .node = "q.enc.block4.y", .thread = own + 2, .where = "net.json:7", .code = rows + 1, .calls = 1, .seconds = 1, .flop = 4, .bytes = 32}};
    static const struct { const char *by, *first; uint32_t rows; } cases[] = {
        {"call", "q.enc.block4.tcn.xw.2.dx#2", 3}, {"kernel", "q.enc.block4.tcn.xw.2.dx", 3}, {"node", "q.enc.block4.tcn.xw", 2},
        {"module", "q.enc.block4.tcn", 2}, {"3", "q.enc.block4", 1}, {"9", "q.enc.block4.tcn.xw", 2}, {"place", "layers.json:23", 2},
        {"code", "q.enc.block4.tcn.xw.2.dx#2", 2}};
    const sn_profile p = {.kernel = rows, .kernels = 3, .step = 6, .threads = 1};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sn_profile out;
        sn_arena   arena;
        double     seconds = 0, bytes = 0, busy = 0;
        sn_arena_init(&arena);
        assert_true(sn_profile_group(&p, cases[i].by, &arena, &out));
        assert_int_equal(out.kernels, cases[i].rows);
        assert_string_equal(out.kernel[0].name, cases[i].first);
        for (uint32_t k = 0; k < out.kernels; k++) seconds += out.kernel[k].seconds, bytes += out.kernel[k].bytes, busy += out.kernel[k].thread[0];
        assert_true(seconds == 6 && bytes == 56 && busy == 6);
        assert_true(own[0] == 3 && own[1] == 2 && own[2] == 1); /* the rows that were grouped stay as they are */
        if (out.kernels == 1) assert_string_equal(out.kernel[0].where, "");
        sn_arena_fini(&arena);
    }
    assert_false(sn_profile_known("layer"));
    assert_false(sn_profile_known("0"));
    assert_false(sn_profile_known(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_are_those_counted_by_hand), cmocka_unit_test(rows_of_a_training_step_add_up_to_it),
                                       cmocka_unit_test(names_are_grouped)};
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
