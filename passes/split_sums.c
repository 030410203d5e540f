/* Large sums in two steps: partial sums over fixed tiles, which a producing kernel can add up on its way, and a small sum.
 * Not fusion: this only gives it something to fuse.
 *
 *     sum x {axes=[0, 1, 2]}   ->   p = partial_sum x {outer=1, chunk=24, keep=1}       f32[N*ceil(T/24), 25]
 *                                   sum (reshape p to [N*ceil(T/24), 1, 1, 25]) {axes=[0]}
 *
 * The tiles follow from the static shape alone, never from threads or from who produces x; so results do not depend on threads, and all
 * sums over tensors of one shape share their tiles.  Sums that are small, that keep large or symbolic axes, or that do not run over
 * leading axes stay as they are.
 */
#include "internal.h"

enum {
    ROWS = 600,         /* positions a tile, about: a few hundred KB at 256 channels, and enough tiles for any number of threads */
    SMALL = 4096,       /* elements a constant sum may have to stay whole */
    LARGEST_KEPT = 1 << 14
};

/* Is the sum over axes 0 .. n-1, keeping few elements out of many? */
static bool is_large(const sn_graph *g, const sn_node *n)
{
    const sn_type *x = sn_type_at(g, n->arg[0]);
    const sn_attr_axes *a = &n->attrs.axes;
    for (uint8_t i = 0; i < a->n; i++)
        if (a->axis[i] != i)
            return false;
    sn_type summed = {.rank = a->n}, kept = {.rank = (uint8_t)(x->rank - a->n)};
    for (uint8_t i = 0; i < x->rank; i++)
        *(i < a->n ? &summed.dim[i] : &kept.dim[i - a->n]) = x->dim[i];
    bool open_kept, open;
    const int64_t keep = sn_type_constant_count(&kept, &open_kept), count = sn_type_constant_count(&summed, &open);
    if (open_kept || keep > LARGEST_KEPT || (a->n == 1 && keep < 8))
        return false;
    return open || count > SMALL;
}

/* Axis 0 is cut when nothing else is summed, otherwise axis 1, so that a tile lies within one sample.  Rows are counted without the last
 * axis and as if the tensor were [N, T, V, ...], whatever is kept, so that equal shapes get equal tiles. */
static sn_attr_tile choose_tile(const sn_type *x, uint8_t axes)
{
    sn_attr_tile t = {.outer = axes > 1 ? 1 : 0, .chunk = ROWS, .keep = x->rank - axes};
    if (t.outer && x->rank > 3) {
        const sn_dim row = x->dim[2];
        const int64_t rows = sn_dim_is_const(row) ? row.v : 25;
        t.chunk = ROWS / rows > 0 ? ROWS / rows : 1;
    }
    return t;
}

static sn_ref add_op(sn_rewriter *rw, sn_op op, sn_ref x, const sn_attrs *attrs, const sn_type *declared)
{
    const sn_node n = sn_rewrite_node(rw, op, &x, 1, attrs, declared);
    return sn_rewrite_add(rw, &n);
}

static sn_ref split(sn_rewriter *rw, const sn_node *n)
{
    const sn_type x = *sn_type_at(rw->g, n->arg[0]);
    const sn_attrs tile = {.tile = choose_tile(&x, n->attrs.axes.n)}, first = {.axes = {.n = 1, .axis = {0}}};
    const sn_ref part = add_op(rw, SN_OP_partial_sum, n->arg[0], &tile, NULL);
    sn_type column = n->type; /* the result's axes, with the tiles in front */
    column.dim[0] = sn_type_at(rw->g, part)->dim[0];
    sn_ref r = part;
    if (!sn_type_equal(&column, sn_type_at(rw->g, part)))
        r = add_op(rw, SN_OP_reshape, r, NULL, &column);
    sn_node sum = sn_rewrite_node(rw, SN_OP_sum, &r, 1, &first, NULL);
    sum.name = n->name;
    return sn_dim_is_one(column.dim[0]) ? r : sn_rewrite_add(rw, &sum);
}

bool sn_pass_split_sums(sn_pass *p)
{
    sn_rewriter rw = sn_rewrite_begin(p);
    for (uint32_t i = 0; i < rw.old; i++) {
        const sn_node n = sn_rewrite_moved(&rw, i);
        rw.loc = n.loc;
        rw.to[i] = n.op == SN_OP_sum && is_large(rw.g, &n) ? split(&rw, &n) : sn_rewrite_add(&rw, &n);
    }
    sn_rewrite_end(&rw, p);
    return true;
}
