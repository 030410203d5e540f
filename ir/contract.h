/* The contraction: a sum of products over affine index maps, closed under differentiation.
 * Not a schedule: how it is computed is the code generator's business.
 *
 *     "n,2t+k-4,v,i ; k,i,o -> n,t,v,o"      a 9-tap temporal convolution of stride 2, padding 4
 *
 * means: for all values of the loops n t k v i o, where every index lies inside its tensor,
 *     out[n][t][v][o] += a[n][2t+k-4][v][i] * b[k][i][o]
 * An index outside its tensor (padding) contributes nothing.  The extent of a loop is the dimension at which it stands
 * alone (coefficient 1, offset 0) in a, b or out; all such places must agree and there must be one.
 * The gradient of a contraction is a contraction with the roles of the three index lists exchanged.
 */
#ifndef SN_IR_CONTRACT_H
#define SN_IR_CONTRACT_H

#include "dim.h"

enum { SN_MAX_RANK = 6, SN_MAX_LOOPS = 12, SN_MAX_TERMS = 3 };

typedef struct sn_affine { /* offset + sum of coef[i] * loop[i] */
    uint8_t terms;
    uint8_t loop[SN_MAX_TERMS];
    int32_t coef[SN_MAX_TERMS];
    int32_t offset;
} sn_affine;

typedef struct sn_contract {
    uint8_t   loops;
    char      name[SN_MAX_LOOPS][8]; /* letters of the spec */
    uint8_t   rank[3];               /* of a, b, out */
    sn_affine at[3][SN_MAX_RANK];    /* index maps of a, b, out */
} sn_contract;

enum { SN_AT_A, SN_AT_B, SN_AT_OUT };

/* Is this index just one loop? */
static inline bool sn_affine_is_loop(const sn_affine *f)
{
    return f->terms == 1 && f->coef[0] == 1 && f->offset == 0;
}

/* Is the loop in an index of this tensor (SN_AT_A, SN_AT_B, SN_AT_OUT)? */
bool sn_contract_has(const sn_contract *c, int tensor, uint8_t loop);

/* Parse; on failure returns false and points *at into text and *what at a static message. */
bool sn_contract_parse(const char *text, sn_contract *out, const char **at, const char **what);
/* Canonical text; parse(text(c)) equals c. */
int  sn_contract_text(const sn_contract *c, char *out, size_t n);
bool sn_contract_equal(const sn_contract *a, const sn_contract *b);
/* The same product seen from operand `wrt` (SN_AT_A or SN_AT_B): out' = wrt, a' = out (the gradient), b' = the other. */
sn_contract sn_contract_grad(const sn_contract *c, int wrt);

#endif
