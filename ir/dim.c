/* Dimensions: the hash-consed table, canonical arithmetic, evaluation, text.
 * Not shapes.
 *
 * Arithmetic goes through polynomials over atoms with integer coefficients: an atom is a symbol or a quotient that does not divide out.
 * Entries are only made from polynomials in one fixed order, so equal polynomials become the same entry.  The order compares symbols
 * by name, hence text does not depend on the order of creation.  Quotients are normalised in quotient().  A result with more than
 * MONOMIALS terms or POWERS factors stays one entry over its operands: correct, but equal only to itself.
 */
#include "dim.h"

#include <stdlib.h>
#include <string.h>

#include "ir.h"

enum { MONOMIALS = 24, POWERS = 6 };

typedef struct mono { int64_t coef; int powers; sn_dim atom[POWERS]; } mono; /* coef * product of atoms, atoms sorted */
typedef struct poly { int n; mono m[MONOMIALS]; } poly;                     /* sorted; no zero coefficients */

/* ---- saturating numbers ------------------------------------------------------------------------------------------------- */

static int64_t clamp(int64_t v) { return v > SN_DIM_HUGE ? SN_DIM_HUGE : v < -SN_DIM_HUGE ? -SN_DIM_HUGE : v; }
static int64_t plus(int64_t a, int64_t b) { return clamp(clamp(a) + clamp(b)); }

static int64_t times(int64_t a, int64_t b)
{
    if (a == 0 || b == 0)
        return 0;
    const int64_t x = a < 0 ? -a : a, y = b < 0 ? -b : b;
    const int64_t p = x > SN_DIM_HUGE / y ? SN_DIM_HUGE : x * y;
    return (a < 0) == (b < 0) ? p : -p;
}

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/* ---- table -------------------------------------------------------------------------------------------------------------- */

void sn_dims_init(sn_dims *d) { memset(d, 0, sizeof *d); }

void sn_dims_fini(sn_dims *d)
{
    for (uint32_t i = 0; i < d->count; i++)
        free((char *)(uintptr_t)d->entry[i].name);
    free(d->entry);
    memset(d, 0, sizeof *d);
}

static const sn_dim_entry *entry_of(const sn_dims *d, sn_dim a)
{
    SN_ASSERT(sn_dim_known(d, a), "dimension %lld is not of this table", (long long)a.v);
    return &d->entry[~a.v];
}

bool sn_dim_known(const sn_dims *d, sn_dim a) { return a.v >= 0 || (uint64_t)~a.v < d->count; }

static sn_dim add_entry(sn_dims *d, sn_dim_entry e)
{
    if (d->count == d->capacity) {
        d->capacity = d->capacity ? 2 * d->capacity : 32;
        sn_dim_entry *grown = realloc(d->entry, d->capacity * sizeof *grown);
        SN_ASSERT(grown, "out of memory");
        d->entry = grown;
    }
    d->entry[d->count] = e;
    return (sn_dim){~(int64_t)d->count++};
}

static char *copy_name(const char *name)
{
    const size_t n = strlen(name) + 1;
    char *copy = malloc(n);
    SN_ASSERT(copy, "out of memory");
    return memcpy(copy, name, n);
}

sn_dim sn_dim_symbol(sn_dims *d, const char *name)
{
    for (uint32_t i = 0; i < d->count; i++)
        if (d->entry[i].op == SN_DIM_SYMBOL && strcmp(d->entry[i].name, name) == 0)
            return (sn_dim){~(int64_t)i};
    return add_entry(d, (sn_dim_entry){.op = SN_DIM_SYMBOL, .symbol = d->symbols++, .name = copy_name(name)});
}

void sn_dims_copy(sn_dims *to, const sn_dims *from)
{
    sn_dims_init(to);
    for (uint32_t i = 0; i < from->count; i++) {
        sn_dim_entry e = from->entry[i];
        e.name = e.name ? copy_name(e.name) : NULL;
        add_entry(to, e);
    }
    to->symbols = from->symbols;
}

const char *sn_dim_symbol_name(const sn_dims *d, uint32_t symbol)
{
    for (uint32_t i = 0; i < d->count; i++)
        if (d->entry[i].op == SN_DIM_SYMBOL && d->entry[i].symbol == symbol)
            return d->entry[i].name;
    return NULL;
}

static sn_dim intern(sn_dims *d, sn_dim_op op, sn_dim a, sn_dim b)
{
    for (uint32_t i = 0; i < d->count; i++)
        if (d->entry[i].op == op && d->entry[i].a.v == a.v && d->entry[i].b.v == b.v)
            return (sn_dim){~(int64_t)i};
    return add_entry(d, (sn_dim_entry){.op = op, .a = a, .b = b});
}

