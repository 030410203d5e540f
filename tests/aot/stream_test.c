/* Streams of library `act`, one thread: the scores they give in pieces of any size, for several recordings in a row and in many threads at once, that
 * they allocate nothing, and what they say when used wrongly.
 *
 *     stream_test scores STEP PIECE frames.f32...     scores of each recording on standard output, by one stream
 *     stream_test checks frames.f32                   all else
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act.h"

/* ---- counting what is allocated: the allocator of glibc under its own name ------------------------------------------------- */

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
static long allocations;
void *malloc(size_t n) { return allocations++, __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return allocations++, __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return allocations++, __libc_realloc(p, n); }

/* ---- one recording --------------------------------------------------------------------------------------------------------- */

enum { ROW = ACT_CLASSES + 1 };
static int failures;

#define CHECK(cond) ((cond) ? (void)0 : (void)(printf("line %d: %s\n", __LINE__, #cond), failures++))

typedef struct recording { float *x; int64_t frames; } recording;
typedef struct found { float *scores; int64_t scored; act_segment segment[256]; int segments; } found;

static recording read_file(const char *path)
{
    FILE     *f = fopen(path, "rb");
    recording r = {malloc((size_t)(1 << 22) * sizeof(float)), 0};
    if (f) r.frames = (int64_t)(fread(r.x, sizeof(float), 1 << 22, f) / ACT_FRAME), fclose(f);
    return r;
}

static void take(act_stream *s, found *out)
{
    const float *rows;
    int64_t      first, count = act_stream_scores(s, &rows, &first);
    if (count) CHECK(first == out->scored);
    if (count) memcpy(out->scores + first * ROW, rows, (size_t)(count * ROW) * sizeof *rows);
    out->scored += count;
    while (out->segments < 256 && act_stream_poll(s, &out->segment[out->segments])) out->segments++;
}

static void stream_all(act_stream *s, recording r, int64_t piece, found *out)
{
    act_error error = {""};
    *out = (found){.scores = out->scores};
    for (int64_t at = 0, taken = 0; at < r.frames; at += taken) {
        int64_t n = r.frames - at < piece ? r.frames - at : piece;
        if (act_stream_push(s, r.x + at * ACT_FRAME, n, &taken, &error) != ACT_OK) {
            CHECK(!*error.text);
            break;
        }
        CHECK(taken > 0 && taken <= n);
        take(s, out);
        CHECK(at + taken - out->scored <= act_stream_latency(s)); /* frames that wait for their scores */
    }
    CHECK(act_stream_finish(s, &error) == ACT_OK);
    take(s, out);
    CHECK(out->scored == r.frames);
}

static int print_scores(const act *m, int64_t step, int64_t piece, char **path, int paths)
{
    act_stream *s = NULL;
    act_error   error;
    if (act_stream_new(m, step, 0, 0, &s, &error) != ACT_OK) return printf("%s\n", error.text), 1;
    for (int i = 0; i < paths; i++) {
        recording r = read_file(path[i]);
        found     f = {.scores = malloc((size_t)(r.frames + 1) * ROW * sizeof(float))};
        stream_all(s, r, piece, &f);
        fwrite(f.scores, ROW * sizeof(float), (size_t)f.scored, stdout);
        free(r.x), free(f.scores);
    }
    act_stream_free(s);
    return failures != 0;
}

/* ---- checks ------------------------------------------------------------------------------------------------------------------ */

typedef struct worker { const act *model; recording r; int64_t step; found f; } worker;

static void *work(void *p)
{
    worker     *w = p;
    act_stream *s = NULL;
    CHECK(act_stream_new(w->model, w->step, 0, 1, &s, NULL) == ACT_OK);
    if (s) stream_all(s, w->r, 100, &w->f);
    act_stream_free(s);
    return NULL;
}

