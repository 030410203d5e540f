/* The verbs `ops` and `passes`: manuals printed from the tables, so that they cannot go stale.
 * Not the tables (ir/ops.def, passes/). */
#include <string.h>

#include "cli.h"

/* ---- ops ---------------------------------------------------------------------------------------------------------------- */

static const char *form(uint32_t traits)
{
    return traits & SN_CONTRACT ? "contract" : traits & SN_REDUCE ? "reduce" : traits & SN_SPECIAL ? "special" : "map";
}

static const char *field_kind(sn_field_kind kind)
{
    static const char *const word[] = {[SN_FIELD_INT] = "whole number", [SN_FIELD_REAL] = "number", [SN_FIELD_AXES] = "list of axes",
                                       [SN_FIELD_DIM] = "dimension", [SN_FIELD_SPEC] = "text"};
    return word[kind];
}

/* Text with its lines indented. */
static void print_indented(const char *text)
{
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        printf("    %.*s\n", (int)strcspn(line, "\n"), line);
}

static void print_op(sn_op op)
{
    const sn_op_info *i = sn_op_get(op);
    size_t n;
    const sn_field *f = sn_attr_fields(i->attrs, &n);
    if (i->arity < 0) printf("%s  (inputs: 1 or more; %s", i->name, form(i->traits));
    else printf("%s  (inputs: %d; %s", i->name, i->arity, form(i->traits));
    printf("%s%s%s)\n", i->traits & SN_DECLARED ? "; declare shape" : "", i->traits & SN_RANDOM ? "; random" : "",
           i->traits & SN_NO_GRAD ? "; no gradient" : "");
    print_indented(i->doc);
    for (size_t k = 0; k < n; k++) {
        printf("    with %s (%s, ", f[k].name, field_kind(f[k].kind));
        if (i->attrs == SN_ATTR_random && strcmp(f[k].name, "stream") == 0) printf("default one of its own");
        else if (f[k].required) printf("required");
        else printf("default %g", f[k].fallback);
        printf("): %s\n", f[k].doc);
    }
    putchar('\n');
}

static int unknown_op(const char *word)
{
    const char *name[SN_OP_COUNT];
    size_t n = 0;
    for (int op = 0; op < SN_OP_COUNT; op++)
        if (!sn_op_has((sn_op)op, SN_INTERNAL)) name[n++] = sn_op_get((sn_op)op)->name;
    const char *near = sn_nearest(word, name, n);
    if (near) return sn_cli_fail("ops", SN_EXIT_FAILED, "no operator \"%s\"; did you mean \"%s\"?", word, near);
    return sn_cli_fail("ops", SN_EXIT_FAILED, "no operator \"%s\"", word);
}

static int print_ops(const char **word, uint32_t words)
{
    int code = SN_EXIT_OK;
    sn_op op;
    for (uint32_t i = 0; i < words; i++) {
        if (sn_op_find(word[i], &op) && !sn_op_has(op, SN_INTERNAL)) print_op(op);
        else code = unknown_op(word[i]);
    }
    for (int k = 0; words == 0 && k < SN_OP_COUNT; k++)
        if (!sn_op_has((sn_op)k, SN_INTERNAL)) print_op((sn_op)k);
    return code;
}

int sn_cmd_ops(int argc, const char **argv)
{
    const char **word;
    uint32_t words;
    const struct poptOption table[] = {POPT_AUTOHELP POPT_TABLEEND};
    poptContext popt = poptGetContext("sinew ops", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "[NAME...]\n\nPrint the manual of the operators a node's `op` may name; all of them, or those given.\n");
    int code = sn_cli_parse(popt, "ops", &word, &words);
    if (code == 0) code = print_ops(word, words);
    poptFreeContext(popt);
    return code;
}

/* ---- passes ------------------------------------------------------------------------------------------------------------- */

int sn_cmd_passes(int argc, const char **argv)
{
    const char **word;
    uint32_t words, n = 0;
    const struct poptOption table[] = {POPT_AUTOHELP POPT_TABLEEND};
    poptContext popt = poptGetContext("sinew passes", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "\n\nList the passes over a graph, in the order in which they run.\n");
    int code = sn_cli_parse(popt, "passes", &word, &words);
    if (code == 0 && words) code = sn_cli_usage("passes", "%s: no argument is expected", word[0]);
    const sn_pass_info *info = code == 0 ? sn_passes_list(&n) : NULL;
    for (uint32_t i = 0; i < n; i++) printf("%-16s %s\n", info[i].name, info[i].doc);
    poptFreeContext(popt);
    return code;
}
