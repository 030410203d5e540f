/* What kind of product a contraction is, read off its index maps.
 * Not a kernel and no LLVM: the kernel_contract_<kind>.c files decide how each kind is computed.
 *
 * Every loop has a class, by the tensors it occurs in.  Most contractions of models, and all their gradients, are one product seen from
 * three sides: a tensor x read through a window, weights w, and y,
 *     y[m.. , u , m.. , o..] = sum over i.., k of  x[m.. , s*u + d*k + off , m.. , i..] * w[k, i.., o..]
 * with loops  m (positions, in x and y),  o (in w and y),  i (in w and x),  k (window, in w and in one index of x).
 * The contraction's result may be y (forward), x (data gradient) or w (weight gradient).
 */
#ifndef SN_CODEGEN_CONTRACT_CLASS_H
#define SN_CODEGEN_CONTRACT_CLASS_H

#include "../ir/ir.h"

typedef struct sn_loop_fact {
    sn_dim  extent;
    int8_t  alone[3]; /* axis of a, b, out where the loop stands alone; -1 if none */
    uint8_t count[3]; /* in how many axes of a, b, out it occurs at all */
    bool    window;   /* occurs in an index that is not just a loop */
} sn_loop_fact;

typedef struct sn_contract_facts {
    const sn_contract *spec;
    sn_type            type[3]; /* of a, b, out */
    sn_loop_fact       loop[SN_MAX_LOOPS];
} sn_contract_facts;

void sn_contract_facts_get(const sn_graph *g, const sn_node *anchor, sn_contract_facts *out);
/* Is the index map of axis i of tensor t something else than one loop? */
bool sn_contract_windowed(const sn_contract_facts *f, int t, int i);

typedef enum sn_loop_role { SN_LOOP_POSITION, SN_LOOP_OUT, SN_LOOP_IN, SN_LOOP_TAP, SN_LOOP_BATCH /* in x, w and y */ } sn_loop_role;

/* The product as seen by (x, w, y).  x, w, y are tensor numbers: a permutation of SN_AT_A, SN_AT_B, SN_AT_OUT. */
typedef struct sn_product {
    int          x, w, y;
    sn_loop_role role[SN_MAX_LOOPS];
    int          x_axis;           /* windowed axis of x, or -1 */
    uint8_t      frame, tap;       /* loops of the window: u (a position) and k; tap = UINT8_MAX if the window has none */
    int32_t      s, d, off;        /* s > 0; d any sign, 0 without tap */
    uint8_t      in[SN_MAX_RANK], ins;   /* i loops in x's axis order */
    uint8_t      out[SN_MAX_RANK], outs; /* o loops in y's axis order */
    bool         batched;                /* has loops in x, w and y: w differs from sample to sample, or from group to group of channels */
    uint8_t      band;                   /* such a loop if there is just one, else UINT8_MAX */
} sn_product;

/* Has any index map a window? */
bool sn_contract_has_window(const sn_contract_facts *f);

/* Why something does not fit, in words; NULL: it does. */
typedef const char *sn_refusal;

/* Does the contraction fit the picture with tensors x, w, y in these roles? */
sn_refusal sn_contract_product(const sn_contract_facts *f, int x, int w, int y, sn_product *out);

#endif
