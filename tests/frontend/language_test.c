/* The examples of LANGUAGE.md: every fenced block that is a graph file checks; one followed by a block ```error says exactly that.
 * Not the shipped models.  A first line "// file: NAME" gives a block's name, by which later blocks import it. */
#include "support.h"

typedef struct block { char info[32]; char *text; size_t size; int line; } block;

/* The next fenced block from *at on; false at the end. */
static bool next_block(const char **at, int *line, block *out)
{
    const char *p = *at;
    for (; *p && strncmp(p, "```", 3) != 0; ++*line) {
        p = strchr(p, '\n');
        if (!p++) return false;
    }
    if (!*p) return false;
    const char *begin = strchr(p, '\n') + 1, *end = strstr(begin, "\n```");
    if (!end) return false;
    *out = (block){.line = *line, .size = (size_t)(end + 1 - begin)};
    snprintf(out->info, sizeof out->info, "%.*s", (int)(begin - p - 4), p + 3);
    out->text = strndup(begin, out->size);
    for (p = *at = end + 4; begin < p; begin++) *line += *begin == '\n';
    ++*line;
    return true;
}

static bool is_graph(const block *b) { return b->text[0] == '{' || strncmp(b->text, "// file: ", 9) == 0; }

/* The name is used in messages, so the test runs in the folder of the examples. */
static char *check_block(const block *b)
{
    char name[64] = "example.json";
    if (b->text[0] == '/') sscanf(b->text, "// file: %63s", name);
    spill(name, b->text, b->size);
    return check_file(name);
}

static void examples_do_as_they_say(void **state)
{
    size_t size;
    int line = 1, graphs = 0, errors = 0, different = 0;
    char *text = slurp(LANGUAGE, &size), *said = NULL;
    const char *at = text;
    block b;
    (void)state;
    assert_non_null(text);
    mkdir(SCRATCH, 0777);
    assert_int_equal(chdir(SCRATCH), 0);
    for (bool more = next_block(&at, &line, &b); more;) {
        bool error = strcmp(b.info, "error") == 0;
        if (error) assert_non_null(said);
        if (said && strcmp(said, error ? b.text : "") != 0) {
            print_error("LANGUAGE.md:%d: the block before says\n%sexpected\n%s", b.line, said, error ? b.text : "nothing\n");
            different++;
        }
        errors += error;
        free(said);
        said = is_graph(&b) ? check_block(&b) : NULL;
        graphs += said != NULL;
        free(b.text);
        more = next_block(&at, &line, &b);
    }
    if (said) assert_string_equal(said, "");
    free(said);
    free(text);
    assert_int_equal(different, 0);
    assert_true(graphs >= 10 && errors >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(examples_do_as_they_say)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
