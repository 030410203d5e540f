/* Words of the textual IR that printer, parser and dot writer share.
 * Not the grammar (LANG.md). */
#ifndef SN_IR_TEXT_H
#define SN_IR_TEXT_H

#include "ir.h"

/* A name as text writes it: enc.block4.tcn, or in quotes where it has other characters; the k-th value of that name (k > 0) gets ~k. */
const char *sn_name_text(sn_arena *a, const char *name, uint32_t k);
/* Is it [A-Za-z_][A-Za-z0-9_.]* ? */
bool sn_name_is_plain(const char *name);
/* The label of every node, without the sigil: its name made unique, or its number.  In the arena. */
const char **sn_node_labels(const sn_graph *g, sn_arena *a);
/* Hex float, inf, -inf or nan(0x...): the same bits come back. */
void sn_print_real(double v, FILE *out);
/* {axis=1, start=0}; nothing if the kind has no fields. */
void sn_print_attrs(const sn_graph *g, sn_attr_kind kind, const sn_attrs *attrs, FILE *out);
void sn_print_type(const sn_dims *d, const sn_type *t, FILE *out);

#endif
