/* Tests of whole runs with the hand-written program: log, signals, divergence, and a run killed at random moments and resumed that
 * must end with the same bytes.  Run as "test_train_run child DIR STEPS DELAY_US" it is the run that is killed. */
#include "../abi_twin.h"
#include "../data/check.h"

#include "runtime/data/file.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/log.h"
#include "runtime/train/run.h"

#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N = 8, T = 3, PER_EPOCH = 10, STOPPED = 3 };
static const int64_t extent[] = {N, T};
static const char   *inputs[] = {"view_q", "view_k"};

typedef struct views {
    float       *view[2];
    const float *list[2];
    size_t       count;
    unsigned     delay_us;
    uint64_t     poison; /* step whose batch holds a NaN */
} views;

static sn_rt_status next_views(void *context, uint64_t step, const float *const **out, sn_rt_error *err)
{
    views *v = context;
    (void)err;
    if (v->delay_us) usleep(v->delay_us);
    for (uint32_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < v->count; k++) v->view[i][k] = (float)((k * 2654435761u + step * 97 + i) % 1000) / 500 - 1;
        v->list[i] = v->view[i];
    }
    if (step == v->poison) v->view[0][5] = NAN;
    *out = v->list;
    return SN_RT_OK;
}

static volatile sig_atomic_t stop;
static void on_signal(int number) { stop = number; }

typedef struct fixture {
    sn_rt_trainer *trainer;
    views          views;
    sn_rt_run      run;
} fixture;

static void fixture_init(fixture *f, const char *dir, uint64_t steps, int threads)
{
    static const int64_t decay_at[] = {5};
    *f = (fixture){0};
    sn_rt_training training = {twin_program(), extent, inputs, 2, {.sgd = {0.9, 1e-4, false}}, 11, threads, NULL};
    check_ok(sn_rt_trainer_new(&training, &f->trainer, err));
    f->views.count = sn_rt_trainer_input_count(f->trainer, 0);
    f->views.poison = UINT64_MAX;
    for (int i = 0; i < 2; i++) f->views.view[i] = aligned_alloc(64, (f->views.count * sizeof(float) + 63) / 64 * 64);
    f->run = (sn_rt_run){.trainer = f->trainer, .source = {&f->views, next_views}, .schedule = {0.05, 0.1, 20, 1, decay_at, 1},
                         .steps_per_epoch = PER_EPOCH, .steps = steps, .dir = dir, .recipe = "batch = 8\n", .data = "numbers", .seed = 11,
                         .checkpoint_steps = 7, .keep = 2, .stop = &stop};
}

static void fixture_fini(fixture *f)
{
    sn_rt_trainer_free(f->trainer);
    free(f->views.view[0]);
    free(f->views.view[1]);
}

static void fresh(const char *dir)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s && mkdir %s", dir, dir);
    assert_int_equal(system(command), 0);
}

