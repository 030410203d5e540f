/* Formulas: the `is` of a node, pointwise over values, parameters and dimensions.
 * Not expressions of numbers alone (number.c), though parts of a formula that know no tensor are computed there, with real division. */
#include <string.h>

#include "elaborate.h"
#include "locate.h"

typedef struct formula {
    sn_scope      *s;
    const sn_text *is;
    const char    *node;
    sn_expr_scope  numbers;
} formula;

typedef struct operand { bool tensor; sn_num num; sn_ref ref; } operand;

static const operand poison = {true, {SN_NUM_UNKNOWN, 0, 0, {0}}, {UINT32_MAX}};

static sn_loc place(formula *f, const sn_expr *e) { return sn_loc_inside(f->s->e->diags, f->is->loc, f->is->s, e->off, e->len); }

static operand fail(formula *f, sn_loc loc, const char *what)
{
    if (f->numbers.free) sn_elab_free_error(f->s->e, loc, f->node, "is: %s", what);
    else sn_elab_error(f->s->e, loc, f->node, "is: %s", what);
    return poison;
}

/* A number as a tensor of rank 0; a free dimension as its extent at run time. */
static sn_ref tensor(formula *f, operand a, const sn_expr *e)
{
    if (a.tensor) return a.ref;
    if (a.num.kind == SN_NUM_UNKNOWN) return SN_NONE;
    sn_elab_at(f->s->e, place(f, e), f->node);
    if (a.num.kind != SN_NUM_DIM) return sn_scalar(&f->s->e->b, sn_num_value(a.num));
    const sn_attrs attrs = {.extent = {a.num.d}};
    sn_ref ref = sn_build_op(&f->s->e->b, SN_OP_extent, NULL, 0, &attrs, NULL);
    sn_elab_drain(f->s->e);
    return ref;
}

static operand build(formula *f, const sn_expr *e, sn_op op, const sn_ref *arg, uint32_t n)
{
    static const sn_attrs none = {0};
    for (uint32_t i = 0; i < n; i++)
        if (sn_is_none(arg[i])) return poison;
    sn_elab_at(f->s->e, place(f, e), f->node);
    operand out = {.tensor = true, .ref = sn_build_op(&f->s->e->b, op, arg, n, &none, NULL)};
    sn_elab_drain(f->s->e);
    return out;
}

static operand name(formula *f, const sn_expr *e)
{
    sn_scope *s = f->s;
    operand out = {.tensor = true, .ref = SN_NONE};
    sn_expr_error error = {.off = e->off, .len = e->len};
    const sn_binding *b = sn_scope_find(s, e->name);
    if (strcmp(e->name, "training") == 0 || (b && b->kind <= SN_BIND_DIM)) {
        out = (operand){.tensor = false};
        if (f->numbers.name(f->numbers.ctx, e->name, &out.num, &error)) return out;
        return fail(f, place(f, e), error.text);
    }
    if (!sn_scope_ref(s, e->name, place(f, e), f->node, &out.ref, NULL)) return poison;
    return out;
}

/* ---- functions and operators of tensors --------------------------------------------------------------------------------- */

static operand call(formula *f, const sn_expr *e, const operand *a)
{
    sn_op op;
    sn_ref arg[8];
    char why[200];
    bool known = sn_op_find(e->name, &op) && sn_op_has(op, SN_POINTWISE) && !sn_op_has(op, SN_INTERNAL);
    if (!known) {
        const char *candidate[SN_OP_COUNT];
        size_t n = 0;
        for (int i = 0; i < SN_OP_COUNT; i++)
            if (sn_op_has((sn_op)i, SN_POINTWISE) && !sn_op_has((sn_op)i, SN_INTERNAL)) candidate[n++] = sn_op_get((sn_op)i)->name;
        const char *near = sn_nearest(e->name, candidate, n);
        snprintf(why, sizeof why, near ? "no pointwise operator \"%s\"; did you mean \"%s\"?" : "no pointwise operator \"%s\"", e->name, near);
        return fail(f, place(f, e), why);
    }
    const sn_op_info *info = sn_op_get(op);
    if (info->attrs != SN_ATTR_none) snprintf(why, sizeof why, "%s has attributes: make it a node with `op` and `with`", e->name);
    else if ((uint32_t)info->arity != e->n) snprintf(why, sizeof why, "%s: found %u argument%s, expected %d", e->name, e->n, e->n == 1 ? "" : "s", info->arity);
    else {
        for (uint32_t i = 0; i < e->n; i++) arg[i] = tensor(f, a[i], e->arg[i]);
        return build(f, e, op, arg, e->n);
    }
    return fail(f, place(f, e), why);
}

