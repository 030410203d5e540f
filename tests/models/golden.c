/* The tool of the model tests: makes weights and noise by rule, and compares what `sinew run` wrote with a golden file.
 * Not a test by itself (run.sh beside it is) and it knows no model: rules go by the names of layers.
 *
 *     golden weights RULE SEED INIT.safetensors OUT.safetensors    every array of INIT replaced; RULE is "natural", "open" or "twins"
 *     golden noise LOW SEED OUT.npy DIM...                    uniform in [LOW, 1)
 *     golden classes COUNT SEED OUT.npy DIM...                whole numbers from -1 to COUNT - 1
 *     golden clip IN.npy N START FRAMES OUT.npy               the first N sequences of [N, T, V, 3], FRAMES frames from START; 24/5 are 24, every fifth;
 *                                                             N = 2x2 are two of two persons, 2x2- the same where the last person is not there
 *     golden compare GOLDEN.safetensors DIR [TOLERANCE]       exit code 1 if a tensor is off or missing
 *
 * A number depends on the seed, the array's name and the element's place alone, so a golden file outlives changes of initialisers and of the order
 * of weights. RULE "open" moves the inputs of almost all ReLUs away from 0: an input within rounding of 0 would flip, and a single flip
 * changes gradients by more than the tolerance, although both results are right.  RULE "twins" is natural with virtual joints that are all alike, as
 * they are at first. */
