/* One run of a compiled program on arrays from files: what becomes of its results.
 * Not inputs and weights (bound.c), not the command line (cmd_run.c). */
#include "execute.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../runtime/data/npy.h"
#include "../runtime/data/safetensors.h"
#include "bound.h"

typedef struct run { const sn_execution *x; sn_bound b; } run;

/* ---- results ------------------------------------------------------------------------------------------------------------ */

static uint32_t shape(run *r, const sn_abi_tensor *t, uint64_t *dims)
{
    int64_t d[SN_ABI_MAX_RANK];
    sn_rt_session_shape(r->b.session, t, d);
    for (uint32_t i = 0; i < t->rank; i++) dims[i] = (uint64_t)d[i];
    return t->rank;
}

static void write_output(run *r, uint32_t i)
{
    const sn_abi_output *o = &r->x->program->output[i];
    char path[4096];
    sn_rt_error err;
    sn_rt_array a = {.elem = SN_RT_ELEM_F32, .data = (void *)(uintptr_t)sn_rt_session_output(r->b.session, i)};
    a.rank = shape(r, &o->type, a.dims);
    a.bytes = sn_rt_session_count(r->b.session, &o->type) * sizeof(float);
    snprintf(path, sizeof path, "%s/%s.npy", r->x->out, o->name);
    sn_bound_done(&r->b, sn_rt_npy_write(path, &a, &err), &err);
}

/* Every weight's and input's gradient under its name; zeros where the outputs asked for do not depend on it. */
static void write_gradients(run *r)
{
    const sn_abi_program *p = r->x->program;
    char path[4096];
    sn_rt_error err = {""};
    sn_rt_tensors *set = sn_rt_tensors_new();
    SN_ASSERT(set, "out of memory");
    for (uint32_t i = 0; i < p->params && r->b.ok; i++) {
        uint64_t dims[SN_ABI_MAX_RANK];
        const float *data = NULL;
        if (p->param[i].kind != SN_ABI_WEIGHT && (p->param[i].kind != SN_ABI_INPUT || strncmp(p->param[i].name, "seed.", 5) == 0)) continue;
        for (uint32_t o = 0; o < p->outputs; o++)
            if (p->output[o].gradient_of == (int64_t)i) data = sn_rt_session_output(r->b.session, o);
        uint32_t rank = shape(r, &p->param[i].type, dims);
        sn_bound_done(&r->b, sn_rt_tensors_add(set, p->param[i].name, SN_RT_ELEM_F32, rank, dims, data, NULL, &err), &err);
    }
    snprintf(path, sizeof path, "%s/grad.safetensors", r->x->out);
    if (r->b.ok) sn_bound_done(&r->b, sn_rt_tensors_write(set, path, &err), &err);
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
    sn_rt_store_update(r->b.store, r->b.session);
    for (uint32_t i = 0; i < p->params && r->b.ok; i++) {
        uint64_t dims[SN_ABI_MAX_RANK];
        size_t count;
        if (p->param[i].kind != SN_ABI_STATE) continue;
        uint32_t rank = shape(r, &p->param[i].type, dims);
        sn_bound_done(&r->b, sn_rt_tensors_add(set, p->param[i].name, SN_RT_ELEM_F32, rank, dims, sn_rt_store_param(r->b.store, i, &count), NULL, &err), &err);
    }
    snprintf(path, sizeof path, "%s/state.safetensors", r->x->out);
    if (r->b.ok && sn_rt_tensors_count(set)) sn_bound_done(&r->b, sn_rt_tensors_write(set, path, &err), &err);
    sn_rt_tensors_free(set);
}

static void write_results(run *r)
{
    const sn_abi_program *p = r->x->program;
    struct stat st;
    if (mkdir(r->x->out, 0777) != 0 && errno != EEXIST) sn_bound_complain(&r->b, "--out %s: %s", r->x->out, strerror(errno));
    else if (stat(r->x->out, &st) != 0 || !S_ISDIR(st.st_mode)) sn_bound_complain(&r->b, "--out %s: it is not a folder", r->x->out);
    for (uint32_t i = 0; i < p->outputs && r->b.ok; i++)
        if (p->output[i].gradient_of < 0) write_output(r, i);
    if (r->x->grads && r->b.ok) write_gradients(r);
    if (r->x->training && r->b.ok) write_states(r);
}

/* ---- the run ------------------------------------------------------------------------------------------------------------ */

bool sn_execute(const sn_execution *x, sn_say *say, void *ctx)
{
    const sn_bound_start_options how = {.weights = x->weights, .prefix = x->prefix, .seed = x->seed, .threads = x->threads, .training = x->training};
    run r = {.x = x};
    sn_rt_error err;
    sn_bound_init(&r.b, x->program, say, ctx);
    for (uint32_t i = 0; i < x->extents; i++) sn_bound_extent(&r.b, x->extent[i]);
    sn_bound_read(&r.b, x->names, x->inputs, x->grads);
    sn_bound_need(&r.b);
    const bool started = sn_bound_start(&r.b, &how);
    if (started && x->trap) sn_trap_set(x->trap, x->trapped, r.b.session, x->diags, x->seed);
    if (started && sn_bound_done(&r.b, sn_rt_session_run(r.b.session, x->seed, 0, &err), &err)) write_results(&r);
    sn_bound_fini(&r.b);
    return r.b.ok;
}
