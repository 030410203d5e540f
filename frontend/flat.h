/* The FlatBuffers side of graph files: text to binary, verifying, reading into C structures.
 * Not their meaning.  The only C++ of the project stands behind this header (flat.cpp); it throws nothing across it. */
#ifndef SN_FRONTEND_FLAT_H
#define SN_FRONTEND_FLAT_H

#include "ast.h"
#include "locate.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SN_MAX_GRAPH_BYTES = 1 << 24 };

typedef struct sn_flat { /* a graph file in binary form; heap, 16-byte aligned */
    void  *data;
    size_t size;
} sn_flat;

void sn_flat_fini(sn_flat *f);
/* Does it carry the identifier of binary graph files? */
bool sn_flat_is_binary(const void *data, size_t size);
/* Text (NUL-terminated, registered as `source`) to a verified binary.  On failure *out is untouched and diagnostics say why. */
bool sn_flat_from_text(const char *text, size_t size, uint32_t source, sn_flat *out, sn_diags *diags);
/* Is every offset, length and nesting of a binary (16-byte aligned) sound?  Nothing else here may be called before. */
bool sn_flat_verify(const void *data, size_t size);
/* Read a verified binary; `root` places it: in the text it came from, or by paths.  Strings are copied to the arena.  False with
 * diagnostics where a value cannot be represented. */
bool sn_flat_read(const void *data, size_t size, sn_spot root, sn_arena *arena, sn_ast_file *out, sn_diags *diags);

#ifdef __cplusplus
}
#endif
#endif
