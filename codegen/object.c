/* From a plan to object code: LLVM module, optimisation, machine code.
 * Not loading (jit.c) and not storing (cache.c). */
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "internal.h"

/* Generators emit vector code with accumulators in registers, so cleaning and hoisting suffice: no vectoriser, no unroller, no inliner. */
static const char pipeline[] = "function(early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg,loop-mssa(licm),gvn,"
                               "instcombine<no-verify-fixpoint>,loop-mssa(licm),adce,simplifycfg)";

static void kb_init(sn_kb *kb, const sn_plan *p, const char *symbol)
{
    *kb = (sn_kb){.plan = p, .g = p->g, .k = p->k, .target = p->target, .symbol = symbol};
    sn_arena_init(&kb->arena);
    kb->ctx = LLVMContextCreate();
    kb->mod = LLVMModuleCreateWithNameInContext(p->k->name, kb->ctx);
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
    LLVMDisposeModule(kb->mod);
    LLVMContextDispose(kb->ctx);
    sn_arena_fini(&kb->arena);
}

static bool fail(char **why, const char *what, const char *detail)
{
    if (asprintf(why, "%s: %s", what, detail) < 0)
        *why = NULL;
    return false;
}

static bool build(sn_kb *kb, LLVMTargetMachineRef machine, char **why)
{
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    LLVMSetModuleDataLayout(kb->mod, layout);
    LLVMDisposeTargetData(layout);
    LLVMSetTarget(kb->mod, kb->target->triple);
    if (!kb->plan->generator->emit(kb))
        return fail(why, "the generator gave up", kb->plan->generator->name);
    char *error = NULL;
    bool broken = LLVMVerifyModule(kb->mod, LLVMReturnStatusAction, &error);
    if (broken)
        fail(why, "the generator made wrong code", error);
    LLVMDisposeMessage(error);
    return !broken;
}

static bool optimise(sn_kb *kb, LLVMTargetMachineRef machine, char **why)
{
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(kb->mod, pipeline, machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error)
        return true;
    char *text = LLVMGetErrorMessage(error);
    fail(why, "optimisation failed", text);
    LLVMDisposeErrorMessage(text);
    return false;
}

static LLVMMemoryBufferRef machine_code(sn_kb *kb, LLVMTargetMachineRef machine, LLVMCodeGenFileType type, char **why)
{
    LLVMMemoryBufferRef out = NULL;
    char *error = NULL;
    if (LLVMTargetMachineEmitToMemoryBuffer(machine, kb->mod, type, &error, &out)) {
        fail(why, "machine code could not be made", error);
        LLVMDisposeMessage(error);
        return NULL;
    }
    return out;
}

LLVMMemoryBufferRef sn_object_make(const sn_plan *p, LLVMTargetMachineRef machine, const char *symbol, char **why)
{
    sn_kb kb;
    kb_init(&kb, p, symbol);
    LLVMMemoryBufferRef out = NULL;
    if (build(&kb, machine, why) && optimise(&kb, machine, why))
        out = machine_code(&kb, machine, LLVMObjectFile, why);
    kb_fini(&kb);
    return out;
}

bool sn_object_print(const sn_plan *p, LLVMTargetMachineRef machine, const char *symbol, sn_code_stage stage, FILE *out, char **why)
{
    sn_kb kb;
    kb_init(&kb, p, symbol);
    bool ok = build(&kb, machine, why) && (stage == SN_CODE_LLVM || optimise(&kb, machine, why));
    if (ok && stage == SN_CODE_ASM) {
        LLVMMemoryBufferRef text = machine_code(&kb, machine, LLVMAssemblyFile, why);
        ok = text != NULL;
        if (ok) {
            fwrite(LLVMGetBufferStart(text), 1, LLVMGetBufferSize(text), out);
            LLVMDisposeMemoryBuffer(text);
        }
    } else if (ok) {
        char *text = LLVMPrintModuleToString(kb.mod);
        fputs(text, out);
        LLVMDisposeMessage(text);
    }
    kb_fini(&kb);
    return ok;
}
