/* Reading types, numbers and attributes.
 * Not statements (parse.c). */
#include <stdlib.h>
#include <string.h>

#include "parse.h"

enum { DEEPEST = 64 }; /* nested parentheses */

static const sn_token *token(const sn_parser *p) { return &p->lex.token; }
static void next(sn_parser *p) { sn_lexer_next(&p->lex); }

bool sn_at_mark(const sn_parser *p, char mark) { return token(p)->kind == SN_TOKEN_MARK && token(p)->mark == mark; }

bool sn_parse_fail(sn_parser *p, const char *expected)
{
    const sn_token *t = token(p);
    if (p->lex.bad)
        return false; /* said already */
    if (t->kind == SN_TOKEN_END)
        sn_error(p->diags, t->loc, p->node, "found the end of the text, expected %s", expected);
    else
        sn_error(p->diags, t->loc, p->node, "found `%.*s`, expected %s", (int)(t->loc.len < 60 ? t->loc.len : 60), p->lex.text + t->loc.off,
                 expected);
    return false;
}

bool sn_parse_mark(sn_parser *p, char mark)
{
    const char expected[] = {'`', mark, '`', 0};
    if (!sn_at_mark(p, mark))
        return sn_parse_fail(p, expected);
    next(p);
    return true;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------ */

/* Past a minus sign, if there is one. */
static bool take_minus(sn_parser *p)
{
    const bool minus = sn_at_mark(p, '-');
    if (minus)
        next(p);
    return minus;
}

bool sn_parse_real(sn_parser *p, double *out)
{
    double v;
    const bool minus = take_minus(p);
    if (token(p)->kind != SN_TOKEN_NUMBER || !sn_token_real(token(p), &v))
        return sn_parse_fail(p, "a number");
    next(p);
    *out = minus ? -v : v;
    return true;
}

static bool parse_int(sn_parser *p, int64_t *out)
{
    int64_t v;
    const bool minus = take_minus(p);
    if (token(p)->kind != SN_TOKEN_NUMBER || !sn_token_int(token(p), &v))
        return sn_parse_fail(p, "an integer");
    next(p);
    *out = minus ? -v : v;
    return true;
}

/* ---- dimensions: sum = term {("+" | "-") term}; term = factor {"*" factor | "/" number}; factor = number | symbol | "(" sum ")" -------- */

static bool parse_sum(sn_parser *p, int depth, sn_dim *out);

static bool parse_factor(sn_parser *p, int depth, sn_dim *out)
{
    const sn_token *t = token(p);
    int64_t v;
    if (t->kind == SN_TOKEN_NUMBER && sn_token_int(t, &v) && v < SN_DIM_HUGE) {
        *out = sn_dim_const(v);
    } else if (t->kind == SN_TOKEN_WORD) {
        *out = sn_dim_symbol(&p->g->dims, t->text);
    } else if (sn_at_mark(p, '(') && depth < DEEPEST) {
        next(p);
        return parse_sum(p, depth + 1, out) && sn_parse_mark(p, ')');
    } else {
        return sn_parse_fail(p, depth < DEEPEST ? "a dimension" : "at most 64 nested parentheses");
    }
    next(p);
    return true;
}

static bool parse_term(sn_parser *p, int depth, sn_dim *out)
{
    sn_dim f;
    if (!parse_factor(p, depth, out))
        return false;
    for (;;) {
        if (sn_at_mark(p, '*')) {
            next(p);
            if (!parse_factor(p, depth, &f))
                return false;
            *out = sn_dim_mul(&p->g->dims, *out, f);
        } else if (sn_at_mark(p, '/')) {
            int64_t v;
            next(p);
            if (token(p)->kind != SN_TOKEN_NUMBER || !sn_token_int(token(p), &v) || v < 1 || v >= SN_DIM_HUGE)
                return sn_parse_fail(p, "a number to divide by, at least 1");
            next(p);
            *out = sn_dim_div(&p->g->dims, *out, v);
        } else {
            return true;
        }
    }
}

static bool parse_sum(sn_parser *p, int depth, sn_dim *out)
{
    sn_dim t;
    const sn_loc start = token(p)->loc;
    if (!parse_term(p, depth, out))
        return false;
    while (sn_at_mark(p, '+') || sn_at_mark(p, '-')) {
        const bool minus = sn_at_mark(p, '-');
        next(p);
        if (!parse_term(p, depth, &t))
            return false;
        if (minus && sn_dim_is_const(*out) && sn_dim_is_const(t) && out->v < t.v) {
            sn_error(p->diags, start, p->node, "dimension is %lld, expected at least 1", (long long)(out->v - t.v));
            return false;
        }
        *out = minus ? sn_dim_sub(&p->g->dims, *out, t) : sn_dim_add(&p->g->dims, *out, t);
    }
    return true;
}

bool sn_parse_type(sn_parser *p, sn_type *out)
{
    char reason[128];
    sn_type t = {0};
    sn_loc loc = token(p)->loc;
    if (token(p)->kind != SN_TOKEN_WORD || strcmp(token(p)->text, "f32") != 0)
        return sn_parse_fail(p, "a type, such as f32[N,3]");
    next(p);
    if (!sn_parse_mark(p, '['))
        return false;
    while (!sn_at_mark(p, ']')) {
        if (t.rank == SN_MAX_RANK)
            return sn_parse_fail(p, "at most 6 dimensions");
        if ((t.rank && !sn_parse_mark(p, ',')) || !parse_sum(p, 0, &t.dim[t.rank]))
            return false;
        t.rank++;
    }
    next(p);
    loc.len = p->lex.end - loc.off;
    if (!sn_type_legal(&p->g->dims, &t, reason, sizeof reason)) {
        sn_error(p->diags, loc, p->node, "%s", reason);
        return false;
    }
    *out = t;
    return true;
}

/* ---- attributes --------------------------------------------------------------------------------------------------------- */

static bool parse_axes(sn_parser *p, sn_attr_axes *out)
{
    sn_attr_axes a = {0};
    if (!sn_parse_mark(p, '['))
        return false;
    while (!sn_at_mark(p, ']')) {
        int64_t v;
        const sn_loc loc = token(p)->loc;
        if (a.n == SN_MAX_RANK)
            return sn_parse_fail(p, "at most 6 axes");
        if ((a.n && !sn_parse_mark(p, ',')) || !parse_int(p, &v))
            return false;
        if (v < 0 || v > UINT8_MAX) {
            sn_error(p->diags, loc, p->node, "axis %lld is out of range", (long long)v);
            return false;
        }
        a.axis[a.n++] = (uint8_t)v;
    }
    next(p);
    *out = a;
    return true;
}

static bool parse_spec(sn_parser *p, sn_contract **out)
{
    const char *at, *what;
    sn_contract *spec = sn_new(&p->g->arena, sn_contract);
    if (token(p)->kind != SN_TOKEN_STRING)
        return sn_parse_fail(p, "index maps in quotes");
    if (!sn_contract_parse(token(p)->text, spec, &at, &what)) {
        sn_loc loc = token(p)->loc;
        loc.off += 1 + (uint32_t)(at - token(p)->text);
        loc.len = 1;
        sn_error(p->diags, loc, p->node, "contract: %s", what);
        return false;
    }
    next(p);
    *out = spec;
    return true;
}

static bool parse_field(sn_parser *p, const sn_field *f, sn_attrs *attrs)
{
    void *at = (char *)attrs + f->offset;
    switch (f->kind) {
    case SN_FIELD_INT: return parse_int(p, at);
    case SN_FIELD_REAL: return sn_parse_real(p, at);
    case SN_FIELD_AXES: return parse_axes(p, at);
    case SN_FIELD_DIM: return parse_sum(p, 0, at);
    case SN_FIELD_SPEC: return parse_spec(p, at);
    }
    return false;
}

/* The field of that name, or an error that lists what there is. */
static const sn_field *find_field(sn_parser *p, sn_op op, const sn_field *f, size_t n)
{
    const char *name[8];
    for (size_t i = 0; i < n && i < 8; i++) {
        if (strcmp(f[i].name, token(p)->text) == 0)
            return &f[i];
        name[i] = f[i].name;
    }
    const char *near = sn_nearest(token(p)->text, name, n);
    if (near)
        sn_error(p->diags, token(p)->loc, p->node, "%s: there is no attribute %s, did you mean %s", sn_op_get(op)->name, token(p)->text, near);
    else
        sn_error(p->diags, token(p)->loc, p->node, "%s: there is no attribute %s", sn_op_get(op)->name, token(p)->text);
    return NULL;
}

static bool set_fallbacks(sn_parser *p, sn_op op, const sn_field *f, size_t n, unsigned given, sn_attrs *out)
{
    for (size_t i = 0; i < n; i++) {
        if (given >> i & 1u)
            continue;
        if (f[i].required) {
            sn_error(p->diags, token(p)->loc, p->node, "%s: attribute %s is missing: %s", sn_op_get(op)->name, f[i].name, f[i].doc);
            return false;
        }
        void *at = (char *)out + f[i].offset;
        if (f[i].kind == SN_FIELD_INT)
            *(int64_t *)at = (int64_t)f[i].fallback;
        else if (f[i].kind == SN_FIELD_REAL)
            *(double *)at = f[i].fallback;
    }
    return true;
}

bool sn_parse_attrs(sn_parser *p, sn_op op, sn_attrs *out)
{
    size_t n;
    unsigned given = 0;
    const sn_field *f = sn_attr_fields(sn_op_get(op)->attrs, &n);
    memset(out, 0, sizeof *out);
    if (sn_at_mark(p, '{')) {
        next(p);
        while (!sn_at_mark(p, '}')) {
            if (given && !sn_parse_mark(p, ','))
                return false;
            if (token(p)->kind != SN_TOKEN_WORD)
                return sn_parse_fail(p, "an attribute, such as axis=1");
            const sn_field *field = find_field(p, op, f, n);
            if (!field)
                return false;
            if (given >> (field - f) & 1u) {
                sn_error(p->diags, token(p)->loc, p->node, "%s: attribute %s is given twice", sn_op_get(op)->name, field->name);
                return false;
            }
            given |= 1u << (field - f);
            next(p);
            if (!sn_parse_mark(p, '=') || !parse_field(p, field, out))
                return false;
        }
        next(p);
    }
    return set_fallbacks(p, op, f, n, given, out);
}

bool sn_parse_data(sn_parser *p, sn_attr_data *out)
{
    size_t n = 0, capacity = 64;
    float *data = malloc(capacity * sizeof *data);
    SN_ASSERT(data, "out of memory");
    bool good = sn_parse_mark(p, '{');
    while (good && !sn_at_mark(p, '}')) {
        good = n == 0 || sn_parse_mark(p, ',');
        if (!good)
            break;
        if (n == capacity) {
            capacity *= 2;
            data = realloc(data, capacity * sizeof *data);
            SN_ASSERT(data, "out of memory");
        }
        const bool minus = take_minus(p);
        good = token(p)->kind == SN_TOKEN_NUMBER && sn_token_float(token(p), &data[n]);
        if (!good) {
            sn_parse_fail(p, "a number");
            break;
        }
        data[n] = minus ? -data[n] : data[n];
        n++;
        next(p);
    }
    if (good) {
        next(p);
        float *kept = sn_new_n(&p->g->arena, float, n ? n : 1);
        memcpy(kept, data, n * sizeof *kept);
        *out = (sn_attr_data){kept, n};
    }
    free(data);
    return good;
}
