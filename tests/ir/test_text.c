/* Reading and printing graphs: both laws on every golden file, errors at the lines that cause them, the examples of LANG.md, and broken text.
 * Not what graphs mean (tests/ops). */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir.h"

#define FOLDER SN_SOURCE_DIR "/tests/ir/"

typedef struct text { char *s; size_t n; } text;

static text read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    text t = {malloc(1 << 20), 0};
    assert_non_null(t.s);
    t.n = fread(t.s, 1, (1 << 20) - 1, f);
    t.s[t.n] = 0;
    fclose(f);
    return t;
}

static text print(const sn_graph *g)
{
    text t;
    FILE *f = open_memstream(&t.s, &t.n);
    assert_non_null(f);
    sn_graph_print(g, f);
    fclose(f);
    return t;
}

static void fail_with(const sn_diags *d, const char *what)
{
    sn_diags_print(d, stderr);
    fail_msg("%s", what);
}

/* ---- laws --------------------------------------------------------------------------------------------------------------- */

/* parse(print(g)) equals g */
static void first_law(const sn_graph *g, const char *name)
{
    sn_diags d;
    sn_diags_init(&d);
    text t = print(g);
    sn_graph *again = sn_graph_parse(&d, sn_diags_source(&d, name, t.s, t.n));
    if (!again)
        fail_with(&d, name);
    assert_true(sn_graph_equal(g, again));
    assert_true(sn_graph_equal(again, g));
    sn_graph_free(again);
    free(t.s);
    sn_diags_fini(&d);
}

static void check_canonical(const char *name, const char *s, size_t n, bool canonical)
{
    sn_diags d;
    sn_diags_init(&d);
    sn_graph *g = sn_graph_parse(&d, sn_diags_source(&d, name, s, n));
    if (!g || !sn_verify(g, SN_LEVEL_FUSED, &d))
        fail_with(&d, name);
    first_law(g, name);
    sn_graph *copy = sn_graph_copy_live(g);
    assert_true(sn_verify(copy, SN_LEVEL_FUSED, &d));
    first_law(copy, name);
    if (canonical) { /* second law */
        while (n && *s == '#') {
            const size_t line = (size_t)(strchr(s, '\n') - s) + 1;
            s += line;
            n -= line;
        }
        text t = print(g);
        assert_string_equal(t.s, s);
        free(t.s);
    }
    sn_graph_free(copy);
    sn_graph_free(g);
    sn_diags_fini(&d);
}

/* ---- expected errors ---------------------------------------------------------------------------------------------------- */

/* Take `message` off the expectations of a line; false if it is not among them. */
static bool expects(char *line, const char *message)
{
    const size_t n = strlen(message);
    for (char *p = line; (p = strstr(p, "# error: ")) != NULL; p += 9)
        if (strncmp(p + 9, message, n) == 0 && (p[9 + n] == 0 || p[9 + n] == '\n' || strncmp(p + 9 + n, " # error: ", 9) == 0)) {
            memcpy(p, "# found: ", 9);
            return true;
        }
    return false;
}

static void check_wrong(const char *name, const char *s, size_t n)
{
    sn_diags d;
    sn_diags_init(&d);
    sn_graph *g = sn_graph_parse(&d, sn_diags_source(&d, name, s, n));
    if (g && sn_verify(g, SN_LEVEL_SOURCE, &d))
        fail_msg("%s is accepted", name);
    char *left = strndup(s, n);
    for (uint32_t i = 0; i < d.count; i++) {
        char *begin = left + d.diag[i].loc.off, *end;
        while (begin > left && begin[-1] != '\n')
            begin--;
        end = strchr(begin, '\n');
        char *line = strndup(begin, (size_t)(end - begin));
        if (!expects(line, d.diag[i].text))
            fail_with(&d, name);
        memcpy(begin, line, (size_t)(end - begin));
        free(line);
    }
    const char *missing = strstr(left, "# error: ");
    if (missing)
        fail_msg("%s: missing %.60s", name, missing);
    free(left);
    sn_graph_free(g);
    sn_diags_fini(&d);
}

/* ---- golden files and examples ------------------------------------------------------------------------------------------ */

static unsigned each_file(const char *folder, void (*check)(const char *path, const char *s, size_t n))
{
    unsigned files = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char path[1024];
        const size_t n = strlen(e->d_name);
        if (n < 3 || strcmp(e->d_name + n - 3, ".sn") != 0)
            continue;
        snprintf(path, sizeof path, "%s%s", folder, e->d_name);
        text t = read_file(path);
        check(path, t.s, t.n);
        free(t.s);
        files++;
    }
    closedir(dir);
    return files;
}

static void check_golden(const char *path, const char *s, size_t n) { check_canonical(path, s, n, true); }

