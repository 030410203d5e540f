/* Sessions: memory of a bound program, and running it.
 * Not sizes (bind.c), not threads (parallel.c), not state updates (runtime/train). */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- life --------------------------------------------------------------------------------------------------------------- */

static void *zeros(size_t n, size_t size) { return calloc(n ? n : 1, size); }

static bool allocate(sn_rt_session *s)
{
    const sn_abi_program *p = s->program;
    size_t args = 0, dims = 0;
    for (uint32_t i = 0; i < p->calls; i++) {
        args += p->call[i].args;
        dims += p->call[i].dims;
    }
    return (s->dim_value = zeros(p->dims, sizeof *s->dim_value)) && (s->root = zeros(p->buffers, sizeof *s->root)) &&
           (s->count = zeros(p->buffers, sizeof *s->count)) && (s->memory = zeros(p->buffers, sizeof *s->memory)) &&
           (s->interval = zeros((size_t)p->buffers + p->outputs, sizeof *s->interval)) &&
           (s->plan_scratch = zeros(2 * ((size_t)p->buffers + p->outputs), sizeof *s->plan_scratch)) &&
           (s->touched = zeros(args + 1, sizeof *s->touched)) && (s->param = zeros(p->params, sizeof *s->param)) &&
           (s->output = zeros(p->outputs, sizeof *s->output)) && (s->output_given = zeros(p->outputs, sizeof *s->output_given)) &&
           (s->output_copied = zeros(p->outputs, sizeof *s->output_copied)) && (s->update_stage = zeros(p->updates, sizeof *s->update_stage)) &&
           (s->arg = zeros(args, sizeof *s->arg)) && (s->arg_dim = zeros(dims, sizeof *s->arg_dim)) &&
           (s->args = zeros(p->calls, sizeof *s->args)) && (s->job = zeros(p->calls, sizeof *s->job)) &&
           (s->rest = zeros(p->calls, sizeof *s->rest)) && (s->held = zeros(p->calls, sizeof *s->held)) &&
           (s->fixed = zeros(p->buffers, sizeof *s->fixed));
}

static void link_calls(sn_rt_session *s)
{
    const sn_abi_program *p = s->program;
    for (uint32_t i = 0; i < p->buffers; i++) {
        uint32_t at = i;
        while (p->buffer[at].place == SN_ABI_ALIAS) at = (uint32_t)p->buffer[at].index;
        s->root[i] = at;
    }
    for (uint32_t i = 0; i < p->outputs; i++) {
        const sn_abi_buffer *b = &p->buffer[s->root[p->output[i].buffer]];
        s->output_copied[i] = b->place != SN_ABI_OUTPUT || b->index != (int64_t)i;
    }
    float  **arg = s->arg;
    int64_t *dim = s->arg_dim;
    for (uint32_t i = 0; i < p->calls; i++) {
        s->args[i] = (sn_abi_args){arg, dim, 0, 0};
        s->job[i] = (sn_rt_job){p->call[i].kernel, &s->args[i], 0, true, false};
        arg += p->call[i].args;
        dim += p->call[i].dims;
    }
}

sn_rt_status sn_rt_session_new(const sn_abi_program *program, sn_rt_session **out, sn_rt_error *err)
{
    sn_rt_status status = sn_rt_program_check(program, err);
    if (status != SN_RT_OK) return status;
    sn_rt_session *s = calloc(1, sizeof *s);
    if (s) s->program = program;
    if (!s || !allocate(s)) {
        sn_rt_session_free(s);
        return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a session of %u calls", program->calls);
    }
    link_calls(s);
    *out = s;
    return SN_RT_OK;
}

void sn_rt_session_unbind(sn_rt_session *s)
{
    const sn_abi_program *p = s->program;
    sn_rt_pages_free(s->own_slab, s->slab_bytes);
    free(s->busy);
    free(s->wall);
    s->busy = s->wall = NULL;
    s->own_slab = s->slab = s->scratch = s->state = NULL;
    s->stage = NULL;
    s->slab_bytes = 0;
    s->threads = 0;
    s->bound = s->planned = s->hold = s->made = false;
    memset(s->param, 0, p->params * sizeof *s->param);
    memset(s->output, 0, p->outputs * sizeof *s->output);
    memset(s->output_given, 0, p->outputs * sizeof *s->output_given);
}