#include "../../runtime/data/npy.h"
#include "../../runtime/data/safetensors.h"
#include "numbers.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failed(const sn_rt_error *err)
{
    fprintf(stderr, "golden: %s\n", err->text);
    return 1;
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

/* --- weights ---------------------------------------------------------------------------------------------------------------------- */

/* Value of element i: offset + spread * u, u uniform in [-1, 1); `odd` is the offset of odd elements. */
typedef struct rule {
    double offset, spread, odd;
} rule;

/* Of a batch norm whose result goes to a ReLU, perhaps with a residual added: not those within residual branches. */
static bool ahead_of_relu(const char *name)
{
    return ends_with(name, "bn1.beta") || ends_with(name, "bn2.beta") ||
           (ends_with(name, ".bn.beta") && !ends_with(name, "res.bn.beta") && !ends_with(name, "down.bn.beta"));
}

/* Shifts ahead of ReLUs: even channels mostly on, odd ones mostly off.  Behind an identity residual a smaller shift does, since on-channels bring
 * theirs along.  Where the encoder is part of a step, its last block keeps some variety for the matching of snippets. */
static rule rule_open(const char *name)
{
    bool first = strstr(name, "bn1") || strstr(name, "block1.") || strstr(name, "block5.") || strstr(name, "block8.") || strstr(name, "block10.gcn");
    if (strstr(name, ".block10.bn2") || strstr(name, ".block10.bn."))
        return (rule){3.0, 0.3, -3.0};
    return (rule){first ? 4.5 : 2.5, 0.3, -4.5};
}

static rule rule_of(const char *how, const char *name, const sn_rt_array *a)
{
    bool open = strcmp(how, "open") == 0;
    if (ends_with(name, ".gamma"))
        return (rule){1.0, 0.2, 1.0};
    if (open && ahead_of_relu(name))
        return rule_open(name);
    if (ends_with(name, ".beta") || ends_with(name, ".running_mean"))
        return (rule){0.0, 0.3, 0.0};
    if (ends_with(name, ".running_var"))
        return (rule){1.0, 0.5, 1.0};
    if (ends_with(name, ".importance") || ends_with(name, ".alpha"))
        return (rule){1.0, 0.3, 1.0};
    if (ends_with(name, ".b"))
        return (rule){0.0, 0.1, 0.0};
    if (ends_with(name, "embed.w")) /* ahead of a tanh, whose slope near 1 is lost in rounding */
        return (rule){0.0, 0.2, 0.0};
    double terms = 1.0; /* weights: all axes but the last are summed over, and the variance of the sum is that of one input */
    for (uint32_t d = 0; d + 1 < a->rank; d++)
        terms *= (double)a->dims[d];
    return (rule){0.0, sqrt(3.0 / terms), 0.0};
}

/* Rows of unit length, as queues have them. */
static void normalise_rows(float *x, uint64_t rows, uint64_t width)
{
    for (uint64_t r = 0; r < rows; r++, x += width) {
        double s = 0.0;
        for (uint64_t i = 0; i < width; i++)
            s += (double)x[i] * (double)x[i];
        for (uint64_t i = 0; i < width; i++)
            x[i] = (float)((double)x[i] / sqrt(s));
    }
}

/* With channels shifted alike, unrelated weights would give sums whose mean is many deviations: nothing a network has, and rounding of the
 * variance would drown the comparison.  So input channels c and c + 2 get nearly opposite weights. */
static double balanced(uint64_t stream, uint64_t i, const sn_rt_array *a)
{
    uint64_t out = a->dims[a->rank - 1], in = a->dims[a->rank - 2], c = i / out % in;
    if (c & 2)
        return -0.95 * uniform(stream, i - 2 * out) + 0.05 * uniform(stream, i);
    return uniform(stream, i);
}

/* A momentum copy "k.*" is like its original "q.*", but not so near that all positives win. */
static void fill(const char *how, uint64_t seed, const sn_rt_array *a, float *x)
{
    const char *name = a->name;
    bool        copy = strncmp(name, "k.", 2) == 0, same = copy || strncmp(name, "q.", 2) == 0;
    uint64_t    stream = hash_name(same ? name + 2 : name) ^ mix(seed), other = ~(hash_name(name) ^ mix(seed));
    rule        r = rule_of(how, name, a);
    bool        pairs = strcmp(how, "open") == 0 && ends_with(name, ".w") && a->rank > 1;
    bool        alike = strcmp(how, "twins") == 0 && ends_with(name, ".virtual");
    for (uint64_t i = 0; i < a->bytes / sizeof(float); i++) {
        double v = (pairs ? balanced(stream, i, a) : uniform(stream, alike ? i % a->dims[1] : i)) + (copy ? 0.5 * uniform(other, i) : 0.0);
        x[i] = (float)((i % 2 ? r.odd : r.offset) + r.spread * v);
    }
    if (strncmp(name, "queue", 5) == 0 && a->rank == 2)
        normalise_rows(x, a->dims[0], a->dims[1]);
}

static int weights(const char *how, uint64_t seed, const char *from, const char *to)
{
    sn_rt_error    err;
    sn_rt_tensors *in = NULL, *out = sn_rt_tensors_new();
    if (!out || sn_rt_tensors_read(from, &in, &err) != SN_RT_OK)
        return failed(&err);
    for (size_t i = 0; i < sn_rt_tensors_count(in); i++) {
        const sn_rt_array *a = sn_rt_tensors_at(in, i);
        void              *x;
        if (sn_rt_tensors_add(out, a->name, a->elem, a->rank, a->dims, a->data, &x, &err) != SN_RT_OK)
            return failed(&err);
        if (a->elem == SN_RT_ELEM_F32)
            fill(how, seed, a, x);
    }
    if (sn_rt_tensors_write(out, to, &err) != SN_RT_OK)
        return failed(&err);
    sn_rt_tensors_free(in);
    sn_rt_tensors_free(out);
    return 0;
}

/* Uniform in [low, high); whole numbers if `whole`. */
static int noise(double low, double high, bool whole, uint64_t seed, const char *to, int rank, char **dims)
{
    uint64_t    extent[SN_RT_MAX_RANK] = {0};
    sn_rt_error err;
    sn_rt_array a;
    for (int d = 0; d < rank && d < SN_RT_MAX_RANK; d++)
        extent[d] = strtoull(dims[d], NULL, 10);
    if (sn_rt_array_init(SN_RT_ELEM_F32, (uint32_t)rank, extent, &a, &err) != SN_RT_OK)
        return failed(&err);
    for (uint64_t i = 0; i < a.bytes / sizeof(float); i++)
    {
        double x = low + (high - low) * (uniform(mix(seed), i) + 1.0) / 2.0;
        ((float *)a.data)[i] = (float)(whole ? floor(x) : x);
    }
    if (sn_rt_npy_write(to, &a, &err) != SN_RT_OK)
        return failed(&err);
    sn_rt_array_fini(&a);
    return 0;
}

static int clip(const char *from, const char *which, uint64_t start, const char *how, const char *to)
{
    char       *end;
    uint64_t    frames = strtoull(how, &end, 10), step = *end == '/' ? strtoull(end + 1, NULL, 10) : 1;
    uint64_t    sequences = strtoull(which, &end, 10), persons = *end == 'x' ? strtoull(end + 1, &end, 10) : 0, n = sequences * (persons ? persons : 1);
    sn_rt_error err;
    sn_rt_array in, out;
    if (sn_rt_npy_read(from, &in, &err) != SN_RT_OK)
        return failed(&err);
    if (in.rank != 4 || in.elem != SN_RT_ELEM_F32 || n > in.dims[0] || start + frames * step > in.dims[1]) {
        fprintf(stderr, "golden: %s has not that many sequences and frames\n", from);
        return 1;
    }
    uint64_t dims[5] = {sequences, persons ? persons : n, frames, in.dims[2], in.dims[3]}, frame = in.dims[2] * in.dims[3];
    if (sn_rt_array_init(SN_RT_ELEM_F32, persons ? 5 : 4, persons ? dims : dims + 1, &out, &err) != SN_RT_OK)
        return failed(&err);
    for (uint64_t i = 0; i < (n - (*end == '-')) * frames; i++)
        memcpy((float *)out.data + i * frame, (const float *)in.data + (i / frames * in.dims[1] + start + i % frames * step) * frame, frame * sizeof(float));
    if (sn_rt_npy_write(to, &out, &err) != SN_RT_OK)
        return failed(&err);
    sn_rt_array_fini(&in);
    sn_rt_array_fini(&out);
    return 0;
}

/* --- compare ---------------------------------------------------------------------------------------------------------------------- */

/* A golden tensor "out/NAME" or "grad/NAME" is what DIR/NAME.npy or DIR/grad.safetensors must hold, "state/NAME" what
 * DIR/state.safetensors must. If it is only a sample, "at/..." lists the elements (i64). "scale/..." is the largest magnitude of the whole
 * tensor, or of what it is measured against where it is 0 in exact arithmetic (a bias ahead of a batch norm). */
typedef struct found {
    sn_rt_array    npy;
    sn_rt_tensors *grad, *state;
    const char    *dir;
} found;

static const float *find(found *f, const char *name, uint64_t *n)
{
    sn_rt_error        err;
    char               path[4096];
    const sn_rt_array *a = NULL;
    sn_rt_array_fini(&f->npy);
    memset(&f->npy, 0, sizeof f->npy);
    if (strncmp(name, "out/", 4) == 0) {
        snprintf(path, sizeof path, "%s/%s.npy", f->dir, name + 4);
        if (sn_rt_npy_read(path, &f->npy, &err) != SN_RT_OK)
            failed(&err);
        else
            a = &f->npy;
    } else if (strncmp(name, "grad/", 5) == 0) {
        a = f->grad ? sn_rt_tensors_find(f->grad, name + 5) : NULL;
    } else {
        a = f->state ? sn_rt_tensors_find(f->state, name + 6) : NULL;
    }
    if (!a || a->elem != SN_RT_ELEM_F32)
        return NULL;
    *n = a->bytes / sizeof(float);
    return a->data;
}

static sn_rt_tensors *read_beside(const char *dir, const char *file)
{
    char           path[4096];
    sn_rt_error    err;
    sn_rt_tensors *t = NULL;
    snprintf(path, sizeof path, "%s/%s", dir, file);
    return sn_rt_tensors_read(path, &t, &err) == SN_RT_OK ? t : NULL;
}

/* Largest difference relative to the tensor's scale; infinity if sizes differ or a number is not finite. */
static double deviation(const sn_rt_tensors *golden, const sn_rt_array *want, const float *have, uint64_t n)
{
    char name[512];
    snprintf(name, sizeof name, "scale/%s", want->name);
    const sn_rt_array *scale = sn_rt_tensors_find(golden, name);
    snprintf(name, sizeof name, "at/%s", want->name);
    const sn_rt_array *at = sn_rt_tensors_find(golden, name);
    uint64_t           count = want->bytes / sizeof(float);
    double             worst = 0.0;
    if (!scale || (!at && count != n))
        return INFINITY;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t j = at ? (uint64_t)((const int64_t *)at->data)[i] : i;
        if (j >= n || !isfinite(have[j]))
            return INFINITY;
        worst = fmax(worst, fabs((double)have[j] - (double)((const float *)want->data)[i]));
    }
    return worst / (double)*(const float *)scale->data;
}

