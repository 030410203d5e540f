/* Runs the golden files of why/, one test a file: the choice of a kernel's form with its reasons and predicted costs.
 * Not their format (tests/passes/golden.h).  They are of one processor, so that they are the same on every machine. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codegen/codegen.h"
#include "tests/passes/golden.h"

static void say(const sn_schedule *s, uint32_t kernel, FILE *out, sn_diags *diags)
{
    assert_true(sn_codegen_explain(s, &(sn_codegen_options){.cpu = "x86-64-v3"}, kernel, out, diags));
}

static void run_file(void **state)
{
    char *why = NULL;
    if (!golden_run(*state, say, &why)) {
        print_error("%s\n%s\n", (const char *)*state, why ? why : "");
        free(why);
        fail();
    }
}

int main(int argc, char **argv)
{
    char pattern[4096];
    glob_t files;
    snprintf(pattern, sizeof pattern, "%s/*.sn", argc > 1 ? argv[1] : ".");
    if (glob(pattern, 0, NULL, &files) != 0)
        return 1;
    struct CMUnitTest *test = calloc(files.gl_pathc, sizeof *test);
    for (size_t i = 0; i < files.gl_pathc; i++)
        test[i] = (struct CMUnitTest){.name = files.gl_pathv[i], .test_func = run_file, .initial_state = files.gl_pathv[i]};
    const int failed = _cmocka_run_group_tests("why", test, files.gl_pathc, NULL, NULL);
    globfree(&files);
    free(test);
    return failed != 0;
}
