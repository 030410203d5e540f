/* Operators that move elements: shape, gradient, lowering.
 * Not computing on them (op_point.c). */
#include "internal.h"

sn_val sn_inside(sn_emit *e, sn_val i, sn_val n)
{
    return e->mul(e, sn_mask_not(e, e->iless(e, i, e->index(e, 0))), e->iless(e, i, n));
}

/* ---- broadcast ---------------------------------------------------------------------------------------------------------- */

bool shape_stretch(const sn_infer *in, sn_type *out)
{
    sn_type both;
    if (in->arg[0].rank <= out->rank && sn_type_broadcast(&in->arg[0], out, &both) && sn_type_equal(&both, out))
        return true;
    return sn_why(in, "%s does not stretch to the declared shape %s", sn_text_of(in->dims, &in->arg[0]).s, sn_text_of(in->dims, out).s);
}

void grad_broadcast(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    (void)b;
    dx[0] = g->dy; /* the reverse walk sums what was stretched */
}

sn_val index_broadcast(sn_emit *e, const sn_node *n, const sn_val *at)
{
    const sn_type *x = sn_arg_type(e, n, 0);
    const uint8_t shift = (uint8_t)(n->type.rank - x->rank);
    sn_val from[SN_MAX_RANK];
    for (uint8_t i = 0; i < x->rank; i++)
        from[i] = sn_is_one(x->dim[i]) ? e->index(e, 0) : at[shift + i];
    return e->load(e, n, 0, from);
}

/* ---- reshape ------------------------------------------------------------------------------------------------------------ */

bool shape_reshape(const sn_infer *in, sn_type *out)
{
    const sn_dim from = sn_type_count(in->dims, &in->arg[0]), to = sn_type_count(in->dims, out);
    if (sn_dim_equal(from, to))
        return true;
    return sn_why(in, "%s has %s elements but the declared shape %s has %s", sn_text_of(in->dims, &in->arg[0]).s, sn_text_of_dim(in->dims, from).s,
               sn_text_of(in->dims, out).s, sn_text_of_dim(in->dims, to).s);
}

void grad_reshape(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    const sn_type t = sn_type_of(b, g->x[0]);
    dx[0] = sn_reshape(b, g->dy, &t);
}

/* Certainly equal products?  Equal factors cancel, constants multiply. */
static bool same_product(const sn_dim *x, uint8_t n, const sn_dim *y, uint8_t m)
{
    bool used[SN_MAX_RANK] = {false};
    int64_t px = 1, py = 1;
    for (uint8_t i = 0; i < n; i++) {
        uint8_t j = 0;
        while (j < m && (used[j] || !sn_dim_equal(x[i], y[j])))
            j++;
        if (j < m)
            used[j] = true;
        else if (sn_dim_is_const(x[i]))
            px *= x[i].v;
        else
            return false;
    }
    for (uint8_t j = 0; j < m; j++)
        if (!used[j]) {
            if (!sn_dim_is_const(y[j]))
                return false;
            py *= y[j].v;
        }
    return px == py;
}

/* Grow n, m >= 1 to the shortest leading axes of x and y with equal products; the rest when nothing shorter is certain. */
static void first_group(const sn_dim *x, uint8_t nx, const sn_dim *y, uint8_t ny, uint8_t *n, uint8_t *m)
{
    for (uint8_t total = 2; total <= nx + ny; total++)
        for (*n = 1; *n < total; ++*n) {
            *m = (uint8_t)(total - *n);
            if (*n <= nx && *m <= ny && same_product(x, *n, y, *m))
                return;
        }
    *n = nx;
    *m = ny;
}

/* Write the number of element `at` among dims y[m] as an index into dims x[n]. */
static void regroup(sn_emit *e, const sn_dim *y, uint8_t m, const sn_val *at, const sn_dim *x, uint8_t n, sn_val *from)
{
    if (m == 1 && n == 1) {
        from[0] = at[0];
        return;
    }
    sn_val number = at[0];
    for (uint8_t j = 1; j < m; j++)
        number = sn_is_one(y[j]) ? number : e->iadd(e, e->imul(e, number, e->extent(e, y[j])), at[j]);
    for (uint8_t i = n; i-- > 0;) {
        const bool rest_is_one = i == 0 || same_product(x, i, NULL, 0);
        if (sn_is_one(x[i]) && !(i == 0 && n == 1)) {
            from[i] = e->index(e, 0);
        } else if (rest_is_one) {
            from[i] = number;
            number = e->index(e, 0);
        } else {
            const sn_val size = e->extent(e, x[i]), next = e->idiv(e, number, size);
            from[i] = e->isub(e, number, e->imul(e, next, size));
            number = next;
        }
    }
}

