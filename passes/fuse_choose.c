/* The choice of roots: values computed once, by one kernel, and kept in memory or registers there.
 * Not their kernels (fuse_place.c).
 *
 * Everything else is computed again in each kernel that reads it.  A value is a root if it must be in memory (an output, an operand that
 * is not packed, a view's argument), if it would be computed more often than it has elements (it is stretched by its reader), or if
 * several kernels read it and computing it again is dearer than storing it.  Reading a number from memory takes a core about as long as
 * SN_ACCESS operations on numbers in vectors; with c kernels, L operands of its size and `cost` operations,
 *     again   c (L SN_ACCESS + cost)
 *     stored  L SN_ACCESS + cost + SN_WRITE + c SN_ACCESS
 * For the gradient before a batch norm (2 operands, 6 operations, 4 readers) this says store; made again in two readers it gained nothing
 * (README.md).  A value with one pointwise reader leaves the question to that reader.
 *
 * Who would compute a value depends on which of its readers are roots, and what computing costs on which of its arguments are; so the two
 * are found in alternate sweeps, backward and forward, twice: first with the roots that are certain, then with those of the first round.
 */
#include <string.h>

#include "fuse.h"

enum { CHEAP = 8, CHEAP_SCALAR = 40 /* hoisted out of every loop */, ROUNDS = 2 };

static bool has_elements_of(const sn_fuser *f, uint32_t a, uint32_t b)
{
    return sn_type_same_elements(&sn_fuse_node(f, a)->type, &sn_fuse_node(f, b)->type);
}

static bool in_place(const sn_fact *x) { return x->role == SN_ROLE_POINT || x->role == SN_ROLE_INDEX || x->role == SN_ROLE_LEAF; }

/* ---- certain roots ------------------------------------------------------------------------------------------------------ */

static void force(sn_fuser *f, uint32_t i, const char *why, const char *whose)
{
    while (f->fact[i].role == SN_ROLE_VIEW)
        i = sn_fuse_node(f, i)->arg[0].i;
    if (!f->fact[i].forced && f->fact[i].role != SN_ROLE_MEMORY)
        sn_fuse_because(f, i, "%s%s", why, whose);
    f->fact[i].forced = f->fact[i].role != SN_ROLE_MEMORY;
}

/* Why its epilogue ends there is said already (fuse_chain.c). */
static void force_head(sn_fuser *f, uint32_t i)
{
    const char *why = f->s->why ? f->s->why[i].value : NULL;
    force(f, i, why ? why : "the end of a contraction", "");
}

static void force_operands(sn_fuser *f, uint32_t i)
{
    const sn_node *n = sn_fuse_node(f, i);
    const sn_role role = f->fact[i].role;
    for (uint8_t k = 0; k < n->args; k++) {
        const uint32_t a = n->arg[k].i;
        if (role == SN_ROLE_SPECIAL || role == SN_ROLE_VIEW || (role == SN_ROLE_MIX && !sn_fuse_is_pattern(f->g, sn_fuse_node(f, a))))
            force(f, a, role == SN_ROLE_SPECIAL ? "a kernel of its own form reads it: %"
                        : role == SN_ROLE_VIEW  ? "it is seen through a view: %"
                                                : "an operand of a product that is made while it is packed: %", sn_fuse_label(f, i));
        else if (f->fact[a].role == SN_ROLE_MIX)
            continue;
        else if (role == SN_ROLE_CONTRACT && !sn_fuse_is_pattern(f->g, sn_fuse_node(f, a)) &&
                 (f->fact[a].role != SN_ROLE_POINT || !sn_fuse_packs(f->g, n, k)))
            force(f, a, f->fact[a].role == SN_ROLE_POINT ? "a contraction would compute it more than once for each of its elements: %"
                                                         : "a contraction packs pointwise operands only: %", sn_fuse_label(f, i));
    }
}

