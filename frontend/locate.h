/* Places inside a graph file: which bytes of the text hold modules[2].nodes[4].with.stride.
 * Not a parser of meaning: flat.cpp reads the values, this finds where they stand. */
#ifndef SN_FRONTEND_LOCATE_H
#define SN_FRONTEND_LOCATE_H

#include "../ir/diag.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SN_MAX_JSON_DEPTH = 64, SN_MAX_JSON_VALUES = 1 << 20, SN_MAX_KEYS = 4096 };

typedef struct sn_json { /* a value of the text */
    uint32_t         off, len;         /* strings with their quotes */
    uint32_t         key_off, key_len; /* its key, in a map, without quotes */
    char             kind;             /* '{' '[' '"' or 'a' for any other word */
    uint32_t         n;
    struct sn_json **item;
} sn_json;

/* Tokenize JSON with comments and unquoted keys.  On failure returns NULL and sets *at and *what (static): what was expected there. */
sn_json *sn_json_read(const char *text, size_t size, sn_arena *arena, uint32_t *at, const char **what);
/* One error for every key that stands twice in a map; true if there was none. */
bool sn_json_check_keys(const sn_json *j, const char *text, uint32_t source, sn_diags *diags);

/* Where a value is while a file is read: a node of the token tree, or a path when the file is binary. */
typedef struct sn_spot {
    uint32_t       source;
    const char    *text; /* NULL: binary */
    const sn_json *json; /* NULL in text: the value is not there */
    const char    *path;
    sn_arena      *arena;
} sn_spot;

sn_spot sn_spot_key(sn_spot p, const char *key);
sn_spot sn_spot_item(sn_spot p, uint32_t i);
sn_loc   sn_spot_loc(sn_spot p);
/* Of the key itself. */
sn_loc   sn_spot_key_loc(sn_spot p, const char *key);

/* The byte `at` (and `len` bytes) inside a string value at `loc`; the whole value where escapes or binary input hide the place. */
sn_loc sn_loc_inside(const sn_diags *d, sn_loc loc, const char *string, uint32_t at, uint32_t len);

#ifdef __cplusplus
}
#endif
#endif
