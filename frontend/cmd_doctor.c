/* The verb `doctor`: what was detected on this machine, what it can do, and what to change.
 * Not a benchmark of models (cmd_bench.c). */
#include "commands.h"

#include "../runtime/core/blas.h"
#include "../runtime/sinew_rt.h"
#include "compile.h"

#include <dirent.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MATRIX = 1024 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void row(const char *name) { printf("%-16s ", name); }

/* ---- processor ---------------------------------------------------------------------------------------------------------- */

static void print_processor(void)
{
    char  line[512], *colon;
    FILE *f = fopen("/proc/cpuinfo", "r");
    row("processor");
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f)) {
        found = !strncmp(line, "model name", 10) && (colon = strchr(line, ':'));
        if (found) printf("%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    }
    if (f) fclose(f);
    printf("%s, %ld online, %d for this process\n", found ? "" : "unknown", sysconf(_SC_NPROCESSORS_ONLN), sn_rt_threads_default());
    double load;
    if (getloadavg(&load, 1) == 1) {
        row("load");
        printf("%.2f%s\n", load, load > 1 ? "  (others are at work: the figures below are less certain)" : "");
    }
}

static sn_rt_peak print_peaks(void)
{
    sn_rt_peak one = sn_rt_peak_measure(1, 0.4), all = one;
    if (sn_rt_threads_default() > 1) all = sn_rt_peak_measure(0, 0.4);
    row("vectors");
    printf("%s, %d bits\n", one.isa, one.vector_bits);
    row("peak");
    printf("%.0f GFLOP/s and %.0f GB/s on 1 thread; %.0f GFLOP/s and %.0f GB/s on %d (measured now)\n", one.flops / 1e9, one.bandwidth / 1e9,
           all.flops / 1e9, all.bandwidth / 1e9, all.threads);
    return all;
}

/* ---- software ----------------------------------------------------------------------------------------------------------- */

static int print_llvm(void)
{
    sn_codegen_target target;
    sn_diags          diags;
    sn_diags_init(&diags);
    bool ok = sn_codegen_target_get(NULL, &target, &diags);
    row("LLVM");
    if (ok) printf("%s, %s, %s, %u bits x %u registers\n", target.llvm_version, target.cpu, target.triple, target.vector_bits, target.vector_registers);
    else puts("no code generator for this processor");
    sn_diags_print(&diags, stderr);
    sn_diags_fini(&diags);
    return ok ? SN_EXIT_OK : SN_EXIT_FAILED;
}

static void print_openmp(void)
{
    static const char *const variable[] = {"OMP_NUM_THREADS", "OMP_WAIT_POLICY", "OMP_PROC_BIND", "GOMP_SPINCOUNT"};
    row("OpenMP");
    printf("%ld, %d threads", (long)_OPENMP, sn_rt_threads_default());
    for (size_t i = 0; i < sizeof variable / sizeof *variable; i++)
        if (getenv(variable[i])) printf(", %s=%s", variable[i], getenv(variable[i]));
    putchar('\n');
}

/* GFLOP/s of a large product on all threads, best of a few. */
static double blas_speed(const sn_rt_blas *b)
{
    size_t n = (size_t)MATRIX * MATRIX;
    float *A = calloc(3 * n, sizeof *A);
    double best = 1e30;
    if (!A) return 0;
    b->set_threads(sn_rt_threads_default());
    for (size_t i = 0; i < 2 * n; i++) A[i] = (float)(i % 7);
    for (int i = 0; i < 6; i++) {
        double from = now();
        b->multiply(b, MATRIX, MATRIX, MATRIX, A, A + n, A + 2 * n);
        double took = now() - from;
        if (took < best) best = took;
    }
    free(A);
    return 2.0 * (double)n * MATRIX / best / 1e9;
}

static void print_blas(const sn_rt_peak *peak)
{
    sn_rt_blas  b;
    sn_rt_error err = {""};
    row("OpenBLAS");
    if (sn_rt_blas_open(&b, false, &err) != SN_RT_OK) {
        printf("not found (%s); only tests and benchmarks use it\n", err.text);
        return;
    }
    double speed = blas_speed(&b);
    printf("%s, core %s: %.0f GFLOP/s, %.0f%% of the peak\n", b.version, b.core, speed, 100e9 * speed / peak->flops);
    const char *advice = b.advice, *set = getenv("OPENBLAS_CORETYPE"), *fault = b.fit == SN_RT_BLAS_NARROW ? "do not use AVX-512" : "are from before AVX2";
    sn_rt_blas_close(&b);
    if (!advice) return;
    row("");
    if (set) printf("OPENBLAS_CORETYPE=%s in the environment chose kernels that %s; %s fits this processor\n", set, fault, advice);
    else printf("it does not know this processor and chose kernels that %s: put OPENBLAS_CORETYPE=%s into the environment\n", fault, advice);
    if (set || sn_rt_blas_open(&b, true, &err) != SN_RT_OK) return;
    row("");
    if (b.corrected) printf("with that, core %s: %.0f GFLOP/s\n", b.core, blas_speed(&b));
    else puts("(it could not be loaded a second time to show what that gives)");
    sn_rt_blas_close(&b);
}

static void print_cache(void)
{
    char        dir[4096];
    const char *at = sn_cache_dir(dir, sizeof dir);
    DIR        *d = at ? opendir(at) : NULL;
    long        files = 0;
    double      bytes = 0;
    struct stat info;
    for (struct dirent *e; d && (e = readdir(d));)
        if (!fstatat(dirfd(d), e->d_name, &info, 0) && S_ISREG(info.st_mode)) {
            files++;
            bytes += (double)info.st_size;
        }
    if (d) closedir(d);
    row("cache");
    if (!at) puts("none: neither SINEW_CACHE, XDG_CACHE_HOME nor HOME is set; every start compiles anew");
    else printf("%s%s, %ld compiled objects, %.1f MB\n", at, d ? "" : " (not made yet)", files, bytes / 1e6);
}

int sn_cmd_doctor(int argc, const char **argv)
{
    struct poptOption options[] = {POPT_AUTOHELP POPT_TABLEEND};
    poptContext context = poptGetContext("sinew doctor", argc, argv, options, 0);
    poptSetOtherOptionHelp(context, "\n\nShow what was detected on this machine and measured just now.\n");
    int next = poptGetNextOpt(context), code = SN_EXIT_OK;
    if (next < -1 || poptPeekArg(context)) {
        fprintf(stderr, "sinew doctor: %s\nTry 'sinew doctor --help'.\n", next < -1 ? poptBadOption(context, 0) : "takes no arguments");
        code = SN_EXIT_USAGE;
    } else {
        print_processor();
        sn_rt_peak peak = print_peaks();
        code = print_llvm();
        print_openmp();
        print_blas(&peak);
        print_cache();
    }
    poptFreeContext(context);
    return code;
}
