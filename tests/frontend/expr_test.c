/* Expressions: values, dimensions, and where each mistake is.
 * Not their use in graph files. */
#include "support.h"

#include "frontend/expr.h"

/* a = 7, b = 2, half = 0.5; T and N are free. */
static bool lookup(void *ctx, const char *name, sn_num *out, sn_expr_error *error)
{
    sn_dims *dims = ctx;
    if (strcmp(name, "a") == 0) *out = sn_num_int(7);
    else if (strcmp(name, "b") == 0) *out = sn_num_int(2);
    else if (strcmp(name, "half") == 0) *out = sn_num_real(0.5);
    else if (strcmp(name, "lost") == 0) *out = sn_num_unknown();
    else if (strcmp(name, "T") == 0 || strcmp(name, "N") == 0) *out = sn_num_dim(sn_dim_symbol(dims, name));
    else return snprintf(error->text, sizeof error->text, "unknown %s", name) < 0;
    return true;
}

/* Value as text, or "column: message". */
static void evaluate(const char *text, char *out, size_t n)
{
    sn_arena arena;
    sn_dims dims;
    sn_expr_error error;
    sn_num a;
    sn_arena_init(&arena);
    sn_dims_init(&dims);
    sn_expr_scope scope = {.name = lookup, .ctx = &dims, .dims = &dims};
    const sn_expr *e = sn_expr_parse(text, &arena, &error);
    if (e && sn_expr_eval(e, &scope, &a, &error)) sn_num_text(&dims, a, out, n);
    else snprintf(out, n, "%u: %s", error.off + 1, error.text);
    sn_dims_fini(&dims);
    sn_arena_fini(&arena);
}

static const struct { const char *text, *value; } cases[] = {
    {"1", "1"}, {" 2 * 3 + 1 ", "7"}, {"2 + 3 * 4", "14"}, {"(2 + 3) * 4", "20"}, {"7 / 2", "3"}, {"-7 / 2", "-4"}, {"-7 % 2", "1"}, {"7 % -2", "-1"},
    {"1 - 2 - 3", "-4"}, {"8 / 2 / 2", "2"}, {"7 / 2.0", "3.5"}, {"1e-5", "1e-05"}, {".5 * 2", "1"}, {"a * b", "14"}, {"-a", "-7"}, {"--a", "7"}, {"!a", "0"},
    {"!0 && a > b", "1"}, {"a == 7 ? 1 : 2", "1"}, {"a != 7 ? 1 : b ? 3 : 4", "3"}, {"a >= 7 && b <= 1 || 0", "0"}, {"half < 1", "1"},
    {"min(a, b) + max(a, 2.5)", "9"}, {"ceil(7 / 2.0)", "4"}, {"floor(3.9)", "3"}, {"sqrt(16)", "4"}, {"abs(-3)", "3"},
    {"0 && 1 / 0", "0"}, {"1 || unknown", "1"}, {"0 ? 1 / 0 : 5", "5"}, {"lost + 1", "?"}, {"lost ? 1 : 2", "?"},
    {"T", "T"}, {"2 * T + 1", "2*T+1"}, {"T - T", "0"}, {"(T + 8 - 9) / 2 + 1", "(T-1)/2+1"}, {"T == T", "1"}, {"N * T", "N*T"}, {"T * 0", "0"}, {"max(T, T)", "T"},
    {"", "1: the expression ends here, expected a number, a name or ("}, {"1 +", "4: the expression ends here, expected a number, a name or ("},
    {"1 2", "3: expected an operator or the end of the expression here"}, {"(1", "3: expected ) here"}, {"1 ? 2", "6: expected : after the first choice"},
    {"2x", "1: found a letter in a number, expected an operator between them"}, {"1 / 0", "1: division by zero"}, {"2 + c", "5: unknown c"},
    {"f(1)", "1: no function \"f\" of numbers; there are min max ceil floor sqrt exp log abs tanh"}, {"max(1)", "1: max: found 1 argument, expected 2"},
    {"99999999999999999999", "1: whole number is too large"}, {"4000000000 * 4000000000", "1: the product is too large"}, {"1e400", "1: number is too large"},
    {"sqrt(-1)", "1: the result is not a finite number"}, {"a $ b", "3: expected an operator or the end of the expression here"},
    {"T > 3", "1: > needs a number, but T is a dimension that is free until run time"},
    {"T / N", "1: / needs a number, but T is a dimension that is free until run time"},
    {"min(T, 3)", "1: min needs a number, but T is a dimension that is free until run time"},
    {"T * half", "1: * needs a number, but T is a dimension that is free until run time"},
};

static void values_and_mistakes(void **state)
{
    int different = 0;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char found[256];
        evaluate(cases[i].text, found, sizeof found);
        if (strcmp(found, cases[i].value) == 0) continue;
        print_error("\"%s\": found %s, expected %s\n", cases[i].text, found, cases[i].value);
        different++;
    }
    assert_int_equal(different, 0);
}

/* Whatever is written, there is an answer. */
static void anything_has_an_answer(void **state)
{
    static const char letters[] = "ab T12.()+-*/%!<>=&|?:,\"x";
    uint32_t seed = 1;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[24], found[256];
        size_t n = 1 + (size_t)i % 22;
        for (size_t k = 0; k < n; k++) {
            seed = seed * 1664525u + 1013904223u;
            text[k] = letters[(seed >> 16) % (sizeof letters - 1)];
        }
        text[n] = 0;
        evaluate(text, found, sizeof found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_and_mistakes), cmocka_unit_test(anything_has_an_answer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
