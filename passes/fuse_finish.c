/* The last step of fusion: body order, what a kernel reads and writes, names.
 * Not placement (fuse_place.c), which collected the bodies. */
#include <stdlib.h>
#include <string.h>

#include "fuse.h"

static int by_number(const void *a, const void *b)
{
    const uint32_t x = ((const sn_ref *)a)->i, y = ((const sn_ref *)b)->i;
    return (x > y) - (x < y);
}

/* Reads in order of first use; the body in node order, which is topological. */
static void find_reads(sn_fuser *f, sn_kernel *k)
{
    qsort(k->body, k->bodies, sizeof *k->body, by_number);
    const uint32_t in_body = f->marks += 2;
    for (uint32_t i = 0; i < k->bodies; i++)
        f->mark[k->body[i].i] = in_body;
    const uint32_t known = f->marks += 2;
    sn_ref *in = sn_new_n(&f->s->arena, sn_ref, k->ins + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < k->bodies; i++) {
        const sn_node *b = sn_at(f->g, k->body[i]);
        for (uint8_t a = 0; a < b->args; a++) {
            uint32_t *mark = &f->mark[b->arg[a].i];
            if (*mark == in_body || *mark == known)
                continue;
            *mark = known;
            in[n++] = b->arg[a];
        }
    }
    SN_ASSERT(n <= k->ins, "fusion lost a read: %u found, %u collected", n, k->ins);
    k->in = in;
    k->ins = n;
}

/* It was to be computed once, and then whoever reads it came into its kernel. */
static void say_inside(const sn_fuser *f, uint32_t node)
{
    if (f->s->why && f->s->why[node].value)
        sn_fuse_because(f, node, "all its readers are in its kernel; once, not by each of them: %s", f->s->why[node].value);
}

/* What other kernels, outputs or updates need is written; the rest stays in the kernel. */
static void find_writes(sn_fuser *f)
{
    bool *needed = sn_new_n(f->arena, bool, f->g->nodes + 1);
    memcpy(needed, f->kept, f->g->nodes * sizeof *needed);
    for (uint32_t i = 0; i < f->s->kernels; i++)
        for (uint32_t k = 0; k < f->s->kernel[i].ins; k++)
            needed[f->s->kernel[i].in[k].i] = true;
    for (uint32_t i = f->g->nodes; i-- > 0;)
        if (needed[i] && f->fact[i].role == SN_ROLE_VIEW)
            needed[sn_fuse_node(f, i)->arg[0].i] = true;
    for (uint32_t i = 0; i < f->s->kernels; i++) {
        sn_kernel *k = &f->s->kernel[i];
        uint32_t n = 0;
        for (uint32_t j = 0; j < k->outs; j++)
            if (needed[k->out[j].i])
                k->out[n++] = k->out[j];
            else
                say_inside(f, k->out[j].i);
        SN_ASSERT(n > 0, "kernel %u writes nothing", i);
        k->outs = n;
    }
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

/* The name of a node, or of a view of it. */
static const char *name_of(const sn_fuser *f, sn_ref r)
{
    const char *name = sn_at(f->g, r)->name;
    for (uint32_t i = f->first[r.i]; !name && i < f->first[r.i + 1]; i++)
        if (f->fact[f->reader[i]].role == SN_ROLE_VIEW)
            name = sn_fuse_node(f, f->reader[i])->name;
    return name;
}

/* The anchor's name, else that of a result, else of anything computed here, else the operator. */
static const char *base_name(const sn_fuser *f, const sn_kernel *k)
{
    if (!sn_is_none(k->anchor) && name_of(f, k->anchor))
        return name_of(f, k->anchor);
    for (uint32_t i = 0; i < k->outs; i++)
        if (name_of(f, k->out[i]))
            return name_of(f, k->out[i]);
    for (uint32_t i = k->bodies; i-- > 0;)
        if (sn_at(f->g, k->body[i])->name)
            return sn_at(f->g, k->body[i])->name;
    return sn_op_get(sn_at(f->g, k->out[0])->op)->name;
}

typedef struct names { const char **name; uint32_t *count; uint32_t slots; } names;

static uint32_t *count_of(names *t, const char *name)
{
    uint32_t h = 2166136261u;
    for (const char *c = name; *c; c++)
        h = (h ^ (unsigned char)*c) * 16777619u;
    h &= t->slots - 1;
    while (t->name[h] && strcmp(t->name[h], name) != 0)
        h = (h + 1) & (t->slots - 1);
    t->name[h] = name;
    return &t->count[h];
}

/* "a", then "a.2", "a.3"; a made name counts, too, should a node be called so. */
static const char *unique_name(sn_fuser *f, names *t, const char *base)
{
    const char *name = base;
    for (uint32_t n = ++*count_of(t, base); n > 1; n = ++*count_of(t, base)) {
        name = sn_format(&f->s->arena, "%s.%u", base, n);
        uint32_t *count = count_of(t, name);
        if (++*count == 1)
            break;
    }
    return name;
}

static void name_kernels(sn_fuser *f)
{
    names t = {.slots = 64};
    while (t.slots < 8 * f->s->kernels)
        t.slots *= 2;
    t.name = sn_new_n(f->arena, const char *, t.slots);
    t.count = sn_new_n(f->arena, uint32_t, t.slots);
    for (uint32_t i = 0; i < f->s->kernels; i++) {
        sn_kernel *k = &f->s->kernel[i];
        k->name = unique_name(f, &t, base_name(f, k));
        k->loc = sn_at(f->g, sn_is_none(k->anchor) ? k->out[0] : k->anchor)->loc;
    }
}

void sn_fuse_finish(sn_fuser *f)
{
    for (uint32_t i = 0; i < f->s->kernels; i++)
        find_reads(f, &f->s->kernel[i]);
    find_writes(f);
    name_kernels(f);
}
