/* Tests of recordings in windows, by hand-written models of two persons whose scores are exact: what is cut, pushed in pieces or begun anew gives the
 * scores of the definition. */
#include "../data/check.h"

#include "runtime/tag/windows.h"

/* ---- models -------------------------------------------------------------------------------------------------------------- */

enum { PERSONS = 2, JOINTS = 2, COLUMNS = 3, WIDTH = JOINTS * 3, REACH = 21, WINDOW = 50, MOST = 1200 };
enum { DIM_N, DIM_T, DIM_IN, DIM_NT, DIM_IN_ALL, DIM_OUT, DIMS };
#define D(entry) (~(int64_t)(entry))

static float at(const float *x, int64_t T, int64_t m, int64_t t, int64_t c) { return t < 0 || t >= T ? 0 : x[(m * T + t) * WIDTH + c]; }

static int64_t frames_scored; /* by the first model */

/* A halo of at most 36: sums around a stride of 16; and, as fast convolutions do to bits, something that depends on the frame's place in tiles of 48. */
static void near(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    (void)scratch;
    frames_scored += end - begin;
    for (int64_t t = begin, T = a->dim[0]; t < end; t++)
        for (int64_t k = 0; k < COLUMNS; k++) {
            float sum = (float)(t % 48);
            for (int64_t u = t - t % 16 - REACH; u < t - t % 16 + 16 + REACH; u++) sum += at(a->arg[0], T, 0, u, k) + 2 * at(a->arg[0], T, 1, u, 5 - k);
            a->arg[1][t * COLUMNS + k] = sum;
        }
}

/* Stretches with the window. */
static void stretched(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    (void)scratch;
    for (int64_t t = begin, T = a->dim[0]; t < end; t++)
        for (int64_t k = 0; k < COLUMNS; k++) a->arg[1][t * COLUMNS + k] = (at(a->arg[0], T, 0, t, k) + at(a->arg[0], T, 1, t, k)) * (float)(t + 1) / (float)T;
}

/* Counts persons who are anywhere in the window. */
static void masked(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    float there = 0;
    (void)scratch;
    for (int64_t i = 0; i < a->dim[0] * WIDTH; i++) there = there || a->arg[0][a->dim[0] * WIDTH + i] != 0;
    for (int64_t t = begin, T = a->dim[0]; t < end; t++)
        for (int64_t k = 0; k < COLUMNS; k++) a->arg[1][t * COLUMNS + k] = at(a->arg[0], T, 0, t, k) / (1 + there);
}

static const sn_abi_dim_entry dims[DIMS] = {
    [DIM_N] = {SN_ABI_DIM_SYMBOL, 0, 0},
    [DIM_T] = {SN_ABI_DIM_SYMBOL, 1, 0},
    [DIM_IN] = {SN_ABI_DIM_MUL, D(DIM_T), PERSONS * WIDTH},
    [DIM_NT] = {SN_ABI_DIM_MUL, D(DIM_N), D(DIM_T)},
    [DIM_IN_ALL] = {SN_ABI_DIM_MUL, D(DIM_N), D(DIM_IN)},
    [DIM_OUT] = {SN_ABI_DIM_MUL, D(DIM_NT), COLUMNS},
};
static const sn_abi_buffer buffers[] = {{SN_ABI_PARAM, 0, 0, D(DIM_IN_ALL), 0, 0}, {SN_ABI_OUTPUT, 0, 0, D(DIM_OUT), 0, 0}};
static const sn_abi_param params[] = {{"x", SN_ABI_INPUT, 0, 0, 0, 0, 0, {5, {D(DIM_N), PERSONS, D(DIM_T), JOINTS, 3}}}};
static const sn_abi_output outputs[] = {{"scores", 1, {3, {D(DIM_N), D(DIM_T), COLUMNS}}, -1}};
static const char *const symbols[] = {"N", "T"};
static const uint32_t arg[] = {0, 1};
static const int64_t dim[] = {D(DIM_T)};
#define MODEL(kernel)                                                                                                                              \
    static const sn_abi_call    kernel##_call[] = {{kernel, #kernel, "", arg, 2, 1, dim, 1, D(DIM_T), 0, 0}};                                       \
    static const sn_abi_program kernel##_model = {SN_ABI_VERSION, 2, DIMS, 1, 2, 1, 1, 0, symbols, dims, kernel##_call, buffers, params, outputs, NULL}
MODEL(near);
MODEL(stretched);
MODEL(masked);