void sn_rt_session_free(sn_rt_session *s)
{
    if (!s) return;
    sn_rt_pages_free(s->own_slab, s->slab_bytes);
    free(s->busy);
    free(s->wall);
    free(s->dim_value);
    free(s->root);
    free(s->count);
    free(s->memory);
    free(s->interval);
    free(s->plan_scratch);
    free(s->touched);
    free(s->param);
    free(s->output);
    free(s->output_given);
    free(s->output_copied);
    free(s->update_stage);
    free(s->arg);
    free(s->arg_dim);
    free(s->args);
    free(s->job);
    free(s->rest);
    free(s->held);
    free(s->fixed);
    free(s);
}

/* ---- the caller's memory ------------------------------------------------------------------------------------------------ */

static sn_rt_status check_memory(const char *kind, const char *name, const void *data, size_t have, size_t want, sn_rt_error *err)
{
    if (!data || (uintptr_t)data % SN_RT_ALIGN)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "%s %s: memory must be aligned to %d bytes", kind, name, SN_RT_ALIGN);
    if (have != want) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s %s: %zu elements given, %zu expected", kind, name, have, want);
    return SN_RT_OK;
}

/* Buffers of place `place` and number `index` now lie at `data`. */
static void point(sn_rt_session *s, int64_t place, uint32_t index, float *data)
{
    const sn_abi_program *p = s->program;
    for (uint32_t i = 0; i < p->buffers; i++)
        if (p->buffer[s->root[i]].place == place && p->buffer[s->root[i]].index == (int64_t)index) s->memory[i] = data;
}

/* Copy buffer addresses to where kernels look for them. */
static void refresh_args(sn_rt_session *s)
{
    size_t k = 0;
    for (uint32_t i = 0; i < s->program->calls; i++)
        for (uint32_t a = 0; a < s->program->call[i].args; a++) s->arg[k++] = s->memory[s->program->call[i].arg[a]];
}

sn_rt_status sn_rt_session_set_param(sn_rt_session *s, uint32_t param, const float *data, size_t count, sn_rt_error *err)
{
    const sn_abi_program *p = s->program;
    if (!s->bound) return sn_rt_fail(err, SN_RT_ARGUMENT, "a parameter is set before the session is bound");
    if (param >= p->params) return sn_rt_fail(err, SN_RT_ARGUMENT, "no parameter %u", param);
    sn_rt_status status = check_memory("parameter", p->param[param].name, data, count, sn_rt_session_count(s, &p->param[param].type), err);
    if (status != SN_RT_OK) return status;
    s->param[param] = data;
    if (p->param[param].kind != SN_ABI_INPUT) s->made = false;
    point(s, SN_ABI_PARAM, param, (float *)(uintptr_t)data); /* kernels take float * for reads and writes alike and do not write parameters */
    if (s->slab) refresh_args(s);
    return SN_RT_OK;
}

sn_rt_status sn_rt_session_set_output(sn_rt_session *s, uint32_t output, float *data, size_t count, sn_rt_error *err)
{
    const sn_abi_program *p = s->program;
    if (!s->bound) return sn_rt_fail(err, SN_RT_ARGUMENT, "an output is set before the session is bound");
    if (output >= p->outputs) return sn_rt_fail(err, SN_RT_ARGUMENT, "no output %u", output);
    if (s->slab && !s->output_given[output])
        return sn_rt_fail(err, SN_RT_ARGUMENT, "output %s was planned into the slab: set it before preparing", p->output[output].name);
    sn_rt_status status = check_memory("output", p->output[output].name, data, count, sn_rt_session_count(s, &p->output[output].type), err);
    if (status != SN_RT_OK) return status;
    s->output[output] = data;
    if (!s->output_given[output]) s->planned = false;
    s->output_given[output] = true;
    if (!s->output_copied[output]) point(s, SN_ABI_OUTPUT, output, data);
    if (s->slab) refresh_args(s);
    return SN_RT_OK;
}

/* ---- the slab ----------------------------------------------------------------------------------------------------------- */

typedef struct layout { size_t stage, scratch, state, total; } layout;

/* Slab: planned buffers, staged updates, scratch of every thread, counters of the team. */
static bool slab_layout(const sn_rt_session *s, int threads, layout *out)
{
    size_t stage_bytes, scratch, state;
    out->stage = s->plan_total;
    return sn_rt_align_size(s->stage_floats * sizeof(float), &stage_bytes) && sn_rt_add_size(out->stage, stage_bytes, &out->scratch) &&
           sn_rt_mul_size(s->scratch_bytes, (size_t)threads, &scratch) && sn_rt_add_size(out->scratch, scratch, &out->state) &&
           sn_rt_align_size(sn_rt_team_state_bytes(s->program->calls), &state) && sn_rt_add_size(out->state, state, &out->total);
}

