/* A compiled program as code generation holds it.
 * Not for kernel generators: they see plans and builders only (internal.h). */
#ifndef SN_CODEGEN_COMPILE_H
#define SN_CODEGEN_COMPILE_H

#include <pthread.h>

#include "internal.h"

typedef struct sn_unit { /* a distinct kernel */
    const sn_plan      *plan;   /* of the first kernel with this key */
    sn_key              key;
    const char         *symbol; /* functions are <symbol>_<call> */
    uint32_t            weight; /* guess of the work of making it */
    bool                made;   /* its code is there: as an image, or in an object */
    sn_image           *image;  /* until it is loaded */
    void               *object; /* with debug information, for gdb until it has it; NULL unless target.debug */
    size_t              object_size;
    sn_gdb             *gdb;
    char               *why;    /* it could not be made */
    sn_abi_kernel      *fn[SN_MAX_CALLS];
} sn_unit;

struct sn_compiled {
    const sn_schedule *s;
    sn_arena           arena;
    sn_target          target;
    sn_plan           *plan;    /* per kernel of s */
    uint32_t          *unit_of; /* per kernel of s */
    sn_unit           *unit;
    uint32_t           units;
    const char        *prefix;  /* of symbols */
    bool               ahead;   /* objects are kept as LLVM made them, instead of cut into images */
    LLVMMemoryBufferRef *object;
    uint32_t           objects;
    pthread_mutex_t    lock;    /* of object[] while several threads make them */
    sn_jit            *jit;
    sn_abi_program     program;
    const char       **symbol;  /* per call of the program, of its function */
    sn_compile_stats   stats;
};

/* Compile to objects that are not loaded: every external symbol is <prefix><kernel>.<target>_<call>; program.call[].kernel is
 * NULL.  `debug`: with lines of the graph files.  As sn_compile. */
sn_compiled *sn_compile_objects(const sn_schedule *s, const char *cpu, const char *prefix, bool debug, sn_diags *diags);

/* The runtime's tables from schedule, plans and loaded functions (program.c). */
void sn_program_fill(sn_compiled *c, const sn_diags *diags);

/* Leave out what need not be computed (prepare.c). */
void sn_program_prepare(sn_compiled *c, const sn_prepared *p);

#endif