static void force_certain(sn_fuser *f)
{
    for (uint32_t i = 0; i < f->g->nodes; i++) {
        sn_fact *x = &f->fact[i];
        if (f->kept[i])
            force(f, i, "an output or update needs it", "");
        if (x->role == SN_ROLE_REDUCE || x->role == SN_ROLE_SPECIAL)
            force(f, i, "a result is computed once: ", sn_op_get(sn_fuse_node(f, i)->op)->name);
        if (x->role == SN_ROLE_CONTRACT)
            force_head(f, x->head);
        force_operands(f, i);
    }
    for (uint32_t i = 0; i < f->g->nodes; i++)
        f->fact[i].root = f->fact[i].forced;
}

/* ---- backward: who would compute it ------------------------------------------------------------------------------------- */

/* A name for the kernel that will compute a root, as far as can be seen now: the contraction whose epilogue it can join. */
static uint32_t kernel_name(const sn_fuser *f, uint32_t root)
{
    const sn_fact *x = &f->fact[root];
    if (x->host != SN_NO_NODE)
        return x->host;
    uint32_t value = root;
    if (sn_fuse_node(f, root)->op == SN_OP_partial_sum)
        value = sn_fuse_node(f, root)->arg[0].i;
    else if (x->role != SN_ROLE_POINT)
        return root;
    const uint32_t ready = f->fact[value].role == SN_ROLE_CONTRACT ? value : f->fact[value].ready;
    if (ready == SN_NO_NODE || f->fact[ready].role != SN_ROLE_CONTRACT)
        return root;
    return sn_type_equal(&sn_fuse_node(f, ready)->type, &sn_fuse_node(f, value)->type) ? ready : root;
}

static void find_readers(sn_fuser *f, uint32_t i)
{
    sn_fact *x = &f->fact[i];
    x->readers.n = 0;
    x->packed = x->host != SN_NO_NODE && x->host != i;
    for (uint32_t r = f->first[i]; r < f->first[i + 1]; r++) {
        const uint32_t u = f->reader[r];
        const sn_fact *y = &f->fact[u];
        const bool chained = y->host != SN_NO_NODE && y->host != u;
        if (y->role == SN_ROLE_CONTRACT || y->role == SN_ROLE_MIX || chained || (!y->root && y->packed))
            x->packed = true;
        if (y->root || chained || sn_is_anchor(y)) {
            sn_few_add(&x->readers, SN_MAX_READERS, kernel_name(f, u));
            continue;
        }
        for (uint32_t k = 0; k < y->readers.n && k < SN_MAX_READERS; k++)
            sn_few_add(&x->readers, SN_MAX_READERS, y->readers.at[k]);
        if (y->readers.n > SN_MAX_READERS)
            x->readers.n = SN_MAX_READERS + 1;
    }
}

/* ---- forward: what computing costs -------------------------------------------------------------------------------------- */

static void find_cost(sn_fuser *f, uint32_t i)
{
    const sn_node *n = sn_fuse_node(f, i);
    sn_fact *x = &f->fact[i];
    x->cost = x->own;
    x->loads.n = 0;
    for (uint8_t k = 0; k < n->args; k++) {
        const uint32_t a = n->arg[k].i;
        const sn_fact *y = &f->fact[a];
        if (in_place(y) && !y->root && y->host == SN_NO_NODE) {
            x->cost = x->cost + y->cost < 10000 ? x->cost + y->cost : 10000;
            for (uint32_t j = 0; j < y->loads.n && j < SN_MAX_LOADS; j++)
                sn_few_add(&x->loads, SN_MAX_LOADS, y->loads.at[j]);
            if (y->loads.n > SN_MAX_LOADS)
                x->loads.n = SN_MAX_LOADS + 1;
        } else if (has_elements_of(f, a, i)) {
            sn_few_add(&x->loads, SN_MAX_LOADS, a);
        }
    }
}

/* Would a reader compute it more often than it has elements? */
static bool is_stretched(const sn_fuser *f, uint32_t i)
{
    for (uint32_t r = f->first[i]; r < f->first[i + 1]; r++) {
        const uint32_t u = f->reader[r];
        if ((f->fact[u].role == SN_ROLE_POINT || sn_fuse_node(f, u)->op == SN_OP_broadcast) && !has_elements_of(f, i, u))
            return true;
    }
    return false;
}

