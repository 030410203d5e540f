/* Diagnostics as users see them, byte for byte; the nearest name; the arena.
 * Not which diagnostics arise: those are tests of who makes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ir/ir.h"

static char *rendered(const sn_diags *d)
{
    char *s;
    size_t n;
    FILE *f = open_memstream(&s, &n);
    assert_non_null(f);
    sn_diags_print(d, f);
    fclose(f);
    return s;
}

/* Of a line longer than a screen only what is near is shown; bytes that are no characters of text show as blanks. */
static void long_lines(void **state)
{
    (void)state;
    char text[1001], expected[1200];
    memset(text, 'a', 1000);
    text[1000] = '\0';
    text[480] = '\x01';
    sn_diags d;
    sn_diags_init(&d);
    const uint32_t s = sn_diags_source(&d, "long", text, 1000);
    sn_error(&d, ((sn_loc){s, 500, 3, NULL}), NULL, "in the middle");
    sn_error(&d, ((sn_loc){s, 5000, 3, NULL}), NULL, "behind the end");
    char *out = rendered(&d);
    snprintf(expected, sizeof expected, "long:1:501: error: in the middle\n... %.80s %.159s ...\n    %100s^^^\nlong:1:1001: error: behind the end\n... %.100s\n    %100s^\n",
             text, text, "", text, "");
    assert_string_equal(out, expected);
    free(out);
    sn_diags_fini(&d);
}

static void rendering(void **state)
{
    (void)state;
    const char *text = "graph @f() {\n\t%p = softmax %s {axis=4}\n  \xce\xb1\xce\xb2 = wrong\r\nlast";
    sn_diags d;
    sn_diags_init(&d);
    const uint32_t s = sn_diags_source(&d, "loss.sn", text, strlen(text)), binary = sn_diags_source(&d, "moco.sng", NULL, 0);
    const sn_loc axis = {s, (uint32_t)(strstr(text, "axis") - text), 6, NULL};
    sn_error(&d, axis, "loss.p", "softmax: axis %d is out of range for %s", 4, "f32[64,32]");
    sn_note(&d, ((sn_loc){s, 0, 5, NULL}), NULL, "the graph begins here");
    sn_error(&d, ((sn_loc){s, (uint32_t)(strstr(text, "wrong") - text), 100, NULL}), NULL, "columns count characters");
    sn_diag_add(&d, SN_WARNING, (sn_loc){s, (uint32_t)strlen(text), 0, NULL}, NULL, "at the end");
    sn_error(&d, ((sn_loc){binary, 0, 0, "nodes[4].attrs.axis"}), "enc.fc1", "no text to show");
    sn_error(&d, ((sn_loc){0}), NULL, "from a pass");
    char *out = rendered(&d);
    assert_string_equal(out, "loss.sn:2:19: error: node \"loss.p\": softmax: axis 4 is out of range for f32[64,32]\n"
                             "     %p = softmax %s {axis=4}\n"
                             "                      ^^^^^^\n"
                             "loss.sn:1:1: note: the graph begins here\n"
                             "    graph @f() {\n"
                             "    ^^^^^\n"
                             "loss.sn:3:8: error: columns count characters\n"
                             "      \xce\xb1\xce\xb2 = wrong\n"
                             "           ^^^^^\n"
                             "loss.sn:4:5: warning: at the end\n"
                             "    last\n"
                             "        ^\n"
                             "moco.sng: nodes[4].attrs.axis: error: node \"enc.fc1\": no text to show\n"
                             "sinew: error: from a pass\n");
    assert_int_equal(d.errors, 4);
    assert_int_equal(d.count, 6);
    free(out);
    sn_diags_fini(&d);
}

static void sources_are_copied(void **state)
{
    (void)state;
    char name[] = "a.sn", text[] = "wrong";
    sn_diags d;
    sn_diags_init(&d);
    for (int i = 0; i < 40; i++)
        sn_error(&d, ((sn_loc){sn_diags_source(&d, name, text, 5), 0, 5, NULL}), name, "%s", text);
    memset(name, 'x', 4);
    memset(text, 'x', 5);
    char *out = rendered(&d);
    const char *begin = "a.sn:1:1: error: node \"a.sn\": wrong\n    wrong\n    ^^^^^\na.sn:1:1:";
    assert_memory_equal(out, begin, strlen(begin));
    free(out);
    sn_diags_fini(&d);
}

static void nearest(void **state)
{
    (void)state;
    static const char *const word[] = {"sigmoid", "softmax", "sum", "slice", "select", "tanh", "x", "axis"};
    const size_t n = sizeof word / sizeof word[0];
    assert_string_equal(sn_nearest("sigmod", word, n), "sigmoid");
    assert_string_equal(sn_nearest("simgoid", word, n), "sigmoid"); /* neighbours swapped count once */
    assert_string_equal(sn_nearest("tahn", word, n), "tanh");
    assert_string_equal(sn_nearest("axes", word, n), "axis");
    assert_null(sn_nearest("convolution", word, n));
    assert_null(sn_nearest("y", word, n)); /* every letter would be replaced */
    assert_null(sn_nearest("anything", NULL, 0));
    char longest[300];
    memset(longest, 'a', 299);
    longest[299] = 0;
    assert_null(sn_nearest(longest, word, n));
}

static void arena(void **state)
{
    (void)state;
    sn_arena a;
    sn_arena_init(&a);
    char *old = sn_strdup(&a, "kept");
    for (size_t size = 0; size < 200000; size = size * 3 / 2 + 1) {
        unsigned char *p = sn_alloc(&a, size);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, size);
    }
    assert_string_equal(old, "kept");
    assert_string_equal(sn_format(&a, "%s-%d", "x", 42), "x-42");
    assert_string_equal(sn_strndup(&a, "abcdef", 3), "abc");
    sn_arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rendering), cmocka_unit_test(long_lines), cmocka_unit_test(sources_are_copied), cmocka_unit_test(nearest), cmocka_unit_test(arena)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
