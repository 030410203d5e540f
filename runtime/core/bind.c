/* Binding: from extents of the symbols to sizes, the slab plan, and the order of calls.
 * Not memory and not running (session.c). */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Work below which waking another thread costs more than it gives: floats touched, with 8 multiply-adds counted as one. */
enum { SMALL_CALL = 16384 };

/* ---- sizes -------------------------------------------------------------------------------------------------------------- */

static sn_rt_status tensor_count(const sn_rt_session *s, const sn_abi_tensor *t, const char *what, size_t *out, sn_rt_error *err)
{
    size_t n = 1;
    for (uint32_t i = 0; i < t->rank; i++) {
        int64_t v = sn_rt_dim_value(s->dim_value, t->dim[i]);
        if (v < 0) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: axis %u would have %lld elements", what, i, (long long)v);
        if (!sn_rt_mul_size(n, (size_t)v, &n) || n > SIZE_MAX / 8) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: its size overflows", what);
    }
    *out = n;
    return SN_RT_OK;
}

static sn_rt_status buffer_counts(sn_rt_session *s, sn_rt_error *err)
{
    const sn_abi_program *p = s->program;
    for (uint32_t i = 0; i < p->buffers; i++) {
        int64_t n = sn_rt_dim_value(s->dim_value, p->buffer[i].count);
        if (n < 0 || n > INT64_MAX / 8) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "buffer %u would have %lld elements", i, (long long)n);
        s->count[i] = (size_t)n;
    }
    for (uint32_t i = 0; i < p->buffers; i++) {
        const sn_abi_buffer *b = &p->buffer[s->root[i]];
        if (s->count[i] > s->count[s->root[i]]) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "buffer %u is larger than the one it is a view of", i);
        size_t n = s->count[s->root[i]];
        const char *name = NULL;
        sn_rt_status status = SN_RT_OK;
        if (b->place == SN_ABI_PARAM) status = tensor_count(s, &p->param[b->index].type, name = p->param[b->index].name, &n, err);
        if (b->place == SN_ABI_OUTPUT) status = tensor_count(s, &p->output[b->index].type, name = p->output[b->index].name, &n, err);
        if (status != SN_RT_OK) return status;
        if (n != s->count[s->root[i]])
            return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s has %zu elements, its buffer %zu", name, n, s->count[s->root[i]]);
    }
    return SN_RT_OK;
}

/* The value of an update fits its state: as large (assign), or whole rows whose number divides that of the ring (enqueue), so that a
 * push never wraps midway. */
static sn_rt_status update_counts(const sn_rt_session *s, sn_rt_error *err)
{
    const sn_abi_program *p = s->program;
    for (uint32_t i = 0; i < p->updates; i++) {
        const sn_abi_update *u = &p->update[i];
        const sn_abi_param  *x = &p->param[u->param];
        size_t have = s->count[u->buffer], want = 0;
        sn_rt_status status = tensor_count(s, &x->type, x->name, &want, err);
        if (status != SN_RT_OK) return status;
        if (u->kind == SN_ABI_ASSIGN) {
            if (have != want) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "state %s: %zu elements are assigned to its %zu", x->name, have, want);
            continue;
        }
        size_t rows = x->type.rank ? (size_t)sn_rt_dim_value(s->dim_value, x->type.dim[0]) : 0, width = rows ? want / rows : 0;
        if (!width || have % width) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "queue %s: %zu elements are no rows of %zu", x->name, have, width);
        if (!have || want % have)
            return sn_rt_fail(err, SN_RT_BAD_SHAPE, "queue %s: %zu rows a step do not divide its length of %zu", x->name, have / width, rows);
    }
    return SN_RT_OK;
}

static sn_rt_status call_sizes(sn_rt_session *s, sn_rt_error *err)
{
    const sn_abi_program *p = s->program;
    s->scratch_bytes = 0;
    for (uint32_t i = 0, d = 0; i < p->calls; i++) {
        const sn_abi_call *c = &p->call[i];
        int64_t tiles = sn_rt_dim_value(s->dim_value, c->tiles), scratch = sn_rt_dim_value(s->dim_value, c->scratch);
        size_t  bytes = 0;
        if (tiles < 0 || scratch < 0 || !sn_rt_align_size((size_t)scratch, &bytes))
            return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: %lld tiles with %lld bytes of scratch", c->name, (long long)tiles, (long long)scratch);
        if (bytes > s->scratch_bytes) s->scratch_bytes = bytes;
        double work = (double)sn_rt_dim_value(s->dim_value, c->macs) / 8;
        for (uint32_t a = 0; a < c->args; a++) work += (double)s->count[c->arg[a]];
        s->job[i].tiles = tiles;
        s->job[i].small = work <= SMALL_CALL;
        for (uint32_t k = 0; k < c->dims; k++) s->arg_dim[d++] = sn_rt_dim_value(s->dim_value, c->dim[k]);
    }
    return SN_RT_OK;
}

