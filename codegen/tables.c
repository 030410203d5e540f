/* The runtime's tables as constants of an object: what program.c made in memory, for a linker.
 * Not code, but for functions of one call.  The layout is that of runtime/abi.h, which is the same on every 64-bit machine. */
#include <stdlib.h>
#include <string.h>

#include "tables.h"

enum { MAX_FIELDS = 16 };

void sn_tables_init(sn_tables *t, const char *triple)
{
    /* Nothing here may need more than the architecture's least processor: it runs before the variant is chosen. */
    sn_target plain = {.cpu = "generic"};
    snprintf(plain.triple, sizeof plain.triple, "%s", triple);
    if (strncmp(triple, "x86_64", strlen("x86_64")) == 0)
        snprintf(plain.cpu, sizeof plain.cpu, "x86-64");
    *t = (sn_tables){.ctx = LLVMContextCreate(), .machine = sn_target_machine(&plain)};
    t->mod = LLVMModuleCreateWithNameInContext("tables", t->ctx);
    t->i8 = LLVMInt8TypeInContext(t->ctx);
    t->i32 = LLVMInt32TypeInContext(t->ctx);
    t->i64 = LLVMInt64TypeInContext(t->ctx);
    t->f64 = LLVMDoubleTypeInContext(t->ctx);
    t->ptr = LLVMPointerTypeInContext(t->ctx, 0);
    LLVMSetTarget(t->mod, triple);
    if (!t->machine)
        return;
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(t->machine);
    LLVMSetModuleDataLayout(t->mod, layout);
    LLVMDisposeTargetData(layout);
}

void sn_tables_fini(sn_tables *t)
{
    LLVMDisposeModule(t->mod);
    LLVMContextDispose(t->ctx);
    if (t->machine)
        LLVMDisposeTargetMachine(t->machine);
}

/* ---- constants ---- */

static LLVMValueRef i32(const sn_tables *t, uint32_t v) { return LLVMConstInt(t->i32, v, false); }
static LLVMValueRef i64(const sn_tables *t, int64_t v) { return LLVMConstInt(t->i64, (uint64_t)v, true); }
static LLVMValueRef null(const sn_tables *t) { return LLVMConstNull(t->ptr); }

static LLVMValueRef constant(sn_tables *t, LLVMValueRef value, unsigned align)
{
    LLVMValueRef g = LLVMAddGlobal(t->mod, LLVMTypeOf(value), "");
    LLVMSetInitializer(g, value);
    LLVMSetGlobalConstant(g, true);
    LLVMSetLinkage(g, LLVMPrivateLinkage);
    LLVMSetUnnamedAddress(g, LLVMGlobalUnnamedAddr); /* equal ones may be one */
    LLVMSetAlignment(g, align);
    return g;
}

LLVMValueRef sn_tables_bytes(sn_tables *t, const void *data, size_t size, unsigned align)
{
    return size ? constant(t, LLVMConstStringInContext2(t->ctx, data, size, true), align) : null(t);
}

static LLVMValueRef text(sn_tables *t, const char *s)
{
    return constant(t, LLVMConstStringInContext2(t->ctx, s, strlen(s), false), 1);
}

static LLVMValueRef row(const sn_tables *t, LLVMValueRef *field, unsigned n)
{
    return LLVMConstStructInContext(t->ctx, field, n, false);
}

#define ROW(t, ...) row(t, (LLVMValueRef[]){__VA_ARGS__}, sizeof((LLVMValueRef[]){__VA_ARGS__}) / sizeof(LLVMValueRef))

/* n values, each of which has `size` bytes in C, as an array; NULL if there are none. */
static LLVMValueRef table(sn_tables *t, LLVMValueRef *value, uint32_t n, size_t size)
{
    if (n == 0)
        return null(t);
    unsigned long long have = LLVMABISizeOfType(LLVMGetModuleDataLayout(t->mod), LLVMTypeOf(value[0]));
    SN_ASSERT(have == size, "a row of %zu bytes would have %llu", size, have);
    return constant(t, LLVMConstArray2(LLVMTypeOf(value[0]), value, n), 16);
}

