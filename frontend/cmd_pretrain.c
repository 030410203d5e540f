/* The verb `pretrain`: train a recipe on a data set, with progress on standard error and everything else in a folder.
 * Not the run itself (runtime/train/run.c): this reads options, opens things, and tells how it goes. */
#include "cli.h"

#include "../runtime/train/batches.h"
#include "progress.h"
#include "trap.h"
#include "training.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What the command line says. */
typedef struct settings {
    char        *data, *out, *splits;
    const char **set;
    const char  *recipe;
    long long    seed, steps;
    int          threads, resume, keep, trap;
    double       minutes, save_seconds, clip_seconds, stride_seconds;
} settings;

/* What a run needs, in order of opening. */
typedef struct pretraining {
    const settings     *how;
    sn_rt_dataset      *dataset;
    sn_rt_status        read; /* how opening the data set went, in a thread of its own */
    sn_rt_error         read_error;
    sn_training         training;
    sn_rt_loader_config config;
    sn_rt_loader       *loader;
    sn_rt_trainer      *trainer;
    sn_rt_batches       batches;
    char               *data_text;
    char               *graph; /* of recipe.json */
    sn_progress         progress;
    sn_trap             trap;
} pretraining;

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

static int wrong(const char *what, const char *why)
{
    fprintf(stderr, "sinew pretrain: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    return SN_EXIT_FAILED;
}

static int open_training(pretraining *p)
{
    sn_rt_error err = {""};
    uint32_t    sets = 0;
    char        cache[4096];
    while (p->how->set && p->how->set[sets]) sets++;
    const char *dir = sn_cache_dir(cache, sizeof cache);
    if (!sn_training_open(&p->training, p->how->recipe, p->how->set, sets, dir, NULL, NULL, &err)) {
        sn_training_complain(&p->training, "pretrain", &err);
        return SN_EXIT_FAILED;
    }
    if (p->training.recipe.labels) return wrong(p->how->recipe, "the recipe wants labels: sinew finetune");
    sn_compile_stats c = p->training.program.stats;
    sn_diags_print(&p->training.diags, stderr); /* warnings */
    fprintf(stderr, "%s: %u kernels, %u distinct, ", p->how->recipe, c.kernels, c.distinct);
    if (dir) fprintf(stderr, "%u from the cache; ready in %.2f s\n", c.cached, c.seconds);
    else fprintf(stderr, "no cache (neither SINEW_CACHE, XDG_CACHE_HOME nor HOME is set); ready in %.2f s\n", c.seconds);
    return SN_EXIT_OK;
}

/* The graph file after a line that says how to run it again. */
static char *graph_text(const pretraining *p)
{
    const settings *how = p->how;
    const char     *slash = strrchr(how->recipe, '/');
    char           *text = NULL;
    size_t          size = 0;
    FILE           *f = open_memstream(&text, &size);
    if (!f) return NULL;
    fprintf(f, "// %s as run.  Again: sinew pretrain recipe.json --data SET --out RUN --seed %lld", slash ? slash + 1 : how->recipe, how->seed);
    if (how->splits) fprintf(f, " --splits %s", how->splits);
    if (how->clip_seconds > 0) fprintf(f, " --clip %.9g", how->clip_seconds);
    if (how->stride_seconds > 0) fprintf(f, " --stride %.9g", how->stride_seconds);
    fprintf(f, "\n%s", p->training.graph);
    if (!fclose(f)) return text;
    free(text);
    return NULL;
}

static int open_loader(pretraining *p)
{
    const settings  *how = p->how;
    const sn_recipe *r = &p->training.recipe;
    sn_rt_error      err = {""};
    if (r->views > SN_RT_MAX_VIEWS || r->batch > UINT32_MAX || r->frames > UINT32_MAX) return wrong("recipe: too many views, rows or frames", NULL);
    p->config = (sn_rt_loader_config){.set = p->dataset, .splits = how->splits, .seed = (uint64_t)how->seed, .batch = (uint32_t)r->batch,
                                      .frames = (uint32_t)r->frames, .persons = p->training.persons, .views = r->views, .clip_seconds = how->clip_seconds,
                                      .stride_seconds = how->stride_seconds};
    for (uint32_t v = 0; v < r->views; v++) p->config.view[v] = r->view[v].augment;
    if (sn_rt_loader_open(&p->config, &p->loader, &err) != SN_RT_OK) return wrong(how->data, err.text);
    if (sn_rt_batches_init(&p->batches, p->loader, &p->config, &err) != SN_RT_OK) return wrong(err.text, NULL);
    p->data_text = sn_rt_batches_text(&p->config, p->loader);
    p->graph = graph_text(p);
    if (!p->data_text || !p->graph) return wrong("no memory", NULL);
    fprintf(stderr, "%s: %zu sequences, %zu clips, %llu steps an epoch of %u sequences of %u frames\n", how->data, sn_rt_dataset_count(p->dataset),
            sn_rt_loader_clips(p->loader), (unsigned long long)sn_rt_loader_steps(p->loader), p->config.batch, p->config.frames);
    return SN_EXIT_OK;
}

static int open_trainer(pretraining *p)
{
    sn_rt_error err = {""};
    if (sn_training_start(&p->training, (uint64_t)p->how->seed, p->how->threads, &p->trainer, &err) != SN_RT_OK) return wrong(p->how->recipe, err.text);
    size_t frame = sn_rt_loader_joints(p->loader) * 3, want = (size_t)p->config.batch * p->config.persons * p->config.frames * frame;
    for (uint32_t v = 0; v < p->config.views; v++)
        if (sn_rt_trainer_input_count(p->trainer, v) != want) {
            fprintf(stderr, "sinew pretrain: %s has %zu joints, input %s has another number\n", p->how->data, sn_rt_loader_joints(p->loader),
                    p->training.input[v]);
            return SN_EXIT_FAILED;
        }
    fprintf(stderr, "%d threads, %.0f MiB planned\n", sn_rt_trainer_threads(p->trainer), (double)sn_rt_trainer_bytes(p->trainer) / (1 << 20));
    return SN_EXIT_OK;
}

static void report(void *context, const sn_rt_run_state *state)
{
    pretraining *p = context;
    sn_progress_step(&p->progress, state);
    p->trap.step = state->step;
}

/* ---- running ------------------------------------------------------------------------------------------------------------ */

static int finish(const pretraining *p, sn_rt_status status, uint64_t step, const sn_rt_error *err)
{
    sn_progress_break(&p->progress);
    if (status != SN_RT_OK && status != SN_RT_STOPPED) {
        wrong(err->text, NULL);
        sn_trap_print(&p->trap, &p->batches, p->dataset);
        return SN_EXIT_FAILED;
    }
    sn_progress_summary(p->how->out, p->trainer, step);
    sn_progress_cost(&p->progress, sn_rt_loader_cost(p->loader));
    printf("%s after step %llu; checkpoint, log.csv and loss.png in %s\n", status == SN_RT_OK ? "done" : "stopped", (unsigned long long)step, p->how->out);
    return status == SN_RT_STOPPED && sn_stop_signal ? SN_EXIT_STOPPED : SN_EXIT_OK;
}

static int train(pretraining *p)
{
    const settings *how = p->how;
    sn_rt_error     err = {""};
    uint64_t        step = 0;
    sn_rt_run run = {.trainer = p->trainer, .source = sn_rt_batches_source(&p->batches), .schedule = sn_training_schedule(&p->training),
                     .steps_per_epoch = sn_rt_loader_steps(p->loader), .steps = (uint64_t)how->steps, .seconds = how->minutes * 60, .dir = how->out,
                     .recipe = p->training.text, .graph = p->graph, .data = p->data_text, .seed = (uint64_t)how->seed, .resume = how->resume,
                     .checkpoint_seconds = how->save_seconds, .keep = (unsigned)how->keep, .stop = &sn_stop_signal, .context = p, .report = report};
    if (how->trap) sn_trap_set(&p->trap, &p->training.program, sn_rt_trainer_session(p->trainer), &p->training.diags, (uint64_t)how->seed);
    sn_catch_signals();
    sn_progress_start(&p->progress, how->minutes, p->config.batch);
    sn_rt_status status = sn_rt_run_train(&run, &step, &err);
    return finish(p, status, step, &err);
}

static void *read_dataset(void *context)
{
    pretraining *p = context;
    p->read = sn_rt_dataset_open(p->how->data, &p->dataset, &p->read_error);
    return NULL;
}

static int pretrain(const settings *how)
{
    pretraining p = {.how = how};
    pthread_t   reader;
    int         code, threaded = !pthread_create(&reader, NULL, read_dataset, &p);
    code = open_training(&p); /* beside the reading */
    if (threaded) pthread_join(reader, NULL);
    else read_dataset(&p);
    if (code == SN_EXIT_OK && p.read != SN_RT_OK) code = wrong(p.read_error.text, NULL);
    if (code == SN_EXIT_OK) code = open_loader(&p);
    if (code == SN_EXIT_OK) code = open_trainer(&p);
    if (code == SN_EXIT_OK && mkdir(how->out, 0777) && errno != EEXIST) code = wrong(how->out, strerror(errno));
    if (code == SN_EXIT_OK) code = train(&p);
    sn_rt_batches_fini(&p.batches);
    sn_rt_loader_close(p.loader);
    sn_rt_trainer_free(p.trainer);
    sn_training_close(&p.training);
    sn_rt_dataset_free(p.dataset);
    free(p.data_text);
    free(p.graph);
    return code;
}

static const char *missing(const settings *s)
{
    if (!s->recipe) return "RECIPE is missing";
    if (!s->data || !*s->data) return "--data SET is missing";
    if (!s->out || !*s->out) return "--out RUN is missing";
    if (s->seed < 0 || s->steps < 0 || !(s->minutes >= 0)) return "--seed, --steps and --minutes are not below 0";
    if (!(s->clip_seconds >= 0) || !(s->stride_seconds >= 0)) return "--clip and --stride are not below 0";
    if (sn_cli_threads_fault(s->threads)) return sn_cli_threads_fault(s->threads);
    if (s->keep < 1 || !(s->save_seconds > 0)) return "--keep is at least 1, --save is above 0";
    return NULL;
}

int sn_cmd_pretrain(int argc, const char **argv)
{
    settings s = {.keep = 2, .save_seconds = 60};
    struct poptOption options[] = {
        {"data", '\0', POPT_ARG_STRING, &s.data, 0, "data set made by sinew import", "SET"},
        {"out", 'o', POPT_ARG_STRING, &s.out, 0, "folder of the run: checkpoints, log.csv, loss.png, recipe.txt and recipe.json", "RUN"},
        {"set", '\0', POPT_ARG_ARGV, &s.set, 0, "parameter of the recipe; may be repeated", "NAME=VALUE"},
        {"seed", '\0', POPT_ARG_LONGLONG, &s.seed, 0, "of weights, queues, order and augmentation (0)", "S"},
        SN_CLI_THREADS(s, "threads of a step; results do not depend on it"),
        {"resume", '\0', POPT_ARG_NONE, &s.resume, 0, "go on from the newest checkpoint in RUN, if there is one", NULL},
        {"steps", '\0', POPT_ARG_LONGLONG, &s.steps, 0, "end of the run, instead of the schedule's epochs", "N"},
        {"minutes", '\0', POPT_ARG_DOUBLE, &s.minutes, 0, "stop after so long; --resume goes on", "M"},
        {"splits", '\0', POPT_ARG_STRING, &s.splits, 0, "splits of the data set to use, comma-separated (all)", "NAMES"},
        {"clip", '\0', POPT_ARG_DOUBLE, &s.clip_seconds, 0, "length of a clip (frames / 30)", "SECONDS"},
        {"stride", '\0', POPT_ARG_DOUBLE, &s.stride_seconds, 0, "between beginnings of clips (a quarter of a clip)", "SECONDS"},
        {"save", '\0', POPT_ARG_DOUBLE, &s.save_seconds, 0, "time between checkpoints (60)", "SECONDS"},
        {"trap-nan", '\0', POPT_ARG_NONE, &s.trap, 0, "stop where a NaN or infinity first appears, and say in which node, kernel, step and sample", NULL},
        {"keep", '\0', POPT_ARG_INT, &s.keep, 0, "checkpoints to keep (2)", "N"},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext context = poptGetContext("sinew pretrain", argc, argv, options, 0);
    poptSetOtherOptionHelp(context, "RECIPE --data SET --out RUN\n\nTrain the recipe of a graph file on a data set.\n\n"
                                    "Exit status: 0 done, or the time of --minutes is over; 1 failed; 2 wrong usage; 3 stopped by SIGINT, SIGTERM or SIGHUP\n"
                                    "with a checkpoint written, so that --resume goes on.\n");
    int         next = poptGetNextOpt(context), code = SN_EXIT_USAGE;
    const char *fault = next < -1 ? poptStrerror(next) : NULL;
    if (fault) {
        fprintf(stderr, "sinew pretrain: %s: %s\nTry 'sinew pretrain --help'.\n", poptBadOption(context, 0), fault);
    } else {
        s.recipe = poptGetArg(context);
        fault = missing(&s);
        if (!fault && poptPeekArg(context)) fault = "more than one RECIPE";
        if (fault) fprintf(stderr, "sinew pretrain: %s\nTry 'sinew pretrain --help'.\n", fault);
        else code = pretrain(&s);
    }
    for (const char **set = s.set; set && *set; set++) free((void *)(uintptr_t)*set);
    free(s.set);
    free(s.data);
    free(s.out);
    free(s.splits);
    poptFreeContext(context);
    return code;
}
