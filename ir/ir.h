/* The graph: nodes, types, parameters, outputs, updates; building, printing, parsing, verifying.
 * Not a schedule (schedule.h); knows no other folder.
 *
 * One sn_graph per function.  Nodes stand in a growable array in topological order; an edge is an sn_ref.  Every node has one
 * result of type f32 with rank 0..6 and dimensions that may be symbolic.  Do not keep sn_node pointers across a call that may
 * add nodes.  Files: graph.c type.c build.c ops.c op_<family>.c print.c parse.c verify.c
 */
#ifndef SN_IR_IR_H
#define SN_IR_IR_H

#include "arena.h"
#include "contract.h"
#include "diag.h"
#include "dim.h"

enum { SN_MAX_ARGS = 8 };

/* ---- types -------------------------------------------------------------------------------------------------------------- */

typedef struct sn_type { /* f32[dim...]; rank 0 is a scalar */
    uint8_t rank;
    sn_dim  dim[SN_MAX_RANK];
} sn_type;

bool sn_type_equal(const sn_type *a, const sn_type *b);
int  sn_type_text(const sn_dims *d, const sn_type *t, char *out, size_t n); /* "f32[N,T,25,3]" */
/* Number of elements, as a dimension. */
sn_dim sn_type_count(sn_dims *d, const sn_type *t);
/* NumPy broadcasting: trailing dimensions align, size 1 stretches.  False if they do not fit. */
bool sn_type_broadcast(const sn_type *a, const sn_type *b, sn_type *out);
/* Rank and dimensions in range, and the constant part of the size at most 2^40 elements.  On failure `why` (may be NULL) says what is wrong. */
bool sn_type_legal(const sn_dims *d, const sn_type *t, char *why, size_t why_size);

/* ---- operators ---------------------------------------------------------------------------------------------------------- */

/* Attributes are typed structs, one per attribute kind; sn_attr_fields() describes them for parser, printer and manual. */
typedef struct sn_attr_none    { char unused; } sn_attr_none;
typedef struct sn_attr_value   { double value; } sn_attr_value;          /* fill: the value; leaky_relu: the slope */
typedef struct sn_attr_axes    { uint8_t n; uint8_t axis[SN_MAX_RANK]; } sn_attr_axes; /* reductions (ascending), permute (order) */
typedef struct sn_attr_axis    { int64_t axis; } sn_attr_axis;           /* concat, flip, iota, amax, argmax */
typedef struct sn_attr_slice   { int64_t axis, start, step; } sn_attr_slice; /* element j of the result is element start + j*step */
typedef struct sn_attr_extent  { sn_dim dim; } sn_attr_extent;
typedef struct sn_attr_spec    { sn_contract *spec; } sn_attr_spec;      /* in the graph's arena */
typedef struct sn_attr_stream  { int64_t stream; } sn_attr_stream;       /* of any operator with SN_RANDOM */
typedef struct sn_attr_random  { int64_t stream; double p; } sn_attr_random; /* begins as sn_attr_stream */
typedef struct sn_attr_tile    { int64_t outer, chunk, keep; } sn_attr_tile;   /* partial_sum, see ops.def */
typedef struct sn_attr_tau     { double tau; } sn_attr_tau;
typedef struct sn_attr_align   { int64_t corners; } sn_attr_align;       /* interp_matrix: 1 = align corners */
typedef struct sn_attr_data    { const float *data; size_t count; } sn_attr_data; /* const; in the graph's arena */
typedef struct sn_attr_param   { uint32_t index; } sn_attr_param;        /* into sn_graph.param */

typedef union sn_attrs {
    sn_attr_none none; sn_attr_value value; sn_attr_axes axes; sn_attr_axis axis; sn_attr_slice slice; sn_attr_extent extent;
    sn_attr_spec spec; sn_attr_stream stream; sn_attr_random random; sn_attr_tile tile; sn_attr_tau tau; sn_attr_align align; sn_attr_data data;
    sn_attr_param param;
} sn_attrs;

typedef enum sn_attr_kind {
    SN_ATTR_none, SN_ATTR_value, SN_ATTR_axes, SN_ATTR_axis, SN_ATTR_slice, SN_ATTR_extent, SN_ATTR_spec, SN_ATTR_stream, SN_ATTR_random,
    SN_ATTR_tile, SN_ATTR_tau, SN_ATTR_align, SN_ATTR_data, SN_ATTR_param
} sn_attr_kind;

