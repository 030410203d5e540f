/* Nodes of the nested decoder against the tables of the method: how many there are, input channels, parameters, multiply-adds.
 * Not their numbers, which the golden cases check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "macs.h"

typedef struct node { const char *name; int64_t in, params[2]; double mmac[2]; } node; /* [0]: kernel 1, [1]: kernel 3 */

static int64_t elements(const sn_graph *g, const sn_type *t)
{
    int64_t n = 1;
    for (uint8_t i = 0; i < t->rank; i++) n *= sn_dim_eval(&g->dims, t->dim[i], NULL);
    return n;
}

/* Elements of the weights called PREFIX.*; with `in`, the input channels of its convolution. */
static int64_t weights_of(const sn_graph *g, const char *prefix, int64_t *in)
{
    int64_t sum = 0;
    char    conv[64];
    snprintf(conv, sizeof conv, "%s.conv.w", prefix);
    for (uint32_t i = 0; i < g->params; i++) {
        const sn_param *p = &g->param[i];
        if (p->kind != SN_WEIGHT || strncmp(p->name, prefix, strlen(prefix)) != 0 || (*prefix && p->name[strlen(prefix)] != '.')) continue;
        sum += elements(g, &sn_at(g, p->ref)->type);
        if (in && strcmp(p->name, conv) == 0) *in = sn_dim_eval(&g->dims, sn_at(g, p->ref)->type.dim[1], NULL);
    }
    return sum;
}

/* Of the node's convolution. */
static double mega_multiply_adds(const sn_graph *g, const char *of)
{
    char name[64];
    snprintf(name, sizeof name, "%s.conv.xw", of);
    for (uint32_t i = 0; i < g->nodes; i++)
        if (g->node[i].op == SN_OP_contract && g->node[i].name && strcmp(g->node[i].name, name) == 0) return multiply_adds(g, &g->node[i], (const int64_t[8]){1}) * 1e-6;
    return 0;
}

/* One sequence; level a has 300 / 2^(a-1) frames. */
static void check(const char *module, const char *const *channels, uint32_t levels, const node *expected, uint32_t nodes, const int64_t total[2])
{
    for (int wide = 0; wide < 2; wide++) {
        static const char *const frames[] = {"T1=300", "T2=150", "T3=75", "T4=38", "T5=19"};
        const char *set[12];
        sn_diags    diags;
        sn_diags_init(&diags);
        for (uint32_t i = 0; i < levels; i++) set[2 * i] = channels[i], set[2 * i + 1] = frames[i];
        set[2 * levels] = wide ? "kernel=3" : "kernel=1";
        const sn_program_options options = {.module = module, .set = set, .sets = 2 * levels + 1, .training = true};
        sn_model *m = sn_model_load(MODELS "/decoders/unet.json", &diags);
        assert_non_null(m);
        sn_graph *g = sn_model_elaborate(m, &options, &diags);
        assert_non_null(g);
        for (uint32_t i = 0; i < nodes; i++) {
            int64_t in = 0, params = weights_of(g, expected[i].name, &in);
            assert_int_equal(in, expected[i].in);
            assert_int_equal(params, expected[i].params[wide]);
            assert_float_equal(mega_multiply_adds(g, expected[i].name), expected[i].mmac[wide], 0.051);
        }
        assert_int_equal(weights_of(g, "", NULL), total[wide]); /* there are no other nodes */
        sn_graph_free(g);
        sn_model_free(m);
        sn_diags_fini(&diags);
    }
}

static void four_levels(void **state)
{
    static const char *const channels[] = {"C1=64", "C2=64", "C3=128", "C4=256"};
    static const node expected[] = {
        {"b1", 128, {67072, 198144}, {19.7, 59.0}},
        {"below.b1", 192, {99840, 296448}, {14.7, 44.2}},
        {"below.below.b1", 384, {198144, 591360}, {14.7, 44.2}},
        {"b2", 1088, {558592, 1672704}, {167.1, 501.4}},
        {"below.b2", 1088, {558592, 1672704}, {83.6, 250.7}},
        {"b3", 1600, {820736, 2459136}, {245.8, 737.3}}};
    (void)state;
    check("unet4", channels, 4, expected, 6, (int64_t[]){2302976, 6890496});
}

/* Input channels of Z_1^1, Z_2^1 and Z_1^2, and all parameters, for the encoders with three levels. */
static void three_levels(void **state)
{
    static const struct { const char *channels[3]; int64_t in[3], total[2]; } encoder[] = {
        {{"C1=64", "C2=128", "C3=256"}, {192, 384, 1088}, {856576, 2560512}},
        {{"C1=16", "C2=32", "C3=256"}, {48, 288, 1040}, {709120, 2118144}},
        {{"C1=128", "C2=256", "C3=256"}, {384, 512, 1152}, {1053184, 3150336}},
        {{"C1=128", "C2=256", "C3=512"}, {384, 768, 1152}, {1184256, 3543552}}};
    static const char *const name[] = {"b1", "below.b1", "b2"};
    (void)state;
    for (size_t e = 0; e < sizeof encoder / sizeof *encoder; e++) {
        node expected[3];
        for (int i = 0; i < 3; i++) {
            int64_t in = encoder[e].in[i], frames = i == 1 ? 150 : 300;
            expected[i] = (node){name[i], in, {in * 512 + 1536, 3 * in * 512 + 1536}, {(double)(frames * in * 512) * 1e-6, (double)(3 * frames * in * 512) * 1e-6}};
        }
        check("unet3", encoder[e].channels, 3, expected, 3, encoder[e].total);
    }
}

/* Two levels are one node, five are ten. */
static void other_depths(void **state)
{
    static const char *const channels[] = {"C1=8", "C2=8", "C3=8", "C4=8", "C5=8"};
    int64_t five[2] = {0, 0};
    (void)state;
    for (int b = 1; b < 5; b++)
        for (int wide = 0; wide < 2; wide++) five[wide] += (5 - b) * ((8 + 512 * (b - 1) + (b == 1 ? 8 : 512)) * 512 * (wide ? 3 : 1) + 1536);
    check("unet2", channels, 2, NULL, 0, (int64_t[]){16 * 512 + 1536, 3 * 16 * 512 + 1536});
    check("unet5", channels, 5, NULL, 0, five);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(four_levels), cmocka_unit_test(three_levels), cmocka_unit_test(other_depths)};
    return cmocka_run_group_tests_name("decoder", tests, NULL, NULL);
}