static operand operation(formula *f, const sn_expr *e, const operand *a)
{
    sn_ref x[3] = {SN_NONE, SN_NONE, SN_NONE};
    if (strchr("ao%!", e->op)) {
        char why[96];
        snprintf(why, sizeof why, "\"%s\" is for numbers, found a tensor", sn_expr_word(e->op));
        return fail(f, place(f, e), why);
    }
    for (uint32_t i = 0; i < e->n; i++) x[i] = tensor(f, a[i], e->arg[i]);
    const sn_ref swapped[2] = {x[1], x[0]};
    operand not_it;
    switch (e->op) {
    case '+': return build(f, e, SN_OP_add, x, 2);
    case '-': return build(f, e, SN_OP_sub, x, 2);
    case '*': return build(f, e, SN_OP_mul, x, 2);
    case '/': return build(f, e, SN_OP_div, x, 2);
    case 'm': return build(f, e, SN_OP_neg, x, 1);
    case '>': return build(f, e, SN_OP_greater, x, 2);
    case '<': return build(f, e, SN_OP_greater, swapped, 2);
    case 'e': return build(f, e, SN_OP_equal, x, 2);
    case '?': return build(f, e, SN_OP_select, x, 3);
    case 'l': not_it = build(f, e, SN_OP_greater, x, 2); break;
    case 'g': not_it = build(f, e, SN_OP_greater, swapped, 2); break;
    default: not_it = build(f, e, SN_OP_equal, x, 2); break;
    }
    const sn_ref one_minus[2] = {sn_scalar(&f->s->e->b, 1), not_it.ref};
    return build(f, e, SN_OP_sub, one_minus, 2);
}

/* ---- evaluation --------------------------------------------------------------------------------------------------------- */

static operand eval(formula *f, const sn_expr *e);

/* Numbers among themselves.  A function that numbers lack but tensors have (relu, sigmoid) makes tensors of them. */
static operand numbers(formula *f, const sn_expr *e, const operand *a)
{
    sn_num num[8];
    sn_op op;
    sn_expr_error error;
    operand out = {.tensor = false};
    if (e->kind == SN_EXPR_CALL && sn_num_function(e->name) < 0 && sn_op_find(e->name, &op)) return call(f, e, a);
    for (uint32_t i = 0; i < e->n; i++) {
        num[i] = a[i].num;
        if (num[i].kind == SN_NUM_DIM && e->kind == SN_EXPR_OP && strchr("/<>lgen", e->op)) return operation(f, e, a);
    }
    if (sn_num_apply(e, &f->numbers, num, &out.num, &error)) return out;
    return fail(f, sn_loc_inside(f->s->e->diags, f->is->loc, f->is->s, error.off, error.len), error.text);
}

static operand choice(formula *f, const sn_expr *e)
{
    operand a[3];
    a[0] = eval(f, e->arg[0]);
    if (!a[0].tensor && a[0].num.kind == SN_NUM_UNKNOWN) return poison;
    if (!a[0].tensor && a[0].num.kind != SN_NUM_DIM) return eval(f, e->arg[sn_num_value(a[0].num) != 0 ? 1 : 2]);
    a[1] = eval(f, e->arg[1]);
    a[2] = eval(f, e->arg[2]);
    return operation(f, e, a);
}

static operand eval(formula *f, const sn_expr *e)
{
    operand a[8];
    bool tensors = false;
    switch (e->kind) {
    case SN_EXPR_INT: return (operand){.tensor = false, .num = sn_num_int(e->integer)};
    case SN_EXPR_REAL: return (operand){.tensor = false, .num = sn_num_real(e->real)};
    case SN_EXPR_NAME: return name(f, e);
    default: break;
    }
    if (e->kind == SN_EXPR_OP && e->op == '?') return choice(f, e);
    for (uint32_t i = 0; i < e->n; i++) {
        a[i] = eval(f, e->arg[i]);
        tensors = tensors || a[i].tensor;
    }
    if (!tensors) return numbers(f, e, a);
    return e->kind == SN_EXPR_CALL ? call(f, e, a) : operation(f, e, a);
}

/* The formula's result has the node's name; what it is made of is called parts of it. */
static void name_parts(formula *f, uint32_t from, sn_ref root)
{
    sn_graph *g = f->s->e->g;
    const char *part = from < g->nodes ? sn_format(&g->arena, "%s.part", f->node) : NULL;
    for (uint32_t i = from; i < g->nodes; i++)
        if (i != root.i) g->node[i].name = part;
}

sn_ref sn_elab_formula(sn_scope *s, const sn_text *is, const char *node)
{
    sn_expr_error error;
    formula f = {s, is, node, sn_scope_numbers(s)};
    f.numbers.real_division = true;
    const sn_expr *e = sn_expr_parse(is->s, &s->e->arena, &error);
    if (!e) {
        fail(&f, sn_loc_inside(s->e->diags, is->loc, is->s, error.off, error.len), error.text);
        return SN_NONE;
    }
    uint32_t before = s->e->g->nodes;
    sn_ref root = tensor(&f, eval(&f, e), e);
    name_parts(&f, before, root);
    return root;
}
