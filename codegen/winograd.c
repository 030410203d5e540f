/* The sums before and after the products of fast convolutions over time.
 * Not the products, not the choice of tiles (kernel_contract_winograd.c). */
#include "winograd.h"

/* Three results of three taps: value of the taps' polynomial at the points, over the derivative of the points' polynomial; values of the results'
 * transposed; operands' by the polynomials that vanish at all other points. */
static const float taps3[5][3] = {{1 / 2.f, 0, 0}, {-1 / 2.f, -1 / 2.f, -1 / 2.f}, {-1 / 6.f, 1 / 6.f, -1 / 6.f}, {1 / 6.f, 1 / 3.f, 2 / 3.f}, {0, 0, 1}};
static const float source3[5][5] = {{2, -1, -2, 1, 0}, {0, -2, -1, 1, 0}, {0, 2, -3, 1, 0}, {0, -1, 0, 1, 0}, {0, 2, -1, -2, 1}};
static const float result3[5][3] = {{1, 0, 0}, {1, 1, 1}, {1, -1, 1}, {1, 2, 4}, {0, 0, 1}};

/* Two results of three taps. */
static const float taps2[4][3] = {{-1, 0, 0}, {1 / 2.f, 1 / 2.f, 1 / 2.f}, {1 / 2.f, -1 / 2.f, 1 / 2.f}, {0, 0, 1}};
static const float source2[4][4] = {{-1, 0, 1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, -1, 0, 1}};
static const float result2[4][2] = {{1, 0}, {1, 1}, {1, -1}, {0, 1}};

bool sn_wino_make(int64_t taps, sn_wino *out)
{
    if (taps < 3 || taps % 3 != 0 || taps > SN_WINO_MAX_TAPS)
        return false;
    const bool nested = taps == 9;
    *out = (sn_wino){.taps = taps, .groups = taps / 3, .nested = nested, .outer = nested ? 4 : 1, .products = nested ? 20 : 5,
                     .segments = nested ? 1 : taps / 3, .frames = nested ? 6 : 3, .span = nested ? 14 : 5};
    return true;
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

void sn_wino_source(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef at, int point)
{
    LLVMValueRef x[SN_WINO_MAX_SPAN];
    for (int64_t f = 0; f < w->span; f++)
        x[f] = load(kb, p->frames, f * p->frame_step, at);
    const int from = point < 0 ? 0 : point, to = point < 0 ? SN_WINO_POINTS : point + 1;
    for (int i = from; i < to; i++) {
        LLVMValueRef tile[4];
        for (int64_t t = 0; t < w->outer; t++)
            tile[t] = combine(kb, source3[i], 1, x + t * SN_WINO_INNER, 1, SN_WINO_POINTS);
        for (int64_t j = 0; j < w->outer; j++)
            store(kb, p->parts, ((i - from) * w->outer + j) * p->part_step, at, w->nested ? combine(kb, source2[j], 1, tile, 1, 4) : tile[j]);
    }
}

void sn_wino_result(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef at)
{
    LLVMValueRef sum[2][SN_WINO_POINTS];
    for (int64_t i = 0; i < SN_WINO_POINTS; i++) {
        LLVMValueRef v[4];
        for (int64_t j = 0; j < w->outer; j++)
            v[j] = load(kb, p->parts, (i * w->outer + j) * p->part_step, at);
        for (int64_t q = 0; q < w->frames / SN_WINO_INNER; q++)
            sum[q][i] = w->nested ? combine(kb, &result2[0][q], 2, v, 1, 4) : v[0];
    }
    for (int64_t f = 0; f < w->frames; f++)
        store(kb, p->frames, f * p->frame_step, at, combine(kb, &result3[0][f % SN_WINO_INNER], 3, sum[f / SN_WINO_INNER], 1, SN_WINO_POINTS));
}

void sn_wino_weights(sn_kb *kb, const sn_wino *w, LLVMValueRef *tap, LLVMValueRef *out)
{
    for (int64_t i = 0; i < SN_WINO_POINTS; i++) {
        LLVMValueRef group[SN_WINO_MAX_TAPS / 3];
        for (int64_t g = 0; g < w->groups; g++)
            group[g] = combine(kb, taps3[i], 1, tap + g * 3, 1, 3);
        for (int64_t j = 0; j < w->outer && w->nested; j++)
            out[i * w->outer + j] = combine(kb, taps2[j], 1, group, 1, 3);
        for (int64_t g = 0; g < w->groups && !w->nested; g++)
            out[i * w->groups + g] = group[g];
    }
}

void sn_wino_gradient(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef at, int point)
{
    LLVMValueRef y[SN_WINO_MAX_FRAMES];
    for (int64_t f = 0; f < w->frames; f++)
        y[f] = load(kb, p->frames, f * p->frame_step, at);
    const int from = point < 0 ? 0 : point, to = point < 0 ? SN_WINO_POINTS : point + 1;
    for (int i = from; i < to; i++) {
        LLVMValueRef tile[2];
        for (int64_t q = 0; q < w->frames / SN_WINO_INNER; q++)
            tile[q] = combine(kb, result3[i], 1, y + q * SN_WINO_INNER, 1, SN_WINO_INNER);
        for (int64_t j = 0; j < w->outer; j++)
            store(kb, p->parts, ((i - from) * w->outer + j) * p->part_step, at, w->nested ? combine(kb, result2[j], 1, tile, 1, 2) : tile[0]);
    }
}

void sn_wino_taps(sn_kb *kb, const sn_wino *w, LLVMValueRef *part, LLVMValueRef *tap)
{
    for (int64_t g = 0; g < w->groups; g++) {
        LLVMValueRef point[SN_WINO_POINTS];
        for (int64_t i = 0; i < SN_WINO_POINTS; i++)
            point[i] = w->nested ? combine(kb, &taps2[0][g], 3, part + i * w->outer, 1, 4) : part[i * w->groups + g];
        for (int64_t k = 0; k < 3; k++)
            tap[g * 3 + k] = combine(kb, &taps3[0][k], 3, point, 1, SN_WINO_POINTS);
    }
}
