/* Names, labels, numbers and attributes as text.
 * Reading them back is parse.c and lex.c. */
#include "text.h"

#include <inttypes.h>
#include <string.h>

#include "names.h"

/* ---- names -------------------------------------------------------------------------------------------------------------- */

bool sn_name_is_plain(const char *name)
{
    if (!(*name == '_' || (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z')))
        return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.")] == 0;
}

static const char *quoted(sn_arena *a, const char *name)
{
    char *out = sn_alloc(a, 4 * strlen(name) + 3), *p = out;
    *p++ = '"';
    for (; *name; name++) {
        const unsigned char c = (unsigned char)*name;
        if (c == '"' || c == '\\') {
            *p++ = '\\';
            *p++ = (char)c;
        } else if (c < 0x20 || c == 0x7f) {
            p += snprintf(p, 5, "\\x%02x", c);
        } else {
            *p++ = (char)c;
        }
    }
    *p = '"';
    return out;
}

const char *sn_name_text(sn_arena *a, const char *name, uint32_t k)
{
    const char *word = sn_name_is_plain(name) ? name : quoted(a, name);
    return k ? sn_format(a, "%s~%u", word, k) : sn_strdup(a, word);
}

const char **sn_node_labels(const sn_graph *g, sn_arena *a)
{
    const char **label = sn_new_n(a, const char *, g->nodes + 1);
    sn_names seen;
    sn_names_init(&seen);
    for (uint32_t i = 0; i < g->nodes; i++) {
        const char *name = g->node[i].name;
        label[i] = name ? sn_name_text(a, name, (*sn_names_at(&seen, name, NULL))++) : sn_format(a, "%u", i);
    }
    sn_names_fini(&seen);
    return label;
}

/* ---- numbers, types ----------------------------------------------------------------------------------------------------- */

void sn_print_real(double v, FILE *out)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    if (v != v)
        fprintf(out, "nan(0x%" PRIx64 ")", bits);
    else
        fprintf(out, "%a", v);
}

void sn_print_type(const sn_dims *d, const sn_type *t, FILE *out)
{
    fputs("f32[", out);
    for (uint8_t i = 0; i < t->rank && i < SN_MAX_RANK; i++) {
        char small[64], *text = small;
        sn_arena scratch;
        sn_arena_init(&scratch);
        const int n = sn_dim_text(d, t->dim[i], small, sizeof small);
        if (n >= (int)sizeof small) {
            text = sn_alloc(&scratch, (size_t)n + 1);
            sn_dim_text(d, t->dim[i], text, (size_t)n + 1);
        }
        fprintf(out, "%s%s", i ? "," : "", text);
        sn_arena_fini(&scratch);
    }
    fputc(']', out);
}

/* ---- attributes --------------------------------------------------------------------------------------------------------- */

static void print_axes(const sn_attr_axes *a, FILE *out)
{
    fputc('[', out);
    for (uint8_t i = 0; i < a->n && i < SN_MAX_RANK; i++)
        fprintf(out, "%s%u", i ? "," : "", a->axis[i]);
    fputc(']', out);
}

static void print_spec(const sn_contract *spec, FILE *out)
{
    char text[4096]; /* 18 indices of 3 terms of at most 16 characters */
    if (spec)
        sn_contract_text(spec, text, sizeof text);
    fprintf(out, "\"%s\"", spec ? text : "");
}

static void print_field(const sn_graph *g, const sn_field *f, const sn_attrs *attrs, FILE *out)
{
    const void *at = (const char *)attrs + f->offset;
    char dim[1024];
    fprintf(out, "%s=", f->name);
    switch (f->kind) {
    case SN_FIELD_INT: fprintf(out, "%" PRId64, *(const int64_t *)at); break;
    case SN_FIELD_REAL: sn_print_real(*(const double *)at, out); break;
    case SN_FIELD_AXES: print_axes(at, out); break;
    case SN_FIELD_SPEC: print_spec(*(sn_contract *const *)at, out); break;
    case SN_FIELD_DIM:
        sn_dim_text(&g->dims, *(const sn_dim *)at, dim, sizeof dim);
        fputs(dim, out);
        break;
    }
}

void sn_print_attrs(const sn_graph *g, sn_attr_kind kind, const sn_attrs *attrs, FILE *out)
{
    size_t n;
    const sn_field *f = sn_attr_fields(kind, &n);
    for (size_t i = 0; i < n; i++) {
        fputs(i ? ", " : " {", out);
        print_field(g, &f[i], attrs, out);
    }
    if (n)
        fputc('}', out);
}
