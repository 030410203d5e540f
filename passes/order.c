/* The order of kernels: one that can run and keeps little memory alive.
 * Not their making (fuse.c) and not offsets, which the runtime assigns when sizes are known.
 *
 * List scheduling: of the kernels whose operands exist, run next the earliest of the original order, unless another lets go of more memory than
 * it takes; those go first, the one that frees most in front.  Sizes are compared at nominal extents.  Weight gradients therefore run before
 * the next data gradient, since they are the last readers of large activations and write little.
 * Source: list scheduling for register pressure, Goodman and Hsu 1988.
 */
#include <string.h>

#include "internal.h"

enum { NOMINAL = 128, MAX_SYMBOLS = 64, WINDOW = 24 };

typedef struct order {
    sn_schedule *s;
    int64_t     *size;      /* floats, by node that is memory of its own */
    uint32_t    *readers;   /* kernels that still have to read it, by node; outputs and updates count one more */
    uint32_t    *writer;    /* kernel, by node; UINT32_MAX = none */
    uint32_t    *waits;     /* operands a kernel still waits for */
    uint32_t    *wanted_first, *wanted; /* kernels that wait for kernel i: wanted[wanted_first[i]] .. */
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
        int64_t size = 1;
        for (uint8_t d = 0; d < n->type.rank; d++) {
            const int64_t e = sn_dim_eval(&g->dims, n->type.dim[d], symbol);
            size = e > 0 && size < ((int64_t)1 << 40) ? size * e : size;
        }
        o->size[i] = n->op == SN_OP_param || n->op == SN_OP_const ? 0 : size;
    }
    for (uint32_t i = 0; i < g->outputs; i++)
        o->readers[root(o, g->output[i].ref)]++;
    for (uint32_t i = 0; i < g->updates; i++)
        o->readers[root(o, g->update[i].value)]++;
}

static void find_edges(order *o, sn_arena *arena)
{
    const sn_schedule *s = o->s;
    uint32_t edges = 0;
    for (uint32_t i = 0; i < s->kernels; i++)
        for (uint32_t k = 0; k < s->kernel[i].outs; k++)
            o->writer[s->kernel[i].out[k].i] = i;
    for (uint32_t i = 0; i < s->kernels; i++)
        for (uint32_t k = 0; k < s->kernel[i].ins; k++) {
            const uint32_t r = root(o, s->kernel[i].in[k]);
            o->readers[r]++;
            if (o->writer[r] == UINT32_MAX)
                continue;
            o->waits[i]++;
            o->wanted_first[o->writer[r] + 2]++;
            edges++;
        }
    for (uint32_t i = 2; i < s->kernels + 2; i++)
        o->wanted_first[i] += o->wanted_first[i - 1];
    o->wanted = sn_new_n(arena, uint32_t, edges + 1);
    for (uint32_t i = 0; i < s->kernels; i++)
        for (uint32_t k = 0; k < s->kernel[i].ins; k++) {
            const uint32_t w = o->writer[root(o, s->kernel[i].in[k])];
            if (w != UINT32_MAX)
                o->wanted[o->wanted_first[w + 1]++] = i;
        }
}

/* Memory that running the kernel takes minus what it lets go of. */
static int64_t growth(const order *o, uint32_t kernel)
{
    const sn_kernel *k = &o->s->kernel[kernel];
    int64_t g = 0;
    for (uint32_t i = 0; i < k->outs; i++)
        g += o->size[k->out[i].i];
    for (uint32_t i = 0; i < k->ins; i++) {
        const uint32_t r = root(o, k->in[i]);
        g -= o->readers[r] == 1 ? o->size[r] : 0;
    }
    return g;
}

/* Position in ready[] of the kernel to run next; ready is in original order. */
static uint32_t choose(const order *o, const uint32_t *ready, uint32_t n)
{
    uint32_t best = 0;
    int64_t least = 0;
    for (uint32_t i = 0; i < n && i < WINDOW; i++) {
        const int64_t g = growth(o, ready[i]);
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

void sn_order(sn_schedule *s, sn_arena *arena)
{
    const uint32_t nodes = s->g->nodes;
    order o = {.s = s, .size = sn_new_n(arena, int64_t, nodes + 1), .readers = sn_new_n(arena, uint32_t, nodes + 1),
               .writer = sn_new_n(arena, uint32_t, nodes + 1), .waits = sn_new_n(arena, uint32_t, s->kernels + 1),
               .wanted_first = sn_new_n(arena, uint32_t, s->kernels + 2)};
    memset(o.writer, 0xff, nodes * sizeof *o.writer);
    find_sizes(&o, arena);
    find_edges(&o, arena);
    uint32_t *ready = sn_new_n(arena, uint32_t, s->kernels + 1), n = 0;
    sn_kernel *kernel = sn_new_n(&s->arena, sn_kernel, s->kernels + 1);
    for (uint32_t i = 0; i < s->kernels; i++)
        if (o.waits[i] == 0)
            insert(ready, &n, i);
    for (uint32_t done = 0; done < s->kernels; done++) {
        SN_ASSERT(n > 0, "kernels wait for each other");
        const uint32_t at = choose(&o, ready, n), k = ready[at];
        memmove(ready + at, ready + at + 1, (--n - at) * sizeof *ready);
        kernel[done] = s->kernel[k];
        for (uint32_t i = 0; i < s->kernel[k].ins; i++)
            o.readers[root(&o, s->kernel[k].in[i])]--;
        for (uint32_t e = o.wanted_first[k]; e < o.wanted_first[k + 1]; e++)
            if (--o.waits[o.wanted[e]] == 0)
                insert(ready, &n, o.wanted[e]);
    }
    s->kernel = kernel;
}
