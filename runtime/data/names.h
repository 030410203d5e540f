/* A list of names, each once, numbered in the order of their first mention.
 * Not a map: nothing is attached to a name but its number. */
#ifndef SN_RUNTIME_DATA_NAMES_H
#define SN_RUNTIME_DATA_NAMES_H

#include "../status.h"

#include <stdint.h>

#define SN_RT_NO_NAME UINT32_MAX

typedef struct sn_rt_names {
    char   **name; /* [count], owned */
    uint32_t count;
    uint32_t capacity, slots, *slot; /* slot: open addressing, number + 1, 0 = free */
} sn_rt_names;

/* Number of the name, which is copied and added if it is new.  SN_RT_MEMORY. */
sn_rt_status sn_rt_names_add(sn_rt_names *names, const char *name, uint32_t *out, sn_rt_error *err);
/* Number of the name or SN_RT_NO_NAME. */
uint32_t sn_rt_names_find(const sn_rt_names *names, const char *name);
void     sn_rt_names_fini(sn_rt_names *names); /* harmless on a zeroed struct */

#endif
