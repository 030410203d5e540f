/* Runs every golden file below the folder given.
 * Not their format: see golden.h. */
#include <glob.h>

#include "golden.h"

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
    char pattern[4096], *folder = argc > 1 ? argv[1] : ".";
    snprintf(pattern, sizeof pattern, "%s/*/*.sn", folder);
    return golden_tests(pattern, NULL, &(struct CMUnitTest){.name = "every pass has one", .test_func = every_pass_has_one, .initial_state = folder});
}
