/* Tests of segments: random scores against their definition, whole and frame by frame. */
#include "../data/check.h"

#include "runtime/tag/segments.h"

enum { FRAMES = 400, COLUMNS = 4 };

static uint32_t next_random(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

/* Runs of a class, drawn so that short and long ones occur; now and then two columns are equally high. */
static void fill(float *scores, uint32_t *state)
{
    uint32_t class = 0, left = 0;
    for (int f = 0; f < FRAMES; f++) {
        if (!left--) class = (next_random(state) >> 8) % COLUMNS, left = (next_random(state) >> 8) % 9;
        for (uint32_t k = 0; k < COLUMNS; k++) scores[f * COLUMNS + (int)k] = k == class ? 0.6f : (float)((next_random(state) >> 8) % 5) * 0.15f;
    }
}

static size_t class_of(const float *scores, size_t f)
{
    size_t best = 0;
    for (size_t k = 1; k < COLUMNS; k++)
        if (scores[f * COLUMNS + k] > scores[f * COLUMNS + best]) best = k;
    return best;
}

static void test_definition(void **unused)
{
    (void)unused;
    float    scores[FRAMES * COLUMNS];
    uint32_t state = 3;
    for (size_t round = 0; round < 200; round++) {
        size_t frames = round % 7 == 0 ? round / 7 : FRAMES, shortest = 1 + round % 5, count, at = 0;
        fill(scores, &state);
        sn_rt_found_segment *list = sn_rt_segments_of_scores(scores, frames, COLUMNS, shortest, &count), one;
        assert_non_null(list);
        for (size_t start = 0, end; start < frames; start = end) {
            double sum = 0;
            for (end = start; end < frames && class_of(scores, end) == class_of(scores, start); end++) sum += (double)scores[end * COLUMNS + class_of(scores, start)];
            if (class_of(scores, start) == COLUMNS - 1 || end - start < shortest) continue;
            assert_true(at < count && list[at].start == start && list[at].end == end && list[at].class == class_of(scores, start));
            assert_true(list[at].score == sum / (double)(end - start));
            at++;
        }
        assert_int_equal(at, count);
        sn_rt_segmenter s = {.columns = COLUMNS, .shortest = shortest};
        for (int turn = 0; turn < 2; turn++) { /* the second recording begins at 0 again */
            at = 0;
            for (size_t f = 0; f < frames; f++)
                if (sn_rt_segmenter_add(&s, scores + f * COLUMNS, &one)) assert_memory_equal(&one, &list[at++], sizeof one);
            if (sn_rt_segmenter_end(&s, &one)) assert_memory_equal(&one, &list[at++], sizeof one);
            assert_int_equal(at, count);
        }
        free(list);
    }
}

static void test_shortest(void **unused)
{
    (void)unused;
    assert_int_equal(sn_rt_shortest_frames(0.1, 30), 3);
    assert_int_equal(sn_rt_shortest_frames(0.101, 30), 4);
    assert_int_equal(sn_rt_shortest_frames(0, 30), 1);
    assert_int_equal(sn_rt_shortest_frames(1.0 / 3, 3), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_definition), cmocka_unit_test(test_shortest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
