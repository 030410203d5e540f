/* Parsing expressions: characters to a tree with places.
 * Not their values (number.c, formula.c). */
#include "expr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct parser {
    const char    *text;
    uint32_t       at;
    int            depth;
    sn_arena      *arena;
    sn_expr_error *error;
} parser;

static sn_expr *fail(parser *p, uint32_t off, uint32_t len, const char *what)
{
    p->error->off = off;
    p->error->len = len;
    snprintf(p->error->text, sizeof p->error->text, "%s", what);
    return NULL;
}

static void skip(parser *p)
{
    while (p->text[p->at] == ' ' || p->text[p->at] == '\t' || p->text[p->at] == '\n') p->at++;
}

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static sn_expr *node(parser *p, sn_expr_kind kind, uint32_t off)
{
    sn_expr *e = sn_new(p->arena, sn_expr);
    e->kind = kind;
    e->off = off;
    e->len = p->at - off;
    return e;
}

static sn_expr *operation(parser *p, char op, sn_expr *a, sn_expr *b, sn_expr *c, uint32_t off)
{
    sn_expr *e = node(p, SN_EXPR_OP, off);
    e->op = op;
    e->n = c ? 3 : b ? 2 : 1;
    e->arg = sn_new_n(p->arena, sn_expr *, 3);
    e->arg[0] = a;
    e->arg[1] = b;
    e->arg[2] = c;
    return e;
}

static sn_expr *parse_choice(parser *p);

static sn_expr *parse_number(parser *p)
{
    const char *s = p->text + p->at;
    uint32_t off = p->at;
    char *end = NULL;
    errno = 0;
    double r = strtod(s, &end);
    bool whole = true;
    for (const char *c = s; c < end; c++) whole = whole && is_digit(*c);
    p->at += (uint32_t)(end - s);
    if (is_letter(p->text[p->at])) return fail(p, off, p->at - off + 1, "found a letter in a number, expected an operator between them");
    if (r > 1e300) return fail(p, off, p->at - off, "number is too large");
    sn_expr *e = node(p, whole ? SN_EXPR_INT : SN_EXPR_REAL, off);
    e->real = r;
    if (whole) {
        e->integer = strtoll(s, NULL, 10);
        if (errno == ERANGE) return fail(p, off, p->at - off, "whole number is too large");
    }
    return e;
}

static sn_expr *parse_name(parser *p)
{
    enum { MOST = 8 };
    uint32_t off = p->at;
    while (is_letter(p->text[p->at]) || is_digit(p->text[p->at]) || (p->text[p->at] == '.' && is_letter(p->text[p->at + 1]))) p->at++;
    sn_expr *e = node(p, SN_EXPR_NAME, off);
    e->name = sn_strndup(p->arena, p->text + off, e->len);
    skip(p);
    if (p->text[p->at] != '(') return e;
    e->kind = SN_EXPR_CALL;
    e->arg = sn_new_n(p->arena, sn_expr *, MOST);
    do {
        p->at++;
        if (e->n == MOST) return fail(p, off, e->len, "more than 8 arguments");
        if (!(e->arg[e->n++] = parse_choice(p))) return NULL;
        skip(p);
    } while (p->text[p->at] == ',');
    if (p->text[p->at] != ')') return fail(p, p->at, 1, "expected , or ) after the argument");
    p->at++;
    return e;
}

static sn_expr *parse_unary(parser *p)
{
    skip(p);
    uint32_t off = p->at;
    char c = p->text[p->at];
    sn_expr *e = NULL;
    if (++p->depth > SN_MAX_EXPR_DEPTH) return fail(p, off, 1, "more than 60 levels of nesting");
    if ((c == '-' || c == '!') && p->text[p->at + 1] != '=') {
        p->at++;
        e = parse_unary(p);
        if (e) e = operation(p, c == '-' ? 'm' : '!', e, NULL, NULL, off);
    } else if (c == '(') {
        p->at++;
        e = parse_choice(p);
        skip(p);
        if (e && p->text[p->at] != ')') e = fail(p, p->at, 1, "expected ) here");
        else p->at++;
    } else if (is_digit(c) || (c == '.' && is_digit(p->text[p->at + 1]))) {
        e = parse_number(p);
    } else if (is_letter(c)) {
        e = parse_name(p);
    } else {
        e = fail(p, off, 1, c ? "expected a number, a name or ( here" : "the expression ends here, expected a number, a name or (");
    }
    p->depth--;
    return e;
}

