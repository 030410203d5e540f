/* The order of kernels: one that can run and keeps little memory alive.
 * Not their making (fuse.c) and not offsets, which the runtime assigns when sizes are known.
 *
 * List scheduling from the end: of the kernels whose readers all have their place, the one before them is the latest of the original order,
 * unless with another the memory alive shrinks: then the one with which it shrinks most.  Going backward, a kernel takes the values that it
 * is the last to read and gives back what it writes.  The order is used if its peak is lower than that of the order fusion left.
 * So a value computed again for one gradient is made just before it.  In the end, runs of kernels that depend on nothing before them move to
 * the front where that lowers the peak: an encoder without gradient then runs before the one whose activations wait for theirs.
 * Sizes are compared at nominal extents.
 * Source: list scheduling for register pressure, Goodman and Hsu 1988, run bottom-up.
 */
#include <string.h>

#include "internal.h"

enum { NOMINAL = 128, WINDOW = 64, LOOK_AHEAD = 24, RUN = 8, RUNS = 16 };

typedef struct order {
    sn_schedule *s;
    int64_t     *size;   /* floats, by node; 0 for what is not in the slab */
    bool        *alive;  /* by node: a kernel placed already reads it */
    uint32_t    *writer; /* kernel, by node; UINT32_MAX = none */
    uint32_t    *waits;  /* reads of what kernel i writes, by kernels without a place */
    uint32_t    *ready;  /* for use while placing */
} order;

static uint32_t root(const order *o, sn_ref r) { return sn_view_root(o->s->g, r).i; }

static void find_sizes(order *o, sn_arena *arena)
{
    sn_graph *g = o->s->g;
    int64_t *symbol = sn_new_n(arena, int64_t, g->dims.symbols + 1);
    for (uint32_t i = 0; i < g->dims.symbols; i++)
        symbol[i] = NOMINAL;
    for (uint32_t i = 0; i < g->nodes; i++) {
        const sn_node *n = &g->node[i];
        int64_t size = n->op != SN_OP_param && n->op != SN_OP_const;
        for (uint8_t d = 0; d < n->type.rank; d++) {
            const int64_t e = sn_dim_eval(&g->dims, n->type.dim[d], symbol);
            size = e > 0 && size < ((int64_t)1 << 40) ? size * e : size;
        }
        o->size[i] = size;
    }
    for (uint32_t i = 0; i < g->outputs; i++)
        o->size[root(o, g->output[i].ref)] = 0;
    for (uint32_t i = 0; i < g->updates; i++)
        o->size[root(o, g->update[i].value)] = 0;
}

static void find_edges(order *o)
{
    const sn_schedule *s = o->s;
    memset(o->waits, 0, s->kernels * sizeof *o->waits);
    for (uint32_t i = 0; i < s->kernels; i++)
        for (uint32_t k = 0; k < s->kernel[i].outs; k++)
            o->writer[s->kernel[i].out[k].i] = i;
    for (uint32_t i = 0; i < s->kernels; i++)
        for (uint32_t k = 0; k < s->kernel[i].ins; k++) {
            const uint32_t w = o->writer[root(o, s->kernel[i].in[k])];
            if (w != UINT32_MAX)
                o->waits[w]++;
        }
}

/* Memory alive before the kernel minus that alive after it. */
static int64_t growth(const order *o, uint32_t kernel)
{
    const sn_kernel *k = &o->s->kernel[kernel];
    int64_t g = 0;
    for (uint32_t i = 0; i < k->ins; i++) {
        const uint32_t r = root(o, k->in[i]);
        g += o->alive[r] ? 0 : o->size[r];
    }
    for (uint32_t i = 0; i < k->outs; i++)
        g -= o->alive[k->out[i].i] ? o->size[k->out[i].i] : 0;
    return g;
}

/* The same together with the writer that then has its place next and shrinks most: small statistics stand between large tensors. */
static int64_t net_growth(order *o, uint32_t kernel)
{
    const sn_kernel *k = &o->s->kernel[kernel];
    const int64_t own = growth(o, kernel);
    int64_t best = own;
    uint32_t made[LOOK_AHEAD], n = 0;
    if (own < 0 || k->ins > LOOK_AHEAD)
        return own;
    for (uint32_t i = 0; i < k->ins; i++) {
        const uint32_t r = root(o, k->in[i]);
        if (!o->alive[r])
            made[n++] = r;
        o->alive[r] = true;
    }
    for (uint32_t i = 0; i < k->ins; i++) {
        const uint32_t w = o->writer[root(o, k->in[i])];
        uint32_t reads = 0;
        for (uint32_t j = 0; j < k->ins && w != UINT32_MAX; j++)
            reads += o->writer[root(o, k->in[j])] == w;
        if (w == UINT32_MAX || o->waits[w] != reads)
            continue;
        const int64_t both = own + growth(o, w);
        best = both < best ? both : best;
    }
    for (uint32_t i = 0; i < n; i++)
        o->alive[made[i]] = false;
    return best;
}

