/* The verb `profile`: where the time of a step goes, kernel by kernel, thread by thread, against the machine's limits.
 * Not the measuring (bench.c, profile.c, observe.c), which `bench` shares; inputs are random numbers, so no data set is needed. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "cli.h"
#include "compare.h"
#include "profile_page.h"

typedef struct options {
    char        *module, *cpu, *code, *by, *trace, *html, *against;
    const char **set, **grad;
    int          train, threads, top, json, stages;
    double       seconds;
} options;

enum { USUAL_TOP = 25, USUAL_STAGES = 20 };

static void print_head(const sn_bench *b)
{
    const sn_abi_program *p = b->job.program.abi;
    printf("%s: %s of module %s, ", b->file, b->what, b->module);
    for (uint32_t i = 0; i < p->symbols; i++) printf("%s = %lld, ", p->symbol[i], (long long)b->job.extent[i]);
    printf("%d threads\n", b->threads);
    printf("%.6f s a step unobserved (median of %u), %.1f GFLOP/s; peak %.0f (%s), %.1f GB/s\n", b->step, b->repeats, b->flop / b->step / 1e9,
           b->peak.flops / 1e9, b->peak.isa, b->peak.bandwidth / 1e9);
    if (b->load > b->threads + 0.5) printf("load %.1f: others are at work, the figures are too low\n", b->load);
}

static void print_counters(const sn_bench *b)
{
    const sn_counters *c = b->observation.counters;
    const char        *name, *why, *last = "";
    for (uint32_t i = 0; i < b->profile.counters; i++)
        printf("%s%.0f %s", i ? ", " : "\nCounted in the kernels of a step: ", b->profile.total.counter[i], sn_counters_name(c, i));
    if (b->profile.counters) putchar('\n');
    for (uint32_t i = 0; (name = sn_counters_missing(c, i, &why)); i++) {
        printf("%s%s", !i ? "Not counted here: " : strcmp(why, last) ? "; " : ", ", name);
        last = why;
        const char *next_why = "", *next = sn_counters_missing(c, i + 1, &next_why);
        if (!next || strcmp(next_why, why)) printf(" (%s)%s", why, next ? "" : "\n");
    }
}

/* Files first: if one cannot be written, nothing is printed. */
static bool write_files(sn_bench *b, const options *o)
{
    const sn_profile_page page = {o->cpu, o->code, (uint32_t)o->stages};
    if (o->trace && sn_trace_write(o->trace, b->file, &b->profile, &b->observation, &b->err) != SN_RT_OK) return false;
    return !o->html || sn_profile_page_write(o->html, b, &page);
}

static bool report(sn_bench *b, const options *o, const json_t *before)
{
    const char *by = o->by ? o->by : "call";
    sn_profile  rows, old;
    if (before && !sn_compare_rows(before, by, &b->job.arena, &old, &b->err)) return false;
    if (!write_files(b, o)) return false;
    sn_profile_group(&b->profile, by, &b->job.arena, &rows);
    const uint32_t top = o->top > 0 ? (uint32_t)o->top : o->top == 0 ? UINT32_MAX : USUAL_TOP;
    if (o->json) return sn_bench_json_print(sn_bench_json(b, &rows, by), stdout) || (sn_rt_fail(&b->err, SN_RT_FORMAT, "%s", SN_BENCH_NOT_UTF8), false);
    print_head(b);
    if (before) sn_compare_print(before, &old, b, &rows, top, stdout);
    else sn_profile_print(&rows, &b->peak, top, stdout);
    print_counters(b);
    return true;
}

static int profile(const char *file, const options *o)
{
    sn_bench_options how = {.set = o->set, .sets = sn_cli_count(o->set), .module = o->module, .grad = o->grad, .grads = sn_cli_count(o->grad),
                            .train = o->train != 0, .observe = true, .cpu = o->cpu, .code = o->code, .threads = o->threads, .seconds = o->seconds};
    sn_bench         b;
    sn_rt_error      err;
    json_t          *before = o->against ? sn_compare_read(o->against, &err) : NULL;
    if (o->against && !before) return sn_cli_fail("profile", SN_EXIT_FAILED, "%s", err.text);
    bool ok = sn_bench_run(&b, file, &how) && report(&b, o, before);
    if (!ok) sn_training_complain(&b.job, "profile", &b.err);
    sn_bench_fini(&b);
    json_decref(before);
    return ok ? SN_EXIT_OK : SN_EXIT_FAILED;
}

