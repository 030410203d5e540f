/* Rewriting a graph file as text or as binary.
 * Not reading it for use (model.h): imports are not followed, names not resolved. */
#ifndef SN_FRONTEND_CONVERT_H
#define SN_FRONTEND_CONVERT_H

#include "ast.h"

/* Read `from` (text or binary by content) and replace `to` atomically.  False with diagnostics; then `to` is as it was. */
bool sn_convert(const char *from, const char *to, bool text, sn_diags *diags);

#endif
