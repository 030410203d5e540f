/* The parameter store: layout of its slab, access, and the check for values that are not finite.
 * Not the passes that move it (moves.c, optimizer.c), not initial values (init.c), not queues (update.c). */
#include "internal.h"

#include "../core/compat.h"
#include "../core/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN_FLOATS = SN_RT_ALIGN / (int)sizeof(float) };

/* ---- layout ------------------------------------------------------------------------------------------------------------- */

size_t sn_rt_store_padded(size_t count) { return (count + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS; }

/* Give every parameter of `kind` a place from `*end` on. */
static void place_kind(sn_rt_store *store, uint32_t kind, size_t *end)
{
    const sn_abi_program *p = store->program;
    for (uint32_t i = 0; i < p->params; i++) {
        if (p->param[i].kind != kind) continue;
        store->slot[i].offset = *end;
        *end += sn_rt_store_padded(store->slot[i].count);
    }
}

/* Copies in the order of their weights, first copies of all weights before second ones: neighbours stay neighbours. */
static void place_copies(sn_rt_store *store, size_t *end)
{
    const sn_abi_program *p = store->program;
    bool placed_any = true;
    for (uint32_t nth = 0; placed_any; nth++) {
        placed_any = false;
        for (uint32_t w = 0; w < p->params; w++) {
            uint32_t seen = 0;
            for (uint32_t i = 0; i < p->params; i++) {
                if (p->param[i].kind != SN_ABI_COPY || p->param[i].of != w || seen++ != nth) continue;
                store->slot[i].offset = *end;
                *end += sn_rt_store_padded(store->slot[i].count);
                placed_any = true;
            }
        }
    }
}

static sn_rt_status check_sizes(const sn_rt_store *store, const sn_rt_session *s, sn_rt_error *err)
{
    const sn_abi_program *p = store->program;
    for (uint32_t i = 0; i < p->params; i++)
        for (uint32_t d = 0; p->param[i].kind != SN_ABI_INPUT && d < p->param[i].type.rank; d++)
            if (p->param[i].type.dim[d] < 0)
                return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: axis %u depends on a symbol; only inputs may", p->param[i].name, d);
    for (uint32_t i = 0; i < p->params; i++)
        if (p->param[i].kind == SN_ABI_COPY && store->slot[i].count != store->slot[p->param[i].of].count)
            return sn_rt_fail(err, SN_RT_BAD_SHAPE, "copy %s differs in size from its weight %s", p->param[i].name, p->param[p->param[i].of].name);
    for (uint32_t o = 0; o < p->outputs; o++) {
        int64_t of = p->output[o].gradient_of;
        if (of < 0 || p->param[of].kind != SN_ABI_WEIGHT) continue;
        if (sn_rt_session_count(s, &p->output[o].type) != store->slot[of].count)
            return sn_rt_fail(err, SN_RT_BAD_SHAPE, "gradient %s differs in size from its weight", p->output[o].name);
    }
    return SN_RT_OK;
}

/* ---- life --------------------------------------------------------------------------------------------------------------- */

static bool allocate(sn_rt_store *store, const sn_rt_session *s)
{
    const sn_abi_program *p = store->program;
    size_t n = p->params ? p->params : 1, weights = 0, end = 0;
    store->slot = calloc(n, sizeof *store->slot);
    store->gradient = calloc(n, sizeof *store->gradient);
    store->head = calloc(n, sizeof *store->head);
    if (!store->slot || !store->gradient || !store->head) return false;
    for (uint32_t i = 0; i < p->params; i++) {
        store->gradient[i] = SN_RT_NONE;
        if (p->param[i].kind != SN_ABI_INPUT) store->slot[i].count = sn_rt_session_count(s, &p->param[i].type);
    }
    for (uint32_t o = 0; o < p->outputs; o++)
        if (p->output[o].gradient_of >= 0 && p->param[p->output[o].gradient_of].kind == SN_ABI_WEIGHT)
            store->gradient[p->output[o].gradient_of] = o;
    place_kind(store, SN_ABI_WEIGHT, &weights);
    store->gradients = weights;
    store->velocity = 2 * weights;
    end = 3 * weights;
    place_copies(store, &end);
    place_kind(store, SN_ABI_STATE, &end);
    store->slab_bytes = end * sizeof(float);
    store->slab = sn_rt_pages_new(store->slab_bytes);
    return store->slab && sn_rt_store_make_moves(store);
}

sn_rt_status sn_rt_store_new(const sn_abi_program *program, const sn_rt_session *s, sn_rt_store **out, sn_rt_error *err)
{
    sn_rt_store *store = calloc(1, sizeof *store);
    if (store) store->program = program;
    sn_rt_status status = SN_RT_OK;
    if (!store || !allocate(store, s)) status = sn_rt_fail(err, SN_RT_MEMORY, "no memory for %u parameters", program->params);
    if (status == SN_RT_OK) status = check_sizes(store, s, err);
    if (status == SN_RT_OK) *out = store;
    else sn_rt_store_free(store);
    return status;
}

void sn_rt_store_free(sn_rt_store *store)
{
    if (!store) return;
    sn_rt_pages_free(store->slab, store->slab_bytes);
    sn_rt_pages_free(store->second, store->second_bytes);
    free(store->slot);
    free(store->gradient);
    free(store->head);
    free(store->trained.block);
    free(store->moves.move);
    free(store->followed.block);
    free(store);
}

sn_rt_status sn_rt_store_add_second(sn_rt_store *store, sn_rt_error *err)
{
    if (store->second) return SN_RT_OK;
    store->second_bytes = store->gradients * sizeof(float); /* where the gradients begin the weights end */
    store->second = sn_rt_pages_new(store->second_bytes);
    if (!store->second) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a second average of the gradients");
    return SN_RT_OK;
}

size_t sn_rt_store_bytes(const sn_rt_store *store) { return store->slab_bytes + store->second_bytes; }

/* ---- access ------------------------------------------------------------------------------------------------------------- */

float *sn_rt_store_param(const sn_rt_store *store, uint32_t param, size_t *out_count)
{
    *out_count = store->slot[param].count;
    return store->program->param[param].kind == SN_ABI_INPUT ? NULL : store->slab + store->slot[param].offset;
}

float *sn_rt_store_gradient(const sn_rt_store *store, uint32_t param, size_t *out_count)
{
    *out_count = store->slot[param].count;
    return store->gradient[param] == SN_RT_NONE ? NULL : store->slab + store->gradients + store->slot[param].offset;
}

float *sn_rt_store_velocity(const sn_rt_store *store, uint32_t param, size_t *out_count)
{
    *out_count = store->slot[param].count;
    return store->gradient[param] == SN_RT_NONE ? NULL : store->slab + store->velocity + store->slot[param].offset;
}

float *sn_rt_store_second(const sn_rt_store *store, uint32_t param, size_t *out_count)
{
    *out_count = store->slot[param].count;
    return store->gradient[param] == SN_RT_NONE || !store->second ? NULL : store->second + store->slot[param].offset;
}

uint64_t *sn_rt_store_head(sn_rt_store *store, uint32_t param) { return &store->head[param]; }

sn_rt_status sn_rt_store_attach(sn_rt_store *store, sn_rt_session *s, sn_rt_error *err)
{
    const sn_abi_program *p = store->program;
    sn_rt_status          status = SN_RT_OK;
    for (uint32_t i = 0; status == SN_RT_OK && i < p->params; i++) {
        size_t n;
        float *data = sn_rt_store_param(store, i, &n);
        if (data) status = sn_rt_session_set_param(s, i, data, n, err);
        if (status == SN_RT_OK && store->gradient[i] != SN_RT_NONE)
            status = sn_rt_session_set_output(s, store->gradient[i], sn_rt_store_gradient(store, i, &n), n, err);
    }
    return status;
}

/* ---- passes ------------------------------------------------------------------------------------------------------------- */

typedef struct finite_check { const sn_rt_store *store; _Atomic uint32_t worst; } finite_check;

/* Infinities and NaN have all exponent bits set; a loop over bits vectorises where one over isfinite does not. */
static bool all_finite(const float *x, size_t n)
{
    uint32_t bad = 0;
    for (size_t k = 0; k < n; k++) {
        uint32_t bits;
        memcpy(&bits, x + k, sizeof bits);
        bad |= (bits & 0x7F800000u) == 0x7F800000u;
    }
    return !bad;
}

static void finite_params(void *context, int64_t begin, int64_t end)
{
    finite_check *c = context;
    for (int64_t i = begin; i < end; i++) {
        size_t       n;
        const float *x = sn_rt_store_param(c->store, (uint32_t)i, &n), *v = sn_rt_store_velocity(c->store, (uint32_t)i, &n);
        const float *s = sn_rt_store_second(c->store, (uint32_t)i, &n);
        if (!x || (all_finite(x, n) && (!v || all_finite(v, n)) && (!s || all_finite(s, n)))) continue;
        uint32_t worst = atomic_load(&c->worst);
        while ((uint32_t)i < worst && !atomic_compare_exchange_weak(&c->worst, &worst, (uint32_t)i)) {}
    }
}

uint32_t sn_rt_store_not_finite(const sn_rt_store *store, int threads)
{
    finite_check c = {store, SN_RT_NONE};
    sn_rt_parallel_for(threads, store->program->params, finite_params, &c);
    return c.worst;
}
