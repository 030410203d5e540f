/* Every row of the operator table: worked examples, wrong uses with exact messages, gradients against central differences.
 * Not kernels: tests/codegen compares them with the interpreter on the same cases.  A row without cases fails here. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cases.h"
#include "passes/passes.h"
#include "ir/reference.h"
#include "rejects.h"
#include "values.h"

static void fail_with(const sn_diags *diags, const char *what)
{
    sn_diags_print(diags, stderr);
    fail_msg("%s", what);
}

static sn_graph *parse_or_fail(const char *text, sn_diags *diags)
{
    sn_graph *g = sn_graph_parse(diags, sn_diags_source(diags, "test", text, strlen(text)));
    if (!g)
        fail_with(diags, text);
    return g;
}

/* ---- coverage ----------------------------------------------------------------------------------------------------------- */

static void every_operator_has_cases(void **state)
{
    (void)state;
    for (int op = 0; op < SN_OP_COUNT; op++) {
        const sn_op_info *info = sn_op_get((sn_op)op);
        unsigned cases = 0, gradients = 0, rejects = 0, examples = 0;
        for (size_t i = 0; i < SN_CASES; i++) {
            cases += SN_CASE[i].op == (sn_op)op;
            gradients += SN_CASE[i].op == (sn_op)op && !SN_CASE[i].no_grad;
        }
        for (size_t i = 0; i < SN_REJECTS; i++)
            rejects += SN_REJECT[i].op == (sn_op)op;
        for (size_t i = 0; i < SN_EXAMPLES; i++)
            examples += SN_EXAMPLE[i].op == (sn_op)op;
        if (!cases || !rejects || !examples || (info->grad && !gradients))
            fail_msg("%s: %u cases, %u with gradient, %u wrong uses, %u worked examples", info->name, cases, gradients, rejects, examples);
        if (!info->grad && !(info->traits & (SN_LEAF | SN_INTERNAL | SN_NO_GRAD)))
            fail_msg("%s has no gradient rule and no reason to lack one", info->name);
        assert_int_equal(info->value != NULL, (info->traits & SN_POINTWISE) != 0);
        assert_int_equal(info->index != NULL, (info->traits & SN_INDEX) != 0);
        assert_true(strlen(info->doc) > 1);
    }
}

/* ---- shapes ------------------------------------------------------------------------------------------------------------- */

/* Cases declare every type, so reading one is the test that its shape is accepted and inferred as written. */
static void shapes_are_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < SN_CASES; i++) {
        sn_diags diags;
        sn_diags_init(&diags);
        sn_graph *g = sn_case_graph(&SN_CASE[i], &diags);
        if (!g || !sn_verify(g, SN_LEVEL_FUSED, &diags))
            fail_with(&diags, SN_CASE[i].name);
        bool present = false;
        for (uint32_t k = 0; k < g->nodes; k++)
            present = present || g->node[k].op == SN_CASE[i].op;
        assert_true(present);
        sn_graph_free(g);
        sn_diags_fini(&diags);
    }
}

static void wrong_uses_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < SN_REJECTS; i++) {
        char text[1024];
        sn_diags diags;
        sn_diags_init(&diags);
        snprintf(text, sizeof text, "graph @wrong(%%x: f32[N,T,5], %%m: f32[R,8], %%q: f32[K,8]) {\n  %s\n  return y=%%y\n}\n", SN_REJECT[i].text);
        sn_graph *g = sn_graph_parse(&diags, sn_diags_source(&diags, "wrong", text, strlen(text)));
        if (g)
            fail_msg("accepted: %s", SN_REJECT[i].text);
        assert_string_equal(diags.diag[0].text, SN_REJECT[i].message);
        assert_int_equal(diags.errors, 1); /* what reads the wrong value says nothing more */
        sn_diags_fini(&diags);
    }
}

/* ---- values ------------------------------------------------------------------------------------------------------------- */

