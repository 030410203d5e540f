/* Large allocations from the system: anonymous mappings with huge pages advised.
 * Not a heap: every allocation is a mapping of its own. */
#include "memory.h"

#include <stdint.h>

#include <sys/mman.h>
#include <unistd.h>

static size_t whole_pages(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) / page * page;
}

void *sn_rt_pages_new(size_t bytes)
{
    if (!bytes) bytes = 1;
    if (bytes > SIZE_MAX / 2) return NULL;
    void *memory = mmap(NULL, whole_pages(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
#ifdef MADV_HUGEPAGE
    /* Advice only: without it the first touch of every 4 KiB traps into the kernel.  Small stores do without, they would waste the rest
     * of a huge page. */
    if (bytes >= (size_t)4 << 20) (void)madvise(memory, whole_pages(bytes), MADV_HUGEPAGE);
#endif
    return memory;
}

void sn_rt_pages_free(void *memory, size_t bytes)
{
    if (memory) munmap(memory, whole_pages(bytes ? bytes : 1));
}
