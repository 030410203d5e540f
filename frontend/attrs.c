/* Attributes of operators: `with` of a node to the typed struct of the operator table.
 * Not the specification of a contraction (spec.c). */
#include <string.h>

#include "elaborate.h"

/* The value of an attribute written for the node, or NULL. */
static const sn_value *given(const sn_ast_node *n, const char *name)
{
    for (uint32_t i = 0; n->with.kind == SN_VALUE_MAP && i < n->with.n; i++)
        if (strcmp(n->with.key[i], name) == 0) return &n->with.item[i];
    return NULL;
}

/* Axes may be counted from the end: -1 is the last of `rank`.  False after a diagnostic or when the rank is not known. */
static bool read_axis(sn_scope *s, const sn_value *v, const char *node, const char *op, int rank, int64_t *out)
{
    int64_t axis;
    if (!sn_scope_int(s, v, node, "axis", INT32_MIN, INT32_MAX, &axis) || rank < 0) return false;
    if (axis < -rank || axis >= rank) {
        sn_elab_error(s->e, v->loc, node, "%s: axis %lld is out of range for %d dimensions", op, (long long)axis, rank);
        return false;
    }
    *out = axis < 0 ? axis + rank : axis;
    return true;
}

static bool read_axes(sn_scope *s, const sn_value *v, const char *node, sn_op op, int rank, sn_attr_axes *out)
{
    const char *name = sn_op_get(op)->name;
    bool ok = true;
    if (v->kind != SN_VALUE_LIST || v->n > SN_MAX_RANK) {
        sn_elab_error(s->e, v->loc, node, "%s: axes: expected a list of at most %d axes [0, 1]", name, SN_MAX_RANK);
        return false;
    }
    for (uint32_t i = 0; i < v->n; i++) {
        int64_t axis;
        if (!read_axis(s, &v->item[i], node, name, rank, &axis)) {
            ok = false;
            continue;
        }
        for (uint8_t k = 0; k < out->n; k++)
            if (out->axis[k] == axis) {
                sn_elab_error(s->e, v->item[i].loc, node, "%s: axis %lld stands twice", name, (long long)axis);
                return false;
            }
        uint8_t at = out->n++;
        for (; sn_op_has(op, SN_REDUCE) && at > 0 && out->axis[at - 1] > axis; at--) out->axis[at] = out->axis[at - 1];
        out->axis[at] = (uint8_t)axis;
    }
    return ok;
}

/* The rank that axes count in: of what is made for generators, of the first argument else; -1 if not known. */
static int axis_rank(const sn_scope *s, sn_op op, const sn_ref *arg, uint32_t args, const sn_type *declared)
{
    if (sn_op_has(op, SN_LEAF)) return declared ? declared->rank : -1;
    return args && !sn_is_none(arg[0]) ? sn_at(s->e->g, arg[0])->type.rank : -1;
}

static bool read_dim(sn_scope *s, const sn_value *v, const char *node, const char *op, sn_dim *out)
{
    sn_num a = sn_scope_number(s, v, node, op);
    if (a.kind == SN_NUM_INT && a.i >= 0) return *out = sn_dim_const(a.i), true;
    if (a.kind == SN_NUM_DIM) return *out = a.d, true;
    if (a.kind != SN_NUM_UNKNOWN) sn_elab_error(s->e, v->loc, node, "%s: dim: expected a dimension", op);
    return false;
}

typedef struct reading { /* what fields are read for */
    sn_op         op;
    const sn_ref *arg; uint32_t args;
    const char   *node;
    int           rank;
} reading;

static bool read_field(sn_scope *s, const sn_field *f, const sn_value *v, const reading *r, sn_attrs *out)
{
    char *at = (char *)out + f->offset;
    const char *name = sn_op_get(r->op)->name;
    const char *what = sn_format(&s->e->arena, "%s: %s", name, f->name);
    switch (f->kind) {
    case SN_FIELD_INT:
        if (strcmp(f->name, "axis") == 0) return read_axis(s, v, r->node, name, r->rank, (int64_t *)(void *)at);
        return sn_scope_int(s, v, r->node, what, INT32_MIN, INT32_MAX, (int64_t *)(void *)at);
    case SN_FIELD_REAL: return sn_scope_real(s, v, r->node, what, (double *)(void *)at);
    case SN_FIELD_AXES: return read_axes(s, v, r->node, r->op, r->rank, (sn_attr_axes *)(void *)at);
    case SN_FIELD_DIM: return read_dim(s, v, r->node, what, (sn_dim *)(void *)at);
    default: return sn_elab_spec(s, v, r->node, r->arg, (sn_contract **)(void *)at);
    }
}

static void unknown_attribute(sn_scope *s, const sn_ast_node *n, uint32_t index, const sn_field *field, size_t fields, const char *node)
{
    const char *name[16];
    size_t k = 0;
    for (; k < fields && k < 16; k++) name[k] = field[k].name;
    const char *near = sn_nearest(n->with.key[index], name, k);
    if (near) sn_elab_error(s->e, n->with.key_loc[index], node, "%s has no attribute \"%s\"; did you mean \"%s\"?", n->op.s, n->with.key[index], near);
    else sn_elab_error(s->e, n->with.key_loc[index], node, "%s has no attribute \"%s\"", n->op.s, n->with.key[index]);
}

static void set_fallback(const sn_field *f, sn_attrs *out)
{
    char *at = (char *)out + f->offset;
    if (f->kind == SN_FIELD_INT) *(int64_t *)(void *)at = (int64_t)f->fallback;
    else if (f->kind == SN_FIELD_REAL) *(double *)(void *)at = f->fallback;
}

bool sn_elab_attrs(sn_scope *s, const sn_ast_node *n, sn_op op, const sn_ref *arg, uint32_t args, const sn_type *declared,
                   const char *node, sn_attrs *out)
{
    const sn_op_info *info = sn_op_get(op);
    size_t fields;
    const sn_field *field = sn_attr_fields(info->attrs, &fields);
    const reading r = {op, arg, args, node, axis_rank(s, op, arg, args, declared)};
    bool ok = true;
    if (n->with.kind != SN_VALUE_ABSENT && n->with.kind != SN_VALUE_MAP) {
        sn_elab_error(s->e, n->with.loc, node, "with: expected a map { name: value }");
        return false;
    }
    for (uint32_t i = 0; i < n->with.n; i++) {
        size_t k = 0;
        while (k < fields && strcmp(field[k].name, n->with.key[i]) != 0) k++;
        if (k == fields) unknown_attribute(s, n, i, field, fields, node);
        ok = ok && k < fields;
    }
    for (size_t i = 0; i < fields; i++) {
        const sn_value *v = given(n, field[i].name);
        if (v) {
            ok = read_field(s, &field[i], v, &r, out) && ok;
        } else if ((info->traits & SN_RANDOM) && strcmp(field[i].name, "stream") == 0) {
            out->stream.stream = s->e->stream++; /* every random node draws from a stream of its own unless the file names one */
        } else if (field[i].required && !ok) {
            continue; /* most likely the one that was misspelt */
        } else if (field[i].required) {
            sn_elab_error(s->e, n->op.loc, node, "%s: attribute \"%s\" is missing: %s", info->name, field[i].name, field[i].doc);
            ok = false;
        } else {
            set_fallback(&field[i], out);
        }
    }
    return ok;
}
