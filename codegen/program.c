/* The tables the runtime reads: calls, buffers, parameters, outputs, updates, dimensions.
 * Not code: functions are already loaded. */
#include <string.h>

#include "compile.h"

/* The two sides number things alike; this is the one file that sees both. */
_Static_assert((int)SN_DIM_SYMBOL == (int)SN_ABI_DIM_SYMBOL && (int)SN_DIM_ADD == (int)SN_ABI_DIM_ADD &&
               (int)SN_DIM_SUB == (int)SN_ABI_DIM_SUB &&
               (int)SN_DIM_MUL == (int)SN_ABI_DIM_MUL && (int)SN_DIM_DIV == (int)SN_ABI_DIM_DIV && (int)SN_DIM_SUB == (int)SN_ABI_DIM_SUB,
               "dimension operators agree");
_Static_assert((int)SN_PLACE_SLAB == (int)SN_ABI_SLAB && (int)SN_PLACE_PARAM == (int)SN_ABI_PARAM &&
               (int)SN_PLACE_OUTPUT == (int)SN_ABI_OUTPUT && (int)SN_PLACE_CONST == (int)SN_ABI_CONST &&
               (int)SN_PLACE_ALIAS == (int)SN_ABI_ALIAS, "places agree");
_Static_assert((int)SN_INPUT == (int)SN_ABI_INPUT && (int)SN_WEIGHT == (int)SN_ABI_WEIGHT && (int)SN_COPY == (int)SN_ABI_COPY &&
               (int)SN_STATE == (int)SN_ABI_STATE, "parameter kinds agree");
_Static_assert((int)SN_INIT_CONSTANT == (int)SN_ABI_CONSTANT && (int)SN_INIT_NORMAL == (int)SN_ABI_NORMAL &&
               (int)SN_INIT_UNIFORM == (int)SN_ABI_UNIFORM && (int)SN_INIT_UNIT_ROWS == (int)SN_ABI_UNIT_ROWS &&
               (int)SN_INIT_EQUAL_ROWS == (int)SN_ABI_EQUAL_ROWS && (int)SN_INIT_SAME == (int)SN_ABI_SAME, "initialisers agree");
_Static_assert((int)SN_ASSIGN == (int)SN_ABI_ASSIGN && (int)SN_ENQUEUE == (int)SN_ABI_ENQUEUE, "update kinds agree");
_Static_assert((int)SN_MAX_RANK == (int)SN_ABI_MAX_RANK, "ranks agree");

static void fill_dims(sn_compiled *c)
{
    const sn_dims *d = &c->s->g->dims;
    sn_abi_dim_entry *entry = sn_new_n(&c->arena, sn_abi_dim_entry, d->count + 1);
    const char **symbol = sn_new_n(&c->arena, const char *, d->symbols + 1);
    for (uint32_t i = 0; i < d->count; i++) {
        const sn_dim_entry *e = &d->entry[i];
        entry[i] = (sn_abi_dim_entry){(int64_t)e->op, e->op == SN_DIM_SYMBOL ? (int64_t)e->symbol : e->a.v, e->b.v};
        if (e->op == SN_DIM_SYMBOL)
            symbol[e->symbol] = e->name;
    }
    c->program.dims = d->count;
    c->program.dim = entry;
    c->program.symbols = d->symbols;
    c->program.symbol = symbol;
}

static sn_abi_tensor tensor(const sn_type *t)
{
    sn_abi_tensor out = {.rank = t->rank};
    for (uint8_t i = 0; i < t->rank; i++)
        out.dim[i] = t->dim[i].v;
    return out;
}

/* ---- calls ---- */

typedef struct cursor { uint32_t call, buffer; uint32_t *first; } cursor; /* first[k] = first call of kernel k; [kernels] = all */

static uint32_t buffer_number(const sn_compiled *c, const sn_plan *p, uint32_t b, uint32_t first_temp)
{
    const sn_kernel *k = p->k;
    if (b >= k->ins + k->outs)
        return first_temp + b - k->ins - k->outs;
    sn_ref r = b < k->ins ? k->in[b] : k->out[b - k->ins];
    uint32_t buffer = c->s->buffer_of[r.i];
    SN_ASSERT(buffer != UINT32_MAX, "node %u of kernel %s has no buffer", r.i, k->name);
    return buffer;
}

static void fill_call(sn_compiled *c, sn_abi_call *out, uint32_t kernel, uint32_t j, uint32_t first_temp, const char *place)
{
    const sn_plan *p = &c->plan[kernel];
    const sn_plan_call *call = &p->call[j];
    uint32_t *arg = sn_new_n(&c->arena, uint32_t, call->args + 1);
    int64_t *dim = sn_new_n(&c->arena, int64_t, p->dim_count + 1);
    for (uint32_t i = 0; i < call->args; i++)
        arg[i] = buffer_number(c, p, call->arg[i], first_temp);
    for (uint32_t i = 0; i < p->dim_count; i++)
        dim[i] = p->dim[i].v;
    *out = (sn_abi_call){
        .kernel = c->unit[c->unit_of[kernel]].fn[j],
        .name = p->calls == 1 ? p->k->name : sn_format(&c->arena, "%s#%u", p->k->name, j + 1),
        .where = place, .arg = arg, .args = call->args, .reads = call->reads, .dim = dim, .dims = p->dim_count,
        .tiles = call->tiles.v, .scratch = call->scratch.v, .macs = call->macs.v,
    };
}

