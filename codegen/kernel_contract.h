/* What the generators of the contract form share: the kernel taken apart, its tiles, its edges.
 * Not for the rest of code generation, which knows sn_kernel_contract only.
 *
 *   kernel_contract.c          choice of kind; tiles; epilogue of one point
 *   kernel_contract_why.c      that choice in words: what does not fit and why, predicted costs
 *   kernel_contract_pack.c     operands packed for the micro-kernel
 *   kernel_contract_window.c   taps of strided and dilated windows
 *   kernel_contract_edge.c     epilogue of a packed tile of results
 *   kernel_contract_ahead.c    memory of the epilogue, asked for early
 *   kernel_contract_rows.c     convolutions, linear maps and their data gradients
 *   kernel_contract_winograd.c the same with fewer products, for wide layers
 *   kernel_contract_wgrad.c    their weight gradients
 *   kernel_contract_winograd_weights.c  the same with fewer products
 *   kernel_contract_graph.c    graph products: columns are not summed
 *   kernel_contract_sparse.c   graphs taken apart; those most of whose numbers are zero
 *   kernel_contract_mix.c      graph products as operands
 *   kernel_contract_heads.c    the same with a graph per head
 *   kernel_contract_dot.c      gradients of graphs, affinities: columns are summed
 *   kernel_contract_general.c  any contraction, as a loop nest
 */
#ifndef SN_CODEGEN_KERNEL_CONTRACT_H
#define SN_CODEGEN_KERNEL_CONTRACT_H

#include "contract_class.h"
#include "gemm.h"
#include "internal.h"
#include "winograd.h"

typedef struct sn_ct sn_ct;
typedef struct sn_ct_kind { /* one kind of contraction */
    const char *name;
    sn_refusal (*plan)(sn_plan *p, sn_ct *ct); /* NULL: planned, with its cost; else nothing was added to p */
    bool       (*emit)(sn_kb *kb, sn_ct *ct);
} sn_ct_kind;

/* What a kind is predicted to cost: vector operations for some part of the result, a multiply-add or what takes as long; two start in a cycle.
 * Not counted is what all kinds do alike (prologue, epilogue), what is done once a kernel (packing weights, adding parts), and waiting for memory. */
typedef struct sn_ct_cost {
    double        macs;     /* multiply-adds that the direct method has for that part */
    double        products; /* by the micro-kernel or what is in its place: padding and loads that nothing hides included */
    double        moves;    /* packing, transforms, results between registers and scratch */
    sn_gemm_block block;    /* of registers; {0, 0} if there is no choice of one */
    int64_t       rows, vectors; /* that it is a block of */
    const char   *order;    /* of the products and why, where there are several; may be NULL */
} sn_ct_cost;

struct sn_ct { /* made by the plan, read by emission */
    const sn_ct_kind *kind;
    sn_ref            anchor, operand[2];
    sn_contract_facts facts;
    uint32_t          outer; /* tiles: one for each index of result axes 0 .. outer-1 and each chunk of axis outer */
    int64_t           chunk;
    uint32_t          main;  /* the call with the products */
    sn_dim            nested; /* multiply-adds of operands that are products themselves */
    sn_ct_cost        cost;
    uint64_t          transforms; /* kernels of a kind for which it is the same call the same functions of winograd.h */
    uint32_t          terms, pattern; /* tensor `pattern` has `terms` numbers that may not be zero; 0 terms = all */
    void             *data;  /* of the kind */
};

extern const sn_ct_kind sn_ct_winograd, sn_ct_rows, sn_ct_winograd_weights, sn_ct_wgrad, sn_ct_graph, sn_ct_heads, sn_ct_dot, sn_ct_general;