/* A total order that does not depend on the order of creation. */
static int compare(const sn_dims *da, sn_dim a, const sn_dims *db, sn_dim b)
{
    if (da == db && a.v == b.v)
        return 0;
    if (a.v >= 0 || b.v >= 0)
        return a.v >= 0 && b.v >= 0 ? (a.v > b.v) - (a.v < b.v) : a.v >= 0 ? -1 : 1;
    const sn_dim_entry *x = entry_of(da, a), *y = entry_of(db, b);
    if (x->op != y->op)
        return x->op < y->op ? -1 : 1;
    if (x->op == SN_DIM_SYMBOL)
        return strcmp(x->name, y->name);
    const int first = compare(da, x->a, db, y->a);
    return first ? first : compare(da, x->b, db, y->b);
}

bool sn_dim_same(const sn_dims *da, sn_dim a, const sn_dims *db, sn_dim b) { return compare(da, a, db, b) == 0; }

/* ---- polynomials -------------------------------------------------------------------------------------------------------- */

/* Higher powers first, then atoms in order. */
static int mono_compare(const sn_dims *d, const mono *a, const mono *b)
{
    if (a->powers != b->powers)
        return a->powers > b->powers ? -1 : 1;
    for (int i = 0; i < a->powers; i++) {
        const int c = compare(d, a->atom[i], d, b->atom[i]);
        if (c)
            return c;
    }
    return 0;
}

/* p += m; false if p is full. */
static bool poly_add_mono(const sn_dims *d, poly *p, const mono *m)
{
    int i = 0, c = 1;
    if (m->coef == 0)
        return true;
    while (i < p->n && (c = mono_compare(d, &p->m[i], m)) < 0)
        i++;
    if (i < p->n && c == 0) {
        p->m[i].coef = plus(p->m[i].coef, m->coef);
        if (p->m[i].coef == 0)
            memmove(&p->m[i], &p->m[i + 1], (size_t)(--p->n - i) * sizeof p->m[0]);
        return true;
    }
    if (p->n == MONOMIALS)
        return false;
    memmove(&p->m[i + 1], &p->m[i], (size_t)(p->n++ - i) * sizeof p->m[0]);
    p->m[i] = *m;
    return true;
}

/* p += factor * q */
static bool poly_add(const sn_dims *d, poly *p, const poly *q, int64_t factor)
{
    for (int i = 0; i < q->n; i++) {
        mono m = q->m[i];
        m.coef = times(m.coef, factor);
        if (!poly_add_mono(d, p, &m))
            return false;
    }
    return true;
}

static bool mono_mul(const sn_dims *d, const mono *a, const mono *b, mono *out)
{
    *out = *a;
    out->coef = times(a->coef, b->coef);
    for (int j = 0; j < b->powers; j++) {
        if (out->powers == POWERS)
            return false;
        int i = out->powers++;
        for (; i > 0 && compare(d, out->atom[i - 1], d, b->atom[j]) > 0; i--)
            out->atom[i] = out->atom[i - 1];
        out->atom[i] = b->atom[j];
    }
    return true;
}

static bool poly_mul(const sn_dims *d, const poly *a, const poly *b, poly *out)
{
    out->n = 0;
    for (int i = 0; i < a->n; i++)
        for (int j = 0; j < b->n; j++) {
            mono m;
            if (!mono_mul(d, &a->m[i], &b->m[j], &m) || !poly_add_mono(d, out, &m))
                return false;
        }
    return true;
}

static poly poly_const(int64_t v)
{
    poly p = {0};
    if (v)
        p = (poly){1, {{.coef = v}}};
    return p;
}

static poly poly_atom(sn_dim a) { return (poly){1, {{.coef = 1, .powers = 1, .atom = {a}}}}; }

static poly poly_of(const sn_dims *d, sn_dim a)
{
    if (sn_dim_is_const(a))
        return poly_const(a.v);
    const sn_dim_entry *e = entry_of(d, a);
    if (e->op == SN_DIM_SYMBOL || e->op == SN_DIM_DIV)
        return poly_atom(a);
    poly x = poly_of(d, e->a), y = poly_of(d, e->b), out = {0};
    const bool fits = e->op == SN_DIM_MUL ? poly_mul(d, &x, &y, &out)
                                          : poly_add(d, &out, &x, 1) && poly_add(d, &out, &y, e->op == SN_DIM_ADD ? 1 : -1);
    return fits ? out : poly_atom(a);
}

/* c * atoms with c > 0 */
static sn_dim mono_entry(sn_dims *d, const mono *m, int64_t coef)
{
    if (m->powers == 0)
        return sn_dim_const(coef);
    sn_dim r = m->atom[0];
    for (int i = 1; i < m->powers; i++)
        r = intern(d, SN_DIM_MUL, r, m->atom[i]);
    return coef == 1 ? r : intern(d, SN_DIM_MUL, sn_dim_const(coef), r);
}

