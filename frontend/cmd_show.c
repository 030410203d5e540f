/* The verb `show`: a program at every stage from graph to assembly.
 * Not the stages (elaborate.c, passes/, codegen/). */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "model.h"

typedef enum stage { SOURCE, AUTODIFF, FUSED, SCHEDULED, LLVM, ASM, STAGES } stage;
static const char *const stage_word[] = {"source", "autodiff", "fused", "scheduled", "llvm", "asm"};

typedef struct options {
    char        *module, *stage_name, *kernel, *cpu;
    const char **set, **grad;
    int          train, infer, dot, optimized;
    stage        stage;
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

static bool print_graph(sn_graph *g, const options *o)
{
    if (o->dot) sn_graph_dot(g, stdout);
    else sn_graph_print(g, stdout);
    return true;
}

static bool show_graph(const sn_model *m, const options *o, const sn_program_options *program, sn_diags *diags)
{
    sn_graph *g = o->stage == SOURCE ? sn_model_elaborate(m, program, diags) : sn_program_graph(m, program, "autodiff", diags);
    bool ok = g && print_graph(g, o);
    sn_graph_free(g);
    return ok;
}

static bool show_code(const sn_schedule *s, const options *o, sn_diags *diags)
{
#ifdef SINEW_WITH_CODEGEN
    const sn_codegen_options how = {.cpu = o->cpu};
    sn_code_stage form = o->stage == ASM ? SN_CODE_ASM : o->optimized ? SN_CODE_LLVM_OPT : SN_CODE_LLVM;
    return sn_codegen_print(s, &how, form, o->kernel, stdout, diags);
#else
    (void)s, (void)o;
    sn_error(diags, ((sn_loc){0}), NULL, "this sinew was built without LLVM");
    return false;
#endif
}

static bool show_schedule(const sn_model *m, const options *o, const sn_program_options *program, sn_diags *diags)
{
    sn_schedule *s = sn_program_schedule(m, program, diags);
    bool ok = s != NULL;
    if (ok && o->stage >= LLVM) ok = show_code(s, o, diags);
    else if (ok && o->dot) sn_graph_dot(s->g, stdout);
    else if (ok && o->stage == FUSED) sn_graph_print(s->g, stdout);
    else if (ok) sn_schedule_print(s, stdout);
    sn_schedule_free(s);
    return ok;
}

static int show(const char *file, const options *o)
{
    sn_program_options program = {.module = o->module, .set = o->set, .sets = sn_cli_count(o->set), .training = o->train != 0};
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
    }
    if (m && o->stage == AUTODIFF && program.requests == 0) {
        code = sn_cli_usage("show", "--stage autodiff needs --grad OUTPUT: the file has no recipe that says what is minimised");
    } else if (!m || !(o->stage < FUSED ? show_graph(m, o, &program, &diags) : show_schedule(m, o, &program, &diags))) {
        code = sn_cli_report(&diags);
    }
    sn_model_free(m);
    sn_arena_fini(&arena);
    sn_diags_fini(&diags);
    return code;
}

static int check_usage(options *o, uint32_t files)
{
    if (files != 1) return sn_cli_usage("show", files ? "one FILE at a time" : "FILE is missing");
    if (o->train && o->infer) return sn_cli_usage("show", "--train and --infer exclude each other");
    for (o->stage = 0; o->stage_name && o->stage < STAGES && strcmp(stage_word[o->stage], o->stage_name) != 0;) o->stage++;
    if (o->stage == STAGES) {
        const char *near = sn_nearest(o->stage_name, stage_word, STAGES);
        if (near) return sn_cli_usage("show", "no stage \"%s\"; did you mean \"%s\"?", o->stage_name, near);
        return sn_cli_usage("show", "no stage \"%s\", expected source, autodiff, fused, scheduled, llvm or asm", o->stage_name);
    }
    if (o->dot && o->stage > FUSED) return sn_cli_usage("show", "--dot draws graphs: stages source, autodiff and fused");
    if (o->kernel && o->stage < LLVM) return sn_cli_usage("show", "--kernel is for stages llvm and asm");
    return SN_EXIT_OK;
}

int sn_cmd_show(int argc, const char **argv)
{
    options o = {0};
    const char **file;
    uint32_t files;
    const struct poptOption table[] = {
        SN_CLI_PROGRAM_OPTIONS(o),
        {"stage", '\0', POPT_ARG_STRING, &o.stage_name, 0, "source (default), autodiff, fused, scheduled, llvm, asm", "STAGE"},
        {"train", '\0', POPT_ARG_NONE, &o.train, 0, "in training: batch statistics, dropout, updates", NULL},
        {"infer", '\0', POPT_ARG_NONE, &o.infer, 0, "in inference (default, but for the step of a recipe)", NULL},
        {"grad", '\0', POPT_ARG_ARGV, &o.grad, 0, "with gradients of this output; may be repeated", "OUTPUT"},
        {"kernel", '\0', POPT_ARG_STRING, &o.kernel, 0, "stages llvm and asm: only kernels whose name contains TEXT", "TEXT"},
        {"optimized", '\0', POPT_ARG_NONE, &o.optimized, 0, "stage llvm: after optimisation", NULL},
        {"cpu", '\0', POPT_ARG_STRING, &o.cpu, 0, "native (default), x86-64-v2, x86-64-v3, x86-64-v4", "CPU"},
        {"dot", '\0', POPT_ARG_NONE, &o.dot, 0, "the graph for Graphviz", NULL},
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew show", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "FILE\n\nPrint a program: the graph as elaborated, with gradients, after the passes, as kernels with their memory,\n"
                                 "and as code.  The step of a recipe is shown in training with the gradients of its loss.\n");
    int code = sn_cli_parse(popt, "show", &file, &files);
    if (code == 0) code = check_usage(&o, files);
    if (code == 0) code = show(file[0], &o);
    sn_cli_list_fini(o.set);
    sn_cli_list_fini(o.grad);
    free(o.module), free(o.stage_name), free(o.kernel), free(o.cpu);
    poptFreeContext(popt);
    return code;
}
