/* The verb `finetune`: train a recipe with labels on a labelled data set, from a pretrained encoder or from nothing.
 * Not validation nor the model file (finetune.c): this reads options, opens things, and tells how it goes. */
#include "finetune.h"

#include "cli.h"

#include "../runtime/sinew_rt.h"

#include <errno.h>
#include <popt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const sn_mode_row modes[] = {
    {"full", 0, true, false},     /* everything is trained */
    {"linear", 2, true, false},   /* the encoder stays as it is */
    {"semi", 0, true, false},     /* as full, on a share of the sequences */
    {"weak", 0, true, false},     /* as full, by a recipe that learns from videos' labels */
    {"transfer", 0, true, true},  /* as full, from a model of other classes: its decoder is taken, too */
    {"scratch", 0, false, false}, /* as full, from random weights: the control */
};
enum { MODES = sizeof modes / sizeof *modes };

static const sn_mode_row *mode_of(const char *name)
{
    for (int i = 0; i < MODES; i++)
        if (strcmp(modes[i].name, name) == 0) return &modes[i];
    return NULL;
}

static const char *missing(const sn_finetune_settings *s)
{
    if (!s->data || !*s->data) return "--data SET is missing";
    if (!s->out || !*s->out) return "--out RUN is missing";
    if (!s->mode) return "--mode is full, linear, semi, weak, transfer or scratch";
    if (s->mode->from && (!s->from || !*s->from)) return "--from RUN is missing; --mode scratch does without";
    if (!s->mode->from && s->from) return "--mode scratch starts from nothing, but --from is given";
    if (isnan(s->share)) return "--mode semi wants --share PERCENT";
    if (!(s->share > 0 && s->share <= 100)) return "--share is above 0, at most 100 percent";
    if (s->prefix && !s->from) return "--prefix is for --from";
    if (s->seed < 0 || s->steps < 0 || !(s->minutes >= 0) || s->every < 1) return "--seed, --steps and --minutes are not below 0, --validate-every is at least 1";
    if (!(s->stride_seconds >= 0)) return "--stride is not below 0";
    if (sn_cli_threads_fault(s->threads)) return sn_cli_threads_fault(s->threads);
    if (s->keep < 1 || !(s->save_seconds > 0)) return "--keep is at least 1, --save is above 0";
    return NULL;
}

int sn_cmd_finetune(int argc, const char **argv)
{
    sn_finetune_settings s = {.keep = 2, .save_seconds = 60, .share = NAN /* not given */, .every = 1};
    char                *mode = NULL;
    const char         **plain;
    uint32_t             count;
    struct poptOption options[] = {
        {"data", '\0', POPT_ARG_STRING, &s.data, 0, "labelled data set made by sinew import or compose", "SET"},
        {"from", '\0', POPT_ARG_STRING, &s.from, 0, "run of pretrain or finetune, its checkpoint, or a model file: the encoder's weights", "RUN"},
        {"mode", '\0', POPT_ARG_STRING, &mode, 0, "full: train all (default); linear: the encoder stays; semi: all, on --share of the sequences; weak: all, by a recipe for videos' labels; transfer: all, and the decoder is taken from --from if it has one; scratch: all, from random weights", "MODE"},
        {"out", 'o', POPT_ARG_STRING, &s.out, 0, "folder of the run: checkpoints, log.csv, validation.csv, model.safetensors", "RUN"},
        {"share", '\0', POPT_ARG_DOUBLE, &s.share, 0, "of the training sequences, drawn by the seed (100)", "PERCENT"},
        {"classes", '\0', POPT_ARG_STRING, &s.classes, 0, "labels to tell apart, comma-separated, in this order (all); all else is background, and sequences without any are left out", "NAMES"},
        {"ignore-unlabelled", '\0', POPT_ARG_NONE, &s.ignore_unlabelled, 0, "frames without any label count for nothing, instead of as background", NULL},
        {"set", '\0', POPT_ARG_ARGV, &s.set, 0, "parameter of the recipe; may be repeated", "NAME=VALUE"},
        {"seed", '\0', POPT_ARG_LONGLONG, &s.seed, 0, "of weights, order, augmentation and --share (0)", "S"},
        {"splits", '\0', POPT_ARG_STRING, &s.splits, 0, "splits to train on, comma-separated (train)", "NAMES"},
        {"validate", '\0', POPT_ARG_STRING, &s.validate, 0, "splits to validate on (val)", "NAMES"},
        {"validate-every", '\0', POPT_ARG_INT, &s.every, 0, "epochs between validations (1)", "N"},
        {"stride", '\0', POPT_ARG_DOUBLE, &s.stride_seconds, 0, "between beginnings of clips (half a clip)", "SECONDS"},
        {"prefix", '\0', POPT_ARG_STRING, &s.prefix, 0, "take the encoder's weights from PREFIX.name (q.enc, net.enc or enc)", "PREFIX"},
        SN_CLI_THREADS(s, "threads of a step; results do not depend on it"),
        {"resume", '\0', POPT_ARG_NONE, &s.resume, 0, "go on from the newest checkpoint in RUN, if there is one", NULL},
        {"steps", '\0', POPT_ARG_LONGLONG, &s.steps, 0, "end of the run, instead of the schedule's epochs", "N"},
        {"minutes", '\0', POPT_ARG_DOUBLE, &s.minutes, 0, "stop after so long; --resume goes on", "M"},
        {"save", '\0', POPT_ARG_DOUBLE, &s.save_seconds, 0, "time between checkpoints (60)", "SECONDS"},
        {"trap-nan", '\0', POPT_ARG_NONE, &s.trap, 0, "stop where a NaN or infinity first appears, and say in which node, kernel, step and sample", NULL},
        {"keep", '\0', POPT_ARG_INT, &s.keep, 0, "checkpoints to keep (2)", "N"},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext popt = poptGetContext("sinew finetune", argc, argv, options, 0);
    poptSetOtherOptionHelp(popt, "RECIPE --data SET --from RUN --out RUN\n\nTrain a model that scores every frame of a recording: a recipe with labels, on a labelled data set.\n\n"
                                 "Exit status: as of pretrain.\n");
    int code = sn_cli_parse(popt, "finetune", &plain, &count);
    if (code == SN_EXIT_OK) {
        const char *fault = count == 1 ? NULL : count ? "more than one RECIPE" : "RECIPE is missing";
        s.mode = mode_of(mode ? mode : "full");
        if (isnan(s.share) && s.mode && strcmp(s.mode->name, "semi") != 0) s.share = 100;
        if (!fault) fault = missing(&s);
        s.recipe = fault ? NULL : plain[0];
        code = fault ? sn_cli_usage("finetune", "%s", fault) : sn_finetune(&s);
    }
    sn_cli_list_fini(s.set);
    free(mode), free(s.data), free(s.from), free(s.out), free(s.classes), free(s.splits), free(s.validate), free(s.prefix);
    poptFreeContext(popt);
    return code;
}
