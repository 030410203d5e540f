/* Diagnostics: collecting, rendering with line, column and caret, and the nearest name.
 * Not the wording of messages: those stand where the fault is found. */
#include "diag.h"

#include <stdlib.h>
#include <string.h>

#include "ir.h"

void sn_diags_init(sn_diags *d)
{
    memset(d, 0, sizeof *d);
    sn_arena_init(&d->arena);
    d->source = calloc(1, sizeof *d->source);
    SN_ASSERT(d->source, "out of memory");
    d->source[0].file = "sinew";
    d->sources = 1;
}

void sn_diags_fini(sn_diags *d)
{
    sn_arena_fini(&d->arena);
    free(d->source);
    free(d->diag);
    memset(d, 0, sizeof *d);
}

uint32_t sn_diags_source(sn_diags *d, const char *file, const char *text, size_t size)
{
    sn_source *grown = realloc(d->source, (d->sources + 1) * sizeof *grown);
    SN_ASSERT(grown, "out of memory");
    d->source = grown;
    grown[d->sources] = (sn_source){sn_strdup(&d->arena, file), text ? sn_strndup(&d->arena, text, size) : NULL, text ? size : 0};
    return d->sources++;
}

void sn_diag_add(sn_diags *d, sn_severity s, sn_loc loc, const char *node, const char *format, ...)
{
    if (d->count == d->capacity) {
        d->capacity = d->capacity ? 2 * d->capacity : 16;
        sn_diag *grown = realloc(d->diag, d->capacity * sizeof *grown);
        SN_ASSERT(grown, "out of memory");
        d->diag = grown;
    }
    va_list args;
    va_start(args, format);
    const char *text = sn_format_list(&d->arena, format, args);
    va_end(args);
    if (loc.path)
        loc.path = sn_strdup(&d->arena, loc.path);
    d->diag[d->count++] = (sn_diag){s, loc, node ? sn_strdup(&d->arena, node) : NULL, text};
    d->errors += s == SN_ERROR;
}

/* ---- rendering ---------------------------------------------------------------------------------------------------------- */

typedef struct place { size_t line, column, begin, end; } place; /* 1-based; [begin, end) is the line without its end */

static place place_of(const sn_source *s, size_t off)
{
    place p = {1, 1, 0, 0};
    if (off > s->size)
        off = s->size;
    for (size_t i = 0; i < off; i++)
        if (s->text[i] == '\n') {
            p.line++;
            p.begin = i + 1;
        }
    p.end = off;
    while (p.end < s->size && s->text[p.end] != '\n' && s->text[p.end] != '\r')
        p.end++;
    for (size_t i = p.begin; i < off; i++) /* columns count characters: UTF-8 continuation bytes do not */
        p.column += ((unsigned char)s->text[i] & 0xC0) != 0x80;
    return p;
}

enum { BEFORE = 100, AFTER = 140 }; /* bytes shown around the place in a long line */

static bool begins_character(const sn_source *s, size_t i) { return ((unsigned char)s->text[i] & 0xC0) != 0x80; }

/* The source line (what is near in a long one) and, below it, carets under [off, off+len) as far as they are on this line. */
static void print_caret(const sn_source *s, const place *p, size_t off, size_t len, FILE *out)
{
    if (off > p->end)
        off = p->end;
    size_t begin = off - p->begin > AFTER ? off - BEFORE : p->begin, end = p->end - off > AFTER ? off + AFTER : p->end;
    while (begin < off && !begins_character(s, begin))
        begin++;
    while (end < p->end && end > off && !begins_character(s, end))
        end--;
    fputs(begin > p->begin ? "... " : "    ", out);
    for (size_t i = begin; i < end; i++)
        fputc((unsigned char)s->text[i] < 0x20 || s->text[i] == 0x7f ? ' ' : s->text[i], out);
    fputs(end < p->end ? " ...\n    " : "\n    ", out);
    for (size_t i = begin; i < off; i++)
        if (begins_character(s, i))
            fputc(' ', out);
    fputc('^', out);
    for (size_t i = off + 1; i < off + len && i < end; i++)
        if (begins_character(s, i))
            fputc('^', out);
    fputc('\n', out);
}

unsigned sn_diags_line(const sn_diags *d, sn_loc loc)
{
    return (unsigned)place_of(&d->source[loc.source], loc.off).line;
}

static void print_one(const sn_diags *d, const sn_diag *g, FILE *out)
{
    static const char *const word[] = {"error", "warning", "note"};
    const sn_source *s = &d->source[g->loc.source < d->sources ? g->loc.source : 0];
    place p = {0};
    fputs(s->file, out);
    if (s->text) {
        p = place_of(s, g->loc.off);
        fprintf(out, ":%zu:%zu", p.line, p.column);
    }
    fputs(": ", out);
    if (!s->text && g->loc.path)
        fprintf(out, "%s: ", g->loc.path);
    fprintf(out, "%s: ", word[g->severity]);
    if (g->node)
        fprintf(out, "node \"%s\": ", g->node);
    fprintf(out, "%s\n", g->text);
    if (s->text)
        print_caret(s, &p, g->loc.off, g->loc.len, out);
}

const char *sn_diags_place(const sn_diags *d, sn_loc loc, sn_arena *arena)
{
    if (loc.source == 0 || loc.source >= d->sources)
        return "";
    const sn_source *s = &d->source[loc.source];
    if (!s->text)
        return sn_format(arena, "%s: %s", s->file, loc.path ? loc.path : "");
    return sn_format(arena, "%s:%u", s->file, sn_diags_line(d, loc));
}

void sn_diags_print(const sn_diags *d, FILE *out)
{
    for (uint32_t i = 0; i < d->count; i++)
        print_one(d, &d->diag[i], out);
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

enum { LONGEST = 63 }; /* longer words are not compared */

/* Edits (insert, delete, replace, swap neighbours) from a to b: restricted Damerau-Levenshtein distance. */
static size_t edits(const char *a, size_t n, const char *b, size_t m)
{
    size_t row[3][LONGEST + 1];
    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        const size_t *above = row[(i + 2) % 3], *above2 = row[(i + 1) % 3];
        size_t *here = row[i % 3];
        here[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = here[j - 1] + 1 < best ? here[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            here[j] = best;
        }
    }
    return row[n % 3][m];
}

const char *sn_nearest(const char *word, const char *const *candidate, size_t n)
{
    const size_t length = strlen(word);
    const char *found = NULL;
    size_t best = length < 3 ? 2 : length / 3 + 2; /* one edit in a short word, a third of a long one */
    if (length > LONGEST)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const size_t m = strlen(candidate[i]);
        if (m > LONGEST)
            continue;
        const size_t k = edits(word, length, candidate[i], m);
        if (k < best && k < m) { /* never by replacing every letter */
            best = k;
            found = candidate[i];
        }
    }
    return found;
}
