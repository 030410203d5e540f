/* Compiled code that gdb knows: objects with debug information, told of by the interface that gdb has for programs that make code.
 * Not making that information (debug.c) and not loading the code (jit.c).
 *
 * Interface: "JIT Compilation Interface" in gdb's manual.  gdb stops at the function below and then reads the list; names and layouts are its own.
 */
#include <elf.h>
#include <pthread.h>
#include <stdlib.h>

#include "internal.h"

enum { NOTHING, REGISTER, UNREGISTER };

struct sn_gdb { sn_gdb *next, *before; void *object; uint64_t size; };

extern struct jit_descriptor { uint32_t version, action; sn_gdb *relevant, *first; } __jit_debug_descriptor;
struct jit_descriptor __jit_debug_descriptor = {1, NOTHING, NULL, NULL};

extern void __jit_debug_register_code(void);
__attribute__((noinline)) void __jit_debug_register_code(void) { __asm__ volatile("" ::: "memory"); }

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void tell(sn_gdb *entry, uint32_t action)
{
    __jit_debug_descriptor.relevant = entry;
    __jit_debug_descriptor.action = action;
    __jit_debug_register_code();
    __jit_debug_descriptor.relevant = NULL;
    __jit_debug_descriptor.action = NOTHING;
}

/* Sections in memory have their address; what is not loaded is none of gdb's business. */
static void set_addresses(unsigned char *object, uint64_t base)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)(const void *)object;
    Elf64_Shdr       *section = (Elf64_Shdr *)(void *)(object + head->e_shoff);
    for (uint32_t i = 0; i < head->e_shnum; i++)
        if (section[i].sh_flags & SHF_ALLOC) section[i].sh_addr += base;
}

sn_gdb *sn_gdb_add(void *object, size_t size, const void *code)
{
    sn_gdb *entry = calloc(1, sizeof *entry);
    SN_ASSERT(entry, "out of memory");
    set_addresses(object, (uint64_t)(uintptr_t)code);
    *entry = (sn_gdb){.object = object, .size = size};
    pthread_mutex_lock(&lock);
    entry->next = __jit_debug_descriptor.first;
    if (entry->next) entry->next->before = entry;
    __jit_debug_descriptor.first = entry;
    tell(entry, REGISTER);
    pthread_mutex_unlock(&lock);
    return entry;
}

void sn_gdb_remove(sn_gdb *entry)
{
    if (!entry) return;
    pthread_mutex_lock(&lock);
    if (entry->before) entry->before->next = entry->next;
    else __jit_debug_descriptor.first = entry->next;
    if (entry->next) entry->next->before = entry->before;
    tell(entry, UNREGISTER);
    pthread_mutex_unlock(&lock);
    free(entry->object);
    free(entry);
}
