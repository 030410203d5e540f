/* Plans: what a kernel will look like to the runtime, decided without LLVM.
 * Not emission; no machine code is made here. */
#include <stdarg.h>
#include <string.h>

#include "internal.h"

uint32_t sn_plan_buffer(const sn_plan *p, sn_ref r)
{
    for (uint32_t i = 0; i < p->k->ins; i++)
        if (sn_same(p->k->in[i], r))
            return i;
    for (uint32_t i = 0; i < p->k->outs; i++)
        if (sn_same(p->k->out[i], r))
            return p->k->ins + i;
    return UINT32_MAX;
}

bool sn_plan_in_body(const sn_plan *p, sn_ref r)
{
    for (uint32_t i = 0; i < p->k->bodies; i++)
        if (sn_same(p->k->body[i], r))
            return true;
    return false;
}

bool sn_plan_is_tiles(const sn_plan *p, sn_ref r)
{
    while (sn_op_has(sn_at(p->g, r)->op, SN_VIEW))
        r = sn_at(p->g, r)->arg[0];
    return sn_op_get(sn_at(p->g, r)->op)->attrs == SN_ATTR_tile;
}

static void add_arg(sn_plan *p, sn_plan_call *c, uint32_t buffer)
{
    if (c->args == c->capacity) {
        uint32_t capacity = c->capacity ? 2 * c->capacity : 16;
        uint32_t *arg = sn_new_n(p->arena, uint32_t, capacity);
        if (c->args)
            memcpy(arg, c->arg, c->args * sizeof *arg);
        c->arg = arg;
        c->capacity = capacity;
    }
    c->arg[c->args++] = buffer;
}

void sn_plan_read(sn_plan *p, sn_plan_call *c, uint32_t buffer)
{
    SN_ASSERT(c->reads == c->args, "reads of kernel %s must come before its writes", p->k->name);
    add_arg(p, c, buffer);
    c->reads++;
}

void sn_plan_write(sn_plan *p, sn_plan_call *c, uint32_t buffer)
{
    add_arg(p, c, buffer);
}

sn_plan_call *sn_plan_add(sn_plan *p, sn_dim tiles, sn_dim scratch_bytes, bool all)
{
    SN_ASSERT(p->calls < SN_MAX_CALLS, "kernel %s has too many calls", p->k->name);
    sn_plan_call *c = &p->call[p->calls++];
    *c = (sn_plan_call){.tiles = tiles, .scratch = scratch_bytes, .macs = sn_dim_const(0)};
    for (uint32_t i = 0; all && i < p->k->ins; i++)
        sn_plan_read(p, c, i);
    for (uint32_t i = 0; all && i < p->k->outs; i++)
        sn_plan_write(p, c, p->k->ins + i);
    return c;
}

uint32_t sn_plan_temp(sn_plan *p, sn_dim floats)
{
    SN_ASSERT(p->temps < SN_MAX_TEMPS, "kernel %s has too many private buffers", p->k->name);
    p->temp[p->temps] = floats;
    return p->k->ins + p->k->outs + p->temps++;
}

void sn_plan_say(const sn_plan *p, const char *format, ...)
{
    va_list va;
    if (!p->why)
        return;
    va_start(va, format);
    vfprintf(p->why, format, va);
    va_end(va);
}

const char *sn_plan_no(const sn_plan *p, const char *format, ...)
{
    va_list va;
    if (!p->why)
        return format;
    va_start(va, format);
    const char *text = sn_format_list(p->arena, format, va);
    va_end(va);
    return text;
}

bool sn_plan_fail(sn_plan *p, const char *format, ...)
{
    char text[512];
    va_list va;
    va_start(va, format);
    vsnprintf(text, sizeof text, format, va);
    va_end(va);
    sn_error(p->diags, p->k->loc, p->k->name, "%s", text);
    return false;
}

