/* Held parameters: calls that read nothing but weights, copies and states are made once, not in every run.
 * Not constant folding: values stay the caller's, who says when they change.
 *
 * Packed weights, products of a graph with its importance, folded batch norms: at batch 1 they are a few percent of a run.  Their results
 * that other calls read live to the end of the program and share their memory with nobody; so a plan with held parameters is larger by them.
 */
#include "internal.h"

#include <string.h>

/* Is the memory behind a buffer the same in every run, as far as decided? */
static bool is_fixed(const sn_rt_session *s, uint32_t buffer)
{
    const sn_abi_program *p = s->program;
    uint32_t              root = s->root[buffer];
    const sn_abi_buffer  *b = &p->buffer[root];
    if (b->place == SN_ABI_PARAM) return p->param[b->index].kind != SN_ABI_INPUT;
    return b->place == SN_ABI_CONST || (b->place == SN_ABI_SLAB && s->fixed[root]);
}

/* Calls that write into the memory of buffer `root`. */
static uint32_t writers(const sn_abi_program *p, const sn_rt_session *s, uint32_t root)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->calls; i++)
        for (uint32_t a = p->call[i].reads; a < p->call[i].args; a++) n += s->root[p->call[i].arg[a]] == root;
    return n;
}

static bool can_hold(const sn_rt_session *s, const sn_abi_call *c)
{
    const sn_abi_program *p = s->program;
    if (!c->reads) return false;
    for (uint32_t d = 0; d < c->dims; d++)
        if (c->dim[d] >= 0) return false; /* random numbers differ from step to step */
    for (uint32_t a = 0; a < c->reads; a++)
        if (!is_fixed(s, c->arg[a])) return false;
    for (uint32_t a = c->reads; a < c->args; a++) {
        uint32_t root = s->root[c->arg[a]];
        if (p->buffer[root].place != SN_ABI_SLAB || writers(p, s, root) != 1) return false;
    }
    return true;
}

void sn_rt_session_find_held(sn_rt_session *s)
{
    const sn_abi_program *p = s->program;
    memset(s->fixed, 0, p->buffers * sizeof *s->fixed);
    memset(s->held, 0, p->calls * sizeof *s->held);
    for (uint32_t i = 0; s->hold && i < p->calls; i++) {
        const sn_abi_call *c = &p->call[i];
        s->held[i] = can_hold(s, c);
        for (uint32_t a = c->reads; s->held[i] && a < c->args; a++) s->fixed[s->root[c->arg[a]]] = true;
    }
}

void sn_rt_session_keep_held(const sn_rt_session *s, uint32_t end)
{
    const sn_abi_program *p = s->program;
    for (uint32_t i = 0; i < p->calls; i++)
        for (uint32_t a = 0; a < p->call[i].reads && !s->held[i]; a++) {
            uint32_t root = s->root[p->call[i].arg[a]];
            if (p->buffer[root].place == SN_ABI_SLAB && s->fixed[root]) s->interval[root].first = 0, s->interval[root].last = end;
        }
    for (uint32_t i = 0; i < p->outputs + p->updates; i++) {
        uint32_t root = s->root[i < p->outputs ? p->output[i].buffer : p->update[i - p->outputs].buffer];
        if (p->buffer[root].place == SN_ABI_SLAB && s->fixed[root]) s->interval[root].first = 0, s->interval[root].last = end;
    }
}

void sn_rt_session_rest(sn_rt_session *s)
{
    for (uint32_t i = 0; i < s->program->calls; i++) {
        s->rest[i] = s->job[i];
        if (s->held[i]) s->rest[i].tiles = 0;
    }
    s->made = false;
}

sn_rt_status sn_rt_session_hold(sn_rt_session *s, sn_rt_error *err)
{
    if (!s->bound) return sn_rt_fail(err, SN_RT_ARGUMENT, "a session is told to hold parameters before it is bound");
    if (s->slab) return sn_rt_fail(err, SN_RT_ARGUMENT, "a session is told to hold parameters after it is prepared");
    s->hold = true;
    s->planned = false;
    return SN_RT_OK;
}

void sn_rt_session_renew(sn_rt_session *s) { s->made = false; }

bool sn_rt_session_call_held(const sn_rt_session *s, uint32_t call) { return s->held[call]; }

const float *sn_rt_session_held(const sn_rt_session *s, uint32_t buffer)
{
    return s->made && s->fixed[s->root[buffer]] ? s->memory[buffer] : NULL;
}