size_t sn_rt_plan_bytes(sn_rt_session *s, int threads)
{
    layout l;
    if (!s->bound || sn_rt_session_plan(s, NULL) != SN_RT_OK || !slab_layout(s, threads < 1 ? sn_rt_threads_default() : threads, &l)) return 0;
    return l.total;
}

static void place_buffers(sn_rt_session *s)
{
    const sn_abi_program *p = s->program;
    char                 *slab = s->slab;
    for (uint32_t i = 0; i < p->outputs; i++) {
        if (s->output_given[i]) continue;
        s->output[i] = (float *)(void *)(slab + s->interval[p->buffers + i].offset);
        if (!s->output_copied[i]) point(s, SN_ABI_OUTPUT, i, s->output[i]);
    }
    for (uint32_t i = 0; i < p->buffers; i++) {
        const sn_abi_buffer *b = &p->buffer[s->root[i]];
        if (b->place == SN_ABI_SLAB) s->memory[i] = (float *)(void *)(slab + s->interval[s->root[i]].offset);
        if (b->place == SN_ABI_CONST) s->memory[i] = (float *)(uintptr_t)b->data; /* read only, as parameters */
    }
    refresh_args(s);
}

sn_rt_status sn_rt_session_prepare(sn_rt_session *s, int threads, void *slab, size_t slab_bytes, sn_rt_error *err)
{
    if (!s->bound) return sn_rt_fail(err, SN_RT_ARGUMENT, "a session is prepared before it is bound");
    if (s->slab) return sn_rt_fail(err, SN_RT_ARGUMENT, "the session is prepared already: bind it anew first");
    if (threads > SN_RT_MAX_THREADS) return sn_rt_fail(err, SN_RT_ARGUMENT, "%d threads, at most %d are possible", threads, SN_RT_MAX_THREADS);
    if (threads < 1) threads = sn_rt_threads_default();
    layout       l;
    sn_rt_status status = sn_rt_session_plan(s, err);
    if (status == SN_RT_OK && !slab_layout(s, threads, &l)) status = sn_rt_fail(err, SN_RT_BAD_SHAPE, "the slab's size overflows");
    if (status != SN_RT_OK) return status;
    sn_rt_session_order(s, s->job);
    sn_rt_session_rest(s);
    sn_rt_session_order(s, s->rest);
    if (slab && slab_bytes < l.total) return sn_rt_fail(err, SN_RT_ARGUMENT, "a slab of %zu bytes was given, %zu are needed", slab_bytes, l.total);
    if (slab && (uintptr_t)slab % SN_RT_ALIGN) return sn_rt_fail(err, SN_RT_ARGUMENT, "the slab must be aligned to %d bytes", SN_RT_ALIGN);
    if (!slab) slab = s->own_slab = sn_rt_pages_new(l.total);
    if (!slab) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a slab of %zu MiB", l.total >> 20);
    s->slab = slab;
    s->slab_bytes = l.total;
    s->threads = threads;
    s->stage = (float *)(void *)((char *)slab + l.stage);
    s->scratch = (char *)slab + l.scratch;
    s->state = (char *)slab + l.state;
    place_buffers(s);
    return SN_RT_OK;
}

int sn_rt_session_threads(const sn_rt_session *s) { return s->threads; }

/* ---- running ------------------------------------------------------------------------------------------------------------ */

static sn_rt_status ready(const sn_rt_session *s, sn_rt_error *err)
{
    const sn_abi_program *p = s->program;
    if (!s->slab) return sn_rt_fail(err, SN_RT_ARGUMENT, "a session is run before it is prepared");
    for (uint32_t i = 0; i < p->buffers; i++)
        if (p->buffer[i].place == SN_ABI_PARAM && !s->param[p->buffer[i].index])
            return sn_rt_fail(err, SN_RT_MISSING, "parameter %s was not set", p->param[p->buffer[i].index].name);
    return SN_RT_OK;
}

static void after_run(sn_rt_session *s)
{
    const sn_abi_program *p = s->program;
    for (uint32_t i = 0; i < p->outputs; i++)
        if (s->output_copied[i]) memcpy(s->output[i], s->memory[p->output[i].buffer], s->count[p->output[i].buffer] * sizeof(float));
    for (uint32_t i = 0; i < p->updates; i++)
        if (s->update_stage[i] != SIZE_MAX)
            memcpy(s->stage + s->update_stage[i], s->memory[p->update[i].buffer], s->count[p->update[i].buffer] * sizeof(float));
}

