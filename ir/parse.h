/* Inside the parser: the state its two files share.
 * Not for others: they call sn_graph_parse. */
#ifndef SN_IR_PARSE_H
#define SN_IR_PARSE_H

#include "lex.h"

typedef struct sn_parser {
    sn_lexer    lex;
    sn_graph   *g;
    sn_diags   *diags;
    const char *node; /* name of the statement being read, or NULL */
} sn_parser;

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
