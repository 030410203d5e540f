/* Large allocations from the system, for slabs and parameter stores.
 * Not for small things, which use malloc. */
#ifndef SN_RUNTIME_CORE_MEMORY_H
#define SN_RUNTIME_CORE_MEMORY_H

#include <stddef.h>

/* Zeroed memory of `bytes` rounded up to whole pages, advised to use huge pages (page faults dominate short runs otherwise).  NULL if
 * refused.  free wants the same size and accepts NULL.  Implemented in memory.c. */
void *sn_rt_pages_new(size_t bytes);
void  sn_rt_pages_free(void *memory, size_t bytes);

#endif
