/* Assembly with the graph files' lines between: what LLVM says of places in directives, as comments that a reader understands.
 * Not debug information (debug.c), from which it comes.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { MAX_FILES = 64 };

typedef struct lines {
    const sn_diags *diags;
    FILE           *out;
    char            file[MAX_FILES][512]; /* by LLVM's number */
    unsigned        number, line;         /* of the place told last */
} lines;

/* `.file 1 "folder" "name"`: the last string is what debug.c named it. */
static void take_file(lines *l, const char *at)
{
    char *end;
    const unsigned long number = strtoul(at, &end, 10);
    const char *last = strrchr(end, '"'), *first = last;
    while (first && first > end && *--first != '"') {}
    if (number < MAX_FILES && first && first < last)
        snprintf(l->file[number], sizeof l->file[0], "%.*s", (int)(last - first - 1), first + 1);
}

static const char *text_of_line(const sn_diags *d, const char *file, unsigned line, size_t *length)
{
    for (uint32_t i = 1; i < d->sources; i++) {
        const char *at = d->source[i].text;
        if (!at || strcmp(d->source[i].file, file) != 0)
            continue;
        for (unsigned n = 1; at && n < line; n++)
            at = (at = strchr(at, '\n')) ? at + 1 : NULL;
        if (!at)
            return NULL;
        at += strspn(at, " \t");
        *length = strcspn(at, "\n");
        return at;
    }
    return NULL;
}

/* `.loc 1 39 0 ...` */
static void take_place(lines *l, const char *at)
{
    unsigned number, line;
    size_t length = 0;
    if (sscanf(at, "%u %u", &number, &line) != 2 || number >= MAX_FILES || line == 0 || (number == l->number && line == l->line))
        return;
    l->number = number;
    l->line = line;
    const char *text = text_of_line(l->diags, l->file[number], line, &length);
    fprintf(l->out, "# %s:%u  %.*s\n", l->file[number], line, (int)length, text ? text : "");
}

/* Labels and directives that serve debuggers and unwinders only, and sizes of functions, which end at such labels. */
static bool is_noise(const char *line)
{
    static const char *const start[] = {".Ltmp", ".Lfunc_begin", ".Lfunc_end", "\t.cfi_"};
    if (strncmp(line, "\t.size\t", 7) == 0)
        return strstr(line, ".Lfunc_end") != NULL;
    for (size_t i = 0; i < sizeof start / sizeof start[0]; i++)
        if (strncmp(line, start[i], strlen(start[i])) == 0)
            return true;
    return false;
}

void sn_lines_print(const char *text, size_t size, const sn_diags *diags, FILE *out)
{
    lines *l = calloc(1, sizeof *l);
    char *copy = strndup(text, size), *rest = NULL;
    SN_ASSERT(l != NULL && copy != NULL, "out of memory");
    l->diags = diags;
    l->out = out;
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "\t.section\t.debug", 16) == 0)
            break; /* tables for debuggers, to the end */
        if (strncmp(line, "\t.file\t", 7) == 0)
            take_file(l, line + 7);
        else if (strncmp(line, "\t.loc\t", 6) == 0)
            take_place(l, line + 6);
        else if (!is_noise(line))
            fprintf(out, "%s\n", line);
    }
    free(copy);
    free(l);
}
