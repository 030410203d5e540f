/* Values of expressions: whole numbers, reals, and dimensions that are free until run time.
 * Not tensors (formula.c), not the syntax (expr.c). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "expr.h"

enum { MOST_DIM = 0x7fffffff };

sn_num sn_num_dim(sn_dim d)
{
    if (sn_dim_is_const(d)) return sn_num_int(d.v);
    return (sn_num){.kind = SN_NUM_DIM, .d = d};
}

double sn_num_value(sn_num a) { return a.kind == SN_NUM_REAL ? a.r : (double)a.i; }

void sn_num_text(const sn_dims *dims, sn_num a, char *out, size_t n)
{
    if (a.kind == SN_NUM_DIM) sn_dim_text(dims, a.d, out, n);
    else if (a.kind == SN_NUM_INT) snprintf(out, n, "%lld", (long long)a.i);
    else if (a.kind == SN_NUM_REAL) snprintf(out, n, "%.9g", a.r);
    else snprintf(out, n, "?");
}

static bool fail(sn_expr_error *error, const sn_expr *e, const char *what)
{
    error->off = e->off;
    error->len = e->len;
    snprintf(error->text, sizeof error->text, "%s", what);
    return false;
}

static bool free_dim(const sn_expr *e, sn_expr_scope *s, const sn_num *a, sn_expr_error *error)
{
    char text[64];
    sn_num_text(s->dims, a[0].kind == SN_NUM_DIM ? a[0] : a[1], text, sizeof text);
    error->off = e->off;
    error->len = e->len;
    snprintf(error->text, sizeof error->text, "%s needs a number, but %s is a dimension that is free until run time",
             e->kind == SN_EXPR_CALL ? e->name : sn_expr_word(e->op), text);
    s->free = true;
    return false;
}

/* ---- whole numbers ------------------------------------------------------------------------------------------------------ */

/* Magnitudes stay below 2^62, so sums cannot overflow; products are checked by division. */
static bool int_apply(const sn_expr *e, int64_t x, int64_t y, sn_num *out, sn_expr_error *error)
{
    const int64_t most = INT64_C(1) << 62;
    int64_t z = 0;
    switch (e->op) {
    case '+': z = x + y; break;
    case '-': z = x - y; break;
    case '*':
        if (x && y && (x > 0 ? x : -x) > most / (y > 0 ? y : -y)) return fail(error, e, "the product is too large");
        z = x * y;
        break;
    case '/':
    case '%': {
        if (y == 0) return fail(error, e, "division by zero");
        int64_t q = x / y;
        if (x % y != 0 && (x < 0) != (y < 0)) q--;
        z = e->op == '/' ? q : x - q * y;
        break;
    }
    default: return fail(error, e, "unknown operator");
    }
    if (z > most || z < -most) return fail(error, e, "the result is too large");
    *out = sn_num_int(z);
    return true;
}

static bool compare(char op, double x, double y)
{
    return op == '<' ? x < y : op == '>' ? x > y : op == 'l' ? x <= y : op == 'g' ? x >= y : op == 'e' ? x == y : x != y;
}

/* ---- free dimensions ---------------------------------------------------------------------------------------------------- */

static sn_dim as_dim(sn_num a) { return a.kind == SN_NUM_DIM ? a.d : sn_dim_const(a.i); }

