/* For tests of kernels: see harness.h.
 * Buffers stand between guard numbers, so that writes outside are seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>

#include <cmocka.h>

#include "harness.h"

/* ---- schedules ---- */

typedef struct maker { sn_schedule *s; bool *stored, *taken; sn_kernel *k; uint32_t capacity; } maker;

static bool is_memory(const sn_graph *g, sn_ref r)
{
    return g->node[r.i].op == SN_OP_param || g->node[r.i].op == SN_OP_const;
}

static uint32_t add_buffer(maker *m, sn_ref r, uint32_t kernel)
{
    sn_schedule *s = m->s;
    if (s->buffer_of[r.i] != UINT32_MAX)
        return s->buffer_of[r.i];
    const sn_node *n = &s->g->node[r.i];
    sn_buffer b = {.node = r, .count = sn_type_count(&s->g->dims, &n->type), .first = kernel, .last = 1000000};
    b.place = n->op == SN_OP_param ? SN_PLACE_PARAM : n->op == SN_OP_const ? SN_PLACE_CONST : SN_PLACE_SLAB;
    b.index = n->op == SN_OP_param ? n->attrs.param.index : 0;
    s->buffer[s->buffers] = b;
    return s->buffer_of[r.i] = s->buffers++;
}

static void take(maker *m, sn_ref r)
{
    if (m->taken[r.i])
        return;
    m->taken[r.i] = true;
    if (is_memory(m->s->g, r) || m->stored[r.i]) {
        m->k->in[m->k->ins++] = r;
        add_buffer(m, r, 0);
        return;
    }
    const sn_node *n = &m->s->g->node[r.i];
    for (uint8_t i = 0; i < n->args; i++)
        take(m, n->arg[i]);
    m->k->body[m->k->bodies++] = r;
}

sn_schedule *cg_schedule(sn_graph *g, const cg_kernel *kernel, uint32_t n)
{
    sn_schedule *s = sn_schedule_new(g);
    s->kernel = sn_new_n(&s->arena, sn_kernel, n + 1);
    s->buffer = sn_new_n(&s->arena, sn_buffer, g->nodes + 1);
    s->buffer_of = sn_new_n(&s->arena, uint32_t, g->nodes + 1);
    memset(s->buffer_of, 0xff, g->nodes * sizeof *s->buffer_of);
    maker m = {.s = s, .stored = calloc(g->nodes + 1, 1), .taken = calloc(g->nodes + 1, 1)};
    for (uint32_t i = 0; i < n; i++) {
        sn_kernel *k = m.k = &s->kernel[s->kernels++];
        *k = (sn_kernel){.form = kernel[i].form, .anchor = kernel[i].anchor, .tiled = kernel[i].tiled, .outer = kernel[i].outer,
                         .chunk = kernel[i].chunk, .outs = kernel[i].outs, .name = sn_format(&s->arena, "k%u", i)};
        k->in = sn_new_n(&s->arena, sn_ref, g->nodes);
        k->body = sn_new_n(&s->arena, sn_ref, g->nodes);
        k->out = sn_new_n(&s->arena, sn_ref, k->outs);
        memset(m.taken, 0, g->nodes);
        for (uint32_t j = 0; j < k->outs; j++) {
            k->out[j] = kernel[i].out[j];
            take(&m, k->out[j]);
        }
        for (uint32_t j = 0; j < k->outs; j++) {
            m.stored[k->out[j].i] = true;
            add_buffer(&m, k->out[j], i);
        }
    }
    free(m.stored);
    free(m.taken);
    return s;
}

static void need(const sn_graph *g, bool *live, sn_ref r)
{
    if (live[r.i])
        return;
    live[r.i] = true;
    for (uint8_t i = 0; i < g->node[r.i].args; i++)
        need(g, live, g->node[r.i].arg[i]);
}

sn_schedule *cg_schedule_each(sn_graph *g)
{
    bool *live = calloc(g->nodes + 1, 1);
    for (uint32_t i = 0; i < g->outputs; i++)
        need(g, live, g->output[i].ref);
    cg_kernel *k = calloc(g->nodes + 1, sizeof *k);
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->nodes; i++) {
        const sn_node *x = &g->node[i];
        sn_ref r = {i};
        if (!live[i] || is_memory(g, r))
            continue;
        cg_kernel *c = &k[n++];
        *c = (cg_kernel){.form = SN_FORM_MAP, .anchor = SN_NONE, .out = {r}, .outs = 1};
        if (sn_op_get(x->op)->attrs == SN_ATTR_tile) {
            c->tiled = true;
            c->outer = x->attrs.tile.outer;
            c->chunk = x->attrs.tile.chunk;
            continue;
        }
        if (sn_op_has(x->op, SN_REDUCE | SN_CONTRACT | SN_SPECIAL))
            c->anchor = r;
        c->form = sn_op_has(x->op, SN_REDUCE) ? SN_FORM_REDUCE : sn_op_has(x->op, SN_CONTRACT) ? SN_FORM_CONTRACT
                  : sn_op_has(x->op, SN_SPECIAL) ? SN_FORM_SPECIAL : SN_FORM_MAP;
    }
    sn_schedule *s = cg_schedule(g, k, n);
    free(k);
    free(live);
    return s;
}

