/* Dimensions: constants, symbols (N, T) and arithmetic on them, hash-consed so that equality is comparison.
 * Not shapes (ir.h) and not run-time extents (those come from sn_dim_eval).
 *
 * A dimension is a value, not a pointer: v >= 0 is the constant v, v < 0 is entry ~v of the table of the graph it
 * belongs to.  Canonical forms make the shapes of two paths meet: a 9-tap convolution of stride 2 and a 1-tap one both
 * give (T - 1) / 2 + 1, and doing it twice gives (T - 1) / 4 + 1.
 */
#ifndef SN_IR_DIM_H
#define SN_IR_DIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct sn_dim { int64_t v; } sn_dim;

typedef enum sn_dim_op { SN_DIM_SYMBOL, SN_DIM_ADD, SN_DIM_MUL, SN_DIM_DIV /* floor */ } sn_dim_op;

typedef struct sn_dim_entry {
    sn_dim_op   op;
    sn_dim      a, b;   /* operands; unused for symbols */
    uint32_t    symbol; /* index of the symbol, in order of creation */
    const char *name;   /* of a symbol; NULL otherwise */
} sn_dim_entry;

typedef struct sn_dims {
    sn_dim_entry *entry;
    uint32_t      count, capacity;
    uint32_t      symbols; /* how many of the entries are symbols */
} sn_dims;

void sn_dims_init(sn_dims *d);
void sn_dims_fini(sn_dims *d);

static inline sn_dim sn_dim_const(int64_t v) { return (sn_dim){v}; }
static inline bool sn_dim_is_const(sn_dim d) { return d.v >= 0; }
static inline bool sn_dim_equal(sn_dim a, sn_dim b) { return a.v == b.v; }

/* The symbol of that name, made on first use; the name is copied. */
sn_dim sn_dim_symbol(sn_dims *d, const char *name);
/* Arithmetic.  `mul` takes a constant factor >= 0 or two dimensions; `div` is floor division by a constant > 0. */
sn_dim sn_dim_add(sn_dims *d, sn_dim a, sn_dim b);
sn_dim sn_dim_add_const(sn_dims *d, sn_dim a, int64_t c); /* c may be negative */
sn_dim sn_dim_mul(sn_dims *d, sn_dim a, sn_dim b);
sn_dim sn_dim_div(sn_dims *d, sn_dim a, int64_t c);
sn_dim sn_dim_ceil_div(sn_dims *d, sn_dim a, int64_t c);

/* Value under a binding of the symbols (symbol index -> extent). */
int64_t sn_dim_eval(const sn_dims *d, sn_dim a, const int64_t *symbol);

/* Text as in the textual IR: `25`, `T`, `(T-1)/2+1`.  Writes at most n bytes incl. the NUL, returns what snprintf would. */
int sn_dim_text(const sn_dims *d, sn_dim a, char *out, size_t n);

#endif
