/* A kernel's bytes out of an ELF object that holds several: the sections it needs, laid out and linked among themselves.
 * Not an ELF linker: code of this project refers to itself only, by distance.  Anything else is an error that names it.
 *
 * Sections that a kernel reaches through relocations are copied whole: its functions, micro-kernels it shares with others, its tables, and
 * the small pools of constants of the object.
 */
#include <elf.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

typedef struct link {
    const unsigned char *base;
    size_t               size;
    const Elf64_Ehdr    *head;
    const Elf64_Shdr    *section;
    const Elf64_Sym     *symbol;
    const char          *names; /* of symbols */
    size_t               symbols, names_size;
    uint32_t             sections, symbol_table;
    uint32_t            *order, found;  /* sections reached, in order */
    uint32_t            *at;            /* offset in the image + 1; 0 = not reached */
    char               **why;
} link;

static bool fail(link *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool fail(link *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vasprintf(l->why, format, args) < 0)
        *l->why = NULL;
    va_end(args);
    return false;
}

static bool inside(const link *l, uint64_t offset, uint64_t size)
{
    return offset <= l->size && size <= l->size - offset;
}

/* ---- reading ---- */

static bool open_object(link *l)
{
    l->head = (const Elf64_Ehdr *)(const void *)l->base;
    if (l->size < sizeof *l->head || memcmp(l->head->e_ident, ELFMAG, SELFMAG) != 0 || l->head->e_ident[EI_CLASS] != ELFCLASS64)
        return fail(l, "the object is not 64-bit ELF");
    if (l->head->e_machine != EM_X86_64)
        return fail(l, "objects of ELF machine %u cannot be loaded, only x86-64", l->head->e_machine);
    l->sections = l->head->e_shnum;
    l->section = (const Elf64_Shdr *)(const void *)(l->base + l->head->e_shoff);
    if (!inside(l, l->head->e_shoff, (uint64_t)l->sections * sizeof *l->section))
        return fail(l, "the object ends before its section table");
    for (uint32_t i = 0; i < l->sections; i++) {
        const Elf64_Shdr *s = &l->section[i];
        if (s->sh_type != SHT_NOBITS && !inside(l, s->sh_offset, s->sh_size))
            return fail(l, "the object ends before its section %u", i);
        if (s->sh_type == SHT_SYMTAB && s->sh_link < l->sections) {
            l->symbol_table = i;
            l->symbol = (const Elf64_Sym *)(const void *)(l->base + s->sh_offset);
            l->symbols = s->sh_size / sizeof *l->symbol;
            l->names = (const char *)l->base + l->section[s->sh_link].sh_offset;
            l->names_size = l->section[s->sh_link].sh_size;
        }
    }
    return l->symbol ? true : fail(l, "the object has no symbols");
}

static const char *name_of(const link *l, const Elf64_Sym *s)
{
    return s->st_name < l->names_size ? l->names + s->st_name : "";
}

/* <symbol>_<call>; a symbol that is a kernel's name may be long. */
static const Elf64_Sym *find(const link *l, const char *symbol, uint32_t call)
{
    char   end[16];
    size_t n = strlen(symbol);
    snprintf(end, sizeof end, "_%u", call);
    for (size_t i = 0; i < l->symbols; i++) {
        const char *name = name_of(l, &l->symbol[i]);
        if (l->symbol[i].st_shndx != SHN_UNDEF && strncmp(name, symbol, n) == 0 && strcmp(name + n, end) == 0)
            return &l->symbol[i];
    }
    return NULL;
}

/* ---- which sections ---- */

static bool reach(link *l, const Elf64_Sym *s)
{
    uint32_t i = s->st_shndx;
    if (i == SHN_UNDEF || i >= l->sections)
        return fail(l, "it calls or reads \"%s\", but generated code may use nothing from outside", name_of(l, s));
    if (l->section[i].sh_type != SHT_PROGBITS || (l->section[i].sh_flags & SHF_WRITE))
        return fail(l, "it uses section %u, which is neither code nor constant", i);
    if (l->at[i])
        return true;
    l->at[i] = 1;
    l->order[l->found++] = i;
    return true;
}

typedef bool each_fn(link *l, uint32_t section, const Elf64_Rela *r, const Elf64_Sym *s, unsigned char *code);

static bool each_relocation(link *l, uint32_t section, each_fn *fn, unsigned char *code)
{
    for (uint32_t i = 0; i < l->sections; i++) {
        const Elf64_Shdr *table = &l->section[i];
        if (table->sh_info != section || (table->sh_type != SHT_RELA && table->sh_type != SHT_REL))
            continue;
        if (table->sh_type == SHT_REL || table->sh_link != l->symbol_table)
            return fail(l, "relocations of an unknown form");
        const Elf64_Rela *r = (const Elf64_Rela *)(const void *)(l->base + table->sh_offset);
        for (size_t k = 0; k < table->sh_size / sizeof *r; k++) {
            size_t symbol = ELF64_R_SYM(r[k].r_info);
            if (symbol >= l->symbols)
                return fail(l, "a relocation has no symbol");
            if (!fn(l, section, &r[k], &l->symbol[symbol], code))
                return false;
        }
    }
    return true;
}

static bool follow(link *l, uint32_t section, const Elf64_Rela *r, const Elf64_Sym *s, unsigned char *code)
{
    (void)section, (void)r, (void)code;
    return reach(l, s);
}

/* ---- laying out ---- */

