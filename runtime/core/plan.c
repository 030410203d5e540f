/* The slab plan: offsets of buffers from their sizes and lifetimes.
 * Not allocation (memory.c); knows nothing of programs, so that it can be tested with random intervals.
 * Source of the idea: greedy by size for shared objects, arXiv 2001.03288, section 5. */
#include "internal.h"

#include <stdlib.h>

typedef struct order { size_t bytes; uint32_t first, index; } order;

/* Largest first, then earliest, then in order of number: total, so the sort gives one result on every system. */
static int by_size(const void *pa, const void *pb)
{
    const order *a = pa, *b = pb;
    if (a->bytes != b->bytes) return a->bytes > b->bytes ? -1 : 1;
    if (a->first != b->first) return a->first < b->first ? -1 : 1;
    return a->index < b->index ? -1 : 1;
}

/* Offset of the tightest gap for `x` between the placed intervals alive with it.  placed[] is in order of offset. */
static size_t best_gap(const sn_rt_interval *item, const uint32_t *placed, uint32_t n, const sn_rt_interval *x)
{
    size_t end = 0, best = 0, best_size = SIZE_MAX;
    for (uint32_t i = 0; i < n; i++) {
        const sn_rt_interval *y = &item[placed[i]];
        if (y->last < x->first || x->last < y->first) continue;
        if (y->offset > end) {
            size_t gap = y->offset - end;
            if (gap >= x->bytes && gap < best_size) {
                best_size = gap;
                best = end;
            }
        }
        if (y->offset + y->bytes > end) end = y->offset + y->bytes;
    }
    return best_size == SIZE_MAX ? end : best;
}

static void insert_by_offset(const sn_rt_interval *item, uint32_t *placed, uint32_t n, uint32_t index)
{
    uint32_t at = n;
    while (at > 0 && item[placed[at - 1]].offset > item[index].offset) {
        placed[at] = placed[at - 1];
        at--;
    }
    placed[at] = index;
}

sn_rt_status sn_rt_plan(sn_rt_interval *item, uint32_t n, size_t *out_total, sn_rt_error *err)
{
    order    *todo = calloc(n ? n : 1, sizeof *todo);
    uint32_t *placed = calloc(n ? n : 1, sizeof *placed);
    sn_rt_status status = todo && placed ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory to plan %u buffers", n);
    uint32_t sized = 0;
    size_t   sum = 0;
    for (uint32_t i = 0; status == SN_RT_OK && i < n; i++) {
        item[i].offset = 0;
        if (!item[i].bytes) continue;
        if (!sn_rt_add_size(sum, item[i].bytes, &sum)) status = sn_rt_fail(err, SN_RT_BAD_SHAPE, "sizes of %u buffers overflow", n);
        else todo[sized++] = (order){item[i].bytes, item[i].first, i};
    }
    size_t total = 0;
    if (status == SN_RT_OK) qsort(todo, sized, sizeof *todo, by_size);
    for (uint32_t i = 0; status == SN_RT_OK && i < sized; i++) {
        sn_rt_interval *x = &item[todo[i].index];
        x->offset = best_gap(item, placed, i, x);
        insert_by_offset(item, placed, i, todo[i].index);
        if (x->offset + x->bytes > total) total = x->offset + x->bytes;
    }
    free(todo);
    free(placed);
    if (status == SN_RT_OK) *out_total = total;
    return status;
}

size_t sn_rt_plan_live(const sn_rt_interval *item, uint32_t n, uint32_t calls)
{
    size_t most = 0;
    for (uint32_t c = 0; c < calls; c++) {
        size_t live = 0;
        for (uint32_t i = 0; i < n; i++)
            if (item[i].bytes && item[i].first <= c && c <= item[i].last) live += item[i].bytes;
        if (live > most) most = live;
    }
    return most;
}
