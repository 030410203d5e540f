/* Objects into this process: LLJIT through the C API.
 * Not compilation (object.c): only finished objects are added. */
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>

#include "internal.h"

/* The error's text becomes ours. */
static bool take_error(LLVMErrorRef error, char **why)
{
    if (!error)
        return true;
    char *text = LLVMGetErrorMessage(error);
    *why = strdup(text);
    LLVMDisposeErrorMessage(text);
    return false;
}

struct sn_jit *sn_jit_new(char **why)
{
    LLVMOrcLLJITRef jit = NULL;
    return take_error(LLVMOrcCreateLLJIT(&jit, LLVMOrcCreateLLJITBuilder()), why) ? (struct sn_jit *)jit : NULL;
}

void sn_jit_free(struct sn_jit *jit)
{
    if (jit)
        LLVMConsumeError(LLVMOrcDisposeLLJIT((LLVMOrcLLJITRef)jit));
}

bool sn_jit_add(struct sn_jit *jit, LLVMMemoryBufferRef object, char **why)
{
    LLVMOrcLLJITRef j = (LLVMOrcLLJITRef)jit;
    return take_error(LLVMOrcLLJITAddObjectFile(j, LLVMOrcLLJITGetMainJITDylib(j), object), why);
}

void *sn_jit_find(struct sn_jit *jit, const char *symbol, char **why)
{
    LLVMOrcExecutorAddress address = 0;
    if (!take_error(LLVMOrcLLJITLookup((LLVMOrcLLJITRef)jit, &address, symbol), why))
        return NULL;
    return (void *)(uintptr_t)address;
}