sn_rt_status sn_rt_session_bind(sn_rt_session *s, const int64_t *extent, sn_rt_error *err)
{
    const sn_abi_program *p = s->program;
    sn_rt_session_unbind(s);
    for (uint32_t i = 0; i < p->symbols; i++)
        if (extent[i] < 1) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s = %lld: must be at least 1", p->symbol[i], (long long)extent[i]);
    sn_rt_status status = sn_rt_dims_eval(p, extent, s->dim_value, err);
    if (status == SN_RT_OK) status = buffer_counts(s, err);
    if (status == SN_RT_OK) status = update_counts(s, err);
    if (status == SN_RT_OK) status = call_sizes(s, err);
    size_t n = 0;
    for (uint32_t i = 0; status == SN_RT_OK && i < p->params; i++) status = tensor_count(s, &p->param[i].type, p->param[i].name, &n, err);
    for (uint32_t i = 0; status == SN_RT_OK && i < p->outputs; i++) {
        status = tensor_count(s, &p->output[i].type, p->output[i].name, &n, err);
        if (status == SN_RT_OK && n != s->count[p->output[i].buffer])
            status = sn_rt_fail(err, SN_RT_BAD_SHAPE, "output %s has %zu elements, its buffer %zu", p->output[i].name, n, s->count[p->output[i].buffer]);
    }
    s->bound = status == SN_RT_OK;
    return status;
}

int64_t sn_rt_session_dim(const sn_rt_session *s, int64_t dim) { return sn_rt_dim_value(s->dim_value, dim); }

void sn_rt_session_shape(const sn_rt_session *s, const sn_abi_tensor *t, int64_t *out)
{
    for (uint32_t i = 0; i < t->rank; i++) out[i] = sn_rt_dim_value(s->dim_value, t->dim[i]);
}

size_t sn_rt_session_count(const sn_rt_session *s, const sn_abi_tensor *t)
{
    size_t n = 1;
    for (uint32_t i = 0; i < t->rank; i++) n *= (size_t)sn_rt_dim_value(s->dim_value, t->dim[i]);
    return n;
}

/* ---- plan --------------------------------------------------------------------------------------------------------------- */

/* Memory of the session's own for outputs the caller did not set: from the first call that writes it to the end. */
static sn_rt_status output_intervals(sn_rt_session *s, uint32_t end, sn_rt_error *err)
{
    const sn_abi_program *p = s->program;
    for (uint32_t i = 0; i < p->outputs; i++) {
        uint32_t root = s->root[p->output[i].buffer];
        if (p->buffer[root].place == SN_ABI_SLAB) s->interval[root].last = end;
        if (s->output_given[i]) continue;
        sn_rt_interval *x = &s->interval[p->buffers + i];
        if (!sn_rt_align_size(sn_rt_session_count(s, &p->output[i].type) * sizeof(float), &x->bytes))
            return sn_rt_fail(err, SN_RT_BAD_SHAPE, "output %s overflows", p->output[i].name);
        x->first = s->output_copied[i] || p->buffer[root].first > end ? end : p->buffer[root].first;
        x->last = end;
    }
    return SN_RT_OK;
}

/* Lifetimes of planned buffers, a buffer's views included.  Values of outputs and updates are read after the last call. */
static sn_rt_status intervals(sn_rt_session *s, sn_rt_error *err)
{
    const sn_abi_program *p = s->program;
    sn_rt_interval       *item = s->interval;
    memset(item, 0, ((size_t)p->buffers + p->outputs) * sizeof *item);
    for (uint32_t i = 0; i < p->buffers; i++) {
        const sn_abi_buffer *b = &p->buffer[i];
        sn_rt_interval      *x = &item[s->root[i]];
        if (p->buffer[s->root[i]].place != SN_ABI_SLAB) continue;
        if (!x->bytes) {
            if (!sn_rt_align_size(s->count[s->root[i]] * sizeof(float), &x->bytes)) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "buffer %u overflows", i);
            x->first = p->buffer[s->root[i]].first;
            x->last = p->buffer[s->root[i]].last;
        }
        if (b->place == SN_ABI_ALIAS && b->first < x->first) x->first = b->first;
        if (b->place == SN_ABI_ALIAS && b->last > x->last) x->last = b->last;
    }
    uint32_t end = p->calls ? p->calls - 1 : 0;
    for (uint32_t i = 0; i < p->updates; i++)
        if (p->buffer[s->root[p->update[i].buffer]].place == SN_ABI_SLAB) item[s->root[p->update[i].buffer]].last = end;
    return output_intervals(s, end, err);
}

/* An update whose value is a parameter is copied aside after the run, so that the order in which the caller applies updates does not
 * matter (a = b together with b = a). */
static void stage_updates(sn_rt_session *s)
{
    const sn_abi_program *p = s->program;
    s->stage_floats = 0;
    for (uint32_t i = 0; i < p->updates; i++) {
        bool param = p->buffer[s->root[p->update[i].buffer]].place == SN_ABI_PARAM;
        s->update_stage[i] = param ? s->stage_floats : SIZE_MAX;
        if (param) s->stage_floats += s->count[p->update[i].buffer];
    }
}

sn_rt_status sn_rt_session_plan(sn_rt_session *s, sn_rt_error *err)
{
    if (s->planned) return SN_RT_OK;
    sn_rt_status status = intervals(s, err);
    if (status != SN_RT_OK) return status;
    sn_rt_session_find_held(s);
    sn_rt_session_keep_held(s, s->program->calls ? s->program->calls - 1 : 0);
    stage_updates(s);
    status = sn_rt_plan(s->interval, s->program->buffers + s->program->outputs, s->plan_scratch, &s->plan_total, err);
    s->planned = status == SN_RT_OK;
    return status;
}

size_t sn_rt_plan_live_bytes(sn_rt_session *s)
{
    if (!s->bound || sn_rt_session_plan(s, NULL) != SN_RT_OK) return 0;
    return sn_rt_plan_live(s->interval, s->program->buffers + s->program->outputs, s->program->calls);
}
