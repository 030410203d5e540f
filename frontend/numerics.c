/* Every value that kernels store, against the reference interpreter.
 * Not the interpreter (ir/reference.c), not the report (cmd_verify.c). */
#include "numerics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BEYOND = 4 }; /* how often the distance that doubt makes */

/* ---- the reference ------------------------------------------------------------------------------------------------------ */

static void give_params(sn_ref_run *run, const sn_graph *g, const sn_bound *b)
{
    size_t count;
    for (uint32_t i = 0; i < g->nodes; i++) {
        if (g->node[i].op != SN_OP_param) continue;
        const uint32_t param = sn_rt_find_param(b->program, g->param[g->node[i].attrs.param.index].name);
        if (param != SN_RT_NONE) sn_ref_give(run, (sn_ref){i}, sn_bound_param(b, param, &count));
    }
}

static void share(int64_t n, sn_rt_tile_fn *fn, void *context) { sn_rt_parallel_for(0, n, fn, context); }

/* All nodes from the inputs on. */
static sn_ref_run *whole_run(const sn_graph *g, const sn_bound *b, const sn_ref_setting *setting)
{
    sn_ref_run *run = sn_ref_new(g, setting);
    give_params(run, g, b);
    for (uint32_t i = 0; i < g->nodes; i++)
        if (g->node[i].op != SN_OP_param) sn_ref_compute(run, (sn_ref){i});
    return run;
}

double sn_numerics_bytes(const sn_numerics_side *side)
{
    const sn_graph *g = side->program->schedule->g;
    double bytes = 0;
    for (uint32_t i = 0; i < g->nodes; i++) {
        double count = sizeof(double);
        for (uint8_t d = 0; d < g->node[i].type.rank; d++) count *= (double)sn_dim_eval(&g->dims, g->node[i].type.dim[d], side->bound->extent);
        bytes += count;
    }
    return bytes;
}

/* ---- one build ---------------------------------------------------------------------------------------------------------- */

typedef struct pass { /* over the calls of a build */
    sn_numerics            *v;
    const sn_numerics_side *side;
    const sn_schedule    *s;
    sn_numerics_build      *out;
    bool                  alone;
} pass;

static const float *memory_of(const pass *p, sn_ref r)
{
    size_t count;
    return sn_rt_session_buffer(p->side->bound->session, p->s->buffer_of[r.i], &count);
}

/* The kernel's nodes, of what it read. */
static sn_ref_run *kernel_run(const pass *p, const sn_kernel *k, const sn_ref_setting *setting)
{
    sn_ref_run *run = sn_ref_new(p->s->g, setting);
    for (uint32_t i = 0; i < k->ins; i++) sn_ref_give(run, k->in[i], memory_of(p, k->in[i]));
    for (uint32_t i = 0; i < k->bodies; i++) sn_ref_compute(run, k->body[i]);
    return run;
}

static double largest_of(const sn_ref_array *y)
{
    double largest = 0;
    for (size_t j = 0; j < y->count; j++) largest = isfinite(y->data[j]) ? fmax(largest, fabs(y->data[j])) : largest;
    return largest;
}

/* Infinite where one is not a number and the other is another. */
static double distance(double x, double y)
{
    if (isfinite(x) && isfinite(y)) return fabs(x - y);
    return (isnan(x) && isnan(y)) || x == y ? 0 : INFINITY;
}

/* Element with the largest distance. */
static size_t farthest(const float *x, const sn_ref_array *y, double *out)
{
    size_t at = 0;
    *out = 0;
    for (size_t j = 0; j < y->count; j++) {
        const double d = distance((double)x[j], y->data[j]);
        if (d > *out) *out = d, at = j;
    }
    return at;
}

/* The error, of the largest number, that rounding cannot explain; *f says where it is and how large it is with what can be explained. */
static double beyond_doubt(const pass *p, const float *x, const sn_ref_array *y, const sn_ref_array *up, const sn_ref_array *down, sn_numerics_fault *f)
{
    const double largest = fmax(largest_of(y), 1e-30);
    double square = 0, worst = 0;
    for (size_t j = 0; j < y->count; j++) {
        const double d = fmax(distance(up->data[j], y->data[j]), distance(down->data[j], y->data[j]));
        square += isfinite(d) ? d * d : 0;
    }
    square = sqrt(square / (double)(y->count ? y->count : 1));
    for (size_t j = 0; j < y->count; j++) {
        const double d = distance((double)x[j], y->data[j]);
        const double doubt = BEYOND * (square + fmax(distance(up->data[j], y->data[j]), distance(down->data[j], y->data[j])));
        const double beyond = isfinite(d) ? d - doubt : INFINITY; /* no rounding makes a number of what is none */
        if (beyond <= worst) continue;
        worst = beyond;
        *f = (sn_numerics_fault){f->kernel, f->node, j, (double)x[j], y->data[j], d / largest, p->v->tolerance + doubt / largest, false};
    }
    return worst / largest;
}

