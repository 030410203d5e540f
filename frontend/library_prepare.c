/* What a model's weights alone decide, computed while it is built: packed and transformed weights, folded norms.
 * Not leaving out the calls (codegen/prepare.c).
 *
 * The very code of the library runs here once, held parameters being what sn_rt_session_hold knows of; so the bits are those of a first run. */
#include <stdlib.h>
#include <string.h>

#include "library.h"

/* Inputs of extent 1 where free: nothing held depends on them. */
static bool set_inputs(sn_preparation *x, sn_rt_error *err)
{
    const sn_abi_program *p = x->program.abi;
    sn_rt_status status = SN_RT_OK;
    for (uint32_t i = 0; i < p->params && status == SN_RT_OK; i++) {
        if (p->param[i].kind != SN_ABI_INPUT) continue;
        int64_t  extent[SN_ABI_MAX_RANK];
        uint64_t dims[SN_ABI_MAX_RANK];
        sn_rt_session_shape(x->session, &p->param[i].type, extent);
        for (uint32_t d = 0; d < p->param[i].type.rank; d++) dims[d] = (uint64_t)extent[d];
        status = sn_rt_array_init(SN_RT_ELEM_F32, p->param[i].type.rank, dims, &x->input[i], err);
        if (status == SN_RT_OK)
            status = sn_rt_session_set_param(x->session, i, x->input[i].data, sn_rt_session_count(x->session, &p->param[i].type), err);
    }
    return status == SN_RT_OK;
}

static bool run(sn_preparation *x, const sn_rt_array *const *weight, sn_rt_error *err)
{
    const sn_abi_program *p = x->program.abi;
    int64_t *extent = calloc(p->symbols + 1, sizeof *extent);
    SN_ASSERT(extent, "out of memory");
    for (uint32_t i = 0; i < p->symbols; i++) extent[i] = 1;
    sn_rt_status status = sn_rt_session_new(p, &x->session, err);
    if (status == SN_RT_OK) status = sn_rt_session_bind(x->session, extent, err);
    free(extent);
    for (uint32_t i = 0; i < p->params && status == SN_RT_OK; i++)
        if (weight[i]) status = sn_rt_session_set_param(x->session, i, weight[i]->data, weight[i]->bytes / sizeof(float), err);
    return status == SN_RT_OK && set_inputs(x, err) && sn_rt_session_hold(x->session, err) == SN_RT_OK &&
           sn_rt_session_prepare(x->session, 0, NULL, 0, err) == SN_RT_OK && sn_rt_session_run(x->session, 0, 0, err) == SN_RT_OK;
}

/* Calls that are held, and what they leave.  All of it has fixed sizes, or nothing is taken: a held call may read what another wrote. */
static void find(sn_preparation *x)
{
    const sn_abi_program *p = x->program.abi;
    bool fixed = true;
    for (uint32_t i = 0; i < p->calls; i++) {
        x->drop[i] = sn_rt_session_call_held(x->session, i);
        for (uint32_t a = 0; x->drop[i] && a < p->call[i].args; a++) fixed = fixed && p->buffer[p->call[i].arg[a]].count >= 0;
        fixed = fixed && (!x->drop[i] || p->call[i].tiles >= 0);
    }
    for (uint32_t i = 0; i < p->buffers; i++) x->data[i] = sn_rt_session_held(x->session, i);
    if (fixed) x->known = (sn_prepared){x->drop, x->data};
}

bool sn_library_prepare(const sn_schedule *s, const char *cpu, const char *cache, const sn_rt_array *const *weight, sn_preparation *x, sn_diags *diags)
{
    const sn_codegen_options options = {.cpu = cpu, .cache_dir = cache};
    sn_rt_error err = {""};
    x->program.compiled = sn_compile(s, &options, diags);
    if (!x->program.compiled) return false;
    const sn_abi_program *p = x->program.abi = sn_compiled_program(x->program.compiled);
    x->drop = calloc(p->calls + 1, sizeof *x->drop);
    x->data = calloc(p->buffers + 1, sizeof *x->data);
    x->input = calloc(p->params + 1, sizeof *x->input);
    SN_ASSERT(x->drop && x->data && x->input, "out of memory");
    if (!run(x, weight, &err)) {
        sn_error(diags, (sn_loc){0}, NULL, "weights cannot be prepared for %s, %s; --small leaves them as they are", cpu, err.text);
        return false;
    }
    find(x);
    return true;
}

void sn_library_prepare_fini(sn_preparation *x)
{
    for (uint32_t i = 0; x->input && i < x->program.abi->params; i++) sn_rt_array_fini(&x->input[i]);
    sn_rt_session_free(x->session);
    sn_compiled_free(x->program.compiled);
    free(x->drop);
    free((void *)x->data);
    free(x->input);
}

static bool is_param(const sn_abi_program *p, uint32_t buffer, uint32_t param)
{
    const sn_abi_buffer *b = &p->buffer[buffer];
    while (b->place == SN_ABI_ALIAS) b = &p->buffer[b->index];
    return b->place == SN_ABI_PARAM && b->index == (int64_t)param;
}

bool sn_library_needs(const sn_preparation *x, uint32_t param)
{
    const sn_abi_program *p = x->program.abi;
    for (uint32_t i = 0; i < p->calls; i++)
        for (uint32_t a = 0; a < p->call[i].args && !(x->known.drop && x->known.drop[i]); a++)
            if (is_param(p, p->call[i].arg[a], param)) return true;
    for (uint32_t i = 0; i < p->outputs; i++)
        if (is_param(p, p->output[i].buffer, param)) return true;
    return false;
}