static LLVMValueRef words(sn_tables *t, sn_arena *a, const int64_t *v, uint32_t n)
{
    LLVMValueRef *value = sn_new_n(a, LLVMValueRef, n + 1);
    for (uint32_t i = 0; i < n; i++)
        value[i] = i64(t, v[i]);
    return table(t, value, n, sizeof *v);
}

static LLVMValueRef numbers(sn_tables *t, sn_arena *a, const uint32_t *v, uint32_t n)
{
    LLVMValueRef *value = sn_new_n(a, LLVMValueRef, n + 1);
    for (uint32_t i = 0; i < n; i++)
        value[i] = i32(t, v[i]);
    return table(t, value, n, sizeof *v);
}

LLVMValueRef sn_tables_texts(sn_tables *t, sn_arena *a, const char *const *v, uint32_t n)
{
    LLVMValueRef *value = sn_new_n(a, LLVMValueRef, n + 1);
    for (uint32_t i = 0; i < n; i++)
        value[i] = text(t, v[i]);
    return table(t, value, n, sizeof *v);
}

static LLVMValueRef type(const sn_tables *t, const sn_abi_tensor *x)
{
    LLVMValueRef dim[SN_ABI_MAX_RANK];
    for (uint32_t i = 0; i < SN_ABI_MAX_RANK; i++)
        dim[i] = i64(t, i < x->rank ? x->dim[i] : 0);
    return ROW(t, i32(t, x->rank), LLVMConstArray2(t->i64, dim, SN_ABI_MAX_RANK));
}

/* ---- a program ---- */

static LLVMValueRef dims(sn_tables *t, sn_arena *a, const sn_abi_program *p)
{
    LLVMValueRef *v = sn_new_n(a, LLVMValueRef, p->dims + 1);
    for (uint32_t i = 0; i < p->dims; i++)
        v[i] = ROW(t, i64(t, p->dim[i].op), i64(t, p->dim[i].a), i64(t, p->dim[i].b));
    return table(t, v, p->dims, sizeof *p->dim);
}

static LLVMValueRef kernel(sn_tables *t, const char *symbol)
{
    LLVMValueRef f = LLVMGetNamedFunction(t->mod, symbol);
    if (f)
        return f;
    LLVMTypeRef param[4] = {t->ptr, t->i64, t->i64, t->ptr};
    f = LLVMAddFunction(t->mod, symbol, LLVMFunctionType(LLVMVoidTypeInContext(t->ctx), param, 4, false));
    LLVMSetVisibility(f, LLVMHiddenVisibility);
    return f;
}

static LLVMValueRef calls(sn_tables *t, sn_compiled *c)
{
    const sn_abi_program *p = &c->program;
    LLVMValueRef *v = sn_new_n(&c->arena, LLVMValueRef, p->calls + 1);
    for (uint32_t i = 0; i < p->calls; i++) {
        const sn_abi_call *x = &p->call[i];
        v[i] = ROW(t, kernel(t, c->symbol[i]), text(t, x->name), text(t, x->where), numbers(t, &c->arena, x->arg, x->args), i32(t, x->args),
                   i32(t, x->reads), words(t, &c->arena, x->dim, x->dims), i32(t, x->dims), i64(t, x->tiles), i64(t, x->scratch),
                   i64(t, x->macs));
    }
    return table(t, v, p->calls, sizeof *p->call);
}

/* Constants of several variants are the same numbers: kept once. */
static LLVMValueRef data(sn_tables *t, const sn_abi_buffer *b)
{
    if (!b->data)
        return null(t);
    size_t bytes = (size_t)b->count * sizeof(float);
    for (uint32_t i = 0; i < t->blobs; i++)
        if (t->blob[i].bytes == bytes && memcmp(t->blob[i].data, b->data, bytes) == 0)
            return t->blob[i].value;
    LLVMValueRef value = sn_tables_bytes(t, b->data, bytes, SN_IMAGE_ALIGN);
    if (t->blobs < SN_TABLES_BLOBS)
        t->blob[t->blobs++] = (sn_tables_blob){b->data, bytes, value};
    return value;
}

