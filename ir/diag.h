/* Diagnostics: what is wrong with what the user gave us, as data.
 * Not run-time failures (runtime/status.h), not our own bugs (SN_ASSERT). Nothing here prints except the renderer the CLI calls. */
#ifndef SN_IR_DIAG_H
#define SN_IR_DIAG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "arena.h"

/* A node of a graph.  A struct, so that the compiler refuses to mix it with an integer. */
typedef struct sn_ref { uint32_t i; } sn_ref;
#define SN_NONE ((sn_ref){UINT32_MAX})
static inline bool sn_is_none(sn_ref r) { return r.i == UINT32_MAX; }
static inline bool sn_same(sn_ref a, sn_ref b) { return a.i == b.i; }

/* A place in what the user gave us. */
typedef struct sn_loc {
    uint32_t    source; /* index into sn_diags.source; 0 = no place in a file: made by a pass, or a setting */
    uint32_t    off, len; /* byte span in a text source; line and column are computed when printing */
    const char *path;   /* "modules[0].nodes[4]" for binary input; NULL for text */
} sn_loc;

typedef struct sn_source {
    const char *file;  /* as the user named it */
    const char *text;  /* NULL for binary input; else `size` bytes, kept for the caret line */
    size_t      size;
} sn_source;

typedef enum sn_severity { SN_ERROR, SN_WARNING, SN_NOTE } sn_severity;

typedef struct sn_diag {
    sn_severity severity; /* a note continues the diagnostic before it */
    sn_loc      loc;
    const char *node;     /* full name of the node, e.g. "enc.block4.tcn", or NULL */
    const char *text;     /* operator, what was found, what was expected; lower case, no full stop */
} sn_diag;

typedef struct sn_diags {
    sn_arena   arena;
    sn_source *source;  /* source[0] stands for what no file says; it prints as "sinew" */
    uint32_t   sources;
    sn_diag   *diag;
    uint32_t   count, capacity, errors;
} sn_diags;

void sn_diags_init(sn_diags *d);
void sn_diags_fini(sn_diags *d);
/* Register a source; file and text are copied.  Returns its index (>= 1). */
uint32_t sn_diags_source(sn_diags *d, const char *file, const char *text, size_t size);
/* Append one; node may be NULL; text is formatted and copied. */
void sn_diag_add(sn_diags *d, sn_severity s, sn_loc loc, const char *node, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
#define sn_error(d, loc, node, ...) sn_diag_add(d, SN_ERROR, loc, node, __VA_ARGS__)
#define sn_note(d, loc, node, ...) sn_diag_add(d, SN_NOTE, loc, node, __VA_ARGS__)

/* Line of a place in a source with text, from 1. */
unsigned sn_diags_line(const sn_diags *d, sn_loc loc);

/* "file:line", "file: path" for binary sources, "" where no file says it; in the arena. */
const char *sn_diags_place(const sn_diags *d, sn_loc loc, sn_arena *arena);

/* file:line:column: error: node "x": text, the source line and a caret below it.  Sources without text print file: path. */
void sn_diags_print(const sn_diags *d, FILE *out);

/* The candidate nearest in edit distance, if near enough to be a likely misspelling, else NULL. */
const char *sn_nearest(const char *word, const char *const *candidate, size_t n);

#endif
