/* Wrong graph files, each with its exact message and place: wrong/NAME.json is expected to say wrong/NAME.txt.
 * Not the reading of right ones (models_test.c).  SN_BLESS=1 rewrites the expectations; the diff is reviewed like code. */
#include "support.h"

#include <dirent.h>

static int json_only(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 5 && strcmp(d->d_name + n - 5, ".json") == 0;
}

static void expectation(const char *name, char *out, size_t n) { snprintf(out, n, "wrong/%.*s.txt", (int)strlen(name) - 5, name); }

/* Is it said as expected?  Prints both if not. */
static bool as_expected(const char *name)
{
    char path[300], expected_path[300];
    snprintf(path, sizeof path, "wrong/%s", name);
    expectation(name, expected_path, sizeof expected_path);
    char *found = check_file(path);
    if (getenv("SN_BLESS")) spill(expected_path, found, strlen(found));
    char *expected = slurp(expected_path, NULL);
    bool equal = expected && strcmp(found, expected) == 0 && strstr(found, "error: ");
    if (!equal) print_error("%s: found\n%sexpected\n%s", path, found, expected ? expected : "a file of that name with .txt\n");
    free(found);
    free(expected);
    return equal;
}

static void every_wrong_file_says_so(void **state)
{
    struct dirent **entry;
    int n = scandir("wrong", &entry, json_only, alphasort), different = 0;
    (void)state;
    assert_true(n >= 100);
    for (int i = 0; i < n; i++) {
        different += !as_expected(entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    assert_int_equal(different, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_wrong_file_says_so)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