/* The call reads what these parts of the kernel read: operands (1 << SN_AT_A, 1 << SN_AT_B), epilogue. */
enum { SN_CT_OPERANDS = 3, SN_CT_EPILOGUE = 4 };
void sn_ct_reads(sn_plan *p, const sn_ct *ct, sn_plan_call *c, unsigned what);
sn_gemm_env sn_ct_env(sn_kb *kb);
int64_t sn_ct_ceil(int64_t a, int64_t b); /* a rounded up to a multiple of b */
/* Extent of a loop if it is constant and positive. */
bool sn_ct_const_extent(const sn_contract_facts *f, uint8_t loop, int64_t *out);
/* That it is not. */
sn_refusal sn_ct_open(const sn_plan *p, const sn_contract_facts *f, uint8_t loop);
/* Are the tensor's axes from number `from` on these loops, in this order? */
bool sn_ct_axes_are(const sn_contract_facts *f, int tensor, uint32_t from, const uint8_t *loop, uint32_t n);
/* How many taps the window has, 1 if it has none. */
sn_refusal sn_ct_taps(const sn_plan *p, const sn_contract_facts *f, const sn_product *q, int64_t *taps);
/* Is so much scratch a thread too much? */
sn_refusal sn_ct_scratch(const sn_plan *p, int64_t bytes);
/* Are the accumulators of one part of a sum too many? */
sn_refusal sn_ct_sums_fit(const sn_plan *p, int64_t floats);
/* Of two ways to see a contraction neither fits. */
sn_refusal sn_ct_neither(const sn_plan *p, sn_refusal one, sn_refusal other);
/* What became of a kind: no is why it does not fit, or NULL. */
typedef struct sn_ct_verdict { const sn_ct_kind *kind; sn_refusal no; sn_ct_cost cost; } sn_ct_verdict;
/* Say it of all kinds, in order of preference (kernel_contract_why.c). */
void sn_ct_explain(const sn_plan *p, const sn_ct *chosen, const sn_ct_verdict *v, int kinds);

/* Numbers of an operand that are known to be zero at compile time: the operand is a constant, or a product with one of its shape.
 * Returns that constant's data, row-major, or NULL. */
const float *sn_ct_pattern(const sn_plan *p, sn_ref operand);

/* ---- tiles -------------------------------------------------------------------------------------------------------------- */

sn_dim sn_ct_tiles(sn_plan *p, const sn_ct *ct);

typedef struct sn_ct_tile { /* a tile at run time; i64 values */
    LLVMValueRef number, at[SN_MAX_RANK]; /* indices of axes 0 .. outer-1 */
    LLVMValueRef from, to;                /* of axis outer: to - from = chunk but for the last */
} sn_ct_tile;

sn_ct_tile sn_ct_tile_of(sn_kb *kb, const sn_ct *ct, LLVMValueRef number);
/* A number of the values of those loops outside of tiles that an operand has: while it stays the same, so does all that the operand gives them. */
LLVMValueRef sn_ct_sample_of(sn_kb *kb, const sn_ct *ct, const sn_ct_tile *tile, int tensor);

/* ---- epilogue ----------------------------------------------------------------------------------------------------------- */

/* Memory of partial sums of this tile := 0.  Before the tile's first sn_ct_store. */
void sn_ct_clear_sums(sn_kb *kb, const sn_ct *ct, const sn_ct_tile *tile);
/* The anchor has `value` at the point `at` of the result: evaluate and store every out, add to the partial sums of the tile.
 * Uses kb->lanes and kb->mask; every point of the tile once, in a fixed order. */
void sn_ct_store(sn_kb *kb, const sn_ct *ct, const sn_ct_tile *tile, const sn_val *at, LLVMValueRef value);
/* Its parts, with the anchor bound by the caller: add the point to one out that is a partial sum; memory of the tile's row of it. */
bool sn_ct_is_sums(const sn_graph *g, sn_ref r);
void sn_ct_add_sums(sn_kb *kb, sn_ref r, const sn_ct_tile *tile, const sn_val *at);
LLVMValueRef sn_ct_sums_row(sn_kb *kb, sn_ref r, const sn_ct_tile *tile, LLVMValueRef *out_size);

