/* A training run: batches through steps, with log, checkpoints and a way to stop.
 * Not the command line; prints nothing and installs no signal handler. */
#include "run.h"

#include "../data/file.h"
#include "checkpoint.h"
#include "curve.h"
#include "log.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REDRAW_SECONDS = 30 };

/* A run in progress. */
typedef struct progress {
    const sn_rt_run *run;
    sn_rt_log       *log;
    const char     **name;  /* [scalars] */
    float           *value; /* [scalars] */
    uint64_t         step, steps;
    double           before;       /* seconds of earlier sittings */
    double           began, saved; /* clock at the start of this sitting, and of the last checkpoint */
    uint64_t         saved_step;   /* of the newest checkpoint; UINT64_MAX if there is none */
    double           drawn;        /* clock at the last drawing of the curve */
    double           step_seconds, data_seconds;
} progress;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- checkpoints -------------------------------------------------------------------------------------------------------- */

/* Draw the curve, but not more often than anyone looks. */
static sn_rt_status draw(progress *g, bool last, sn_rt_error *err)
{
    if (!last && now() - g->drawn < REDRAW_SECONDS) return SN_RT_OK;
    g->drawn = now();
    return sn_rt_curve_write(g->run->dir, g->name, sn_rt_trainer_scalars(g->run->trainer), g->log, err);
}

/* `last`: the sitting ends here. */
static sn_rt_status save(progress *g, bool last, sn_rt_error *err)
{
    char                  path[PATH_MAX];
    const sn_rt_run      *run = g->run;
    const sn_rt_progress  at = {g->step, run->seed, run->data, run->recipe};
    if (g->saved_step == g->step) return draw(g, last, err);
    sn_rt_checkpoint_path(run->dir, g->step, path, sizeof path);
    sn_rt_status status = sn_rt_checkpoint_write(path, sn_rt_trainer_store(run->trainer), &at, sn_rt_trainer_threads(run->trainer), err);
    if (status != SN_RT_OK) return status;
    sn_rt_checkpoint_keep(run->dir, run->keep ? run->keep : 1);
    g->saved = now();
    g->saved_step = g->step;
    return draw(g, last, err);
}

static bool due(const progress *g)
{
    const sn_rt_run *run = g->run;
    return (run->checkpoint_steps && g->step % run->checkpoint_steps == 0) ||
           (run->checkpoint_seconds > 0 && now() - g->saved >= run->checkpoint_seconds);
}

static sn_rt_status load(progress *g, sn_rt_error *err)
{
    char             path[PATH_MAX];
    const sn_rt_run *run = g->run;
    uint64_t         newest;
    g->saved_step = UINT64_MAX;
    if (!sn_rt_checkpoint_newest(run->dir, &newest)) return SN_RT_OK;
    if (!run->resume)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "%s already holds a run of %llu steps: resume it, or choose another folder", run->dir,
                          (unsigned long long)newest);
    sn_rt_progress at = {0, 0, run->data, run->recipe};
    sn_rt_checkpoint_path(run->dir, newest, path, sizeof path);
    sn_rt_status status = sn_rt_checkpoint_read(path, sn_rt_trainer_store(run->trainer), &at, err);
    if (status != SN_RT_OK) return status;
    if (at.seed != run->seed)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: made with seed %llu, this run has %llu", path, (unsigned long long)at.seed, (unsigned long long)run->seed);
    if (at.step != newest) return sn_rt_fail(err, SN_RT_FORMAT, "%s: is of step %llu", path, (unsigned long long)at.step);
    g->step = g->saved_step = at.step;
    return SN_RT_OK;
}

/* ---- steps -------------------------------------------------------------------------------------------------------------- */

static sn_rt_status one_step(progress *g, sn_rt_error *err)
{
    const sn_rt_run    *run = g->run;
    const float *const *input = NULL;
    double              from = now(), rate = sn_rt_schedule_rate(&run->schedule, g->step, run->steps_per_epoch);
    sn_rt_status        status = run->source.next(run->source.context, g->step, &input, err);
    g->data_seconds = now() - from;
    sn_rt_trainer_set_epoch(run->trainer, g->step / run->steps_per_epoch + 1);
    if (status == SN_RT_OK) status = sn_rt_trainer_step(run->trainer, input, g->step, rate, err);
    if (status != SN_RT_OK) return status;
    double took = now() - from;
    g->step_seconds = g->step_seconds > 0 ? 0.9 * g->step_seconds + 0.1 * took : took;
    for (uint32_t i = 0; i < sn_rt_trainer_scalars(run->trainer); i++) g->value[i] = sn_rt_trainer_scalar(run->trainer, i);
    sn_rt_log_row row = {g->step, g->step / run->steps_per_epoch, rate, g->before + now() - g->began, g->value};
    status = sn_rt_log_add(g->log, &row, err);
    g->step++;
    if (status == SN_RT_OK && run->report) {
        sn_rt_run_state state = {run->trainer, g->step, g->steps, row.epoch, rate, row.seconds, g->step_seconds, g->data_seconds};
        run->report(run->context, &state);
    }
    return status;
}

