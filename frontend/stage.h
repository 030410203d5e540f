/* A program at a stage of its compilation, as text that may have been edited by hand: written by `sinew show`, read wherever a graph file is.
 * Not the stages themselves (passes/) and not the text (ir/LANG.md).
 *
 *     # sinew stage simplify training gradients        the last pass that has run; what the program is for
 *     graph @stgcn(...) { ... }
 *     kernel 0 "block1.conv.xw" contract ... { ... }   of stage scheduled only
 *
 * Without the first line it is stage source, for inference. */
#ifndef SN_FRONTEND_STAGE_H
#define SN_FRONTEND_STAGE_H

#include "compile.h"

typedef struct sn_stage {
    uint32_t    source;    /* in the diagnostics of the load */
    const char *graph;     /* name of the graph */
    const char *after;     /* last pass that has run; NULL: none */
    bool        scheduled; /* the kernels are there, too */
    bool        training, gradients;
} sn_stage;

/* "source", "fused" (after all passes on graphs), "scheduled", or the name of a pass. */
enum { SN_STAGE_NAMES = 32 };
uint32_t sn_stage_names(const char *name[SN_STAGE_NAMES]);

/* Is this the text of a stage, and not a graph file? */
bool sn_stage_is(const char *data, size_t size);
/* Read it; what it says is checked.  Memory is the arena's. */
bool sn_stage_parse(const char *path, const char *data, size_t size, sn_arena *arena, sn_stage *out, sn_diags *diags);
/* Its graph, verified; its kernels, with their graph.  NULL with diagnostics. */
sn_graph    *sn_stage_graph(const sn_stage *stage, sn_diags *diags);
sn_schedule *sn_stage_schedule(const sn_stage *stage, sn_diags *diags);

/* Write one: the first line, then the graph, then the kernels if there is a schedule (whose graph it then is). */
void sn_stage_print_head(const char *name, bool training, bool gradients, FILE *out);

#endif
