/* Extents: the values of a program's dimension table under given symbols.
 * Not shapes of buffers (bind.c). */
#include "internal.h"

/* Rounds towards minus infinity, as the dimension algebra of the compiler does. */
static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q * b > a ? q - 1 : q;
}

sn_rt_status sn_rt_dims_eval(const sn_abi_program *p, const int64_t *extent, int64_t *value, sn_rt_error *err)
{
    for (uint32_t i = 0; i < p->dims; i++) {
        const sn_abi_dim_entry *d = &p->dim[i];
        if (d->op == SN_ABI_DIM_SYMBOL) {
            value[i] = extent[d->a];
            continue;
        }
        int64_t a = sn_rt_dim_value(value, d->a), b = sn_rt_dim_value(value, d->b);
        bool fits = true;
        switch (d->op) {
        case SN_ABI_DIM_ADD: fits = sn_rt_add_i64(a, b, &value[i]); break;
        case SN_ABI_DIM_SUB: fits = sn_rt_sub_i64(a, b, &value[i]); break;
        case SN_ABI_DIM_MUL: fits = sn_rt_mul_i64(a, b, &value[i]); break;
        default:
            if (b < 1) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "dimension %u divides by %lld", i, (long long)b);
            value[i] = floor_div(a, b);
        }
        if (!fits) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "dimension %u does not fit in 64 bits", i);
    }
    return SN_RT_OK;
}
