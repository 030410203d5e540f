/* Arena: bump allocation, freed all at once.
 * Not for memory that outlives its owner; not thread-safe. */
#ifndef SN_IR_ARENA_H
#define SN_IR_ARENA_H

#include <stdarg.h>
#include <stddef.h>

typedef struct sn_arena {
    struct sn_chunk *chunk;
} sn_arena;

void  sn_arena_init(sn_arena *a);
void  sn_arena_fini(sn_arena *a);
/* 16-byte aligned, zeroed.  Ends the process by assertion when the system has no memory: compile-time graphs are small. */
void *sn_alloc(sn_arena *a, size_t size);
char *sn_strdup(sn_arena *a, const char *s);
char *sn_strndup(sn_arena *a, const char *s, size_t n);
char *sn_format(sn_arena *a, const char *format, ...) __attribute__((format(printf, 2, 3), nonnull));
char *sn_format_list(sn_arena *a, const char *format, va_list args) __attribute__((format(printf, 2, 0), nonnull));

#define sn_new(a, type) ((type *)sn_alloc((a), sizeof(type)))
#define sn_new_n(a, type, n) ((type *)sn_alloc((a), sizeof(type) * (size_t)(n)))

#endif
