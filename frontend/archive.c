/* Archives: the common form of System V and GNU.
 *
 *   "!<arch>\n"  then for each member a header of 60 characters and its bytes, padded to an even number
 *   member "/":  the index: number of symbols, the offset of each one's member (32 bits, big-endian), their names
 */
#include "archive.h"

#include <ar.h>
#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ir/ir.h"
#include "../runtime/data/file.h"

typedef struct member { char name[16]; size_t size; char *data; } member;
struct sn_archive { member *member; uint32_t count, capacity; };

enum { LONGEST_NAME = 15, MAX_ARCHIVE = 1 << 30 };

sn_archive *sn_archive_new(void)
{
    sn_archive *a = calloc(1, sizeof *a);
    SN_ASSERT(a, "out of memory");
    return a;
}

void sn_archive_free(sn_archive *a)
{
    if (!a) return;
    for (uint32_t i = 0; i < a->count; i++) free(a->member[i].data);
    free(a->member);
    free(a);
}

void sn_archive_add(sn_archive *a, const char *name, const void *data, size_t size)
{
    if (a->count == a->capacity) {
        a->capacity = a->capacity ? 2 * a->capacity : 16;
        a->member = realloc(a->member, a->capacity * sizeof *a->member);
        SN_ASSERT(a->member, "out of memory");
    }
    member *m = &a->member[a->count++];
    *m = (member){.size = size, .data = malloc(size ? size : 1)};
    SN_ASSERT(m->data && strlen(name) <= LONGEST_NAME, "no place for a member %s", name);
    snprintf(m->name, sizeof m->name, "%s", name);
    memcpy(m->data, data, size);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

sn_rt_status sn_archive_add_file(sn_archive *a, const char *path, sn_rt_error *err)
{
    char  *bytes;
    size_t size, at = SARMAG;
    sn_rt_status status = sn_rt_file_read(path, MAX_ARCHIVE, &bytes, &size, err);
    if (status != SN_RT_OK) return status;
    if (size < SARMAG || memcmp(bytes, ARMAG, SARMAG) != 0) status = sn_rt_fail(err, SN_RT_FORMAT, "%s: not an archive of objects", path);
    while (status == SN_RT_OK && at < size) {
        struct ar_hdr h;
        char   digits[sizeof h.ar_size + 1] = "", name[sizeof h.ar_name + 1] = "";
        bool   whole = size - at >= sizeof h;
        if (whole) memcpy(&h, bytes + at, sizeof h);
        if (whole) memcpy(digits, h.ar_size, sizeof h.ar_size), memcpy(name, h.ar_name, sizeof h.ar_name);
        size_t n = strtoul(digits, NULL, 10);
        if (!whole || memcmp(h.ar_fmag, ARFMAG, 2) != 0 || n > size - at - sizeof h)
            status = sn_rt_fail(err, SN_RT_FORMAT, "%s: damaged at byte %zu", path, at);
        else if (name[0] == '/' && name[1] >= '0' && name[1] <= '9')
            status = sn_rt_fail(err, SN_RT_FORMAT, "%s: byte %zu: a member's name is longer than %d characters", path, at, LONGEST_NAME);
        else if (name[0] != '/') { /* the index is made anew */
            name[strcspn(name, "/ ")] = '\0';
            sn_archive_add(a, name, bytes + at + sizeof h, n);
        }
        at += sizeof h + n + n % 2;
    }
    free(bytes);
    return status;
}

/* ---- the index ---------------------------------------------------------------------------------------------------------- */

typedef struct index_text { FILE *offsets, *names; uint32_t count; } index_text;

static void put_u32(FILE *f, size_t v)
{
    const unsigned char b[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v};
    fwrite(b, 1, sizeof b, f);
}

/* Symbols that other objects may use.  Members come from LLVM or from a compiler, so their tables are trusted to lie inside. */
static void index_member(index_text *x, const member *m, size_t offset)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)(const void *)m->data;
    if (m->size < sizeof *head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_ident[EI_CLASS] != ELFCLASS64) return;
    const Elf64_Shdr *section = (const Elf64_Shdr *)(const void *)(m->data + head->e_shoff);
    for (uint32_t i = 0; i < head->e_shnum; i++) {
        if (section[i].sh_type != SHT_SYMTAB) continue;
        const Elf64_Sym *symbol = (const Elf64_Sym *)(const void *)(m->data + section[i].sh_offset);
        const char      *names = m->data + section[section[i].sh_link].sh_offset;
        for (size_t k = section[i].sh_info; k < section[i].sh_size / sizeof *symbol; k++) { /* local ones come first */
            if (symbol[k].st_shndx == SHN_UNDEF) continue;
            put_u32(x->offsets, offset);
            fwrite(names + symbol[k].st_name, 1, strlen(names + symbol[k].st_name) + 1, x->names);
            x->count++;
        }
    }
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static sn_rt_status write_member(sn_rt_replace *r, const char *name, const void *data, size_t size, sn_rt_error *err)
{
    char slashed[18], head[64];
    snprintf(slashed, sizeof slashed, *name == '/' ? "%s" : "%s/", name);
    snprintf(head, sizeof head, "%-16s%-12d%-6d%-6d%-8o%-10zu" ARFMAG, slashed, 0, 0, 0, 0644, size);
    sn_rt_status status = sn_rt_replace_write(r, head, sizeof(struct ar_hdr), err);
    if (status == SN_RT_OK) status = sn_rt_replace_write(r, data, size, err);
    if (status == SN_RT_OK && size % 2) status = sn_rt_replace_write(r, "\n", 1, err);
    return status;
}

static sn_rt_status write_all(const sn_archive *a, sn_rt_replace *r, sn_rt_error *err)
{
    char  *offsets = NULL, *names = NULL, *index = NULL;
    size_t offsets_size = 0, names_size = 0, index_size = 0;
    for (int pass = 0; pass < 2; pass++) { /* where members begin is known once the index's size is */
        index_text x = {open_memstream(&offsets, &offsets_size), open_memstream(&names, &names_size), 0};
        SN_ASSERT(x.offsets && x.names, "out of memory");
        size_t at = SARMAG + sizeof(struct ar_hdr) + index_size + index_size % 2;
        for (uint32_t i = 0; i < a->count; i++) {
            index_member(&x, &a->member[i], at);
            at += sizeof(struct ar_hdr) + a->member[i].size + a->member[i].size % 2;
        }
        fclose(x.offsets), fclose(x.names);
        free(index);
        FILE *f = open_memstream(&index, &index_size);
        SN_ASSERT(f, "out of memory");
        put_u32(f, x.count);
        fwrite(offsets, 1, offsets_size, f);
        fwrite(names, 1, names_size, f);
        fclose(f);
        free(offsets), free(names);
    }
    sn_rt_status status = sn_rt_replace_write(r, ARMAG, SARMAG, err);
    if (status == SN_RT_OK) status = write_member(r, "/", index, index_size, err);
    for (uint32_t i = 0; i < a->count && status == SN_RT_OK; i++)
        status = write_member(r, a->member[i].name, a->member[i].data, a->member[i].size, err);
    free(index);
    return status;
}

sn_rt_status sn_archive_write(const sn_archive *a, const char *path, sn_rt_error *err)
{
    sn_rt_replace *r;
    sn_rt_status status = sn_rt_replace_open(path, &r, err);
    if (status != SN_RT_OK) return status;
    status = write_all(a, r, err);
    if (status == SN_RT_OK) return sn_rt_replace_commit(r, err);
    sn_rt_replace_abandon(r);
    return status;
}