static double sum_of_squares(const sn_ref_array *y)
{
    double sum = 0;
    for (size_t j = 0; j < y->count; j++) sum += y->data[j] * y->data[j];
    return sum;
}

/* Root of the sum of squares of distances, of that of y. */
static double drift_of(const float *x, const double *v, const sn_ref_array *y)
{
    double sum = 0;
    for (size_t j = 0; j < y->count; j++) {
        const double d = distance(v ? v[j] : (double)x[j], y->data[j]);
        sum += d * d;
    }
    return sum == 0 ? 0 : sqrt(sum / fmax(sum_of_squares(y), 1e-60));
}

/* What is left of a drift when rounding has explained what it can. */
static double unexplained(sn_numerics *v, sn_ref r, double drift)
{
    static const double CLEAR = 1e-4; /* not worth another reference */
    if (drift <= CLEAR) return drift;
    if (!v->doubted) {
        v->doubt = v->setting;
        v->doubt.doubt = 1;
        v->doubted = whole_run(v->fused.program->schedule->g, v->fused.bound, &v->doubt);
    }
    return fmax(0, drift - BEYOND * drift_of(NULL, sn_ref_value(v->doubted, r)->data, sn_ref_value(v->whole, r)));
}

static bool check_own(pass *p, uint32_t kernel, sn_numerics_fault *f)
{
    const sn_kernel *k = &p->s->kernel[kernel];
    sn_ref_setting up = p->v->setting, down = up;
    sn_ref_run *run = kernel_run(p, k, &p->v->setting), *doubt[2] = {NULL, NULL};
    bool failed = false;
    up.doubt = 1, down.doubt = -1;
    for (uint32_t i = 0; i < k->outs && !failed; i++) {
        const sn_ref_array *y = sn_ref_value(run, k->out[i]);
        const float *x = memory_of(p, k->out[i]);
        double far;
        farthest(x, y, &far);
        double own = far / fmax(largest_of(y), 1e-30);
        f->node = k->out[i];
        if (own > p->v->tolerance && !doubt[0]) doubt[0] = kernel_run(p, k, &up), doubt[1] = kernel_run(p, k, &down);
        if (own > p->v->tolerance) own = beyond_doubt(p, x, y, sn_ref_value(doubt[0], f->node), sn_ref_value(doubt[1], f->node), f);
        failed = own > p->v->tolerance;
        if (p->alone) p->v->alone_own[f->node.i] = own;
        if (!failed && own > p->out->own) p->out->own = own, p->out->own_kernel = kernel;
        p->out->values++;
    }
    sn_ref_free(run);
    sn_ref_free(doubt[0]);
    sn_ref_free(doubt[1]);
    return !failed;
}

static bool check_drift(pass *p, uint32_t kernel, sn_numerics_fault *f)
{
    const sn_kernel *k = &p->s->kernel[kernel];
    for (uint32_t i = 0; i < k->outs; i++) {
        const sn_ref r = k->out[i];
        const sn_ref_array *y = sn_ref_value(p->v->whole, r);
        const float *x = memory_of(p, r);
        const double drift = unexplained(p->v, r, drift_of(x, NULL, y));
        double far;
        if (p->v->drift > 0 && !(drift <= p->v->drift)) {
            const size_t at = farthest(x, y, &far);
            *f = (sn_numerics_fault){kernel, r, at, (double)x[at], y->data[at], drift, p->v->drift, true};
            return false;
        }
        if (drift > p->out->drift) p->out->drift = drift, p->out->drift_kernel = kernel;
    }
    return true;
}

/* Keep what the fused build stores, too; or compare with what was kept. */
static void compare_builds(pass *p, const sn_kernel *k)
{
    sn_numerics *v = p->v;
    for (uint32_t i = 0; i < k->outs; i++) {
        const uint32_t n = k->out[i].i;
        const sn_ref_array *y = sn_ref_value(v->whole, k->out[i]);
        const float *x = memory_of(p, k->out[i]);
        if (p->alone && v->fused.program->schedule->buffer_of[n] != UINT32_MAX && (v->copy[n] = malloc(y->count * sizeof(float) + 1)))
            memcpy(v->copy[n], x, y->count * sizeof(float));
        if (p->alone || !v->copy[n]) continue;
        double sum = 0;
        for (size_t j = 0; j < y->count; j++) sum += pow(distance((double)x[j], (double)v->copy[n][j]), 2);
        v->between = fmax(v->between, sum == 0 ? 0 : sqrt(sum / fmax(sum_of_squares(y), 1e-60)));
    }
}

