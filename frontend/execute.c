/* One run of a compiled program on arrays from files: binding, weights, results.
 * Not the command line (cmd_run.c). */
#include "execute.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../runtime/data/npy.h"
#include "../runtime/data/safetensors.h"
#include "lookup.h"

typedef struct run {
    const sn_execution *x;
    sn_rt_session      *session;
    sn_rt_store        *store;
    sn_rt_array        *array;  /* per parameter; data NULL when none was read */
    bool               *named;  /* per parameter: a file was given for it */
    int64_t            *extent; /* per symbol, 0 = not bound */
    const char        **bound_by; /* per symbol: name of the input */
    sn_say             *say;
    void               *ctx;
    bool                ok;
} run;

static void complain(run *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(run *r, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    r->say(r->ctx, text);
    r->ok = false;
}

static bool done(run *r, sn_rt_status status, const sn_rt_error *err)
{
    if (status != SN_RT_OK) complain(r, "%s", err->text);
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

static void unknown_input(run *r, const char *name, uint32_t grad)
{
    const sn_abi_program *p = r->x->program;
    const char **candidate = calloc(p->params + p->outputs + 1, sizeof *candidate);
    uint32_t n = 0;
    SN_ASSERT(candidate, "out of memory");
    for (uint32_t i = 0; !grad && i < p->params; i++)
        if (p->param[i].kind == SN_ABI_INPUT && strncmp(p->param[i].name, "seed.", 5) != 0) candidate[n++] = p->param[i].name;
    for (uint32_t i = 0; grad && i < p->outputs; i++)
        if (p->output[i].gradient_of < 0) candidate[n++] = p->output[i].name;
    const char *near = sn_nearest(name, candidate, n), *kind = grad ? "output" : "input";
    if (near) complain(r, "%s: no %s \"%s\"; did you mean \"%s\"?", grad ? "--grad" : "--in", kind, name, near);
    else complain(r, "%s: no %s \"%s\"", grad ? "--grad" : "--in", kind, name);
    free(candidate);
}

/* "name=file" into the parameter's array. */
static void read_input(run *r, const char *pair, bool grad)
{
    const sn_abi_program *p = r->x->program;
    const char *equals = strchr(pair, '=');
    sn_rt_error err;
    char name[256];
    snprintf(name, sizeof name, "%s%.*s", grad ? "seed." : "", (int)(equals - pair), pair);
    const char *word = grad ? name + 5 : name, *what = grad ? "--grad" : "--in";
    uint32_t i = sn_rt_find_param(p, name);
    if (i == SN_RT_NONE || p->param[i].kind != SN_ABI_INPUT || (!grad && strncmp(name, "seed.", 5) == 0)) {
        unknown_input(r, word, grad);
        return;
    }
    if (r->named[i]) complain(r, "%s %s: given twice", what, word);
    else if (sn_rt_npy_read(equals + 1, &r->array[i], &err) != SN_RT_OK || sn_rt_array_finite(&r->array[i], equals + 1, &err) != SN_RT_OK)
        complain(r, "%s %s: %s", what, word, err.text);
    r->named[i] = true;
}

/* Does the array fit the parameter?  Binds symbols on the way. */
static bool fits(run *r, uint32_t param)
{
    const sn_abi_program *p = r->x->program;
    const sn_rt_array *a = &r->array[param];
    bool ok = a->elem == SN_RT_ELEM_F32 && sn_rt_program_fits(p, &p->param[param].type, a->rank, a->dims, r->extent);
    for (uint32_t s = 0; s < p->symbols; s++)
        if (r->extent[s] && !r->bound_by[s]) r->bound_by[s] = p->param[param].name;
    return ok;
}

static void misfit(run *r, uint32_t param)
{
    const sn_abi_program *p = r->x->program;
    const sn_abi_tensor *t = &p->param[param].type;
    const sn_rt_array *a = &r->array[param];
    const char *name = p->param[param].name;
    bool grad = strncmp(name, "seed.", 5) == 0;
    char found[160], expected[160], with[200] = "";
    sn_rt_shape_text(a->elem, a->rank, a->dims, found, sizeof found);
    type_text(p, t, expected, sizeof expected);
    for (uint32_t i = 0; i < t->rank && i < a->rank; i++) {
        int64_t d = t->dim[i];
        if (d >= 0 || p->dim[~d].op != SN_ABI_DIM_SYMBOL || !r->extent[p->dim[~d].a] || r->extent[p->dim[~d].a] == (int64_t)a->dims[i]) continue;
        int64_t s = p->dim[~d].a;
        snprintf(with, sizeof with, " with %s = %lld as in %s", p->symbol[s], (long long)r->extent[s], r->bound_by[s]);
        break;
    }
    complain(r, "%s %s: found %s, expected %s%s", grad ? "--grad" : "--in", grad ? name + 5 : name, found, expected, with);
}

static void read_inputs(run *r)
{
    const sn_execution *x = r->x;
    const sn_abi_program *p = x->program;
    for (uint32_t i = 0; i < x->inputs + x->grads; i++) read_input(r, x->names[i], i >= x->inputs);
    for (uint32_t i = 0; i < p->params; i++) {
        if (p->param[i].kind != SN_ABI_INPUT) continue;
        char expected[160];
        type_text(p, &p->param[i].type, expected, sizeof expected);
        if (!r->named[i]) complain(r, "--in %s=FILE is missing: input %s is %s", p->param[i].name, p->param[i].name, expected);
        else if (r->array[i].data && !fits(r, i)) misfit(r, i);
    }
    for (uint32_t s = 0; r->ok && s < p->symbols; s++)
        if (!r->extent[s]) complain(r, "dimension %s is bound by no input: give it with --set %s=NUMBER", p->symbol[s], p->symbol[s]);
}

/* ---- weights ------------------------------------------------------------------------------------------------------------ */

static void load_param(run *r, const sn_rt_tensors *set, uint32_t i)
{
    const sn_abi_param *p = &r->x->program->param[i];
    uint64_t dims[SN_ABI_MAX_RANK];
    size_t count;
    const sn_rt_array *a;
    sn_rt_error err;
    float *to = sn_rt_store_param(r->store, i, &count);
    for (uint32_t d = 0; d < p->type.rank; d++) dims[d] = (uint64_t)sn_rt_session_dim(r->session, p->type.dim[d]);
    const char *of = p->kind == SN_ABI_COPY ? r->x->program->param[p->of].name : NULL;
    if (done(r, sn_lookup_weight(set, r->x->weights, r->x->prefix, p->name, of, p->type.rank, dims, &a, &err), &err))
        memcpy(to, a->data, count * sizeof *to);
}

static void load_weights(run *r)
{
    sn_rt_tensors *set;
    sn_rt_error err;
    sn_rt_store_init(r->store, r->x->seed, r->x->threads);
    if (!r->x->weights || !done(r, sn_rt_tensors_read(r->x->weights, &set, &err), &err)) return;
    for (uint32_t i = 0; i < r->x->program->params && r->ok; i++) /* the first fault tells that it is another file */
        if (r->x->program->param[i].kind != SN_ABI_INPUT) load_param(r, set, i);
    sn_rt_tensors_free(set);
}

/* ---- results ------------------------------------------------------------------------------------------------------------ */

static uint32_t shape(run *r, const sn_abi_tensor *t, uint64_t *dims)
{
    int64_t d[SN_ABI_MAX_RANK];
    sn_rt_session_shape(r->session, t, d);
    for (uint32_t i = 0; i < t->rank; i++) dims[i] = (uint64_t)d[i];
    return t->rank;
}

static void write_output(run *r, uint32_t i)
{
    const sn_abi_output *o = &r->x->program->output[i];
    char path[4096];
    sn_rt_error err;
    sn_rt_array a = {.elem = SN_RT_ELEM_F32, .data = (void *)(uintptr_t)sn_rt_session_output(r->session, i)};
    a.rank = shape(r, &o->type, a.dims);
    a.bytes = sn_rt_session_count(r->session, &o->type) * sizeof(float);
    snprintf(path, sizeof path, "%s/%s.npy", r->x->out, o->name);
    done(r, sn_rt_npy_write(path, &a, &err), &err);
}

/* Every weight's and input's gradient under its name; zeros where the outputs asked for do not depend on it. */
static void write_gradients(run *r)
{
    const sn_abi_program *p = r->x->program;
    char path[4096];
    sn_rt_error err = {""};
    sn_rt_tensors *set = sn_rt_tensors_new();
    SN_ASSERT(set, "out of memory");
    for (uint32_t i = 0; i < p->params && r->ok; i++) {
        uint64_t dims[SN_ABI_MAX_RANK];
        const float *data = NULL;
        if (p->param[i].kind != SN_ABI_WEIGHT && (p->param[i].kind != SN_ABI_INPUT || strncmp(p->param[i].name, "seed.", 5) == 0)) continue;
        for (uint32_t o = 0; o < p->outputs; o++)
            if (p->output[o].gradient_of == (int64_t)i) data = sn_rt_session_output(r->session, o);
        uint32_t rank = shape(r, &p->param[i].type, dims);
        done(r, sn_rt_tensors_add(set, p->param[i].name, SN_RT_ELEM_F32, rank, dims, data, NULL, &err), &err);
    }
    snprintf(path, sizeof path, "%s/grad.safetensors", r->x->out);
    if (r->ok) done(r, sn_rt_tensors_write(set, path, &err), &err);
    sn_rt_tensors_free(set);
}

/* States and queues after a training run. */
static void write_states(run *r)
{
    const sn_abi_program *p = r->x->program;
    char path[4096];
    sn_rt_error err = {""};
    sn_rt_tensors *set = sn_rt_tensors_new();
    SN_ASSERT(set, "out of memory");
    sn_rt_store_update(r->store, r->session);
    for (uint32_t i = 0; i < p->params && r->ok; i++) {
        uint64_t dims[SN_ABI_MAX_RANK];
        size_t count;
        if (p->param[i].kind != SN_ABI_STATE) continue;
        uint32_t rank = shape(r, &p->param[i].type, dims);
        done(r, sn_rt_tensors_add(set, p->param[i].name, SN_RT_ELEM_F32, rank, dims, sn_rt_store_param(r->store, i, &count), NULL, &err), &err);
    }
    snprintf(path, sizeof path, "%s/state.safetensors", r->x->out);
    if (r->ok && sn_rt_tensors_count(set)) done(r, sn_rt_tensors_write(set, path, &err), &err);
    sn_rt_tensors_free(set);
}

static void write_results(run *r)
{
    const sn_abi_program *p = r->x->program;
    struct stat st;
    if (mkdir(r->x->out, 0777) != 0 && errno != EEXIST) complain(r, "--out %s: %s", r->x->out, strerror(errno));
    else if (stat(r->x->out, &st) != 0 || !S_ISDIR(st.st_mode)) complain(r, "--out %s: it is not a folder", r->x->out);
    for (uint32_t i = 0; i < p->outputs && r->ok; i++)
        if (p->output[i].gradient_of < 0) write_output(r, i);
    if (r->x->grads && r->ok) write_gradients(r);
    if (r->x->training && r->ok) write_states(r);
}

/* ---- the run ------------------------------------------------------------------------------------------------------------ */

static void set_inputs(run *r)
{
    const sn_abi_program *p = r->x->program;
    sn_rt_error err;
    for (uint32_t i = 0; i < p->params && r->ok; i++) {
        if (p->param[i].kind != SN_ABI_INPUT) continue;
        size_t count = r->array[i].bytes / sizeof(float);
        if (sn_rt_session_count(r->session, &p->param[i].type) != count) misfit(r, i);
        else done(r, sn_rt_session_set_param(r->session, i, r->array[i].data, count, &err), &err);
    }
}

static void run_all(run *r)
{
    const sn_execution *x = r->x;
    sn_rt_error err;
    read_inputs(r);
    if (!r->ok || !done(r, sn_rt_session_new(x->program, &r->session, &err), &err)) return;
    if (!done(r, sn_rt_session_bind(r->session, r->extent, &err), &err)) return;
    set_inputs(r);
    if (!r->ok || !done(r, sn_rt_store_new(x->program, r->session, &r->store, &err), &err)) return;
    if (!done(r, sn_rt_store_attach(r->store, r->session, &err), &err)) return;
    load_weights(r);
    if (!r->ok || !done(r, sn_rt_session_prepare(r->session, x->threads, NULL, 0, &err), &err)) return;
    if (x->training) sn_rt_store_follow(r->store, x->threads);
    if (done(r, sn_rt_session_run(r->session, x->seed, 0, &err), &err)) write_results(r);
}

bool sn_execute(const sn_execution *x, sn_say *say, void *ctx)
{
    const sn_abi_program *p = x->program;
    run r = {.x = x, .say = say, .ctx = ctx, .ok = true};
    r.array = calloc(p->params + 1, sizeof *r.array);
    r.extent = calloc(p->symbols + 1, sizeof *r.extent);
    r.bound_by = calloc(p->symbols + 1, sizeof *r.bound_by);
    r.named = calloc(p->params + 1, sizeof *r.named);
    SN_ASSERT(r.array && r.extent && r.bound_by && r.named, "out of memory");
    run_all(&r);
    sn_rt_session_free(r.session);
    sn_rt_store_free(r.store);
    for (uint32_t i = 0; i < p->params; i++) sn_rt_array_fini(&r.array[i]);
    free(r.array), free(r.extent), free(r.bound_by), free(r.named);
    return r.ok;
}