/* ---- packing (kernel_contract_pack.c) ----------------------------------------------------------------------------------- */

enum { SN_CT_MAX_TAPS = 64, SN_CT_MAX_PHASES = 32, SN_CT_MAX_SCRATCH = 1 << 26 /* bytes a thread */, SN_CT_MAX_SUMS = 1 << 26 };

/* Some frames of an operand as rows of floats: slot, then inner rows, then columns. */
typedef struct sn_ct_frames { int64_t slot, count, start, step; } sn_ct_frames; /* slot + j holds frame base + start + j * step */
typedef struct sn_ct_pack {
    int          tensor;               /* SN_AT_A or SN_AT_B */
    int          frame_axis;           /* of the tensor */
    uint8_t      inner[SN_MAX_RANK];  uint32_t inners;  /* loops over the rows of a frame, last fastest */
    uint8_t      column[SN_MAX_RANK]; uint32_t columns; /* loops of a row, last fastest; zeros up to a whole vector */
    int64_t      inner_rows, width, stride;             /* of a frame; floats of a row; from row to row */
    bool         run;                  /* several columns are one run of memory: of an operand that is read, whose last axes they are */
    sn_ct_frames group[SN_CT_MAX_PHASES]; uint32_t groups;
    int64_t      slots;
    int64_t      part;                 /* 0: whole rows; else so many columns from a given one on, which are whole vectors of one column loop */
    const struct sn_ct_mix *mix;       /* the operand is a product with a graph, made while it is packed; NULL = it is read */
    int64_t      mix_at, mix_floats;   /* scratch of its making */
} sn_ct_pack;

/* A loop in all three tensors cuts rows and columns into bands that meet only their likes: how many there are; 1 without such a loop. */
int64_t sn_ct_bands(const sn_contract_facts *f, const sn_product *p);
/* The best block for bands of `rows` rows and `columns` columns; it is of one band, whose columns are then whole vectors. */
sn_gemm_block sn_ct_band_block(const sn_plan *p, int64_t rows, int64_t columns, bool several);

/* Fill inner_rows, width, stride, run, if all extents are constant. */
sn_refusal sn_ct_pack_plan(const sn_plan *plan, const sn_ct *ct, sn_ct_pack *p);
/* Vector operations to pack a tile's frames: a load and a store for every vector, and what making a nested operand takes. */
double sn_ct_pack_cost(const sn_plan *plan, const sn_ct_pack *p);
/* The last frame packed, counted from the one a tile is packed around. */
int64_t sn_ct_pack_last(const sn_ct_pack *p);
/* Column of the loops at their values: flattened, last fastest. */
LLVMValueRef sn_ct_pack_column(sn_kb *kb, const sn_ct *ct, const sn_ct_pack *p, const LLVMValueRef *loop);
/* Where a part that begins at `column` ends: a whole vector. */
LLVMValueRef sn_ct_pack_end(sn_kb *kb, const sn_ct_pack *p, LLVMValueRef column);
/* Copy the frames around `frame` to `to`; frames outside the tensor become zeros.  loop[]: values of the position loops outside.
 * `column`: the first one if p->part is not 0; columns keep their places in the rows. */
void sn_ct_pack_emit(sn_kb *kb, sn_ct *ct, const sn_ct_pack *p, LLVMValueRef *loop, LLVMValueRef frame, LLVMValueRef column, LLVMValueRef to);

/* ---- graphs (kernel_contract_sparse.c) ------------------------------------------------------------------------------------- */

typedef struct sn_ct_term { int64_t in, out; } sn_ct_term; /* flattened i and o of a number of g that may not be zero */

