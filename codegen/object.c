/* From plans to object code: LLVM module, optimisation, machine code.
 * Not what becomes of the object (image.c, jit.c, cache.c). */
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/IRReader.h>
#include <llvm-c/Linker.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "internal.h"

/* Generators emit vector code with accumulators in registers, so cleaning and hoisting suffice: no vectoriser, no unroller, no inliner, and no
 * value numbering across blocks (gvn and a second round of instcombine and licm: a sixth of all compilation, code of the same size and speed).
 * Addresses become one before loops are looked at, because hoisting takes apart what only one access uses (sn_kb_ptr). */
static const char pipeline[] = "function(early-cse<memssa>,instcombine<no-verify-fixpoint>,early-cse<memssa>,loop-mssa(licm),adce,simplifycfg)";

/* A module and what is built in it, kernel after kernel. */
typedef struct module {
    LLVMContextRef       ctx;
    LLVMModuleRef        mod;
    LLVMTargetMachineRef machine;
    unsigned             functions, globals; /* that have got a section */
    sn_debug            *debug;
} module;

static void module_init(module *m, const sn_target *target, LLVMTargetMachineRef machine)
{
    *m = (module){.ctx = LLVMContextCreate(), .machine = machine};
    m->mod = LLVMModuleCreateWithNameInContext("sinew", m->ctx);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    LLVMSetModuleDataLayout(m->mod, layout);
    LLVMDisposeTargetData(layout);
    LLVMSetTarget(m->mod, target->triple);
    if (target->debug)
        m->debug = sn_debug_new(m->mod, m->ctx);
}

static void module_fini(module *m)
{
    sn_debug_free(m->debug);
    LLVMDisposeModule(m->mod);
    LLVMContextDispose(m->ctx);
}

static void kb_init(sn_kb *kb, const module *m, const sn_plan *p, const char *symbol)
{
    *kb = (sn_kb){.plan = p, .g = p->g, .k = p->k, .target = p->target, .symbol = symbol, .ctx = m->ctx, .mod = m->mod, .debug = m->debug};
    sn_arena_init(&kb->arena);
    kb->b = LLVMCreateBuilderInContext(kb->ctx);
    kb->i1 = LLVMInt1TypeInContext(kb->ctx);
    kb->i32 = LLVMInt32TypeInContext(kb->ctx);
    kb->i64 = LLVMInt64TypeInContext(kb->ctx);
    kb->f32 = LLVMFloatTypeInContext(kb->ctx);
    kb->f64 = LLVMDoubleTypeInContext(kb->ctx);
    kb->ptr = LLVMPointerTypeInContext(kb->ctx, 0);
    kb->bind = sn_new_n(&kb->arena, sn_bind, p->g->nodes);
    sn_emit_init(kb);
}

static void kb_fini(sn_kb *kb)
{
    LLVMDisposeBuilder(kb->b);
    sn_arena_fini(&kb->arena);
}

static bool fail(char **why, const char *what, const char *detail)
{
    if (asprintf(why, "%s: %s", what, detail) < 0)
        *why = NULL;
    return false;
}

static bool emit(const module *m, const sn_plan *p, const char *symbol, char **why)
{
    sn_kb kb;
    kb_init(&kb, m, p, symbol);
    bool ok = p->generator->emit(&kb);
    kb_fini(&kb);
    return ok || fail(why, "the generator gave up", p->generator->name);
}

static bool verify(const module *m, char **why)
{
    char *error = NULL;
    sn_debug_finish(m->debug);
    bool  broken = LLVMVerifyModule(m->mod, LLVMReturnStatusAction, &error);
    if (broken)
        fail(why, "the generator made wrong code", error);
    LLVMDisposeMessage(error);
    return !broken;
}

static bool optimise(const module *m, char **why)
{
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(m->mod, pipeline, m->machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error)
        return true;
    char *text = LLVMGetErrorMessage(error);
    fail(why, "optimisation failed", text);
    LLVMDisposeErrorMessage(text);
    return false;
}

static LLVMMemoryBufferRef machine_code(const module *m, LLVMCodeGenFileType type, char **why)
{
    LLVMMemoryBufferRef out = NULL;
    char *error = NULL;
    if (LLVMTargetMachineEmitToMemoryBuffer(m->machine, m->mod, type, &error, &out)) {
        fail(why, "machine code could not be made", error);
        LLVMDisposeMessage(error);
        return NULL;
    }
    return out;
}

/* ---- several kernels in one object ---- */

/* A section for every function and every table: image.c takes for each kernel those it needs. */
static void give_sections(module *m)
{
    char     name[32];
    unsigned n = 0;
    for (LLVMValueRef f = LLVMGetFirstFunction(m->mod); f; f = LLVMGetNextFunction(f)) {
        if (LLVMIsDeclaration(f) || n++ < m->functions)
            continue;
        snprintf(name, sizeof name, ".text.%u", m->functions++);
        LLVMSetSection(f, name);
        if (LLVMGetLinkage(f) == LLVMExternalLinkage)
            LLVMSetVisibility(f, LLVMHiddenVisibility); /* a library's exports are its public functions */
    }
    n = 0;
    for (LLVMValueRef g = LLVMGetFirstGlobal(m->mod); g; g = LLVMGetNextGlobal(g)) {
        if (n++ < m->globals)
            continue;
        snprintf(name, sizeof name, ".rodata.%u", m->globals++);
        LLVMSetSection(g, name);
    }
}

