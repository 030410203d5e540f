/* The verb `run`: a program on arrays from files, with gradients on request.
 * Not the run itself (execute.c). */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "execute.h"

typedef struct options {
    char        *module, *mode, *weights, *prefix, *out, *cpu, *code;
    const char **set, **in, **grad;
    long long    seed;
    int          threads, taps, trap;
} options;

static void say(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "sinew run: %s\n", text);
}

static int run(const char *file, const options *o)
{
    char cache[4096];
    uint32_t inputs = sn_cli_count(o->in), grads = sn_cli_count(o->grad);
    sn_program_options program = {.module = o->module, .set = o->set, .sets = sn_cli_count(o->set), .taps = o->taps != 0, .cpu = o->cpu, .code = o->code,
                                  .training = o->mode && strcmp(o->mode, "train") == 0, .cache_dir = sn_cache_dir(cache, sizeof cache)};
    sn_program p;
    sn_diags diags;
    sn_arena arena;
    int code = SN_EXIT_FAILED;
    sn_diags_init(&diags);
    sn_arena_init(&arena);
    sn_autodiff_request *request = sn_new_n(&arena, sn_autodiff_request, grads + 1);
    const char **names = sn_new_n(&arena, const char *, inputs + grads + 1);
    for (uint32_t i = 0; i < inputs; i++) names[i] = o->in[i];
    for (uint32_t i = 0; i < grads; i++) {
        const char *output = sn_strndup(&arena, o->grad[i], strcspn(o->grad[i], "="));
        names[inputs + i] = o->grad[i];
        request[i] = (sn_autodiff_request){output, sn_format(&arena, "seed.%s", output), true, true};
    }
    program.request = request;
    program.requests = grads;
    sn_model *m = sn_model_load(file, &diags);
    bool training;
    sn_trap trap = {0};
    const bool stage = m && sn_model_is_stage(m, &training);
    if (stage) program.training = training, program.sets = 0; /* what --set gives are extents of its dimensions */
    if (m && sn_program_make(m, &program, &p, &diags)) {
        const sn_execution x = {p.abi, names, inputs, grads, o->weights, o->prefix ? sn_format(&arena, "%s.", o->prefix) : NULL, o->out,
                                (uint64_t)o->seed, o->threads, program.training, o->set, stage ? sn_cli_count(o->set) : 0, o->trap ? &trap : NULL, &p, &diags};
        sn_diags_print(&diags, stderr); /* warnings */
        if (sn_execute(&x, say, NULL)) code = SN_EXIT_OK;
        sn_trap_print(&trap, NULL, NULL);
        sn_program_fini(&p);
    } else {
        sn_cli_report(&diags);
    }
    sn_model_free(m);
    sn_arena_fini(&arena);
    sn_diags_fini(&diags);
    return code;
}

static const char *not_a_pair(const char **list)
{
    for (; list && *list; list++) {
        const char *equals = strchr(*list, '=');
        if (!equals || equals == *list || !equals[1]) return *list;
    }
    return NULL;
}

static int check_usage(const options *o, uint32_t files)
{
    const char *wrong;
    if (files != 1) return sn_cli_usage("run", files ? "one FILE at a time" : "FILE is missing");
    if (sn_cli_threads_fault(o->threads)) return sn_cli_usage("run", "%s", sn_cli_threads_fault(o->threads));
    if (!o->out || !*o->out) return sn_cli_usage("run", "--out DIR is missing");
    if (o->mode && strcmp(o->mode, "train") != 0 && strcmp(o->mode, "infer") != 0)
        return sn_cli_usage("run", "--mode %s: expected train or infer", o->mode);
    if ((wrong = not_a_pair(o->in))) return sn_cli_usage("run", "--in %s: expected NAME=X.npy", wrong);
    if ((wrong = not_a_pair(o->grad))) return sn_cli_usage("run", "--grad %s: expected OUTPUT=DY.npy", wrong);
    if (o->prefix && !o->weights) return sn_cli_usage("run", "--prefix is for --weights");
    return SN_EXIT_OK;
}

int sn_cmd_run(int argc, const char **argv)
{
    options o = {0};
    const char **file;
    uint32_t files;
    const struct poptOption table[] = {
        SN_CLI_PROGRAM_OPTIONS(o),
        {"mode", '\0', POPT_ARG_STRING, &o.mode, 0, "infer (default), or train: batch statistics and dropout; new states go to DIR/state.safetensors", "MODE"},
        {"weights", 'w', POPT_ARG_STRING, &o.weights, 0, "weights and states by name, from init or a checkpoint; without it they are drawn from the seed", "W"},
        {"prefix", '\0', POPT_ARG_STRING, &o.prefix, 0, "take weights PREFIX.name of the file for name: an instance of a larger program", "PREFIX"},
        {"in", 'i', POPT_ARG_ARGV, &o.in, 0, "an input, f32; may be repeated", "NAME=X.npy"},
        {"grad", '\0', POPT_ARG_ARGV, &o.grad, 0, "gradient of an output; writes DIR/grad.safetensors with that of every weight and input; may be repeated", "OUTPUT=DY.npy"},
        {"out", 'o', POPT_ARG_STRING, &o.out, 0, "folder for OUTPUT.npy of every output", "DIR"},
        {"taps", '\0', POPT_ARG_NONE, &o.taps, 0, "the taps of the module are outputs too", NULL},
        {"seed", '\0', POPT_ARG_LONGLONG, &o.seed, 0, "of dropout, and of weights if none are given (0)", "S"},
        SN_CLI_THREADS(o, "threads; results do not depend on it"),
        {"trap-nan", '\0', POPT_ARG_NONE, &o.trap, 0, "stop where a NaN or infinity first appears, and say where", NULL},
        {"code", '\0', POPT_ARG_STRING, &o.code, 0, SN_CLI_CODE_HELP, "FILE"},
        {"cpu", '\0', POPT_ARG_STRING, &o.cpu, 0, "native (default), x86-64-v2, x86-64-v3, x86-64-v4", "CPU"},
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew run", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "FILE --in NAME=X.npy --out DIR\n\nRun a program once.  Free dimensions are those of the arrays given.\n");
    int code = sn_cli_parse(popt, "run", &file, &files);
    if (code == 0) code = check_usage(&o, files);
    if (code == 0) code = run(file[0], &o);
    sn_cli_list_fini(o.set), sn_cli_list_fini(o.in), sn_cli_list_fini(o.grad);
    free(o.module), free(o.mode), free(o.weights), free(o.prefix), free(o.out), free(o.cpu), free(o.code);
    poptFreeContext(popt);
    return code;
}
