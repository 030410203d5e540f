/* The verb `bench`: how long compiling and a step take, how near to the machine's limit, and where the time goes.
 * Not a comparison with others; inputs are random numbers, so no data set is needed. */
#include "bench.h"

#include "cli.h"

#include <stdlib.h>
#include <string.h>

typedef struct options {
    char        *module, *cpu, *code, *by;
    const char **set;
    int          kernels, json, turns, top, threads;
    double       seconds;
} options;

/* What to say of kernels: nothing unless `by` is set (sn_profile_group has its values). */
typedef struct asked { const char *by; int top; bool json; } asked;

static void print_text(const sn_bench *b)
{
    printf("%s: %s of module %s\n", b->file, b->what, b->module);
    const sn_abi_program *p = b->job.program.abi;
    printf("  with      ");
    for (uint32_t i = 0; i < p->symbols; i++) printf("%s = %lld, ", p->symbol[i], (long long)b->job.extent[i]);
    printf("%d threads\n", b->threads);
    printf("  compile   %.3f s cold, %.3f s from the cache (%u kernels, %u distinct)\n", b->compile_cold, b->compile_cached, b->stats.kernels, b->stats.distinct);
    printf("  step      %.6f s (median of %u, fastest %.6f, slowest %.6f)\n", b->step, b->repeats, b->fastest, b->slowest);
    printf("  rate      %.2f sequences/s\n", (double)b->batch / b->step);
    printf("  speed     %.1f GFLOP/s, %.1f%% of the %.0f that multiply-adds alone reach now (%s, %d threads)\n", b->flop / b->step / 1e9,
           100 * b->flop / b->step / b->peak.flops, b->peak.flops / 1e9, b->peak.isa, b->peak.threads);
    const double mib = 1 << 20, rest = (double)b->memory_peak - (double)b->memory_grown - (double)b->memory_files;
    printf("  memory    %.1f MiB planned and allocated: %.1f of it the slab, where %.1f are alive at once\n", (double)b->memory_planned / mib,
           (double)b->memory_slab / mib, (double)b->memory_live / mib);
    printf("  process   %.1f MiB at its peak: %.1f for the plan and %.1f of inputs; %.1f files of program and LLVM, which processes share; %.1f heap\n",
           (double)b->memory_peak / mib, (double)b->memory_grown / mib, (double)b->memory_inputs / mib, (double)b->memory_files / mib, rest / mib);
    if (b->load > b->threads + 0.5) printf("  note      load %.1f: others are at work, the figures are too low\n", b->load);
}

/* A line of the steps' seconds, then as many steps as the next line of standard input says; the end of input ends. */
static uint32_t by_request(const double *seconds, uint32_t steps)
{
    char line[32];
    printf("turn");
    for (uint32_t i = 0; i < steps; i++) printf(" %.9f", seconds[i]);
    putchar('\n');
    fflush(stdout);
    return fgets(line, sizeof line, stdin) ? (uint32_t)strtoul(line, NULL, 10) : 0;
}

static int bench_file(const sn_bench_options *how, const char *file, const asked *a)
{
    sn_bench   b;
    sn_profile rows;
    int        code = SN_EXIT_FAILED;
    if (sn_bench_run(&b, file, how) && (!a->by || sn_profile_group(&b.profile, a->by, &b.job.arena, &rows))) {
        if (!a->json) print_text(&b);
        if (a->by && !a->json) sn_profile_print(&rows, &b.peak, a->top > 0 ? (uint32_t)a->top : UINT32_MAX, stdout);
        if (!a->json || sn_bench_json_print(sn_bench_json(&b, a->by ? &rows : NULL, a->by), stdout)) code = SN_EXIT_OK;
        else sn_rt_fail(&b.err, SN_RT_FORMAT, "%s", SN_BENCH_NOT_UTF8);
    }
    if (code != SN_EXIT_OK) sn_training_complain(&b.job, "bench", &b.err);
    sn_bench_fini(&b);
    return code;
}

static int check_usage(const options *o, uint32_t files)
{
    if (files == 0) return sn_cli_usage("bench", "FILE is missing");
    if (sn_cli_threads_fault(o->threads)) return sn_cli_usage("bench", "%s", sn_cli_threads_fault(o->threads));
    if (!(o->seconds >= 0)) return sn_cli_usage("bench", "--seconds is not below 0");
    if (o->by && !sn_profile_known(o->by)) return sn_cli_usage("bench", "--by is call, kernel, node, module, place, code, or a number");
    if (o->top < 0) return sn_cli_usage("bench", "--top is not below 0");
    return SN_EXIT_OK;
}

int sn_cmd_bench(int argc, const char **argv)
{
    options      o = {.seconds = 5};
    const char **file;
    uint32_t     files;
    const struct poptOption table[] = {
        SN_CLI_PROGRAM_OPTIONS(o),
        SN_CLI_THREADS(o, "threads of a step"),
        {"kernels", '\0', POPT_ARG_NONE, &o.kernels, 0, "a row for every kernel: time, share, speed, bytes, share of the roofline, node and its place", NULL},
        {"by", '\0', POPT_ARG_STRING, &o.by, 0, "rows of --kernels together: call, kernel, node, module, place, code, or the first N parts of names", "WHAT"},
        {"top", '\0', POPT_ARG_INT, &o.top, 0, "only the N slowest rows of --kernels", "N"},
        {"seconds", '\0', POPT_ARG_DOUBLE, &o.seconds, 0, "time to spend on steps (5)", "S"},
        {"turns", '\0', POPT_ARG_NONE, &o.turns, 0, "instead: as many steps as each line of standard input asks for, answered by a line of their seconds", NULL},
        {"cpu", '\0', POPT_ARG_STRING, &o.cpu, 0, "processor to compile for: native, x86-64-v2, -v3, -v4", "NAME"},
        {"code", '\0', POPT_ARG_STRING, &o.code, 0, SN_CLI_CODE_HELP, "FILE"},
        {"json", '\0', POPT_ARG_NONE, &o.json, 0, "print a JSON object a file instead of text", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext popt = poptGetContext("sinew bench", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "FILE...\n\nTime the training step of a file's recipe, or inference of its module if it has none or --module names one, on random numbers.\n");
    int code = sn_cli_parse(popt, "bench", &file, &files);
    if (code == 0) code = check_usage(&o, files);
    const sn_bench_options how = {.set = o.set, .sets = sn_cli_count(o.set), .module = o.module, .cpu = o.cpu, .code = o.code, .threads = o.threads,
                                  .seconds = o.seconds, .turn = o.turns ? by_request : NULL};
    const asked a = {o.by ? o.by : o.kernels ? "call" : NULL, o.top, o.json != 0};
    for (uint32_t i = 0; i < files && code == SN_EXIT_OK; i++) code = bench_file(&how, file[i], &a);
    sn_cli_list_fini(o.set);
    free(o.module), free(o.cpu), free(o.code), free(o.by);
    poptFreeContext(popt);
    return code;
}
