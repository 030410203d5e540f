/* Tables of constants on their way to an object.
 * Not for kernels. */
#ifndef SN_CODEGEN_TABLES_H
#define SN_CODEGEN_TABLES_H

#include <llvm-c/Analysis.h>

#include "compile.h"

enum { SN_TABLES_BLOBS = 256 };

typedef struct sn_tables_blob { const void *data; size_t bytes; LLVMValueRef value; } sn_tables_blob;

typedef struct sn_tables {
    LLVMContextRef       ctx;
    LLVMModuleRef        mod;
    LLVMTargetMachineRef machine; /* NULL: LLVM has none for the triple */
    LLVMTypeRef          i8, i32, i64, f64, ptr;
    uint32_t             blobs;
    sn_tables_blob       blob[SN_TABLES_BLOBS]; /* constants met so far; of more than these, equal ones are kept twice */
} sn_tables;

void sn_tables_init(sn_tables *t, const char *triple);
void sn_tables_fini(sn_tables *t);

LLVMValueRef sn_tables_bytes(sn_tables *t, const void *data, size_t size, unsigned align); /* a pointer; NULL's if there are none */
LLVMValueRef sn_tables_texts(sn_tables *t, sn_arena *a, const char *const *v, uint32_t n);

/* The row of a variant. */
LLVMValueRef sn_tables_variant(sn_tables *t, sn_compiled *c);
/* <name>_artifact. */
LLVMValueRef sn_tables_artifact(sn_tables *t, const sn_ahead *a, LLVMValueRef *variant, const char *const *param_shape,
                                const char *const *output_shape, const sn_abi_program *p, sn_arena *arena);
/* A function `from` that calls `to` with its arguments, behind `artifact` if that is not NULL.  types: of the result and the arguments of `from`,
 * 'v' none, 'i' int, 'l' int64_t, 'p' a pointer. */
void sn_tables_forward(sn_tables *t, LLVMValueRef artifact, const char *from, const char *to, const char *types);
/* main(), which calls the runtime's with the artifact of that name. */
void sn_tables_main(sn_tables *t, const char *name);

bool sn_tables_object(sn_tables *t, sn_object *out, char **why);

/* A copy of the buffer, which is disposed (ahead.c). */
void sn_object_take(sn_object *out, LLVMMemoryBufferRef code);

#endif
