/* Images into this process: one region of memory, written once, then executable and no longer writable.
 * Not linking (image.c): an image needs none. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

struct sn_jit {
    unsigned char *code;
    size_t         size;
    uint32_t       images;
    uint32_t      *first; /* per image: the number of its first entry */
    size_t        *entry; /* offsets in code */
};

static bool fail(char **why, const char *what)
{
    if (asprintf(why, "%s: %s", what, strerror(errno)) < 0)
        *why = NULL;
    return false;
}

static void fill(sn_jit *jit, sn_image *const *image)
{
    size_t at = 0;
    for (uint32_t i = 0, n = 0; i < jit->images; i++) {
        memcpy(jit->code + at, image[i]->code, image[i]->size);
        jit->first[i] = n;
        for (uint32_t j = 0; j < image[i]->calls; j++)
            jit->entry[n++] = at + image[i]->entry[j];
        at += image[i]->size;
    }
}

static bool load(sn_jit *jit, sn_image *const *image, char **why)
{
    void *code = mmap(NULL, jit->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        return fail(why, "no memory for code");
    jit->code = code;
    fill(jit, image);
    return mprotect(code, jit->size, PROT_READ | PROT_EXEC) == 0 || fail(why, "memory cannot be made executable");
}

sn_jit *sn_jit_new(sn_image *const *image, uint32_t n, char **why)
{
    sn_jit  *jit = calloc(1, sizeof *jit);
    uint32_t calls = 0;
    SN_ASSERT(jit != NULL, "out of memory");
    jit->images = n;
    for (uint32_t i = 0; i < n; i++) {
        jit->size += image[i]->size;
        calls += image[i]->calls;
    }
    jit->first = calloc(n + 1, sizeof *jit->first);
    jit->entry = calloc(calls + 1, sizeof *jit->entry);
    SN_ASSERT(jit->first != NULL && jit->entry != NULL, "out of memory");
    if (jit->size == 0 || load(jit, image, why))
        return jit;
    sn_jit_free(jit);
    return NULL;
}

void sn_jit_free(sn_jit *jit)
{
    if (!jit)
        return;
    if (jit->code)
        munmap(jit->code, jit->size);
    free(jit->first);
    free(jit->entry);
    free(jit);
}

sn_abi_kernel *sn_jit_entry(const sn_jit *jit, uint32_t image, uint32_t call)
{
    void *address = jit->code + jit->entry[jit->first[image] + call];
    sn_abi_kernel *kernel;
    memcpy(&kernel, &address, sizeof kernel);
    return kernel;
}

const void *sn_jit_code(const sn_jit *jit, size_t *out_size)
{
    *out_size = jit->size;
    return jit->code;
}
