/* What the files of fusion share: facts about nodes, kernels being made.
 * Not for other passes.
 *
 *   fuse.c         the order of steps
 *   fuse_facts.c   what a node is, who reads it, what computing it costs
 *   fuse_chain.c   epilogues of contractions that are clear from the start
 *   fuse_choose.c  which values are computed once (roots) and which again by every reader
 *   fuse_place.c   which kernel computes a root
 *   fuse_finish.c  what kernels read and write, their names
 */
#ifndef SN_PASSES_FUSE_H
#define SN_PASSES_FUSE_H

#include "internal.h"

enum { SN_NO_KERNEL = UINT32_MAX, SN_NO_NODE = UINT32_MAX };

typedef enum sn_role {
    SN_ROLE_MEMORY,   /* parameter or constant: in memory from the start */
    SN_ROLE_LEAF,     /* generated from its index: may stand in any kernel */
    SN_ROLE_VIEW,     /* other name of its argument's memory */
    SN_ROLE_POINT,    /* pointwise */
    SN_ROLE_INDEX,    /* moves elements */
    SN_ROLE_MIX,      /* product with a graph that contractions make while they pack it */
    SN_ROLE_REDUCE, SN_ROLE_CONTRACT, SN_ROLE_SPECIAL
} sn_role;

enum { SN_MAX_LOADS = 4, SN_MAX_READERS = 6 };
enum { SN_ACCESS = 12, SN_WRITE = 18 }; /* reading a number from memory and storing one, in operations on numbers in vectors: see fuse_choose.c */

/* A small set of node numbers; n beyond its size means "many". */
typedef struct sn_few { uint32_t n; uint32_t at[SN_MAX_READERS]; } sn_few;
bool sn_few_add(sn_few *s, uint32_t limit, uint32_t x); /* false: many */

typedef struct sn_fact {
    sn_role  role;
    bool     forced;   /* must be a root */
    bool     root;     /* computed once, in kernel `home`; otherwise computed again in every kernel that reads it */
    bool     packed;   /* evaluated while a contraction's operand is packed, or in its epilogue: pointwise only */
    bool     constant; /* nothing below it is read from memory */
    uint32_t home;
    uint32_t host;     /* contraction in whose epilogue chain it is; SN_NO_NODE */
    uint32_t head;     /* of a contraction: last node of its chain */
    uint32_t ready;    /* latest reduction, contraction or special node it depends on; SN_NO_NODE */
    uint32_t own, cost; /* of one element: of the node alone, and with everything computed in place below it */
    sn_few   loads;    /* stored values of its own size that it reads through what is computed in place */
    sn_few   readers;  /* kernels that would compute it, by a representative node */
} sn_fact;

typedef struct sn_fuser {
    sn_schedule *s;
    sn_graph    *g;
    sn_arena    *arena;
    sn_fact     *fact;    /* by node */
    uint32_t    *first, *reader; /* readers of node i: reader[first[i]] .. reader[first[i+1] - 1], ascending */
    bool        *kept;    /* an output or update needs it */
    uint32_t    *mark, marks; /* of graph walks; each walk takes two numbers */
    uint32_t     kernel_capacity;
    bool         alone;   /* no two nodes in a kernel */
    const char **label;   /* of nodes, when reasons are recorded */
} sn_fuser;

static inline const sn_node *sn_fuse_node(const sn_fuser *f, uint32_t i) { return &f->g->node[i]; }
static inline bool sn_is_anchor(const sn_fact *x) { return x->role >= SN_ROLE_REDUCE; }

/* Record why a value is stored or not, and why it is where it is, if that is asked for: by who decides, in words with the numbers that decided.  A later reason
 * replaces an earlier one. */
void sn_fuse_because(const sn_fuser *f, uint32_t node, const char *format, ...) __attribute__((format(printf, 3, 4)));
void sn_fuse_placed(const sn_fuser *f, uint32_t node, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Its label, for reasons. */
static inline const char *sn_fuse_label(const sn_fuser *f, uint32_t node) { return f->label ? f->label[node] : ""; }

/* fuse_facts.c */
void sn_fuse_facts(sn_fuser *f);
/* May operand k of the contraction be computed while it is packed, once for each of its elements? */
bool sn_fuse_packs(const sn_graph *g, const sn_node *contract, uint32_t k);
/* Product with a graph, read only by contractions that pack it row by row, and cheaper made by each of them than stored. */
bool sn_fuse_is_mix(const sn_fuser *f, uint32_t i);
/* Is it better computed inside the contractions that read it, whatever it costs? */
bool sn_fuse_is_pattern(const sn_graph *g, const sn_node *n);

/* fuse_chain.c */
void sn_fuse_chains(sn_fuser *f);

/* fuse_choose.c */
void sn_fuse_choose(sn_fuser *f);
/* Instead of facts about mixing, chains and choice: every node is a root. */
void sn_fuse_nothing(sn_fuser *f);

/* fuse_place.c */
void sn_fuse_place(sn_fuser *f);

/* fuse_finish.c */
void sn_fuse_finish(sn_fuser *f);

#endif
