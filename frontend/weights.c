/* Converting a state dictionary by the rows of its source: names, shapes, moving of elements, and what is left over.
 * Not the rows (weights_rules.c) and not the command line (cmd_weights.c). */
#include "weights.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TOKENS = 12, MOST_FAULTS = 12, NAME = 256, KEPT = sizeof "kept:" - 1 };

/* One factor of an axis. */
typedef struct token {
    char     letter; /* 0: a number */
    bool     prime;
    uint64_t number;
    uint32_t axis;
} token;

typedef struct side { token at[MOST_TOKENS]; uint32_t tokens, axes; } side;

typedef struct conversion {
    const sn_weights_job *job;
    const sn_rt_tensors  *in;
    sn_rt_tensors        *out;
    sn_weights_report    *report;
    sn_weights_say       *say;
    void                 *ctx;
    bool                 *used;      /* per tensor of `in` */
    uint64_t              size[128]; /* of the letters, 0 = not known yet */
    uint32_t              faults;
} conversion;

/* ---- faults ------------------------------------------------------------------------------------------------------------- */

static void complain(conversion *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(conversion *c, const char *format, ...)
{
    char    text[1024];
    va_list args;
    int     n = snprintf(text, sizeof text, "%s: ", c->job->file);
    va_start(args, format);
    if (n >= 0 && (size_t)n < sizeof text) vsnprintf(text + n, sizeof text - (size_t)n, format, args);
    va_end(args);
    if (c->faults++ < MOST_FAULTS) c->say(c->ctx, text);
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

/* `pattern` with {0} {1} {s} and @ filled in, behind what out holds. */
static void expand(const char *pattern, const char *stream, uint32_t block, uint64_t s, char *out)
{
    size_t n = strlen(out);
    for (; *pattern && n + 16 < NAME; pattern++) {
        if (*pattern == '@') n += (size_t)snprintf(out + n, NAME - n, "%s", stream);
        else if (*pattern == '{') {
            uint64_t number = pattern[1] == 's' ? s : block + (uint64_t)(pattern[1] - '0');
            n += (size_t)snprintf(out + n, NAME - n, "%" PRIu64, number);
            pattern += 2;
        } else out[n++] = *pattern;
    }
    out[n] = '\0';
}

static void their_name(const conversion *c, const sn_weights_part *p, const char *pattern, uint32_t block, uint64_t s, char out[NAME])
{
    *out = '\0';
    expand(p->theirs, c->job->stream, block, s, out);
    expand(pattern, c->job->stream, block, s, out);
}

static void our_name(const conversion *c, const sn_weights_part *p, const sn_weights_rule *r, uint32_t block, char out[NAME])
{
    bool head = r->kind == SN_WEIGHTS_HEAD; /* "head:" stands before the whole name */
    snprintf(out, NAME, "%s%s%s", head ? "head:" : "", c->job->prefix, p->ours);
    expand(r->ours, c->job->stream, block, 0, out);
}

static bool matches(const char *pattern, const char *stream, const char *name)
{
    char   text[NAME] = "";
    expand(pattern, stream, 0, 0, text);
    size_t n = strlen(text);
    return n && text[n - 1] == '*' ? strncmp(text, name, n - 1) == 0 : strcmp(text, name) == 0;
}

/* A tensor without a counterpart that the source is known to have. */
static bool is_kept(const conversion *c, const char *name)
{
    static const char *const streams[] = {"", "_motion", "_bone"};
    const sn_weights_source *s = c->job->source;
    for (const char *const *k = s->kept; *k; k++)
        if (matches(*k, c->job->stream, name)) return true;
    for (const char *const *k = s->others; k && *k; k++)
        for (uint32_t i = 0; i < sizeof streams / sizeof *streams; i++)
            if (strcmp(streams[i], c->job->stream) != 0 && matches(*k, streams[i], name)) return true;
    return false;
}

static const sn_rt_array *find(conversion *c, const char *name)
{
    const sn_rt_array *a = sn_rt_tensors_find(c->in, name);
    for (size_t i = 0; a && i < sn_rt_tensors_count(c->in); i++)
        if (sn_rt_tensors_at(c->in, i) == a) c->used[i] = true;
    return a;
}

/* ---- axes --------------------------------------------------------------------------------------------------------------- */

/* One list of axes; gives what follows it. */
static const char *parse_side(const char *at, side *out)
{
    bool grouped = false;
    *out = (side){.tokens = 0};
    for (; *at && strncmp(at, "->", 2) != 0; at++) {
        if (*at == '(') grouped = true;
        if (*at == ')') grouped = false;
        if (*at == ')' || (!grouped && isalnum((unsigned char)*at))) out->axes++;
        if (!isalnum((unsigned char)*at)) continue;
        token *t = &out->at[out->tokens++];
        *t = (token){.axis = grouped ? out->axes : out->axes - 1};
        if (isalpha((unsigned char)*at)) t->letter = *at;
        for (; isdigit((unsigned char)*at); at++) t->number = 10 * t->number + (uint64_t)(*at - '0');
        if (!t->letter) at--;
        if (at[1] == '\'') t->prime = true, at++;
    }
    return *at ? at + 2 : at;
}

static uint64_t extent(const conversion *c, const token *t) { return t->letter ? c->size[(unsigned char)t->letter] : t->number; }

/* The shape as far as it is known. */
static void shape_of(const conversion *c, const side *s, uint64_t *dims)
{
    for (uint32_t a = 0; a < s->axes; a++) dims[a] = 1;
    for (uint32_t i = 0; i < s->tokens; i++) {
        uint64_t *d = &dims[s->at[i].axis], n = extent(c, &s->at[i]);
        *d = n == 0 || *d == SN_RT_ANY_DIM ? SN_RT_ANY_DIM : *d * n;
    }
}

/* Size of one letter of an axis that is not known yet, from the axis and its other factors. */
static void learn(conversion *c, const side *s, uint32_t axis, uint64_t dim)
{
    const token *unknown = NULL;
    for (uint32_t i = 0; i < s->tokens; i++) {
        if (s->at[i].axis != axis) continue;
        uint64_t n = extent(c, &s->at[i]);
        if (n == 0 && unknown) return;
        if (n == 0) unknown = &s->at[i];
        else if (dim % n != 0) return;
        else dim /= n;
    }
    if (unknown) c->size[(unsigned char)unknown->letter] = dim;
}

/* Does the tensor have the shape?  Sizes that were not known are taken from it. */
static bool fits(conversion *c, const side *s, const sn_rt_array *a, const char *name)
{
    sn_rt_error err;
    uint64_t    dims[SN_RT_MAX_RANK];
    if (a->rank == s->axes && a->elem == SN_RT_ELEM_F32)
        for (uint32_t i = 0; i < s->axes; i++) learn(c, s, i, a->dims[i]);
    shape_of(c, s, dims);
    if (sn_rt_array_expect(a, name, SN_RT_ELEM_F32, s->axes, dims, &err) == SN_RT_OK) return true;
    complain(c, "%s", err.text);
    return false;
}

static bool is_finite(conversion *c, const sn_rt_array *a, const char *name)
{
    const float *x = a->data;
    for (size_t i = 0; i < a->bytes / sizeof *x; i++)
        if (!isfinite(x[i])) return complain(c, "%s: element %zu is not a finite number", name, i), false;
    return true;
}

static void missing(conversion *c, const char *name, const side *s)
{
    uint64_t dims[SN_RT_MAX_RANK];
    char     shape[160];
    shape_of(c, s, dims);
    sn_rt_shape_text(SN_RT_ELEM_F32, s->axes, dims, shape, sizeof shape);
    complain(c, "%s is missing, expected %s", name, shape);
}

/* ---- tensors ------------------------------------------------------------------------------------------------------------ */

static float *add(conversion *c, const char *name, const side *s)
{
    uint64_t    dims[SN_RT_MAX_RANK];
    void       *data;
    sn_rt_error err;
    shape_of(c, s, dims);
    if (sn_rt_tensors_add(c->out, name, SN_RT_ELEM_F32, s->axes, dims, NULL, &data, &err) == SN_RT_OK) return data;
    complain(c, "%s", err.text);
    return NULL;
}

/* Elements from one factor of `s` to the next, rows of all that stand behind it; 0 for what s does not have. */
static uint64_t stride_of(const conversion *c, const side *s, const token *t)
{
    uint64_t stride = 1;
    for (uint32_t i = s->tokens; i-- > 0;) {
        const token *u = &s->at[i];
        if (t->letter ? u->letter == t->letter && u->prime == t->prime : !u->letter && u->number == t->number) return stride;
        stride *= extent(c, u);
    }
    return 0;
}

/* Every element of their tensor, slice `s` of ours, from the one to the other. */
static void move(const conversion *c, const side *theirs, const side *ours, uint64_t s, float *their, float *our)
{
    const token slice = {.letter = 's'};
    uint64_t    index[MOST_TOKENS] = {0}, stride[MOST_TOKENS], count = 1, at = s * stride_of(c, ours, &slice);
    for (uint32_t i = 0; i < theirs->tokens; i++) {
        stride[i] = stride_of(c, ours, &theirs->at[i]);
        count *= extent(c, &theirs->at[i]);
    }
    for (uint64_t e = 0; e < count; e++) {
        if (c->job->to) their[e] = our[at];
        else our[at] = their[e];
        for (uint32_t i = theirs->tokens; i-- > 0;) { /* to the next element */
            at += stride[i];
            if (++index[i] < extent(c, &theirs->at[i])) break;
            at -= index[i] * stride[i];
            index[i] = 0;
        }
    }
}

static void convert_tensor(conversion *c, const sn_weights_part *p, const sn_weights_rule *r, uint32_t block)
{
    side  theirs, ours;
    char  name[NAME], own[NAME];
    bool  sliced = strstr(r->theirs, "{s}") != NULL;
    parse_side(parse_side(r->axes, &theirs), &ours);
    our_name(c, p, r, block, own);
    const sn_rt_array *whole = c->job->to ? find(c, own) : NULL;
    float             *our = whole ? whole->data : NULL;
    if (c->job->to && !whole) return missing(c, own, &ours);
    if (whole && (!fits(c, &ours, whole, own) || !is_finite(c, whole, own))) return;
    for (uint64_t s = 0; s < (sliced ? c->size['s'] : 1); s++) {
        their_name(c, p, r->theirs, block, s, name);
        const sn_rt_array *part = c->job->to ? NULL : find(c, name);
        float             *their = part ? part->data : NULL;
        if (!c->job->to && !part) missing(c, name, &theirs);
        else if (part && (!fits(c, &theirs, part, name) || !is_finite(c, part, name))) continue;
        else if (c->job->to ? (their = add(c, name, &theirs)) != NULL : our || (our = add(c, own, &ours))) move(c, &theirs, &ours, s, their, our);
    }
    c->report->mapped++;
    uint64_t numbers = 1;
    for (uint32_t i = 0; i < ours.tokens; i++) numbers *= extent(c, &ours.at[i]);
    c->report->numbers += numbers;
}

static void copy_as(conversion *c, const sn_rt_array *a, const char *name)
{
    sn_rt_error err;
    if (sn_rt_tensors_add(c->out, name, a->elem, a->rank, a->dims, a->data, NULL, &err) != SN_RT_OK) complain(c, "%s", err.text);
    c->report->kept++;
}

static void keep(conversion *c, const sn_rt_array *a)
{
    char name[NAME + KEPT];
    if (strlen(a->name) >= NAME) return complain(c, "%.40s...: the name is too long", a->name);
    snprintf(name, sizeof name, "kept:%s", a->name);
    copy_as(c, a, name);
}

/* A tensor without a counterpart that the published class has: kept as it is, made of zeros where there is nothing to keep. */
static void convert_lone(conversion *c, const sn_weights_part *p, const sn_weights_rule *r, uint32_t block)
{
    char        name[NAME], kept[NAME + KEPT];
    side        s;
    sn_rt_error err;
    their_name(c, p, r->theirs, block, 0, name);
    snprintf(kept, sizeof kept, "kept:%s", name);
    const sn_rt_array *a = find(c, c->job->to ? kept : name);
    if (a && c->job->to) return copy_as(c, a, name);
    if (a) return keep(c, a);
    if (!c->job->to || r->kind == SN_WEIGHTS_FIXED) return; /* older files count no batches */
    parse_side(r->axes, &s);
    if (r->kind == SN_WEIGHTS_UNUSED) add(c, name, &s);
    else if (sn_rt_tensors_add(c->out, name, SN_RT_ELEM_I64, 0, NULL, NULL, NULL, &err) != SN_RT_OK) complain(c, "%s", err.text);
}

/* The row of a queue that is written next, i64[1] there and a u64 scalar here; a file without one begins at 0. */
static void convert_head(conversion *c, const sn_weights_part *p, const sn_weights_rule *r)
{
    static const uint64_t one[] = {1};
    char                  name[NAME], own[NAME];
    sn_rt_error           err;
    const bool            to = c->job->to;
    their_name(c, p, r->theirs, 0, 0, name);
    our_name(c, p, r, 0, own);
    const sn_rt_array *a = find(c, to ? own : name);
    if (a && sn_rt_array_expect(a, to ? own : name, to ? SN_RT_ELEM_U64 : SN_RT_ELEM_I64, to ? 0 : 1, one, &err) != SN_RT_OK) return complain(c, "%s", err.text);
    uint64_t row = a ? *(const uint64_t *)a->data : 0; /* a negative one is beyond every queue */
    if (row >= c->size['L']) return complain(c, "%s: row %" PRId64 " is outside the queue's %" PRIu64, to ? own : name, (int64_t)row, c->size['L']);
    if (sn_rt_tensors_add(c->out, to ? name : own, to ? SN_RT_ELEM_I64 : SN_RT_ELEM_U64, to ? 1 : 0, one, &row, NULL, &err) != SN_RT_OK)
        complain(c, "%s", err.text);
}

/* ---- parts -------------------------------------------------------------------------------------------------------------- */

static bool applies(const conversion *c, const sn_weights_group *g, const sn_weights_rule *r, uint32_t block)
{
    if (r->when == SN_WEIGHTS_ALWAYS) return true;
    bool known = c->size['i'] && c->size['o'], wider = known && c->size['i'] != c->size['o'];
    if (r->when == SN_WEIGHTS_WIDER) return wider;
    return !(g->bare >> block & 1) && (wider || (g->strided >> block & 1));
}

/* After a block: its output is the next one's input.  A group that has no channels leaves them. */
static void next_block(conversion *c, const sn_weights_group *g)
{
    bool channels = false;
    for (uint32_t i = 0; i < g->rules; i++) channels |= strchr(g->rule[i].axes, 'o') != NULL;
    uint64_t in = channels ? c->size['o'] : c->size['i'];
    for (int letter = 'a'; letter <= 'z'; letter++) c->size[letter] = 0;
    c->size['i'] = in;
}

static void convert_part(conversion *c, const sn_weights_part *p)
{
    memset(c->size, 0, sizeof c->size);
    c->size['i'] = 3;
    for (const sn_weights_group *g = p->group; g < p->group + p->groups; g++)
        for (uint32_t block = g->first; block <= g->last; block++) {
            for (const sn_weights_rule *r = g->rule; r < g->rule + g->rules; r++) {
                if (!applies(c, g, r, block)) continue;
                if (r->kind == SN_WEIGHTS_TENSOR) convert_tensor(c, p, r, block);
                else if (r->kind == SN_WEIGHTS_HEAD) convert_head(c, p, r);
                else convert_lone(c, p, r, block);
            }
            next_block(c, g);
        }
}

/* Whether the file has the first tensor of the part, which stands for all of it. */
static bool is_there(const conversion *c, const sn_weights_part *p)
{
    char name[NAME];
    const sn_weights_rule *first = p->group->rule;
    while (first->kind != SN_WEIGHTS_TENSOR) first++;
    if (c->job->to) our_name(c, p, first, 0, name);
    else their_name(c, p, first->theirs, 0, 0, name);
    return sn_rt_tensors_find(c->in, name) != NULL;
}

/* ---- the rest of the file ------------------------------------------------------------------------------------------------- */

/* Of ours: what the optimiser has, what is outside the prefix, what only the dense term has. */
static bool is_ignored(const conversion *c, const char *name)
{
    const char *prefix = c->job->prefix;
    for (const char *const *own = c->job->source->own; own && *own; own++)
        if (matches(*own, "", name)) return true;
    return strncmp(name, "velocity:", 9) == 0 || strncmp(name, "head:", 5) == 0 || (*prefix && strncmp(name, prefix, strlen(prefix)) != 0);
}

static void left_over(conversion *c, const sn_rt_array *a)
{
    char shape[160];
    bool kept = strncmp(a->name, "kept:", KEPT) == 0;
    if (!c->job->to && is_kept(c, a->name)) return keep(c, a);
    if (c->job->to && kept && is_kept(c, a->name + KEPT)) return copy_as(c, a, a->name + KEPT);
    if (c->job->to && is_ignored(c, a->name)) {
        c->report->ignored++;
        return;
    }
    sn_rt_shape_text(a->elem, a->rank, a->dims, shape, sizeof shape);
    complain(c, "%s %s is left over: %s has no such tensor", a->name, shape, c->job->source->name);
}

bool sn_weights_convert(const sn_weights_job *job, const sn_rt_tensors *in, sn_rt_tensors *out, sn_weights_report *report, sn_weights_say *say, void *ctx)
{
    conversion c = {.job = job, .in = in, .out = out, .report = report, .say = say, .ctx = ctx};
    size_t     count = sn_rt_tensors_count(in);
    *report = (sn_weights_report){.mapped = 0};
    if (!(c.used = calloc(count + 1, sizeof *c.used))) complain(&c, "no memory");
    for (uint32_t i = 0; c.used && i < job->source->parts; i++) {
        const sn_weights_part *p = &job->source->part[i];
        if (!p->optional || is_there(&c, p)) convert_part(&c, p);
        else report->absent[report->absents++] = p->what;
    }
    for (size_t i = 0; c.used && i < count; i++)
        if (!c.used[i]) left_over(&c, sn_rt_tensors_at(in, i));
    free(c.used);
    char more[64];
    snprintf(more, sizeof more, "%u faults in all", c.faults);
    if (c.faults > MOST_FAULTS) say(ctx, more);
    return c.faults == 0;
}