static sn_rt_tagger open_tagger(const sn_abi_program *p, size_t window, size_t halo)
{
    static const float *const weight[1];
    sn_rt_tagger t;
    check_ok(sn_rt_tagger_init(&t, p, weight, window, halo, 1, err));
    t.exact = true;
    assert_true(t.persons == PERSONS && t.joints == JOINTS && t.columns == COLUMNS);
    return t;
}

/* ---- recordings ---------------------------------------------------------------------------------------------------------- */

/* [persons][frames][WIDTH], whole numbers that repeat with no period of a window's. */
static void fill(float *x, size_t persons, size_t frames)
{
    for (size_t m = 0; m < persons; m++)
        for (size_t t = 0; t < frames; t++)
            for (size_t c = 0; c < WIDTH; c++) x[(m * frames + t) * WIDTH + c] = (float)((t * 7 + t / 31 + m * 3 + c * 5) % 11 + 1);
}

/* The whole in one piece, its last frame repeated up to a multiple of 16. */
static void whole(const float *x, size_t persons, size_t frames, float *out)
{
    size_t  T = (frames + 15) / 16 * 16;
    float  *padded = calloc(PERSONS * T * WIDTH + 1, sizeof *padded), *scores = malloc((T * COLUMNS + 1) * sizeof *scores);
    for (size_t m = 0; m < PERSONS && m < persons; m++)
        for (size_t t = 0; t < T; t++) memcpy(padded + (m * T + t) * WIDTH, x + (m * frames + (t < frames ? t : frames - 1)) * WIDTH, WIDTH * sizeof *x);
    float *const    args[] = {padded, scores};
    const int64_t   size = (int64_t)T;
    const sn_abi_args a = {args, &size, 0, 0};
    near(&a, 0, size, NULL);
    memcpy(out, scores, frames * COLUMNS * sizeof *out);
    free(padded);
    free(scores);
}

/* Windows that begin every half window, the last with the end; the mean of what they say. */
static void mean_of_windows(const float *x, size_t persons, size_t frames, size_t most, float *out)
{
    size_t   window = most < frames ? most : frames, hop = most / 2;
    float    part[PERSONS * WINDOW * WIDTH], scores[WINDOW * COLUMNS];
    unsigned times[MOST] = {0};
    memset(out, 0, frames * COLUMNS * sizeof *out);
    for (size_t start = 0;; start += hop) {
        if (start + window > frames) start = frames - window;
        memset(part, 0, sizeof part);
        for (size_t m = 0; m < persons && m < PERSONS; m++) memcpy(part + m * window * WIDTH, x + (m * frames + start) * WIDTH, window * WIDTH * sizeof *x);
        float *const    args[] = {part, scores};
        const int64_t   size = (int64_t)window;
        const sn_abi_args a = {args, &size, 0, 0};
        stretched(&a, 0, size, NULL);
        for (size_t k = 0; k < window * COLUMNS; k++) out[start * COLUMNS + k] += scores[k];
        for (size_t k = 0; k < window; k++) times[start + k]++;
        if (start + window == frames) break;
    }
    for (size_t k = 0; k < frames * COLUMNS; k++) out[k] /= (float)times[k / COLUMNS];
}

static void push_all(sn_rt_windows *w, const float *x, size_t persons, size_t frames, size_t piece, float *out)
{
    size_t scored = 0;
    for (size_t at_frame = 0, taken = 0; at_frame < frames; at_frame += taken) {
        const sn_rt_frames rest = {x + at_frame * WIDTH, persons, frames * WIDTH, WIDTH};
        check_ok(sn_rt_windows_push(w, &rest, frames - at_frame < piece ? frames - at_frame : piece, &taken, err));
        assert_true(taken > 0 && taken <= piece && w->count <= sn_rt_windows_most(w));
        if (w->count) {
            assert_int_equal(w->done, scored);
            memcpy(out + scored * COLUMNS, w->scores, w->count * COLUMNS * sizeof *out);
        }
        scored += w->count;
        assert_true(at_frame + taken - scored <= sn_rt_windows_latency(w));
    }
    check_ok(sn_rt_windows_finish(w, err));
    assert_true(w->count <= sn_rt_windows_most(w));
    if (w->count) memcpy(out + scored * COLUMNS, w->scores, w->count * COLUMNS * sizeof *out);
    assert_int_equal(scored + w->count, frames);
}

/* ---- tests --------------------------------------------------------------------------------------------------------------- */

static const size_t lengths[] = {1, 15, 16, 17, 47, 48, 49, 50, 75, 100, 101, 333, MOST};
enum { LENGTHS = sizeof lengths / sizeof *lengths };
static float x[PERSONS * MOST * WIDTH], want[MOST * COLUMNS], got[MOST * COLUMNS];

