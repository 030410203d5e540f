/* The order of calls: which must wait for those before it.
 * Not a reordering: calls run in the program's order, but neighbours that share no memory run side by side. */
#include "internal.h"

#include <stdlib.h>

typedef struct touched { size_t begin, end; uint32_t space; bool written; } touched;

/* Memory behind a buffer: a byte range of the slab (space 0), or a whole parameter or output.  False: constant data. */
static bool touched_of(const sn_rt_session *s, uint32_t buffer, bool written, touched *out)
{
    const sn_abi_program *p = s->program;
    uint32_t              root = s->root[buffer];
    const sn_abi_buffer  *b = &p->buffer[root];
    *out = (touched){0, 1, 0, written};
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

static bool conflict(const touched *a, const touched *b)
{
    return (a->written || b->written) && a->space == b->space && a->begin < b->end && b->begin < a->end;
}

sn_rt_status sn_rt_session_order(const sn_rt_session *s, sn_rt_job *job, sn_rt_error *err)
{
    const sn_abi_program *p = s->program;
    size_t most = 1;
    for (uint32_t i = 0; i < p->calls; i++) most += p->call[i].args;
    touched *seen = malloc(most * sizeof *seen);
    if (!seen) return sn_rt_fail(err, SN_RT_MEMORY, "no memory to order %u calls", p->calls);
    size_t n = 0; /* touched by the open group */
    for (uint32_t i = 0; i < p->calls; i++) {
        const sn_abi_call *c = &p->call[i];
        bool   wait = false;
        size_t end = n;
        for (uint32_t a = 0; a < c->args && job[i].tiles > 0; a++) {
            touched t;
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
    free(seen);
    return SN_RT_OK;
}
