/* The specification of a contraction: "n, stride*t + dilation*k - pad, v, i ; k,i,o -> n,t,v,o".
 * Not the contraction itself (ir/contract.c).
 *
 * What stands alone in an index is a loop; any other name is a parameter, so that a loop may be called like one.  "..." are as
 * many loops as the operand has dimensions left.  Indices become canonical text, which the IR parses and checks.
 */
#include <ctype.h>
#include <string.h>

#include "elaborate.h"
#include "locate.h"

enum { MOST_INDICES = 3 * SN_MAX_RANK, MOST_LOOPS = 32 };

typedef struct index_text { uint32_t off, len; uint8_t operand; bool dots; } index_text;

typedef struct spec {
    sn_scope   *s;
    const char *text, *node;
    sn_loc      loc;
    index_text  index[MOST_INDICES];
    uint32_t    indices;
    const char *loop[MOST_LOOPS];
    uint32_t    loops;
    int         dots[3]; /* dimensions that "..." stands for in each operand, -1: none there */
} spec;

typedef struct affine { int64_t coef[MOST_LOOPS], offset; bool unknown; } affine;

static bool fail(spec *p, uint32_t off, uint32_t len, const char *what)
{
    sn_elab_error(p->s->e, sn_loc_inside(p->s->e->diags, p->loc, p->text, off, len), p->node, "contract: spec: %s", what);
    return false;
}

/* ---- cutting into indices ----------------------------------------------------------------------------------------------- */

static bool add_index(spec *p, uint32_t begin, uint32_t end, uint8_t operand)
{
    while (begin < end && p->text[begin] == ' ') begin++;
    while (end > begin && p->text[end - 1] == ' ') end--;
    if (p->indices == MOST_INDICES) return fail(p, begin, 1, "more than 18 indices");
    index_text *x = &p->index[p->indices++];
    *x = (index_text){begin, end - begin, operand, end - begin == 3 && strncmp(p->text + begin, "...", 3) == 0};
    if (x->len == 0) return fail(p, begin, 1, "an index is missing here");
    return true;
}

static bool cut(spec *p)
{
    uint32_t begin = 0, at = 0, first = 0;
    uint8_t operand = 0;
    for (;; at++) {
        char c = p->text[at];
        bool arrow = c == '-' && p->text[at + 1] == '>';
        if (c && c != ',' && c != ';' && !arrow) continue;
        bool blank = strspn(p->text + begin, " ") >= at - begin;
        if (!(blank && c != ',' && p->indices == first) && !add_index(p, begin, at, operand)) return false;
        if (!c) break;
        begin = at + (arrow ? 2 : 1);
        if (c == ',') continue;
        if (operand != (arrow ? 1 : 0)) return fail(p, at, arrow ? 2 : 1, "expected two operands and a result: \"a ; b -> out\"");
        operand++;
        first = p->indices;
        at += arrow;
    }
    return operand == 2 || fail(p, at ? at - 1 : 0, 1, "the spec ends here, expected two operands and a result: \"a ; b -> out\"");
}

static void find_loops(spec *p)
{
    for (uint32_t i = 0; i < p->indices; i++) {
        const char *name = sn_strndup(&p->s->e->arena, p->text + p->index[i].off, p->index[i].len);
        uint32_t k = 0;
        if (!sn_is_name(name)) continue;
        while (k < p->loops && strcmp(p->loop[k], name) != 0) k++;
        if (k == p->loops && p->loops < MOST_LOOPS) p->loop[p->loops++] = name;
    }
}

