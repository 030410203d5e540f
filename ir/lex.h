/* Tokens of the textual IR.
 * Not the grammar (parse.c, LANG.md). */
#ifndef SN_IR_LEX_H
#define SN_IR_LEX_H

#include "ir.h"

typedef enum sn_token_kind {
    SN_TOKEN_END,
    SN_TOKEN_WORD,   /* contract, f32, N */
    SN_TOKEN_VALUE,  /* %name, %name~2, %7, %"any name" */
    SN_TOKEN_STATE,  /* $name */
    SN_TOKEN_GRAPH,  /* @name */
    SN_TOKEN_NUMBER, /* 12, 0x1.8p+1, inf, nan(0x7ff8000000000000); a sign before it is a mark */
    SN_TOKEN_STRING, /* "..." */
    SN_TOKEN_MARK    /* one of ( ) { } [ ] , : = + - * / -- in `mark` */
} sn_token_kind;

typedef struct sn_token {
    sn_token_kind kind;
    sn_loc        loc;
    char          mark;
    const char   *text;  /* name without sigil and ~k, string without quotes, number as written; in the arena */
    const char   *label; /* VALUE: the name as sn_name_text writes it, the number of an unnamed value */
    bool          named; /* VALUE: false for %7 */
} sn_token;

typedef struct sn_lexer {
    const char *text;
    size_t      size, pos;
    uint32_t    source;
    sn_arena   *arena;
    sn_diags   *diags;
    sn_token    token; /* the current one */
    uint32_t    end;   /* offset behind the token before it */
    bool        bad;   /* something was no token; the parser clears it and says nothing more about the statement */
} sn_lexer;

void sn_lexer_init(sn_lexer *l, sn_diags *diags, uint32_t source, sn_arena *arena);
/* Go to the next token.  Characters that begin none are reported and skipped. */
void sn_lexer_next(sn_lexer *l);
/* After a mistake in a statement that began at offset `from`: go to the first token of the next line, but stay at one that begins a line. */
void sn_lexer_recover(sn_lexer *l, uint32_t from);

/* The number a NUMBER token writes; false if it is no number or out of range. */
bool sn_token_int(const sn_token *t, int64_t *out);
bool sn_token_real(const sn_token *t, double *out);
/* As a float: finite numbers are rounded, nan keeps its 32 bits. */
bool sn_token_float(const sn_token *t, float *out);

#endif
