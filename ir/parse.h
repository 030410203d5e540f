/* Inside the parser: the state its files share.
 * Not for others: they call sn_graph_parse. */
#ifndef SN_IR_PARSE_H
#define SN_IR_PARSE_H

#include "lex.h"
#include "names.h"

typedef struct sn_parser {
    sn_lexer    lex;
    sn_graph   *g;
    sn_diags   *diags;
    const char *node; /* name of the statement being read, or NULL */
} sn_parser;

typedef struct sn_reader {
    sn_parser p;        /* first: helpers get &r->p */
    sn_arena  arena;    /* tokens, labels */
    sn_names  value;    /* label -> node + 1; 0 = its statement was wrong */
    sn_names  param;    /* name -> index + 1; 0 = its declaration was wrong */
    struct sn_promise { const char *name; uint32_t copy; sn_loc loc; } *promise; /* copies whose weight is looked up at the end */
    uint32_t  promises;
} sn_reader;
void sn_reader_init(sn_reader *r, sn_diags *diags, uint32_t source);
void sn_reader_fini(sn_reader *r);
/* graph = ...; r->p.g is then the graph, also after mistakes; the token is what follows. */
bool sn_parse_graph(sn_reader *r);
/* A value that is defined; SN_NONE if its own statement was wrong. */
bool sn_parse_value(sn_reader *r, sn_ref *out);

/* All return false after a diagnostic. */
bool sn_parse_fail(sn_parser *p, const char *expected); /* "expected X" at the current token, and what was found */
bool sn_parse_mark(sn_parser *p, char mark);            /* that mark, and past it */
bool sn_at_mark(const sn_parser *p, char mark);
bool sn_parse_real(sn_parser *p, double *out);
bool sn_parse_type(sn_parser *p, sn_type *out);
/* {axis=1, start=0} for the operator; absent fields take their fallback. */
bool sn_parse_attrs(sn_parser *p, sn_op op, sn_attrs *out);
/* {0x1p+0, ...} */
bool sn_parse_data(sn_parser *p, sn_attr_data *out);

#endif
