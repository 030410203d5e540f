/* A session of the hand-written program with a parameter store, for the tests of runtime/train.
 * Not a test by itself. */
#ifndef SN_TESTS_TWIN_STORE_H
#define SN_TESTS_TWIN_STORE_H

#include "../abi_twin.h"
#include "../data/check.h"
#include "runtime/train/store.h"

typedef struct twin_store {
    sn_rt_session *s;
    sn_rt_store   *store;
    float         *view[2];
    size_t         view_count;
} twin_store;

static inline void twin_store_init(twin_store *t, int64_t N, int64_t T, int threads, uint64_t seed)
{
    const sn_abi_program *p = twin_program();
    check_ok(sn_rt_session_new(p, &t->s, err));
    check_ok(sn_rt_session_bind(t->s, (int64_t[]){N, T}, err));
    check_ok(sn_rt_store_new(p, t->s, &t->store, err));
    check_ok(sn_rt_store_attach(t->store, t->s, err));
    check_ok(sn_rt_session_prepare(t->s, threads, NULL, 0, err));
    sn_rt_store_init(t->store, seed, threads);
    t->view_count = sn_rt_session_count(t->s, &p->param[TWIN_VIEW_Q].type);
    for (uint32_t v = 0; v < 2; v++) {
        t->view[v] = aligned_alloc(64, (t->view_count * sizeof(float) + 63) / 64 * 64);
        for (size_t k = 0; k < t->view_count; k++) t->view[v][k] = (float)((k * 2654435761u + v) % 1000) / 500 - 1;
        check_ok(sn_rt_session_set_param(t->s, TWIN_VIEW_Q + v, t->view[v], t->view_count, err));
    }
}

static inline void twin_store_fini(twin_store *t)
{
    sn_rt_session_free(t->s);
    sn_rt_store_free(t->store);
    free(t->view[0]);
    free(t->view[1]);
}

static inline float *twin_param(const twin_store *t, uint32_t param)
{
    size_t n;
    return sn_rt_store_param(t->store, param, &n);
}

#endif