static void fill_calls(sn_compiled *c, const sn_diags *diags, cursor *at)
{
    uint32_t calls = 0, temp = c->s->buffers;
    at->first = sn_new_n(&c->arena, uint32_t, c->s->kernels + 1);
    for (uint32_t k = 0; k < c->s->kernels; k++) {
        at->first[k] = calls;
        calls += c->plan[k].calls;
        at->buffer += c->plan[k].temps;
    }
    at->first[c->s->kernels] = at->call = calls;
    sn_abi_call *call = sn_new_n(&c->arena, sn_abi_call, calls + 1);
    const char **symbol = sn_new_n(&c->arena, const char *, calls + 1);
    for (uint32_t k = 0, n = 0; k < c->s->kernels; k++) {
        const char *place = diags ? sn_diags_place(diags, c->s->kernel[k].loc, &c->arena) : "";
        for (uint32_t j = 0; j < c->plan[k].calls; j++, n++) {
            symbol[n] = sn_format(&c->arena, "%s_%u", c->unit[c->unit_of[k]].symbol, j);
            fill_call(c, &call[n], k, j, temp, place);
        }
        temp += c->plan[k].temps;
    }
    c->program.calls = calls;
    c->program.call = call;
    c->symbol = symbol;
}

/* ---- buffers ---- */

static uint32_t last_call(const cursor *at, const sn_schedule *s, uint32_t kernel)
{
    return kernel >= s->kernels ? at->call : at->first[kernel + 1] - 1;
}

static void fill_buffers(sn_compiled *c, const cursor *at)
{
    const sn_schedule *s = c->s;
    sn_abi_buffer *b = sn_new_n(&c->arena, sn_abi_buffer, s->buffers + at->buffer + 1);
    for (uint32_t i = 0; i < s->buffers; i++) {
        const sn_buffer *from = &s->buffer[i];
        b[i] = (sn_abi_buffer){.place = (int64_t)from->place, .index = from->index, .count = from->count.v,
                               .first = from->first < s->kernels ? at->first[from->first] : 0,
                               .last = last_call(at, s, from->last)};
        if (from->place == SN_PLACE_CONST)
            b[i].data = sn_at(s->g, from->node)->attrs.data.data;
    }
    for (uint32_t k = 0, n = s->buffers; k < s->kernels; k++)
        for (uint32_t i = 0; i < c->plan[k].temps; i++, n++)
            b[n] = (sn_abi_buffer){.place = SN_ABI_SLAB, .count = c->plan[k].temp[i].v, .first = at->first[k],
                                   .last = last_call(at, s, k)};
    c->program.buffers = s->buffers + at->buffer;
    c->program.buffer = b;
}

/* ---- parameters, outputs, updates ---- */

static void fill_params(sn_compiled *c)
{
    const sn_graph *g = c->s->g;
    sn_abi_param *p = sn_new_n(&c->arena, sn_abi_param, g->params + 1);
    for (uint32_t i = 0; i < g->params; i++) {
        const sn_param *from = &g->param[i];
        p[i] = (sn_abi_param){.name = from->name, .kind = (uint32_t)from->kind, .init = (uint32_t)from->init.kind, .a = from->init.a,
                              .b = from->init.b, .of = from->of, .coefficient = from->coefficient, .type = tensor(&from->type)};
    }
    c->program.params = g->params;
    c->program.param = p;
}

static int64_t gradient_of(const sn_graph *g, const char *name)
{
    static const char prefix[] = "grad.";
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return -1;
    uint32_t i = sn_graph_find_param(g, name + sizeof prefix - 1);
    return i == UINT32_MAX ? -1 : (int64_t)i;
}

static void fill_ends(sn_compiled *c)
{
    const sn_graph *g = c->s->g;
    sn_abi_output *o = sn_new_n(&c->arena, sn_abi_output, g->outputs + 1);
    for (uint32_t i = 0; i < g->outputs; i++)
        o[i] = (sn_abi_output){g->output[i].name, c->s->buffer_of[g->output[i].ref.i], tensor(&sn_at(g, g->output[i].ref)->type),
                               gradient_of(g, g->output[i].name)};
    sn_abi_update *u = sn_new_n(&c->arena, sn_abi_update, g->updates + 1);
    for (uint32_t i = 0; i < g->updates; i++)
        u[i] = (sn_abi_update){(uint32_t)g->update[i].kind, g->update[i].param, c->s->buffer_of[g->update[i].value.i]};
    c->program.outputs = g->outputs;
    c->program.output = o;
    c->program.updates = g->updates;
    c->program.update = u;
}

void sn_program_fill(sn_compiled *c, const sn_diags *diags)
{
    cursor at = {0};
    c->program.version = SN_ABI_VERSION;
    fill_dims(c);
    fill_calls(c, diags, &at);
    fill_buffers(c, &at);
    fill_params(c);
    fill_ends(c);
}
