/* The verb `show`: a program at every stage from graph to assembly.
 * Not the stages (elaborate.c, passes/, codegen/) and not their texts (show.c). */
#include <stdlib.h>
#include <string.h>

#include "../runtime/data/file.h"
#include "cli.h"
#include "show.h"

typedef struct options {
    char        *module, *stage, *diff, *kernel, *node, *part, *cpu, *code, *out;
    const char **set, **grad;
    int          train, infer, dot, optimized;
} options;

/* What is differentiated: --grad, else the loss of a recipe. */
static uint32_t requests(const sn_model *m, const options *o, sn_program_options *program, sn_arena *arena, sn_autodiff_request **out)
{
    const sn_ast_recipe *r = &m->file[0].ast.recipe;
    uint32_t n = sn_cli_count(o->grad);
    sn_autodiff_request *q = sn_new_n(arena, sn_autodiff_request, n + 1);
    *out = q;
    for (uint32_t i = 0; i < n; i++) q[i] = (sn_autodiff_request){o->grad[i], sn_format(arena, "seed.%s", o->grad[i]), true, true};
    if (n) return n;
    bool step = r->present && r->loss.s && (!o->module || strcmp(o->module, sn_model_main(m)) == 0);
    if (!step || o->infer) return 0;
    program->training = true;
    q[0] = (sn_autodiff_request){r->loss.s, NULL, true, false};
    return 1;
}

static bool print(const sn_show *s, const options *o, FILE *out, sn_diags *diags)
{
    return o->diff ? sn_show_difference(s, o->stage, o->diff, out, diags) : sn_show_stage(s, o->stage, out, diags);
}

/* To a file at once, or not at all. */
static bool print_to_file(const sn_show *s, const options *o, sn_diags *diags)
{
    char *text = NULL;
    size_t size = 0;
    sn_rt_error err;
    FILE *f = open_memstream(&text, &size);
    SN_ASSERT(f, "out of memory");
    bool ok = print(s, o, f, diags);
    fclose(f);
    if (ok && sn_rt_file_replace(o->out, text, size, &err) != SN_RT_OK) {
        sn_error(diags, ((sn_loc){0}), NULL, "%s", err.text);
        ok = false;
    }
    free(text);
    return ok;
}

static int show(const char *file, const options *o)
{
    sn_program_options program = {.module = o->module, .set = o->set, .sets = sn_cli_count(o->set), .training = o->train != 0, .cpu = o->cpu};
    sn_autodiff_request *request;
    sn_arena arena;
    sn_diags diags;
    int code = SN_EXIT_OK;
    sn_diags_init(&diags);
    sn_arena_init(&arena);
    sn_model *m = sn_model_load(file, &diags);
    if (m) {
        program.requests = requests(m, o, &program, &arena, &request);
        program.request = request;
        if (m->stage) program.training = m->stage->training;
    }
    const sn_show s = {m, &program, o->node, o->kernel, o->part, o->cpu, o->code, o->dot != 0, o->optimized != 0};
    if (m && !m->stage && strcmp(o->stage, "autodiff") == 0 && program.requests == 0)
        code = sn_cli_usage("show", "--stage autodiff needs --grad OUTPUT: the file has no recipe that says what is minimised");
    else if (!m || !(o->out ? print_to_file(&s, o, &diags) : print(&s, o, stdout, &diags))) code = sn_cli_report(&diags);
    sn_model_free(m);
    sn_arena_fini(&arena);
    sn_diags_fini(&diags);
    return code;
}

/* ---- command line ------------------------------------------------------------------------------------------------------- */

static int no_stage(const char *word)
{
    const char *name[SN_SHOW_STAGES];
    const uint32_t n = sn_show_stages(name);
    const char *near = sn_nearest(word, name, n);
    if (near) return sn_cli_usage("show", "no stage \"%s\"; did you mean \"%s\"?", word, near);
    return sn_cli_usage("show", "no stage \"%s\", expected source, a pass (sinew passes), fused, scheduled, memory, why, llvm or asm", word);
}