static void golden_files_round_trip(void **state)
{
    (void)state;
    assert_in_range(each_file(FOLDER "canonical/", check_golden), 3, 1000);
}

static void errors_stand_at_their_lines(void **state)
{
    (void)state;
    assert_in_range(each_file(FOLDER "wrong/", check_wrong), 4, 1000);
}

static void examples_of_the_manual_hold(void **state)
{
    (void)state;
    unsigned examples = 0;
    text t = read_file(SN_SOURCE_DIR "/ir/LANG.md");
    for (const char *p = t.s; (p = strstr(p, "\n```sn")) != NULL;) {
        const bool loose = strncmp(p, "\n```sn accepted\n", 16) == 0;
        const char *begin = strchr(p + 1, '\n') + 1, *end = strstr(begin, "```");
        char *s = strndup(begin, (size_t)(end - begin));
        if (strstr(s, "# error: "))
            check_wrong("LANG.md", s, strlen(s));
        else
            check_canonical("LANG.md", s, strlen(s), !loose);
        free(s);
        examples++;
        p = end + 3;
    }
    free(t.s);
    assert_in_range(examples, 8, 100);
}

/* ---- broken text -------------------------------------------------------------------------------------------------------- */

static uint64_t state_of_noise = 42;

static uint32_t noise(uint32_t below)
{
    state_of_noise = state_of_noise * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state_of_noise >> 33) % below;
}

/* Cut, flip, repeat or swap bytes: an error or a graph, never a crash; what is read can be verified, printed and drawn. */
static void shake(const char *path, const char *s, size_t n)
{
    static const char alphabet[] = "%$@#(){}[],:=+-*/\"\\~019.x \nNTf";
    FILE *sink = fopen("/dev/null", "w");
    assert_non_null(sink);
    for (int round = 0; round < 400; round++) {
        sn_diags d;
        char *broken = malloc(n + 1);
        size_t size = round % 4 == 0 ? noise((uint32_t)n + 1) : n;
        memcpy(broken, s, n);
        for (uint32_t k = noise(4); k > 0 && n; k--)
            broken[noise((uint32_t)n)] = noise(3) ? alphabet[noise(sizeof alphabet - 1)] : (char)noise(256);
        if (noise(3) == 0 && n > 40) {
            const size_t from = noise((uint32_t)n - 20), to = noise((uint32_t)n - 20);
            memmove(broken + to, broken + from, noise(20));
        }
        sn_diags_init(&d);
        sn_graph *g = sn_graph_parse(&d, sn_diags_source(&d, path, broken, size));
        assert_true(g != NULL || d.errors > 0);
        if (g) {
            sn_verify(g, SN_LEVEL_SOURCE, &d);
            sn_graph_print(g, sink);
            sn_graph_dot(g, sink);
            first_law(g, path);
        }
        sn_diags_print(&d, sink);
        sn_graph_free(g);
        sn_diags_fini(&d);
        free(broken);
    }
    fclose(sink);
}

static void broken_text_is_an_error(void **state)
{
    (void)state;
    each_file(FOLDER "canonical/", shake);
    each_file(FOLDER "wrong/", shake);
}

/* sn_graph_print must not fail on graphs that no verifier would pass. */
static void broken_graphs_print(void **state)
{
    (void)state;
    sn_graph *g = sn_graph_new("broken");
    const sn_node n = {.op = SN_OP_add, .args = 2, .arg = {{7}, SN_NONE}, .type = {.rank = 2, .dim = {{-99}, {3}}}};
    const sn_node odd = {.op = (sn_op)999, .args = 0};
    const sn_node param = {.op = SN_OP_param, .attrs = {.param = {12}}};
    sn_graph_append(g, &n);
    sn_graph_append(g, &odd);
    sn_graph_append(g, &param);
    sn_graph_output(g, "y", (sn_ref){55}, (sn_loc){0});
    sn_graph_update(g, SN_ASSIGN, 4, SN_NONE, (sn_loc){0});
    text t = print(g);
    assert_string_equal(t.s, "graph @broken() {\n  %0 = add %?, %? : f32[?-99,3]\n  %1 = ? : f32[]\n  %2 = param $? : f32[]\n"
                             "  update $? = %?\n  return y=%?\n}\n");
    free(t.s);
    sn_diags d;
    sn_diags_init(&d);
    assert_false(sn_verify(g, SN_LEVEL_SOURCE, &d));
    sn_diags_fini(&d);
    sn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_files_round_trip),     cmocka_unit_test(errors_stand_at_their_lines),
        cmocka_unit_test(examples_of_the_manual_hold), cmocka_unit_test(broken_text_is_an_error),
        cmocka_unit_test(broken_graphs_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