/* y[p.., o.., c] = sum over i.. of x[p.., i.., c] * g[i.., o..] */
typedef struct sn_ct_links {
    sn_product  product;
    int         source, weights;                  /* operands x and g */
    uint8_t     channel;                          /* loop c */
    uint8_t     out[SN_MAX_RANK]; uint32_t outs;  /* o loops in the result's order */
    uint32_t    free_axes;                        /* leading result axes that are positions */
    int64_t     ins_total, outs_total, width;
    sn_ct_term *term; uint32_t terms;             /* in order of o, if most of g is known to be zero; else none */
} sn_ct_links;
enum { SN_CT_TERM_LOADS = 2 }; /* a term is a multiply-add behind two loads, of a vector of x and of a number of g */

sn_refusal sn_ct_links_find(const sn_plan *p, const sn_contract_facts *f, sn_ct_links *g);
void sn_ct_links_terms(const sn_plan *p, const sn_contract_facts *f, sn_ref weights, sn_ct_links *g);

/* ---- graph products as operands (kernel_contract_mix.c) ------------------------------------------------------------------------- */

/* Is the operand a contraction that this kernel computes, too? */
bool sn_ct_is_nested(const sn_plan *p, sn_ref operand);
/* For a planned pack: prepare to make a nested operand, if it is one.  The caller places mix_floats in scratch. */
sn_refusal sn_ct_mix_plan(const sn_plan *p, sn_ct *ct, sn_ct_pack *pack);
/* Of one frame, if the operand is nested, else 0: its multiply-adds; vector operations. */
double sn_ct_mix_macs(const sn_ct_pack *p);
double sn_ct_mix_cost(const sn_plan *plan, const sn_ct_pack *p);
/* What a pack reads: the operand, or what a nested one is made from; axis[i] of the operand is its axis i, SN_MAX_RANK = none. */
sn_ref sn_ct_source(const sn_ct *ct, const sn_ct_pack *pack, uint8_t *axis);
/* Once a call, before packing: the numbers of a sparse graph. */
void sn_ct_mix_weights(sn_kb *kb, sn_ct *ct, const sn_ct_pack *p);
/* The rows of one frame, as sn_ct_pack_emit has them. */
void sn_ct_mix_frame(sn_kb *kb, sn_ct *ct, const sn_ct_pack *p, LLVMValueRef *loop, LLVMValueRef frame, LLVMValueRef to);

/* Windows (kernel_contract_window.c): phase q of the result frames of a tile has the taps first[q] .. first[q+1]-1; its frame u reads slot
 * tap.slot + u of the packed source, which is packed around source frame  tile.from * multiple / divisor. */
typedef struct sn_ct_tap { int64_t k, slot; } sn_ct_tap;
typedef struct sn_ct_window {
    int64_t   frames;   /* of a phase in a whole tile */
    int64_t   phases, first[SN_CT_MAX_PHASES + 1];
    int64_t   multiple, divisor;
    sn_ct_tap tap[SN_CT_MAX_TAPS];
} sn_ct_window;
/* For tiles of `frames` result frames; adds the groups of packed frames.  Refused if there are too many.
 * gather: frame u of y reads frame s*u + d*k + off of x, the packed tensor.  One phase.
 * scatter: frame f = s*u + q of x gets tap k from frame u + (q - d*k - off) / s of y, the packed tensor, where whole.  s phases. */
sn_refusal sn_ct_window_gather(sn_ct_window *w, sn_ct_pack *pack, const sn_product *p, int64_t frames, int64_t taps);
sn_refusal sn_ct_window_scatter(sn_ct_window *w, sn_ct_pack *pack, const sn_product *p, int64_t frames, int64_t taps);
/* Result frames to compute for a tile of a data gradient: they begin and end at multiples of the stride, tiles need not. */
int64_t sn_ct_window_whole(int64_t chunk, int64_t s);

/* A window as fast correlations (winograd.h), one for each frame modulo the stride: forward of the source, and their results are added; data
 * gradient of the result.  Their components are numbered one correlation after the other. */
