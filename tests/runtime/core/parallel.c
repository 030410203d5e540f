/* Tests of the team: every tile once, waits respected, groups side by side, any number of threads, processors left as they were. */
#include "../data/check.h"

#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "runtime/core/internal.h"

enum { TILES = 1000, MOST_THREADS = 5 };

static void count_tiles(void *context, int64_t begin, int64_t end)
{
    _Atomic int *count = context;
    for (int64_t i = begin; i < end; i++) atomic_fetch_add(&count[i], 1);
}

static void test_loop(void **unused)
{
    (void)unused;
    for (int threads = 0; threads <= MOST_THREADS; threads++)
        for (int64_t tiles = 0; tiles <= TILES; tiles = tiles * 3 + 1) {
            static _Atomic int count[TILES + 1];
            memset(count, 0, sizeof count);
            sn_rt_parallel_for(threads, tiles, count_tiles, count);
            for (int64_t i = 0; i <= TILES; i++) assert_int_equal(count[i], i < tiles);
        }
}

/* A chain in which job j reads all that job j-1 wrote: a missing wait or a tile done twice changes the sums. */
enum { JOBS = 60, WIDTH = 64 };
static int64_t cell[JOBS + 1][WIDTH];
static _Atomic int wrong_scratch;

static void chain_kernel(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    int64_t j = a->dim[0], tiles = a->dim[1];
    int64_t *mine = scratch;
    for (int64_t i = begin; i < end; i++) {
        *mine = j * WIDTH + i;
        int64_t sum = 0;
        for (int64_t k = 0; k < WIDTH; k++) sum += cell[j][k];
        if (j % 7 == 3 && i == 0) usleep(200); /* someone is late */
        for (int64_t k = i; k < WIDTH; k += tiles) cell[j + 1][k] += sum % 1000003 + k;
        if (*mine != j * WIDTH + i) wrong_scratch++;
    }
}

static void test_chain(void **unused)
{
    (void)unused;
    static int64_t expected[WIDTH];
    sn_abi_args    args[JOBS];
    int64_t        dim[JOBS][2];
    sn_rt_job      job[JOBS];
    _Alignas(64) static char scratch[MOST_THREADS * 64], state[(JOBS + 8) * 64];
    assert_true(sn_rt_team_state_bytes(JOBS) <= sizeof state);
    for (int j = 0; j < JOBS; j++) {
        dim[j][0] = j;
        dim[j][1] = j % 5 == 0 ? 1 : j % 5 * 9;
        args[j] = (sn_abi_args){NULL, dim[j], 0, 0};
        job[j] = (sn_rt_job){chain_kernel, &args[j], dim[j][1], true, j % 4 == 1};
    }
    for (int threads = 1; threads <= MOST_THREADS; threads++)
        for (int repeat = 0; repeat < 20; repeat++) {
            memset(cell, 0, sizeof cell);
            for (int k = 0; k < WIDTH; k++) cell[0][k] = k;
            sn_rt_team_run(job, JOBS, threads, scratch, 64, state, NULL);
            if (threads == 1) memcpy(expected, cell[JOBS], sizeof expected);
            assert_memory_equal(cell[JOBS], expected, sizeof expected);
        }
    assert_int_equal(wrong_scratch, 0);
}

static _Atomic int done;
static void side_kernel(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    (void)a, (void)scratch;
    usleep(50);
    atomic_fetch_add(&done, (int)(end - begin));
}

enum { SIDE_JOBS = 6, SIDE_THREADS = 3 };
typedef struct seen { int begun[SIDE_THREADS]; int64_t tiles[SIDE_THREADS][SIDE_JOBS]; double seconds[SIDE_THREADS][SIDE_JOBS]; } seen;

static void see_begin(void *context, int thread) { ((seen *)context)->begun[thread]++; }

static void see_end(void *context, int thread, uint32_t call, int64_t tiles, double from, double to)
{
    seen *s = context;
    s->begun[thread]--;
    s->tiles[thread][call] += tiles;
    s->seconds[thread][call] += to - from;
}

static void test_side_by_side(void **unused)
{
    (void)unused;
    _Alignas(64) static char scratch[64], state[16 * 64];
    sn_abi_args args = {0};
    sn_rt_job   job[6];
    int         sum = 0;
    for (int j = 0; j < 6; j++) {
        job[j] = (sn_rt_job){side_kernel, &args, j, j == 3, false};
        sum += j;
    }
    double      busy[3 * 6] = {0}, wall[6] = {0};
    seen        told = {0};
    const sn_rt_observer observer = {&told, see_begin, see_end};
    sn_rt_clock clock = {busy, wall, &observer};
    sn_rt_team_run(job, 6, 3, scratch, 0, state, &clock);
    assert_int_equal(done, sum);
    for (int j = 0; j < 6; j++) {
        double b = busy[j] + busy[6 + j] + busy[12 + j];
        assert_true(j == 0 ? b == 0 : b > 40e-6);
        assert_true(j == 0 || j == 3 ? wall[j] > 40e-6 : wall[j] == 0);
        int64_t tiles = 0;
        for (int t = 0; t < SIDE_THREADS; t++) {
            tiles += told.tiles[t][j];
            assert_true(told.begun[t] == 0 && fabs(told.seconds[t][j] - busy[t * SIDE_JOBS + j]) < 1e-9);
        }
        assert_int_equal(tiles, j); /* every tile is told of once, by the thread that did it */
    }
}

/* Members that share a processor part (parallel.c); where they may run must be as before. */
enum { ROUNDS = 50 };
static cpu_set_t   allowed;
static _Atomic int narrowed, met;

static void crowd(void *context, int64_t begin, int64_t end)
{
    cpu_set_t one = *(const cpu_set_t *)context, mine;
    (void)begin, (void)end;
    met++;
    for (double until = sn_rt_now() + 1e-3; met % 2 == 1 && sn_rt_now() < until;) sn_rt_pause(); /* a tile for each, if both are there */
    sched_getaffinity(0, sizeof mine, &mine);
    narrowed += !CPU_EQUAL(&mine, &allowed);
    sched_setaffinity(0, sizeof one, &one);
    sched_setaffinity(0, sizeof allowed, &allowed);
}

static void test_parting(void **unused)
{
    (void)unused;
    assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (unsigned i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &allowed)) CPU_SET(i, &one);
    for (int round = 0; round < ROUNDS; round++) sn_rt_parallel_for(2, 2, crowd, &one);
    assert_int_equal(met, 2 * ROUNDS);
    assert_int_equal(narrowed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_loop), cmocka_unit_test(test_chain), cmocka_unit_test(test_side_by_side), cmocka_unit_test(test_parting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