/* How many dimensions the dots stand for.  False when poison. */
static bool measure_dots(spec *p, const sn_ref *arg)
{
    uint32_t count[3] = {0}, dots[3] = {0};
    for (uint32_t i = 0; i < p->indices; i++) {
        const index_text *x = &p->index[i];
        count[x->operand] += !x->dots;
        dots[x->operand] += x->dots;
        if (dots[x->operand] > 1) return fail(p, x->off, x->len, "\"...\" stands twice in one operand");
    }
    p->dots[0] = p->dots[1] = p->dots[2] = -1;
    for (int k = 0; k < 2; k++) {
        if (!dots[k]) continue;
        if (sn_is_none(arg[k])) return false;
        uint32_t rank = sn_at(p->s->e->g, arg[k])->type.rank;
        if (rank < count[k]) return fail(p, 0, (uint32_t)strlen(p->text), sn_format(&p->s->e->arena, "operand %d has %u dimensions, expected at least %u", k + 1, rank, count[k]));
        p->dots[k] = (int)(rank - count[k]);
    }
    if (p->dots[0] >= 0 && p->dots[1] >= 0 && p->dots[0] != p->dots[1])
        return fail(p, 0, (uint32_t)strlen(p->text), sn_format(&p->s->e->arena, "\"...\" is %d dimensions of the first operand but %d of the second", p->dots[0], p->dots[1]));
    if (!dots[2]) return true;
    if (p->dots[0] < 0 && p->dots[1] < 0) return fail(p, 0, (uint32_t)strlen(p->text), "\"...\" in the result, but in no operand");
    p->dots[2] = p->dots[0] > p->dots[1] ? p->dots[0] : p->dots[1];
    return true;
}

/* ---- affine forms ------------------------------------------------------------------------------------------------------- */

/* "2t" means 2*t. */
static const char *with_products(spec *p, const index_text *x)
{
    char *out = sn_alloc(&p->s->e->arena, 2 * x->len + 1), *o = out;
    const char *t = p->text + x->off;
    for (uint32_t i = 0; i < x->len; i++) {
        bool in_name = false;
        for (uint32_t k = i; k > 0 && (isalnum((unsigned char)t[k - 1]) || t[k - 1] == '_'); k--) in_name = in_name || !isdigit((unsigned char)t[k - 1]);
        if (i && isdigit((unsigned char)t[i - 1]) && (isalpha((unsigned char)t[i]) || t[i] == '_') && !in_name) *o++ = '*';
        *o++ = t[i];
    }
    return out;
}

static bool is_constant(const affine *a)
{
    for (int i = 0; i < MOST_LOOPS; i++)
        if (a->coef[i]) return false;
    return true;
}

static bool leaf(spec *p, const sn_expr *e, affine *out, sn_expr_error *error)
{
    sn_expr_scope scope = sn_scope_numbers(p->s);
    sn_num a = sn_num_unknown();
    error->off = e->off;
    error->len = e->len;
    for (uint32_t k = 0; e->kind == SN_EXPR_NAME && k < p->loops; k++)
        if (strcmp(p->loop[k], e->name) == 0) return out->coef[k] = 1, true;
    if (!sn_expr_eval(e, &scope, &a, error)) {
        if (e->kind == SN_EXPR_NAME && !sn_scope_find(p->s, e->name))
            snprintf(error->text, sizeof error->text, "\"%s\" is neither a loop (no index is \"%s\" alone) nor a parameter", e->name, e->name);
        return false;
    }
    if (a.kind == SN_NUM_UNKNOWN) return out->unknown = true;
    if (a.kind == SN_NUM_INT) return out->offset = a.i, true;
    char text[64];
    sn_num_text(&p->s->e->g->dims, a, text, sizeof text);
    snprintf(error->text, sizeof error->text, "found %s, expected a whole number", text);
    return false;
}

static bool bounded(const affine *a)
{
    const int64_t most = INT64_C(1) << 30;
    for (int i = 0; i < MOST_LOOPS; i++)
        if (a->coef[i] > most || a->coef[i] < -most) return false;
    return a->offset <= most && a->offset >= -most;
}

static bool has_loop(const spec *p, const sn_expr *e)
{
    for (uint32_t k = 0; e->kind == SN_EXPR_NAME && k < p->loops; k++)
        if (strcmp(p->loop[k], e->name) == 0) return true;
    for (uint32_t i = 0; i < e->n; i++)
        if (has_loop(p, e->arg[i])) return true;
    return false;
}