static sn_rt_status after_call(void *context, uint32_t call, sn_rt_error *err)
{
    pass *p = context;
    bool last;
    if (!p->alone && p->v->trap) {
        const sn_rt_status trapped = sn_trap_look(p->v->trap, call, err);
        if (trapped != SN_RT_OK) return trapped;
    }
    const uint32_t kernel = sn_compiled_kernel(p->side->program->compiled, call, &last);
    if (!last) return SN_RT_OK;
    sn_numerics_fault f = {.kernel = kernel};
    p->out->kernels++;
    compare_builds(p, &p->s->kernel[kernel]);
    const bool right = check_own(p, kernel, &f) && check_drift(p, kernel, &f);
    if (!p->alone && p->v->caught && (kernel == p->v->catch || !right)) p->v->caught(p->v->context, kernel);
    if (right) return SN_RT_OK;
    p->out->failed = true;
    p->out->fault = f;
    return sn_rt_fail(err, SN_RT_STOPPED, "out of tolerance");
}

static bool run_build(sn_numerics *v, const sn_numerics_side *side, bool alone)
{
    pass p = {v, side, side->program->schedule, alone ? &v->of_alone : &v->of_fused, alone};
    sn_rt_error err;
    sn_rt_session_watch(side->bound->session, after_call, &p);
    const sn_rt_status status = sn_rt_session_run(side->bound->session, v->seed, v->step, &err);
    sn_rt_session_watch(side->bound->session, NULL, NULL);
    return p.out->failed || sn_bound_done(side->bound, status, &err);
}

bool sn_numerics_run(sn_numerics *v)
{
    const sn_graph *g = v->fused.program->schedule->g;
    v->alone_own = calloc(g->nodes + 1u, sizeof *v->alone_own);
    v->copy = calloc(g->nodes + 1u, sizeof *v->copy);
    SN_ASSERT(v->alone_own && v->copy, "out of memory");
    SN_ASSERT(!v->alone.program || sn_graph_equal(g, v->alone.program->schedule->g), "the two builds are of different graphs");
    v->setting = (sn_ref_setting){.symbol = v->fused.bound->extent, .seed = v->seed, .step = v->step, .share = share};
    v->whole = whole_run(g, v->fused.bound, &v->setting);
    return (!v->alone.program || run_build(v, &v->alone, true)) && run_build(v, &v->fused, false);
}

void sn_numerics_fini(sn_numerics *v)
{
    for (uint32_t i = 0; v->copy && i < v->fused.program->schedule->g->nodes; i++) free(v->copy[i]);
    free(v->copy);
    free(v->alone_own);
    sn_ref_free(v->whole);
    sn_ref_free(v->doubted);
}

/* ---- passes ------------------------------------------------------------------------------------------------------------- */

static const double SAME = 1e-6; /* between two double precision evaluations of the same meaning */

typedef struct comparison { /* of the outputs of two graphs */
    const sn_graph       *a, *b;
    const sn_bound       *bound;
    sn_ref_setting        setting, doubt;
    sn_ref_run           *x, *y, *doubted; /* of a, of b, of a in doubt: made when something differs */
    char                 *out;
    size_t                size;
} comparison;

/* Comparisons of what is equal but for rounding decide otherwise in another order of sums, in double precision, too. */
static double doubt_of(comparison *c, sn_ref r, size_t element)
{
    if (!c->doubted) {
        c->doubt = c->setting;
        c->doubt.doubt = 1;
        c->doubted = whole_run(c->a, c->bound, &c->doubt);
    }
    return distance(sn_ref_value(c->doubted, r)->data[element], sn_ref_value(c->x, r)->data[element]);
}

static bool is_same(comparison *c, sn_ref a, const sn_ref_array *y, const char *what)
{
    const sn_ref_array *x = sn_ref_value(c->x, a);
    const double largest = fmax(largest_of(x), 1e-3);
    for (size_t j = 0; j < x->count && j < y->count; j++) {
        const double d = distance(x->data[j], y->data[j]);
        if (d <= SAME * largest || d <= SAME * largest + BEYOND * doubt_of(c, a, j)) continue;
        snprintf(c->out, c->size, "%s: element %zu is %.9g, was %.9g", what, j, y->data[j], x->data[j]);
        return false;
    }
    return true;
}

bool sn_numerics_same(const sn_numerics *v, const sn_graph *a, const sn_graph *b, char *out, size_t size)
{
    comparison c = {.a = a, .b = b ? b : v->fused.program->schedule->g, .bound = v->fused.bound, .setting = v->setting, .out = out, .size = size};
    bool same = true;
    c.x = whole_run(a, c.bound, &c.setting);
    c.y = b ? whole_run(b, c.bound, &c.setting) : v->whole;
    for (uint32_t i = 0; i < a->outputs && same; i++) {
        const sn_ref_array *other = sn_ref_output(c.y, a->output[i].name);
        if (other) same = is_same(&c, a->output[i].ref, other, a->output[i].name);
    }
    for (uint32_t i = 0; i < a->updates && i < c.b->updates && same; i++)
        same = is_same(&c, a->update[i].value, sn_ref_value(c.y, c.b->update[i].value), a->param[a->update[i].param].name);
    sn_ref_free(c.x);
    if (b) sn_ref_free(c.y);
    sn_ref_free(c.doubted);
    return same;
}
