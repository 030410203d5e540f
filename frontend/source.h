/* One graph file: its bytes, and what they say.
 * Not its imports and names (model.h). */
#ifndef SN_FRONTEND_SOURCE_H
#define SN_FRONTEND_SOURCE_H

#include "flat.h"

/* The whole file with a NUL after it, heap, 16-byte aligned; NULL with *why when it cannot be read or is no plain file up to 16 MiB. */
char *sn_source_read(const char *path, size_t *size, const char **why);
/* Read text or binary, by content, into *out and register it as *source under the name `path`.  `flat` (may be NULL) receives the
 * binary form.  False with diagnostics; then *flat is untouched. */
bool sn_source_parse(const char *path, const char *data, size_t size, sn_arena *arena, sn_ast_file *out, uint32_t *source, sn_flat *flat,
                     sn_diags *diags);

#endif
