/* Inside passes: the frame a pass runs in, rewriting with sharing, helpers.
 * Not for other folders. */
#ifndef SN_PASSES_INTERNAL_H
#define SN_PASSES_INTERNAL_H

#include "passes.h"

/* ---- a pass (pipeline.c) ------------------------------------------------------------------------------------------------ */

typedef struct sn_pass {
    sn_graph         **g;       /* may be replaced; the pass frees what it replaces */
    const sn_pipeline *options;
    sn_diags          *diags;
    sn_arena          *arena;   /* scratch, gone after the pass */
} sn_pass;

/* "did it complete"; findings are in diags. */
typedef bool sn_pass_run(sn_pass *p);
#define SN_PASS(name, level, when, doc) sn_pass_run sn_pass_##name;
#include "passes.def"
#undef SN_PASS

/* ---- rewriting (rewrite.c) ---------------------------------------------------------------------------------------------- */

/* A graph being rewritten: new nodes are appended behind the old ones, equal ones once; in the end outputs and updates move over
 * and what is dead is dropped.  Visit the old nodes in order and record what each became:
 *
 *     sn_rewriter rw = sn_rewrite_begin(p);
 *     for (uint32_t i = 0; i < rw.old; i++)
 *         rw.to[i] = ...;
 *     sn_rewrite_end(&rw, p);
 */
typedef struct sn_rewriter {
    sn_graph *g;
    sn_loc    loc;    /* given to new nodes */
    sn_arena *arena;
    uint32_t  old;    /* number of old nodes */
    sn_ref   *to;     /* by old node */
    uint32_t *slot;   /* hash table of new nodes; UINT32_MAX = free */
    uint32_t  slots, filled;
} sn_rewriter;

sn_rewriter sn_rewrite_begin(sn_pass *p);
/* The old node as it is, with arguments moved over. */
sn_node sn_rewrite_moved(const sn_rewriter *rw, uint32_t old);
/* A node to be, of new arguments, with its type; `declared` as in sn_build_op. */
sn_node sn_rewrite_node(sn_rewriter *rw, sn_op op, const sn_ref *arg, uint32_t n, const sn_attrs *attrs, const sn_type *declared);
/* Make it, or find the equal one that exists; keeps name and place of the node. */
sn_ref  sn_rewrite_add(sn_rewriter *rw, const sn_node *node);
/* The new node that equals this one; SN_NONE if there is none. */
sn_ref  sn_rewrite_find(const sn_rewriter *rw, const sn_node *node);
void    sn_rewrite_end(sn_rewriter *rw, sn_pass *p);

/* ---- helpers (rewrite.c) ------------------------------------------------------------------------------------------------ */

static inline const sn_type *sn_type_at(const sn_graph *g, sn_ref r) { return &g->node[r.i].type; }
static inline bool sn_dim_is_one(sn_dim d) { return d.v == 1; }
/* Of a contraction: loops that are summed over, the product of their extents without open ones, whether there are such, and whether a loop is in all three
 * tensors (fuse_facts.c). */
typedef struct sn_sums { bool open, batched; int64_t summed; uint32_t loops; } sn_sums;
sn_sums sn_sums_of(const sn_graph *g, const sn_node *n);
/* Equal but for leading axes of size 1. */
bool sn_type_same_elements(const sn_type *a, const sn_type *b);
/* Product of the constant dimensions; *open = some dimension is symbolic. */
int64_t sn_type_constant_count(const sn_type *t, bool *open);
/* Value of a `fill`. */
bool sn_is_fill(const sn_graph *g, sn_ref r, double *value);

/* ---- scalars (scalar.c) ------------------------------------------------------------------------------------------------- */

/* A pointwise operator on numbers, by its lowering rule. */
double sn_value_of(const sn_graph *g, const sn_node *n, const double *x);
/* What one element costs, by its lowering rule, arguments not counted: about 1 an addition, 4 a division, more for functions. */
uint32_t sn_cost_of(const sn_graph *g, const sn_node *n);

/* ---- simplifying (simplify.c, simplify_point.c, simplify_sum.c) -------------------------------------------------------- */

/* Make a node in simplest form: by the rules if one applies, else as it is. */
sn_ref sn_simplify(sn_rewriter *rw, const sn_node *n);
sn_ref sn_simplify_op(sn_rewriter *rw, sn_op op, const sn_ref *arg, uint32_t n, const sn_attrs *attrs, const sn_type *declared);
sn_ref sn_simplify_pair(sn_rewriter *rw, sn_op op, sn_ref x, sn_ref y);
sn_ref sn_simplify_one(sn_rewriter *rw, sn_op op, sn_ref x);
sn_ref sn_simplify_fill(sn_rewriter *rw, double v, const sn_type *t);
/* x stretched to t, if it is not of that type. */
sn_ref sn_simplify_stretch(sn_rewriter *rw, sn_ref x, const sn_type *t);

/* A rule looks at a node to be and yields what it equals, or SN_NONE if it does not apply. */
typedef sn_ref sn_simplify_rule(sn_rewriter *rw, const sn_node *n);
sn_simplify_rule sn_simplify_pointwise, sn_simplify_add, sn_simplify_sub, sn_simplify_mul, sn_simplify_div, sn_simplify_neg,
    sn_simplify_select, sn_simplify_greater, sn_simplify_relu, sn_simplify_sum;

/* ---- schedule (fuse.c, order.c, plan.c) --------------------------------------------------------------------------------- */

/* Kernels of g in an order that can run; sets s->kernel.  `alone`: every node is one. */
bool sn_fuse(sn_schedule *s, bool alone, sn_arena *arena, sn_diags *diags);
/* Another order that can run and needs less memory. */
void sn_order(sn_schedule *s, sn_arena *arena);
/* Buffers: places and lifetimes; sets s->buffer and s->buffer_of. */
void sn_plan_buffers(sn_schedule *s);
/* Through views: the node whose memory r is. */
sn_ref sn_view_root(const sn_graph *g, sn_ref r);

#endif