static LLVMValueRef buffers(sn_tables *t, sn_arena *a, const sn_abi_program *p)
{
    LLVMValueRef *v = sn_new_n(a, LLVMValueRef, p->buffers + 1);
    for (uint32_t i = 0; i < p->buffers; i++) {
        const sn_abi_buffer *b = &p->buffer[i];
        v[i] = ROW(t, i64(t, b->place), i64(t, b->index), data(t, b), i64(t, b->count), i32(t, b->first), i32(t, b->last));
    }
    return table(t, v, p->buffers, sizeof *p->buffer);
}

static LLVMValueRef params(sn_tables *t, sn_arena *a, const sn_abi_program *p)
{
    LLVMValueRef *v = sn_new_n(a, LLVMValueRef, p->params + 1);
    for (uint32_t i = 0; i < p->params; i++) {
        const sn_abi_param *x = &p->param[i];
        v[i] = ROW(t, text(t, x->name), i32(t, x->kind), i32(t, x->init), LLVMConstReal(t->f64, x->a), LLVMConstReal(t->f64, x->b),
                   i32(t, x->of), LLVMConstReal(t->f64, x->coefficient), type(t, &x->type));
    }
    return table(t, v, p->params, sizeof *p->param);
}

static LLVMValueRef outputs(sn_tables *t, sn_arena *a, const sn_abi_program *p)
{
    LLVMValueRef *v = sn_new_n(a, LLVMValueRef, p->outputs + 1);
    for (uint32_t i = 0; i < p->outputs; i++) {
        const sn_abi_output *x = &p->output[i];
        v[i] = ROW(t, text(t, x->name), i32(t, x->buffer), type(t, &x->type), i64(t, x->gradient_of));
    }
    return table(t, v, p->outputs, sizeof *p->output);
}

static LLVMValueRef updates(sn_tables *t, sn_arena *a, const sn_abi_program *p)
{
    LLVMValueRef *v = sn_new_n(a, LLVMValueRef, p->updates + 1);
    for (uint32_t i = 0; i < p->updates; i++)
        v[i] = ROW(t, i32(t, p->update[i].kind), i32(t, p->update[i].param), i32(t, p->update[i].buffer));
    return table(t, v, p->updates, sizeof *p->update);
}

static LLVMValueRef program(sn_tables *t, sn_compiled *c)
{
    const sn_abi_program *p = &c->program;
    LLVMValueRef v = ROW(t, i32(t, p->version), i32(t, p->symbols), i32(t, p->dims), i32(t, p->calls), i32(t, p->buffers), i32(t, p->params),
                         i32(t, p->outputs), i32(t, p->updates), sn_tables_texts(t, &c->arena, p->symbol, p->symbols), dims(t, &c->arena, p),
                         calls(t, c), buffers(t, &c->arena, p), params(t, &c->arena, p), outputs(t, &c->arena, p), updates(t, &c->arena, p));
    return table(t, &v, 1, sizeof *p);
}

LLVMValueRef sn_tables_variant(sn_tables *t, sn_compiled *c)
{
    const char *needs = sn_target_needs(&c->target, &c->arena);
    return ROW(t, text(t, c->target.name), text(t, needs), program(t, c));
}

/* ---- the artifact ---- */

static LLVMValueRef declare_artifact(sn_tables *t, const char *name)
{
    char symbol[256];
    snprintf(symbol, sizeof symbol, "%s_artifact", name);
    LLVMValueRef g = LLVMAddGlobal(t->mod, t->i64, symbol);
    LLVMSetVisibility(g, LLVMHiddenVisibility);
    return g;
}

static LLVMValueRef tagging(sn_tables *t, sn_arena *a, const sn_abi_tagging *x)
{
    if (!x)
        return null(t);
    LLVMValueRef v = ROW(t, i64(t, (int64_t)x->classes), sn_tables_texts(t, a, x->label, (uint32_t)x->classes), text(t, x->layout),
                         LLVMConstReal(t->f64, x->fps), i64(t, (int64_t)x->window), i64(t, (int64_t)x->halo));
    return table(t, &v, 1, sizeof *x);
}

