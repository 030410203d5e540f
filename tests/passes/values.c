/* Equal values before and after a pass, and gradients against central differences.
 * Not the interpreter (ir/reference.h). */
#include "values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void values_extents(const sn_graph *g, int64_t *symbol)
{
    int64_t other = 3;
    for (uint32_t i = 0; i < g->dims.symbols; i++) {
        const char *name = sn_dim_symbol_name(&g->dims, i);
        symbol[i] = strcmp(name, "N") == 0 ? 2 : strcmp(name, "T") == 0 ? 7 : other++;
    }
}

static uint64_t hash(const char *s)
{
    uint64_t h = 1469598103934665603u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h;
}

static double next_number(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / (double)(1ull << 53);
}

/* Numbers in -1 .. 1; states and second moments must be positive: 0.5 .. 1.5 for anything called "var". */
static double *numbers_for(const sn_graph *g, const sn_param *p, const int64_t *symbol)
{
    size_t n = 1;
    for (uint8_t i = 0; i < p->type.rank; i++)
        n *= (size_t)sn_dim_eval(&g->dims, p->type.dim[i], symbol);
    double *x = malloc((n + 1) * sizeof *x);
    uint64_t state = hash(p->name);
    const bool positive = strstr(p->name, "var") != NULL;
    for (size_t i = 0; i < n; i++)
        x[i] = positive ? 0.5 + next_number(&state) : 2 * next_number(&state) - 1;
    return x;
}

const double **values_params(const sn_graph *g, const int64_t *symbol)
{
    const double **x = calloc(g->params + 1, sizeof *x);
    for (uint32_t i = 0; i < g->params; i++)
        x[i] = numbers_for(g, &g->param[i], symbol);
    return x;
}

void values_free(const sn_graph *g, const double **param)
{
    for (uint32_t i = 0; i < g->params; i++)
        free((void *)(uintptr_t)param[i]);
    free(param);
}

typedef struct evaluation {
    int64_t        symbol[64];
    const double **param;
    sn_ref_run    *run;
} evaluation;

static evaluation evaluate(const sn_graph *g)
{
    evaluation e;
    values_extents(g, e.symbol);
    e.param = values_params(g, e.symbol);
    e.run = sn_ref_eval(g, &(sn_ref_setting){.symbol = e.symbol, .param = e.param, .seed = 1, .step = 2});
    return e;
}

static void evaluation_fini(const sn_graph *g, evaluation *e)
{
    sn_ref_free(e->run);
    values_free(g, e->param);
}

static bool arrays_agree(const sn_ref_array *x, const sn_ref_array *y, double tolerance, const char *name)
{
    double largest = 1e-30;
    if (x->count != y->count) {
        fprintf(stderr, "%s: %zu elements became %zu\n", name, x->count, y->count);
        return false;
    }
    for (size_t i = 0; i < x->count; i++)
        largest = fmax(largest, fabs(x->data[i]));
    for (size_t i = 0; i < x->count; i++)
        if (!(fabs(x->data[i] - y->data[i]) <= tolerance * fmax(largest, 1e-3))) {
            fprintf(stderr, "%s[%zu]: %.17g became %.17g\n", name, i, x->data[i], y->data[i]);
            return false;
        }
    return true;
}

bool values_agree(const sn_graph *a, const sn_graph *b, double tolerance)
{
    evaluation x = evaluate(a), y = evaluate(b);
    bool ok = true;
    for (uint32_t i = 0; i < a->outputs && ok; i++) {
        const sn_ref_array *other = sn_ref_output(y.run, a->output[i].name);
        ok = other && arrays_agree(sn_ref_value(x.run, a->output[i].ref), other, tolerance, a->output[i].name);
    }
    for (uint32_t i = 0; i < a->updates && i < b->updates && ok; i++)
        ok = arrays_agree(sn_ref_value(x.run, a->update[i].value), sn_ref_value(y.run, b->update[i].value), tolerance, "update");
    evaluation_fini(a, &x);
    evaluation_fini(b, &y);
    return ok;
}

static double value_of(const sn_graph *g, const evaluation *e, const char *of)
{
    sn_ref_run *run = sn_ref_eval(g, &(sn_ref_setting){.symbol = e->symbol, .param = e->param, .seed = 1, .step = 2});
    const double v = sn_ref_output(run, of)->data[0];
    sn_ref_free(run);
    return v;
}

static bool gradient_agrees(const sn_graph *g, evaluation *e, uint32_t param, const char *of, int samples, double tolerance)
{
    const double h = 1e-5;
    char name[512];
    snprintf(name, sizeof name, "grad.%s", g->param[param].name);
    const sn_ref_array *grad = sn_ref_output(e->run, name);
    if (!grad)
        return true;
    double *x = (double *)(uintptr_t)e->param[param], largest = 1e-3;
    for (size_t i = 0; i < grad->count; i++)
        largest = fmax(largest, fabs(grad->data[i]));
    for (int s = 0; s < samples; s++) {
        const size_t i = (size_t)s * 7919u % grad->count;
        const double keep = x[i];
        x[i] = keep + h;
        const double up = value_of(g, e, of);
        x[i] = keep - h;
        const double down = value_of(g, e, of);
        x[i] = keep;
        const double expected = (up - down) / (2 * h);
        if (!(fabs(expected - grad->data[i]) <= tolerance * largest)) {
            fprintf(stderr, "%s[%zu]: found %.9g, differences give %.9g\n", name, i, grad->data[i], expected);
            return false;
        }
    }
    return true;
}

bool values_gradients_agree(const sn_graph *g, const char *of, int samples, double tolerance)
{
    evaluation e = evaluate(g);
    bool ok = true;
    for (uint32_t i = 0; i < g->params && ok; i++)
        ok = gradient_agrees(g, &e, i, of, samples, tolerance);
    evaluation_fini(g, &e);
    return ok;
}
