/* A list of names with a hash table of their numbers.
 * Not an arena. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a. */
static uint32_t hash(const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 16777619u;
    return h;
}

/* The slot that holds the name or where it belongs. */
static uint32_t place(const sn_rt_names *n, const char *name)
{
    uint32_t at = hash(name) & (n->slots - 1);
    while (n->slot[at] && strcmp(n->name[n->slot[at] - 1], name) != 0) at = (at + 1) & (n->slots - 1);
    return at;
}

static sn_rt_status grow(sn_rt_names *n, sn_rt_error *err)
{
    uint32_t capacity = n->capacity ? 2 * n->capacity : 16;
    char **name = realloc(n->name, capacity * sizeof *name);
    if (name) n->name = name;
    uint32_t *slot = name ? calloc(2 * (size_t)capacity, sizeof *slot) : NULL;
    if (!slot) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %u names", capacity);
    free(n->slot);
    n->slot = slot;
    n->slots = 2 * capacity;
    n->capacity = capacity;
    for (uint32_t i = 0; i < n->count; i++) n->slot[place(n, n->name[i])] = i + 1;
    return SN_RT_OK;
}

sn_rt_status sn_rt_names_add(sn_rt_names *n, const char *name, uint32_t *out, sn_rt_error *err)
{
    uint32_t known = sn_rt_names_find(n, name);
    if (known != SN_RT_NO_NAME) {
        *out = known;
        return SN_RT_OK;
    }
    sn_rt_status status = n->count == n->capacity ? grow(n, err) : SN_RT_OK;
    if (status != SN_RT_OK) return status;
    char *copy = strdup(name);
    if (!copy) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a name");
    n->name[n->count] = copy;
    n->slot[place(n, name)] = n->count + 1;
    *out = n->count++;
    return SN_RT_OK;
}

uint32_t sn_rt_names_find(const sn_rt_names *n, const char *name)
{
    if (!n->count) return SN_RT_NO_NAME;
    uint32_t at = place(n, name);
    return n->slot[at] ? n->slot[at] - 1 : SN_RT_NO_NAME;
}

void sn_rt_names_fini(sn_rt_names *n)
{
    for (uint32_t i = 0; i < n->count; i++) free(n->name[i]);
    free(n->name);
    free(n->slot);
    *n = (sn_rt_names){0};
}