LLVMValueRef sn_tables_artifact(sn_tables *t, const sn_ahead *a, LLVMValueRef *variant, const char *const *param_shape,
                                const char *const *output_shape, const sn_abi_program *p, sn_arena *arena)
{
    char symbol[256];
    LLVMValueRef at = words(t, arena, (const int64_t *)a->weight_at, p->params);
    LLVMValueRef v = ROW(t, i32(t, SN_ABI_VERSION), i32(t, a->variants), table(t, variant, a->variants, sizeof(sn_abi_variant)), text(t, a->name),
                         text(t, a->file ? a->file : ""), sn_tables_texts(t, arena, param_shape, p->params),
                         sn_tables_texts(t, arena, output_shape, p->outputs), at,
                         a->weights ? sn_tables_bytes(t, a->weights, a->weights_bytes, SN_IMAGE_ALIGN) : null(t),
                         sn_tables_bytes(t, a->head, a->head_bytes, 1), i64(t, (int64_t)a->head_bytes), i64(t, (int64_t)a->file_bytes),
                         i32(t, a->most_threads), tagging(t, arena, a->tagging));
    SN_ASSERT(LLVMABISizeOfType(LLVMGetModuleDataLayout(t->mod), LLVMTypeOf(v)) == sizeof(sn_abi_artifact), "the artifact's layout differs");
    snprintf(symbol, sizeof symbol, "%s_artifact", a->name);
    LLVMValueRef g = LLVMAddGlobal(t->mod, LLVMTypeOf(v), symbol);
    LLVMSetInitializer(g, v);
    LLVMSetGlobalConstant(g, true);
    LLVMSetVisibility(g, LLVMHiddenVisibility);
    LLVMSetAlignment(g, 16);
    return g;
}

/* ---- functions of one call ---- */

static LLVMTypeRef type_of(const sn_tables *t, char c)
{
    return c == 'v' ? LLVMVoidTypeInContext(t->ctx) : c == 'i' ? t->i32 : c == 'l' ? t->i64 : t->ptr;
}

void sn_tables_forward(sn_tables *t, LLVMValueRef artifact, const char *from, const char *to, const char *types)
{
    LLVMTypeRef  param[MAX_FIELDS];
    LLVMValueRef arg[MAX_FIELDS];
    unsigned     n = 0, extra = artifact != NULL;
    if (artifact)
        param[0] = t->ptr;
    for (const char *c = types + 1; *c; c++)
        param[extra + n++] = type_of(t, *c);
    LLVMTypeRef  result = type_of(t, types[0]), callee_type = LLVMFunctionType(result, param, extra + n, false);
    LLVMValueRef callee = LLVMAddFunction(t->mod, to, callee_type);
    LLVMValueRef fn = LLVMAddFunction(t->mod, from, LLVMFunctionType(result, param + extra, n, false));
    LLVMSetVisibility(callee, LLVMHiddenVisibility);
    LLVMBuilderRef b = LLVMCreateBuilderInContext(t->ctx);
    LLVMPositionBuilderAtEnd(b, LLVMAppendBasicBlockInContext(t->ctx, fn, ""));
    if (artifact)
        arg[0] = artifact;
    for (unsigned i = 0; i < n; i++)
        arg[extra + i] = LLVMGetParam(fn, i);
    LLVMValueRef call = LLVMBuildCall2(b, callee_type, callee, arg, extra + n, "");
    LLVMSetTailCall(call, true);
    if (types[0] == 'v')
        LLVMBuildRetVoid(b);
    else
        LLVMBuildRet(b, call);
    LLVMDisposeBuilder(b);
}

void sn_tables_main(sn_tables *t, const char *name)
{
    sn_tables_forward(t, declare_artifact(t, name), "main", "sn_aot_main", "iip");
}

bool sn_tables_object(sn_tables *t, sn_object *out, char **why)
{
    char *error = NULL;
    LLVMMemoryBufferRef code = NULL;
    if (LLVMVerifyModule(t->mod, LLVMReturnStatusAction, &error) ||
        (LLVMDisposeMessage(error), error = NULL, LLVMTargetMachineEmitToMemoryBuffer(t->machine, t->mod, LLVMObjectFile, &error, &code))) {
        *why = strdup(error);
        LLVMDisposeMessage(error);
        return false;
    }
    sn_object_take(out, code);
    return true;
}