/* A loss that is no number: say which checkpoint is still good. */
static sn_rt_status diverged(progress *g, sn_rt_error *err)
{
    char path[PATH_MAX], text[sizeof err->text];
    (void)draw(g, true, NULL); /* the way there; that it diverged is the error */
    if (!err) return SN_RT_DIVERGED;
    memcpy(text, err->text, sizeof text);
    if (g->saved_step == UINT64_MAX) return sn_rt_fail(err, SN_RT_DIVERGED, "%.300s; no checkpoint was written before", text);
    sn_rt_checkpoint_path(g->run->dir, g->saved_step, path, sizeof path);
    return sn_rt_fail(err, SN_RT_DIVERGED, "%.200s; the last good checkpoint is %.250s", text, path);
}

static sn_rt_status loop(progress *g, sn_rt_error *err)
{
    const sn_rt_run *run = g->run;
    while (g->step < g->steps) {
        bool stop = (run->stop && *run->stop) || (run->seconds > 0 && now() - g->began >= run->seconds);
        if (stop) {
            sn_rt_status saved = save(g, true, err);
            if (saved != SN_RT_OK) return saved;
            return sn_rt_fail(err, SN_RT_STOPPED, "stopped after step %llu of %llu", (unsigned long long)g->step, (unsigned long long)g->steps);
        }
        sn_rt_status status = one_step(g, err);
        if (status == SN_RT_OK && due(g)) status = save(g, false, err);
        if (status == SN_RT_DIVERGED) return diverged(g, err);
        if (status != SN_RT_OK) return status;
    }
    sn_rt_status status = save(g, true, err);
    return status == SN_RT_DIVERGED ? diverged(g, err) : status;
}

static sn_rt_status open_log(progress *g, sn_rt_error *err)
{
    const sn_rt_trainer *t = g->run->trainer;
    uint32_t             n = sn_rt_trainer_scalars(t);
    g->name = calloc(n + 1u, sizeof *g->name);
    g->value = calloc(n + 1u, sizeof *g->value);
    if (!g->name || !g->value) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a log");
    for (uint32_t i = 0; i < n; i++) g->name[i] = sn_rt_trainer_scalar_name(t, i);
    sn_rt_status status = sn_rt_log_open(g->run->dir, g->name, n, g->step, &g->log, err);
    if (status == SN_RT_OK && sn_rt_log_count(g->log)) g->before = sn_rt_log_at(g->log, sn_rt_log_count(g->log) - 1).seconds;
    return status;
}

/* The recipe as run: for people, and to be run again. */
static sn_rt_status write_recipe(const sn_rt_run *run, sn_rt_error *err)
{
    char path[PATH_MAX], *text;
    int  n = asprintf(&text, "seed = %llu\n%s%s", (unsigned long long)run->seed, run->recipe, run->data);
    if (n < 0) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for the recipe");
    snprintf(path, sizeof path, "%s/recipe.txt", run->dir);
    sn_rt_status status = sn_rt_file_replace(path, text, (size_t)n, err);
    free(text);
    snprintf(path, sizeof path, "%s/recipe.json", run->dir);
    if (status == SN_RT_OK && run->graph) status = sn_rt_file_replace(path, run->graph, strlen(run->graph), err);
    return status;
}

sn_rt_status sn_rt_run_train(const sn_rt_run *run, uint64_t *out_step, sn_rt_error *err)
{
    progress g = {.run = run, .steps = run->steps ? run->steps : (uint64_t)run->schedule.epochs * run->steps_per_epoch};
    if (run->steps_per_epoch < 1) return sn_rt_fail(err, SN_RT_ARGUMENT, "an epoch must have at least one step");
    sn_rt_status status = load(&g, err);
    if (status == SN_RT_OK) status = open_log(&g, err);
    if (status == SN_RT_OK) status = write_recipe(run, err);
    g.began = g.saved = now();
    if (status == SN_RT_OK) status = loop(&g, err);
    if (out_step) *out_step = g.step;
    sn_rt_log_close(g.log);
    free(g.name);
    free(g.value);
    return status;
}