/* One call after the other. */
static sn_rt_status run_watched(const sn_rt_session *s, const sn_rt_job *job, sn_rt_error *err)
{
    for (uint32_t i = 0; i < s->program->calls; i++) {
        sn_rt_team_run(&job[i], 1, s->threads, s->scratch, s->scratch_bytes, s->state, NULL);
        sn_rt_status status = s->watch(s->watcher, i, err);
        if (status != SN_RT_OK) return status;
    }
    return SN_RT_OK;
}

sn_rt_status sn_rt_session_run(sn_rt_session *s, uint64_t seed, uint64_t step, sn_rt_error *err)
{
    sn_rt_status status = ready(s, err);
    if (status != SN_RT_OK) return status;
    for (uint32_t i = 0; i < s->program->calls; i++) {
        s->args[i].seed = seed;
        s->args[i].step = step;
    }
    sn_rt_clock clock = {s->busy, s->wall, s->observer};
    const sn_rt_job *job = s->made ? s->rest : s->job;
    if (s->watch) status = run_watched(s, job, err);
    else sn_rt_team_run(job, s->program->calls, s->threads, s->scratch, s->scratch_bytes, s->state, s->busy ? &clock : NULL);
    if (status != SN_RT_OK) return status;
    s->made = s->hold;
    after_run(s);
    return SN_RT_OK;
}

const float *sn_rt_session_output(const sn_rt_session *s, uint32_t output) { return output < s->program->outputs ? s->output[output] : NULL; }

const float *sn_rt_session_update(const sn_rt_session *s, uint32_t update, size_t *out_count)
{
    uint32_t buffer = s->program->update[update].buffer;
    *out_count = s->count[buffer];
    return s->update_stage[update] != SIZE_MAX ? s->stage + s->update_stage[update] : s->memory[buffer];
}

/* ---- watching ----------------------------------------------------------------------------------------------------------- */

void sn_rt_session_watch(sn_rt_session *s, sn_rt_watch_fn *fn, void *context)
{
    s->watch = fn;
    s->watcher = context;
}

const float *sn_rt_session_buffer(const sn_rt_session *s, uint32_t buffer, size_t *out_count)
{
    *out_count = s->count[buffer];
    return s->slab ? s->memory[buffer] : NULL;
}

/* ---- timing ------------------------------------------------------------------------------------------------------------- */

sn_rt_status sn_rt_session_profile(sn_rt_session *s, bool on, sn_rt_error *err)
{
    if (!s->slab) return sn_rt_fail(err, SN_RT_ARGUMENT, "a session is profiled before it is prepared");
    free(s->busy);
    free(s->wall);
    s->busy = s->wall = NULL;
    s->observer = NULL;
    if (!on) return SN_RT_OK;
    s->busy = zeros((size_t)s->program->calls * (size_t)s->threads, sizeof *s->busy);
    s->wall = zeros(s->program->calls, sizeof *s->wall);
    if (s->busy && s->wall) return SN_RT_OK;
    free(s->busy);
    free(s->wall);
    s->busy = s->wall = NULL;
    return sn_rt_fail(err, SN_RT_MEMORY, "no memory to time %u calls", s->program->calls);
}

sn_rt_status sn_rt_session_observe(sn_rt_session *s, const sn_rt_observer *observer, sn_rt_error *err)
{
    if (!s->busy) return sn_rt_fail(err, SN_RT_ARGUMENT, "a session is observed while it is not profiled");
    s->observer = observer;
    return SN_RT_OK;
}

double sn_rt_session_call_busy(const sn_rt_session *s, uint32_t call, int thread)
{
    if (!s->busy || call >= s->program->calls || thread < 0 || thread >= s->threads) return 0;
    return s->busy[(size_t)thread * s->program->calls + call];
}

static double busy_of(const sn_rt_session *s, uint32_t call)
{
    double sum = 0;
    for (int t = 0; t < s->threads; t++) sum += sn_rt_session_call_busy(s, call, t);
    return sum;
}

sn_rt_call_time sn_rt_session_call_time(const sn_rt_session *s, uint32_t call)
{
    if (!s->busy || call >= s->program->calls) return (sn_rt_call_time){0, 0};
    const sn_rt_job *job = s->made ? s->rest : s->job; /* as the last run was */
    uint32_t first = call, end = call + 1;
    while (first > 0 && !job[first].wait) first--;
    while (end < s->program->calls && !job[end].wait) end++;
    double group = 0;
    for (uint32_t i = first; i < end; i++) group += busy_of(s, i);
    double busy = busy_of(s, call);
    return (sn_rt_call_time){busy, group > 0 ? s->wall[first] * busy / group : 0};
}
