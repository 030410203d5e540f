/* The sums before and after the products of fast convolutions over time.
 * Not the products, not the choice of tiles (kernel_contract_winograd.c). */
#include "winograd.h"

/* Points besides infinity.  With them all they lie about evenly on the circle of all numbers and infinity, which keeps sums small: used twice, four
 * make a third of the errors that 0, 1, -1, 2 do.  Seven are for a correlation that stands alone; with fewer taps it takes the first of them. */
static const float four[] = {0, -1, 0.5f, 2}, five[] = {0, 0.75f, -0.75f, 1.5f, -1.5f}, seven[] = {0, 1, -1, 0.5f, -0.5f, 2, -2};

/* row[k] = coefficient of the k-th power in the polynomial that is 0 at n points besides number `but`. */
static void vanishing(const float *point, int64_t n, int64_t but, double *row)
{
    row[0] = 1;
    for (int64_t i = 0, degree = 0; i < n; i++) {
        if (i == but)
            continue;
        row[degree + 1] = row[degree];
        for (int64_t k = degree; k > 0; k--)
            row[k] = row[k - 1] - point[i] * row[k];
        row[0] *= -point[i];
        degree++;
    }
}

/* Rows: value of the taps' polynomial at a point, over the derivative of the points' polynomial; the operands' by the polynomial that vanishes at
 * all other points, so that only infinity meets the last; the results' transposed. */
static sn_wino_short short_of(int64_t results, int64_t taps, const float *point)
{
    const int64_t finite = results + taps - 2;
    sn_wino_short s = {.results = results, .taps = taps, .points = finite + 1};
    for (int64_t i = 0; i <= finite; i++) {
        double row[SN_WINO_MAX_POINTS] = {0}, scale = 1, power = 1;
        vanishing(point, finite, i, row);
        for (int64_t k = 0; k < s.points; k++)
            s.source[i][k] = (float)row[k];
        for (int64_t k = 0; k < finite && i < finite; k++)
            scale *= k == i ? 1 : point[i] - point[k];
        for (int64_t k = 0; k < taps || k < results; k++, power *= i < finite ? point[i] : 0) {
            if (k < taps)
                s.tap[i][k] = (float)(i < finite ? power / scale : k == taps - 1);
            if (k < results)
                s.result[i][k] = (float)(i < finite ? power : k == results - 1);
        }
    }
    return s;
}

bool sn_wino_make(int64_t taps, sn_wino *out)
{
    if (taps < 3 || taps > SN_WINO_MAX_TAPS || (taps > 9 && taps % 3 != 0))
        return false;
    if (taps <= 5) {
        const sn_wino_short one = short_of(4, taps, taps == 3 ? five : seven);
        *out = (sn_wino){.taps = taps, .groups = 1, .inner = one, .outer = 1, .products = one.points, .segments = 1, .frames = one.results, .span = one.points};
        return true;
    }
    const sn_wino_short inner = short_of(3, 3, four);
    const int64_t groups = (taps + inner.taps - 1) / inner.taps;
    *out = (sn_wino){.taps = taps, .groups = groups, .inner = inner, .outer = 1, .segments = groups, .frames = inner.results, .span = inner.points};
    if (groups <= 3) {
        out->across = short_of(4, groups, groups == 2 ? four : five);
        out->outer = out->across.points;
        out->segments = 1;
        out->frames = inner.results * out->across.results;
        out->span = out->frames + taps - 1;
    }
    out->products = inner.points * out->outer - (taps % inner.taps != 0);
    return true;
}

int64_t sn_wino_of_point(const sn_wino *w, int64_t i)
{
    const int64_t left = w->products - i * w->outer;
    return left < w->outer ? left : w->outer;
}