/* Positive terms are added, then negative ones subtracted. */
static sn_dim poly_entry(sn_dims *d, const poly *p)
{
    bool started = false;
    sn_dim r = sn_dim_const(0);
    for (int i = 0; i < p->n; i++)
        if (p->m[i].coef > 0) {
            const sn_dim term = mono_entry(d, &p->m[i], p->m[i].coef);
            r = started ? intern(d, SN_DIM_ADD, r, term) : term;
            started = true;
        }
    if (p->n == 1 && p->m[0].powers == 0)
        return sn_dim_const(p->m[0].coef > 0 ? p->m[0].coef : 0);
    for (int i = 0; i < p->n; i++)
        if (p->m[i].coef < 0)
            r = intern(d, SN_DIM_SUB, r, mono_entry(d, &p->m[i], -p->m[i].coef));
    return r;
}

/* ---- quotients ---------------------------------------------------------------------------------------------------------- */

static int64_t gcd(int64_t a, int64_t b)
{
    for (a = a < 0 ? -a : a; b; ) {
        const int64_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

/* floor((floor(A/b) + Q) / c) = floor((A + b Q) / (b c)) for integer Q: when p holds exactly one quotient, once, put it away.  Each round
 * removes a quotient and nests no new one, so it ends. */
static void flatten(sn_dims *d, poly *p, int64_t *c)
{
    for (;;) {
        int found = -1, quotients = 0;
        for (int i = 0; i < p->n; i++)
            for (int j = 0; j < p->m[i].powers; j++)
                if (entry_of(d, p->m[i].atom[j])->op == SN_DIM_DIV) {
                    quotients++;
                    found = p->m[i].coef == 1 && p->m[i].powers == 1 ? i : found;
                }
        if (found < 0 || quotients != 1)
            return;
        const sn_dim_entry e = *entry_of(d, p->m[found].atom[0]);
        if (times(*c, e.b.v) >= SN_DIM_HUGE)
            return;
        poly rest = *p, sum = poly_of(d, e.a);
        memmove(&rest.m[found], &rest.m[found + 1], (size_t)(--rest.n - found) * sizeof rest.m[0]);
        if (!poly_add(d, &sum, &rest, e.b.v))
            return;
        *p = sum;
        *c *= e.b.v;
    }
}

/* Write p/c as whole + part/c where part's coefficients lie in [0, c) and its constant in (-c, 0], the form of the header:
 * (T-1)/2 + 1 rather than (T+1)/2.  Then shorten part/c by what its coefficients and c have in common. */
static sn_dim quotient(sn_dims *d, poly p, int64_t c)
{
    poly whole = {0}, part = {0};
    flatten(d, &p, &c);
    int64_t common = c;
    for (int i = 0; i < p.n; i++) {
        mono m = p.m[i];
        const int64_t q = m.powers ? floor_div(m.coef, c) : -floor_div(-m.coef, c);
        m.coef -= q * c;
        if (m.coef)
            part.m[part.n++] = m;
        if (m.powers && m.coef)
            common = gcd(common, m.coef);
        m = p.m[i];
        m.coef = q;
        if (q)
            whole.m[whole.n++] = m;
    }
    const poly minus_one = {1, {{.coef = -1}}};
    bool fits = true;
    if (part.n && part.m[0].powers) { /* the constant, if any, is last */
        poly shorter = {0};
        for (int i = 0; i < part.n; i++) {
            mono m = part.m[i];
            m.coef = floor_div(m.coef, common);
            if (m.powers || m.coef > -c / common)
                fits = fits && poly_add_mono(d, &shorter, &m);
            else
                fits = fits && poly_add(d, &whole, &minus_one, 1); /* rounding down reached -c */
        }
        const poly atom = poly_atom(intern(d, SN_DIM_DIV, poly_entry(d, &shorter), sn_dim_const(c / common)));
        fits = fits && poly_add(d, &whole, &atom, 1);
    } else if (part.n) { /* a constant in (-c, 0) alone */
        fits = poly_add(d, &whole, &minus_one, 1);
    }
    return fits ? poly_entry(d, &whole) : intern(d, SN_DIM_DIV, poly_entry(d, &p), sn_dim_const(c));
}

/* ---- arithmetic --------------------------------------------------------------------------------------------------------- */

static sn_dim linear(sn_dims *d, sn_dim a, sn_dim b, bool minus)
{
    poly p = poly_of(d, a);
    const poly q = poly_of(d, b);
    return poly_add(d, &p, &q, minus ? -1 : 1) ? poly_entry(d, &p) : intern(d, minus ? SN_DIM_SUB : SN_DIM_ADD, a, b);
}

sn_dim sn_dim_add(sn_dims *d, sn_dim a, sn_dim b) { return linear(d, a, b, false); }
sn_dim sn_dim_sub(sn_dims *d, sn_dim a, sn_dim b) { return linear(d, a, b, true); }

sn_dim sn_dim_add_const(sn_dims *d, sn_dim a, int64_t c)
{
    return linear(d, a, sn_dim_const(c < 0 ? -clamp(c) : c), c < 0);
}

sn_dim sn_dim_mul(sn_dims *d, sn_dim a, sn_dim b)
{
    const poly p = poly_of(d, a), q = poly_of(d, b);
    poly out;
    return poly_mul(d, &p, &q, &out) ? poly_entry(d, &out) : intern(d, SN_DIM_MUL, a, b);
}

sn_dim sn_dim_div(sn_dims *d, sn_dim a, int64_t c)
{
    SN_ASSERT(c > 0, "division by %lld", (long long)c);
    if (sn_dim_is_const(a))
        return sn_dim_const(a.v / c);
    return c == 1 ? a : quotient(d, poly_of(d, a), c);
}

sn_dim sn_dim_ceil_div(sn_dims *d, sn_dim a, int64_t c) { return sn_dim_div(d, sn_dim_add_const(d, a, c - 1), c); }

int64_t sn_dim_eval(const sn_dims *d, sn_dim a, const int64_t *symbol)
{
    if (sn_dim_is_const(a))
        return a.v;
    const sn_dim_entry *e = entry_of(d, a);
    if (e->op == SN_DIM_SYMBOL)
        return symbol[e->symbol];
    const int64_t x = sn_dim_eval(d, e->a, symbol), y = sn_dim_eval(d, e->b, symbol);
    switch (e->op) {
    case SN_DIM_ADD: return plus(x, y);
    case SN_DIM_SUB: return plus(x, -clamp(y));
    case SN_DIM_MUL: return times(x, y);
    default: return floor_div(x, y);
    }
}

/* ---- text --------------------------------------------------------------------------------------------------------------- */

typedef struct text { char *at; size_t left; int total; } text;

static void put(text *t, const char *s)
{
    const size_t n = strlen(s);
    t->total += (int)n;
    if (t->left > 1) {
        const size_t k = n < t->left - 1 ? n : t->left - 1;
        memcpy(t->at, s, k);
        t->at += k;
        t->left -= k;
        *t->at = 0;
    }
}

static void write_dim(const sn_dims *d, sn_dim a, text *t);

/* An operand, in parentheses if it is one of the operators in `ops` (bit set). */
static void write_operand(const sn_dims *d, sn_dim a, unsigned ops, text *t)
{
    const bool wrap = !sn_dim_is_const(a) && sn_dim_known(d, a) && (ops >> d->entry[~a.v].op & 1u);
    put(t, wrap ? "(" : "");
    write_dim(d, a, t);
    put(t, wrap ? ")" : "");
}

static void write_dim(const sn_dims *d, sn_dim a, text *t)
{
    enum { ADD = 1u << SN_DIM_ADD, MUL = 1u << SN_DIM_MUL, DIV = 1u << SN_DIM_DIV, SUB = 1u << SN_DIM_SUB };
    static const char *const sign[] = {[SN_DIM_ADD] = "+", [SN_DIM_MUL] = "*", [SN_DIM_DIV] = "/", [SN_DIM_SUB] = "-"};
    static const unsigned left[] = {[SN_DIM_ADD] = 0, [SN_DIM_MUL] = ADD | SUB | DIV, [SN_DIM_DIV] = ADD | SUB | MUL | DIV, [SN_DIM_SUB] = 0};
    static const unsigned right[] = {[SN_DIM_ADD] = 0, [SN_DIM_MUL] = ADD | SUB | DIV, [SN_DIM_DIV] = 0, [SN_DIM_SUB] = ADD | SUB};
    char number[32];
    if (sn_dim_is_const(a) || !sn_dim_known(d, a)) {
        snprintf(number, sizeof number, sn_dim_is_const(a) ? "%lld" : "?%lld", (long long)a.v);
        put(t, number);
        return;
    }
    const sn_dim_entry *e = &d->entry[~a.v];
    if (e->op == SN_DIM_SYMBOL) {
        put(t, e->name);
        return;
    }
    write_operand(d, e->a, left[e->op], t);
    put(t, sign[e->op]);
    write_operand(d, e->b, right[e->op], t);
}

int sn_dim_text(const sn_dims *d, sn_dim a, char *out, size_t n)
{
    text t = {out, n, 0};
    if (n)
        out[0] = 0;
    write_dim(d, a, &t);
    return t.total;
}
