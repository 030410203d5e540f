/* Protocols against protocols.py digit by digit, and against cases computed by hand.
 * Not the command line (evaluate.sh). */
#include "../data/check.h"

#include <math.h>

#include "runtime/eval/evaluation.h"
#include "runtime/eval/propose.h"

/* ---- the oracle's sets -------------------------------------------------------------------------------------------------- */

typedef struct set {
    sn_rt_scores scores;
    sn_rt_names  videos, labels;
    sn_rt_spans  truth;
    uint32_t     background;
} set;

static set open_set(const char *name)
{
    set  s = {.background = strcmp(name, "long") == 0 ? 0 : 4};
    char path[4096], number[16];
    uint32_t at;
    snprintf(path, sizeof path, GOLDEN "/%s.safetensors", name);
    check_ok(sn_rt_scores_read(path, NULL, &s.scores, err));
    for (uint32_t c = 0; c < s.scores.columns; c++) {
        snprintf(number, sizeof number, "%u", c);
        check_ok(sn_rt_names_add(&s.labels, number, &at, err));
    }
    snprintf(path, sizeof path, GOLDEN "/%s.csv", name);
    check_ok(sn_rt_truth_read(path, &(sn_rt_span_rules){.closed = true}, &s.videos, &s.labels, &s.truth, err));
    return s;
}

static void close_set(set *s)
{
    sn_rt_scores_fini(&s->scores);
    sn_rt_names_fini(&s->videos), sn_rt_names_fini(&s->labels);
    sn_rt_spans_fini(&s->truth);
}

static sn_rt_evaluation evaluate(const set *s, sn_rt_protocol protocol, size_t (*thresholds)(double *), size_t padded)
{
    double           threshold[SN_RT_MAX_THRESHOLDS];
    sn_rt_evaluation e;
    sn_rt_question   q = {.protocol = protocol, .videos = &s->videos, .labels = &s->labels, .truth = &s->truth, .background = s->background,
                          .scores = &s->scores, .threshold = threshold, .thresholds = thresholds ? thresholds(threshold) : 0, .padded = padded};
    check_ok(sn_rt_evaluate(&q, &e, err));
    return e;
}

static void print_found(FILE *f, const char *how, const sn_rt_evaluation *e)
{
    for (size_t i = 0; i < e->found.count; i++) {
        const sn_rt_span *d = &e->found.item[i];
        fprintf(f, "found %s %u %u %lld %lld %.17g\n", how, d->video, d->label, (long long)d->start, (long long)d->end, d->score);
    }
}

static void print_ap(FILE *f, const char *how, const sn_rt_evaluation *e, const sn_rt_protocol_row *p)
{
    for (uint32_t i = 0; i < e->tious; i++)
        for (uint32_t c = 0; c < e->labels; c++)
            if (!isnan(e->ap[i * e->labels + c])) fprintf(f, "ap %s %g %u %.17g\n", how, p->tiou[i], c, e->ap[i * e->labels + c]);
}

static void print_babel(FILE *f, const set *s, const char *word, size_t (*thresholds)(double *))
{
    char how[64];
    for (sn_rt_protocol p = SN_RT_BABEL; p <= SN_RT_BABEL_CORRECTED; p++) {
        sn_rt_evaluation e = evaluate(s, p, thresholds, 0);
        snprintf(how, sizeof how, "%s %s", sn_rt_protocols[p].name, word);
        if (p == SN_RT_BABEL && strcmp(word, "low") == 0) fprintf(f, "frames %.17g %.17g %.17g\n", e.accuracy, e.class_accuracy, e.video_map);
        if (p == SN_RT_BABEL) print_found(f, how, &e);
        print_ap(f, how, &e, &sn_rt_protocols[p]);
        sn_rt_evaluation_fini(&e);
    }
}

static void print_pku(FILE *f, const set *s, size_t padded)
{
    char how[64];
    sn_rt_evaluation e = evaluate(s, SN_RT_PKU, NULL, padded);
    snprintf(how, sizeof how, "pku %zu", padded);
    print_found(f, how, &e);
    print_ap(f, how, &e, &sn_rt_protocols[SN_RT_PKU]);
    fprintf(f, "official %zu %.17g %.17g %.17g %.17g %.17g\n", padded, e.official.f1, e.official.ap, e.official.map_action, e.official.map_video,
            e.official.ap_2d);
    sn_rt_evaluation_fini(&e);
}