/* Has it one reader, pointwise and of its size?  Then storing that one is never worse. */
static bool passes_on(const sn_fuser *f, uint32_t i)
{
    if (f->first[i] == f->first[i + 1] || f->kept[i])
        return false;
    const uint32_t u = f->reader[f->first[i]];
    return f->reader[f->first[i + 1] - 1] == u && f->fact[u].role == SN_ROLE_POINT && f->fact[u].host == SN_NO_NODE && has_elements_of(f, i, u);
}

static bool is_worth_storing(const sn_fuser *f, uint32_t i)
{
    const sn_fact *x = &f->fact[i];
    const uint32_t kernels = x->readers.n, loads = x->loads.n;
    if (x->packed && (x->role == SN_ROLE_INDEX || loads > SN_MAX_LOADS)) {
        if (x->role == SN_ROLE_INDEX)
            sn_fuse_because(f, i, "a contraction packs it, and moving elements has no place there");
        else
            sn_fuse_because(f, i, "a contraction packs it, and it reads more than %d values", SN_MAX_LOADS);
        return true;
    }
    const bool scalar = sn_type_same_elements(&sn_fuse_node(f, i)->type, &(sn_type){0});
    if (x->constant && x->cost <= (scalar ? CHEAP_SCALAR : CHEAP)) {
        sn_fuse_because(f, i, "it reads nothing and costs %u, at most %d: made again by every reader", x->cost, scalar ? CHEAP_SCALAR : CHEAP);
        return false;
    }
    if (sn_fuse_is_pattern(f->g, sn_fuse_node(f, i))) {
        sn_fuse_because(f, i, "zeros of its constant are known: contractions that make it skip them");
        return false;
    }
    if (is_stretched(f, i)) {
        sn_fuse_because(f, i, "a reader is larger and would compute it more often than it has elements");
        return true;
    }
    if (kernels <= 1) {
        sn_fuse_because(f, i, "one kernel reads it");
        return false;
    }
    if (passes_on(f, i)) {
        sn_fuse_because(f, i, "its one reader is pointwise and of its size: storing that one is never worse");
        return false;
    }
    const uint32_t again = kernels * (loads * SN_ACCESS + x->cost), stored = loads * SN_ACCESS + x->cost + SN_WRITE + kernels * SN_ACCESS;
    sn_fuse_because(f, i, "again %u (%u kernels x (%u reads x %d + cost %u)) %s stored %u (%u reads x %d + cost %u + write %d + %u reads x %d)",
                    again, kernels, loads, SN_ACCESS, x->cost, again > stored ? ">" : "<=", stored, loads, SN_ACCESS, x->cost, SN_WRITE, kernels, SN_ACCESS);
    return again > stored;
}

void sn_fuse_nothing(sn_fuser *f)
{
    for (uint32_t i = 0; i < f->g->nodes; i++) {
        sn_fact *x = &f->fact[i];
        if (x->role == SN_ROLE_MIX)
            x->role = SN_ROLE_CONTRACT;
        if (x->role == SN_ROLE_CONTRACT)
            x->host = x->head = i;
        x->root = x->role != SN_ROLE_MEMORY && x->role != SN_ROLE_VIEW;
    }
}

void sn_fuse_choose(sn_fuser *f)
{
    force_certain(f);
    for (int round = 0; round < ROUNDS; round++) {
        for (uint32_t i = f->g->nodes; i-- > 0;)
            find_readers(f, i);
        for (uint32_t i = 0; i < f->g->nodes; i++) {
            sn_fact *x = &f->fact[i];
            find_cost(f, i);
            if (x->role == SN_ROLE_POINT || x->role == SN_ROLE_INDEX)
                x->root = x->forced || (x->host == SN_NO_NODE && is_worth_storing(f, i));
            else if (x->role == SN_ROLE_LEAF && !x->forced)
                sn_fuse_because(f, i, "it reads nothing: made again by every reader");
        }
    }
}
