/* The operator table in memory, attribute descriptions, and the words rules share.
 * Not the rules (op_<family>.c); not the table (ops.def). */
#include "internal.h"

#include <stdarg.h>
#include <string.h>

/* `none` in a rule column means there is no rule. */
#define grad_none      NULL
#define LOWER_VALUE(x) value_##x, NULL
#define LOWER_INDEX(x) NULL, index_##x
#define LOWER_FORM     NULL, NULL

static const sn_op_info table[SN_OP_COUNT] = {
#define SN_OP(name, arity, attrs, traits, shape, grad, lower, doc) \
    {#name, arity, SN_ATTR_##attrs, traits, shape_##shape, grad_##grad, lower, doc},
#include "ops.def"
#undef SN_OP
};

const sn_op_info *sn_op_get(sn_op op)
{
    SN_ASSERT((unsigned)op < SN_OP_COUNT, "operator %d", (int)op);
    return &table[op];
}

bool sn_op_find(const char *name, sn_op *out)
{
    for (int i = 0; i < SN_OP_COUNT; i++)
        if (strcmp(table[i].name, name) == 0) {
            *out = (sn_op)i;
            return true;
        }
    return false;
}

/* ---- attributes --------------------------------------------------------------------------------------------------------- */

#define FIELD(kind, member, word, type, required, fallback, doc) {word, type, offsetof(sn_attrs, kind.member), required, fallback, doc}

static const sn_field value_fields[] = {FIELD(value, value, "value", SN_FIELD_REAL, true, 0, "a number")};
static const sn_field axes_fields[] = {FIELD(axes, n, "axes", SN_FIELD_AXES, true, 0, "axes, as a list")};
static const sn_field axis_fields[] = {FIELD(axis, axis, "axis", SN_FIELD_INT, true, 0, "an axis, from 0")};
static const sn_field slice_fields[] = {
    FIELD(slice, axis, "axis", SN_FIELD_INT, true, 0, "an axis, from 0"),
    FIELD(slice, start, "start", SN_FIELD_INT, false, 0, "first element"),
    FIELD(slice, step, "step", SN_FIELD_INT, false, 1, "distance between elements"),
};
static const sn_field extent_fields[] = {FIELD(extent, dim, "dim", SN_FIELD_DIM, true, 0, "a dimension, such as T or (T-1)/2+1")};
static const sn_field spec_fields[] = {FIELD(spec, spec, "spec", SN_FIELD_SPEC, true, 0, "index maps: \"n,2t+k-4,v,i ; k,i,o -> n,t,v,o\"")};
static const sn_field stream_fields[] = {
    FIELD(stream, stream, "stream", SN_FIELD_INT, true, 0, "which random numbers; equal streams give equal numbers"),
};
static const sn_field random_fields[] = {
    FIELD(random, p, "p", SN_FIELD_REAL, true, 0, "probability of 1"),
    FIELD(random, stream, "stream", SN_FIELD_INT, true, 0, "which random numbers; equal streams give equal numbers"),
};
static const sn_field tile_fields[] = {
    FIELD(tile, outer, "outer", SN_FIELD_INT, true, 0, "leading axes with a tile for each index"),
    FIELD(tile, chunk, "chunk", SN_FIELD_INT, true, 0, "tile length along axis `outer`"),
    FIELD(tile, keep, "keep", SN_FIELD_INT, true, 0, "trailing axes that are kept"),
};
static const sn_field tau_fields[] = {FIELD(tau, tau, "tau", SN_FIELD_REAL, true, 0, "temperature")};
static const sn_field align_fields[] = {FIELD(align, corners, "corners", SN_FIELD_INT, false, 0, "1 = align corners, 0 = half-pixel centres")};

const sn_field *sn_attr_fields(sn_attr_kind kind, size_t *n)
{
#define FIELDS(list) (*n = sizeof list / sizeof list[0], list)
    switch (kind) {
    case SN_ATTR_value: return FIELDS(value_fields);
    case SN_ATTR_axes: return FIELDS(axes_fields);
    case SN_ATTR_axis: return FIELDS(axis_fields);
    case SN_ATTR_slice: return FIELDS(slice_fields);
    case SN_ATTR_extent: return FIELDS(extent_fields);
    case SN_ATTR_spec: return FIELDS(spec_fields);
    case SN_ATTR_stream: return FIELDS(stream_fields);
    case SN_ATTR_random: return FIELDS(random_fields);
    case SN_ATTR_tile: return FIELDS(tile_fields);
    case SN_ATTR_tau: return FIELDS(tau_fields);
    case SN_ATTR_align: return FIELDS(align_fields);
    case SN_ATTR_none:
    case SN_ATTR_data:
    case SN_ATTR_param: break;
    }
    *n = 0;
    return NULL;
}

/* Same bits, so that nan equals itself and -0 differs from 0. */
static bool same_bits(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

static bool field_equal(sn_field_kind kind, const sn_graph *ga, const char *a, const sn_graph *gb, const char *b)
{
    switch (kind) {
    case SN_FIELD_INT: return *(const int64_t *)(const void *)a == *(const int64_t *)(const void *)b;
    case SN_FIELD_REAL: return same_bits(*(const double *)(const void *)a, *(const double *)(const void *)b);
    case SN_FIELD_DIM: return sn_dim_same(&ga->dims, *(const sn_dim *)(const void *)a, &gb->dims, *(const sn_dim *)(const void *)b);
    case SN_FIELD_SPEC: return sn_contract_equal(*(sn_contract *const *)(const void *)a, *(sn_contract *const *)(const void *)b);
    case SN_FIELD_AXES: break;
    }
    const sn_attr_axes *x = (const void *)a, *y = (const void *)b;
    return x->n == y->n && memcmp(x->axis, y->axis, x->n) == 0;
}

bool sn_attrs_equal(sn_attr_kind kind, const sn_graph *ga, const sn_attrs *a, const sn_graph *gb, const sn_attrs *b)
{
    size_t n;
    const sn_field *f = sn_attr_fields(kind, &n);
    for (size_t i = 0; i < n; i++)
        if (!field_equal(f[i].kind, ga, (const char *)a + f[i].offset, gb, (const char *)b + f[i].offset))
            return false;
    if (kind == SN_ATTR_data)
        return a->data.count == b->data.count && memcmp(a->data.data, b->data.data, a->data.count * sizeof(float)) == 0;
    if (kind == SN_ATTR_param)
        return strcmp(ga->param[a->param.index].name, gb->param[b->param.index].name) == 0;
    return true;
}

/* ---- words of the shape rules ------------------------------------------------------------------------------------------- */

sn_type_words sn_text_of(const sn_dims *d, const sn_type *t)
{
    sn_type_words r;
    sn_type_text(d, t, r.s, sizeof r.s);
    return r;
}

sn_type_words sn_text_of_dim(const sn_dims *d, sn_dim a)
{
    sn_type_words r;
    sn_dim_text(d, a, r.s, sizeof r.s);
    return r;
}

bool sn_why(const sn_infer *in, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(in->why, in->why_size, format, args);
    va_end(args);
    return false;
}

bool sn_axis_in(const sn_infer *in, int64_t axis, const sn_type *t)
{
    if (axis >= 0 && axis < t->rank)
        return true;
    return sn_why(in, "axis %lld is out of range for %s", (long long)axis, sn_text_of(in->dims, t).s);
}

bool sn_check_node(sn_graph *g, sn_op op, const sn_ref *arg, uint32_t n, const sn_attrs *attrs, sn_type *type, char *reason, size_t size)
{
    const sn_op_info *info = sn_op_get(op);
    sn_type x[SN_MAX_ARGS];
    const sn_infer in = {&g->dims, n, x, attrs, reason, size};
    if (info->arity >= 0 ? n != (uint32_t)info->arity : n < 1 || n > SN_MAX_ARGS) {
        if (info->arity >= 0)
            return sn_why(&in, "found %u arguments, expected %d", n, info->arity);
        return sn_why(&in, "found %u arguments, expected 1 to %d", n, SN_MAX_ARGS);
    }
    for (uint32_t i = 0; i < n; i++)
        x[i] = sn_at(g, arg[i])->type;
    if (info->attrs == SN_ATTR_spec && !attrs->spec.spec)
        return sn_why(&in, "there is no spec");
    if ((info->traits & SN_DECLARED) && !sn_type_legal(&g->dims, type, reason, size))
        return false;
    return info->shape(&in, type) && sn_type_legal(&g->dims, type, reason, size);
}