static void compare_at_once(sn_rt_tagger *t, size_t persons, size_t frames)
{
    memset(got, 0, sizeof got);
    check_ok(sn_rt_tagger_scores(t, x, persons, frames, got, err));
    assert_memory_equal(got, want, frames * COLUMNS * sizeof *want);
}

static void test_with_halo(void **unused)
{
    static const size_t window[] = {0, 10, 200, 333, 5000}, step[] = {0, 1, 16, 64, 2000}, piece[] = {1, 7, 5000};
    (void)unused;
    for (size_t persons = 1; persons <= PERSONS; persons++)
        for (size_t i = 0; i < 5; i++) {
            sn_rt_tagger  t = open_tagger(&near_model, window[i], 40), streamed = open_tagger(&near_model, window[i], 40);
            sn_rt_windows w;
            check_ok(sn_rt_windows_open(&w, &streamed, step[i], err));
            for (size_t k = 0; k < LENGTHS; k++) {
                fill(x, persons, lengths[k]);
                whole(x, persons, lengths[k], want);
                for (int exact = 0; exact < 2; exact++) {
                    t.exact = exact;
                    compare_at_once(&t, persons, lengths[k]);
                }
                for (size_t p = 0; p < 3; p++) { /* one recording after the other */
                    push_all(&w, x, persons, lengths[k], piece[p], got);
                    assert_memory_equal(got, want, lengths[k] * COLUMNS * sizeof *want);
                }
            }
            check_ok(sn_rt_windows_finish(&w, err));
            assert_int_equal(w.count, 0);
            sn_rt_windows_close(&w);
            sn_rt_tagger_fini(&streamed);
            sn_rt_tagger_fini(&t);
        }
}

static void test_without_halo(void **unused)
{
    static const size_t piece[] = {1, 7, 5000};
    (void)unused;
    sn_rt_tagger  t = open_tagger(&stretched_model, WINDOW, SN_RT_TAGGER_NO_HALO), streamed = open_tagger(&stretched_model, WINDOW, SN_RT_TAGGER_NO_HALO);
    sn_rt_windows w;
    check_ok(sn_rt_windows_open(&w, &streamed, 0, err));
    for (size_t k = 0; k < LENGTHS; k++) {
        fill(x, 2, lengths[k]);
        mean_of_windows(x, 2, lengths[k], WINDOW, want);
        compare_at_once(&t, 2, lengths[k]);
        for (size_t p = 0; p < 3; p++) {
            push_all(&w, x, 2, lengths[k], piece[p], got);
            assert_memory_equal(got, want, lengths[k] * COLUMNS * sizeof *want);
        }
    }
    sn_rt_windows_close(&w);
    streamed.window = 0;
    check_fails(sn_rt_windows_open(&w, &streamed, 0, err), SN_RT_ARGUMENT, "the model's scores depend on the whole recording");
    sn_rt_windows_close(&w);
    sn_rt_tagger_fini(&streamed);
    sn_rt_tagger_fini(&t);
}

/* What a model was trained on may be shorter than what neighbouring windows share: then they are longer, unless that length was asked for. */
static void test_little_is_scored_twice(void **unused)
{
    sn_rt_tagger t = open_tagger(&near_model, 200, 40);
    (void)unused;
    fill(x, 1, MOST);
    whole(x, 1, MOST, want);
    frames_scored = 0;
    compare_at_once(&t, 1, MOST);
    assert_true(frames_scored > 10 * MOST);
    t.exact = false;
    frames_scored = 0;
    compare_at_once(&t, 1, MOST);
    assert_true(frames_scored <= MOST * 5 / 4);
    sn_rt_tagger_fini(&t);
}

static void test_measured_halo(void **unused)
{
    static const struct { const sn_abi_program *model; size_t halo; } row[] = {
        {&near_model, 48}, {&stretched_model, SN_RT_TAGGER_NO_HALO}, {&masked_model, SN_RT_TAGGER_NO_HALO}}; /* 32 frames before an end on the grid, and 8 */
    (void)unused;
    for (size_t i = 0; i < 3; i++)
        for (size_t persons = 1; persons <= PERSONS; persons++) {
            sn_rt_tagger t = open_tagger(row[i].model, WINDOW, 0);
            fill(x, persons, 130);
            check_ok(sn_rt_tagger_measure(&t, x, persons, 130, err));
            assert_int_equal(t.halo, row[i].halo);
            sn_rt_tagger_fini(&t);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_with_halo), cmocka_unit_test(test_without_halo), cmocka_unit_test(test_little_is_scored_twice),
                                       cmocka_unit_test(test_measured_halo)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
