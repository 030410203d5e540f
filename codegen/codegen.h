/* Code generation: a schedule to a runnable program, through LLVM 19.
 * Knows ir/ and runtime/abi.h; LLVM appears in no header but internal.h.  What is in which file: internal.h. */
#ifndef SN_CODEGEN_CODEGEN_H
#define SN_CODEGEN_CODEGEN_H

#include "../ir/schedule.h"
#include "../runtime/abi.h"

typedef struct sn_codegen_options {
    const char *cpu;       /* "native" (default when NULL), "x86-64-v2", "x86-64-v3", "x86-64-v4" */
    const char *cache_dir; /* directory of compiled objects; NULL = no cache.  Only objects this program wrote are loaded; see cache.c */
    bool        debug;     /* gdb knows names and the graph files' lines; nothing is read from the cache or merged then */
    const char *jitdump;   /* folder where code is written down for perf, or NULL; see jitdump.c */
    uint32_t    threads;   /* compile threads; 0 = one a processor */
    const char *code;      /* file of LLVM IR or assembly as sn_codegen_print writes it, perhaps edited: the code of the kernels it names; NULL: none */
} sn_codegen_options;

typedef struct sn_compiled sn_compiled;

typedef struct sn_compile_stats {
    uint32_t kernels;  /* calls in the program */
    uint32_t distinct; /* different kernels after merging equal ones */
    uint32_t cached;   /* of these, loaded from the cache */
    double   seconds;
} sn_compile_stats;

/* Compile every kernel of s.  The result refers to s, which must outlive it.  NULL with diagnostics on failure. */
sn_compiled *sn_compile(const sn_schedule *s, const sn_codegen_options *options, sn_diags *diags);
void sn_compiled_free(sn_compiled *c);
const sn_abi_program *sn_compiled_program(const sn_compiled *c);
sn_compile_stats sn_compiled_stats(const sn_compiled *c);
/* Code that was given for a kernel of the schedule (sn_codegen_options.code), or NULL; assembly begins with '#'. */
const char *sn_compiled_code(const sn_compiled *c, uint32_t kernel);
/* The kernel of the schedule that a call of the program is part of, and whether it is the last of its calls. */
uint32_t sn_compiled_kernel(const sn_compiled *c, uint32_t call, bool *out_last);

/* ---- ahead of time (ahead.c) -------------------------------------------------------------------------------------------- */

/* What is known of a program once its weights are: calls that need not be made, because what they write is here.  By the numbers of the program
 * that sn_compile makes of the same schedule for the same processor. */
typedef struct sn_prepared {
    const bool         *drop; /* per call; NULL: nothing is known */
    const float *const *data; /* per buffer: its numbers, or NULL */
} sn_prepared;

/* A model as a library: the same kernels as objects instead of in this process, and the runtime's tables as constants. */
typedef struct sn_ahead {
    const char               *name;     /* a C identifier: what every symbol begins with */
    uint32_t                  variants; /* the most demanding processor first, all of one architecture */
    const char *const        *cpu;      /* as in sn_codegen_options, or "aarch64" */
    const sn_schedule *const *schedule; /* one each, made alike */
    const sn_prepared        *prepared; /* one each, or NULL */
    const uint64_t           *weight_at;  /* per parameter, as in sn_abi_artifact */
    const void               *weights;  /* inside, or NULL */
    uint64_t                  weights_bytes;
    const char               *file;     /* of weights beside; NULL if they are inside */
    const void               *head;     /* its first bytes, and its size */
    uint64_t                  head_bytes, file_bytes;
    uint32_t                  most_threads; /* 1, or 0 for any */
    bool                      debug;    /* lines of the graph files for debuggers and profilers */
    const sn_abi_tagging     *tagging;  /* the library finds segments in recordings, too; or NULL */
} sn_ahead;

/* Objects for a linker.  The last one is `main`, for an executable; it belongs in no library.  Undefined in them are the functions of
 * runtime/aot/aot.h, and what the processor's code generator takes from libc. */
typedef struct sn_object { char name[32]; size_t size; void *data; } sn_object;
typedef struct sn_objects { uint32_t count; sn_object *object; } sn_objects;
bool sn_ahead_make(const sn_ahead *a, sn_objects *out, sn_diags *diags);
void sn_objects_fini(sn_objects *o);

typedef enum sn_code_stage { SN_CODE_LLVM /* before optimisation */, SN_CODE_LLVM_OPT, SN_CODE_ASM } sn_code_stage;
/* Print the code of the kernels whose name contains `filter` (NULL = all) without running anything: what is generated, or given by options->code. */
bool sn_codegen_print(const sn_schedule *s, const sn_codegen_options *options, sn_code_stage stage, const char *filter, FILE *out,
                      sn_diags *diags);

/* The same of one kernel, by its number. */
bool sn_codegen_print_kernel(const sn_schedule *s, const sn_codegen_options *options, sn_code_stage stage, uint32_t kernel, FILE *out, sn_diags *diags);

/* Say which form the code of a kernel has, over which others, with what was predicted: as planning decides it. */
bool sn_codegen_explain(const sn_schedule *s, const sn_codegen_options *options, uint32_t kernel, FILE *out, sn_diags *diags);

/* What was detected: for `sinew doctor`.  Strings are static or owned by the library. */
typedef struct sn_codegen_target { const char *cpu, *triple, *llvm_version; uint32_t vector_bits; uint32_t vector_registers; bool runs_here; } sn_codegen_target;
bool sn_codegen_target_get(const sn_codegen_options *options, sn_codegen_target *out, sn_diags *diags);

#endif