void cg_schedule_free(sn_schedule *s)
{
    s->g = NULL;
    sn_schedule_free(s);
}

/* ---- execution ---- */

static int64_t value_of(const sn_abi_program *p, const int64_t *symbol, int64_t d)
{
    if (d >= 0)
        return d;
    const sn_abi_dim_entry *e = &p->dim[~d];
    if (e->op == SN_ABI_DIM_SYMBOL)
        return symbol[e->a];
    int64_t a = value_of(p, symbol, e->a), b = value_of(p, symbol, e->b);
    switch (e->op) {
    case SN_ABI_DIM_ADD: return a + b;
    case SN_ABI_DIM_SUB: return a - b;
    case SN_ABI_DIM_MUL: return a * b;
    default: return a / b - (a % b != 0 && a < 0);
    }
}

enum { GUARD = 64 };
static const float guard_number = -12345.5f;

static float *guarded_new(size_t count)
{
    float *all = aligned_alloc(64, (count + 2 * GUARD + 15) / 16 * 64);
    for (size_t i = 0; i < count + 2 * GUARD; i++)
        all[i] = guard_number;
    return all + GUARD;
}

static bool guarded_intact(const float *x, size_t count)
{
    for (size_t i = 0; i < GUARD; i++)
        if (memcmp(&x[-1 - (ptrdiff_t)i], &guard_number, 4) != 0 || memcmp(&x[count + i], &guard_number, 4) != 0)
            return false;
    return true;
}

static void run_call(const sn_abi_program *p, const sn_abi_call *c, const int64_t *symbol, const cg_memory *m, int pieces, bool back)
{
    float **arg = calloc(c->args + 1, sizeof *arg);
    int64_t *dim = calloc(c->dims + 1, sizeof *dim);
    for (uint32_t i = 0; i < c->args; i++)
        arg[i] = m->buffer[c->arg[i]];
    for (uint32_t i = 0; i < c->dims; i++)
        dim[i] = value_of(p, symbol, c->dim[i]);
    int64_t tiles = value_of(p, symbol, c->tiles), scratch = value_of(p, symbol, c->scratch);
    sn_abi_args args = {arg, dim, CG_SEED, CG_STEP};
    for (int i = 0; i < pieces; i++) {
        int64_t n = back ? pieces - 1 - i : i, from = tiles * n / pieces, to = tiles * (n + 1) / pieces;
        size_t floats = (size_t)scratch / 4 + 1;
        float *room = guarded_new(floats);
        memset(room, 0x55 + i, floats * 4);
        if (from < to)
            c->kernel(&args, from, to, room);
        assert_true(guarded_intact(room, floats));
        free(room - GUARD);
    }
    free(arg);
    free(dim);
}

cg_memory cg_run(const sn_abi_program *p, const int64_t *symbol, float *const *param, int pieces, bool back)
{
    cg_memory m = {calloc(p->buffers + 1, sizeof(float *)), calloc(p->buffers + 1, sizeof(size_t)), calloc(p->buffers + 1, sizeof(bool)),
                   p->buffers};
    for (uint32_t i = 0; i < p->buffers; i++) {
        const sn_abi_buffer *b = &p->buffer[i];
        m.count[i] = (size_t)value_of(p, symbol, b->count);
        m.buffer[i] = b->place == SN_ABI_ALIAS ? NULL : guarded_new(m.count[i]);
        const float *from = b->place == SN_ABI_PARAM ? param[b->index] : b->place == SN_ABI_CONST ? b->data : NULL;
        if (from)
            memcpy(m.buffer[i], from, m.count[i] * sizeof(float));
    }
    for (uint32_t i = 0; i < p->buffers; i++)
        if ((m.alias[i] = p->buffer[i].place == SN_ABI_ALIAS))
            m.buffer[i] = m.buffer[p->buffer[i].index];
    for (uint32_t i = 0; i < p->calls; i++)
        run_call(p, &p->call[i], symbol, &m, pieces, back);
    for (uint32_t i = 0; i < p->buffers; i++)
        if (!guarded_intact(m.buffer[i], m.count[i]))
            fail_msg("a kernel wrote outside buffer %u", i);
    return m;
}

