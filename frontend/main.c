/* The program `sinew`: the table of verbs.
 * Not the verbs themselves (cmd_*.c). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ir/diag.h"
#include "commands.h"

typedef struct verb {
    const char *name, *arguments, *help;
    int (*run)(int argc, const char **argv);
} verb;

/* In the order of a first session.  A part that was not built has no verb. */
static const verb verbs[] = {
    {"check",    "FILE...",                    "check graph files",                                              sn_cmd_check},
    {"convert",  "FILE -o FILE",               "text to binary and back",                                        sn_cmd_convert},
    {"show",     "FILE",                       "print a program at a stage from graph to assembly",              sn_cmd_show},
    {"init",     "FILE -o W.safetensors",      "write initial weights",                                          sn_cmd_init},
    {"weights",  "from|to SOURCE IN -o OUT",   "weights of public implementations, and back",                    sn_cmd_weights},
#ifdef SINEW_WITH_CODEGEN
    {"run",      "FILE --in X=X.npy --out DIR", "run a program on arrays, with gradients on request",            sn_cmd_run},
    {"verify",   "FILE...",                    "compare what kernels compute with a reference in double precision", sn_cmd_verify},
    {"build",    "FILE --weights W -o NAME",   "a library, its header and an executable of a trained model",    sn_cmd_build},
#endif
    {"import",   "FORMAT PATH... -o SET",      "read motion capture into a data set",                            sn_cmd_import},
    {"compose",  "CLIPS --table CSV -o SET",   "put clips together to sequences with exact labels",              sn_cmd_compose},
    {"data",     "SET",                        "show what is in a data set",                                     sn_cmd_data},
    {"augment",  "[NAME --in X --out Y]",      "apply an augmentation to a clip, or list them",                  sn_cmd_augment},
#ifdef SINEW_WITH_CODEGEN
    {"pretrain", "RECIPE --data SET --out RUN", "train as a recipe says",                                        sn_cmd_pretrain},
    {"finetune", "RECIPE --data SET --out RUN", "train a model that tags frames, on labels",          sn_cmd_finetune},
    {"localize", "MODEL MOTION...",            "say what happens when in recordings",                            sn_cmd_localize},
#endif
#ifdef SINEW_WITH_CODEGEN
    {"embed",    "MODEL --data SET --picture P", "features of recordings, and their picture",                     sn_cmd_embed},
#endif
    {"evaluate", "--scores S --truth T.csv",   "average precision of detections; tables over results",           sn_cmd_evaluate},
#ifdef SINEW_WITH_CODEGEN
    {"report",   "RUN... -o PAGE.html",        "curves, tables, timelines with motion, as one page",             sn_cmd_report},
#endif
#ifdef SINEW_WITH_BENCH
    {"bench",    "FILE...",                    "measure compile time, speed, memory",                            sn_cmd_bench},
    {"profile",  "FILE",                       "say where the time of a step goes, as table, trace or page",      sn_cmd_profile},
#endif
    {"ops",      "[NAME...]",                  "print the manual of the operators",                              sn_cmd_ops},
    {"passes",   "",                           "list the passes in order",                                       sn_cmd_passes},
#ifdef SINEW_WITH_DOCTOR
    {"doctor",   "",                           "show what was detected: processor, LLVM, OpenMP, OpenBLAS",      sn_cmd_doctor},
#endif
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static void help(FILE *out)
{
    fprintf(out, "usage: sinew VERB [OPTION...]\n\nVerbs:\n");
    for (int i = 0; i < VERBS; i++) fprintf(out, "  %-9s %-28s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].help);
    fprintf(out, "\n`sinew VERB --help` explains a verb.  Exit code: 0 done, 1 failed, 2 wrong usage, 3 stopped and resumable.\n");
}

static int unknown(const char *word)
{
    const char *name[VERBS];
    for (int i = 0; i < VERBS; i++) name[i] = verbs[i].name;
    const char *near = sn_nearest(word, name, VERBS);
    if (near) fprintf(stderr, "sinew: no verb \"%s\"; did you mean \"%s\"?\n", word, near);
    else fprintf(stderr, "sinew: no verb \"%s\"; try: sinew --help\n", word);
    return SN_EXIT_USAGE;
}

/* The verb sees itself as "sinew VERB": popt prints that in its help. */
static int run(const verb *v, int argc, char **argv)
{
    char name[32];
    snprintf(name, sizeof name, "sinew %s", v->name);
    argv[1] = name;
    return v->run(argc - 1, (const char **)argv + 1);
}

/* What was printed must have arrived: a full disk behind `> file` is a failure.  At exit, because popt leaves by itself after --help. */
static void check_output(void)
{
    if (!ferror(stdout) && fflush(stdout) == 0) return;
    fprintf(stderr, "sinew: standard output: %s\n", strerror(errno));
    _exit(SN_EXIT_FAILED);
}

int main(int argc, char **argv)
{
    atexit(check_output);
    if (argc < 2) {
        help(stderr);
        return SN_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("sinew " SINEW_VERSION);
        return SN_EXIT_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        help(stdout);
        return SN_EXIT_OK;
    }
    for (int i = 0; i < VERBS; i++)
        if (strcmp(argv[1], verbs[i].name) == 0) return run(&verbs[i], argc, argv);
    return unknown(argv[1]);
}