static int check_usage(const options *o, uint32_t files)
{
    if (files != 1) return sn_cli_usage("profile", files ? "one FILE at a time" : "FILE is missing");
    if (sn_cli_threads_fault(o->threads)) return sn_cli_usage("profile", "%s", sn_cli_threads_fault(o->threads));
    if (!(o->seconds >= 0)) return sn_cli_usage("profile", "--seconds is not below 0");
    if (o->by && !sn_profile_known(o->by)) return sn_cli_usage("profile", "--by is call, kernel, node, module, place, code, or a number");
    if (o->top < -1) return sn_cli_usage("profile", "--top is not below 0");
    if (o->stages < 0) return sn_cli_usage("profile", "--stages is not below 0");
    if (o->json && o->against) return sn_cli_usage("profile", "--against prints a table: it excludes --json");
    return SN_EXIT_OK;
}

int sn_cmd_profile(int argc, const char **argv)
{
    options      o = {.seconds = 5, .top = -1, .stages = USUAL_STAGES};
    const char **file;
    uint32_t     files;
    const struct poptOption table[] = {
        SN_CLI_PROGRAM_OPTIONS(o),
        {"grad", '\0', POPT_ARG_ARGV, &o.grad, 0, "of a module: with the gradients of this output; may be repeated", "OUTPUT"},
        {"train", '\0', POPT_ARG_NONE, &o.train, 0, "of a module: in training, with batch statistics, dropout and updates", NULL},
        {"by", '\0', POPT_ARG_STRING, &o.by, 0, "rows together: call, kernel, node, module, place, code, or the first N parts of names", "WHAT"},
        {"top", '\0', POPT_ARG_INT, &o.top, 0, "only the N slowest rows (25), 0 for all", "N"},
        {"json", '\0', POPT_ARG_NONE, &o.json, 0, "print a JSON object instead of text", NULL},
        {"trace", '\0', POPT_ARG_STRING, &o.trace, 0, "write a step as a trace for Perfetto or chrome://tracing", "FILE"},
        {"html", '\0', POPT_ARG_STRING, &o.html, 0, "write a page: the graph, the roofline, every kernel from its line to its code", "FILE"},
        {"stages", '\0', POPT_ARG_INT, &o.stages, 0, "LLVM IR and assembly of the N slowest kernels on the page (20)", "N"},
        {"against", '\0', POPT_ARG_STRING, &o.against, 0, "compare with a profile that --json printed before", "OLD.json"},
        SN_CLI_THREADS(o, "threads of a step"),
        {"seconds", '\0', POPT_ARG_DOUBLE, &o.seconds, 0, "time to spend on steps (5)", "S"},
        {"code", '\0', POPT_ARG_STRING, &o.code, 0, SN_CLI_CODE_HELP, "FILE"},
        {"cpu", '\0', POPT_ARG_STRING, &o.cpu, 0, "native (default), x86-64-v2, x86-64-v3, x86-64-v4", "CPU"},
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew profile", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "FILE\n\nProfile the training step of a file's recipe, or its module in inference or with gradients, on random numbers:\n"
                                 "time, calls, operations, bytes, share of the machine's roofline and the threads' balance, kernel by kernel.\n");
    int code = sn_cli_parse(popt, "profile", &file, &files);
    if (code == 0) code = check_usage(&o, files);
    if (code == 0) code = profile(file[0], &o);
    sn_cli_list_fini(o.set);
    sn_cli_list_fini(o.grad);
    free(o.module), free(o.cpu), free(o.code), free(o.by), free(o.trace), free(o.html), free(o.against);
    poptFreeContext(popt);
    return code;
}