static void check_same_file(const char *a, const char *b)
{
    char  *x, *y;
    size_t n, m;
    check_ok(sn_rt_file_read(a, SIZE_MAX, &x, &n, err));
    check_ok(sn_rt_file_read(b, SIZE_MAX, &y, &m, err));
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

static void count_reports(void *context, const sn_rt_run_state *state)
{
    uint64_t *reports = context;
    assert_int_equal(state->step, ++*reports);
    assert_int_equal(state->steps, 40);
    assert_true(sn_rt_trainer_scalar(state->trainer, 0) > 0);
}

static void test_whole_run(void **unused)
{
    (void)unused;
    fixture  f;
    uint64_t done = 0, reports = 0;
    fresh("whole");
    fixture_init(&f, "whole", 40, 2);
    f.run.context = &reports;
    f.run.report = count_reports;
    check_ok(sn_rt_run_train(&f.run, &done, err));
    assert_int_equal(done, 40);
    assert_int_equal(reports, 40);
    check_fails(sn_rt_run_train(&f.run, &done, err), SN_RT_ARGUMENT,
                "whole already holds a run of 40 steps: resume it, or choose another folder");
    sn_rt_log  *log;
    const char *column = "loss";
    check_ok(sn_rt_log_open("whole", &column, 1, 40, &log, err));
    assert_int_equal(sn_rt_log_count(log), 40);
    assert_true(*sn_rt_log_at(log, 39).value < *sn_rt_log_at(log, 0).value); /* it learns */
    assert_int_equal(sn_rt_log_at(log, 39).epoch, 3);
    sn_rt_log *second;
    check_fails(sn_rt_log_open("whole", &column, 1, 40, &second, err), SN_RT_IO, "whole: another process is training in this folder");
    sn_rt_log_close(log);
    column = "other";
    check_fails(sn_rt_log_open("whole", &column, 1, 40, &log, err), SN_RT_FORMAT, "whole/log.csv: its columns are not those of this recipe");
    fixture_fini(&f);
}

static void test_stop_and_resume(void **unused)
{
    (void)unused;
    fixture  f;
    uint64_t done = 0;
    fresh("stopped");
    for (int sitting = 0; sitting < 3; sitting++) {
        fixture_init(&f, "stopped", 40, 1 + sitting);
        f.run.resume = true; /* also of nothing */
        f.run.seconds = sitting < 2 ? 1e-9 : 0;
        stop = sitting == 0 ? SIGTERM : 0;
        if (sitting == 1) { /* other limits, then stop at once */
            f.run.seconds = 0;
            f.run.steps = 23;
            check_ok(sn_rt_run_train(&f.run, &done, err));
            assert_int_equal(done, 23);
        } else if (sitting == 0) {
            check_fails(sn_rt_run_train(&f.run, &done, err), SN_RT_STOPPED, "stopped after step 0 of 40");
        } else {
            check_ok(sn_rt_run_train(&f.run, &done, err));
        }
        stop = 0;
        fixture_fini(&f);
    }
    check_same_file("whole/checkpoint-00000040.safetensors", "stopped/checkpoint-00000040.safetensors");
}

static void test_divergence(void **unused)
{
    (void)unused;
    fixture  f;
    uint64_t done = 0;
    fresh("nan");
    fixture_init(&f, "nan", 40, 2);
    f.views.poison = 17;
    check_fails(sn_rt_run_train(&f.run, &done, err), SN_RT_DIVERGED,
                "step 17: loss is nan; the last good checkpoint is nan/checkpoint-00000014.safetensors");
    assert_int_equal(done, 17);
    assert_int_equal(access("nan/checkpoint-00000014.safetensors", F_OK), 0);
    fixture_fini(&f);
    fixture_init(&f, "nan", 40, 2); /* and it can go on from there */
    f.run.resume = true;
    check_ok(sn_rt_run_train(&f.run, &done, err));
    check_same_file("whole/checkpoint-00000040.safetensors", "nan/checkpoint-00000040.safetensors");
    fixture_fini(&f);
}

static void test_errors(void **unused)
{
    (void)unused;
    fixture     f;
    const char *wrong[] = {"view_q", "q.w"};
    sn_rt_training training = {twin_program(), extent, wrong, 2, {.sgd = {0.9, 1e-4, false}}, 11, 1, NULL};
    check_fails(sn_rt_trainer_new(&training, &f.trainer, err), SN_RT_MISSING, "the program has no input \"q.w\"");
    fixture_init(&f, "absent-folder", 40, 1);
    check_fails(sn_rt_run_train(&f.run, NULL, err), SN_RT_IO, "absent-folder/log.csv: No such file or directory");
    fixture_fini(&f);
    fixture_init(&f, "whole", 40, 1);
    f.run.resume = true;
    f.run.seed = 12;
    check_fails(sn_rt_run_train(&f.run, NULL, err), SN_RT_ARGUMENT,
                "whole/checkpoint-00000040.safetensors: made with seed 11, this run has 12");
    fixture_fini(&f);
}

/* A file that may not grow stands in for a full disk. */
static void test_full_disk(void **unused)
{
    (void)unused;
    fixture       f;
    uint64_t      done = 0;
    struct rlimit old, small;
    fresh("full");
    fixture_init(&f, "full", 7, 2);
    check_ok(sn_rt_run_train(&f.run, &done, err));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 8000; /* the log fits, a checkpoint does not */
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    f.run.steps = 40;
    f.run.resume = true;
    sn_rt_error  why = {""};
    sn_rt_status status = sn_rt_run_train(&f.run, &done, &why);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_int_equal(status, SN_RT_IO);
    assert_non_null(strstr(why.text, "full/checkpoint-00000014.safetensors"));
    assert_non_null(strstr(why.text, "File too large"));
    assert_int_equal(system("test \"$(ls full)\" = \"$(printf 'checkpoint-00000007.safetensors\\nlog.csv\\nloss.png\\nrecipe.txt')\""), 0);
    check_ok(sn_rt_run_train(&f.run, &done, err));
    check_same_file("whole/checkpoint-00000040.safetensors", "full/checkpoint-00000040.safetensors");
    fixture_fini(&f);
}

/* ---- killed at random moments ------------------------------------------------------------------------------------------- */

static int child(const char *dir, uint64_t steps, unsigned delay)
{
    fixture     f;
    sn_rt_error err = {""};
    signal(SIGTERM, on_signal);
    fixture_init(&f, dir, steps, 2);
    f.views.delay_us = delay;
    f.run.resume = true;
    sn_rt_status status = sn_rt_run_train(&f.run, NULL, &err);
    if (status != SN_RT_OK && status != SN_RT_STOPPED) fprintf(stderr, "child: %s\n", err.text);
    fixture_fini(&f);
    return status == SN_RT_OK ? 0 : status == SN_RT_STOPPED ? STOPPED : 1;
}

extern char **environ;

/* Run the child and send it `number` after `ms`; its wait status. */
static int disturbed(int number, long ms)
{
    char *argv[] = {(char *)"test", (char *)"child", (char *)"killed", (char *)"300", (char *)"400", NULL};
    pid_t pid;
    int   status;
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
    kill(pid, number);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_killed(void **unused)
{
    (void)unused;
    fixture  f;
    uint64_t done;
    fresh("killed");
    fresh("undisturbed");
    fixture_init(&f, "undisturbed", 300, 1);
    check_ok(sn_rt_run_train(&f.run, &done, err));
    fixture_fini(&f);
    uint32_t random = (uint32_t)time(NULL);
    int      kills = 0, terms = 0, status = 1;
    for (int i = 0; i < 200 && status != 0; i++) {
        random = random * 1664525u + 1013904223u;
        long ms = 10 + (long)(random >> 8) % (20 + 10 * i); /* later ones are given more time, so that it ends */
        status = disturbed(i % 4 == 3 ? SIGTERM : SIGKILL, ms);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) kills++;
        else if (WIFEXITED(status) && WEXITSTATUS(status) == STOPPED) terms++;
        else if (!WIFSIGNALED(status)) assert_int_equal(status, 0); /* a SIGTERM before the handler stands is a plain death */
    }
    print_message("killed %d times, stopped %d times\n", kills, terms);
    assert_true(kills > 2);
    check_same_file("undisturbed/checkpoint-00000300.safetensors", "killed/checkpoint-00000300.safetensors");
    sn_rt_log  *log;
    const char *column = "loss";
    check_ok(sn_rt_log_open("killed", &column, 1, 300, &log, err));
    assert_int_equal(sn_rt_log_count(log), 300);
    for (uint64_t i = 0; i < 300; i++) assert_int_equal(sn_rt_log_at(log, i).step, i);
    sn_rt_log_close(log);
}

int main(int argc, char **argv)
{
    if (argc == 5) return child(argv[2], strtoull(argv[3], NULL, 10), (unsigned)atoi(argv[4]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_run), cmocka_unit_test(test_stop_and_resume), cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_errors),    cmocka_unit_test(test_full_disk),       cmocka_unit_test(test_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
