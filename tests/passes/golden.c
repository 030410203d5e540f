/* Golden files: reading, running, comparing, blessing.
 * Not which files there are (golden_test.c). */
#include "golden.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "ir/text.h"
#include "values.h"

static const char EXPECT[] = "# expect:\n";

typedef struct command {
    char        verb[16];
    char        passes[128];
    char        of[64];
    char        skip[32];
    bool        inputs, training;
} command;

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    char *text = NULL;
    size_t n = 0, got;
    do {
        text = realloc(text, n + 65536);
        got = fread(text + n, 1, 65535, f);
        n += got;
    } while (got);
    text[n] = 0;
    fclose(f);
    return text;
}

static void option(const char *line, const char *name, char *out, size_t size)
{
    const char *at = strstr(line, name);
    out[0] = 0;
    if (at) {
        at += strlen(name);
        snprintf(out, size, "%.*s", (int)strcspn(at, " \n"), at);
    }
}

static bool read_command(const char *text, command *c)
{
    char line[256];
    snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\n"), text);
    if (sscanf(line, "# run: %15s", c->verb) != 1)
        return false;
    option(line, "--passes=", c->passes, sizeof c->passes);
    option(line, "--of=", c->of, sizeof c->of);
    option(line, "--skip=", c->skip, sizeof c->skip);
    c->inputs = strstr(line, "--inputs") != NULL;
    c->training = strstr(line, "--infer") == NULL;
    return true;
}

static void print_diags(const sn_diags *diags, FILE *out)
{
    for (uint32_t i = 0; i < diags->count; i++)
        fprintf(out, "# error: %s%s%s\n", diags->diag[i].node ? diags->diag[i].node : "", diags->diag[i].node ? ": " : "", diags->diag[i].text);
}

static bool makes_kernels(const command *c) { return strcmp(c->verb, "schedule") == 0 || strcmp(c->verb, "why") == 0; }

static void print_reasons(const sn_schedule *s, golden_kernel *say, FILE *out, sn_diags *diags)
{
    sn_arena arena;
    sn_arena_init(&arena);
    const char **label = sn_node_labels(s->g, &arena);
    for (uint32_t i = 0; i < s->kernels; i++) {
        sn_schedule_print_why(s, label, i, out);
        if (say)
            say(s, i, out, diags);
    }
    sn_arena_fini(&arena);
}

static bool run_passes(sn_graph **g, const command *c, sn_diags *diags)
{
    sn_autodiff_request request = {.output = c->of, .weights = true, .inputs = c->inputs};
    const sn_pipeline options = {.training = c->training, .request = &request, .requests = c->of[0] ? 1 : 0};
    char list[128];
    if (makes_kernels(c))
        return sn_passes_run(g, &options, diags);
    snprintf(list, sizeof list, "%s", strcmp(c->verb, "grad") == 0 ? "autodiff" : c->passes);
    for (char *name = strtok(list, ","); name; name = strtok(NULL, ","))
        if (!sn_passes_run_one(g, name, &options, diags))
            return false;
    return true;
}

/* What the command prints. */
static char *produce(sn_graph *g, const command *c, golden_kernel *say, sn_diags *diags, bool *agree)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    sn_graph *before = sn_graph_copy_live(g);
    const bool ok = run_passes(&g, c, diags);
    *agree = !ok || values_agree(before, g, 1e-9);
    sn_graph_free(before);
    if (!ok) {
        print_diags(diags, out);
        sn_graph_free(g);
    } else if (makes_kernels(c)) {
        const bool why = strcmp(c->verb, "why") == 0;
        sn_schedule *s = sn_schedule_make(g, &(sn_pipeline){.training = c->training, .skip = c->skip, .explain = why}, diags);
        if (s && why)
            print_reasons(s, say, out, diags);
        else if (s)
            sn_schedule_print(s, out);
        else
            print_diags(diags, out);
        sn_schedule_free(s);
    } else {
        sn_graph_print(g, out);
        sn_graph_free(g);
    }
    fclose(out);
    return text;
}

static bool rewrite(const char *path, const char *text, size_t keep, const char *found)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return false;
    fwrite(text, 1, keep, f);
    fputs(EXPECT, f);
    fputs(found, f);
    return fclose(f) == 0;
}

static void explain(char **why, const char *format, const char *a, const char *b)
{
    const size_t n = strlen(format) + strlen(a) + strlen(b) + 1;
    *why = malloc(n);
    snprintf(*why, n, format, a, b);
}

static bool golden_run(const char *path, golden_kernel *say, char **why)
{
    char *text = read_file(path);
    command c;
    if (!text || !read_command(text, &c)) {
        explain(why, "%s: %s", path, "no `# run:` line");
        free(text);
        return false;
    }
    char *expect = strstr(text, EXPECT);
    const size_t keep = expect ? (size_t)(expect - text) : strlen(text);
    sn_diags diags;
    sn_diags_init(&diags);
    const uint32_t source = sn_diags_source(&diags, path, text, keep);
    sn_graph *g = sn_graph_parse(&diags, source);
    bool ok = false, agree = true;
    if (!g || !sn_verify(g, SN_LEVEL_FUSED, &diags)) {
        sn_diags_print(&diags, stderr);
        explain(why, "%s: %s", path, "the input does not parse and verify");
    } else {
        char *found = produce(g, &c, say, &diags, &agree);
        const char *wanted = expect ? expect + strlen(EXPECT) : "";
        if (getenv("SN_BLESS"))
            ok = rewrite(path, text, keep, found);
        else
            ok = strcmp(found, wanted) == 0;
        if (!ok)
            explain(why, "found:\n%s\nexpected:\n%s", found, wanted);
        free(found);
    }
    if (ok && !agree) {
        explain(why, "%s: %s", path, "values changed");
        ok = false;
    }
    sn_diags_fini(&diags);
    free(text);
    return ok;
}

typedef struct one { const char *path; golden_kernel *say; } one;

static void run_file(void **state)
{
    const one *f = *state;
    char *why = NULL;
    if (!golden_run(f->path, f->say, &why)) {
        print_error("%s\n%s\n", f->path, why ? why : "");
        free(why);
        fail();
    }
}

int golden_tests(const char *pattern, golden_kernel *say, const struct CMUnitTest *more)
{
    glob_t files;
    if (glob(pattern, 0, NULL, &files) != 0)
        return 1;
    const size_t n = files.gl_pathc;
    struct CMUnitTest *test = calloc(n + 1, sizeof *test);
    one *of = calloc(n, sizeof *of);
    for (size_t i = 0; i < n; i++) {
        of[i] = (one){files.gl_pathv[i], say};
        test[i] = (struct CMUnitTest){.name = of[i].path, .test_func = run_file, .initial_state = &of[i]};
    }
    if (more)
        test[n] = *more;
    const int failed = _cmocka_run_group_tests("golden", test, n + (more != NULL), NULL, NULL);
    globfree(&files);
    free(of);
    free(test);
    return failed != 0;
}