static void examples_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < SN_EXAMPLES; i++) {
        char text[2048];
        sn_diags diags;
        const double three[2] = {3, 3};
        const double *param[1] = {three};
        sn_diags_init(&diags);
        snprintf(text, sizeof text, "graph @example() {\n%s  return y=%%y, want=%%want\n}\n", SN_EXAMPLE[i].text);
        sn_graph *g = parse_or_fail(text, &diags);
        sn_ref_run *r = sn_ref_eval(g, &(sn_ref_setting){.param = param, .seed = 1});
        const sn_ref_array *y = sn_ref_output(r, "y"), *want = sn_ref_output(r, "want");
        assert_int_equal(y->count, want->count);
        for (size_t k = 0; k < y->count; k++)
            if (!(fabs(y->data[k] - want->data[k]) <= 1e-6))
                fail_msg("%s: element %zu is %.9g, expected %.9g\n%s", sn_op_get(SN_EXAMPLE[i].op)->name, k, y->data[k], want->data[k], text);
        sn_ref_free(r);
        sn_graph_free(g);
        sn_diags_fini(&diags);
    }
}

/* What single precision cannot know: a sum that cancels, which of two nearly equal numbers is larger.  What it can know stays. */
static void doubt_is_about_rounding(void **state)
{
    (void)state;
    static const char text[] = "graph @doubt(%x: f32[4]) {\n  %s = sum %x {axes=[0]} : f32[1]\n  %c = const {0x1p+10, -0x1p+10, 0x1.000002p+10, 0x1p+3} : f32[4]\n"
                               "  %g = greater %x, %c : f32[4]\n  return s=%s, g=%g\n}\n";
    const double x[4] = {1024, -1024, 1024, -1024}, *param[1] = {x};
    sn_diags diags;
    sn_diags_init(&diags);
    sn_graph *g = parse_or_fail(text, &diags);
    double sum[3], greater[3][4];
    for (int i = 0; i < 3; i++) {
        sn_ref_run *r = sn_ref_eval(g, &(sn_ref_setting){.param = param, .doubt = i - 1});
        sum[i] = sn_ref_output(r, "s")->data[0];
        for (int k = 0; k < 4; k++)
            greater[i][k] = sn_ref_output(r, "g")->data[k];
        sn_ref_free(r);
    }
    assert_true(sum[1] == 0 && sum[0] == -sum[2] && fabs(sum[0]) > 4096 * 0x1p-24 && fabs(sum[0]) < 4096 * 0x1p-16);
    for (int k = 0; k < 3; k++) /* nearly equal: one way or the other */
        assert_true(greater[0][k] == 0 && greater[1][k] == 0 && fabs(greater[2][k] - 1) < 1e-6);
    assert_true(greater[0][3] == 0 && greater[1][3] == 0 && greater[2][3] == 0);
    sn_graph_free(g);
    sn_diags_fini(&diags);
}

/* A value that is given counts instead of what its rule would make. */
static void nodes_are_computed_one_by_one(void **state)
{
    (void)state;
    sn_diags diags;
    sn_diags_init(&diags);
    sn_graph *g = parse_or_fail("graph @one(%x: f32[2]) {\n  %y = relu %x : f32[2]\n  %z = add %y, %x : f32[2]\n  return z=%z\n}\n", &diags);
    const sn_ref_setting setting = {0};
    sn_ref_run *r = sn_ref_new(g, &setting);
    assert_null(sn_ref_value(r, (sn_ref){2})->data);
    sn_ref_give(r, (sn_ref){0}, (const float[]){1, -2});
    sn_ref_give(r, (sn_ref){1}, (const float[]){10, 20});
    sn_ref_compute(r, (sn_ref){2});
    assert_true(sn_ref_value(r, (sn_ref){2})->data[0] == 11 && sn_ref_value(r, (sn_ref){2})->data[1] == 18);
    sn_ref_drop(r, (sn_ref){2});
    assert_null(sn_ref_value(r, (sn_ref){2})->data);
    sn_ref_free(r);
    sn_graph_free(g);
    sn_diags_fini(&diags);
}

/* ---- gradients ---------------------------------------------------------------------------------------------------------- */

typedef struct check {
    const sn_case *c;
    sn_graph      *g;       /* with gradient outputs */
    uint32_t       params;  /* before the seed was added */
    int64_t        symbol[8];
    double       **value;   /* of params; the last is dy */
    double         scale;   /* size of the loss, for the tolerance */
} check;

