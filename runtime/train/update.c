/* State updates after a training run: assignment and the negative queue's ring.
 * Not the momentum copy (store.c), which happens before a run. */
#include "internal.h"

#include <string.h>

/* Overwrite the oldest rows; B divides K, so one push never wraps midway. */
static void enqueue(sn_rt_store *store, uint32_t param, const float *rows, size_t count)
{
    const sn_abi_tensor *t = &store->program->param[param].type;
    size_t total, K = (size_t)t->dim[0];
    float *ring = sn_rt_store_param(store, param, &total);
    size_t width = total / K, B = count / width;
    memcpy(ring + store->head[param] * width, rows, count * sizeof *rows);
    store->head[param] = (store->head[param] + B) % K;
}

void sn_rt_store_update(sn_rt_store *store, const sn_rt_session *s)
{
    const sn_abi_program *p = store->program;
    for (uint32_t i = 0; i < p->updates; i++) {
        size_t n, count;
        const float *value = sn_rt_session_update(s, i, &count);
        if (p->update[i].kind == SN_ABI_ENQUEUE) enqueue(store, p->update[i].param, value, count);
        else memcpy(sn_rt_store_param(store, p->update[i].param, &n), value, count * sizeof *value);
    }
}