void cg_memory_free(cg_memory *m)
{
    for (uint32_t i = 0; i < m->buffers; i++)
        if (!m->alias[i])
            free(m->buffer[i] - GUARD);
    free(m->alias);
    free(m->buffer);
    free(m->count);
}

/* ---- parameters ---- */

static double next_random(uint64_t *s)
{
    *s = *s * 6364136223846793005u + 1442695040888963407u;
    uint64_t x = *s ^ *s >> 29;
    return (double)((x * 0x9E3779B97F4A7C15u) >> 40) * 0x1p-24;
}

cg_params cg_params_new(const sn_graph *g, const int64_t *symbol, uint64_t seed, double low, double high)
{
    cg_params p = {calloc(g->params + 1, sizeof(float *)), calloc(g->params + 1, sizeof(double *)), g->params};
    for (uint32_t i = 0; i < g->params; i++) {
        size_t count = 1;
        for (uint8_t j = 0; j < g->param[i].type.rank; j++)
            count *= (size_t)sn_dim_eval(&g->dims, g->param[i].type.dim[j], symbol);
        p.f[i] = malloc(count * sizeof(float) + 1);
        p.d[i] = malloc(count * sizeof(double) + 1);
        for (size_t j = 0; j < count; j++) {
            p.f[i][j] = (float)(low + (high - low) * next_random(&seed));
            p.d[i][j] = (double)p.f[i][j];
        }
    }
    return p;
}

void cg_params_free(cg_params *p)
{
    for (uint32_t i = 0; i < p->n; i++) {
        free(p->f[i]);
        free(p->d[i]);
    }
    free(p->f);
    free(p->d);
}

/* ---- comparison ---- */

static void compare(const sn_schedule *s, const cg_memory *m, const sn_ref_run *run, double tolerance, const char *name)
{
    for (uint32_t i = 0; i < s->buffers; i++) {
        const sn_ref_array *a = sn_ref_value(run, s->buffer[i].node);
        if (s->buffer[i].place != SN_PLACE_SLAB && s->buffer[i].place != SN_PLACE_OUTPUT)
            continue;
        assert_int_equal(a->count, m->count[i]);
        double largest = 0;
        for (size_t j = 0; j < a->count; j++)
            largest = isfinite(a->data[j]) ? fmax(largest, fabs(a->data[j])) : largest;
        for (size_t j = 0; j < a->count; j++) {
            double x = (double)m->buffer[i][j], y = a->data[j];
            bool same = x == y || (isnan(x) && isnan(y)) || fabs(x - y) <= tolerance * (1 + largest);
            if (!same)
                fail_msg("%s: %s, element %zu of %zu is %.9g, expected %.9g", name,
                         sn_op_get(sn_at(s->g, s->buffer[i].node)->op)->name, j, a->count, x, y);
        }
    }
}

static void compare_bits(const cg_memory *a, const cg_memory *b, const char *name)
{
    for (uint32_t i = 0; i < a->buffers; i++)
        if (memcmp(a->buffer[i], b->buffer[i], a->count[i] * sizeof(float)) != 0)
            fail_msg("%s: buffer %u depends on the grouping of tiles", name, i);
}

void cg_check(sn_schedule *s, const int64_t *symbol, const cg_params *params, double tolerance, const char *cpu, const char *name)
{
    sn_diags diags;
    sn_diags_init(&diags);
    sn_compiled *c = sn_compile(s, &(sn_codegen_options){.cpu = cpu, .threads = 1}, &diags);
    if (!c) {
        sn_diags_print(&diags, stderr);
        fail_msg("%s: does not compile", name);
    }
    const sn_abi_program *p = sn_compiled_program(c);
    cg_memory one = cg_run(p, symbol, params->f, 1, false), three = cg_run(p, symbol, params->f, 3, true);
    sn_ref_run *run = sn_ref_eval(s->g, &(sn_ref_setting){.symbol = symbol, .param = (const double *const *)params->d, .seed = CG_SEED, .step = CG_STEP});
    compare(s, &one, run, tolerance, name);
    compare_bits(&one, &three, name);
    sn_ref_free(run);
    cg_memory_free(&one);
    cg_memory_free(&three);
    sn_compiled_free(c);
    sn_diags_fini(&diags);
}
