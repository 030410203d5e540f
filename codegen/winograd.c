/* The sums before and after the products of fast convolutions over time.
 * Not the products, not the choice of tiles (kernel_contract_winograd.c). */
#include "winograd.h"

/* Rows: value of the taps' polynomial at a point, over the derivative of the points' polynomial; the operands' by the polynomial that vanishes at
 * all other points, so that only infinity meets the last; the results' transposed.  Five points: 0, -1, 1/2, 2 and infinity; fewer: the first of 0, 1, -1, and
 * infinity.  Four that lie evenly on the circle of all numbers and infinity keep sums small: used twice, their errors are those that 0, 1, -1, 2 make
 * together with 0, 1, -1. */
static const float tap33[5][3] = {{1, 0, 0}, {-2 / 9.f, 2 / 9.f, -2 / 9.f}, {-8 / 9.f, -4 / 9.f, -2 / 9.f}, {1 / 9.f, 2 / 9.f, 4 / 9.f}, {0, 0, 1}};
static const float source5[5][5] = {{1, -1.5f, -1.5f, 1, 0}, {0, 1, -2.5f, 1, 0}, {0, -2, -1, 1, 0}, {0, -0.5f, 0.5f, 1, 0}, {0, 1, -1.5f, -1.5f, 1}};
static const float result33[5][3] = {{1, 0, 0}, {1, -1, 1}, {1, 0.5f, 0.25f}, {1, 2, 4}, {0, 0, 1}};

static const float source4[4][4] = {{-1, 0, 1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, -1, 0, 1}};
static const float tap32[4][2] = {{-1, 0}, {1 / 2.f, 1 / 2.f}, {1 / 2.f, -1 / 2.f}, {0, 1}};
static const float result32[4][3] = {{1, 0, 0}, {1, 1, 1}, {1, -1, 1}, {0, 0, 1}};

static const sn_wino_short short33 = {3, 3, 5, tap33[0], source5[0], result33[0]}, short32 = {3, 2, 4, tap32[0], source4[0], result32[0]};

bool sn_wino_make(int64_t taps, sn_wino *out)
{
    const sn_wino_short *inner = &short33, *across = taps > 9 ? NULL : taps > 6 ? &short33 : taps > 3 ? &short32 : NULL;
    if (taps < 3 || taps > SN_WINO_MAX_TAPS || (!across && taps % inner->taps != 0))
        return false;
    const int64_t groups = (taps + inner->taps - 1) / inner->taps, outer = across ? across->points : 1, whole = taps % inner->taps == 0;
    const int64_t frames = across ? across->results * inner->results : inner->results;
    *out = (sn_wino){.taps = taps, .groups = groups, .inner = inner, .across = across, .outer = outer, .products = inner->points * outer - !whole,
                     .segments = across ? 1 : groups, .frames = frames, .span = across ? frames + taps - 1 : inner->points};
    return true;
}

int64_t sn_wino_of_point(const sn_wino *w, int64_t i)
{
    const int64_t left = w->products - i * w->outer;
    return left < w->outer ? left : w->outer;
}

/* sum over i < n of coefficient[i * step] * v[i * v_step], in a fixed order that begins with a number taken as it is. */
static LLVMValueRef combine(sn_kb *kb, const float *coefficient, int64_t step, LLVMValueRef *v, int64_t v_step, int64_t n)
{
    int64_t first = 0;
    for (int64_t i = n; i > 0; i--)
        if (coefficient[(i - 1) * step] != 0 && (coefficient[(i - 1) * step] == 1 || coefficient[first * step] != 1))
            first = i - 1;
    float c = coefficient[first * step];
    LLVMValueRef sum = v[first * v_step];
    if (c == 0)
        return sn_kb_zero(kb, kb->lanes);
    if (c == -1)
        sum = LLVMBuildFNeg(kb->b, sum, "");
    else if (c != 1)
        sum = LLVMBuildFMul(kb->b, sum, sn_kb_splat(kb, LLVMConstReal(kb->f32, (double)c), kb->lanes), "");
    for (int64_t i = 0; i < n; i++) {
        c = coefficient[i * step];
        if (i == first || c == 0)
            continue;
        if (c == 1)
            sum = LLVMBuildFAdd(kb->b, sum, v[i * v_step], "");
        else if (c == -1)
            sum = LLVMBuildFSub(kb->b, sum, v[i * v_step], "");
        else
            sum = sn_kb_fma(kb, v[i * v_step], sn_kb_splat(kb, LLVMConstReal(kb->f32, (double)c), kb->lanes), sum);
    }
    return sum;
}

static LLVMValueRef load(sn_kb *kb, LLVMValueRef base, int64_t offset, LLVMValueRef at)
{
    return sn_kb_load(kb, base, sn_kb_iadd(kb, at, sn_kb_i64(kb, offset)), kb->lanes, NULL);
}

static void store(sn_kb *kb, LLVMValueRef base, int64_t offset, LLVMValueRef at, LLVMValueRef v)
{
    sn_kb_store(kb, base, sn_kb_iadd(kb, at, sn_kb_i64(kb, offset)), v, NULL);
}

typedef struct points { int from, to; } points;

static points points_of(const sn_wino *w, int point) { return point < 0 ? (points){0, (int)w->inner->points} : (points){point, point + 1}; }

