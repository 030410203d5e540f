/* The slab plan: offsets of buffers from their sizes and lifetimes.
 * Not allocation (memory.c); knows nothing of programs, so that it can be tested with random intervals.
 * Source of the idea: greedy by size for shared objects, arXiv 2001.03288, section 5. */
#include "internal.h"

/* Largest first, then earliest, then in order of number: total, so the sort gives one result on every system. */
static bool precedes(const sn_rt_interval *item, uint32_t a, uint32_t b)
{
    const sn_rt_interval *x = &item[a], *y = &item[b];
    if (x->bytes != y->bytes) return x->bytes > y->bytes;
    if (x->first != y->first) return x->first < y->first;
    return a < b;
}

/* Let todo[at] sink below those of todo[0 .. n-1] that come after it in the order: a heap whose root is the last. */
static void sink(const sn_rt_interval *item, uint32_t *todo, uint32_t at, uint32_t n)
{
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && precedes(item, todo[child], todo[child + 1])) child++;
        if (!precedes(item, todo[at], todo[child])) return;
        uint32_t swap = todo[at];
        todo[at] = todo[child];
        todo[child] = swap;
    }
}

/* By a heap: qsort of the C library may allocate. */
static void sort(const sn_rt_interval *item, uint32_t *todo, uint32_t n)
{
    for (uint32_t i = n / 2; i-- > 0;) sink(item, todo, i, n);
    for (uint32_t i = n; i-- > 1;) {
        uint32_t last = todo[0];
        todo[0] = todo[i];
        todo[i] = last;
        sink(item, todo, 0, i);
    }
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

sn_rt_status sn_rt_plan(sn_rt_interval *item, uint32_t n, uint32_t *scratch, size_t *out_total, sn_rt_error *err)
{
    uint32_t *todo = scratch, *placed = scratch + n, sized = 0;
    size_t    sum = 0, total = 0;
    for (uint32_t i = 0; i < n; i++) {
        item[i].offset = 0;
        if (!item[i].bytes) continue;
        if (!sn_rt_add_size(sum, item[i].bytes, &sum)) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "sizes of %u buffers overflow", n);
        todo[sized++] = i;
    }
    sort(item, todo, sized);
    for (uint32_t i = 0; i < sized; i++) {
        sn_rt_interval *x = &item[todo[i]];
        x->offset = best_gap(item, placed, i, x);
        insert_by_offset(item, placed, i, todo[i]);
        if (x->offset + x->bytes > total) total = x->offset + x->bytes;
    }
    *out_total = total;
    return SN_RT_OK;
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
