/* Lists that grow by doubling.
 * Not their elements. */
#include "internal.h"

#include <stdint.h>
#include <stdlib.h>

int sn_rt_grow(void **items, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity)
        return 0;
    size_t wanted = *capacity ? *capacity * 2 : 16;
    if (wanted > SIZE_MAX / size)
        return -1;
    void *moved = realloc(*items, wanted * size);
    if (!moved)
        return -1;
    *items = moved;
    *capacity = wanted;
    return 0;
}
