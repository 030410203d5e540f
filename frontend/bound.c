/* A compiled program with its inputs and weights: reading, drawing, fitting, starting.
 * Not what becomes of its results (execute.c, numerics.c). */
#include "bound.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/data/npy.h"
#include "../runtime/data/safetensors.h"
#include "lookup.h"

void sn_bound_complain(sn_bound *b, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    b->say(b->ctx, text);
    b->ok = false;
}

bool sn_bound_done(sn_bound *b, sn_rt_status status, const sn_rt_error *err)
{
    if (status != SN_RT_OK) sn_bound_complain(b, "%s", err->text);
    return status == SN_RT_OK;
}

/* ---- inputs ------------------------------------------------------------------------------------------------------------- */

/* "f32[N,T,25,3]": free dimensions by their names. */
static void type_text(const sn_abi_program *p, const sn_abi_tensor *t, char *out, size_t n)
{
    size_t at = (size_t)snprintf(out, n, "f32[");
    for (uint32_t i = 0; i < t->rank && at < n; i++) {
        int64_t d = t->dim[i];
        const char *comma = i ? "," : "";
        if (d >= 0) at += (size_t)snprintf(out + at, n - at, "%s%lld", comma, (long long)d);
        else if (p->dim[~d].op == SN_ABI_DIM_SYMBOL) at += (size_t)snprintf(out + at, n - at, "%s%s", comma, p->symbol[p->dim[~d].a]);
        else at += (size_t)snprintf(out + at, n - at, "%s?", comma);
    }
    if (at < n) snprintf(out + at, n - at, "]");
}

static void unknown_input(sn_bound *b, const char *name, uint32_t grad)
{
    const sn_abi_program *p = b->program;
    const char **candidate = calloc(p->params + p->outputs + 1, sizeof *candidate);
    uint32_t n = 0;
    SN_ASSERT(candidate, "out of memory");
    for (uint32_t i = 0; !grad && i < p->params; i++)
        if (p->param[i].kind == SN_ABI_INPUT && strncmp(p->param[i].name, "seed.", 5) != 0) candidate[n++] = p->param[i].name;
    for (uint32_t i = 0; grad && i < p->outputs; i++)
        if (p->output[i].gradient_of < 0) candidate[n++] = p->output[i].name;
    const char *near = sn_nearest(name, candidate, n), *kind = grad ? "output" : "input";
    if (near) sn_bound_complain(b, "%s: no %s \"%s\"; did you mean \"%s\"?", grad ? "--grad" : "--in", kind, name, near);
    else sn_bound_complain(b, "%s: no %s \"%s\"", grad ? "--grad" : "--in", kind, name);
    free(candidate);
}

/* "name=file" into the parameter's array. */
static void read_input(sn_bound *b, const char *pair, bool grad)
{
    const sn_abi_program *p = b->program;
    const char *equals = strchr(pair, '=');
    sn_rt_error err;
    char name[256];
    snprintf(name, sizeof name, "%s%.*s", grad ? "seed." : "", (int)(equals - pair), pair);
    const char *word = grad ? name + 5 : name, *what = grad ? "--grad" : "--in";
    uint32_t i = sn_rt_find_param(p, name);
    if (i == SN_RT_NONE || p->param[i].kind != SN_ABI_INPUT || (!grad && strncmp(name, "seed.", 5) == 0)) {
        unknown_input(b, word, grad);
        return;
    }
    if (b->named[i]) sn_bound_complain(b, "%s %s: given twice", what, word);
    else if (sn_rt_npy_read(equals + 1, &b->array[i], &err) != SN_RT_OK || sn_rt_array_finite(&b->array[i], equals + 1, &err) != SN_RT_OK)
        sn_bound_complain(b, "%s %s: %s", what, word, err.text);
    b->named[i] = true;
}

/* Does the array fit the parameter?  Binds symbols on the way. */
static bool fits(sn_bound *b, uint32_t param)
{
    const sn_abi_program *p = b->program;
    const sn_rt_array *a = &b->array[param];
    bool ok = a->elem == SN_RT_ELEM_F32 && sn_rt_program_fits(p, &p->param[param].type, a->rank, a->dims, b->extent);
    for (uint32_t s = 0; s < p->symbols; s++)
        if (b->extent[s] && !b->bound_by[s]) b->bound_by[s] = p->param[param].name;
    return ok;
}