/* The plan's own code, its functions renamed as those of the generator would be called. */
static bool take_code(const module *m, const sn_plan *p, const char *symbol, char **why)
{
    sn_arena arena;
    LLVMModuleRef mod;
    char *error = NULL;
    LLVMMemoryBufferRef text = LLVMCreateMemoryBufferWithMemoryRangeCopy(p->code, strlen(p->code), p->k->name);
    if (LLVMParseIRInContext(m->ctx, text, &mod, &error)) { /* takes the buffer */
        fail(why, "the code given does not parse", error);
        LLVMDisposeMessage(error);
        return false;
    }
    sn_arena_init(&arena);
    const char *base = sn_symbol_of(&arena, p->k->name);
    bool ok = true;
    for (uint32_t i = 0; i < p->calls && ok; i++) {
        const char *from = sn_format(&arena, "%s_%u", base, i), *to = sn_format(&arena, "%s_%u", symbol, i);
        LLVMValueRef f = LLVMGetNamedFunction(mod, from);
        ok = f != NULL || fail(why, "the code given lacks a function", from);
        if (f)
            LLVMSetValueName2(f, to, strlen(to));
    }
    sn_arena_fini(&arena);
    if (!ok) {
        LLVMDisposeModule(mod);
        return false;
    }
    return !LLVMLinkModules2(m->mod, mod) || fail(why, "the code given cannot be used", "its functions do not fit"); /* takes the module */
}

struct sn_batch { module m; const sn_target *target; };

sn_batch *sn_batch_new(const sn_target *target, LLVMTargetMachineRef machine)
{
    sn_batch *b = calloc(1, sizeof *b);
    SN_ASSERT(b != NULL, "out of memory");
    module_init(&b->m, target, machine);
    return b;
}

bool sn_batch_add(sn_batch *b, const sn_plan *p, const char *symbol, char **why)
{
    if (!(p->code ? take_code(&b->m, p, symbol, why) : emit(&b->m, p, symbol, why)))
        return false;
    give_sections(&b->m);
    return true;
}

LLVMMemoryBufferRef sn_batch_finish(sn_batch *b, char **why)
{
    return verify(&b->m, why) && optimise(&b->m, why) ? machine_code(&b->m, LLVMObjectFile, why) : NULL;
}

void sn_batch_free(sn_batch *b)
{
    module_fini(&b->m);
    free(b);
}

/* ---- assembly ---- */

/* The first error.  With a handler LLVM goes on after it instead of ending the process. */
static void keep_error(LLVMDiagnosticInfoRef d, void *context)
{
    char **text = context;
    if (LLVMGetDiagInfoSeverity(d) == LLVMDSError && !*text)
        *text = LLVMGetDiagInfoDescription(d);
}

/* As the assembly of a module that has nothing else.  Empty lines before make the numbers of lines in messages those of the file. */
LLVMMemoryBufferRef sn_object_assemble(const sn_plan *p, LLVMTargetMachineRef machine, char **why)
{
    module m;
    char  *error = NULL;
    size_t before = p->code_line - 1, size = before + strlen(p->code);
    char  *text = malloc(size + 1);
    SN_ASSERT(text != NULL, "out of memory");
    memset(text, '\n', before);
    memcpy(text + before, p->code, size - before + 1);
    module_init(&m, p->target, machine);
    LLVMContextSetDiagnosticHandler(m.ctx, keep_error, &error);
    LLVMSetModuleInlineAsm2(m.mod, text, size);
    LLVMMemoryBufferRef object = machine_code(&m, LLVMObjectFile, why);
    if (error) {
        if (object)
            LLVMDisposeMemoryBuffer(object);
        object = NULL;
        fail(why, "the assembly given does not assemble", error);
        LLVMDisposeMessage(error);
    }
    module_fini(&m);
    free(text);
    return object;
}

/* ---- text ---- */

bool sn_object_print(const sn_plan *p, LLVMTargetMachineRef machine, const char *symbol, sn_code_stage stage, FILE *out, char **why)
{
    module m;
    module_init(&m, p->target, machine);
    bool ok = (p->code ? take_code(&m, p, symbol, why) : emit(&m, p, symbol, why)) && verify(&m, why) && (stage == SN_CODE_LLVM || optimise(&m, why));
    if (ok && stage == SN_CODE_ASM) {
        LLVMMemoryBufferRef text = machine_code(&m, LLVMAssemblyFile, why);
        ok = text != NULL;
        if (ok) {
            sn_lines_print(LLVMGetBufferStart(text), LLVMGetBufferSize(text), p->diags, out);
            LLVMDisposeMemoryBuffer(text);
        }
    } else if (ok) {
        char *text = LLVMPrintModuleToString(m.mod);
        fputs(text, out);
        LLVMDisposeMessage(text);
    }
    module_fini(&m);
    return ok;
}