static double loss(check *k)
{
    sn_ref_run *r = sn_ref_eval(k->g, &(sn_ref_setting){.symbol = k->symbol, .param = (const double *const *)k->value, .seed = 7});
    const sn_ref_array *y = sn_ref_output(r, "y");
    double sum = 0;
    for (size_t i = 0; i < y->count; i++)
        sum += y->data[i] * k->value[k->params][i];
    sn_ref_free(r);
    return sum;
}

/* (L(x+h) - L(x-h)) / 2h against the graph's gradient, element by element. */
static void compare(check *k, uint32_t p, const sn_ref_array *gradient)
{
    const double h = 1e-5;
    for (size_t i = 0; i < gradient->count; i++) {
        double *x = &k->value[p][i];
        const double saved = *x;
        *x = saved + h;
        const double above = loss(k);
        *x = saved - h;
        const double below = loss(k);
        *x = saved;
        const double numeric = (above - below) / (2 * h), tolerance = 1e-6 * fmax(1, fabs(numeric)) * k->scale;
        if (!(fabs(numeric - gradient->data[i]) <= tolerance))
            fail_msg("%s, %s: gradient of %s[%zu] is %.9g, central difference %.9g", sn_op_get(k->c->op)->name, k->c->name,
                     k->g->param[p].name, i, gradient->data[i], numeric);
    }
}

static unsigned compare_all(check *k)
{
    unsigned compared = 0;
    sn_ref_run *r = sn_ref_eval(k->g, &(sn_ref_setting){.symbol = k->symbol, .param = (const double *const *)k->value, .seed = 7});
    for (uint32_t p = 0; p < k->params; p++) {
        char name[64];
        snprintf(name, sizeof name, "grad.%s", k->g->param[p].name);
        const sn_ref_array *gradient = sn_ref_output(r, name);
        if (!gradient)
            continue;
        compare(k, p, gradient);
        compared++;
    }
    sn_ref_free(r);
    return compared;
}

static void check_gradient(const sn_case *c)
{
    const sn_autodiff_request request = {.output = "y", .seed = "dy", .weights = true, .inputs = true};
    sn_diags diags;
    sn_diags_init(&diags);
    check k = {.c = c, .g = sn_case_graph(c, &diags)};
    k.params = k.g->params;
    if (!sn_autodiff(k.g, &request, 1, &diags) || !sn_verify(k.g, SN_LEVEL_FUSED, &diags))
        fail_with(&diags, c->name);
    sn_case_bind(k.g, k.symbol);
    k.value = sn_case_inputs(c, k.g, 11);
    k.scale = c->op == SN_OP_queue_nce ? 100 : 1; /* sharp softmax: higher derivatives are 1/tau^2 larger */
    const unsigned compared = compare_all(&k);
    if (compared == 0)
        fail_msg("%s, %s: no gradient was compared", sn_op_get(c->op)->name, c->name);
    sn_case_inputs_free(k.g, k.value);
    sn_graph_free(k.g);
    sn_diags_fini(&diags);
}

static void gradients_match_central_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < SN_CASES; i++)
        if (!SN_CASE[i].no_grad)
            check_gradient(&SN_CASE[i]);
}

/* What is constant by definition gets no gradient. */
static void constants_get_no_gradient(void **state)
{
    (void)state;
    static const char *const text[] = {
        "graph @f(%x: f32[N,5]) {\n %s = stop %x : f32[N,5]\n %y = exp %s : f32[N,5]\n return y=%y\n}",
        "graph @f(%x: f32[N,5]) {\n %s = argmax %x {axis=1} : f32[N,1]\n return y=%s\n}",
        "graph @f(%q: f32[R,5], %x: f32[K,5]) {\n %k = stop %q : f32[R,5]\n %l = queue_nce %k, %k, %x {tau=1} : f32[R,6]\n return y=%l\n}",
    };
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        const sn_autodiff_request request = {.output = "y", .seed = "dy", .weights = true, .inputs = true};
        sn_diags diags;
        sn_diags_init(&diags);
        sn_graph *g = parse_or_fail(text[i], &diags);
        assert_true(sn_autodiff(g, &request, 1, &diags));
        assert_int_equal(g->outputs, 1);
        sn_graph_free(g);
        sn_diags_fini(&diags);
    }
}