/* Run-time dims: every symbolic dimension of the kernel's types and attributes, and the symbols below it. */
static void add_dim(sn_plan *p, sn_dim d)
{
    if (sn_dim_is_const(d))
        return;
    for (uint32_t i = 0; i < p->dim_count; i++)
        if (sn_dim_equal(p->dim[i], d))
            return;
    SN_ASSERT(p->dim_count < SN_MAX_DIMS, "kernel %s has too many dimensions", p->k->name);
    p->dim[p->dim_count++] = d;
    const sn_dim_entry *e = &p->dims->entry[~d.v];
    if (e->op != SN_DIM_SYMBOL) {
        add_dim(p, e->a);
        add_dim(p, e->b);
    }
}

static void add_node_dims(sn_plan *p, sn_ref r)
{
    const sn_node *n = sn_at(p->g, r);
    for (uint8_t i = 0; i < n->type.rank; i++)
        add_dim(p, n->type.dim[i]);
    size_t fields;
    const sn_field *f = sn_attr_fields(sn_op_get(n->op)->attrs, &fields);
    for (size_t i = 0; i < fields; i++)
        if (f[i].kind == SN_FIELD_DIM) {
            sn_dim d;
            memcpy(&d, (const char *)&n->attrs + f[i].offset, sizeof d);
            add_dim(p, d);
        }
}

uint32_t sn_plan_stream(const sn_plan *p, int64_t stream)
{
    for (uint32_t i = p->dim_count - p->streams; i < p->dim_count; i++)
        if (p->dim[i].v == stream)
            return i;
    return UINT32_MAX;
}

static bool add_streams(sn_plan *p)
{
    for (uint32_t i = 0; i < p->k->bodies; i++) {
        const sn_node *n = sn_at(p->g, p->k->body[i]);
        if (!sn_op_has(n->op, SN_RANDOM) || sn_plan_stream(p, n->attrs.stream.stream) != UINT32_MAX)
            continue;
        if (p->streams == SN_MAX_STREAMS || p->dim_count == SN_MAX_DIMS)
            return sn_plan_fail(p, "more than %d random streams in one kernel", SN_MAX_STREAMS);
        p->dim[p->dim_count++] = sn_dim_const(n->attrs.stream.stream);
        p->streams++;
    }
    return true;
}

static bool every_buffer_named(sn_plan *p)
{
    for (uint32_t b = p->k->ins; b < p->k->ins + p->k->outs; b++) {
        bool found = false;
        for (uint32_t c = 0; c < p->calls; c++)
            for (uint32_t i = p->call[c].reads; i < p->call[c].args; i++)
                found |= p->call[c].arg[i] == b;
        if (!found)
            return sn_plan_fail(p, "result %u is written by no call", b - p->k->ins);
    }
    return true;
}

static const sn_generator *generator_of(const sn_kernel *k, const sn_graph *g)
{
    switch (k->form) {
    case SN_FORM_MAP: return &sn_kernel_map;
    case SN_FORM_REDUCE: return &sn_kernel_reduce;
    case SN_FORM_CONTRACT: return &sn_kernel_contract;
    case SN_FORM_SPECIAL: return sn_at(g, k->anchor)->op == SN_OP_queue_nce ? &sn_kernel_queue_nce : NULL;
    }
    return NULL;
}

bool sn_plan_make(sn_plan *p)
{
    p->dim = sn_new_n(p->arena, sn_dim, SN_MAX_DIMS);
    for (uint32_t i = 0; i < p->k->ins; i++)
        add_node_dims(p, p->k->in[i]);
    for (uint32_t i = 0; i < p->k->bodies; i++)
        add_node_dims(p, p->k->body[i]);
    if (!add_streams(p))
        return false;
    if (p->k->outs == 0)
        return sn_plan_fail(p, "the kernel has no results");
    p->generator = generator_of(p->k, p->g);
    if (p->generator == NULL)
        return sn_plan_fail(p, "operator %s has no kernel form", sn_op_get(sn_at(p->g, p->k->anchor)->op)->name);
    return p->generator->plan(p) && every_buffer_named(p);
}
