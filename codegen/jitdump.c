/* What this process compiled, written down for perf: names, places and bytes of its kernels.
 * Not loading (jit.c) and not debug information of every instruction (debug.c), which libraries carry: here a kernel has the one line of its node.
 *
 *     SINEW_JITDUMP=. perf record -k mono sinew bench net.json
 *     perf inject --jit -i perf.data -o jit.data; perf report -i jit.data; perf annotate -i jit.data
 *
 * Format: tools/perf/Documentation/jitdump-specification.txt of Linux.  perf learns of the file by the mapping of its first page as code, so a
 * process has one file, which is opened at the first compilation and grows with every other.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

enum { MAGIC = 0x4A695444, VERSION = 1, LOAD = 0, LINES = 2 };

typedef struct header { uint32_t magic, version, size, machine, pad, pid; uint64_t time, flags; } header;
typedef struct record { uint32_t id, size; uint64_t time; } record;
typedef struct load   { uint32_t pid, tid; uint64_t vma, address, size, index; } load; /* then the name with its NUL, and the bytes */
typedef struct lines  { uint64_t address, count; } lines;                              /* then `count` times a line and the file's name with its NUL */
typedef struct line   { uint64_t address; uint32_t number, discriminator; } line;
_Static_assert(sizeof(header) == 40 && sizeof(record) == 16 && sizeof(load) == 40 && sizeof(lines) == 16 && sizeof(line) == 16, "the format's sizes");

/* Code that one or several calls share. */
typedef struct piece { const sn_abi_call *call; uint64_t begin, end; uint32_t calls; } piece;

/* The process's file. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE           *file;
static uint64_t        written; /* pieces */

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool fail(char **why, const char *path)
{
    if (asprintf(why, "%s: %s", path, strerror(errno)) < 0) *why = NULL;
    return false;
}

/* The mapping stays: perf sees it when it is made. */
static bool open_file(const char *folder, char **why)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/jit-%d.dump", folder, (int)getpid());
    int  fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED;
    if (ok) file = fdopen(fd, "w");
    const header h = {.magic = MAGIC, .version = VERSION, .size = sizeof h, .machine = EM_X86_64, .pid = (uint32_t)getpid(), .time = now()};
    if (ok && file && fwrite(&h, sizeof h, 1, file) == 1) return true;
    fail(why, path);
    if (file) fclose(file);
    else if (fd >= 0) close(fd);
    file = NULL;
    return false;
}

/* From its beginning to its end: a line holds up to the next one. */
static void write_lines(const piece *p)
{
    const char *colon = strrchr(p->call->where, ':');
    if (!colon) return;
    const size_t name = (size_t)(colon - p->call->where) + 1;
    const record r = {LINES, (uint32_t)(sizeof r + sizeof(lines) + 2 * (sizeof(line) + name)), now()};
    const lines  l = {p->begin, 2};
    fwrite(&r, sizeof r, 1, file);
    fwrite(&l, sizeof l, 1, file);
    for (int i = 0; i < 2; i++) {
        const line at = {i ? p->end : p->begin, (uint32_t)strtoul(colon + 1, NULL, 10), 0};
        fwrite(&at, sizeof at, 1, file);
        fwrite(p->call->where, name - 1, 1, file);
        fputc('\0', file);
    }
}

static void write_piece(const piece *p)
{
    char name[512];
    if (p->calls > 1) snprintf(name, sizeof name, "%s (and %u more calls)", p->call->name, p->calls - 1);
    else snprintf(name, sizeof name, "%s", p->call->name);
    const size_t length = strlen(name) + 1, size = (size_t)(p->end - p->begin);
    write_lines(p); /* they go before their code */
    const load   l = {(uint32_t)getpid(), (uint32_t)syscall(SYS_gettid), p->begin, p->begin, size, written++};
    const record r = {LOAD, (uint32_t)(sizeof r + sizeof l + length + size), now()};
    fwrite(&r, sizeof r, 1, file);
    fwrite(&l, sizeof l, 1, file);
    fwrite(name, length, 1, file);
    fwrite((const void *)(uintptr_t)p->begin, size, 1, file);
}

static int by_address(const void *pa, const void *pb)
{
    const piece *a = pa, *b = pb;
    return a->begin < b->begin ? -1 : a->begin > b->begin;
}

/* A piece goes from where a call begins to where the next other one does: what lies between is functions and tables of its own. */
static uint32_t pieces_of(const sn_abi_program *p, const void *code, size_t size, piece *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->calls; i++) {
        void *address;
        memcpy(&address, &p->call[i].kernel, sizeof address);
        out[i] = (piece){&p->call[i], (uint64_t)(uintptr_t)address, 0, 1};
    }
    qsort(out, p->calls, sizeof *out, by_address);
    for (uint32_t i = 0; i < p->calls; i++) {
        if (n && out[n - 1].begin == out[i].begin) out[n - 1].calls++;
        else out[n++] = out[i];
    }
    for (uint32_t i = 0; i < n; i++) out[i].end = i + 1 < n ? out[i + 1].begin : (uint64_t)(uintptr_t)code + size;
    return n;
}

bool sn_jitdump(const char *folder, const sn_abi_program *p, const void *code, size_t size, char **why)
{
    piece *all = calloc(p->calls + 1, sizeof *all);
    SN_ASSERT(all, "out of memory");
    const uint32_t n = pieces_of(p, code, size, all);
    pthread_mutex_lock(&lock);
    bool ok = file || open_file(folder, why);
    for (uint32_t i = 0; ok && i < n; i++) write_piece(&all[i]);
    if (ok && (fflush(file) || ferror(file))) ok = fail(why, folder);
    pthread_mutex_unlock(&lock);
    free(all);
    return ok;
}