/* Rules defined at kinks: sqrt at 0, abs at 0, relu at 0, max and amax at ties. */
static void kinks_follow_their_definition(void **state)
{
    (void)state;
    static const struct { const char *op; double x, gradient; } kink[] = {
        {"sqrt", 0, 0}, {"abs", 0, 0}, {"relu", 0, 0}, {"neg", 0, -1}, {"sigmoid", 0, 0.25}, {"tanh", 0, 1}};
    for (size_t i = 0; i < sizeof kink / sizeof kink[0]; i++) {
        char text[256];
        const double one = 1;
        const double *param[2] = {&kink[i].x, &one};
        const sn_autodiff_request request = {.output = "y", .seed = "dy", .inputs = true};
        sn_diags diags;
        sn_diags_init(&diags);
        snprintf(text, sizeof text, "graph @f(%%x: f32[]) {\n %%y = %s %%x : f32[]\n return y=%%y\n}", kink[i].op);
        sn_graph *g = parse_or_fail(text, &diags);
        assert_true(sn_autodiff(g, &request, 1, &diags));
        sn_ref_run *r = sn_ref_eval(g, &(sn_ref_setting){.param = param});
        assert_true(fabs(sn_ref_output(r, "grad.x")->data[0] - kink[i].gradient) < 1e-12);
        sn_ref_free(r);
        sn_graph_free(g);
        sn_diags_fini(&diags);
    }
}

/* The gradient of ties: max gives it to x, amax to the first. */
static void ties_go_to_the_first(void **state)
{
    (void)state;
    const char *text = "graph @f(%x: f32[3], %z: f32[3]) {\n %m = max %x, %z : f32[3]\n %y = amax %m {axis=0} : f32[1]\n return y=%y\n}";
    const double two[3] = {1, 2, 2}, one = 1;
    const double *param[3] = {two, two, &one};
    const sn_autodiff_request request = {.output = "y", .seed = "dy", .inputs = true};
    sn_diags diags;
    sn_diags_init(&diags);
    sn_graph *g = parse_or_fail(text, &diags);
    assert_true(sn_autodiff(g, &request, 1, &diags));
    sn_ref_run *r = sn_ref_eval(g, &(sn_ref_setting){.param = param});
    const double want[3] = {0, 1, 0};
    for (int i = 0; i < 3; i++) {
        assert_true(fabs(sn_ref_output(r, "grad.x")->data[i] - want[i]) < 1e-12);
        assert_true(fabs(sn_ref_output(r, "grad.z")->data[i]) < 1e-12);
    }
    sn_ref_free(r);
    sn_graph_free(g);
    sn_diags_fini(&diags);
}

/* A part of a concatenation that starts and ends at symbolic places has no gradient rule: an error that names it. */
static void symbolic_parts_without_gradient_are_named(void **state)
{
    (void)state;
    const char *text = "graph @f(%x: f32[N,3], %z: f32[T,3], %w: f32[N,3]) {\n %all = concat %x, %z, %w {axis=0} : f32[2*N+T,3]\n return y=%all\n}";
    const sn_autodiff_request request = {.output = "y", .seed = "dy", .inputs = true};
    sn_diags diags;
    sn_diags_init(&diags);
    sn_graph *g = parse_or_fail(text, &diags);
    assert_false(sn_autodiff(g, &request, 1, &diags));
    assert_int_equal(diags.errors, 1);
    assert_string_equal(diags.diag[0].text, "concat: argument 1 starts at a symbolic place, no gradient for it");
    assert_int_equal(diags.diag[0].loc.off, strstr(text, "concat") - text);
    sn_graph_free(g);
    sn_diags_fini(&diags);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_has_cases),
        cmocka_unit_test(shapes_are_accepted),
        cmocka_unit_test(wrong_uses_are_named),
        cmocka_unit_test(examples_hold),
        cmocka_unit_test(doubt_is_about_rounding),
        cmocka_unit_test(nodes_are_computed_one_by_one),
        cmocka_unit_test(gradients_match_central_differences),
        cmocka_unit_test(constants_get_no_gradient),
        cmocka_unit_test(kinks_follow_their_definition),
        cmocka_unit_test(ties_go_to_the_first),
        cmocka_unit_test(symbolic_parts_without_gradient_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