/* Axes are matched in groups of equal size, so that untouched axes need no division. */
sn_val index_reshape(sn_emit *e, const sn_node *n, const sn_val *at)
{
    const sn_type *x = sn_arg_type(e, n, 0), *y = &n->type;
    sn_val from[SN_MAX_RANK];
    uint8_t i = 0, j = 0;
    while (i < x->rank && j < y->rank) {
        uint8_t k, m;
        first_group(x->dim + i, (uint8_t)(x->rank - i), y->dim + j, (uint8_t)(y->rank - j), &k, &m);
        regroup(e, y->dim + j, m, at + j, x->dim + i, k, from + i);
        i = (uint8_t)(i + k);
        j = (uint8_t)(j + m);
    }
    for (; i < x->rank; i++) /* what is left has size 1 */
        from[i] = e->index(e, 0);
    return e->load(e, n, 0, from);
}

/* ---- permute ------------------------------------------------------------------------------------------------------------ */

bool shape_permute(const sn_infer *in, sn_type *out)
{
    const sn_attr_axes *a = &in->attrs->axes;
    const sn_type *x = &in->arg[0];
    unsigned seen = 0;
    if (a->n != x->rank)
        return sn_why(in, "%u axes are given for %s", a->n, sn_text_of(in->dims, x).s);
    for (uint8_t i = 0; i < a->n; i++) {
        if (!sn_axis_in(in, a->axis[i], x))
            return false;
        if (seen >> a->axis[i] & 1u)
            return sn_why(in, "axis %u is given twice", a->axis[i]);
        seen |= 1u << a->axis[i];
    }
    out->rank = x->rank;
    for (uint8_t i = 0; i < a->n; i++)
        out->dim[i] = x->dim[a->axis[i]];
    return true;
}

void grad_permute(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    const sn_attr_axes a = g->node->attrs.axes;
    sn_attrs back = {.axes = {.n = a.n}};
    for (uint8_t i = 0; i < a.n; i++)
        back.axes.axis[a.axis[i]] = i;
    dx[0] = sn_build_op(b, SN_OP_permute, &g->dy, 1, &back, NULL);
}

sn_val index_permute(sn_emit *e, const sn_node *n, const sn_val *at)
{
    sn_val from[SN_MAX_RANK];
    for (uint8_t i = 0; i < n->type.rank; i++)
        from[n->attrs.axes.axis[i]] = at[i];
    return e->load(e, n, 0, from);
}

/* ---- slice and pad: each the gradient of the other ---------------------------------------------------------------------- */

/* Is y, of `count` elements along the axis, a legal slice of x; all other axes equal? */
static bool strided(const sn_infer *in, const sn_type *x, const char *x_is, const sn_type *y, const char *y_is)
{
    const sn_attr_slice *a = &in->attrs->slice;
    if (!sn_axis_in(in, a->axis, x))
        return false;
    if (a->start < 0 || a->start > INT32_MAX || a->step < 1 || a->step > INT32_MAX)
        return sn_why(in, "start is %lld and step %lld, expected start 0 and step 1 or more", (long long)a->start, (long long)a->step);
    sn_type same = *y;
    if (y->rank == x->rank)
        same.dim[a->axis] = x->dim[a->axis];
    if (!sn_type_equal(&same, x))
        return sn_why(in, "%s is %s and %s is %s, expected equal shapes but for axis %lld", x_is, sn_text_of(in->dims, x).s, y_is,
                   sn_text_of(in->dims, y).s, (long long)a->axis);
    const sn_dim size = x->dim[a->axis], count = y->dim[a->axis];
    if (sn_dim_is_const(size) && sn_dim_is_const(count) && a->start + (count.v - 1) * a->step >= size.v)
        return sn_why(in, "element %lld of axis %lld is out of range for %s", (long long)(a->start + (count.v - 1) * a->step),
                   (long long)a->axis, sn_text_of(in->dims, x).s);
    return true;
}

