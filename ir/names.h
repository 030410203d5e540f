/* A map from strings to numbers.
 * Keys are borrowed: they must live as long as the map.  Not ordered. */
#ifndef SN_IR_NAMES_H
#define SN_IR_NAMES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sn_names {
    const char **key;   /* NULL = free slot */
    uint32_t    *value;
    uint32_t     count, capacity; /* capacity is a power of two, at least twice count */
} sn_names;

void sn_names_init(sn_names *m);
void sn_names_fini(sn_names *m);
/* Where the number of `key` stands, made 0 on first use (then *made is true; may be NULL). */
uint32_t *sn_names_at(sn_names *m, const char *key, bool *made);
/* The same, NULL if absent. */
uint32_t *sn_names_find(const sn_names *m, const char *key);

#endif