static bool affine_of(spec *p, const sn_expr *e, affine *out, sn_expr_error *error)
{
    affine a = {0}, b = {0};
    *out = (affine){0};
    if (!has_loop(p, e) || e->kind != SN_EXPR_OP) return leaf(p, e, out, error);
    if (!affine_of(p, e->arg[0], &a, error) || (e->n > 1 && !affine_of(p, e->arg[1], &b, error))) return false;
    out->unknown = a.unknown || b.unknown;
    error->off = e->off;
    error->len = e->len;
    if (e->op == '*' && (is_constant(&a) || is_constant(&b))) {
        const affine *x = is_constant(&a) ? &b : &a;
        int64_t c = is_constant(&a) ? a.offset : b.offset;
        for (int i = 0; i < MOST_LOOPS; i++) out->coef[i] = x->coef[i] * c;
        out->offset = x->offset * c;
    } else if (e->op == '+' || e->op == '-' || e->op == 'm') {
        int64_t sa = e->op == 'm' ? -1 : 1, sb = e->op == '-' ? -1 : 1;
        for (int i = 0; i < MOST_LOOPS; i++) out->coef[i] = sa * a.coef[i] + sb * b.coef[i];
        out->offset = sa * a.offset + sb * b.offset;
    } else {
        snprintf(error->text, sizeof error->text, "an index is a sum of loops times whole numbers, found \"%s\" of loops", sn_expr_word(e->op));
        return false;
    }
    if (bounded(out)) return true;
    snprintf(error->text, sizeof error->text, "the index is too large");
    return false;
}

/* ---- canonical text ----------------------------------------------------------------------------------------------------- */

static const char *index_canonical(spec *p, const index_text *x, bool *unknown)
{
    sn_expr_error error;
    affine a;
    sn_arena *arena = &p->s->e->arena;
    const char *text = with_products(p, x), *out = "";
    const sn_expr *e = sn_expr_parse(text, arena, &error);
    if (!e || !affine_of(p, e, &a, &error)) {
        bool same = strlen(text) == x->len; /* else places in it are not those of the file */
        fail(p, x->off + (same ? error.off : 0), same ? error.len : x->len, error.text);
        return NULL;
    }
    *unknown = *unknown || a.unknown;
    for (uint32_t k = 0; k < p->loops; k++)
        if (a.coef[k]) out = sn_format(arena, "%s%s%lld*%s", out, a.coef[k] < 0 || !*out ? "" : "+", (long long)a.coef[k], p->loop[k]);
    if (is_constant(&a) && !a.unknown) {
        fail(p, x->off, x->len, "no loop is left in this index");
        return NULL;
    }
    return a.offset ? sn_format(arena, "%s%+lld", out, (long long)a.offset) : out;
}

static const char *canonical(spec *p, bool *unknown)
{
    sn_arena *arena = &p->s->e->arena;
    const char *out = "";
    bool ok = true;
    uint8_t operand = 0;
    for (uint32_t i = 0; i < p->indices; i++) {
        const index_text *x = &p->index[i];
        for (; operand < x->operand; operand++) out = sn_format(arena, "%s%s", out, operand ? " -> " : " ; ");
        const char *comma = i && p->index[i - 1].operand == operand && *out && out[strlen(out) - 1] != ' ' ? "," : "";
        if (x->dots) {
            for (int k = 0; k < p->dots[operand]; k++) {
                out = sn_format(arena, "%s%s_%d", out, comma, k);
                comma = ",";
            }
            continue;
        }
        const char *index = index_canonical(p, x, unknown);
        ok = ok && index;
        if (index) out = sn_format(arena, "%s%s%s", out, comma, index);
    }
    for (; operand < 2; operand++) out = sn_format(arena, "%s%s", out, operand ? " -> " : " ; ");
    return ok ? out : NULL;
}

bool sn_elab_spec(sn_scope *s, const sn_value *v, const char *node, const sn_ref *arg, sn_contract **out)
{
    spec p = {.s = s, .node = node, .loc = v->loc, .text = v->string};
    const char *at, *what;
    bool unknown = false;
    if (v->kind != SN_VALUE_STRING || strlen(v->string) > SN_MAX_EXPR_LENGTH) {
        sn_elab_error(s->e, v->loc, node, "contract: spec: expected text like \"n,i ; i,o -> n,o\"");
        return false;
    }
    if (!cut(&p)) return false;
    find_loops(&p);
    bool ok = measure_dots(&p, arg);
    const char *text = canonical(&p, &unknown);
    if (!ok || !text || unknown) return false;
    sn_contract *c = sn_new(&s->e->g->arena, sn_contract);
    if (sn_contract_parse(text, c, &at, &what)) return *out = c, true;
    sn_elab_error(s->e, v->loc, node, "contract: spec: %s in \"%s\"", what, text);
    return false;
}
