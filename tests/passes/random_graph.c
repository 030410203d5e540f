/* Random valid graphs: pointwise, stretched, summed, permuted, contracted values over [N, T, 3, 4].
 * Not layers (layers.c). */
#include "random_graph.h"

static uint32_t next_random(uint64_t *state, uint32_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % n;
}

/* One more node over what is there; kinds that do not fit the types drawn are left out. */
static sn_ref random_node(layers *l, uint64_t *r, const sn_ref *pool, uint32_t n)
{
    static const sn_op unary[] = {SN_OP_neg, SN_OP_relu, SN_OP_tanh, SN_OP_abs, SN_OP_stop, SN_OP_sigmoid};
    static const sn_op binary[] = {SN_OP_add, SN_OP_sub, SN_OP_mul, SN_OP_max, SN_OP_greater};
    const sn_ref x = pool[next_random(r, n)], y = pool[next_random(r, n)];
    const sn_type tx = sn_at(l->g, x)->type, ty = sn_at(l->g, y)->type;
    sn_type both;
    switch (next_random(r, 8)) {
    case 0: return sn_unary(&l->b, unary[next_random(r, 6)], x);
    case 1:
    case 2:
    case 3:
        return sn_type_broadcast(&tx, &ty, &both) && both.rank <= 4 ? sn_binary(&l->b, binary[next_random(r, 5)], x, y) : x;
    case 4: {
        const uint8_t axes[] = {0, 1, 2, 3}, count = (uint8_t)(tx.rank ? 1 + next_random(r, tx.rank) : 0);
        return count ? sn_sum(&l->b, x, axes + next_random(r, tx.rank - count + 1u), count) : x;
    }
    case 5:
        if (!sn_type_broadcast(&tx, &ty, &both) || !sn_type_equal(&both, &ty))
            return sn_mul(&l->b, x, sn_scalar(&l->b, 0.5 * next_random(r, 4)));
        return sn_broadcast(&l->b, x, &ty);
    case 6: {
        const sn_attrs a = {.axes = {.n = 4, .axis = {1, 0, 3, 2}}};
        return tx.rank == 4 && next_random(r, 2) ? sn_build_op(&l->b, SN_OP_permute, &x, 1, &a, NULL) : x;
    }
    default: {
        sn_type t = tx;
        if (tx.rank < 2 || !sn_dim_equal(ty.rank ? ty.dim[0] : tx.dim[0], tx.dim[0]))
            return x;
        t.dim[tx.rank - 1] = sn_dim_const(1 + next_random(r, 3));
        const sn_type w = {2, {tx.dim[tx.rank - 1], t.dim[tx.rank - 1]}};
        if (!sn_dim_is_const(w.dim[0]))
            return x;
        const char *name = sn_format(&l->g->arena, "w%u", l->g->params);
        const sn_ref weight = sn_graph_param(l->g, name, SN_WEIGHT, &w, (sn_init){0}, (sn_loc){0});
        static const char *const spec[] = {"", "", "a,i ; i,o -> a,o", "a,b,i ; i,o -> a,b,o", "a,b,c,i ; i,o -> a,b,c,o"};
        return layers_contract(l, NULL, spec[tx.rank], x, weight, &t);
    }
    }
}

void random_graph(layers *out, uint64_t seed)
{
    enum { NODES = 40 };
    layers l;
    uint64_t r = seed * 977 + 13;
    sn_ref pool[NODES + 8];
    uint32_t n = 0;
    layers_init(&l, "random", true);
    pool[n++] = layers_input(&l, "x", "N T 3 4");
    pool[n++] = layers_weight(&l, "a", "4");
    pool[n++] = layers_weight(&l, "b", "1 1 3 4");
    pool[n++] = layers_input(&l, "y", "N T 3 4");
    for (int i = 0; i < NODES; i++) {
        const sn_ref made = random_node(&l, &r, pool, n);
        SN_ASSERT(!sn_is_none(made), "a random node is wrong");
        pool[n] = made;
        n += !sn_same(made, pool[n - 1]);
    }
    sn_ref sum = sn_scalar(&l.b, 0);
    const uint8_t axes[] = {0, 1, 2, 3};
    const sn_type scalar = {0};
    for (uint32_t i = n > 6 ? n - 6 : 0; i < n; i++) {
        const sn_type t = sn_at(l.g, pool[i])->type;
        const sn_ref bounded = sn_unary(&l.b, SN_OP_tanh, sn_mul(&l.b, pool[i], sn_scalar(&l.b, 0.01)));
        sum = sn_add(&l.b, sum, t.rank ? sn_reshape(&l.b, sn_sum(&l.b, bounded, axes, t.rank), &scalar) : bounded);
    }
    sn_graph_output(l.g, "loss", sum, (sn_loc){0});
    *out = l;
    out->b = (sn_build){.g = out->g, .diags = &out->diags};
}