bool shape_slice(const sn_infer *in, sn_type *out) { return strided(in, &in->arg[0], "x", out, "the declared shape"); }
bool shape_pad(const sn_infer *in, sn_type *out) { return strided(in, out, "the declared shape", &in->arg[0], "x"); }

sn_ref sn_slice_of(sn_build *b, sn_ref x, int64_t axis, int64_t start, int64_t step, sn_dim count)
{
    if (sn_is_none(x))
        return SN_NONE;
    sn_type t = sn_type_of(b, x);
    const sn_attrs a = {.slice = {axis, start, step}};
    t.dim[axis] = count;
    return sn_build_op(b, SN_OP_slice, &x, 1, &a, &t);
}

sn_ref sn_pad_of(sn_build *b, sn_ref x, int64_t axis, int64_t start, int64_t step, const sn_type *t)
{
    const sn_attrs a = {.slice = {axis, start, step}};
    return sn_build_op(b, SN_OP_pad, &x, 1, &a, t);
}

void grad_slice(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    const sn_attr_slice a = g->node->attrs.slice;
    const sn_type t = sn_type_of(b, g->x[0]);
    dx[0] = sn_pad_of(b, g->dy, a.axis, a.start, a.step, &t);
}

void grad_pad(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    const sn_attr_slice a = g->node->attrs.slice;
    dx[0] = sn_slice_of(b, g->dy, a.axis, a.start, a.step, sn_type_of(b, g->x[0]).dim[a.axis]);
}

static void copy_index(const sn_val *at, uint8_t rank, sn_val *out)
{
    for (uint8_t i = 0; i < rank; i++)
        out[i] = at[i];
}

/* Symbolic extents may put the end outside: such elements are 0.  With constants the shape rule has proved that none is. */
sn_val index_slice(sn_emit *e, const sn_node *n, const sn_val *at)
{
    const sn_attr_slice *a = &n->attrs.slice;
    const sn_dim size = sn_arg_type(e, n, 0)->dim[a->axis];
    sn_val from[SN_MAX_RANK], i = at[a->axis];
    copy_index(at, n->type.rank, from);
    if (a->step != 1)
        i = e->imul(e, i, e->index(e, a->step));
    from[a->axis] = a->start ? e->iadd(e, i, e->index(e, a->start)) : i;
    const bool proved = (sn_dim_is_const(size) && sn_dim_is_const(n->type.dim[a->axis])) ||
                        (sn_dim_equal(size, n->type.dim[a->axis]) && a->start == 0 && a->step == 1);
    return proved ? e->load(e, n, 0, from) : e->load_if(e, n, 0, from, e->iless(e, from[a->axis], e->extent(e, size)));
}

sn_val index_pad(sn_emit *e, const sn_node *n, const sn_val *at)
{
    const sn_attr_slice *a = &n->attrs.slice;
    const sn_val step = e->index(e, a->step), zero = e->index(e, 0);
    sn_val from[SN_MAX_RANK];
    copy_index(at, n->type.rank, from);
    const sn_val away = a->start ? e->isub(e, at[a->axis], e->index(e, a->start)) : at[a->axis];
    sn_val i = away, on_grid = e->number(e, 1);
    if (a->step != 1) {
        i = e->idiv(e, away, step);
        const sn_val left = e->isub(e, away, e->imul(e, i, step));
        on_grid = sn_mask_not(e, e->iless(e, zero, left));
    }
    from[a->axis] = i;
    const sn_val mask = e->mul(e, on_grid, sn_inside(e, i, e->extent(e, sn_arg_type(e, n, 0)->dim[a->axis])));
    return e->load_if(e, n, 0, from, mask);
}

/* ---- concat ------------------------------------------------------------------------------------------------------------- */

bool shape_concat(const sn_infer *in, sn_type *out)
{
    const int64_t axis = in->attrs->axis.axis;
    sn_type r = in->arg[0];
    if (!sn_axis_in(in, axis, &r))
        return false;
    for (uint32_t i = 1; i < in->n; i++) {
        sn_type same = in->arg[i];
        if (same.rank == r.rank)
            same.dim[axis] = in->arg[0].dim[axis];
        if (!sn_type_equal(&same, &in->arg[0]))
            return sn_why(in, "argument 0 is %s and argument %u is %s, expected equal shapes but for axis %lld",
                       sn_text_of(in->dims, &in->arg[0]).s, i, sn_text_of(in->dims, &in->arg[i]).s, (long long)axis);
        r.dim[axis] = sn_dim_add(in->dims, r.dim[axis], in->arg[i].dim[axis]);
    }
    *out = r;
    return true;
}

