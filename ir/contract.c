/* Contractions: reading and writing index maps, exchanging roles.
 * Not the operator (op_contract.c). */
#include "contract.h"

#include <ctype.h>
#include <string.h>

enum { MAX_COEF = 1 << 20 };

typedef struct reader {
    sn_contract *c;
    const char  *at, *what; /* what: NULL while all is well */
} reader;

static void blanks(reader *r)
{
    while (*r->at == ' ')
        r->at++;
}

static void fail(reader *r, const char *what) { r->what = r->what ? r->what : what; }

static bool accept(reader *r, const char *word)
{
    blanks(r);
    const size_t n = strlen(word);
    if (r->what || strncmp(r->at, word, n) != 0)
        return false;
    r->at += n;
    return true;
}

static bool accept_minus(reader *r)
{
    blanks(r);
    return r->at[0] == '-' && r->at[1] != '>' && accept(r, "-");
}

/* Digits at the reader; at most MAX_COEF. */
static int32_t read_number(reader *r)
{
    int32_t v = 0;
    const char *start = r->at;
    for (; isdigit((unsigned char)*r->at); r->at++) {
        v = v * 10 + (*r->at - '0');
        if (v > MAX_COEF) {
            r->at = start;
            fail(r, "number is too large");
            return 0;
        }
    }
    return v;
}

/* The loop named at the reader, made on first use. */
static uint8_t read_loop(reader *r)
{
    char name[8] = {0};
    size_t n = 0;
    const char *start = r->at;
    for (; isalnum((unsigned char)*r->at) || *r->at == '_'; r->at++)
        if (n < sizeof name - 1)
            name[n++] = *r->at;
        else
            fail(r, "loop name is longer than 7 letters");
    if (r->what) {
        r->at = start;
        return 0;
    }
    for (uint8_t i = 0; i < r->c->loops; i++)
        if (strcmp(r->c->name[i], name) == 0)
            return i;
    if (r->c->loops == SN_MAX_LOOPS) {
        r->at = start;
        fail(r, "more than 12 loops");
        return 0;
    }
    memcpy(r->c->name[r->c->loops], name, sizeof name);
    return r->c->loops++;
}

/* f += coef * loop, terms sorted by loop */
static bool add_term(sn_affine *f, uint8_t loop, int32_t coef)
{
    uint8_t i = 0;
    while (i < f->terms && f->loop[i] < loop)
        i++;
    if (i < f->terms && f->loop[i] == loop) {
        f->coef[i] += coef;
        return f->coef[i] != 0 && f->coef[i] >= -MAX_COEF && f->coef[i] <= MAX_COEF;
    }
    if (f->terms == SN_MAX_TERMS)
        return false;
    for (uint8_t j = f->terms++; j > i; j--) {
        f->loop[j] = f->loop[j - 1];
        f->coef[j] = f->coef[j - 1];
    }
    f->loop[i] = loop;
    f->coef[i] = coef;
    return true;
}

/* index = ["-"] term { ("+" | "-") term };  term = number | [number ["*"]] name */
static void read_index(reader *r, sn_affine *f)
{
    int32_t sign = accept_minus(r) ? -1 : 1;
    do {
        blanks(r);
        const char *start = r->at;
        const bool counted = isdigit((unsigned char)*r->at) != 0;
        const int32_t v = counted ? read_number(r) : 1;
        if (counted)
            accept(r, "*");
        blanks(r);
        if (isalpha((unsigned char)*r->at) || *r->at == '_') {
            const uint8_t loop = read_loop(r);
            if (!r->what && (v == 0 || !add_term(f, loop, sign * v))) {
                r->at = start;
                fail(r, "this loop has coefficient 0, a coefficient beyond 2^20, or is the fourth in one index");
            }
        } else if (counted) {
            f->offset += sign * v;
            if (!r->what && (f->offset > MAX_COEF || f->offset < -MAX_COEF)) {
                r->at = start;
                fail(r, "offset is beyond 2^20");
            }
        } else {
            fail(r, "expected a loop name or a number");
        }
        sign = accept_minus(r) ? -1 : 1;
    } while (!r->what && (sign < 0 || accept(r, "+")));
}

/* list = [index {"," index}] up to a separator */
static void read_list(reader *r, uint8_t *rank, sn_affine *at)
{
    blanks(r);
    if (r->what || !*r->at || *r->at == ';' || strncmp(r->at, "->", 2) == 0)
        return;
    do {
        if (*rank == SN_MAX_RANK) {
            fail(r, "more than 6 indices");
            return;
        }
        read_index(r, &at[(*rank)++]);
    } while (accept(r, ","));
}

static bool stands_alone(const sn_contract *c, uint8_t loop)
{
    for (int p = 0; p < 3; p++)
        for (uint8_t i = 0; i < c->rank[p]; i++)
            if (sn_affine_is_loop(&c->at[p][i]) && c->at[p][i].loop[0] == loop)
                return true;
    return false;
}

/* Where name first stands in text as a whole word. */
static const char *find_loop(const char *text, const char *name)
{
    const size_t n = strlen(name);
    for (const char *p = text; (p = strstr(p, name)) != NULL; p++)
        if (!(p > text && (isalpha((unsigned char)p[-1]) || p[-1] == '_')) && !isalnum((unsigned char)p[n]) && p[n] != '_')
            return p;
    return text;
}

