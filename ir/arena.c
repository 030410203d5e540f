/* Bump allocation in a list of zeroed chunks.
 * Not a general allocator: nothing is freed alone. */
#include "ir.h"

#include <stdlib.h>
#include <string.h>

typedef struct sn_chunk sn_chunk;
struct sn_chunk {
    sn_chunk *next;
    size_t    used, size; /* of data, in bytes */
    _Alignas(16) unsigned char data[];
};

enum { ALIGN = 16, CHUNK = 64 * 1024 };

void sn_arena_init(sn_arena *a) { a->chunk = NULL; }

void sn_arena_fini(sn_arena *a)
{
    for (sn_chunk *c = a->chunk, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    a->chunk = NULL;
}

void *sn_alloc(sn_arena *a, size_t size)
{
    SN_ASSERT(size <= SIZE_MAX / 2, "%zu bytes asked for", size);
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    sn_chunk *c = a->chunk;
    if (!c || c->size - c->used < size) {
        const size_t room = size > CHUNK / 4 ? size : CHUNK;
        sn_chunk *fresh = calloc(1, sizeof *fresh + room);
        SN_ASSERT(fresh, "out of memory for %zu bytes", room);
        fresh->size = room;
        if (c && room != CHUNK) { /* a large block of its own goes second, so that the open chunk stays in use */
            fresh->used = size;
            fresh->next = c->next;
            c->next = fresh;
            return fresh->data;
        }
        fresh->next = c;
        a->chunk = c = fresh;
    }
    void *p = c->data + c->used;
    c->used += size;
    return p;
}

char *sn_strndup(sn_arena *a, const char *s, size_t n)
{
    char *copy = sn_alloc(a, n + 1);
    memcpy(copy, s, n);
    return copy;
}

char *sn_strdup(sn_arena *a, const char *s) { return sn_strndup(a, s, strlen(s)); }

char *sn_format_list(sn_arena *a, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    SN_ASSERT(n >= 0, "format %s", format);
    char *text = sn_alloc(a, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

char *sn_format(sn_arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = sn_format_list(a, format, args);
    va_end(args);
    return text;
}
