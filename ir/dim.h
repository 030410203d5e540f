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

/* Constants are never negative, so `T - 1` is a subtraction.  Values may be negative in between: division rounds down. */
typedef enum sn_dim_op { SN_DIM_SYMBOL, SN_DIM_ADD, SN_DIM_MUL, SN_DIM_DIV /* floor */, SN_DIM_SUB } sn_dim_op;

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
/* `to` (not initialised) becomes an equal table: dimensions of `from` mean the same in it. */
void sn_dims_copy(sn_dims *to, const sn_dims *from);
/* Is d a constant or an entry of the table? */
bool sn_dim_known(const sn_dims *d, sn_dim a);
/* Name of symbol number `symbol`. */
const char *sn_dim_symbol_name(const sn_dims *d, uint32_t symbol);
/* The same dimension in two tables: symbols are compared by name. */
bool sn_dim_same(const sn_dims *da, sn_dim a, const sn_dims *db, sn_dim b);

static inline sn_dim sn_dim_const(int64_t v) { return (sn_dim){v}; }
static inline bool sn_dim_is_const(sn_dim d) { return d.v >= 0; }
static inline bool sn_dim_equal(sn_dim a, sn_dim b) { return a.v == b.v; }

/* The symbol of that name, made on first use; the name is copied. */
sn_dim sn_dim_symbol(sn_dims *d, const char *name);
/* Arithmetic; results are canonical.  `div` is floor division by a constant > 0.  A constant result below 0 becomes 0, one beyond
 * SN_DIM_HUGE becomes SN_DIM_HUGE, which no legal type has: shape rules and the verifier report it (sn_type_legal). */
#define SN_DIM_HUGE ((int64_t)1 << 60)
sn_dim sn_dim_add(sn_dims *d, sn_dim a, sn_dim b);
sn_dim sn_dim_sub(sn_dims *d, sn_dim a, sn_dim b);
sn_dim sn_dim_add_const(sn_dims *d, sn_dim a, int64_t c); /* c may be negative */
sn_dim sn_dim_mul(sn_dims *d, sn_dim a, sn_dim b);
sn_dim sn_dim_div(sn_dims *d, sn_dim a, int64_t c);
sn_dim sn_dim_ceil_div(sn_dims *d, sn_dim a, int64_t c);

/* Value under a binding of the symbols (symbol index -> extent); saturates at +-SN_DIM_HUGE. */
int64_t sn_dim_eval(const sn_dims *d, sn_dim a, const int64_t *symbol);

/* Text as in the textual IR: `25`, `T`, `(T-1)/2+1`.  Writes at most n bytes incl. the NUL, returns what snprintf would. */
int sn_dim_text(const sn_dims *d, sn_dim a, char *out, size_t n);

#endif