static void misfit(sn_bound *b, uint32_t param)
{
    const sn_abi_program *p = b->program;
    const sn_abi_tensor *t = &p->param[param].type;
    const sn_rt_array *a = &b->array[param];
    const char *name = p->param[param].name;
    bool grad = strncmp(name, "seed.", 5) == 0;
    char found[160], expected[160], with[200] = "";
    sn_rt_shape_text(a->elem, a->rank, a->dims, found, sizeof found);
    type_text(p, t, expected, sizeof expected);
    for (uint32_t i = 0; i < t->rank && i < a->rank; i++) {
        int64_t d = t->dim[i];
        if (d >= 0 || p->dim[~d].op != SN_ABI_DIM_SYMBOL || !b->extent[p->dim[~d].a] || b->extent[p->dim[~d].a] == (int64_t)a->dims[i]) continue;
        int64_t s = p->dim[~d].a;
        snprintf(with, sizeof with, " with %s = %lld as in %s", p->symbol[s], (long long)b->extent[s], b->bound_by[s]);
        break;
    }
    sn_bound_complain(b, "%s %s: found %s, expected %s%s", grad ? "--grad" : "--in", grad ? name + 5 : name, found, expected, with);
}

void sn_bound_extent(sn_bound *b, const char *pair)
{
    const sn_abi_program *p = b->program;
    const size_t n = strcspn(pair, "=");
    char *end;
    uint32_t s = 0;
    while (s < p->symbols && (strncmp(p->symbol[s], pair, n) != 0 || p->symbol[s][n])) s++;
    const long long value = pair[n] ? strtoll(pair + n + 1, &end, 10) : 0;
    if (s == p->symbols) {
        const char *near = sn_nearest(sn_strndup(&b->arena, pair, n), p->symbol, p->symbols);
        sn_bound_complain(b, "--set %s: the program has no free dimension of that name%s%s%s", pair,
                          near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    } else if (value < 1 || *end) {
        sn_bound_complain(b, "--set %s: expected a number of at least 1", pair);
    } else {
        b->extent[s] = value;
        b->bound_by[s] = "--set";
    }
}

void sn_bound_read(sn_bound *b, const char *const *names, uint32_t inputs, uint32_t grads)
{
    for (uint32_t i = 0; i < inputs + grads; i++) read_input(b, names[i], i >= inputs);
    for (uint32_t i = 0; i < b->program->params; i++)
        if (b->array[i].data && !fits(b, i)) misfit(b, i);
}

void sn_bound_need(sn_bound *b)
{
    const sn_abi_program *p = b->program;
    for (uint32_t i = 0; i < p->params; i++) {
        char expected[160];
        if (p->param[i].kind != SN_ABI_INPUT || b->named[i]) continue;
        type_text(p, &p->param[i].type, expected, sizeof expected);
        sn_bound_complain(b, "--in %s=FILE is missing: input %s is %s", p->param[i].name, p->param[i].name, expected);
    }
    for (uint32_t s = 0; b->ok && s < p->symbols; s++)
        if (!b->extent[s]) sn_bound_complain(b, "dimension %s is bound by no input: give it with --set %s=NUMBER", p->symbol[s], p->symbol[s]);
}

/* ---- drawing ------------------------------------------------------------------------------------------------------------ */

void sn_bound_draw(sn_bound *b, uint64_t seed)
{
    const sn_abi_program *p = b->program;
    for (uint32_t s = 0; s < p->symbols; s++) {
        if (!b->extent[s]) b->extent[s] = !strcmp(p->symbol[s], "N") ? 2 : !strcmp(p->symbol[s], "T") ? 32 : 0;
        if (!b->extent[s]) sn_bound_complain(b, "dimension %s is bound by no input: give it with --set %s=NUMBER", p->symbol[s], p->symbol[s]);
    }
    b->drawn = seed;
    b->draws = true;
}

/* Once sizes are known. */
static bool make_input(sn_bound *b, uint32_t param, const float *data)
{
    const sn_abi_param *p = &b->program->param[param];
    int64_t extent[SN_ABI_MAX_RANK];
    uint64_t dims[SN_ABI_MAX_RANK];
    sn_rt_error err;
    sn_rt_session_shape(b->session, &p->type, extent);
    for (uint32_t i = 0; i < p->type.rank; i++) dims[i] = (uint64_t)extent[i];
    if (!sn_bound_done(b, sn_rt_array_init(SN_RT_ELEM_F32, p->type.rank, dims, &b->array[param], &err), &err)) return false;
    if (data) memcpy(b->array[param].data, data, b->array[param].bytes);
    else sn_rt_init_fill(SN_ABI_NORMAL, 0, 0.3, p->name, b->drawn, 0, b->array[param].data, b->array[param].bytes / sizeof(float), 1);
    return true;
}

/* ---- weights ------------------------------------------------------------------------------------------------------------ */

static void load_param(sn_bound *b, const sn_bound_start_options *o, const sn_rt_tensors *set, uint32_t i)
{
    const sn_abi_param *p = &b->program->param[i];
    uint64_t dims[SN_ABI_MAX_RANK];
    size_t count;
    const sn_rt_array *a;
    sn_rt_error err;
    float *to = sn_rt_store_param(b->store, i, &count);
    for (uint32_t d = 0; d < p->type.rank; d++) dims[d] = (uint64_t)sn_rt_session_dim(b->session, p->type.dim[d]);
    const char *of = p->kind == SN_ABI_COPY ? b->program->param[p->of].name : NULL;
    if (sn_bound_done(b, sn_lookup_weight(set, o->weights, o->prefix, p->name, of, p->type.rank, dims, &a, &err), &err))
        memcpy(to, a->data, count * sizeof *to);
}

static void load_weights(sn_bound *b, const sn_bound_start_options *o)
{
    sn_rt_tensors *set;
    sn_rt_error err;
    sn_rt_store_init(b->store, o->seed, o->threads);
    if (!o->weights || !sn_bound_done(b, sn_rt_tensors_read(o->weights, &set, &err), &err)) return;
    for (uint32_t i = 0; i < b->program->params && b->ok; i++) /* the first fault tells that it is another file */
        if (b->program->param[i].kind != SN_ABI_INPUT) load_param(b, o, set, i);
    sn_rt_tensors_free(set);
}

/* ---- life --------------------------------------------------------------------------------------------------------------- */

void sn_bound_init(sn_bound *b, const sn_abi_program *p, sn_say *say, void *ctx)
{
    *b = (sn_bound){.program = p, .say = say, .ctx = ctx, .ok = true};
    sn_arena_init(&b->arena);
    b->array = calloc(p->params + 1, sizeof *b->array);
    b->extent = calloc(p->symbols + 1, sizeof *b->extent);
    b->bound_by = calloc(p->symbols + 1, sizeof *b->bound_by);
    b->named = calloc(p->params + 1, sizeof *b->named);
    SN_ASSERT(b->array && b->extent && b->bound_by && b->named, "out of memory");
}

void sn_bound_fini(sn_bound *b)
{
    sn_rt_session_free(b->session);
    sn_rt_store_free(b->store);
    for (uint32_t i = 0; i < b->program->params; i++) sn_rt_array_fini(&b->array[i]);
    free(b->array), free(b->extent), free(b->bound_by), free(b->named);
    sn_arena_fini(&b->arena);
}

/* ---- starting ----------------------------------------------------------------------------------------------------------- */

static void set_inputs(sn_bound *b)
{
    const sn_abi_program *p = b->program;
    sn_rt_error err;
    for (uint32_t i = 0; i < p->params && b->ok; i++) {
        if (p->param[i].kind != SN_ABI_INPUT) continue;
        if (!b->array[i].data && (!b->draws || !make_input(b, i, NULL))) continue;
        size_t count = b->array[i].bytes / sizeof(float);
        if (sn_rt_session_count(b->session, &p->param[i].type) != count) misfit(b, i);
        else sn_bound_done(b, sn_rt_session_set_param(b->session, i, b->array[i].data, count, &err), &err);
    }
}

bool sn_bound_start(sn_bound *b, const sn_bound_start_options *o)
{
    sn_rt_error err;
    if (!b->ok || !sn_bound_done(b, sn_rt_session_new(b->program, &b->session, &err), &err)) return false;
    if (!sn_bound_done(b, sn_rt_session_bind(b->session, b->extent, &err), &err)) return false;
    set_inputs(b);
    if (!b->ok || !sn_bound_done(b, sn_rt_store_new(b->program, b->session, &b->store, &err), &err)) return false;
    if (!sn_bound_done(b, sn_rt_store_attach(b->store, b->session, &err), &err)) return false;
    load_weights(b, o);
    if (!b->ok || !sn_bound_done(b, sn_rt_session_prepare(b->session, o->threads, NULL, 0, &err), &err)) return false;
    if (o->training) sn_rt_store_follow(b->store, o->threads);
    return true;
}

const float *sn_bound_param(const sn_bound *b, uint32_t param, size_t *out_count)
{
    if (b->program->param[param].kind != SN_ABI_INPUT) return sn_rt_store_param(b->store, param, out_count);
    *out_count = b->array[param].bytes / sizeof(float);
    return b->array[param].data;
}
