/* Where a number that is not finite first appears.
 * Not a check of results: a kernel's values are looked at when they have been written. */
#include "trap.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "../ir/reference.h"
#include "../ir/text.h"

static void say(sn_trap *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(sn_trap *t, const char *format, ...)
{
    const size_t at = strlen(t->text);
    va_list args;
    va_start(args, format);
    vsnprintf(t->text + at, sizeof t->text - at, format, args);
    va_end(args);
}

/* Element that is not finite, or SIZE_MAX. */
static size_t find(const float *x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(x[i])) return i;
    return SIZE_MAX;
}

static const float *value_of(const sn_trap *t, sn_ref r, size_t *count)
{
    return sn_rt_session_buffer(t->session, t->program->schedule->buffer_of[r.i], count);
}

static void say_index(sn_trap *t, const sn_type *type, size_t element)
{
    long long at[SN_MAX_RANK] = {0};
    for (int i = type->rank - 1; i >= 0; i--) {
        const size_t dim = (size_t)sn_rt_session_dim(t->session, type->dim[i].v);
        at[i] = (long long)(element % dim);
        element /= dim;
    }
    say(t, "[");
    for (int i = 0; i < type->rank; i++) say(t, "%s%lld", i ? "," : "", at[i]);
    say(t, "]");
}

/* Rows of a batch come first in every layout: a first axis that is a multiple of the batch holds equal parts of each. */
static int64_t sample_of(const sn_trap *t, const sn_type *type, size_t element)
{
    const sn_abi_program *p = t->program->abi;
    int64_t batch = 0, rows = type->rank ? sn_rt_session_dim(t->session, type->dim[0].v) : 0, rest = 1;
    for (uint32_t i = 0; i < p->params && !batch; i++)
        if (p->param[i].kind == SN_ABI_INPUT && p->param[i].type.rank > 1) batch = sn_rt_session_dim(t->session, p->param[i].type.dim[0]);
    if (!batch || !rows || rows % batch || (rows != batch && sn_dim_is_const(type->dim[0]))) return -1;
    for (uint8_t i = 1; i < type->rank; i++) rest *= sn_rt_session_dim(t->session, type->dim[i].v);
    return (int64_t)element / rest / (rows / batch);
}

static void say_value(sn_trap *t, sn_ref r, size_t element, sn_arena *arena)
{
    const sn_graph *g = t->program->schedule->g;
    const sn_node *n = sn_at(g, r);
    const char *place = sn_diags_place(t->diags, n->loc, arena);
    say(t, "  first in %%%s = %s%s%s%s at ", sn_node_labels(g, arena)[r.i], sn_op_get(n->op)->name, *place ? " (" : "", place, *place ? ")" : "");
    say_index(t, &n->type, element);
    t->sample = sample_of(t, &n->type, element);
    if (t->sample >= 0) say(t, ", row %lld of the batch", (long long)t->sample);
    say(t, "\n");
}

static int64_t *extents(const sn_trap *t, sn_arena *arena)
{
    const sn_abi_program *p = t->program->abi;
    int64_t *extent = sn_new_n(arena, int64_t, p->symbols + 1);
    for (uint32_t i = 0; i < p->dims; i++)
        if (p->dim[i].op == SN_ABI_DIM_SYMBOL) extent[p->dim[i].a] = sn_rt_session_dim(t->session, ~(int64_t)i);
    return extent;
}

/* Of the nodes that the kernel computes, the first whose value is no finite float: by the reference, from what the kernel read.  False if there is none:
 * then it is only in this kernel's own arithmetic. */
static bool find_inside(const sn_trap *t, const sn_kernel *k, sn_arena *arena, sn_ref *out, size_t *element)
{
    const sn_ref_setting setting = {.symbol = extents(t, arena), .seed = t->seed, .step = t->step};
    sn_ref_run *run = sn_ref_new(t->program->schedule->g, &setting);
    bool found = false;
    size_t count;
    for (uint32_t i = 0; i < k->ins; i++) sn_ref_give(run, k->in[i], value_of(t, k->in[i], &count));
    for (uint32_t i = 0; i < k->bodies && !found; i++) {
        sn_ref_compute(run, k->body[i]);
        const sn_ref_array *y = sn_ref_value(run, k->body[i]);
        for (size_t j = 0; j < y->count && !found; j++)
            if (!(fabs(y->data[j]) <= (double)FLT_MAX)) found = true, *out = k->body[i], *element = j;
    }
    sn_ref_free(run);
    return found;
}

static void say_reads(sn_trap *t, const sn_kernel *k)
{
    static const char *const kind[] = {[SN_INPUT] = "input", [SN_WEIGHT] = "weight", [SN_COPY] = "copy", [SN_STATE] = "state"};
    const sn_graph *g = t->program->schedule->g;
    for (uint32_t i = 0; i < k->ins; i++) {
        const sn_node *n = sn_at(g, k->in[i]);
        size_t count;
        const float *x = value_of(t, k->in[i], &count);
        const size_t at = n->op == SN_OP_param ? find(x, count) : SIZE_MAX;
        if (at == SIZE_MAX) continue;
        const sn_param *p = &g->param[n->attrs.param.index];
        say(t, "  it read %s $%s, which is %g at ", kind[p->kind], p->name, (double)x[at]);
        say_index(t, &n->type, at);
        say(t, "%s\n", p->kind == SN_INPUT ? "" : " since the update of the step before, or from the start");
    }
}

sn_rt_status sn_trap_look(sn_trap *t, uint32_t call, sn_rt_error *err)
{
    bool last;
    const uint32_t number = sn_compiled_kernel(t->program->compiled, call, &last);
    const sn_kernel *k = &t->program->schedule->kernel[number];
    for (uint32_t i = 0; last && i < k->outs; i++) {
        size_t count;
        const float *x = value_of(t, k->out[i], &count);
        const size_t at = find(x, count);
        if (at == SIZE_MAX) continue;
        sn_arena arena;
        sn_arena_init(&arena);
        t->found = true;
        t->text[0] = 0;
        sn_ref first = k->out[i];
        size_t element = at;
        find_inside(t, k, &arena, &first, &element);
        say_value(t, first, element, &arena);
        const char *place = sn_diags_place(t->diags, k->loc, &arena);
        say(t, "  kernel %s%s%s%s, number %u of %u\n", k->name, *place ? " (" : "", place, *place ? ")" : "", number, t->program->schedule->kernels);
        say_reads(t, k);
        sn_arena_fini(&arena);
        return sn_rt_fail(err, SN_RT_DIVERGED, "%s gives %g", k->name, (double)x[at]);
    }
    return SN_RT_OK;
}

static sn_rt_status watch(void *context, uint32_t call, sn_rt_error *err) { return sn_trap_look(context, call, err); }

void sn_trap_set(sn_trap *t, const sn_program *program, sn_rt_session *session, const sn_diags *diags, uint64_t seed)
{
    *t = (sn_trap){.program = program, .session = session, .diags = diags, .seed = seed, .sample = -1};
    sn_rt_session_watch(session, watch, t);
}

void sn_trap_print(const sn_trap *t, const sn_rt_batches *batches, const sn_rt_dataset *set)
{
    if (!t->found) return;
    fputs(t->text, stderr);
    if (!batches || t->sample < 0 || t->sample >= batches->rows) return;
    const sn_rt_clip *c = sn_rt_loader_clip(batches->loader, batches->batch.clip[t->sample]);
    fprintf(stderr, "  row %lld shows frames %u to %u of sequence %s\n", (long long)t->sample, c->start, c->start + c->frames - 1,
            sn_rt_dataset_at(set, c->sequence)->id);
}
