/* A program at a stage as text, all of it or what is asked for: what `sinew show` prints.
 * Not the command line (cmd_show.c). */
#ifndef SN_FRONTEND_SHOW_H
#define SN_FRONTEND_SHOW_H

#include "model.h"

typedef enum sn_show_kind { SN_SHOW_NONE /* no stage */, SN_SHOW_GRAPH, SN_SHOW_KERNELS /* stage scheduled */, SN_SHOW_MEMORY, SN_SHOW_WHY, SN_SHOW_CODE } sn_show_kind;

enum { SN_SHOW_STAGES = SN_STAGE_NAMES + 4 };
uint32_t     sn_show_stages(const char *name[SN_SHOW_STAGES]);
sn_show_kind sn_show_kind_of(const char *stage);

typedef struct sn_show {
    const sn_model           *model;
    const sn_program_options *program;
    const char *node;   /* only nodes of that name and below, or kernels that compute one; NULL: all */
    const char *kernel; /* only kernels whose name contains it; NULL: all */
    const char *part;   /* "forward", "backward"; NULL: both */
    const char *cpu;
    const char *code;   /* as in sn_codegen_options, of stages llvm and asm */
    bool        dot, optimized;
} sn_show;

bool sn_show_stage(const sn_show *s, const char *stage, FILE *out, sn_diags *diags);
/* What is other at stage `to` than at stage `from`: see difference.h. */
bool sn_show_difference(const sn_show *s, const char *from, const char *to, FILE *out, sn_diags *diags);

#endif
