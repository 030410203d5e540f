/* Reading tokens and numbers.
 * Locale-independent but for the decimal point strtod expects; hex floats as printed have one only after 0x1. */
#include "lex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static int peek(const sn_lexer *l, size_t ahead) { return l->pos + ahead < l->size ? (unsigned char)l->text[l->pos + ahead] : -1; }
static bool is_digit(int c) { return c >= '0' && c <= '9'; }
static bool is_first(int c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_name(int c) { return is_first(c) || is_digit(c) || c == '.'; }

static void skip_blanks(sn_lexer *l)
{
    for (int c; (c = peek(l, 0)) >= 0;)
        if (c == '#')
            while (peek(l, 0) >= 0 && peek(l, 0) != '\n')
                l->pos++;
        else if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            l->pos++;
        else
            return;
}

static const char *take_name(sn_lexer *l)
{
    const size_t start = l->pos;
    while (is_name(peek(l, 0)))
        l->pos++;
    return sn_strndup(l->arena, l->text + start, l->pos - start);
}

static const char *take_digits(sn_lexer *l)
{
    const size_t start = l->pos;
    while (is_digit(peek(l, 0)))
        l->pos++;
    return sn_strndup(l->arena, l->text + start, l->pos - start);
}

static int hex_value(int c) { return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/* A string at the opening quote; NULL and an error if it does not end on this line. */
static const char *take_string(sn_lexer *l)
{
    const size_t start = l->pos++;
    size_t n = 0, stop = l->pos;
    while (stop < l->size && l->text[stop] != '"' && l->text[stop] != '\n')
        stop += l->text[stop] == '\\' && stop + 1 < l->size && l->text[stop + 1] != '\n' ? 2 : 1;
    if (stop >= l->size || l->text[stop] != '"') {
        l->pos = stop < l->size ? stop : l->size;
        sn_error(l->diags, ((sn_loc){l->source, (uint32_t)start, 1, NULL}), NULL, "this string has no end on its line");
        return NULL;
    }
    char *out = sn_alloc(l->arena, stop - l->pos + 1);
    while (l->pos < stop) {
        const int hi = hex_value(peek(l, 2)), lo = hex_value(peek(l, 3));
        if (peek(l, 0) == '\\' && peek(l, 1) == 'x' && hi >= 0 && lo >= 0 && hi + lo > 0) {
            out[n++] = (char)(hi * 16 + lo);
            l->pos += 4;
        } else {
            l->pos += peek(l, 0) == '\\' ? 1u : 0u;
            out[n++] = (char)peek(l, 0);
            l->pos++;
        }
    }
    l->pos = stop + 1;
    return strlen(out) == n ? out : sn_strndup(l->arena, out, strlen(out));
}

/* Behind a sigil: a name, a string, or (values only) a number. */
static bool take_sigil(sn_lexer *l, sn_token *t)
{
    const int c = peek(l, 0);
    uint32_t k = 0;
    t->named = true;
    if (c == '"') {
        t->text = take_string(l);
    } else if (is_first(c)) {
        t->text = take_name(l);
    } else if (t->kind == SN_TOKEN_VALUE && is_digit(c)) {
        t->named = false;
        t->text = t->label = take_digits(l);
        return true;
    } else {
        return false;
    }
    if (!t->text)
        return false;
    if (t->kind == SN_TOKEN_VALUE && peek(l, 0) == '~' && is_digit(peek(l, 1))) {
        l->pos++;
        k = (uint32_t)strtoul(take_digits(l), NULL, 10);
    }
    t->label = sn_name_text(l->arena, t->text, k);
    return true;
}

/* Digits, signs of exponents, inf, nan(0x...): everything that may belong to a number. */
static const char *take_number(sn_lexer *l)
{
    const size_t start = l->pos;
    const bool hex = peek(l, 0) == '0' && peek(l, 1) == 'x';
    for (int c; (c = peek(l, 0)) >= 0; l->pos++) {
        const int before = l->pos > start ? (unsigned char)l->text[l->pos - 1] : 0;
        const bool exponent = before == 'p' || before == 'P' || (!hex && (before == 'e' || before == 'E'));
        if (!is_name(c) && !((c == '+' || c == '-') && exponent))
            break;
    }
    if (peek(l, 0) == '(' && l->pos - start >= 3 && memcmp(l->text + l->pos - 3, "nan", 3) == 0) {
        while (peek(l, 0) >= 0 && peek(l, 0) != ')' && peek(l, 0) != '\n')
            l->pos++;
        l->pos += peek(l, 0) == ')' ? 1u : 0u;
    }
    return sn_strndup(l->arena, l->text + start, l->pos - start);
}

static bool is_word_number(const char *text) { return strcmp(text, "inf") == 0 || strcmp(text, "nan") == 0; }

static bool take_token(sn_lexer *l, sn_token *t)
{
    const int c = peek(l, 0);
    if (c == '%' || c == '$' || c == '@') {
        t->kind = c == '%' ? SN_TOKEN_VALUE : c == '$' ? SN_TOKEN_STATE : SN_TOKEN_GRAPH;
        l->pos++;
        return take_sigil(l, t);
    }
    if (c == '"') {
        t->kind = SN_TOKEN_STRING;
        t->text = take_string(l);
        return t->text != NULL;
    }
    if (is_first(c)) {
        const size_t start = l->pos;
        t->kind = SN_TOKEN_WORD;
        t->text = take_name(l);
        if (is_word_number(t->text)) {
            l->pos = start;
            t->kind = SN_TOKEN_NUMBER;
            t->text = take_number(l);
        }
        return true;
    }
    if (is_digit(c)) { /* -3 is a mark and a number: dimensions subtract */
        t->kind = SN_TOKEN_NUMBER;
        t->text = take_number(l);
        return true;
    }
    l->pos++;
    t->kind = SN_TOKEN_MARK;
    t->mark = (char)c;
    return c > 0 && strchr("(){}[],:=+-*/", c) != NULL;
}

void sn_lexer_init(sn_lexer *l, sn_diags *diags, uint32_t source, sn_arena *arena)
{
    const sn_source *s = &diags->source[source];
    *l = (sn_lexer){.text = s->text, .size = s->text ? s->size : 0, .source = source, .arena = arena, .diags = diags};
    sn_lexer_next(l);
}

void sn_lexer_next(sn_lexer *l)
{
    l->end = (uint32_t)l->pos;
    for (;;) {
        skip_blanks(l);
        const size_t start = l->pos;
        const uint32_t errors = l->diags->errors;
        l->token = (sn_token){.kind = SN_TOKEN_END, .loc = {l->source, (uint32_t)start, 0, NULL}};
        if (start >= l->size)
            return;
        const bool good = take_token(l, &l->token);
        l->token.loc.len = (uint32_t)(l->pos - start);
        if (good)
            return;
        l->bad = true;
        if (l->diags->errors == errors)
            sn_error(l->diags, l->token.loc, NULL, "no word of the language begins here");
    }
}

void sn_lexer_recover(sn_lexer *l, uint32_t from)
{
    const size_t at = l->token.loc.off;
    if (at > from && memchr(l->text + l->end, '\n', at - l->end)) /* the statement ended early: this token begins the next */
        return;
    l->pos = at;
    while (peek(l, 0) >= 0 && peek(l, 0) != '\n')
        l->pos++;
    sn_lexer_next(l);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------------ */

bool sn_token_int(const sn_token *t, int64_t *out)
{
    char *end;
    errno = 0;
    const long long v = strtoll(t->text, &end, 10);
    if (*end || errno || end == t->text)
        return false;
    *out = v;
    return true;
}

/* nan(0x...) with at most `digits` hex digits. */
static bool nan_bits(const char *text, size_t digits, uint64_t *bits)
{
    if (strncmp(text, "nan(0x", 6) != 0)
        return false;
    char *end;
    const size_t n = strspn(text + 6, "0123456789abcdef");
    *bits = strtoull(text + 6, &end, 16);
    return n > 0 && n <= digits && strcmp(end, ")") == 0;
}

bool sn_token_real(const sn_token *t, double *out)
{
    uint64_t bits;
    double v;
    char *end;
    if (nan_bits(t->text, 16, &bits)) {
        memcpy(&v, &bits, sizeof v);
        if (v == v)
            return false;
        *out = v;
        return true;
    }
    if (strstr(t->text, "nan"))
        return false;
    v = strtod(t->text, &end);
    if (*end || end == t->text)
        return false;
    *out = v;
    return true;
}

bool sn_token_float(const sn_token *t, float *out)
{
    uint64_t bits;
    double v;
    if (nan_bits(t->text, 8, &bits)) {
        const uint32_t narrow = (uint32_t)bits;
        float f;
        memcpy(&f, &narrow, sizeof f);
        if (f == f)
            return false;
        *out = f;
        return true;
    }
    if (!sn_token_real(t, &v) || v != v)
        return false;
    *out = (float)v; /* beyond the range: inf, as IEEE rounding has it */
    return true;
}
