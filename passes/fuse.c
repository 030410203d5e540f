/* Fusion: from a graph to kernels, in an order that can run.
 * Not their order for memory (order.c), not buffers (plan.c), not code.  The steps are in fuse_*.c; fuse.h says which does what.
 *
 * For one contraction with batch norm and relu in training this makes: the contraction (normalising the block before while its operand is
 * packed, adding up partial sums of its own result) and one small reduction (statistics, scale, shift, running averages); backward, two
 * contractions and one small reduction.  Neither the normalised tensor nor the mask is stored.
 */
#include <stdarg.h>

#include "../ir/text.h"
#include "fuse.h"

void sn_fuse_because(const sn_fuser *f, uint32_t node, const char *format, ...)
{
    va_list args;
    if (!f->s->why)
        return;
    va_start(args, format);
    f->s->why[node].value = sn_format_list(&f->s->arena, format, args);
    va_end(args);
}

void sn_fuse_placed(const sn_fuser *f, uint32_t node, const char *format, ...)
{
    va_list args;
    if (!f->s->why)
        return;
    va_start(args, format);
    f->s->why[node].place = sn_format_list(&f->s->arena, format, args);
    va_end(args);
}

bool sn_fuse(sn_schedule *s, bool alone, sn_arena *arena, sn_diags *diags)
{
    sn_fuser f = {.s = s, .g = s->g, .arena = arena, .alone = alone, .label = s->why ? sn_node_labels(s->g, arena) : NULL};
    sn_fuse_facts(&f);
    if (alone) {
        sn_fuse_nothing(&f);
    } else {
        sn_fuse_chains(&f);
        sn_fuse_choose(&f);
    }
    sn_fuse_place(&f);
    sn_fuse_finish(&f);
    return sn_schedule_verify(s, diags);
}
