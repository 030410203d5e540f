/* How fast weights and momentum copies move, beside a stream over as much memory: update_speed [THREADS].
 * Not a test: it prints figures. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/core/memory.h"
#include "runtime/train/optimizer.h"

enum { ROUNDS = 41 };

static void nothing(const sn_abi_args *args, int64_t begin, int64_t end, void *scratch) { (void)args, (void)begin, (void)end, (void)scratch; }

/* One weight of n floats with a gradient and a copy. */
typedef struct made { sn_abi_program program; sn_abi_buffer buffer[2]; sn_abi_param param[2]; sn_abi_output output; sn_abi_call call; uint32_t arg[2]; } made;

static void make(made *m, int64_t n)
{
    const sn_abi_tensor type = {1, {n}};
    *m = (made){.arg = {0, 1}};
    m->buffer[0] = (sn_abi_buffer){SN_ABI_PARAM, 0, NULL, n, 0, 0};
    m->buffer[1] = (sn_abi_buffer){SN_ABI_OUTPUT, 0, NULL, n, 0, 0};
    m->param[0] = (sn_abi_param){"w", SN_ABI_WEIGHT, SN_ABI_NORMAL, 0, 1, 0, 0, type};
    m->param[1] = (sn_abi_param){"c", SN_ABI_COPY, SN_ABI_SAME, 0, 0, 0, 0.999, type};
    m->output = (sn_abi_output){"grad.w", 1, type, 0};
    m->call = (sn_abi_call){nothing, "g", "", m->arg, 2, 1, NULL, 0, 1, 0, 0};
    m->program = (sn_abi_program){.version = SN_ABI_VERSION, .calls = 1, .buffers = 2, .params = 2, .outputs = 1,
                                  .call = &m->call, .buffer = m->buffer, .param = m->param, .output = &m->output};
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b; }

/* a = b + s c, the usual triad, in pieces as the optimiser's. */
typedef struct triad { float *a; size_t n; } triad;
static void stream(void *context, int64_t begin, int64_t end)
{
    const triad *t = context;
    float       *restrict a = t->a + begin * 4096;
    const float *restrict b = a + t->n, *restrict c = b + t->n;
    for (int64_t k = 0; k < (end - begin) * 4096; k++) a[k] = b[k] + 0.5f * c[k];
}

static void measure(int64_t n, int threads)
{
    made           m;
    sn_rt_error    err;
    sn_rt_session *s = NULL;
    sn_rt_store   *store = NULL;
    double         move[ROUNDS], triads[ROUNDS];
    const size_t   each = (size_t)n * 4 / 3 / 4096 * 4096, bytes = 3 * each * sizeof(float);
    triad          t = {sn_rt_pages_new(bytes), each};
    make(&m, n);
    if (!t.a || sn_rt_session_new(&m.program, &s, &err) != SN_RT_OK || sn_rt_session_bind(s, NULL, &err) != SN_RT_OK ||
        sn_rt_store_new(&m.program, s, &store, &err) != SN_RT_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    sn_rt_store_init(store, 1, threads);
    const sn_rt_sgd sgd = {0.9, 1e-4, false};
    for (int round = 0; round < ROUNDS; round++) {
        double from = now();
        sn_rt_sgd_step(store, &sgd, 0.1, threads);
        move[round] = now() - from;
    }
    for (int round = 0; round < ROUNDS; round++) {
        double from = now();
        sn_rt_parallel_for(threads, (int64_t)(each / 4096), stream, &t);
        triads[round] = now() - from;
    }
    qsort(move, ROUNDS, sizeof *move, by_value);
    qsort(triads, ROUNDS, sizeof *triads, by_value);
    double moved = sn_rt_sgd_bytes(store);
    printf("%6.2f M weights, %7.1f MiB: %8.3f ms, %6.1f GB/s; a triad over as much memory %6.1f GB/s\n", (double)n / 1e6, 4.0 * (double)n * sizeof(float) / (1 << 20),
           1e3 * move[ROUNDS / 2], moved / move[ROUNDS / 2] / 1e9, (double)bytes / triads[ROUNDS / 2] / 1e9);
    sn_rt_session_free(s);
    sn_rt_store_free(store);
    sn_rt_pages_free(t.a, bytes);
}

int main(int argc, char **argv)
{
    const int64_t sizes[] = {100000, 800000, 3000000, 12000000, 40000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) measure(sizes[i], argc > 1 ? atoi(argv[1]) : 0);
    return 0;
}