/* The text that the oracle wrote, line by line. */
static void compare(const char *name, char *found)
{
    char path[4096], line[400];
    snprintf(path, sizeof path, GOLDEN "/%s.txt", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *rest = found, *own;
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        own = strsep(&rest, "\n");
        assert_non_null(own);
        assert_string_equal(own, line);
    }
    assert_string_equal(rest, "");
    fclose(f);
}

static void oracle(void **state)
{
    set    s = open_set(*state);
    char  *text;
    size_t size;
    FILE  *f = open_memstream(&text, &size);
    print_babel(f, &s, "low", sn_rt_thresholds_low);
    print_babel(f, &s, "even", sn_rt_thresholds_even);
    print_pku(f, &s, 0);
    print_pku(f, &s, 400);
    fclose(f);
    compare(*state, text);
    free(text);
    close_set(&s);
}

#define assert_near(found, expected, slack) assert_true(fabs((found) - (expected)) <= (slack))

/* ---- by hand ------------------------------------------------------------------------------------------------------------ */

static sn_rt_spans spans_of(const sn_rt_span *item, size_t count)
{
    sn_rt_spans s = {0};
    for (size_t i = 0; i < count; i++) check_ok(sn_rt_spans_add(&s, item[i], err));
    return s;
}

#define SPANS(...) spans_of((const sn_rt_span[]){__VA_ARGS__}, sizeof((const sn_rt_span[]){__VA_ARGS__}) / sizeof(sn_rt_span))

/* (0, 10), (5, 12), (20, 30) with the original's ends, which are one behind ours: an overlap of 6 of a length of 8. */
static void suppresses(void **state)
{
    (void)state;
    sn_rt_span s[] = {{.start = 20, .end = 29, .score = 0.7}, {.start = 5, .end = 11, .score = 0.8}, {.start = 0, .end = 9, .score = 0.9}};
    size_t     n = 3;
    check_ok(sn_rt_suppress(s, &n, 0.2, err));
    assert_int_equal(n, 2);
    assert_int_equal(s[0].start, 0);
    assert_int_equal(s[1].start, 20);
}

typedef struct figures {
    double babel, pku, official;
} figures;

static figures measure(sn_rt_spans truth, sn_rt_spans found)
{
    figures           r;
    double            ap[1];
    sn_rt_official    o;
    const sn_rt_trial t = {2, 1, SN_RT_NO_NAME, &truth, &found};
    check_ok(sn_rt_precision_babel(&t, true, 0.5, &r.babel, err));
    check_ok(sn_rt_precision_pku(&t, 0.5, &r.pku, err));
    check_ok(sn_rt_precision_official(&t, 0.5, 1, &o, ap, err));
    r.official = o.ap;
    sn_rt_spans_fini(&truth), sn_rt_spans_fini(&found);
    return r;
}

#define TWO SPANS({.video = 0, .start = 0, .end = 100}, {.video = 1, .start = 0, .end = 100})

static void two_protocols_differ(void **state)
{
    (void)state;
    figures f = measure(TWO, SPANS({.video = 0, .start = 0, .end = 100, .score = 0.9}, {.video = 0, .start = 200, .end = 300, .score = 0.8},
                                   {.video = 1, .start = 0, .end = 100, .score = 0.7}));
    assert_near(f.babel, 0.5 + 0.5 * 2 / 3, 1e-15);
    assert_near(f.pku, 0.5 + 0.5 * 2 / 3, 1e-6);
    assert_near(f.official, 2.0 / 3, 1e-15);
    f = measure(TWO, SPANS({.video = 0, .start = 0, .end = 100, .score = 0.9}, {.video = 0, .start = 1, .end = 100, .score = 0.8},
                           {.video = 1, .start = 0, .end = 100, .score = 0.7}));
    assert_near(f.babel, 0.5 + 0.5 * 2 / 3, 1e-15);
    assert_near(f.pku, 0.5 + 0.5 * 2 / 3, 1e-6);
    assert_near(f.official, 0.5 + 0.5 * 2 / 3, 1e-15);
    f = measure(TWO, SPANS({.video = 0, .start = 200, .end = 300, .score = 0.95}, {.video = 0, .start = 0, .end = 100, .score = 0.9},
                           {.video = 1, .start = 0, .end = 100, .score = 0.7}));
    assert_near(f.babel, 2.0 / 3, 1e-15);
    assert_near(f.official, 2.0 / 3, 1e-15);
    f = measure(TWO, SPANS({.video = 0, .start = 0, .end = 100, .score = 0.9}, {.video = 1, .start = 0, .end = 100, .score = 0.7}));
    assert_true(f.babel == 1 && f.pku == 1 && f.official == 1);
    f = measure(TWO, SPANS({.video = 0, .start = 300, .end = 400, .score = 0.9}));
    assert_true(f.babel == 0 && f.pku == 0 && f.official == 0);
}

