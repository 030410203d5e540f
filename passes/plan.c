/* Buffers: which memory a stored value has, and between which kernels it is needed.
 * Not offsets: sizes are symbolic, so the runtime assigns those when N and T are known.
 *
 * A value that reaches memory has a buffer: parameters and constants where they are, views as aliases of what they view, outputs in
 * the caller's memory, all else in the slab from its first write to its last read.  One value as two outputs is written to the first; the
 * runtime copies.
 */
#include <string.h>

#include "internal.h"

static uint32_t buffer_for(sn_schedule *s, sn_ref r)
{
    sn_graph *g = s->g;
    if (s->buffer_of[r.i] != UINT32_MAX)
        return s->buffer_of[r.i];
    const sn_node *n = sn_at(g, r);
    sn_buffer b = {.node = r, .place = SN_PLACE_SLAB, .count = sn_type_count(&g->dims, &n->type), .first = UINT32_MAX, .last = 0};
    if (n->op == SN_OP_param) {
        b.place = SN_PLACE_PARAM;
        b.index = n->attrs.param.index;
    } else if (n->op == SN_OP_const) {
        b.place = SN_PLACE_CONST;
    } else if (sn_op_has(n->op, SN_VIEW)) {
        b.place = SN_PLACE_ALIAS;
        b.index = buffer_for(s, sn_view_root(g, r));
    }
    s->buffer[s->buffers] = b;
    return s->buffer_of[r.i] = s->buffers++;
}

static void touch(sn_schedule *s, uint32_t buffer, uint32_t kernel)
{
    sn_buffer *b = &s->buffer[buffer];
    if (b->place == SN_PLACE_ALIAS)
        touch(s, b->index, kernel);
    b->first = kernel < b->first ? kernel : b->first;
    b->last = kernel > b->last ? kernel : b->last;
}

void sn_plan_buffers(sn_schedule *s)
{
    const sn_graph *g = s->g;
    const uint32_t end = s->kernels; /* past the last kernel: outputs and updates are read after the run */
    s->buffer = sn_new_n(&s->arena, sn_buffer, g->nodes + 1);
    s->buffer_of = sn_new_n(&s->arena, uint32_t, g->nodes + 1);
    memset(s->buffer_of, 0xff, (g->nodes + 1) * sizeof *s->buffer_of);
    for (uint32_t i = 0; i < s->kernels; i++) {
        const sn_kernel *k = &s->kernel[i];
        for (uint32_t j = 0; j < k->ins; j++)
            touch(s, buffer_for(s, k->in[j]), i);
        for (uint32_t j = 0; j < k->outs; j++)
            touch(s, buffer_for(s, k->out[j]), i);
    }
    for (uint32_t i = 0; i < g->updates; i++)
        touch(s, buffer_for(s, g->update[i].value), end);
    for (uint32_t i = 0; i < g->outputs; i++) {
        const uint32_t of = buffer_for(s, g->output[i].ref);
        touch(s, of, end);
        sn_buffer *b = &s->buffer[s->buffer[of].place == SN_PLACE_ALIAS ? s->buffer[of].index : of];
        if (b->place == SN_PLACE_SLAB) {
            b->place = SN_PLACE_OUTPUT;
            b->index = i;
        }
    }
}
