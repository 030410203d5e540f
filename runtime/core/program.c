/* Programs as data: whether what they refer to exists, finding things by name, and shapes that fit.
 * Not running them (session.c). */
#include "internal.h"

#include <string.h>

static sn_rt_status fault(sn_rt_error *err, const char *what, uint32_t i, const char *why)
{
    return sn_rt_fail(err, SN_RT_FORMAT, "compiled program: %s %u: %s", what, i, why);
}

/* A dim value may use entries 0 .. entries-1. */
static bool dim_fits(int64_t v, uint32_t entries) { return v >= 0 || ~v < (int64_t)entries; }

static bool tensor_fits(const sn_abi_tensor *t, uint32_t entries)
{
    if (t->rank > SN_ABI_MAX_RANK) return false;
    for (uint32_t i = 0; i < t->rank; i++)
        if (!dim_fits(t->dim[i], entries)) return false;
    return true;
}

static sn_rt_status check_dims(const sn_abi_program *p, sn_rt_error *err)
{
    for (uint32_t i = 0; i < p->dims; i++) {
        const sn_abi_dim_entry *d = &p->dim[i];
        if (d->op < SN_ABI_DIM_SYMBOL || d->op > SN_ABI_DIM_SUB) return fault(err, "dimension", i, "unknown operation");
        if (d->op == SN_ABI_DIM_SYMBOL) {
            if (d->a < 0 || d->a >= (int64_t)p->symbols) return fault(err, "dimension", i, "no such symbol");
        } else if (!dim_fits(d->a, i) || !dim_fits(d->b, i)) {
            return fault(err, "dimension", i, "uses a later dimension");
        }
    }
    return SN_RT_OK;
}

static sn_rt_status check_buffers(const sn_abi_program *p, sn_rt_error *err)
{
    for (uint32_t i = 0; i < p->buffers; i++) {
        const sn_abi_buffer *b = &p->buffer[i];
        if (!dim_fits(b->count, p->dims)) return fault(err, "buffer", i, "count uses no such dimension");
        uint32_t limit = b->place == SN_ABI_PARAM ? p->params : b->place == SN_ABI_OUTPUT ? p->outputs : p->buffers;
        switch (b->place) {
        case SN_ABI_SLAB:
            if (b->first > b->last || b->first >= p->calls) return fault(err, "buffer", i, "lifetime is not a range of calls");
            break;
        case SN_ABI_PARAM:
        case SN_ABI_OUTPUT:
        case SN_ABI_ALIAS:
            if (b->index < 0 || b->index >= (int64_t)limit) return fault(err, "buffer", i, "refers to nothing");
            break;
        case SN_ABI_CONST:
            if (!b->data) return fault(err, "buffer", i, "constant without data");
            break;
        default: return fault(err, "buffer", i, "unknown place");
        }
    }
    for (uint32_t i = 0; i < p->buffers; i++) { /* every chain of aliases ends */
        uint32_t at = i, steps = 0;
        while (p->buffer[at].place == SN_ABI_ALIAS && steps++ < p->buffers) at = (uint32_t)p->buffer[at].index;
        if (p->buffer[at].place == SN_ABI_ALIAS) return fault(err, "buffer", i, "is an alias of itself");
    }
    return SN_RT_OK;
}

static sn_rt_status check_calls(const sn_abi_program *p, sn_rt_error *err)
{
    for (uint32_t i = 0; i < p->calls; i++) {
        const sn_abi_call *c = &p->call[i];
        if (!c->kernel) return fault(err, "call", i, "no kernel");
        if (!c->name || !c->where) return fault(err, "call", i, "no name");
        if (c->reads > c->args) return fault(err, "call", i, "reads more than it has");
        for (uint32_t a = 0; a < c->args; a++)
            if (c->arg[a] >= p->buffers) return fault(err, "call", i, "argument is no buffer");
        for (uint32_t d = 0; d < c->dims; d++)
            if (!dim_fits(c->dim[d], p->dims)) return fault(err, "call", i, "no such dimension");
        if (!dim_fits(c->tiles, p->dims) || !dim_fits(c->scratch, p->dims) || !dim_fits(c->macs, p->dims))
            return fault(err, "call", i, "tiles, scratch or macs use no such dimension");
    }
    return SN_RT_OK;
}

