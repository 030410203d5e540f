/* Places inside a graph file: a tokenizer that keeps spans, lookup by key and index, duplicate keys.
 * Not the reader of values (flat.cpp). */
#include "locate.h"

#include <string.h>

#include "../ir/arena.h"

typedef struct reader {
    const char  *text;
    size_t       size, at;
    sn_arena    *arena;
    const char  *what;
    uint32_t     values;
    sn_json    **stack; /* children of the open lists, innermost last */
    size_t       used, room;
} reader;

static void *fail(reader *r, const char *what)
{
    if (!r->what) r->what = what;
    return NULL;
}

static void skip_space(reader *r)
{
    while (r->at < r->size) {
        const char *s = r->text + r->at;
        size_t left = r->size - r->at;
        if (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r') {
            r->at++;
        } else if (left >= 2 && s[0] == '/' && s[1] == '/') {
            while (r->at < r->size && r->text[r->at] != '\n') r->at++;
        } else if (left >= 2 && s[0] == '/' && s[1] == '*') {
            r->at += 2;
            while (r->at + 1 < r->size && !(r->text[r->at] == '*' && r->text[r->at + 1] == '/')) r->at++;
            r->at = r->at + 2 < r->size ? r->at + 2 : r->size;
        } else {
            return;
        }
    }
}

static char peek(reader *r)
{
    skip_space(r);
    return r->at < r->size ? r->text[r->at] : '\0';
}

static bool read_string(reader *r)
{
    char quote = r->text[r->at++];
    while (r->at < r->size && r->text[r->at] != quote) {
        if (r->text[r->at] == '\n') break;
        r->at += r->text[r->at] == '\\' ? 2 : 1;
    }
    if (r->at >= r->size || r->text[r->at] != quote) {
        fail(r, "the closing quote of this string");
        return false;
    }
    r->at++;
    return true;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '+' || c == '-';
}

static bool push(reader *r, sn_json *j)
{
    if (r->used == r->room) { /* doubles, so the arena holds at most twice what is needed */
        size_t room = r->room ? r->room * 2 : 256;
        sn_json **grown = sn_new_n(r->arena, sn_json *, room);
        if (r->used) memcpy(grown, r->stack, r->used * sizeof *grown);
        r->stack = grown;
        r->room = room;
    }
    r->stack[r->used++] = j;
    return true;
}

static sn_json *read_value(reader *r, int depth);

/* After '{' or '[': the children up to the closing bracket. */
static bool read_children(reader *r, sn_json *j, int depth)
{
    size_t base = r->used;
    char close = j->kind == '{' ? '}' : ']';
    while (peek(r) != close) {
        uint32_t key_off = 0, key_len = 0;
        if (j->kind == '{') {
            key_off = (uint32_t)r->at;
            if (peek(r) == '"' || peek(r) == '\'') {
                key_off = (uint32_t)r->at + 1;
                if (!read_string(r)) return false;
                key_len = (uint32_t)r->at - 1 - key_off;
            } else {
                while (r->at < r->size && is_word(r->text[r->at])) r->at++;
                key_len = (uint32_t)r->at - key_off;
            }
            if (key_len == 0) return fail(r, "a key") != NULL;
            if (peek(r) != ':') return fail(r, "':' after the key") != NULL;
            r->at++;
        }
        sn_json *child = read_value(r, depth + 1);
        if (!child) return false;
        child->key_off = key_off;
        child->key_len = key_len;
        push(r, child);
        if (peek(r) == ',') r->at++;
        else if (peek(r) != close) return fail(r, j->kind == '{' ? "',' or '}' after the value" : "',' or ']' after the value") != NULL;
    }
    r->at++;
    j->n = (uint32_t)(r->used - base);
    j->item = sn_new_n(r->arena, sn_json *, j->n + 1);
    if (j->n) memcpy(j->item, r->stack + base, j->n * sizeof *j->item);
    r->used = base;
    return true;
}

