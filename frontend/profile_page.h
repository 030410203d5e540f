/* A profile as a page: the graph, the roofline, tables, and what became of each kernel from its line to assembly.
 * Not the measuring (bench.h) and not the frame of pages (page.h). */
#ifndef SN_FRONTEND_PROFILE_PAGE_H
#define SN_FRONTEND_PROFILE_PAGE_H

#include "bench.h"

typedef struct sn_profile_page {
    const char *cpu;  /* that the program was compiled for, as in sn_codegen_options */
    const char *code; /* that was given, too */
    uint32_t    stages; /* so many of the slowest kernels with LLVM IR and assembly; the others as scheduled only */
} sn_profile_page;

/* Write it atomically.  False with diagnostics of the job, or b->err. */
bool sn_profile_page_write(const char *path, sn_bench *b, const sn_profile_page *how);

#endif
