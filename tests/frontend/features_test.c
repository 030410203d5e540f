/* Features of sequences: values inside instances, persons, lengths, weights, threads.
 * Not real encoders' numbers (tests/models). */
#include <math.h>

#include "frontend/features.h"
#include "support.h"

enum { V = 25 };

/* x[m][t][v][c]; `there`: bit m set if person m is. */
static sn_rt_sequence sequence(float *x, size_t persons, size_t frames, unsigned there)
{
    for (size_t i = 0; i < persons * frames * V * 3; i++) x[i] = there >> i / (frames * V * 3) & 1 ? (float)((int)(i * 7919 % 1009) - 500) / 256 : 0;
    return (sn_rt_sequence){.id = "s", .persons = persons, .frames = frames, .joints = V, .fps = 30, .x = x};
}

static void write_weights(const char *path, const char *name, float a, float b, float c)
{
    const float    w[3] = {a, b, c};
    const uint64_t dims[1] = {3};
    sn_rt_error    err = {""};
    sn_rt_tensors *set = sn_rt_tensors_new();
    assert_int_equal(sn_rt_tensors_add(set, name, SN_RT_ELEM_F32, 1, dims, w, NULL, &err), SN_RT_OK);
    assert_int_equal(sn_rt_tensors_write(set, path, &err), SN_RT_OK);
    sn_rt_tensors_free(set);
}

static sn_features features(const sn_features_how *how, const sn_rt_sequence *s)
{
    sn_extractor x;
    sn_rt_error  err = {""};
    sn_features  f = {0};
    bool         open = sn_extractor_open(&x, how, &err);
    if (!open) fail_msg("%s%s", err.text, render(&x.diags));
    if (sn_extract(&x, s, &f, &err) != SN_RT_OK) fail_msg("%s", err.text);
    sn_extractor_close(&x);
    return f;
}

/* Mean over the joints of persons in `rows`, times w. */
static double expected(const sn_rt_sequence *s, unsigned rows, size_t t, size_t c, double w)
{
    double sum = 0, n = 0;
    for (size_t m = 0; m < s->persons; m++)
        for (size_t v = 0; v < V && (rows >> m & 1); v++) sum += (double)s->x[((m * s->frames + t) * V + v) * 3 + c] * w, n++;
    return sum / n;
}

static void check(const sn_features *f, const sn_rt_sequence *s, unsigned rows, const double *w)
{
    assert_int_equal(f->frames, s->frames);
    assert_int_equal(f->width, 3);
    for (size_t t = 0; t < s->frames; t++)
        for (size_t c = 0; c < 3; c++) assert_true(fabs((double)f->x[t * 3 + c] - expected(s, rows, t, c, w[c])) < 1e-6);
}

/* The default of a recipe is q.enc: the first input alone is needed, no other, and no weight that nothing reads. */
static void persons_and_lengths(void **state)
{
    (void)state;
    static float          x[2 * 40 * V * 3];
    const double          w[3] = {2, 3, 0.5};
    const sn_features_how how = {.model = HERE "/features.json", .weights = "w.safetensors", .threads = 1};
    write_weights("w.safetensors", "q.enc.w", 2, 3, 0.5f);
    for (unsigned there = 1; there < 4; there++) {
        sn_rt_sequence s = sequence(x, 2, 33 + there, there);
        sn_features    f = features(&how, &s);
        check(&f, &s, there, w);
        free(f.x);
    }
    sn_rt_sequence none = sequence(x, 2, 5, 0);
    sn_features    f = features(&how, &none);
    for (size_t i = 0; i < 15; i++) assert_true(f.x[i] == 0);
    free(f.x);
}

static void values(void **state)
{
    (void)state;
    static float    x[9 * V * 3];
    sn_rt_sequence  s = sequence(x, 1, 9, 1);
    sn_features_how how = {.model = HERE "/features.json", .weights = "v.safetensors", .threads = 2, .value = "q"};
    write_weights("v.safetensors", "q.enc.w", 1, 1, 1);
    sn_features f = features(&how, &s);
    check(&f, &s, 1, (const double[]){2, 2, 2});
    free(f.x);
    how.value = "q.enc.whole"; /* a tap without an axis of time */
    f = features(&how, &s);
    assert_int_equal(f.frames, 1);
    for (size_t c = 0; c < 3; c++) {
        double sum = 0;
        for (size_t t = 0; t < 9; t++) sum += V * expected(&s, 1, t, c, 1);
        assert_true(fabs((double)f.x[c] - sum) < 1e-4);
    }
    free(f.x);
    how = (sn_features_how){.model = HERE "/features.json", .module = "scaled", .value = "y", .weights = "v.safetensors", .prefix = "q.enc", .threads = 1};
    f = features(&how, &s);
    check(&f, &s, 1, (const double[]){1, 1, 1});
    free(f.x);
}

static void fails(const sn_features_how *how, const char *text)
{
    sn_extractor x;
    sn_rt_error  err = {""};
    assert_false(sn_extractor_open(&x, how, &err));
    char *said = render(&x.diags);
    if (!strstr(*said ? said : err.text, text)) fail_msg("found \"%s%s\", expected \"%s\"", said, err.text, text);
    free(said);
    sn_extractor_close(&x);
}

static void what_is_wrong(void **state)
{
    (void)state;
    write_weights("n.safetensors", "q.enc.w", 1, NAN, 1);
    write_weights("o.safetensors", "w", 1, 1, 1);
    sn_features_how how = {.model = HERE "/features.json", .weights = "v.safetensors", .threads = 1, .value = "q.encoder"};
    fails(&how, "step has no value \"q.encoder\"; did you mean \"q.enc\"?");
    how.value = "both";
    fails(&how, "the value needs input a and b; expected one input [N, T, V, 3] or [N, M, T, V, 3]");
    how.value = "loss";
    fails(&how, "the value needs input labels; expected one input");
    how.value = "scalar";
    fails(&how, "the value has 0 axes, expected [N, T, V, C], [N, T, C] or [N, C]");
    how.value = NULL;
    how.weights = "n.safetensors";
    fails(&how, "n.safetensors: q.enc.w holds a number that is not finite");
    how.weights = "o.safetensors";
    fails(&how, "q.enc.w");
    how.weights = NULL;
    fails(&how, "features.json: a graph file has no weights of its own, expected to be given some");
    how.model = ".";
    fails(&how, ".: neither a model nor a checkpoint in this folder");
    how = (sn_features_how){.model = HERE "/features.json", .weights = "v.safetensors", .threads = 1};
    sn_extractor x;
    sn_rt_error  err = {""};
    sn_features  f;
    float        one[3 * 20] = {1};
    const sn_rt_sequence s = {.id = "few", .persons = 1, .frames = 1, .joints = 20, .fps = 30, .x = one};
    assert_true(sn_extractor_open(&x, &how, &err));
    assert_int_equal(sn_extract(&x, &s, &f, &err), SN_RT_BAD_SHAPE);
    assert_string_equal(err.text, "few: axis 2 of the recording is 20, input a wants 25");
    sn_extractor_close(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(persons_and_lengths),
        cmocka_unit_test(values),
        cmocka_unit_test(what_is_wrong),
    };
    mkdir(SCRATCH, 0777);
    if (chdir(SCRATCH)) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