/* Sums and differences, products with one from 0 on or another dimension, floor division by one from 1 on. */
static bool dim_apply(const sn_expr *e, sn_expr_scope *s, const sn_num *a, sn_num *out, sn_expr_error *error)
{
    bool x_dim = a[0].kind == SN_NUM_DIM, y_dim = a[1].kind == SN_NUM_DIM, same = x_dim && y_dim && sn_dim_equal(a[0].d, a[1].d);
    if (a[0].kind == SN_NUM_REAL || a[1].kind == SN_NUM_REAL) return free_dim(e, s, a, error);
    if ((!x_dim && (a[0].i > MOST_DIM || a[0].i < -MOST_DIM)) || (!y_dim && (a[1].i > MOST_DIM || a[1].i < -MOST_DIM)))
        return fail(error, e, "the number is too large for a dimension");
    switch (e->op) {
    case '+':
        if (x_dim && y_dim) *out = sn_num_dim(sn_dim_add(s->dims, a[0].d, a[1].d));
        else *out = sn_num_dim(sn_dim_add_const(s->dims, x_dim ? a[0].d : a[1].d, x_dim ? a[1].i : a[0].i));
        return true;
    case '-':
        if (same) *out = sn_num_int(0);
        else if (!x_dim && a[0].i < 0) return free_dim(e, s, a, error);
        else if (y_dim) *out = sn_num_dim(sn_dim_sub(s->dims, as_dim(a[0]), a[1].d));
        else *out = sn_num_dim(sn_dim_add_const(s->dims, a[0].d, -a[1].i));
        return true;
    case '*':
        if ((!x_dim && a[0].i < 0) || (!y_dim && a[1].i < 0)) return free_dim(e, s, a, error);
        *out = sn_num_dim(sn_dim_mul(s->dims, as_dim(a[0]), as_dim(a[1])));
        return true;
    case '/':
        if (same) *out = sn_num_int(1);
        else if (y_dim || a[1].i <= 0) return a[1].i == 0 && !y_dim ? fail(error, e, "division by zero") : free_dim(e, s, a, error);
        else *out = sn_num_dim(sn_dim_div(s->dims, a[0].d, a[1].i));
        return true;
    case 'e': case 'l': case 'g':
        if (!same) return free_dim(e, s, a, error);
        *out = sn_num_int(1);
        return true;
    case 'n': case '<': case '>':
        if (!same) return free_dim(e, s, a, error);
        *out = sn_num_int(0);
        return true;
    default: return free_dim(e, s, a, error);
    }
}

/* ---- functions ---------------------------------------------------------------------------------------------------------- */