/* Extent along axis of arguments from .. to-1; false if it is symbolic. */
static bool constant_span(sn_build *b, const sn_grad_in *g, int64_t axis, uint32_t from, uint32_t to, int64_t *out)
{
    for (*out = 0; from < to; from++) {
        const sn_dim d = sn_type_of(b, g->x[from]).dim[axis];
        if (!sn_dim_is_const(d))
            return false;
        *out += d.v;
    }
    return true;
}

static sn_ref flip_of(sn_build *b, sn_ref x, int64_t axis)
{
    const sn_attrs a = {.axis = {axis}};
    return sn_build_op(b, SN_OP_flip, &x, 1, &a, NULL);
}

/* Part i of n equal parts of dy along axis: [.., n d, ..] -> [.., n, d, ..] -> part i. */
static sn_ref equal_part(sn_build *b, sn_ref dy, int64_t axis, uint32_t i, uint32_t n, const sn_type *part)
{
    sn_type split = *part;
    if (split.rank == SN_MAX_RANK) /* no room for another axis */
        return SN_NONE;
    for (int64_t k = split.rank++; k > axis; k--)
        split.dim[k] = split.dim[k - 1];
    split.dim[axis] = sn_dim_const(n);
    return sn_reshape(b, sn_slice_of(b, sn_reshape(b, dy, &split), axis, i, 1, sn_dim_const(1)), part);
}

/* Parts start at constants, or end a constant before the end (then slice the flipped gradient), or are all equal. */
void grad_concat(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    const int64_t axis = g->node->attrs.axis.axis;
    const uint32_t n = g->node->args;
    bool equal = true;
    for (uint32_t i = 1; i < n; i++)
        equal = equal && sn_dim_equal(sn_type_of(b, g->x[i]).dim[axis], sn_type_of(b, g->x[0]).dim[axis]);
    for (uint32_t i = 0; i < n; i++) {
        const sn_type part = sn_type_of(b, g->x[i]);
        int64_t span;
        if (!g->need[i])
            continue;
        if (constant_span(b, g, axis, 0, i, &span))
            dx[i] = sn_slice_of(b, g->dy, axis, span, 1, part.dim[axis]);
        else if (constant_span(b, g, axis, i + 1, n, &span))
            dx[i] = flip_of(b, sn_slice_of(b, flip_of(b, g->dy, axis), axis, span, 1, part.dim[axis]), axis);
        else if (equal)
            dx[i] = equal_part(b, g->dy, axis, i, n, &part);
        if (sn_is_none(dx[i]))
            sn_error(b->diags, b->loc, b->name, "concat: argument %u starts at a symbolic place, no gradient for it", i);
    }
}

/* Every part is asked; all but the one that holds the element answer 0. */
sn_val index_concat(sn_emit *e, const sn_node *n, const sn_val *at)
{
    const int64_t axis = n->attrs.axis.axis;
    sn_val from[SN_MAX_RANK], r = e->number(e, 0), i = at[axis];
    copy_index(at, n->type.rank, from);
    for (uint32_t k = 0; k < n->args; k++) {
        const sn_val size = e->extent(e, sn_arg_type(e, n, k)->dim[axis]), mask = sn_inside(e, i, size);
        from[axis] = i;
        r = e->select(e, mask, e->load_if(e, n, k, from, mask), r);
        i = e->isub(e, i, size);
    }
    return r;
}

/* ---- flip --------------------------------------------------------------------------------------------------------------- */

bool shape_flip(const sn_infer *in, sn_type *out)
{
    *out = in->arg[0];
    return sn_axis_in(in, in->attrs->axis.axis, out);
}

void grad_flip(sn_build *b, const sn_grad_in *g, sn_ref dx[])
{
    dx[0] = flip_of(b, g->dy, g->node->attrs.axis.axis);
}

sn_val index_flip(sn_emit *e, const sn_node *n, const sn_val *at)
{
    const int64_t axis = n->attrs.axis.axis;
    sn_val from[SN_MAX_RANK];
    copy_index(at, n->type.rank, from);
    from[axis] = e->isub(e, e->isub(e, e->extent(e, n->type.dim[axis]), e->index(e, 1)), at[axis]);
    return e->load(e, n, 0, from);
}