/* Binary operators by level, loosest first. */
static const struct { const char *word; char op; int level; } operators[] = {
    {"||", 'o', 0}, {"&&", 'a', 1}, {"==", 'e', 2}, {"!=", 'n', 2}, {"<=", 'l', 3}, {">=", 'g', 3}, {"<", '<', 3}, {">", '>', 3},
    {"+", '+', 4},  {"-", '-', 4},  {"*", '*', 5},  {"/", '/', 5},  {"%", '%', 5},  {"!", '!', 9},  {"-", 'm', 9}, {"?", '?', 9},
};
enum { OPERATORS = sizeof operators / sizeof *operators, LEVELS = 6 };

const char *sn_expr_word(char op)
{
    for (int i = 0; i < OPERATORS; i++)
        if (operators[i].op == op) return operators[i].word;
    return "?";
}

static char match(parser *p, int level)
{
    skip(p);
    for (int i = 0; i < OPERATORS; i++) {
        size_t n = strlen(operators[i].word);
        if (strncmp(p->text + p->at, operators[i].word, n) != 0) continue;
        if (operators[i].level != level) return 0; /* the longest word comes first in the table */
        p->at += (uint32_t)n;
        return operators[i].op;
    }
    return 0;
}

static sn_expr *parse_binary(parser *p, int level)
{
    skip(p);
    uint32_t off = p->at;
    sn_expr *e = level + 1 < LEVELS ? parse_binary(p, level + 1) : parse_unary(p);
    for (char op; e && (op = match(p, level)) != 0;) {
        sn_expr *b = level + 1 < LEVELS ? parse_binary(p, level + 1) : parse_unary(p);
        e = b ? operation(p, op, e, b, NULL, off) : NULL;
    }
    return e;
}

static sn_expr *parse_choice(parser *p)
{
    skip(p);
    uint32_t off = p->at;
    if (++p->depth > SN_MAX_EXPR_DEPTH) return fail(p, off, 1, "more than 60 levels of nesting");
    sn_expr *e = parse_binary(p, 0);
    skip(p);
    if (e && p->text[p->at] == '?') {
        p->at++;
        sn_expr *a = parse_choice(p);
        skip(p);
        if (a && p->text[p->at] != ':') a = fail(p, p->at, 1, "expected : after the first choice");
        if (!a) return NULL;
        p->at++;
        sn_expr *b = parse_choice(p);
        e = b ? operation(p, '?', e, a, b, off) : NULL;
    }
    p->depth--;
    return e;
}

/* Operators nest to the left without recursion while parsing, but evaluation recurses: bound the height. */
static int height(const sn_expr *e)
{
    int h = 0;
    for (uint32_t i = 0; i < e->n; i++) {
        int a = height(e->arg[i]);
        h = a > h ? a : h;
    }
    return h + 1;
}

sn_expr *sn_expr_parse(const char *text, sn_arena *arena, sn_expr_error *error)
{
    parser p = {.text = text, .arena = arena, .error = error};
    *error = (sn_expr_error){0};
    if (strlen(text) > SN_MAX_EXPR_LENGTH) return fail(&p, 0, 1, "expression of more than 2000 characters");
    sn_expr *e = parse_choice(&p);
    skip(&p);
    if (e && text[p.at]) return fail(&p, p.at, 1, "expected an operator or the end of the expression here");
    if (e && height(e) > 4 * SN_MAX_EXPR_DEPTH) return fail(&p, 0, 1, "more than 240 operators inside each other");
    return e;
}
