/* Open addressing over FNV-1a.
 * Nothing is ever removed. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

#include "ir.h"

void sn_names_init(sn_names *m) { memset(m, 0, sizeof *m); }

void sn_names_fini(sn_names *m)
{
    free(m->key);
    free(m->value);
    memset(m, 0, sizeof *m);
}

static uint32_t slot_of(const sn_names *m, const char *key)
{
    uint32_t h = 2166136261u;
    for (const char *p = key; *p; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    h ^= h >> 15;
    while (m->key[h & (m->capacity - 1)] && strcmp(m->key[h & (m->capacity - 1)], key) != 0)
        h++;
    return h & (m->capacity - 1);
}

static void grow(sn_names *m)
{
    sn_names big = {.capacity = m->capacity ? 2 * m->capacity : 64, .count = m->count};
    big.key = calloc(big.capacity, sizeof *big.key);
    big.value = calloc(big.capacity, sizeof *big.value);
    SN_ASSERT(big.key && big.value, "out of memory");
    for (uint32_t i = 0; i < m->capacity; i++)
        if (m->key[i]) {
            const uint32_t slot = slot_of(&big, m->key[i]);
            big.key[slot] = m->key[i];
            big.value[slot] = m->value[i];
        }
    sn_names_fini(m);
    *m = big;
}

uint32_t *sn_names_at(sn_names *m, const char *key, bool *made)
{
    if (2 * (m->count + 1) > m->capacity)
        grow(m);
    const uint32_t slot = slot_of(m, key);
    if (made)
        *made = !m->key[slot];
    if (!m->key[slot]) {
        m->key[slot] = key;
        m->count++;
    }
    return &m->value[slot];
}

uint32_t *sn_names_find(const sn_names *m, const char *key)
{
    if (!m->capacity)
        return NULL;
    const uint32_t slot = slot_of(m, key);
    return m->key[slot] ? &m->value[slot] : NULL;
}
