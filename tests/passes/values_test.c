/* Values before and after the passes, and gradients against central differences, for layers and for random graphs.
 * Not kernels: see kernels_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layers.h"
#include "values.h"

/* Differentiate, check the gradients, then run the passes one by one and compare after each; in the end make a schedule. */
static void check(layers *l, bool inputs, int samples)
{
    const sn_autodiff_request request = {.output = "loss", .weights = true, .inputs = inputs};
    const sn_pipeline options = {.training = l->training};
    assert_int_equal(l->diags.errors, 0);
    assert_true(sn_autodiff(l->g, &request, 1, &l->diags));
    if (samples)
        assert_true(values_gradients_agree(l->g, "loss", samples, 1e-4));
    sn_graph *before = sn_graph_copy_live(l->g), *g = l->g;
    static const char *const pass[] = {"simplify", "split_sums", "cse"};
    for (size_t i = 0; i < sizeof pass / sizeof pass[0]; i++) {
        const bool ok = sn_passes_run_one(&g, pass[i], &options, &l->diags);
        sn_diags_print(&l->diags, stderr);
        assert_true(ok);
        if (!values_agree(before, g, 1e-7))
            fail_msg("values changed in %s", pass[i]);
    }
    sn_graph_free(before);
    sn_schedule *s = sn_schedule_make(g, &options, &l->diags);
    sn_diags_print(&l->diags, stderr);
    assert_non_null(s);
    sn_schedule_free(s);
    layers_fini(l);
}

static void test_batch_norm(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", true);
    sn_ref x = layers_input(&l, "x", "N T 3 4");
    x = layers_batch_norm(&l, "norm", x, 2);
    x = layers_relu(&l, "relu", layers_batch_norm(&l, "bn", layers_conv(&l, "conv", x, 5, 3, 1), 1));
    layers_loss(&l, layers_conv(&l, "out", x, 2, 1, 2));
    check(&l, true, 6);
}

static void test_heads(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", true);
    sn_ref x = layers_input(&l, "x", "N T 3 4");
    x = layers_mean(&l, "joints", x, 2);
    x = layers_relu(&l, "relu", layers_linear(&l, "fc1", x, 6));
    x = layers_mean(&l, "frames", x, 1);
    layers_loss(&l, layers_linear(&l, "fc3", layers_l2norm(&l, "unit", layers_linear(&l, "fc2", x, 5)), 2));
    check(&l, true, 6);
}

static void test_block(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", true);
    const sn_ref edges = layers_weight(&l, "edges", "2 3 3");
    sn_ref x = layers_input(&l, "x", "N T 3 4");
    x = layers_block(&l, "block1", x, edges, 4, 1, true, 0.5);
    x = layers_block(&l, "block2", x, edges, 5, 2, true, 0.5);
    layers_loss(&l, layers_conv(&l, "out", x, 2, 1, 1));
    check(&l, false, 4);
}

static void test_inference(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", false);
    const sn_ref edges = layers_weight(&l, "edges", "2 3 3");
    sn_ref x = layers_batch_norm(&l, "norm", layers_input(&l, "x", "N T 3 4"), 2);
    x = layers_block(&l, "block1", x, edges, 4, 1, true, 0.5);
    x = layers_block(&l, "block2", x, edges, 5, 2, true, 0.5);
    layers_loss(&l, x);
    check(&l, false, 2);
}

/* ---- random graphs ------------------------------------------------------------------------------------------------------ */

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

static void random_graph(uint64_t seed)
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
        assert_false(sn_is_none(made));
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
    check(&l, true, 0);
}

static void test_random_graphs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 150; seed++)
        random_graph(seed);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(test_batch_norm), cmocka_unit_test(test_heads),         cmocka_unit_test(test_block),
        cmocka_unit_test(test_inference),  cmocka_unit_test(test_random_graphs),
    };
    return cmocka_run_group_tests(test, NULL, NULL);
}
