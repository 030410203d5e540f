/* Inside ir: the rules the operator table names, and helpers they share.
 * Not for other folders. */
#ifndef SN_IR_INTERNAL_H
#define SN_IR_INTERNAL_H

#include "emit.h"

/* Every rule the table names; each is defined in the op_<family>.c of its operator. */
#define LOWER_VALUE(x) sn_value_rule value_##x
#define LOWER_INDEX(x) sn_index_rule index_##x
#define LOWER_FORM     sn_value_rule value_none
#define SN_OP(name, arity, attrs, traits, shape, grad, lower, doc) \
    sn_shape_rule shape_##shape;                                   \
    sn_grad_rule  grad_##grad;                                     \
    lower;
#include "ops.def"
#undef SN_OP
#undef LOWER_VALUE
#undef LOWER_INDEX
#undef LOWER_FORM

/* ---- shape rules -------------------------------------------------------------------------------------------------------- */

/* Room for the text of one type. */
typedef struct sn_type_words { char s[256]; } sn_type_words;
sn_type_words sn_text_of(const sn_dims *d, const sn_type *t);
sn_type_words sn_text_of_dim(const sn_dims *d, sn_dim a);
/* Say what is wrong; returns false. */
bool sn_why(const sn_infer *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Is `axis` an axis of t?  Says so if not. */
bool sn_axis_in(const sn_infer *in, int64_t axis, const sn_type *t);
static inline bool sn_is_one(sn_dim d) { return d.v == 1; }

/* ---- gradient rules ----------------------------------------------------------------------------------------------------- */

static inline sn_type sn_type_of(const sn_build *b, sn_ref r) { return sn_at(b->g, r)->type; }
/* Elements start, start + step, ... of x along axis, `count` of them; and the reverse: zeros of type t with x there. */
sn_ref sn_slice_of(sn_build *b, sn_ref x, int64_t axis, int64_t start, int64_t step, sn_dim count);
sn_ref sn_pad_of(sn_build *b, sn_ref x, int64_t axis, int64_t start, int64_t step, const sn_type *t);

/* ---- lowering rules ----------------------------------------------------------------------------------------------------- */

static inline const sn_type *sn_arg_type(const sn_emit *e, const sn_node *n, uint32_t k) { return &e->g->node[n->arg[k].i].type; }
/* 1 - a, for masks. */
static inline sn_val sn_mask_not(sn_emit *e, sn_val a) { return e->sub(e, e->number(e, 1), a); }
/* 1 where 0 <= i < n */
sn_val sn_inside(sn_emit *e, sn_val i, sn_val n);

/* What a checked node amounts to without making it; SN_NONE if it must be made (fold.c). */
sn_ref sn_fold(sn_build *b, const sn_node *n);
/* A param without a node; the name must be new.  Returns its index. */
uint32_t sn_graph_declare(sn_graph *g, const sn_param *param);

#endif
