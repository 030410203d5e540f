/* The schedule: which nodes form a kernel, in which order kernels run, where their results live.
 * Data only: passes/ makes it, codegen/ reads it, and they do not know each other.
 *
 * What a kernel computes is the meaning of its nodes in the graph; the form only says which generator emits it.  Evaluation is by
 * demand: the value of a body node at an index is its lowering rule applied to the values of its arguments; an argument that is
 * in the body is evaluated in place (inlined), one that is not is loaded from memory.
 *
 *   MAP       no anchor.  Space = shape of out[0].  Every out is either a pointwise/index node of exactly that shape, or a partial_sum over
 *             a value of that shape whose tiles are the kernel's tiles.
 *   REDUCE    anchor = a reduction; all reductions in the body have the anchor's operand shape and axes.  Before it: pointwise/index nodes
 *             evaluated per operand element.  After it: pointwise nodes of the (kept) result shape.  Outs: results and epilogue nodes.
 *   CONTRACT  anchor = a contraction; any nodes its operands need that are in the body are the prologue, applied while operands are packed;
 *             among them may be products with a graph: x[p.., i.., c] * w[p.., i.., o..] summed over i, where w is known to be mostly zero,
 *             or small and in memory like x;
 *             nodes after it are pointwise of exactly its shape, or partial_sums over such (epilogue).  Space = the anchor's shape.
 *   SPECIAL   anchor = the only body node.
 *
 * Tiles: the unit handed to a thread, fixed here and never by the number of threads.  For MAP and CONTRACT with a partial_sum, the tile is
 * that of the partial_sum; otherwise the generator may choose.
 */
#ifndef SN_IR_SCHEDULE_H
#define SN_IR_SCHEDULE_H

#include "ir.h"

typedef enum sn_form { SN_FORM_MAP, SN_FORM_REDUCE, SN_FORM_CONTRACT, SN_FORM_SPECIAL } sn_form;

typedef struct sn_kernel {
    sn_form     form;
    const char *name;   /* from the graph file: "enc.block4.tcn", gradients "enc.block4.tcn.dw"; unique in the schedule */
    sn_ref      anchor; /* SN_NONE for MAP */
    sn_ref     *body;   uint32_t bodies; /* everything computed here, topological order, anchor included */
    sn_ref     *in;     uint32_t ins;    /* read from memory; distinct, in order of first use */
    sn_ref     *out;    uint32_t outs;   /* written to memory; distinct */
    bool        tiled;  /* cut as below; otherwise free */
    int64_t     outer, chunk; /* as in partial_sum */
    sn_loc      loc;
} sn_kernel;

typedef enum sn_place {
    SN_PLACE_SLAB,   /* planned in the slab */
    SN_PLACE_PARAM,  /* memory of parameter `index` */
    SN_PLACE_OUTPUT, /* memory of output `index`: caller's */
    SN_PLACE_CONST,  /* constant data of `node` */
    SN_PLACE_ALIAS   /* same memory as buffer `index` (views) */
} sn_place;

typedef struct sn_buffer {
    sn_ref   node;
    sn_place place;
    uint32_t index;
    sn_dim   count;       /* floats */
    uint32_t first, last; /* kernels that first write and last read it, inclusive; outputs and updates live to the end */
} sn_buffer;

/* Why a node is computed and stored as it is: said by the step that decided it, when it did. */
typedef struct sn_why {
    const char *value; /* stored, or computed again by its readers */
    const char *place; /* with others in its kernel, or apart */
} sn_why;

typedef struct sn_schedule {
    sn_graph  *g;         /* owned: the graph the refs are into */
    sn_arena   arena;
    sn_kernel *kernel; uint32_t kernels;
    sn_buffer *buffer; uint32_t buffers;
    uint32_t  *buffer_of; /* per node; UINT32_MAX when it never reaches memory */
    sn_why    *why;       /* per node; texts may be NULL; NULL unless asked for (sn_pipeline.explain) */
} sn_schedule;

/* An empty schedule that owns g.  All arrays are the schedule's arena's. */
sn_schedule *sn_schedule_new(sn_graph *g);
void sn_schedule_free(sn_schedule *s);
/* Text of kernels, edges, tiles and buffers: what `sinew show --stage fused|scheduled` prints. */
void sn_schedule_print(const sn_schedule *s, FILE *out);
/* Of that, one kernel, under the same labels (sn_node_labels of the graph). */
void sn_schedule_print_kernel(const sn_schedule *s, const char **label, uint32_t kernel, FILE *out);
/* A graph and kernels of it, as sn_graph_print and sn_schedule_print write them one after the other.  The body of a kernel says which nodes it has: what they
 * are stands in the graph and must be the same.  Buffers are skipped: they follow from the kernels.  NULL with diagnostics; that it is a schedule that can run
 * is for others to verify. */
sn_schedule *sn_schedule_parse(sn_diags *diags, uint32_t source);
/* One kernel's nodes, each with where it and what it reads are and the reasons that were recorded; the kernel's name alone where none were. */
void sn_schedule_print_why(const sn_schedule *s, const char **label, uint32_t kernel, FILE *out);

#endif
