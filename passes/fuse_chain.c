/* Epilogue chains: the pointwise nodes behind a contraction that end in one value, so that nothing before that value is stored.
 * Not everything that a contraction's kernel computes: other roots join it later (fuse_place.c).
 *
 *     z = contract(x, w) ; y = z + b ; r = relu y ; readers of r        chain z, y, r: only r is stored
 *
 * A set of nodes may be closed with last node u if every reader of every other node is in the set.  Then the kernel may stand at u's
 * place in the order, and whatever else u needs exists there.  The set grows by pointwise readers of exactly the contraction's shape, in
 * order; the largest closed set wins.  Later contractions choose first: of two that are added, the later one hosts the addition.
 * It terminates because a chain has at most LONGEST nodes and every node is in one chain at most.
 */
#include "fuse.h"

enum { LONGEST = 24 };

typedef struct chain { uint32_t node[LONGEST]; uint32_t n; } chain;

static bool is_in(const chain *c, uint32_t i)
{
    for (uint32_t k = 0; k < c->n; k++)
        if (c->node[k] == i)
            return true;
    return false;
}

/* The first reader of the set that may join it; SN_NO_NODE if there is none. */
static uint32_t next_reader(const sn_fuser *f, const chain *c)
{
    const sn_type *t = &sn_fuse_node(f, c->node[0])->type;
    uint32_t best = SN_NO_NODE;
    for (uint32_t k = 0; k < c->n; k++)
        for (uint32_t r = f->first[c->node[k]]; r < f->first[c->node[k] + 1]; r++) {
            const uint32_t u = f->reader[r];
            if (u >= best)
                break;
            if (f->fact[u].role == SN_ROLE_POINT && f->fact[u].host == SN_NO_NODE && sn_type_equal(&sn_fuse_node(f, u)->type, t) && !is_in(c, u))
                best = u;
        }
    return best;
}

/* Is every reader of every node but the last in the set? */
static bool is_closed(const sn_fuser *f, const chain *c)
{
    for (uint32_t k = 0; k + 1 < c->n; k++) {
        if (f->kept[c->node[k]])
            return false;
        for (uint32_t r = f->first[c->node[k]]; r < f->first[c->node[k] + 1]; r++)
            if (!is_in(c, f->reader[r]))
                return false;
    }
    return true;
}

/* Why the epilogue ends where it does. */
static void explain_end(const sn_fuser *f, uint32_t contract, const chain *c, uint32_t closed)
{
    const uint32_t end = c->node[closed - 1];
    const char *name = sn_fuse_label(f, contract);
    if (!f->s->why)
        return;
    if (c->n > closed) {
        sn_fuse_because(f, end, "the epilogue of %%%s ends here: %%%s could join, but what it reads is read outside, too, or is an output", name,
                        sn_fuse_label(f, c->node[closed]));
        return;
    }
    const char *why = f->first[end] == f->first[end + 1] ? "nothing reads it"
                      : c->n == LONGEST                  ? "it is long enough"
                                                         : "no reader is pointwise, of its shape and free";
    sn_fuse_because(f, end, "the epilogue of %%%s ends here: %s", name, why);
    for (uint32_t r = f->first[end]; r < f->first[end + 1]; r++) {
        const uint32_t u = f->reader[r];
        if (f->fact[u].role == SN_ROLE_CONTRACT)
            sn_fuse_because(f, end, "the epilogue of %%%s ends here: %%%s is a contraction itself", name, sn_fuse_label(f, u));
        else if (f->fact[u].host != SN_NO_NODE)
            sn_fuse_because(f, end, "the epilogue of %%%s ends here: %%%s is in that of %%%s", name, sn_fuse_label(f, u), sn_fuse_label(f, f->fact[u].host));
        else if (f->fact[u].role == SN_ROLE_POINT)
            sn_fuse_because(f, end, "the epilogue of %%%s ends here: %%%s has another shape", name, sn_fuse_label(f, u));
    }
}

static void grow(sn_fuser *f, uint32_t contract)
{
    chain c = {.node = {contract}, .n = 1};
    uint32_t closed = 1;
    while (c.n < LONGEST) {
        const uint32_t u = next_reader(f, &c);
        if (u == SN_NO_NODE)
            break;
        c.node[c.n++] = u;
        if (is_closed(f, &c))
            closed = c.n;
    }
    for (uint32_t k = 0; k < closed; k++) {
        f->fact[c.node[k]].host = contract;
        if (k + 1 < closed)
            sn_fuse_because(f, c.node[k], "all its readers are in the epilogue of %%%s, which stores %%%s", sn_fuse_label(f, contract),
                            sn_fuse_label(f, c.node[closed - 1]));
    }
    explain_end(f, contract, &c, closed);
    f->fact[contract].head = c.node[closed - 1];
}

void sn_fuse_chains(sn_fuser *f)
{
    for (uint32_t i = f->g->nodes; i-- > 0;)
        if (f->fact[i].role == SN_ROLE_CONTRACT)
            grow(f, i);
}
