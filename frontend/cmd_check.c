/* The verb `check`: is a graph file right, in training and in inference?
 * Not elaboration itself (elaborate.c). */
#include <stdlib.h>

#include "cli.h"
#include "model.h"

typedef struct options { char *module; const char **set; } options;

static int check(const char *file, const options *o)
{
    const sn_program_options program = {.module = o->module, .set = o->set, .sets = sn_cli_count(o->set)};
    sn_checked checked;
    sn_diags diags;
    sn_diags_init(&diags);
    sn_model *m = sn_model_load(file, &diags);
    int code = m && sn_model_check(m, &program, &checked, &diags) ? SN_EXIT_OK : sn_cli_report(&diags);
    if (code == SN_EXIT_OK) {
        printf("%s: ok, %u module%s, ", file, m->file[0].ast.modules, m->file[0].ast.modules == 1 ? "" : "s");
        if (checked.program) printf("program %s\n", checked.module);
        else printf("a library: %s alone is no program, %s\n", checked.module, checked.why);
        fflush(stdout);
    }
    sn_model_free(m);
    sn_diags_fini(&diags);
    return code;
}

int sn_cmd_check(int argc, const char **argv)
{
    options o = {0};
    const char **file;
    uint32_t files;
    const struct poptOption table[] = {SN_CLI_PROGRAM_OPTIONS(o), POPT_AUTOHELP POPT_TABLEEND};
    poptContext popt = poptGetContext("sinew check", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "FILE...\n\nCheck graph files: every module, and the program in training and in inference.  Each mistake is\n"
                                 "named with its place.\n");
    int code = sn_cli_parse(popt, "check", &file, &files);
    if (code == 0 && files == 0) code = sn_cli_usage("check", "FILE is missing");
    for (uint32_t i = 0; i < files; i++)
        if (check(file[i], &o) != SN_EXIT_OK) code = SN_EXIT_FAILED;
    sn_cli_list_fini(o.set);
    free(o.module);
    poptFreeContext(popt);
    return code;
}
