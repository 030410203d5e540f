/* Types: equality, text, size, broadcasting, limits.
 * Not the shape rules of operators (op_<family>.c). */
#include "ir.h"

#include <string.h>

static const int64_t MAX_ELEMENTS = (int64_t)1 << 40;

bool sn_type_equal(const sn_type *a, const sn_type *b)
{
    if (a->rank != b->rank)
        return false;
    for (uint8_t i = 0; i < a->rank; i++)
        if (!sn_dim_equal(a->dim[i], b->dim[i]))
            return false;
    return true;
}

static size_t left(int used, size_t n) { return (size_t)used < n ? n - (size_t)used : 0; }

int sn_type_text(const sn_dims *d, const sn_type *t, char *out, size_t n)
{
    int used = snprintf(out, n, "f32[");
    for (uint8_t i = 0; i < t->rank && i < SN_MAX_RANK; i++) {
        if (i)
            used += snprintf(left(used, n) ? out + used : NULL, left(used, n), ",");
        used += sn_dim_text(d, t->dim[i], left(used, n) ? out + used : NULL, left(used, n));
    }
    return used + snprintf(left(used, n) ? out + used : NULL, left(used, n), "]");
}

sn_dim sn_type_count(sn_dims *d, const sn_type *t)
{
    sn_dim count = sn_dim_const(1);
    for (uint8_t i = 0; i < t->rank; i++)
        count = sn_dim_mul(d, count, t->dim[i]);
    return count;
}

static bool is_one(sn_dim d) { return sn_dim_equal(d, sn_dim_const(1)); }

bool sn_type_broadcast(const sn_type *a, const sn_type *b, sn_type *out)
{
    const sn_type *big = a->rank >= b->rank ? a : b, *small = big == a ? b : a;
    sn_type r = *big;
    const uint8_t shift = (uint8_t)(big->rank - small->rank);
    for (uint8_t i = 0; i < small->rank; i++) {
        const sn_dim x = big->dim[shift + i], y = small->dim[i];
        if (!sn_dim_equal(x, y) && !is_one(x) && !is_one(y))
            return false;
        r.dim[shift + i] = is_one(x) ? y : x;
    }
    *out = r;
    return true;
}

/* The largest constant factor of a dimension. */
static int64_t constant_part(const sn_dims *d, sn_dim a)
{
    if (sn_dim_is_const(a))
        return a.v;
    const sn_dim_entry *e = &d->entry[~a.v];
    return e->op == SN_DIM_MUL && sn_dim_is_const(e->a) ? e->a.v : 1;
}

bool sn_type_legal(const sn_dims *d, const sn_type *t, char *why, size_t why_size)
{
    int64_t size = 1;
    bool large = false;
    if (t->rank > SN_MAX_RANK) {
        if (why)
            snprintf(why, why_size, "rank is %u, expected at most %d", t->rank, SN_MAX_RANK);
        return false;
    }
    for (uint8_t i = 0; i < t->rank; i++) {
        const int64_t part = sn_dim_known(d, t->dim[i]) ? constant_part(d, t->dim[i]) : 0;
        if (part == 0) {
            if (why)
                snprintf(why, why_size, "dimension %u is %s, expected at least 1", i, sn_dim_is_const(t->dim[i]) ? "0" : "unknown");
            return false;
        }
        large = large || part > MAX_ELEMENTS / size;
        size = large ? 1 : size * part;
    }
    if (large && why)
        snprintf(why, why_size, "shape has more than 2^40 elements");
    return !large;
}
