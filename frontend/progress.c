/* What the verbs that train share: progress, summary, signals.
 * Not the run itself (runtime/train/run.c). */
#include "progress.h"

#include "../runtime/train/log.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

volatile sig_atomic_t sn_stop_signal;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- lines -------------------------------------------------------------------------------------------------------------- */

void sn_progress_start(sn_progress *p, double minutes, uint32_t batch)
{
    *p = (sn_progress){.minutes = minutes, .batch = batch, .terminal = isatty(STDERR_FILENO), .reported = now() - 8}; /* a first line soon */
}

static void print_time(FILE *f, double seconds)
{
    long s = (long)(seconds + 0.5);
    if (s >= 3600) fprintf(f, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else fprintf(f, "%ld:%02ld", s / 60, s % 60);
}

void sn_progress_step(sn_progress *p, const sn_rt_run_state *state)
{
    double t = now(), left = (double)(state->steps - state->step) * state->step_seconds;
    if (p->began <= 0) p->began = t - state->step_seconds;
    p->ended = t;
    p->waited += state->data_seconds;
    p->steps++;
    if (p->minutes > 0) left = fmin(left, fmax(p->minutes * 60 - (t - p->began), 0));
    if (state->step < state->steps && t - p->reported < (p->terminal ? 0.2 : 10)) return;
    p->reported = t;
    fprintf(stderr, "%sstep %llu/%llu  epoch %llu  %.1f sequences/s  left ", p->terminal ? "\r\033[K" : "", (unsigned long long)state->step,
            (unsigned long long)state->steps, (unsigned long long)state->epoch + 1, p->batch / state->step_seconds);
    print_time(stderr, left);
    for (uint32_t i = 0; i < sn_rt_trainer_scalars(state->trainer); i++)
        fprintf(stderr, "  %s %.4g", sn_rt_trainer_scalar_name(state->trainer, i), (double)sn_rt_trainer_scalar(state->trainer, i));
    if (state->data_seconds > 0.1 * state->step_seconds) fprintf(stderr, "  (waited %.2f s for data)", state->data_seconds);
    if (!p->terminal) fputc('\n', stderr);
}

void sn_progress_break(const sn_progress *p)
{
    if (p->terminal && p->began > 0) fputc('\n', stderr);
}

/* ---- summary ------------------------------------------------------------------------------------------------------------ */

/* Mean of a column over rows begin .. end-1. */
static double mean_of(const sn_rt_log *log, uint32_t column, size_t begin, size_t end)
{
    double sum = 0;
    for (size_t i = begin; i < end; i++) sum += (double)sn_rt_log_at(log, i).value[column];
    return sum / (double)(end - begin);
}

void sn_progress_summary(const char *dir, const sn_rt_trainer *trainer, uint64_t step)
{
    sn_rt_log  *log;
    uint32_t    n = sn_rt_trainer_scalars(trainer);
    const char **name = calloc(n + 1u, sizeof *name);
    for (uint32_t i = 0; name && i < n; i++) name[i] = sn_rt_trainer_scalar_name(trainer, i);
    if (name && step > 0 && sn_rt_log_open(dir, name, n, step, &log, NULL) == SN_RT_OK) {
        size_t rows = sn_rt_log_count(log), part = rows < 20 ? (rows + 1) / 2 : rows / 10;
        printf("%-20s %14s %14s   (means over %zu steps)\n", "", "at first", "at last", part);
        for (uint32_t i = 0; rows && i < n; i++) printf("%-20s %14.5g %14.5g\n", name[i], mean_of(log, i, 0, part), mean_of(log, i, rows - part, rows));
        sn_rt_log_close(log);
    }
    free(name);
}

void sn_progress_cost(const sn_progress *p, double cost)
{
    if (!p->steps) return;
    double step = (p->ended - p->began) / (double)p->steps;
    printf("a batch takes %.4f s of one processor to prepare, beside the training: %.1f%% of a step's %.4f s; steps waited %.2f s for data in all\n", cost,
           100 * cost / step, step, p->waited);
}

/* ---- signals ------------------------------------------------------------------------------------------------------------ */

/* The first signal asks to stop after the step, the second one ends the program as it would have. */
static void on_signal(int number)
{
    sn_stop_signal = number;
    signal(number, SIG_DFL);
}

void sn_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal}, old;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, NULL); /* ignored under nohup */
}