static sn_rt_status check_faces(const sn_abi_program *p, sn_rt_error *err)
{
    for (uint32_t i = 0; i < p->symbols; i++)
        if (!p->symbol[i]) return fault(err, "symbol", i, "no name");
    for (uint32_t i = 0; i < p->params; i++) {
        const sn_abi_param *x = &p->param[i];
        if (!x->name) return fault(err, "parameter", i, "no name");
        if (x->kind > SN_ABI_STATE || x->init > SN_ABI_SAME || (x->init == SN_ABI_SAME && x->kind != SN_ABI_COPY)) return fault(err, "parameter", i, "unknown kind");
        if (!tensor_fits(&x->type, p->dims)) return fault(err, "parameter", i, "type");
        if (x->kind == SN_ABI_COPY && (x->of >= p->params || p->param[x->of].kind != SN_ABI_WEIGHT))
            return fault(err, "parameter", i, "copies no weight");
    }
    for (uint32_t i = 0; i < p->outputs; i++) {
        const sn_abi_output *o = &p->output[i];
        if (!o->name) return fault(err, "output", i, "no name");
        if (o->buffer >= p->buffers || o->gradient_of < -1 || o->gradient_of >= (int64_t)p->params || !tensor_fits(&o->type, p->dims))
            return fault(err, "output", i, "buffer, type or gradient refers to nothing");
    }
    for (uint32_t i = 0; i < p->updates; i++) {
        const sn_abi_update *u = &p->update[i];
        if (u->kind > SN_ABI_ENQUEUE || u->buffer >= p->buffers || u->param >= p->params || p->param[u->param].kind != SN_ABI_STATE)
            return fault(err, "update", i, "is not of a state from a buffer");
    }
    return SN_RT_OK;
}

sn_rt_status sn_rt_program_check(const sn_abi_program *p, sn_rt_error *err)
{
    if (p->version != SN_ABI_VERSION)
        return sn_rt_fail(err, SN_RT_FORMAT, "compiled program has interface version %u, this runtime has %u", p->version, SN_ABI_VERSION);
    sn_rt_status status = check_dims(p, err);
    if (status == SN_RT_OK) status = check_buffers(p, err);
    if (status == SN_RT_OK) status = check_calls(p, err);
    if (status == SN_RT_OK) status = check_faces(p, err);
    return status;
}

uint32_t sn_rt_find_param(const sn_abi_program *p, const char *name)
{
    for (uint32_t i = 0; i < p->params; i++)
        if (!strcmp(p->param[i].name, name)) return i;
    return SN_RT_NONE;
}

uint32_t sn_rt_find_output(const sn_abi_program *p, const char *name)
{
    for (uint32_t i = 0; i < p->outputs; i++)
        if (!strcmp(p->output[i].name, name)) return i;
    return SN_RT_NONE;
}

uint32_t sn_rt_find_symbol(const sn_abi_program *p, const char *name)
{
    for (uint32_t i = 0; i < p->symbols; i++)
        if (!strcmp(p->symbol[i], name)) return i;
    return SN_RT_NONE;
}

bool sn_rt_program_fits(const sn_abi_program *p, const sn_abi_tensor *t, uint32_t rank, const uint64_t *dims, int64_t *extent)
{
    if (rank != t->rank) return false;
    for (uint32_t i = 0; i < rank; i++) {
        int64_t d = t->dim[i], have = dims[i] > INT64_MAX ? -1 : (int64_t)dims[i];
        if (have < 1 || (d >= 0 && d != have)) return false;
        if (d >= 0 || p->dim[~d].op != SN_ABI_DIM_SYMBOL) continue;
        int64_t *known = &extent[p->dim[~d].a];
        if (*known && *known != have) return false;
        *known = have;
    }
    return true;
}
