/* The order of calls: which must wait for those before it.
 * Not a reordering: calls run in the program's order, but neighbours that share no memory run side by side. */
#include "internal.h"

/* Memory behind a buffer: a byte range of the slab (space 0), or a whole parameter or output.  False: constant data. */
static bool touched_of(const sn_rt_session *s, uint32_t buffer, bool written, sn_rt_touched *out)
{
    const sn_abi_program *p = s->program;
    uint32_t              root = s->root[buffer];
    const sn_abi_buffer  *b = &p->buffer[root];
    *out = (sn_rt_touched){0, 1, 0, written};
    switch (b->place) {
    case SN_ABI_SLAB:
        out->begin = s->interval[root].offset;
        out->end = out->begin + s->interval[root].bytes;
        return out->end > out->begin;
    case SN_ABI_PARAM: out->space = 1 + (uint32_t)b->index; return true;
    case SN_ABI_OUTPUT: out->space = 1 + p->params + (uint32_t)b->index; return true;
    default: return false;
    }
}

static bool conflict(const sn_rt_touched *a, const sn_rt_touched *b)
{
    return (a->written || b->written) && a->space == b->space && a->begin < b->end && b->begin < a->end;
}

void sn_rt_session_order(const sn_rt_session *s, sn_rt_job *job)
{
    const sn_abi_program *p = s->program;
    sn_rt_touched        *seen = s->touched;
    size_t n = 0; /* touched by the open group */
    for (uint32_t i = 0; i < p->calls; i++) {
        const sn_abi_call *c = &p->call[i];
        bool   wait = false;
        size_t end = n;
        for (uint32_t a = 0; a < c->args && job[i].tiles > 0; a++) {
            sn_rt_touched t;
            if (!touched_of(s, c->arg[a], a >= c->reads, &t)) continue;
            for (size_t k = 0; k < n && !wait; k++) wait = conflict(&seen[k], &t);
            seen[end++] = t;
        }
        if (wait) {
            for (size_t k = n; k < end; k++) seen[k - n] = seen[k];
            end -= n;
        }
        n = end;
        job[i].wait = wait;
    }
}