/* A truth whose start is behind its end counts and is never found; a perfect rest then has recall 2/3. */
static void unordered_truth_counts(void **state)
{
    (void)state;
    figures f = measure(SPANS({.video = 0, .start = 0, .end = 100}, {.video = 1, .start = 0, .end = 100}, {.video = 1, .start = 50, .end = 40}),
                        SPANS({.video = 0, .start = 0, .end = 100, .score = 0.9}, {.video = 1, .start = 0, .end = 100, .score = 0.7}));
    assert_near(f.official, 2.0 / 3, 1e-15);
}

/* Ten truths of 20 frames, nine of them found 10 frames late: 10 frames of 30 are common, enough at 0.3 and too few at 0.4, where the best
 * detection alone is right. */
static void half_a_segment_late(void **state)
{
    (void)state;
    sn_rt_spans truth = {0}, found = {0};
    double      ap;
    for (int64_t i = 0; i < 10; i++) {
        check_ok(sn_rt_spans_add(&truth, (sn_rt_span){.start = 100 * i, .end = 100 * i + 20}, err));
        check_ok(sn_rt_spans_add(&found, (sn_rt_span){.start = 100 * i + 10 * (i > 0), .end = 100 * i + 20 + 10 * (i > 0), .score = 1 - 0.01 * (double)i}, err));
    }
    const sn_rt_trial t = {1, 1, SN_RT_NO_NAME, &truth, &found};
    check_ok(sn_rt_precision_babel(&t, true, 0.3, &ap, err));
    assert_near(ap, 1, 1e-15);
    check_ok(sn_rt_precision_babel(&t, true, 0.4, &ap, err));
    assert_near(ap, 0.1, 1e-15);
    check_ok(sn_rt_precision_babel(&t, false, 0.3, &ap, err)); /* [0, 19) and [10, 31): 9 of 31 */
    assert_near(ap, 0.1, 1e-15);
    sn_rt_spans_fini(&truth), sn_rt_spans_fini(&found);
}

/* As published a truth of one frame is empty: it counts and is never found; three others are: recall 3/4 at precision 3/4 or better. */
static void one_frame_truth(void **state)
{
    (void)state;
    sn_rt_spans truth = SPANS({.start = 0, .end = 1}, {.start = 10, .end = 30}, {.start = 40, .end = 60}, {.start = 70, .end = 90});
    sn_rt_spans found = SPANS({.start = 10, .end = 30, .score = 0.9}, {.start = 40, .end = 60, .score = 0.8}, {.start = 70, .end = 90, .score = 0.7},
                              {.start = 0, .end = 1, .score = 0.6});
    double ap;
    const sn_rt_trial t = {1, 1, SN_RT_NO_NAME, &truth, &found};
    check_ok(sn_rt_precision_babel(&t, false, 0.5, &ap, err));
    assert_near(ap, 0.75, 1e-15);
    check_ok(sn_rt_precision_babel(&t, true, 0.5, &ap, err));
    assert_near(ap, 1, 1e-15);
    sn_rt_spans_fini(&truth), sn_rt_spans_fini(&found);
}

/* 8 of 20 frames active: 1 - 0.6f is below 0.4. */
static void eight_of_twenty(void **state)
{
    (void)state;
    for (int active = 8; active <= 9; active++) {
        float       p[60][2] = {{0}};
        sn_rt_spans found = {0};
        for (int t = 0; t < 60; t++) p[t][t >= 30 && t < 30 + active] = 1;
        check_ok(sn_rt_propose_pku(&p[0][0], 60, 2, 0, 0, 0, &found, err));
        assert_int_equal(found.count, active == 9);
        sn_rt_spans_fini(&found);
    }
}