static sn_json *read_value(reader *r, int depth)
{
    if (depth > SN_MAX_JSON_DEPTH) return fail(r, "at most 64 brackets inside each other");
    if (++r->values > SN_MAX_JSON_VALUES) return fail(r, "at most 1048576 values");
    char c = peek(r);
    sn_json *j = sn_new(r->arena, sn_json);
    j->off = (uint32_t)r->at;
    if (c == '{' || c == '[') {
        j->kind = c;
        r->at++;
        if (!read_children(r, j, depth)) return NULL;
    } else if (c == '"' || c == '\'') {
        j->kind = '"';
        if (!read_string(r)) return NULL;
    } else {
        j->kind = 'a';
        while (r->at < r->size && is_word(r->text[r->at])) r->at++;
        if (r->at == j->off) return fail(r, "a value");
    }
    j->len = (uint32_t)r->at - j->off;
    return j;
}

sn_json *sn_json_read(const char *text, size_t size, sn_arena *arena, uint32_t *at, const char **what)
{
    reader r = {.text = text, .size = size, .arena = arena};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) r.at = 3; /* a byte order mark */
    sn_json *j = read_value(&r, 0);
    if (j && peek(&r) != '\0') j = fail(&r, "the end of the file after the graph");
    *at = (uint32_t)(r.at < size ? r.at : size);
    *what = r.what;
    return j;
}

bool sn_json_check_keys(const sn_json *j, const char *text, uint32_t source, sn_diags *diags)
{
    bool ok = true;
    if (j->kind == '{' && j->n > SN_MAX_KEYS) {
        sn_error(diags, ((sn_loc){source, j->off, 1, NULL}), NULL, "a map of %u keys, expected at most %d", j->n, SN_MAX_KEYS);
        return false;
    }
    for (uint32_t i = 0; i < j->n; i++) {
        const sn_json *a = j->item[i];
        for (uint32_t k = 0; j->kind == '{' && k < i; k++) {
            const sn_json *b = j->item[k];
            if (a->key_len != b->key_len || memcmp(text + a->key_off, text + b->key_off, a->key_len) != 0) continue;
            sn_error(diags, ((sn_loc){source, a->key_off, a->key_len, NULL}), NULL, "\"%.*s\" stands twice in this map",
                     (int)a->key_len, text + a->key_off);
            sn_note(diags, ((sn_loc){source, b->key_off, b->key_len, NULL}), NULL, "the first is here");
            ok = false;
            break;
        }
        ok = sn_json_check_keys(a, text, source, diags) && ok;
    }
    return ok;
}

/* ---- places ------------------------------------------------------------------------------------------------------------- */

static const sn_json *find_key(const sn_spot *p, const char *key)
{
    size_t n = strlen(key);
    for (uint32_t i = 0; p->json && p->json->kind == '{' && i < p->json->n; i++) {
        const sn_json *c = p->json->item[i];
        if (c->key_len == n && memcmp(p->text + c->key_off, key, n) == 0) return c;
    }
    return NULL;
}

sn_spot sn_spot_key(sn_spot p, const char *key)
{
    if (p.text) p.json = find_key(&p, key);
    else p.path = p.path[0] ? sn_format(p.arena, "%s.%s", p.path, key) : sn_strdup(p.arena, key);
    return p;
}

sn_spot sn_spot_item(sn_spot p, uint32_t i)
{
    if (p.text) p.json = p.json && p.json->kind == '[' && i < p.json->n ? p.json->item[i] : NULL;
    else p.path = sn_format(p.arena, "%s[%u]", p.path, i);
    return p;
}

sn_loc sn_spot_loc(sn_spot p)
{
    sn_loc loc = {.source = p.source};
    if (!p.text) loc.path = p.path[0] ? p.path : "graph";
    else if (p.json) loc.off = p.json->off, loc.len = p.json->len;
    return loc;
}

sn_loc sn_spot_key_loc(sn_spot p, const char *key)
{
    if (!p.text) return sn_spot_loc(sn_spot_key(p, key));
    const sn_json *c = find_key(&p, key);
    return (sn_loc){.source = p.source, .off = c ? c->key_off : 0, .len = c ? c->key_len : 0};
}

sn_loc sn_loc_inside(const sn_diags *d, sn_loc loc, const char *string, uint32_t at, uint32_t len)
{
    const sn_source *s = loc.source < d->sources ? &d->source[loc.source] : NULL;
    size_t n = strlen(string);
    if (!s || !s->text || loc.path || loc.len != n + 2 || loc.off + loc.len > s->size) return loc;
    if (memcmp(s->text + loc.off + 1, string, n) != 0) return loc; /* escapes */
    loc.off += 1 + at;
    loc.len = len ? len : 1;
    return loc;
}