static int compare(const char *file, const char *dir, double tolerance)
{
    sn_rt_error    err;
    sn_rt_tensors *golden = NULL;
    if (sn_rt_tensors_read(file, &golden, &err) != SN_RT_OK)
        return failed(&err);
    found       f = {.grad = read_beside(dir, "grad.safetensors"), .state = read_beside(dir, "state.safetensors"), .dir = dir};
    const char *worst_name = "";
    double      worst = 0.0;
    int         count = 0, wrong = 0;
    for (size_t i = 0; i < sn_rt_tensors_count(golden); i++) {
        const sn_rt_array *want = sn_rt_tensors_at(golden, i);
        uint64_t           n = 0;
        if (strncmp(want->name, "scale/", 6) == 0 || strncmp(want->name, "at/", 3) == 0)
            continue;
        const float *have = find(&f, want->name, &n);
        double       d = have ? deviation(golden, want, have, n) : INFINITY;
        count++;
        if (!have)
            printf("missing   %s\n", want->name);
        else if (!(d <= tolerance))
            printf("%9.2e %s\n", d, want->name);
        wrong += !(d <= tolerance);
        if (d >= worst) {
            worst = d;
            worst_name = want->name;
        }
    }
    printf("%s: %d tensors, %d off by more than %g of their largest value; worst %.2e %s\n", file, count, wrong, tolerance, worst, worst_name);
    sn_rt_array_fini(&f.npy);
    sn_rt_tensors_free(f.grad);
    sn_rt_tensors_free(f.state);
    sn_rt_tensors_free(golden);
    return wrong > 0 || count == 0;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "weights") == 0)
        return weights(argv[2], strtoull(argv[3], NULL, 10), argv[4], argv[5]);
    if (argc >= 5 && strcmp(argv[1], "noise") == 0)
        return noise(strtod(argv[2], NULL), 1.0, false, strtoull(argv[3], NULL, 10), argv[4], argc - 5, argv + 5);
    if (argc >= 5 && strcmp(argv[1], "classes") == 0)
        return noise(-1.0, strtod(argv[2], NULL), true, strtoull(argv[3], NULL, 10), argv[4], argc - 5, argv + 5);
    if (argc == 7 && strcmp(argv[1], "clip") == 0)
        return clip(argv[2], argv[3], strtoull(argv[4], NULL, 10), argv[5], argv[6]);
    if ((argc == 4 || argc == 5) && strcmp(argv[1], "compare") == 0)
        return compare(argv[2], argv[3], argc == 5 ? strtod(argv[4], NULL) : 1e-4);
    fprintf(stderr, "usage: golden weights RULE SEED IN OUT | noise LOW SEED OUT DIM... | classes COUNT SEED OUT DIM... | clip IN N START FRAMES OUT | compare GOLDEN DIR [TOLERANCE]\n");
    return 2;
}