void sn_wino_source(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef at, int point)
{
    const sn_wino_short *in = w->inner, *out = w->across;
    const points range = points_of(w, point);
    LLVMValueRef x[SN_WINO_MAX_SPAN];
    for (int64_t f = 0; f < w->span; f++)
        x[f] = load(kb, p->frames, f * p->frame_step, at);
    for (int i = range.from; i < range.to; i++) {
        const int64_t n = sn_wino_of_point(w, i);
        LLVMValueRef tile[SN_WINO_MAX_POINTS];
        for (int64_t t = 0; t < n; t++) {
            const int64_t left = w->span - t * in->results; /* what lies beyond meets no tap and may be anything: here it is 0 */
            tile[t] = combine(kb, in->source + i * in->points, 1, x + t * in->results, 1, left < in->points ? left : in->points);
        }
        for (int64_t j = 0; j < n; j++) {
            LLVMValueRef part = out ? combine(kb, out->source + j * out->points, 1, tile, 1, n) : tile[j];
            store(kb, p->parts, ((i - range.from) * w->outer + j) * p->part_step, at, part);
        }
    }
}

int64_t sn_wino_sums(const sn_wino *w) { return w->frames / w->inner->results * w->inner->points; }

/* sum[q * step] = tile q of the results of one point, whose components are numbers `component` .. */
static void gather(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef at, int64_t point, int64_t component, LLVMValueRef *sum, int64_t step)
{
    const int64_t n = sn_wino_of_point(w, point);
    LLVMValueRef v[SN_WINO_MAX_POINTS];
    for (int64_t j = 0; j < n; j++)
        v[j] = load(kb, p->parts, (component + j) * p->part_step, at);
    for (int64_t q = 0; q < w->frames / w->inner->results; q++)
        sum[q * step] = w->across ? combine(kb, w->across->result + q, w->across->results, v, 1, n) : v[0];
}

void sn_wino_gather(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef at, int point)
{
    LLVMValueRef sum[3];
    gather(kb, w, p, at, point, 0, sum, 1);
    for (int64_t q = 0; q < w->frames / w->inner->results; q++)
        store(kb, p->frames, q * p->frame_step, at, sum[q]);
}

void sn_wino_result(sn_kb *kb, const sn_wino *w, int64_t n, const sn_wino_place *p, LLVMValueRef at, bool gathered)
{
    LLVMValueRef frame[SN_WINO_MAX_FRAMES] = {0}, sum[3][SN_WINO_MAX_POINTS];
    int64_t next = 0;
    for (int64_t c = 0; c < n; c++) {
        const sn_wino_short *in = w[c].inner;
        for (int64_t i = 0; i < in->points; i++) {
            if (!gathered) {
                gather(kb, &w[c], p, at, i, next, &sum[0][i], SN_WINO_MAX_POINTS);
                next += sn_wino_of_point(&w[c], i);
            }
            for (int64_t q = 0; q < w[c].frames / in->results && gathered; q++)
                sum[q][i] = load(kb, p->parts, next++ * p->part_step, at);
        }
        for (int64_t f = 0; f < w[c].frames; f++) {
            LLVMValueRef y = combine(kb, in->result + f % in->results, in->results, sum[f / in->results], 1, in->points);
            frame[f] = frame[f] ? LLVMBuildFAdd(kb->b, frame[f], y, "") : y;
        }
    }
    for (int64_t f = 0; f < w->frames; f++)
        store(kb, p->frames, f * p->frame_step, at, frame[f]);
}

void sn_wino_weights(sn_kb *kb, const sn_wino *w, LLVMValueRef *tap, LLVMValueRef *piece)
{
    const sn_wino_short *in = w->inner, *out = w->across;
    for (int64_t i = 0; i < in->points; i++) {
        LLVMValueRef group[SN_WINO_MAX_TAPS / 3];
        for (int64_t g = 0; g < w->groups; g++) {
            const int64_t left = w->taps - g * in->taps;
            group[g] = combine(kb, in->tap + i * in->taps, 1, tap + g * in->taps, 1, left < in->taps ? left : in->taps);
        }
        for (int64_t j = 0; j < sn_wino_of_point(w, i) && out; j++)
            piece[i * w->outer + j] = combine(kb, out->tap + j * out->taps, 1, group, 1, w->groups);
        for (int64_t g = 0; g < w->groups && !out; g++)
            piece[i * w->groups + g] = group[g];
    }
}

void sn_wino_gradient(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef at, int point)
{
    const sn_wino_short *in = w->inner, *out = w->across;
    const points range = points_of(w, point);
    LLVMValueRef y[SN_WINO_MAX_FRAMES];
    for (int64_t f = 0; f < w->frames; f++)
        y[f] = load(kb, p->frames, f * p->frame_step, at);
    for (int i = range.from; i < range.to; i++) {
        LLVMValueRef tile[3];
        for (int64_t q = 0; q < w->frames / in->results; q++)
            tile[q] = combine(kb, in->result + i * in->results, 1, y + q * in->results, 1, in->results);
        for (int64_t j = 0; j < sn_wino_of_point(w, i); j++) {
            LLVMValueRef part = out ? combine(kb, out->result + j * out->results, 1, tile, 1, out->results) : tile[0];
            store(kb, p->parts, ((i - range.from) * w->outer + j) * p->part_step, at, part);
        }
    }
}

void sn_wino_taps(sn_kb *kb, const sn_wino *w, LLVMValueRef *piece, LLVMValueRef *tap)
{
    const sn_wino_short *in = w->inner, *out = w->across;
    for (int64_t g = 0; g < w->groups; g++) {
        LLVMValueRef point[SN_WINO_MAX_POINTS];
        for (int64_t i = 0; i < in->points; i++)
            point[i] = out ? combine(kb, out->tap + g, out->taps, piece + i * w->outer, 1, sn_wino_of_point(w, i)) : piece[i * w->groups + g];
        for (int64_t k = 0; k < in->taps && g * in->taps + k < w->taps; k++)
            tap[g * in->taps + k] = combine(kb, in->tap + k, in->taps, point, 1, in->points);
    }
}
