/* The verb `build`: a trained model as a library, its header and an executable.
 * Not the building itself (library.c). */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "library.h"
#include "model_file.h"
#include "cli.h"

typedef struct options {
    char        *module, *weights, *prefix, *target, *output, *linker;
    const char **set;
    int          threads, beside, small, debug, executable, archive;
} options;

enum { MAX_TARGETS = 8 };

static long long size_of(const char *output, const char *ending)
{
    char path[4200];
    struct stat st;
    snprintf(path, sizeof path, "%s%s", output, ending);
    return stat(path, &st) == 0 ? (long long)st.st_size : 0;
}

static void report(const sn_library *b)
{
    static const struct { const char *ending, *about; } file[] = {
        {".h", "header"}, {".a", "static library"}, {".pc", "for pkg-config"}, {".so", "shared library"}, {".safetensors", "weights"}, {"", "executable"}};
    const bool made[] = {true, true, true, b->shared, b->beside, b->executable};
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        if (made[i]) printf("%10lld  %s%s  %s\n", size_of(b->output, file[i].ending), b->output, file[i].ending, file[i].about);
}

static int build(const char *file, options *o)
{
    const char *target[MAX_TARGETS];
    uint32_t    targets = 0;
    sn_diags    diags;
    char        prefix[512] = "", cache[4096];
    if (o->prefix) snprintf(prefix, sizeof prefix, "%s.", o->prefix);
    for (char *t = strtok(o->target, ","); t && targets < MAX_TARGETS; t = strtok(NULL, ",")) target[targets++] = t;
    const sn_library b = {.program = {.module = o->module, .set = o->set, .sets = sn_cli_count(o->set), .cache_dir = sn_cache_dir(cache, sizeof cache)}, .file = file, .weights = o->weights,
                        .prefix = prefix, .output = o->output, .target = target, .targets = targets, .one_thread = o->threads == 1,
                        .beside = o->beside != 0, .small = o->small != 0, .debug = o->debug != 0,
                        .shared = !o->archive, .executable = o->executable != 0, .linker = o->linker};
    sn_diags_init(&diags);
    int code = SN_EXIT_OK;
    if (!sn_library_make(&b, &diags)) code = sn_cli_report(&diags);
    else report(&b);
    sn_diags_fini(&diags);
    return code;
}

/* The most demanding first is the order in which they are tried at start. */
static int order_targets(char *list)
{
    static const char *const rank[] = {"x86-64-v4", "x86-64-v3", "x86-64-v2"};
    char sorted[64] = "", copy[256];
    size_t n = 0, found = 0;
    if (!strchr(list, ',')) return SN_EXIT_OK;
    snprintf(copy, sizeof copy, ",%s,", list);
    for (size_t i = 0; i < sizeof rank / sizeof *rank; i++) {
        char word[16];
        snprintf(word, sizeof word, ",%s,", rank[i]);
        if (!strstr(copy, word)) continue;
        found += strlen(rank[i]) + 1;
        n += (size_t)snprintf(sorted + n, sizeof sorted - n, "%s%s", n ? "," : "", rank[i]);
    }
    if (found != strlen(list) + 1)
        return sn_cli_usage("build", "--target %s: several targets in one library are different ones of x86-64-v2, x86-64-v3 and x86-64-v4", list);
    memcpy(list, sorted, n + 1);
    return SN_EXIT_OK;
}

static int check_usage(const options *o, const char *file, uint32_t files)
{
    if (files != 1) return sn_cli_usage("build", files ? "one FILE at a time" : "FILE is missing");
    if (!o->output || !*o->output) return sn_cli_usage("build", "-o NAME is missing");
    if (sn_model_file_is(file) && o->weights) return sn_cli_usage("build", "--weights is for a graph file; %s has its own", file);
    if (!sn_model_file_is(file) && !o->weights) return sn_cli_usage("build", "--weights W is missing: a checkpoint, or what `sinew init` writes");
    if (o->threads < 0 || o->threads > 1) return sn_cli_usage("build", "--threads is 1 for a library without OpenMP, or 0");
    if (o->archive && o->executable) return sn_cli_usage("build", "--archive needs no linker, --exe does: one of them");
    return order_targets(o->target);
}

int sn_cmd_build(int argc, const char **argv)
{
    options o = {0};
    const char **file;
    uint32_t files;
    const struct poptOption table[] = {
        SN_CLI_PROGRAM_OPTIONS(o),
        {"weights", 'w', POPT_ARG_STRING, &o.weights, 0, "weights and states by name, from a checkpoint or init", "W"},
        {"prefix", '\0', POPT_ARG_STRING, &o.prefix, 0, "take weights PREFIX.name of the file for name: an instance of a larger program", "PREFIX"},
        {"output", 'o', POPT_ARG_STRING, &o.output, 0, "write NAME.a, NAME.so, NAME.h, NAME.pc; its last part is the library's name in C", "NAME"},
        {"exe", '\0', POPT_ARG_NONE, &o.executable, 0, "also NAME, an executable that needs no library: arrays or motion in, arrays (of MODEL: segments) out", NULL},
        {"target", 't', POPT_ARG_STRING, &o.target, 0,
         "native (default), x86-64-v2, x86-64-v3, x86-64-v4, several of these for one library that chooses at start, or aarch64", "CPU,..."},
        {"threads", '\0', POPT_ARG_INT, &o.threads, 0, "1: a library without OpenMP, which needs nothing but libc", "N"},
        {"weights-beside", '\0', POPT_ARG_NONE, &o.beside, 0, "weights in NAME.safetensors, mapped when loaded, instead of inside", NULL},
        {"small", '\0', POPT_ARG_NONE, &o.small, 0,
         "weights as they are instead of packed for the kernels, which then do that in a session's first run; so it is with several targets, with "
         "--weights-beside, and for processors other than this one", NULL},
        {"debug", 'g', POPT_ARG_NONE, &o.debug, 0, "lines of the graph files in the code, for gdb and perf; equal kernels are not merged", NULL},
        {"archive", '\0', POPT_ARG_NONE, &o.archive, 0, "no NAME.so: nothing that needs a linker", NULL},
        {"linker", '\0', POPT_ARG_STRING, &o.linker, 0, "C compiler that calls the linker (cc; for aarch64 aarch64-linux-gnu-gcc)", "CC"},
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew build", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "FILE --weights W -o NAME\n  or:  sinew build [OPTION...] MODEL -o NAME\n\nCompile a model with its weights into a library that needs neither this program nor its libraries.  FILE is a graph file, MODEL a run\n"
                                 "of sinew finetune or its model.safetensors: then the library also finds segments in recordings as their frames come.\n");
    int code = sn_cli_parse(popt, "build", &file, &files);
    if (!o.target) o.target = strdup("native");
    if (code == 0) code = check_usage(&o, files ? file[0] : NULL, files);
    if (code == 0) code = build(file[0], &o);
    sn_cli_list_fini(o.set);
    free(o.module), free(o.weights), free(o.prefix), free(o.target), free(o.output), free(o.linker);
    poptFreeContext(popt);
    return code;
}