bool sn_contract_has(const sn_contract *c, int tensor, uint8_t loop)
{
    for (uint8_t i = 0; i < c->rank[tensor]; i++)
        for (uint8_t t = 0; t < c->at[tensor][i].terms; t++)
            if (c->at[tensor][i].loop[t] == loop)
                return true;
    return false;
}

bool sn_contract_parse(const char *text, sn_contract *out, const char **at, const char **what)
{
    sn_contract c;
    memset(&c, 0, sizeof c);
    reader r = {&c, text, NULL};
    read_list(&r, &c.rank[SN_AT_A], c.at[SN_AT_A]);
    if (!accept(&r, ";"))
        fail(&r, "expected `,` or `;`");
    read_list(&r, &c.rank[SN_AT_B], c.at[SN_AT_B]);
    if (!accept(&r, "->"))
        fail(&r, "expected `,` or `->`");
    read_list(&r, &c.rank[SN_AT_OUT], c.at[SN_AT_OUT]);
    blanks(&r);
    if (*r.at)
        fail(&r, "expected `,` or the end");
    for (uint8_t l = 0; l < c.loops && !r.what; l++)
        if (!stands_alone(&c, l)) {
            r.at = find_loop(text, c.name[l]);
            fail(&r, "this loop stands nowhere alone, so it has no extent");
        }
    if (r.what) {
        *at = r.at;
        *what = r.what;
        return false;
    }
    *out = c;
    return true;
}

/* ---- text --------------------------------------------------------------------------------------------------------------- */

typedef struct writer { char *out; size_t n; int total; } writer;

static void put(writer *w, const char *s)
{
    for (; *s; s++, w->total++)
        if ((size_t)w->total + 1 < w->n)
            w->out[w->total] = *s;
}

static void put_number(writer *w, int64_t v)
{
    char digits[24];
    size_t i = sizeof digits - 1;
    digits[i] = 0;
    do {
        digits[--i] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    put(w, digits + i);
}

static void put_affine(writer *w, const sn_contract *c, const sn_affine *f)
{
    for (uint8_t i = 0; i < f->terms; i++) {
        const int64_t coef = f->coef[i];
        put(w, coef < 0 ? "-" : i ? "+" : "");
        if (coef != 1 && coef != -1)
            put_number(w, coef < 0 ? -coef : coef);
        put(w, c->name[f->loop[i]]);
    }
    if (f->offset || !f->terms) {
        const int64_t offset = f->offset;
        put(w, offset < 0 ? "-" : f->terms ? "+" : "");
        put_number(w, offset < 0 ? -offset : offset);
    }
}

int sn_contract_text(const sn_contract *c, char *out, size_t n)
{
    static const char *const before[] = {"", " ; ", " -> "};
    writer w = {out, n, 0};
    for (int p = 0; p < 3; p++) {
        put(&w, before[p]);
        for (uint8_t i = 0; i < c->rank[p]; i++) {
            put(&w, i ? "," : "");
            put_affine(&w, c, &c->at[p][i]);
        }
    }
    if (n)
        out[(size_t)w.total < n ? (size_t)w.total : n - 1] = 0;
    return w.total;
}

/* ---- roles -------------------------------------------------------------------------------------------------------------- */

static bool affine_equal(const sn_affine *f, const sn_affine *g)
{
    if (f->terms != g->terms || f->offset != g->offset)
        return false;
    for (uint8_t i = 0; i < f->terms; i++)
        if (f->loop[i] != g->loop[i] || f->coef[i] != g->coef[i])
            return false;
    return true;
}

bool sn_contract_equal(const sn_contract *a, const sn_contract *b)
{
    if (a->loops != b->loops || memcmp(a->rank, b->rank, sizeof a->rank) != 0)
        return false;
    for (uint8_t l = 0; l < a->loops; l++)
        if (strcmp(a->name[l], b->name[l]) != 0)
            return false;
    for (int p = 0; p < 3; p++)
        for (uint8_t i = 0; i < a->rank[p]; i++)
            if (!affine_equal(&a->at[p][i], &b->at[p][i]))
                return false;
    return true;
}

/* Number loops by first appearance, as reading the text would. */
static sn_contract renumber(const sn_contract *c)
{
    sn_contract r;
    uint8_t number[SN_MAX_LOOPS];
    memset(&r, 0, sizeof r);
    memset(number, 0xff, sizeof number);
    memcpy(r.rank, c->rank, sizeof r.rank);
    for (int p = 0; p < 3; p++)
        for (uint8_t i = 0; i < c->rank[p]; i++) {
            const sn_affine *f = &c->at[p][i];
            for (uint8_t j = 0; j < f->terms; j++) {
                if (number[f->loop[j]] == 0xff) {
                    number[f->loop[j]] = r.loops;
                    memcpy(r.name[r.loops++], c->name[f->loop[j]], sizeof r.name[0]);
                }
                add_term(&r.at[p][i], number[f->loop[j]], f->coef[j]);
            }
            r.at[p][i].offset = f->offset;
        }
    return r;
}

sn_contract sn_contract_grad(const sn_contract *c, int wrt)
{
    const int other = wrt == SN_AT_A ? SN_AT_B : SN_AT_A;
    const int from[3] = {SN_AT_OUT, other, wrt};
    sn_contract r = *c;
    for (int p = 0; p < 3; p++) {
        r.rank[p] = c->rank[from[p]];
        memcpy(r.at[p], c->at[from[p]], sizeof r.at[p]);
    }
    return renumber(&r);
}