typedef enum sn_field_kind { SN_FIELD_INT, SN_FIELD_REAL, SN_FIELD_AXES, SN_FIELD_DIM, SN_FIELD_SPEC } sn_field_kind;
typedef struct sn_field { /* one attribute as a user writes it: {axis=1, start=0} in textual IR, {axis: 1} in a graph file */
    const char   *name;
    sn_field_kind kind;
    size_t        offset;   /* into sn_attrs */
    bool          required;
    double        fallback; /* value when not required and absent */
    const char   *doc;
} sn_field;
/* Fields of an attribute kind, n of them (0 for none, data, param). */
const sn_field *sn_attr_fields(sn_attr_kind kind, size_t *n);

/* Facts the passes use instead of operator names. */
enum {
    SN_LEAF      = 1 << 0,  /* no arguments */
    SN_POINTWISE = 1 << 1,  /* result[i] depends on the arguments' [i] only (arguments broadcast); has a `value` rule */
    SN_INDEX     = 1 << 2,  /* moves or generates elements; has an `index` rule */
    SN_REDUCE    = 1 << 3,  /* reduces attrs.axes (or axis), keeping them as size 1 */
    SN_CONTRACT  = 1 << 4,  /* attrs.spec */
    SN_SPECIAL   = 1 << 5,  /* a kernel of its own form */
    SN_VIEW      = 1 << 6,  /* same elements in the same order: no data moves */
    SN_COMMUTES  = 1 << 7,  /* of two arguments */
    SN_DECLARED  = 1 << 8,  /* the result type is declared, not inferred (in a graph file: `shape`) */
    SN_RANDOM    = 1 << 9,  /* depends on (seed, step); never shared unless the stream is equal */
    SN_INTERNAL  = 1 << 10, /* made by passes only: not a word of the graph language */
    SN_NO_GRAD   = 1 << 11  /* constant under differentiation by definition */
};

typedef enum sn_op {
#define SN_OP(name, arity, attrs, traits, shape, grad, lower, doc) SN_OP_##name,
#include "ops.def"
#undef SN_OP
    SN_OP_COUNT
} sn_op;

typedef struct sn_graph sn_graph;
typedef struct sn_build sn_build;
typedef struct sn_node sn_node;

/* Result type from argument types and attributes.  For SN_DECLARED operators *out holds the declared type and is checked.
 * On failure returns false with what was found and what was expected in `why`, e.g.
 * "inner sizes differ, x is f32[64,128] but w is f32[96,32]". */
typedef struct sn_infer {
    sn_dims        *dims;
    uint32_t        n;
    const sn_type  *arg;
    const sn_attrs *attrs;
    char           *why;
    size_t          why_size;
} sn_infer;
typedef bool sn_shape_rule(const sn_infer *in, sn_type *out);

/* Gradient: given x (arguments), y (the node) and dy, set dx[i] for every i with need[i]; may leave SN_NONE = no dependence.  dx[i] may have
 * a shape that broadcasting must reduce: the reverse walk un-broadcasts and accumulates, rules never do. */
typedef struct sn_grad_in { const sn_node *node; const sn_ref *x; sn_ref y, dy; const bool *need; } sn_grad_in;
typedef void sn_grad_rule(sn_build *b, const sn_grad_in *g, sn_ref dx[]);

/* Lowering to scalars, see emit.h: `value` for SN_POINTWISE, `index` for SN_INDEX; neither for the other forms. */
typedef union sn_val sn_val;
typedef struct sn_emit sn_emit;
typedef sn_val sn_value_rule(sn_emit *e, const sn_node *n, const sn_val *x);
typedef sn_val sn_index_rule(sn_emit *e, const sn_node *n, const sn_val *at);

typedef struct sn_op_info {
    const char    *name;
    int            arity; /* -1: one or more */
    sn_attr_kind   attrs;
    uint32_t       traits;
    sn_shape_rule *shape;
    sn_grad_rule  *grad;  /* NULL only with SN_NO_GRAD, SN_LEAF or SN_INTERNAL */
    sn_value_rule *value;
    sn_index_rule *index;
    const char    *doc;
} sn_op_info;

