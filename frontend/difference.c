/* Lines that two texts do not share: Myers' greedy algorithm on hashes of lines.
 * Not a patch: there are no line numbers, because nobody applies it. */
#include "difference.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../ir/ir.h"

typedef struct line { const char *at; size_t length; uint64_t key; } line;
typedef struct text { line *line; int64_t n; } text;

/* FNV-1a of the line with the numbers of unnamed values taken out. */
static uint64_t key_of(const char *at, size_t length)
{
    uint64_t h = 0xCBF29CE484222325u;
    for (size_t i = 0; i < length; i++) {
        h = (h ^ (unsigned char)at[i]) * 0x100000001B3u;
        while (at[i] == '%' && i + 1 < length && at[i + 1] >= '0' && at[i + 1] <= '9') {
            while (i + 1 < length && at[i + 1] >= '0' && at[i + 1] <= '9') i++;
        }
    }
    return h;
}

static text split(const char *s)
{
    text t = {0};
    size_t lines = 1;
    for (const char *p = s; *p; p++) lines += *p == '\n';
    t.line = malloc(lines * sizeof *t.line);
    SN_ASSERT(t.line, "out of memory");
    while (*s) {
        const size_t length = strcspn(s, "\n");
        t.line[t.n++] = (line){s, length, key_of(s, length)};
        s += length + (s[length] == '\n');
    }
    return t;
}

/* Marks lines of a and b that are not in the longest common sequence.  v[k]: farthest x on diagonal k; one copy of v for each number of edits. */
static void mark(const text *a, const text *b, bool *gone, bool *come)
{
    const int64_t most = a->n + b->n, width = 2 * most + 2;
    int64_t *v = calloc((size_t)width + 1, sizeof *v), **trace = calloc((size_t)most + 1, sizeof *trace), edits = 0;
    bool done = false;
    SN_ASSERT(v && trace, "out of memory");
    for (; !done; edits += !done) {
        trace[edits] = malloc((size_t)(2 * edits + 3) * sizeof **trace);
        SN_ASSERT(trace[edits], "out of memory");
        memcpy(trace[edits], v + most - edits, (size_t)(2 * edits + 2) * sizeof *v);
        for (int64_t k = -edits; k <= edits && !done; k += 2) {
            int64_t x = k == -edits || (k != edits && v[most + k - 1] < v[most + k + 1]) ? v[most + k + 1] : v[most + k - 1] + 1;
            while (x < a->n && x - k < b->n && a->line[x].key == b->line[x - k].key) x++;
            v[most + k] = x;
            done = x >= a->n && x - k >= b->n;
        }
    }
    for (int64_t d = edits, x = a->n, y = b->n; d > 0; d--) {
        const int64_t k = x - y, *before = trace[d] + d; /* before[k] is v[k] as it was */
        const bool down = k == -d || (k != d && before[k - 1] < before[k + 1]);
        const int64_t from = down ? k + 1 : k - 1, fx = before[from];
        if (down) come[fx - from] = true;
        else gone[fx] = true;
        x = fx;
        y = fx - from;
    }
    for (int64_t d = 0; d <= edits; d++) free(trace[d]);
    free(trace);
    free(v);
}

static void print_line(char sign, const line *l, FILE *out) { fprintf(out, "%c%.*s\n", sign, (int)l->length, l->at); }

/* Is a difference within `context` lines of line y of b, or before it? */
static bool is_near(const text *a, const text *b, const bool *gone, const bool *come, int64_t x, int64_t y, int64_t context)
{
    for (int64_t i = -context; i <= context; i++) {
        const bool here = (x + i >= 0 && x + i < a->n && gone[x + i]) || (y + i >= 0 && y + i < b->n && come[y + i]);
        if (here) return true;
    }
    return false;
}

size_t sn_difference_print(const char *from, const char *to, unsigned context, FILE *out)
{
    const text a = split(from), b = split(to);
    bool *gone = calloc((size_t)a.n + 1, sizeof *gone), *come = calloc((size_t)b.n + 1, sizeof *come), skipped = false;
    size_t differ = 0;
    SN_ASSERT(gone && come, "out of memory");
    mark(&a, &b, gone, come);
    for (int64_t i = 0; i < a.n; i++) differ += gone[i];
    for (int64_t i = 0; i < b.n; i++) differ += come[i];
    for (int64_t x = differ ? 0 : a.n, y = differ ? 0 : b.n; x < a.n || y < b.n;) {
        if (x < a.n && gone[x]) {
            print_line('-', &a.line[x++], out);
        } else if (y < b.n && come[y]) {
            print_line('+', &b.line[y++], out);
        } else {
            const bool near = is_near(&a, &b, gone, come, x, y, context);
            if (near) print_line(' ', &b.line[y], out);
            else if (!skipped) fputs("...\n", out);
            skipped = !near;
            x++, y++;
            continue;
        }
        skipped = false;
    }
    free(gone), free(come), free(a.line), free(b.line);
    return differ;
}