LLVMValueRef sn_wino_count(sn_kb *kb, const sn_wino *w, LLVMValueRef point)
{
    return sn_kb_imin(kb, sn_kb_i64(kb, w->outer), sn_kb_isub(kb, sn_kb_i64(kb, w->products), sn_kb_imul(kb, point, sn_kb_i64(kb, w->outer))));
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

/* ---- transforms, as functions that kernels of an object share ---- */

/* The address of a frame or a component, which goes on to the next at every use. */
typedef struct cursor { LLVMValueRef at, step; } cursor;

typedef struct transform {
    sn_kb         *kb;
    const sn_wino *w;
    sn_kb_beside   beside;
    sn_loop        vector;
    cursor         frame, part;
} transform;

static LLVMValueRef next(sn_kb *kb, cursor *c)
{
    LLVMValueRef at = c->at;
    c->at = LLVMBuildGEP2(kb->b, LLVMInt8TypeInContext(kb->ctx), at, &c->step, 1, "");
    return at;
}

static LLVMValueRef load(transform *t, cursor *c) { return sn_kb_load(t->kb, next(t->kb, c), sn_kb_i64(t->kb, 0), t->kb->lanes, NULL); }

static void store(transform *t, cursor *c, LLVMValueRef v) { sn_kb_store(t->kb, next(t->kb, c), sn_kb_i64(t->kb, 0), v, NULL); }

enum { FRAMES, PARTS, FRAME_STEP, PART_STEP, FLOATS, POINT, PARAMS };

/* A call of the function of this name; true if its body is to be made now, up to `end`. */
static bool begin(transform *t, sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef floats, LLVMValueRef point, const char *name)
{
    LLVMTypeRef  type[PARAMS] = {kb->ptr, kb->ptr, kb->i64, kb->i64, kb->i64, kb->i64};
    LLVMValueRef arg[PARAMS] = {p->frames, p->parts, sn_kb_i64(kb, p->frame_step * (int64_t)sizeof(float)), sn_kb_i64(kb, p->part_step * (int64_t)sizeof(float)), floats, point};
    *t = (transform){.kb = kb, .w = w};
    return sn_kb_beside_begin(kb, &t->beside, name, type, arg, point ? PARAMS : POINT);
}

static void end(transform *t) { sn_kb_beside_end(t->kb, &t->beside); }

/* What is between these two is done for every vector. */
static void vectors_begin(transform *t)
{
    sn_kb *kb = t->kb;
    t->vector = sn_kb_for(kb, sn_kb_i64(kb, 0), LLVMGetParam(kb->fn, FLOATS), kb->lanes, NULL, 0);
    t->frame = (cursor){sn_kb_ptr(kb, LLVMGetParam(kb->fn, FRAMES), t->vector.i), LLVMGetParam(kb->fn, FRAME_STEP)};
    t->part = (cursor){sn_kb_ptr(kb, LLVMGetParam(kb->fn, PARTS), t->vector.i), LLVMGetParam(kb->fn, PART_STEP)};
}

static void vectors_end(transform *t) { sn_kb_endfor(t->kb, &t->vector, NULL); }

typedef void some_points(transform *t, int64_t from, int64_t to);

/* `make` for all points at once, or for the one that the function is told. */
static void for_points(transform *t, bool one, some_points *make)
{
    for (int64_t i = 0, n = t->w->inner.points; i < (one ? n : 1); i++) {
        sn_if is;
        if (one)
            is = sn_kb_if(t->kb, LLVMBuildICmp(t->kb->b, LLVMIntEQ, LLVMGetParam(t->kb->fn, POINT), sn_kb_i64(t->kb, i), ""));
        vectors_begin(t);
        make(t, one ? i : 0, one ? i + 1 : n);
        vectors_end(t);
        if (one)
            sn_kb_endif(t->kb, &is);
    }
}

static void source_points(transform *t, int64_t from, int64_t to)
{
    sn_kb *kb = t->kb;
    const sn_wino *w = t->w;
    const sn_wino_short *in = &w->inner;
    LLVMValueRef x[SN_WINO_MAX_SPAN], tile[SN_WINO_MAX_POINTS];
    for (int64_t f = 0; f < w->span; f++)
        x[f] = load(t, &t->frame);
    for (int64_t i = from; i < to; i++) {
        const int64_t n = sn_wino_of_point(w, i);
        for (int64_t k = 0; k < n; k++) {
            const int64_t left = w->span - k * in->results; /* what lies beyond meets no tap and may be anything: here it is 0 */
            tile[k] = combine(kb, in->source[i], 1, x + k * in->results, 1, left < in->points ? left : in->points);
        }
        for (int64_t j = 0; j < n; j++)
            store(t, &t->part, w->across.points ? combine(kb, w->across.source[j], 1, tile, 1, n) : tile[j]);
    }
}

void sn_wino_source(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef floats, LLVMValueRef point)
{
    transform t;
    if (!begin(&t, kb, w, p, floats, point, sn_format(&kb->arena, "sn_wino_source%s_%d", point ? "_point" : "", (int)w->taps)))
        return;
    for_points(&t, point != NULL, source_points);
    end(&t);
}

int64_t sn_wino_sums(const sn_wino *w) { return w->frames / w->inner.results * w->inner.points; }

/* sum[q * step] = tile q of the results of one point, from its components. */
static void gather(transform *t, const sn_wino *w, int64_t point, LLVMValueRef *sum, int64_t step)
{
    const int64_t n = sn_wino_of_point(w, point);
    LLVMValueRef v[SN_WINO_MAX_POINTS];
    for (int64_t j = 0; j < n; j++)
        v[j] = load(t, &t->part);
    for (int64_t q = 0; q < w->frames / w->inner.results; q++)
        sum[q * step] = w->across.points ? combine(t->kb, w->across.result[0] + q, SN_WINO_MAX_SHORT, v, 1, n) : v[0];
}

static void gather_points(transform *t, int64_t from, int64_t to)
{
    LLVMValueRef sum[SN_WINO_MAX_SHORT];
    for (int64_t i = from; i < to; i++) {
        gather(t, t->w, i, sum, 1);
        for (int64_t q = 0; q < t->w->frames / t->w->inner.results; q++)
            store(t, &t->frame, sum[q]);
    }
}

void sn_wino_gather(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef floats, LLVMValueRef point)
{
    transform t;
    if (!begin(&t, kb, w, p, floats, point, sn_format(&kb->arena, "sn_wino_gather_%d", (int)w->taps)))
        return;
    const bool alike = sn_wino_of_point(w, w->inner.points - 1) == w->outer; /* all points: one body serves them */
    if (alike) {
        vectors_begin(&t);
        gather_points(&t, 0, 1);
        vectors_end(&t);
    } else {
        for_points(&t, true, gather_points);
    }
    end(&t);
}

void sn_wino_result(sn_kb *kb, const sn_wino *w, int64_t n, const sn_wino_place *p, LLVMValueRef floats, bool gathered)
{
    const char *name = gathered ? "sn_wino_gathered" : "sn_wino_result";
    for (int64_t c = 0; c < n; c++)
        name = sn_format(&kb->arena, "%s_%d", name, (int)w[c].taps);
    transform t;
    if (!begin(&t, kb, w, p, floats, NULL, name))
        return;
    vectors_begin(&t);
    LLVMValueRef frame[SN_WINO_MAX_FRAMES] = {0}, sum[SN_WINO_MAX_SHORT][SN_WINO_MAX_POINTS];
    for (int64_t c = 0; c < n; c++) {
        const sn_wino_short *in = &w[c].inner;
        for (int64_t i = 0; i < in->points; i++) {
            if (!gathered)
                gather(&t, &w[c], i, &sum[0][i], SN_WINO_MAX_POINTS);
            for (int64_t q = 0; q < w[c].frames / in->results && gathered; q++)
                sum[q][i] = load(&t, &t.part);
        }
        for (int64_t f = 0; f < w[c].frames; f++) {
            LLVMValueRef y = combine(kb, in->result[0] + f % in->results, SN_WINO_MAX_SHORT, sum[f / in->results], 1, in->points);
            frame[f] = frame[f] ? LLVMBuildFAdd(kb->b, frame[f], y, "") : y;
        }
    }
    for (int64_t f = 0; f < w->frames; f++)
        store(&t, &t.frame, frame[f]);
    vectors_end(&t);
    end(&t);
}

static void gradient_points(transform *t, int64_t from, int64_t to)
{
    sn_kb *kb = t->kb;
    const sn_wino *w = t->w;
    const sn_wino_short *in = &w->inner;
    LLVMValueRef y[SN_WINO_MAX_FRAMES], tile[SN_WINO_MAX_SHORT];
    for (int64_t f = 0; f < w->frames; f++)
        y[f] = load(t, &t->frame);
    for (int64_t i = from; i < to; i++) {
        for (int64_t q = 0; q < w->frames / in->results; q++)
            tile[q] = combine(kb, in->result[i], 1, y + q * in->results, 1, in->results);
        for (int64_t j = 0; j < sn_wino_of_point(w, i); j++)
            store(t, &t->part, w->across.points ? combine(kb, w->across.result[j], 1, tile, 1, w->across.results) : tile[0]);
    }
}

void sn_wino_gradient(sn_kb *kb, const sn_wino *w, const sn_wino_place *p, LLVMValueRef floats, LLVMValueRef point)
{
    transform t;
    if (!begin(&t, kb, w, p, floats, point, sn_format(&kb->arena, "sn_wino_gradient_%d", (int)w->taps)))
        return;
    for_points(&t, true, gradient_points);
    end(&t);
}

/* ---- transforms of weights ---- */

void sn_wino_weights(sn_kb *kb, const sn_wino *w, LLVMValueRef *tap, LLVMValueRef *piece)
{
    const sn_wino_short *in = &w->inner, *out = w->across.points ? &w->across : NULL;
    for (int64_t i = 0; i < in->points; i++) {
        LLVMValueRef group[SN_WINO_MAX_TAPS / 3];
        for (int64_t g = 0; g < w->groups; g++) {
            const int64_t left = w->taps - g * in->taps;
            group[g] = combine(kb, in->tap[i], 1, tap + g * in->taps, 1, left < in->taps ? left : in->taps);
        }
        for (int64_t j = 0; j < sn_wino_of_point(w, i) && out; j++)
            piece[i * w->outer + j] = combine(kb, out->tap[j], 1, group, 1, w->groups);
        for (int64_t g = 0; g < w->groups && !out; g++)
            piece[i * w->groups + g] = group[g];
    }
}

void sn_wino_taps(sn_kb *kb, const sn_wino *w, LLVMValueRef *piece, LLVMValueRef *tap)
{
    const sn_wino_short *in = &w->inner, *out = w->across.points ? &w->across : NULL;
    for (int64_t g = 0; g < w->groups; g++) {
        LLVMValueRef point[SN_WINO_MAX_POINTS];
        for (int64_t i = 0; i < in->points; i++)
            point[i] = out ? combine(kb, out->tap[0] + g, SN_WINO_MAX_SHORT, piece + i * w->outer, 1, sn_wino_of_point(w, i)) : piece[i * w->groups + g];
        for (int64_t k = 0; k < in->taps && g * in->taps + k < w->taps; k++)
            tap[g * in->taps + k] = combine(kb, in->tap[0] + k, SN_WINO_MAX_SHORT, point, 1, in->points);
    }
}
