/* Kernels of real layers: how many, and what they store.
 * Not what they compute: see values_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layers.h"

static sn_schedule *schedule_of(layers *l, bool gradients)
{
    const sn_autodiff_request request = {.output = "loss", .weights = true};
    const sn_pipeline options = {.training = l->training, .request = &request, .requests = gradients ? 1 : 0,
                                 .timing = getenv("SN_SHOW") ? stderr : NULL};
    sn_graph *g = l->g;
    const bool ok = sn_passes_run(&g, &options, &l->diags);
    sn_diags_print(&l->diags, stderr);
    assert_true(ok);
    sn_schedule *s = sn_schedule_make(g, &options, &l->diags);
    sn_diags_print(&l->diags, stderr);
    assert_non_null(s);
    if (getenv("SN_SHOW"))
        sn_schedule_print(s, stderr);
    return s;
}

static bool is_large(const sn_graph *g, sn_ref r)
{
    const sn_type *t = &sn_at(g, r)->type;
    return t->rank >= 4 && !sn_dim_is_const(t->dim[0]) && t->dim[1].v != 1;
}

typedef struct tally { uint32_t kernels, contract, reduce, map, special, large; } tally;

static tally count(const sn_schedule *s)
{
    tally t = {.kernels = s->kernels};
    for (uint32_t i = 0; i < s->kernels; i++) {
        const sn_kernel *k = &s->kernel[i];
        t.contract += k->form == SN_FORM_CONTRACT;
        t.reduce += k->form == SN_FORM_REDUCE;
        t.map += k->form == SN_FORM_MAP;
        t.special += k->form == SN_FORM_SPECIAL;
        for (uint32_t j = 0; j < k->outs; j++)
            t.large += is_large(s->g, k->out[j]) && sn_at(s->g, k->out[j])->op != SN_OP_partial_sum;
    }
    fprintf(stderr, "%u kernels: %u contract, %u reduce, %u map, %u special; %u large tensors stored\n", t.kernels, t.contract, t.reduce, t.map,
            t.special, t.large);
    return t;
}

/* Partial sums that the kernel of that name writes. */
static uint32_t sums_of(const sn_schedule *s, const char *name)
{
    for (uint32_t i = 0; i < s->kernels; i++) {
        uint32_t n = 0;
        for (uint32_t j = 0; j < s->kernel[i].outs; j++)
            n += sn_at(s->g, s->kernel[i].out[j])->op == SN_OP_partial_sum;
        if (strcmp(s->kernel[i].name, name) == 0)
            return n;
    }
    fail_msg("no kernel %s", name);
    return 0;
}

static void test_conv_bn_relu_conv(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", true);
    const sn_ref x = layers_input(&l, "x", "N T 25 16");
    const sn_ref z = layers_conv(&l, "conv1", x, 16, 9, 1);
    const sn_ref y = layers_conv(&l, "conv2", layers_relu(&l, "relu", layers_batch_norm(&l, "bn", z, 1)), 16, 9, 1);
    layers_loss(&l, y);
    sn_schedule *s = schedule_of(&l, true);
    const tally t = count(s);
    assert_int_equal(t.kernels, 9); /* forward 2 + 1 statistics, backward 3 + 1 statistics, loss and bias gradient */
    assert_int_equal(t.map, 0);
    assert_int_equal(t.large, 3); /* both results and the gradient between them; never the normalised tensor or its mask */
    assert_int_equal(sums_of(s, "conv1.xw"), 2);
    assert_int_equal(sums_of(s, "conv2.xw.dx"), 2);
    assert_int_equal(sums_of(s, "conv1.xw.dw"), 0);
    sn_schedule_free(s);
    layers_fini(&l);
}

static void test_block(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", true);
    sn_ref x = layers_input(&l, "x", "N T 25 16"), edges = layers_edges(&l);
    x = layers_linear(&l, "in", x, 16);
    x = layers_block(&l, "block1", x, edges, 16, 1, true, 0.5);
    x = layers_block(&l, "block2", x, edges, 16, 1, true, 0.5);
    layers_loss(&l, layers_conv(&l, "out", x, 16, 1, 1));
    sn_schedule *s = schedule_of(&l, true);
    const tally t = count(s);
    assert_int_equal(t.kernels, 45); /* for each block three small ones: a bias seen through the graph, and its two gradients */
    assert_int_equal(t.map, 4); /* in each block y, and the gradient before the first batch norm, which three contractions read */
    assert_int_equal(t.large, 18); /* never the product of x with the graph; the map in front is made again for the gradient */
    sn_schedule_free(s);
    layers_fini(&l);
}

static void test_stgcn(void **state)
{
    (void)state;
    layers l;
    layers_init(&l, "f", true);
    layers_loss(&l, layers_stgcn(&l, "enc", layers_input(&l, "x", "N T 25 3"), 0.5));
    sn_schedule *s = schedule_of(&l, true);
    const tally t = count(s);
    assert_true(t.kernels <= 210);
    sn_schedule_free(s);
    layers_fini(&l);
}

/* ---- the checker finds what is wrong ------------------------------------------------------------------------------------ */

static sn_schedule *small_schedule(layers *l)
{
    layers_init(l, "f", true);
    const sn_ref x = layers_input(l, "x", "N T 25 16");
    layers_loss(l, layers_conv(l, "conv2", layers_relu(l, "relu", layers_batch_norm(l, "bn", layers_conv(l, "conv1", x, 16, 9, 1), 1)), 16, 9, 1));
    return schedule_of(l, true);
}

static sn_kernel *kernel_of(sn_schedule *s, sn_form form)
{
    for (uint32_t i = s->kernels; i-- > 0;)
        if (s->kernel[i].form == form && s->kernel[i].bodies > 3)
            return &s->kernel[i];
    fail_msg("no kernel of form %d", (int)form);
    return NULL;
}

static void swap_kernels(sn_schedule *s)
{
    const sn_kernel k = s->kernel[0];
    s->kernel[0] = s->kernel[s->kernels - 1];
    s->kernel[s->kernels - 1] = k;
}
static void lose_read(sn_schedule *s) { s->kernel[1].ins--; }
static void lose_write(sn_schedule *s) { s->kernel[0].outs--; }
static void lose_kernel(sn_schedule *s) { s->kernels--; }
static void change_tiles(sn_schedule *s) { s->kernel[0].chunk++; }
static void change_form(sn_schedule *s) { kernel_of(s, SN_FORM_REDUCE)->form = SN_FORM_CONTRACT; }
static void write_twice(sn_schedule *s) { s->kernel[1].out[0] = s->kernel[0].out[0]; }
static void write_inner(sn_schedule *s) /* a value of the operand's shape is no result of a reduction */
{
    sn_kernel *k = kernel_of(s, SN_FORM_REDUCE);
    k->out[0] = k->body[0];
}

static void test_checker(void **state)
{
    (void)state;
    static void (*const damage[])(sn_schedule *) = {swap_kernels, lose_read, lose_write, lose_kernel, change_tiles, change_form, write_twice,
                                                    write_inner};
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        layers l;
        sn_schedule *s = small_schedule(&l);
        damage[i](s);
        if (sn_schedule_verify(s, &l.diags))
            fail_msg("damage %zu was not found", i);
        sn_schedule_free(s);
        sn_diags_fini(&l.diags);
    }
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(test_conv_bn_relu_conv),
        cmocka_unit_test(test_block),
        cmocka_unit_test(test_stgcn),
        cmocka_unit_test(test_checker),
    };
    return cmocka_run_group_tests(test, NULL, NULL);
}