enum { SN_CT_FAST_PHASES = 3, SN_CT_FAST_PIECES = SN_CT_FAST_PHASES * SN_WINO_MAX_PIECES };
typedef struct sn_ct_fast {
    int64_t phases, frames, segments; /* frames of a tile of each, in result frames divided by the stride for a data gradient */
    int64_t components;               /* products of all */
    sn_wino form[SN_CT_FAST_PHASES];
    int64_t component[SN_CT_FAST_PHASES], slot[SN_CT_FAST_PHASES]; /* first component; slot that holds the first frame */
    int64_t tap[SN_CT_FAST_PHASES][SN_WINO_MAX_TAPS];              /* of the weights, that meets the n-th frame */
} sn_ct_fast;
/* For packed frames that yield `frames` frames of each; adds them to the pack. */
sn_refusal sn_ct_fast_window(sn_ct_fast *w, sn_ct_pack *pack, const sn_product *p, bool scatter, int64_t frames, int64_t taps);

/* A number for the transforms of these correlations, point by point or not. */
uint64_t sn_ct_fast_transforms(const sn_ct_fast *w, bool by_point);

/* Weights as panels: block of columns, tap, row, column of the block; columns beyond the width are zero. */
typedef struct sn_ct_panels { /* of several column loops the last is a multiple of the lanes */
    int      tensor;
    uint8_t  row[SN_MAX_RANK];    uint32_t rows;
    uint8_t  column[SN_MAX_RANK]; uint32_t columns;
    uint8_t  tap;                           /* loop, or UINT8_MAX */
    int64_t  tap_order[SN_CT_MAX_TAPS], taps; /* taps >= 1 */
    int64_t  depth, width;                  /* rows, columns */
    int64_t  vectors, blocks;
} sn_ct_panels;

sn_dim sn_ct_panels_tiles(const sn_ct_panels *w);
/* The body of a call of that many tiles. */
void sn_ct_panels_emit(sn_kb *kb, sn_ct *ct, const sn_ct_panels *w, LLVMValueRef to);
/* Weights of one row, columns from `column` on, as one vector; loop[w->tap] is set. */
LLVMValueRef sn_ct_panels_vector(sn_kb *kb, sn_ct *ct, const sn_ct_panels *w, LLVMValueRef *loop, LLVMValueRef row, LLVMValueRef column);

/* ---- epilogue of a packed tile (kernel_contract_edge.c) ------------------------------------------------------------------ */

/* Results of some frames of a tile as rows: phase, frame of the phase, inner rows; one block of columns. */
typedef struct sn_ct_edge {
    uint8_t inner[SN_MAX_RANK]; uint32_t inners;  /* result axes after the frame axis and before the columns */
    uint32_t columns;                             /* last result axes; if several, the last is a multiple of the lanes */
    int64_t inner_rows, width;                    /* constant */
    int64_t phases, phase_rows;                   /* frame origin + f begins at row f % phases * phase_rows + f / phases * inner_rows */
    int64_t vectors;                              /* of a block */
    int64_t blocks;
} sn_ct_edge;

/* The tile's first frame, rounded down to a multiple of the phases. */
LLVMValueRef sn_ct_edge_origin(sn_kb *kb, const sn_ct_edge *edge, const sn_ct_tile *tile);
/* Do the kernel's outs fit (the sums carried in registers)? */
sn_refusal sn_ct_edge_fits(const sn_plan *p, const sn_ct_edge *edge);
/* Evaluate and store every out for block `block` of the tile whose products are at `c`; partial sums of
 * the block's columns are written; those that keep other axes are added to (sn_ct_clear_sums first). */
void sn_ct_edge_emit(sn_kb *kb, sn_ct *ct, const sn_ct_edge *edge, const sn_ct_tile *tile, LLVMValueRef block, LLVMValueRef c);

/* A product of positions and columns taken apart (kernel_contract_rows.c): what a tile packs, weights by columns, the tile's results.  Left open: groups
 * and slots of the pack, blocks of the panels and the edge. */