const sn_op_info *sn_op_get(sn_op op);
bool sn_op_find(const char *name, sn_op *out);
static inline bool sn_op_has(sn_op op, uint32_t traits) { return (sn_op_get(op)->traits & traits) != 0; }

/* ---- graph -------------------------------------------------------------------------------------------------------------- */

struct sn_node {
    sn_op       op;
    sn_type     type;
    uint8_t     args;
    sn_ref      arg[SN_MAX_ARGS];
    sn_attrs    attrs;
    const char *name; /* "enc.block4.tcn", or NULL; unique among named nodes is not required */
    sn_loc      loc;
};

typedef enum sn_init_kind { SN_INIT_CONSTANT, SN_INIT_NORMAL, SN_INIT_UNIFORM, SN_INIT_UNIT_ROWS, SN_INIT_EQUAL_ROWS, SN_INIT_SAME /* a copy: as its weight */ } sn_init_kind;
typedef struct sn_init { /* constant(a); normal(mean a, deviation b); uniform(a, b); normal rows scaled to unit L2 norm; one normal row for all */
    sn_init_kind kind;
    double       a, b;
} sn_init;

typedef enum sn_param_kind {
    SN_INPUT,  /* given by the caller at each run */
    SN_WEIGHT, /* trained: differentiated, owned by the optimiser */
    SN_COPY,   /* momentum copy of the weight `of`: before each training run, copy = c * copy + (1 - c) * weight */
    SN_STATE   /* kept between runs, changed by updates only: running statistics, queues */
} sn_param_kind;

typedef struct sn_param {
    const char   *name; /* unique; "enc.block4.tcn.w" */
    sn_param_kind kind;
    sn_type       type;
    sn_init       init;        /* SN_COPY starts equal to its weight */
    uint32_t      of;          /* SN_COPY: index of the weight */
    double        coefficient; /* SN_COPY */
    sn_ref        ref;         /* its node; SN_NONE when no live node reads it */
    sn_loc        loc;
} sn_param;

typedef struct sn_output { const char *name; sn_ref ref; sn_loc loc; } sn_output;

typedef enum sn_update_kind {
    SN_ASSIGN, /* state = value, at the end of a training run */
    SN_ENQUEUE /* rows of value [B, D] overwrite the oldest rows of the ring [K, D] at the end of a training run */
} sn_update_kind;
typedef struct sn_update { sn_update_kind kind; uint32_t param; sn_ref value; sn_loc loc; } sn_update;

struct sn_graph {
    const char *name;
    sn_arena    arena;  /* dies with the graph: attributes, names, data */
    sn_dims     dims;
    sn_node    *node;   uint32_t nodes, node_capacity;
    sn_param   *param;  uint32_t params, param_capacity;
    sn_output  *output; uint32_t outputs, output_capacity;
    sn_update  *update; uint32_t updates, update_capacity;
};

sn_graph *sn_graph_new(const char *name);
void      sn_graph_free(sn_graph *g);
static inline const sn_node *sn_at(const sn_graph *g, sn_ref r) { return &g->node[r.i]; }

/* Declare a parameter; makes its `param` node.  The name is copied and must be new. */
sn_ref sn_graph_param(sn_graph *g, const char *name, sn_param_kind kind, const sn_type *type, sn_init init, sn_loc loc);
uint32_t sn_graph_find_param(const sn_graph *g, const char *name); /* UINT32_MAX if absent */
void   sn_graph_output(sn_graph *g, const char *name, sn_ref value, sn_loc loc);
void   sn_graph_update(sn_graph *g, sn_update_kind kind, uint32_t param, sn_ref value, sn_loc loc);
/* Append a node as it is: no folding, no sharing, no check.  For the parser, the copier and tests.  What the node points to (name, spec, data,
 * path) is copied. */
sn_ref sn_graph_append(sn_graph *g, const sn_node *node);
/* An equal graph with live nodes only (those that outputs and updates need; params stay declared). */
sn_graph *sn_graph_copy_live(const sn_graph *g);
/* use[i] = number of readers of node i among nodes, outputs and updates; caller frees. */
uint32_t *sn_graph_uses(const sn_graph *g);

/* Multiply-adds of all contractions as written, padding and zeros of constants included: the usual measure of a model's size.  `symbol` as for
 * sn_dim_eval.  Implemented in cost.c. */
