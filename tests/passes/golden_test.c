/* Runs every golden file below the folder given; one test a file.
 * Not their format: see golden.h. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "golden.h"

static void run_file(void **state)
{
    char *why = NULL;
    if (!golden_run(*state, NULL, &why)) {
        print_error("%s\n%s\n", (const char *)*state, why ? why : "");
        free(why);
        fail();
    }
}

/* A pass is documented by its golden files: each that `sinew passes` lists has a folder of its name with one. */
static void every_pass_has_one(void **state)
{
    uint32_t n;
    const sn_pass_info *pass = sn_passes_list(&n);
    for (uint32_t i = 0; i < n; i++) {
        char pattern[4096];
        glob_t files;
        snprintf(pattern, sizeof pattern, "%s/%s/*.sn", (const char *)*state, pass[i].name);
        if (glob(pattern, 0, NULL, &files) != 0)
            fail_msg("no golden file for pass %s: %s", pass[i].name, pattern);
        globfree(&files);
    }
}

int main(int argc, char **argv)
{
    char pattern[4096];
    glob_t files;
    snprintf(pattern, sizeof pattern, "%s/*/*.sn", argc > 1 ? argv[1] : ".");
    if (glob(pattern, 0, NULL, &files) != 0)
        return 1;
    struct CMUnitTest *test = calloc(files.gl_pathc + 1, sizeof *test);
    for (size_t i = 0; i < files.gl_pathc; i++)
        test[i] = (struct CMUnitTest){.name = files.gl_pathv[i], .test_func = run_file, .initial_state = files.gl_pathv[i]};
    test[files.gl_pathc] = (struct CMUnitTest){.name = "every pass has one", .test_func = every_pass_has_one, .initial_state = argc > 1 ? argv[1] : "."};
    const int failed = _cmocka_run_group_tests("golden", test, files.gl_pathc + 1, NULL, NULL);
    globfree(&files);
    free(test);
    return failed != 0;
}
