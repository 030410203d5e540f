/* Runs the golden files of why/: the choice of a kernel's form with its reasons and predicted costs.
 * Not their format (tests/passes/golden.h).  They are of one processor, so that they are the same on every machine. */
#include "codegen/codegen.h"
#include "tests/passes/golden.h"

static void say(const sn_schedule *s, uint32_t kernel, FILE *out, sn_diags *diags)
{
    assert_true(sn_codegen_explain(s, &(sn_codegen_options){.cpu = "x86-64-v3"}, kernel, out, diags));
}

int main(int argc, char **argv)
{
    char pattern[4096];
    snprintf(pattern, sizeof pattern, "%s/*.sn", argc > 1 ? argv[1] : ".");
    return golden_tests(pattern, say, NULL);
}