static void check_threads(const act *m, recording r)
{
    enum { WORKERS = 6 };
    static worker w[WORKERS];
    pthread_t     thread[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        w[i] = (worker){m, r, i * 16, {.scores = malloc((size_t)(r.frames + 1) * ROW * sizeof(float))}};
        CHECK(pthread_create(&thread[i], NULL, work, &w[i]) == 0);
    }
    for (int i = 0; i < WORKERS; i++) pthread_join(thread[i], NULL);
    for (int i = 0; i < WORKERS; i++) {
        CHECK(w[i].f.scored == r.frames && w[i].f.segments == w[0].f.segments && w[0].f.segments > 3);
        CHECK(memcmp(w[i].f.scores, w[0].f.scores, (size_t)(r.frames * ROW) * sizeof(float)) == 0);
        CHECK(memcmp(w[i].f.segment, w[0].f.segment, (size_t)w[0].f.segments * sizeof w[0].f.segment[0]) == 0);
    }
    for (int i = 0; i < WORKERS; i++) free(w[i].f.scores);
}

static void check_memory(const act *m, recording r)
{
    act_stream *s = NULL;
    found       f = {.scores = malloc((size_t)(r.frames + 1) * ROW * sizeof(float))};
    const recording shorter = {r.x, 40};
    CHECK(act_stream_new(m, 16, 1, 0, &s, NULL) == ACT_OK);
    long before = allocations;
    for (int turn = 0; turn < 3; turn++) stream_all(s, turn == 1 ? shorter : r, 1000, &f);
    CHECK(before > 0 && allocations == before);
    CHECK(act_stream_bytes(s) > 100000 && act_stream_bytes(s) < 30000000);
    act_stream_free(s);
    free(f.scores);
}

static void check_wrong(const act *m, recording r)
{
    act_stream *s = NULL;
    act_error   error;
    int64_t     taken = -1;
    float       bad[2 * ACT_FRAME] = {0};
    CHECK(act_stream_new(m, -1, 0, 0, &s, &error) == ACT_ARGUMENT && strstr(error.text, "a step of -1 frames, expected 0 to"));
    CHECK(act_stream_new(m, 0, -1, 0, &s, &error) == ACT_ARGUMENT && strstr(error.text, "segments of -1 frames"));
    CHECK(act_stream_new(m, 0, 0, 2, &s, &error) == ACT_ARGUMENT && strstr(error.text, "2 threads: act is built for 1 to 1"));
    CHECK(s == NULL && act_label(-1) == NULL && act_label(ACT_CLASSES) == NULL && act_label(0) != NULL);
    CHECK(act_stream_new(m, 0, 1, 0, &s, &error) == ACT_OK);
    bad[ACT_FRAME + 5] = NAN;
    CHECK(act_stream_push(s, bad, 2, &taken, &error) == ACT_ARGUMENT && strstr(error.text, "frame 1 of those pushed holds nan") && taken == -1);
    CHECK(act_stream_push(s, bad, -2, &taken, &error) == ACT_ARGUMENT && strstr(error.text, "-2 frames"));
    CHECK(act_stream_push(s, NULL, 0, &taken, &error) == ACT_OK && taken == 0);
    CHECK(act_stream_finish(s, &error) == ACT_OK && act_stream_poll(s, &(act_segment){0}) == 0);
    act_status status = ACT_OK;
    for (int turn = 0; turn < 10000 && status == ACT_OK; turn++) /* nobody polls */
        for (int64_t at = 0; at < r.frames && status == ACT_OK; at += taken) status = act_stream_push(s, r.x + at * ACT_FRAME, r.frames - at, &taken, &error);
    CHECK(status == ACT_ARGUMENT && strstr(error.text, "segments wait to be polled"));
    act_segment segment;
    CHECK(act_stream_finish(s, &error) == ACT_OK);
    int polled = 0;
    for (int64_t end = 0; act_stream_poll(s, &segment); polled++, end = segment.end) CHECK(segment.start >= end && segment.end > segment.start);
    CHECK(polled > 64 && act_stream_push(s, r.x, 1, &taken, &error) == ACT_OK && taken == 1);
    act_stream_free(s);
    act_stream_free(NULL);
}

int main(int argc, char **argv)
{
    act      *m = NULL;
    act_error error;
    if (argc < 3 || act_load(NULL, NULL, &m, &error) != ACT_OK) return 2;
    if (strcmp(argv[1], "scores") == 0) return print_scores(m, atoll(argv[2]), atoll(argv[3]), argv + 4, argc - 4);
    recording r = read_file(argv[2]);
    check_threads(m, r);
    check_memory(m, r);
    check_wrong(m, r);
    free(r.x);
    act_free(m);
    return failures != 0;
}
