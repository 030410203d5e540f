/* Expressions of graph files: "2*hidden + 1", "training && p > 0", "(x - mean) * gamma".
 * Not tensors: a formula shares this syntax, but what it does with names that mean tensors is formula.c's business.
 *
 * Grammar, loosest first:  a ? b : c    ||    &&    == !=    < <= > >=    + -    * / %    ! -    ( ) number name f(a, b)
 * Names are letters, digits, underscores, and dots inside.  Division of whole numbers rounds down; 1 is true and 0 false.
 */
#ifndef SN_FRONTEND_EXPR_H
#define SN_FRONTEND_EXPR_H

#include "../ir/ir.h"

enum { SN_MAX_EXPR_LENGTH = 2000, SN_MAX_EXPR_DEPTH = 60 };

typedef enum sn_expr_kind { SN_EXPR_INT, SN_EXPR_REAL, SN_EXPR_NAME, SN_EXPR_CALL, SN_EXPR_OP } sn_expr_kind;

typedef struct sn_expr {
    sn_expr_kind     kind;
    uint32_t         off, len; /* in the text */
    char             op;       /* + - * / % < > ! ? and l: <=  g: >=  e: ==  n: !=  a: &&  o: || */
    int64_t          integer;
    double           real;
    const char      *name;     /* NAME, CALL */
    uint32_t         n;        /* operands or arguments */
    struct sn_expr **arg;
} sn_expr;

typedef struct sn_expr_error { /* what is wrong, where in the text */
    uint32_t off, len;
    char     text[192];
} sn_expr_error;

/* NULL with *error set on failure. */
sn_expr *sn_expr_parse(const char *text, sn_arena *arena, sn_expr_error *error);
/* The operator as written: "&&". */
const char *sn_expr_word(char op);

/* ---- numbers ------------------------------------------------------------------------------------------------------------ */

typedef enum sn_num_kind {
    SN_NUM_UNKNOWN, /* depends on something already reported, or not known in this check: silences what follows */
    SN_NUM_INT, SN_NUM_REAL,
    SN_NUM_DIM      /* a dimension that is free until run time, or arithmetic on one; never constant */
} sn_num_kind;
typedef struct sn_num { sn_num_kind kind; int64_t i; double r; sn_dim d; } sn_num;

static inline sn_num sn_num_int(int64_t i) { return (sn_num){.kind = SN_NUM_INT, .i = i}; }
static inline sn_num sn_num_real(double r) { return (sn_num){.kind = SN_NUM_REAL, .r = r}; }
sn_num sn_num_dim(sn_dim d); /* INT if constant */
static inline sn_num sn_num_unknown(void) { return (sn_num){.kind = SN_NUM_UNKNOWN}; }
double sn_num_value(sn_num a); /* INT or REAL */
/* "3", "0.5", "(T-1)/2+1" */
void sn_num_text(const sn_dims *dims, sn_num a, char *out, size_t n);

/* What names mean.  `name` returns false after setting error->text to what is wrong. */
typedef struct sn_expr_scope {
    bool   (*name)(void *ctx, const char *name, sn_num *out, sn_expr_error *error);
    void    *ctx;
    sn_dims *dims;
    bool     real_division; /* formulas: 1 / 2 is 0.5 */
    bool     free;          /* set when the error is that a dimension is free until run time */
} sn_expr_scope;

/* Value of an expression; false with *error set. */
bool sn_expr_eval(const sn_expr *e, sn_expr_scope *scope, sn_num *out, sn_expr_error *error);
/* One operator or function on numbers already computed; `e` names it and its place. */
bool sn_num_apply(const sn_expr *e, sn_expr_scope *scope, const sn_num *a, sn_num *out, sn_expr_error *error);
/* Is there a number function of that name; its number of arguments, or -1. */
int sn_num_function(const char *name);

#endif