static const struct { const char *name; int arity; double (*f)(double); } functions[] = {
    {"min", 2, NULL}, {"max", 2, NULL}, {"ceil", 1, ceil}, {"floor", 1, floor}, {"sqrt", 1, sqrt}, {"exp", 1, exp}, {"log", 1, log},
    {"abs", 1, fabs}, {"tanh", 1, tanh},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

int sn_num_function(const char *name)
{
    for (int i = 0; i < FUNCTIONS; i++)
        if (strcmp(functions[i].name, name) == 0) return functions[i].arity;
    return -1;
}

static bool call(const sn_expr *e, sn_expr_scope *s, const sn_num *a, sn_num *out, sn_expr_error *error)
{
    bool whole = a[0].kind == SN_NUM_INT && (e->n < 2 || a[1].kind == SN_NUM_INT);
    bool rounding = e->name[0] == 'c' || e->name[0] == 'f';
    if (a[0].kind == SN_NUM_DIM && rounding) return *out = a[0], true;
    if (a[0].kind == SN_NUM_DIM || (e->n > 1 && a[1].kind == SN_NUM_DIM)) {
        if (e->n > 1 && a[0].kind == a[1].kind && sn_dim_equal(a[0].d, a[1].d)) return *out = a[0], true;
        return free_dim(e, s, a, error);
    }
    if (e->n == 2) {
        bool first = e->name[1] == 'i' ? sn_num_value(a[0]) <= sn_num_value(a[1]) : sn_num_value(a[0]) >= sn_num_value(a[1]);
        *out = first ? a[0] : a[1];
        if (!whole) *out = sn_num_real(sn_num_value(*out));
        return true;
    }
    if (whole && (rounding || strcmp(e->name, "abs") == 0)) return *out = sn_num_int(rounding || a[0].i > 0 ? a[0].i : -a[0].i), true;
    double r = 0;
    for (int i = 0; i < FUNCTIONS; i++)
        if (functions[i].f && strcmp(functions[i].name, e->name) == 0) r = functions[i].f(sn_num_value(a[0]));
    if (!isfinite(r)) return fail(error, e, "the result is not a finite number");
    *out = rounding && fabs(r) < 1e15 ? sn_num_int((int64_t)r) : sn_num_real(r);
    return true;
}

/* ---- evaluation --------------------------------------------------------------------------------------------------------- */

static bool real_apply(const sn_expr *e, double x, double y, sn_num *out, sn_expr_error *error)
{
    double z = e->op == '+' ? x + y : e->op == '-' ? x - y : e->op == '*' ? x * y : e->op == '/' ? x / y : fmod(x, y);
    if (y == 0 && (e->op == '/' || e->op == '%')) return fail(error, e, "division by zero");
    if (!isfinite(z)) return fail(error, e, "the result is not a finite number");
    *out = sn_num_real(z);
    return true;
}

bool sn_num_apply(const sn_expr *e, sn_expr_scope *s, const sn_num *a, sn_num *out, sn_expr_error *error)
{
    for (uint32_t i = 0; i < e->n; i++)
        if (a[i].kind == SN_NUM_UNKNOWN) return *out = sn_num_unknown(), true;
    if (e->kind == SN_EXPR_CALL) {
        int arity = sn_num_function(e->name);
        if (arity >= 0 && (uint32_t)arity == e->n) return call(e, s, a, out, error);
        error->off = e->off;
        error->len = e->len;
        if (arity < 0) snprintf(error->text, sizeof error->text, "no function \"%s\" of numbers; there are min max ceil floor sqrt exp log abs tanh", e->name);
        else snprintf(error->text, sizeof error->text, "%s: found %u argument%s, expected %d", e->name, e->n, e->n == 1 ? "" : "s", arity);
        return false;
    }
    if (e->op == '!' || e->op == 'm') {
        if (a[0].kind == SN_NUM_DIM) return free_dim(e, s, a, error);
        if (e->op == '!') *out = sn_num_int(sn_num_value(a[0]) == 0);
        else *out = a[0].kind == SN_NUM_INT ? sn_num_int(-a[0].i) : sn_num_real(-a[0].r);
        return true;
    }
    if (a[0].kind == SN_NUM_DIM || a[1].kind == SN_NUM_DIM) return dim_apply(e, s, a, out, error);
    if (strchr("<>lgen", e->op)) return *out = sn_num_int(compare(e->op, sn_num_value(a[0]), sn_num_value(a[1]))), true;
    if (a[0].kind == SN_NUM_REAL || a[1].kind == SN_NUM_REAL || (s->real_division && e->op == '/'))
        return real_apply(e, sn_num_value(a[0]), sn_num_value(a[1]), out, error);
    return int_apply(e, a[0].i, a[1].i, out, error);
}

/* && || ?: look at the right side only when it matters. */
static bool lazy(const sn_expr *e, sn_expr_scope *s, sn_num *out, sn_expr_error *error)
{
    sn_num c;
    if (!sn_expr_eval(e->arg[0], s, &c, error)) return false;
    if (c.kind == SN_NUM_UNKNOWN) return *out = c, true;
    if (c.kind == SN_NUM_DIM) return free_dim(e, s, &c, error);
    bool yes = sn_num_value(c) != 0;
    if (e->op == '?') return sn_expr_eval(e->arg[yes ? 1 : 2], s, out, error);
    if (yes == (e->op == 'o')) return *out = sn_num_int(yes), true;
    if (!sn_expr_eval(e->arg[1], s, &c, error)) return false;
    if (c.kind == SN_NUM_DIM) return free_dim(e, s, &c, error);
    *out = c.kind == SN_NUM_UNKNOWN ? c : sn_num_int(sn_num_value(c) != 0);
    return true;
}

bool sn_expr_eval(const sn_expr *e, sn_expr_scope *s, sn_num *out, sn_expr_error *error)
{
    sn_num a[8];
    switch (e->kind) {
    case SN_EXPR_INT: return *out = sn_num_int(e->integer), true;
    case SN_EXPR_REAL: return *out = sn_num_real(e->real), true;
    case SN_EXPR_NAME:
        error->off = e->off;
        error->len = e->len;
        return s->name(s->ctx, e->name, out, error);
    default:
        if (e->kind == SN_EXPR_OP && strchr("ao?", e->op)) return lazy(e, s, out, error);
        for (uint32_t i = 0; i < e->n; i++)
            if (!sn_expr_eval(e->arg[i], s, &a[i], error)) return false;
        return sn_num_apply(e, s, a, out, error);
    }
}