/* Position in ready[], which is in original order, of the kernel to place next. */
static uint32_t choose(order *o, const uint32_t *ready, uint32_t n)
{
    uint32_t best = n - 1;
    int64_t least = 0;
    for (uint32_t i = n; i-- > 0 && n - i <= WINDOW;) {
        const int64_t g = net_growth(o, ready[i]);
        if (g < least) {
            least = g;
            best = i;
        }
    }
    return best;
}

static void insert(uint32_t *ready, uint32_t *n, uint32_t kernel)
{
    uint32_t i = (*n)++;
    for (; i > 0 && ready[i - 1] > kernel; i--)
        ready[i] = ready[i - 1];
    ready[i] = kernel;
}

/* Another order, as kernel numbers. */
static void arrange(order *o, uint32_t *out)
{
    const sn_schedule *s = o->s;
    uint32_t n = 0;
    memset(o->alive, 0, s->g->nodes * sizeof *o->alive);
    find_edges(o);
    for (uint32_t i = 0; i < s->kernels; i++)
        if (o->waits[i] == 0)
            insert(o->ready, &n, i);
    for (uint32_t left = s->kernels; left-- > 0;) {
        SN_ASSERT(n > 0, "kernels wait for each other");
        const uint32_t at = choose(o, o->ready, n), k = out[left] = o->ready[at];
        memmove(o->ready + at, o->ready + at + 1, (--n - at) * sizeof *o->ready);
        for (uint32_t i = 0; i < s->kernel[k].ins; i++) {
            const uint32_t r = root(o, s->kernel[k].in[i]), w = o->writer[r];
            o->alive[r] = true;
            if (w != UINT32_MAX && --o->waits[w] == 0)
                insert(o->ready, &n, w);
        }
    }
}

/* Largest memory alive while a kernel runs, its reads and writes included. */
static int64_t peak_of(order *o, const uint32_t *at)
{
    int64_t alive = 0, peak = 0;
    memset(o->alive, 0, o->s->g->nodes * sizeof *o->alive);
    for (uint32_t left = o->s->kernels; left-- > 0;) {
        const sn_kernel *k = &o->s->kernel[at[left]];
        for (uint32_t i = 0; i < k->ins; i++) {
            const uint32_t r = root(o, k->in[i]);
            alive += o->alive[r] ? 0 : o->size[r];
            o->alive[r] = true;
        }
        peak = alive > peak ? alive : peak;
        for (uint32_t i = 0; i < k->outs; i++)
            alive -= o->alive[k->out[i].i] ? o->size[k->out[i].i] : 0;
    }
    return peak;
}

static void apply(sn_schedule *s, const uint32_t *at, sn_kernel *scratch)
{
    for (uint32_t i = 0; i < s->kernels; i++)
        scratch[i] = s->kernel[at[i]];
    memcpy(s->kernel, scratch, s->kernels * sizeof *scratch);
}

/* End of the run that starts at kernel `from` and needs nothing before it. */
static uint32_t run_end(const order *o, uint32_t from)
{
    for (uint32_t i = from; i < o->s->kernels; i++)
        for (uint32_t k = 0; k < o->s->kernel[i].ins; k++) {
            const uint32_t w = o->writer[root(o, o->s->kernel[i].in[k])];
            if (w != UINT32_MAX && w < from)
                return i;
        }
    return o->s->kernels;
}

static void move_runs(order *o, uint32_t *at, sn_kernel *scratch)
{
    sn_schedule *s = o->s;
    uint32_t tries = 0;
    for (uint32_t i = 0; i < s->kernels; i++)
        at[i] = i;
    int64_t peak = peak_of(o, at);
    for (uint32_t from = 1; from < s->kernels && tries < RUNS; from++) {
        const uint32_t end = run_end(o, from);
        if (end < from + RUN)
            continue;
        for (uint32_t i = 0; i < s->kernels; i++)
            at[i] = i < end - from ? from + i : i < end ? i - (end - from) : i;
        const int64_t p = peak_of(o, at);
        tries++;
        if (p < peak) {
            peak = p;
            apply(s, at, scratch);
            find_edges(o);
        }
        from = end - 1;
    }
}

void sn_order(sn_schedule *s, sn_arena *arena)
{
    const uint32_t nodes = s->g->nodes, kernels = s->kernels;
    order o = {.s = s, .size = sn_new_n(arena, int64_t, nodes + 1), .alive = sn_new_n(arena, bool, nodes + 1),
               .writer = sn_new_n(arena, uint32_t, nodes + 1), .waits = sn_new_n(arena, uint32_t, kernels + 1),
               .ready = sn_new_n(arena, uint32_t, kernels + 1)};
    uint32_t *was = sn_new_n(arena, uint32_t, kernels + 1), *at = sn_new_n(arena, uint32_t, kernels + 1);
    sn_kernel *scratch = sn_new_n(arena, sn_kernel, kernels + 1);
    memset(o.writer, 0xff, nodes * sizeof *o.writer);
    find_sizes(&o, arena);
    for (uint32_t i = 0; i < kernels; i++)
        was[i] = i;
    arrange(&o, at);
    if (peak_of(&o, at) < peak_of(&o, was))
        apply(s, at, scratch);
    find_edges(&o);
    move_runs(&o, at, scratch);
}