typedef struct sn_ct_sides {
    sn_product   product;
    bool         scatter; /* data gradient: the result holds the window */
    sn_ct_pack   pack;
    sn_ct_panels panels;
    sn_ct_edge   edge;
} sn_ct_sides;
/* Sets ct->outer, too.  If refused, ct->outer and ct->nested may have changed. */
sn_refusal sn_ct_sides_find(sn_plan *p, sn_ct *ct, sn_ct_sides *out, int64_t *taps);

/* A weight gradient taken apart (kernel_contract_wgrad.c): what is packed of a and b, what is summed over.  Left open: groups and slots of the packs. */
typedef struct sn_ct_reduction {
    sn_product product;
    int        row_side, column_side;             /* operands; the column side holds the result's last axis */
    sn_ct_pack pack[2];                           /* of a and b */
    uint8_t    outer[SN_MAX_RANK]; uint32_t outers; /* position loops outside the frame axis */
    sn_dim     frame_extent;                      /* of y */
} sn_ct_reduction;
sn_refusal sn_ct_reduction_find(const sn_plan *p, sn_ct *ct, sn_ct_reduction *out, int64_t *taps);

/* Where a frame of what an operand is packed from begins, in floats. */
LLVMValueRef sn_ct_source_offset(sn_kb *kb, const sn_ct *ct, const sn_ct_pack *pack, LLVMValueRef *loop, LLVMValueRef frame);

/* Ask for `rows` rows of everything of the result's shape that the epilogue touches: those of block `block` from row `row` of the tile on, as
 * they lie in memory (kernel_contract_ahead.c). */
void sn_ct_ahead(sn_kb *kb, const sn_ct *ct, const sn_ct_edge *edge, const sn_ct_tile *tile, LLVMValueRef block, LLVMValueRef row, int64_t rows);
/* Memory by its address; it may lie outside of everything. */
void sn_ct_ahead_floats(sn_kb *kb, LLVMValueRef at, int64_t floats, bool write);
/* The same for rows of what an operand is packed from, from frame `frame` on; loop[] and column as for packing. */
void sn_ct_ahead_source(sn_kb *kb, const sn_ct *ct, const sn_ct_pack *pack, LLVMValueRef *loop, LLVMValueRef frame, LLVMValueRef column,
                        LLVMValueRef row, int64_t rows);

/* Asked for by the micro-kernel: memory in one piece, a share with each call. */
typedef struct sn_ct_stream { LLVMValueRef at; int64_t lines; bool write; } sn_ct_stream;
typedef struct sn_ct_streams { sn_ct_stream of[SN_GEMM_MAX_AHEAD]; uint32_t count; int64_t calls; } sn_ct_streams;
/* Add what an operand is packed from, `frames` frames from `frame` on; everything of the result's shape that the tile's epilogue touches. */
void sn_ct_stream_source(sn_kb *kb, const sn_ct *ct, const sn_ct_pack *pack, LLVMValueRef *loop, LLVMValueRef frame, int64_t frames,
                         sn_ct_streams *s);
void sn_ct_stream_edge(sn_kb *kb, const sn_ct *ct, const sn_ct_edge *edge, const sn_ct_tile *tile, sn_ct_streams *s);
void sn_ct_stream_add(sn_ct_streams *s, LLVMValueRef at, int64_t floats, bool write);
/* Step number `step` of so many asks for its share, where there is no micro-kernel. */
void sn_ct_stream_step(sn_kb *kb, const sn_ct_streams *s, int64_t steps, LLVMValueRef step);
/* Set m->ahead for calls of `turns` times `unroll` steps; the addresses of call number `call` of s->calls. */
void sn_ct_stream_pace(const sn_ct_streams *s, int64_t turns, sn_gemm_micro *m);
void sn_ct_stream_call(sn_kb *kb, const sn_ct_streams *s, int64_t turns, LLVMValueRef call, LLVMValueRef *address);

#endif