double sn_graph_multiply_adds(const sn_graph *g, const int64_t *symbol);

/* ---- building ----------------------------------------------------------------------------------------------------------- */

/* A builder adds nodes at the end of a graph with one current place and name.  A wrong call adds a diagnostic and yields SN_NONE;
 * any operation on SN_NONE yields SN_NONE without a further diagnostic, so several mistakes are found at once. */
struct sn_build {
    sn_graph   *g;
    sn_diags   *diags;
    sn_loc      loc;  /* given to nodes built now */
    const char *name; /* given to the next named node; kept for errors */
    bool        fold; /* simplify while building: local identities of fold.c that shrink the graph */
};

/* `declared` is needed for SN_DECLARED operators and NULL otherwise. */
sn_ref sn_build_op(sn_build *b, sn_op op, const sn_ref *arg, uint32_t n, const sn_attrs *attrs, const sn_type *declared);

/* Shorthands, implemented in build.c. */
sn_ref sn_fill(sn_build *b, double value, const sn_type *type);
sn_ref sn_scalar(sn_build *b, double value);                        /* fill of rank 0 */
sn_ref sn_unary(sn_build *b, sn_op op, sn_ref x);
sn_ref sn_binary(sn_build *b, sn_op op, sn_ref x, sn_ref y);
sn_ref sn_add(sn_build *b, sn_ref x, sn_ref y);
sn_ref sn_sub(sn_build *b, sn_ref x, sn_ref y);
sn_ref sn_mul(sn_build *b, sn_ref x, sn_ref y);
sn_ref sn_div(sn_build *b, sn_ref x, sn_ref y);
sn_ref sn_neg(sn_build *b, sn_ref x);
sn_ref sn_select(sn_build *b, sn_ref mask, sn_ref x, sn_ref y);
sn_ref sn_sum(sn_build *b, sn_ref x, const uint8_t *axis, uint32_t n);
sn_ref sn_reshape(sn_build *b, sn_ref x, const sn_type *type);
sn_ref sn_broadcast(sn_build *b, sn_ref x, const sn_type *type);
sn_ref sn_build_contract(sn_build *b, const sn_contract *spec, sn_ref x, sn_ref w, const sn_type *type);

/* Do the attributes of a and b, of one kind, say the same?  Dims and pointers are compared by content. */
bool sn_attrs_equal(sn_attr_kind kind, const sn_graph *ga, const sn_attrs *a, const sn_graph *gb, const sn_attrs *b);
/* Arity, attributes and shape of a node to be; declared types go in and result types come out of *type.  False with the reason. */
bool sn_check_node(sn_graph *g, sn_op op, const sn_ref *arg, uint32_t n, const sn_attrs *attrs, sn_type *type, char *reason, size_t size);

/* A graph with the same dimensions and parameters and no nodes. */
sn_graph *sn_graph_copy_params(const sn_graph *g);

/* ---- text --------------------------------------------------------------------------------------------------------------- */

/* The one textual form (LANG.md).  parse(print(g)) equals g; print(parse(t)) equals t for canonical t. */
void sn_graph_print(const sn_graph *g, FILE *out);
void sn_graph_dot(const sn_graph *g, FILE *out);
/* NULL with diagnostics on failure.  `source` is the index of the text in diags. */
sn_graph *sn_graph_parse(sn_diags *diags, uint32_t source);
/* Same nodes, params, outputs and updates; locations ignored. */
bool sn_graph_equal(const sn_graph *a, const sn_graph *b);

/* ---- verifying ---------------------------------------------------------------------------------------------------------- */

typedef enum sn_level { SN_LEVEL_SOURCE, SN_LEVEL_AUTODIFF, SN_LEVEL_FUSED } sn_level;
/* All faults at once: order, arity, attributes, types against the shape rules, operators legal at the level. */
bool sn_verify(const sn_graph *g, sn_level level, sn_diags *diags);

/* We are wrong: ends the process.  Never on what a user gave us. */
#define SN_ASSERT(cond, ...) ((cond) ? (void)0 : sn_assert_fail(__FILE__, __LINE__, #cond, __VA_ARGS__))
void sn_assert_fail(const char *file, int line, const char *cond, const char *format, ...)
    __attribute__((noreturn, format(printf, 4, 5)));

#endif
