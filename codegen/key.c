/* The canonical text of a kernel and its hash: equal texts are one kernel, and one entry of the object cache.
 * Not the textual IR (ir/print.c): names and places are left out, operands are numbered within the kernel.
 *
 *   map tile 1,16 / %0 = in f32[N,T,64] / %2 = relu %0 : f32[N,T,64] / out %2
 */
#include <stdlib.h>
#include <string.h>

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include "codegen_digest.h"
#include "internal.h"

static uint32_t number_of(const sn_kernel *k, sn_ref r)
{
    for (uint32_t i = 0; i < k->ins; i++)
        if (sn_same(k->in[i], r))
            return i;
    for (uint32_t i = 0; i < k->bodies; i++)
        if (sn_same(k->body[i], r))
            return k->ins + i;
    SN_ASSERT(false, "kernel %s uses node %u, which is neither read nor computed", k->name, r.i);
}

/* Of any length: what is cut off would make different kernels equal. */
static void write_dim(FILE *f, const sn_plan *p, sn_dim d)
{
    char text[64];
    int n = sn_dim_text(p->dims, d, text, sizeof text);
    if (n < (int)sizeof text) {
        fputs(text, f);
        return;
    }
    char *all = sn_alloc(p->arena, (size_t)n + 1);
    sn_dim_text(p->dims, d, all, (size_t)n + 1);
    fputs(all, f);
}

static void write_type(FILE *f, const sn_plan *p, const sn_type *t)
{
    fputs("f32[", f);
    for (uint8_t i = 0; i < t->rank; i++) {
        if (i)
            fputc(',', f);
        write_dim(f, p, t->dim[i]);
    }
    fputc(']', f);
}

static void write_field(FILE *f, const sn_plan *p, const sn_attrs *a, const sn_field *field)
{
    const char *at = (const char *)a + field->offset;
    fprintf(f, " %s=", field->name);
    switch (field->kind) {
    case SN_FIELD_INT: {
        int64_t v;
        memcpy(&v, at, sizeof v);
        fprintf(f, "%lld", (long long)v);
        break;
    }
    case SN_FIELD_REAL: {
        double v;
        memcpy(&v, at, sizeof v);
        fprintf(f, "%a", v);
        break;
    }
    case SN_FIELD_AXES: {
        sn_attr_axes v;
        memcpy(&v, at, sizeof v);
        for (uint8_t i = 0; i < v.n; i++)
            fprintf(f, "%u,", v.axis[i]);
        break;
    }
    case SN_FIELD_DIM: {
        sn_dim v;
        memcpy(&v, at, sizeof v);
        write_dim(f, p, v);
        break;
    }
    case SN_FIELD_SPEC: {
        char text[1024];
        int n = sn_contract_text(a->spec.spec, text, sizeof text);
        SN_ASSERT(n < (int)sizeof text, "a contraction of %d bytes", n);
        fputs(text, f);
        break;
    }
    }
}

/* Constants may be compiled in, so their numbers are part of the text. */
static void write_in(FILE *f, const sn_plan *p, sn_ref r)
{
    const sn_node *n = sn_at(p->g, r);
    fprintf(f, "%%%u = in ", number_of(p->k, r));
    write_type(f, p, &n->type);
    if (sn_plan_is_tiles(p, r))
        fputs(" tiles", f);
    if (sn_op_get(n->op)->attrs == SN_ATTR_data) {
        XXH128_hash_t h = XXH3_128bits(n->attrs.data.data, n->attrs.data.count * sizeof(float));
        fprintf(f, " data %016llx%016llx", (unsigned long long)h.high64, (unsigned long long)h.low64);
    }
    fputc('\n', f);
}

static void write_body(FILE *f, const sn_plan *p, sn_ref r)
{
    const sn_node *n = sn_at(p->g, r);
    const sn_op_info *op = sn_op_get(n->op);
    fprintf(f, "%%%u = %s", number_of(p->k, r), op->name);
    for (uint8_t i = 0; i < n->args; i++)
        fprintf(f, " %%%u", number_of(p->k, n->arg[i]));
    size_t fields;
    const sn_field *field = sn_attr_fields(op->attrs, &fields);
    for (size_t i = 0; i < fields; i++)
        if (sn_op_has(n->op, SN_RANDOM) && strcmp(field[i].name, "stream") == 0)
            fprintf(f, " stream=dim %u", sn_plan_stream(p, n->attrs.stream.stream)); /* given at run time */
        else
            write_field(f, p, &n->attrs, &field[i]);
    fputs(" : ", f);
    write_type(f, p, &n->type);
    fputc('\n', f);
}

char *sn_key_text(const sn_plan *p)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return NULL;
    const sn_kernel *k = p->k;
    fputs(p->generator->name, f);
    if (k->tiled)
        fprintf(f, " tile %lld,%lld", (long long)k->outer, (long long)k->chunk);
    fputc('\n', f);
    for (uint32_t i = 0; i < k->ins; i++)
        write_in(f, p, k->in[i]);
    for (uint32_t i = 0; i < k->bodies; i++)
        write_body(f, p, k->body[i]);
    if (!sn_is_none(k->anchor))
        fprintf(f, "anchor %%%u\n", number_of(k, k->anchor));
    for (uint32_t i = 0; i < k->outs; i++)
        fprintf(f, "out %%%u\n", number_of(k, k->out[i]));
    for (uint32_t i = 0; i < p->dim_count; i++) { /* what the function is given, in this order */
        fputs(i ? ", " : "dims ", f);
        if (i + p->streams < p->dim_count)
            write_dim(f, p, p->dim[i]);
        else
            fputs("stream", f);
    }
    fputs(p->dim_count ? "\n" : "", f);
    if (p->code)
        fprintf(f, "code %s\n%s\n", k->name, p->code);
    if (p->target->debug)
        fprintf(f, "debug %s\n", k->name); /* lines are its own */
    fclose(f);
    return text;
}

/* What every kernel depends on besides its text: SN_CODEGEN_DIGEST stands for all sources that decide what is generated. */

sn_key sn_key_make(const sn_target *t, const char *text)
{
    unsigned major, minor, patch;
    LLVMGetVersion(&major, &minor, &patch);
    char *all = NULL;
    int n = asprintf(&all, "abi %u code %s llvm %u.%u.%u\n%s\n%s\n%s\n%s", SN_ABI_VERSION, SN_CODEGEN_DIGEST, major, minor, patch, t->triple,
                     t->cpu, t->features, text);
    SN_ASSERT(n >= 0, "out of memory");
    XXH128_hash_t h = XXH3_128bits(all, (size_t)n);
    free(all);
    sn_key key;
    snprintf(key.text, sizeof key.text, "%016llx%016llx", (unsigned long long)h.high64, (unsigned long long)h.low64);
    return key;
}