/* ---- perfect and shuffled ----------------------------------------------------------------------------------------------- */

/* Scores that say the truth, all columns of which are turned by `turn`. */
static double map_of(const set *s, sn_rt_protocol protocol, uint32_t turn)
{
    set p = *s;
    p.scores.of = calloc(s->scores.videos.count, sizeof *p.scores.of);
    for (uint32_t v = 0; v < s->scores.videos.count; v++) {
        size_t    T = s->scores.of[v].frames, C = s->scores.columns;
        uint32_t *label = malloc(T * sizeof *label);
        check_ok(sn_rt_frame_labels(&s->truth, &s->videos, &s->labels, v, SN_RT_OVERLAP_FAILS, s->background, T, label, err));
        p.scores.of[v] = (sn_rt_video_scores){calloc(T * C, sizeof(float)), NULL, T};
        for (size_t t = 0; t < T; t++) p.scores.of[v].p[t * C + (label[t] + turn) % C] = 1;
        free(label);
    }
    sn_rt_evaluation e = evaluate(&p, protocol, sn_rt_thresholds_even, 0);
    double           map = e.map[0], accuracy = e.accuracy;
    assert_true(turn ? accuracy < 0.05 : accuracy == 1);
    sn_rt_evaluation_fini(&e);
    for (uint32_t v = 0; v < s->scores.videos.count; v++) free(p.scores.of[v].p);
    free(p.scores.of);
    return map;
}

static void perfect_and_turned(void **state)
{
    (void)state;
    set s = open_set("long"); /* few segments shorter than the three frames a detection must have */
    for (size_t i = 0; i < s.truth.count;)
        if (s.truth.item[i].end - s.truth.item[i].start < 12) s.truth.item[i] = s.truth.item[--s.truth.count];
        else i++;
    assert_true(map_of(&s, SN_RT_BABEL_CORRECTED, 0) == 1);
    assert_true(map_of(&s, SN_RT_BABEL, 0) == 1);
    assert_true(map_of(&s, SN_RT_BABEL_CORRECTED, 5) < 0.1);
    close_set(&s);
}

/* ---- truth -------------------------------------------------------------------------------------------------------------- */

static void truth_runs(void **state)
{
    (void)state;
    sn_rt_names videos = {0}, labels = {0};
    sn_rt_spans runs = {0};
    uint32_t    at;
    check_ok(sn_rt_names_add(&videos, "v", &at, err));
    check_ok(sn_rt_names_add(&labels, "walk", &at, err));
    check_ok(sn_rt_names_add(&labels, "turn", &at, err));
    sn_rt_spans truth = SPANS({.label = 1, .start = 5, .end = 15, .line = 2}, {.label = 0, .start = 10, .end = 20, .line = 3},
                              {.label = 0, .start = 20, .end = 25, .line = 4});
    check_fails(sn_rt_truth_runs(&truth, &videos, &labels, SN_RT_OVERLAP_FAILS, &runs, err), SN_RT_FORMAT,
                "3: frame 10 of video v is walk here and turn in line 2, expected one label a frame");
    check_ok(sn_rt_truth_runs(&truth, &videos, &labels, SN_RT_OVERLAP_SMALLEST, &runs, err));
    assert_int_equal(runs.count, 2);
    assert_int_equal(runs.item[0].end, 10);
    assert_int_equal(runs.item[1].start, 10);
    assert_int_equal(runs.item[1].end, 25);
    sn_rt_spans_fini(&truth), sn_rt_spans_fini(&runs);
    sn_rt_names_fini(&videos), sn_rt_names_fini(&labels);
}

int main(void)
{
    static char smooth[] = "smooth", coarse[] = "coarse", longer[] = "long";
    const struct CMUnitTest tests[] = {
        {"oracle smooth", oracle, NULL, NULL, smooth},
        {"oracle coarse", oracle, NULL, NULL, coarse},
        {"oracle long", oracle, NULL, NULL, longer},
        cmocka_unit_test(suppresses),
        cmocka_unit_test(two_protocols_differ),
        cmocka_unit_test(unordered_truth_counts),
        cmocka_unit_test(half_a_segment_late),
        cmocka_unit_test(one_frame_truth),
        cmocka_unit_test(eight_of_twenty),
        cmocka_unit_test(perfect_and_turned),
        cmocka_unit_test(truth_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