/* Offsets of all sections reached; the size of all, 0 on failure. */
static size_t lay_out(link *l)
{
    size_t end = 0;
    for (uint32_t k = 0; k < l->found; k++) {
        const Elf64_Shdr *s = &l->section[l->order[k]];
        size_t align = s->sh_addralign ? s->sh_addralign : 1;
        if (align > SN_IMAGE_ALIGN || (align & (align - 1)) || s->sh_size > UINT32_MAX / 2 - end)
            return fail(l, "section %u asks for an alignment of %zu bytes", l->order[k], align);
        end = (end + align - 1) & ~(align - 1);
        l->at[l->order[k]] = (uint32_t)end + 1;
        end += s->sh_size;
    }
    return end;
}

static bool apply(link *l, uint32_t section, const Elf64_Rela *r, const Elf64_Sym *s, unsigned char *code)
{
    uint32_t type = (uint32_t)ELF64_R_TYPE(r->r_info);
    if ((type != R_X86_64_PC32 && type != R_X86_64_PLT32) || r->r_offset > l->section[section].sh_size - 4)
        return fail(l, "relocation type %u at \"%s\", which is not a distance of 32 bits", type, name_of(l, s));
    int64_t place = (int64_t)(l->at[section] - 1 + r->r_offset), to = (int64_t)(l->at[s->st_shndx] - 1 + s->st_value);
    int32_t distance = (int32_t)(to + r->r_addend - place);
    memcpy(code + place, &distance, sizeof distance);
    return true;
}

static sn_image *write_image(link *l, size_t size)
{
    size_t    room = (size + SN_IMAGE_ALIGN - 1) & ~(size_t)(SN_IMAGE_ALIGN - 1);
    sn_image *image = calloc(1, sizeof *image + room);
    SN_ASSERT(image != NULL, "out of memory");
    image->size = (uint32_t)room;
    for (uint32_t k = 0; k < l->found; k++) {
        const Elf64_Shdr *s = &l->section[l->order[k]];
        memcpy(image->code + l->at[l->order[k]] - 1, l->base + s->sh_offset, s->sh_size);
    }
    for (uint32_t k = 0; k < l->found; k++)
        if (!each_relocation(l, l->order[k], apply, image->code)) {
            free(image);
            return NULL;
        }
    return image;
}

/* ---- images ---- */

/* Find the entries and lay out all that they need; the size, 0 on failure. */
static size_t gather(link *l, const char *symbol, uint32_t calls, const Elf64_Sym **entry)
{
    for (uint32_t j = 0; j < calls; j++) {
        entry[j] = find(l, symbol, j);
        if (!entry[j])
            return fail(l, "the object has no function %s_%u", symbol, j);
        if (!reach(l, entry[j]))
            return 0;
    }
    for (uint32_t k = 0; k < l->found; k++)
        if (!each_relocation(l, l->order[k], follow, NULL))
            return 0;
    return lay_out(l);
}

static sn_image *make(link *l, const char *symbol, uint32_t calls)
{
    const Elf64_Sym *entry[SN_MAX_CALLS];
    size_t    size = gather(l, symbol, calls, entry);
    sn_image *image = size ? write_image(l, size) : NULL;
    if (!image)
        return NULL;
    image->calls = calls;
    for (uint32_t j = 0; j < calls; j++)
        image->entry[j] = l->at[entry[j]->st_shndx] - 1 + (uint32_t)entry[j]->st_value;
    return image;
}

static bool open_link(link *l, const void *object, size_t size, char **why)
{
    *l = (link){.base = object, .size = size, .why = why};
    if (!open_object(l))
        return false;
    l->order = calloc(l->sections, sizeof *l->order);
    l->at = calloc(l->sections, sizeof *l->at);
    SN_ASSERT(l->order != NULL && l->at != NULL, "out of memory");
    return true;
}

static void close_link(link *l)
{
    free(l->order);
    free(l->at);
}

sn_image *sn_image_make(const void *object, size_t size, const char *symbol, uint32_t calls, char **why)
{
    link l;
    if (!open_link(&l, object, size, why))
        return NULL;
    sn_image *image = make(&l, symbol, calls);
    close_link(&l);
    return image;
}

void *sn_image_object(const void *object, size_t size, const char *symbol, uint32_t calls)
{
    link  l;
    char *why = NULL;
    const Elf64_Sym *entry[SN_MAX_CALLS];
    bool  ok = open_link(&l, object, size, &why) && gather(&l, symbol, calls, entry) > 0;
    SN_ASSERT(ok, "an object that an image was made of: %s", why ? why : "?");
    unsigned char *copy = malloc(size);
    SN_ASSERT(copy != NULL, "out of memory");
    memcpy(copy, object, size);
    Elf64_Shdr *section = (Elf64_Shdr *)(void *)(copy + l.head->e_shoff);
    for (uint32_t i = 0; i < l.sections; i++) {
        if (l.at[i])
            section[i].sh_addr = l.at[i] - 1;
        else
            section[i].sh_flags &= ~(Elf64_Xword)SHF_ALLOC;
    }
    close_link(&l);
    return copy;
}

bool sn_image_fits(const void *data, size_t size, uint32_t calls)
{
    const sn_image *image = data;
    if (size < sizeof *image || image->size != size - sizeof *image || image->size % SN_IMAGE_ALIGN || image->calls != calls ||
        calls > SN_MAX_CALLS)
        return false;
    for (uint32_t j = 0; j < calls; j++)
        if (image->entry[j] >= image->size)
            return false;
    return true;
}