static int check_usage(options *o, uint32_t files)
{
    if (files != 1) return sn_cli_usage("show", files ? "one FILE at a time" : "FILE is missing");
    if (o->train && o->infer) return sn_cli_usage("show", "--train and --infer exclude each other");
    if (!o->stage) o->stage = strdup("source");
    const sn_show_kind kind = sn_show_kind_of(o->stage), other = o->diff ? sn_show_kind_of(o->diff) : SN_SHOW_GRAPH;
    if (kind == SN_SHOW_NONE) return no_stage(o->stage);
    if (other == SN_SHOW_NONE) return no_stage(o->diff);
    if (o->diff && (kind > SN_SHOW_KERNELS || other > SN_SHOW_KERNELS || o->dot))
        return sn_cli_usage("show", "--diff is for stages that are graphs: source, passes, fused and scheduled");
    if (o->dot && kind != SN_SHOW_GRAPH) return sn_cli_usage("show", "--dot draws graphs: stages source, autodiff and fused");
    if (o->kernel && kind == SN_SHOW_GRAPH) return sn_cli_usage("show", "--kernel is for stages scheduled, memory, why, llvm and asm");
    if (o->code && kind != SN_SHOW_CODE) return sn_cli_usage("show", "--code is for stages llvm and asm: it takes the place of what is generated");
    if (o->part && strcmp(o->part, "forward") != 0 && strcmp(o->part, "backward") != 0) return sn_cli_usage("show", "--part %s: expected forward or backward", o->part);
    return SN_EXIT_OK;
}

int sn_cmd_show(int argc, const char **argv)
{
    options o = {0};
    const char **file;
    uint32_t files;
    const struct poptOption table[] = {
        SN_CLI_PROGRAM_OPTIONS(o),
        {"stage", '\0', POPT_ARG_STRING, &o.stage, 0, "source (default), any pass of sinew passes, fused, scheduled, memory, why, llvm, asm", "STAGE"},
        {"diff", '\0', POPT_ARG_STRING, &o.diff, 0, "what is other at this stage than at --stage, line by line", "STAGE"},
        {"node", '\0', POPT_ARG_STRING, &o.node, 0, "only nodes of that name and those below it, and kernels that compute one", "NAME"},
        {"kernel", '\0', POPT_ARG_STRING, &o.kernel, 0, "stages with kernels: only those whose name contains TEXT", "TEXT"},
        {"part", '\0', POPT_ARG_STRING, &o.part, 0, "forward: what outputs and updates need; backward: what only gradients need", "PART"},
        {"train", '\0', POPT_ARG_NONE, &o.train, 0, "in training: batch statistics, dropout, updates", NULL},
        {"infer", '\0', POPT_ARG_NONE, &o.infer, 0, "in inference (default, but for the step of a recipe)", NULL},
        {"grad", '\0', POPT_ARG_ARGV, &o.grad, 0, "with gradients of this output; may be repeated", "OUTPUT"},
        {"optimized", '\0', POPT_ARG_NONE, &o.optimized, 0, "stage llvm: after optimisation", NULL},
        {"code", '\0', POPT_ARG_STRING, &o.code, 0, "stages llvm and asm: " SN_CLI_CODE_HELP, "FILE"},
        {"cpu", '\0', POPT_ARG_STRING, &o.cpu, 0, "native (default), x86-64-v2, x86-64-v3, x86-64-v4", "CPU"},
        {"dot", '\0', POPT_ARG_NONE, &o.dot, 0, "the graph for Graphviz", NULL},
        {"output", 'o', POPT_ARG_STRING, &o.out, 0, "write here instead of standard output", "FILE"},
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew show", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "FILE\n\nPrint a program: the graph as elaborated, after every pass, as kernels with their memory and with the reasons\n"
                                 "for them, and as code.  The step of a recipe is shown in training with the gradients of its loss.\n\n"
                                 "A graph or schedule that was written, and perhaps edited, is a FILE for show, run, verify and bench, which go on from there;\n"
                                 "LLVM IR and assembly are --code for run, verify, bench and profile.\n");
    int code = sn_cli_parse(popt, "show", &file, &files);
    if (code == 0) code = check_usage(&o, files);
    if (code == 0) code = show(file[0], &o);
    sn_cli_list_fini(o.set);
    sn_cli_list_fini(o.grad);
    free(o.module), free(o.stage), free(o.diff), free(o.kernel), free(o.node), free(o.part), free(o.cpu), free(o.code), free(o.out);
    poptFreeContext(popt);
    return code;
}
