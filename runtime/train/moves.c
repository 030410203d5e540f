/* Which weights and copies are moved, cut into pieces for threads; and moving copies alone.
 * Not the optimiser (optimizer.c), which moves weights and takes their copies along. */
#include "internal.h"

#include <stdlib.h>

/* Floats of a piece.  Weight, gradient, velocity and copy of one are 64 KiB together: they stay in the second cache between the two halves
 * of a move, and in part in the first. */
enum { PIECE_FLOATS = 1 << 12 };

/* ---- stretches ---------------------------------------------------------------------------------------------------------- */

/* Append a stretch, joined to the last one if both its ends meet. */
static bool blocks_add(sn_rt_blocks *b, sn_rt_block next, bool join)
{
    sn_rt_block *last = join && b->count ? &b->block[b->count - 1] : NULL;
    if (last && last->to + last->count == next.to && last->from + last->count == next.from && last->coefficient == next.coefficient) {
        last->count += next.count;
        return true;
    }
    if (b->count == b->capacity) {
        size_t capacity = b->capacity ? 2 * b->capacity : 16;
        void  *grown = realloc(b->block, capacity * sizeof *b->block);
        if (!grown) return false;
        b->block = grown;
        b->capacity = capacity;
    }
    b->block[b->count++] = next;
    return true;
}

static int by_place(const void *pa, const void *pb)
{
    const sn_rt_block *a = pa, *b = pb;
    return a->to < b->to ? -1 : a->to > b->to;
}

static int by_source(const void *pa, const void *pb)
{
    const sn_rt_block *a = pa, *b = pb;
    return a->from != b->from ? (a->from < b->from ? -1 : 1) : by_place(pa, pb);
}

/* Stretches of weights with a gradient, and of copies, in order of place, so that neighbours join. */
static bool find_stretches(const sn_rt_store *store, sn_rt_blocks *trained, sn_rt_blocks *followed)
{
    const sn_abi_program *p = store->program;
    sn_rt_block          *copy = calloc(p->params ? p->params : 1, sizeof *copy);
    bool                  ok = copy != NULL;
    size_t                copies = 0;
    for (uint32_t i = 0; ok && i < p->params; i++) {
        const sn_rt_slot *x = &store->slot[i];
        size_t            count = sn_rt_store_padded(x->count);
        if (p->param[i].kind == SN_ABI_WEIGHT && store->gradient[i] != SN_RT_NONE)
            ok = blocks_add(trained, (sn_rt_block){x->offset, x->offset, count, 0}, true);
        if (p->param[i].kind == SN_ABI_COPY)
            copy[copies++] = (sn_rt_block){x->offset, store->slot[p->param[i].of].offset, count, (float)(1 - p->param[i].coefficient)};
    }
    if (ok) qsort(copy, copies, sizeof *copy, by_place);
    for (size_t i = 0; ok && i < copies; i++) ok = blocks_add(followed, copy[i], true);
    free(copy);
    return ok;
}

/* ---- pieces ------------------------------------------------------------------------------------------------------------- */

/* Cut a stretch into pieces, at multiples of PIECE_FLOATS of its source: so a piece of a copy lies within one piece of its weight if the
 * ends of trained stretches are cuts, too. */
static bool cut(sn_rt_blocks *out, const sn_rt_block *stretch, const sn_rt_blocks *ends)
{
    sn_rt_block rest = *stretch;
    while (rest.count > 0) {
        size_t until = (rest.from / PIECE_FLOATS + 1) * PIECE_FLOATS;
        for (size_t i = 0; i < ends->count; i++) {
            size_t begin = ends->block[i].from, end = begin + ends->block[i].count;
            if (begin > rest.from && begin < until) until = begin;
            if (end > rest.from && end < until) until = end;
        }
        sn_rt_block piece = rest;
        if (piece.count > until - rest.from) piece.count = until - rest.from;
        if (!blocks_add(out, piece, false)) return false;
        rest.to += piece.count;
        rest.from += piece.count;
        rest.count -= piece.count;
    }
    return true;
}

/* Walk both lists by source: a weight's piece with the pieces of copies that follow it, or a copy's piece whose weight is not trained. */
static bool pair(sn_rt_store *store)
{
    const sn_rt_blocks *w = &store->trained, *c = &store->followed;
    store->moves.move = calloc(w->count + c->count + 1, sizeof *store->moves.move);
    if (!store->moves.move) return false;
    for (size_t i = 0, j = 0; i < w->count || j < c->count;) {
        sn_rt_move *m = &store->moves.move[store->moves.count++];
        m->begin = j;
        if (i == w->count || (j < c->count && c->block[j].from < w->block[i].from)) {
            m->end = ++j;
            continue;
        }
        m->weight = w->block[i].to;
        m->count = w->block[i].count;
        while (j < c->count && c->block[j].from < m->weight + m->count) j++;
        m->end = j;
        i++;
    }
    return true;
}

bool sn_rt_store_make_moves(sn_rt_store *store)
{
    sn_rt_blocks trained = {0}, followed = {0};
    bool         ok = find_stretches(store, &trained, &followed);
    for (size_t i = 0; ok && i < trained.count; i++) ok = cut(&store->trained, &trained.block[i], &trained);
    for (size_t i = 0; ok && i < followed.count; i++) ok = cut(&store->followed, &followed.block[i], &trained);
    if (ok && store->followed.count) qsort(store->followed.block, store->followed.count, sizeof *store->followed.block, by_source);
    free(trained.block);
    free(followed.block);
    return ok && pair(store);
}

/* ---- copies ------------------------------------------------------------------------------------------------------------- */

void sn_rt_store_follow_pieces(const sn_rt_store *store, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const sn_rt_block *b = &store->followed.block[i];
        float             *restrict copy = store->slab + b->to;
        const float       *restrict weight = store->slab + b->from;
        for (size_t k = 0; k < b->count; k++) copy[k] += b->coefficient * (weight[k] - copy[k]);
    }
}

static void follow(void *context, int64_t begin, int64_t end) { sn_rt_store_follow_pieces(context, (size_t)begin, (size_t)end); }

void sn_rt_store_follow(sn_rt_store *store, int threads)
{
    size_t pieces = store->followed.count;
    sn_rt_parallel_for(sn_rt_pieces_threads(pieces, threads), (int64_t)pieces, follow, store);
    store->ahead = true;
}

bool sn_rt_store_ahead(const sn_rt_store *store) { return store->ahead; }
void sn_rt_store_set_ahead(sn_rt_store *store, bool ahead) { store->ahead = ahead; }
