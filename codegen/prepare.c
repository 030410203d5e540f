/* A program made smaller by what its weights are: calls whose results are known are left out, the results become constants.
 * Not their computation (frontend/library_prepare.c).
 *
 *     pack weights -> panels; multiply x, panels -> y          multiply x, constant -> y
 */
#include <string.h>

#include "compile.h"

typedef struct preparing {
    sn_compiled       *c;
    const sn_prepared *known;
    bool              *used;   /* per buffer: a call that stays, an output or an update refers to it */
    uint32_t          *before; /* per call, and behind the last: calls that stay before it */
} preparing;

static void use(preparing *x, uint32_t buffer)
{
    const sn_abi_buffer *b = x->c->program.buffer;
    x->used[buffer] = true;
    while (b[buffer].place == SN_ABI_ALIAS) {
        buffer = (uint32_t)b[buffer].index;
        x->used[buffer] = true;
    }
}

static void find_used(preparing *x)
{
    const sn_abi_program *p = &x->c->program;
    x->used = sn_new_n(&x->c->arena, bool, p->buffers + 1);
    x->before = sn_new_n(&x->c->arena, uint32_t, p->calls + 1);
    memset(x->used, 0, p->buffers * sizeof *x->used);
    x->before[0] = 0;
    for (uint32_t i = 0; i < p->calls; i++) {
        x->before[i + 1] = x->before[i] + !x->known->drop[i];
        for (uint32_t a = 0; a < p->call[i].args && !x->known->drop[i]; a++)
            use(x, p->call[i].arg[a]);
    }
    for (uint32_t i = 0; i < p->outputs; i++)
        use(x, p->output[i].buffer);
    for (uint32_t i = 0; i < p->updates; i++)
        use(x, p->update[i].buffer);
}

static void drop_calls(preparing *x)
{
    sn_abi_program *p = &x->c->program;
    sn_abi_call    *call = sn_new_n(&x->c->arena, sn_abi_call, p->calls + 1);
    for (uint32_t i = 0; i < p->calls; i++)
        if (!x->known->drop[i]) {
            call[x->before[i]] = p->call[i];
            x->c->symbol[x->before[i]] = x->c->symbol[i];
        }
    p->call = call;
}

/* What nothing refers to takes no memory and asks for no parameter; numbers of buffers stay. */
static sn_abi_buffer prepared_buffer(const preparing *x, uint32_t i, uint32_t calls)
{
    sn_abi_buffer b = x->c->program.buffer[i];
    if (!x->used[i])
        return (sn_abi_buffer){.place = SN_ABI_SLAB};
    if (b.place == SN_ABI_SLAB && x->known->data[i])
        b = (sn_abi_buffer){.place = SN_ABI_CONST, .data = x->known->data[i], .count = b.count};
    b.first = x->before[b.first < calls ? b.first : calls];
    b.last = b.last >= calls ? x->before[calls] : x->before[b.last + 1] > b.first ? x->before[b.last + 1] - 1 : b.first;
    return b;
}

void sn_program_prepare(sn_compiled *c, const sn_prepared *known)
{
    preparing x = {.c = c, .known = known};
    find_used(&x);
    sn_abi_buffer *b = sn_new_n(&c->arena, sn_abi_buffer, c->program.buffers + 1);
    for (uint32_t i = 0; i < c->program.buffers; i++)
        b[i] = prepared_buffer(&x, i, c->program.calls);
    drop_calls(&x);
    c->program.buffer = b;
    c->program.calls = x.before[c->program.calls];
}
