/* Stochastic gradient descent with momentum, Adam, and the schedule of their rate.
 * Compiled without contraction of a*b+c, so that every compiler gives the same bits. */
#include "optimizer.h"

#include "internal.h"

#include "../core/compat.h"

#include <math.h>

typedef struct sgd_pass { sn_rt_store *store; float rate, momentum, decay; bool nesterov; } sgd_pass;

/* n weights.  Rounded after every operation whatever the instructions, so all clones give the same bits. */
SN_RT_CLONES static void move_weights(const sgd_pass *s, float *restrict w, float *restrict v, const float *restrict gradient, size_t n)
{
    const float rate = s->rate, momentum = s->momentum, decay = s->decay;
    if (s->nesterov)
        for (size_t k = 0; k < n; k++) {
            float g = gradient[k] + decay * w[k];
            v[k] = momentum * v[k] + g;
            w[k] -= rate * (g + momentum * v[k]);
        }
    else
        for (size_t k = 0; k < n; k++) {
            float g = gradient[k] + decay * w[k];
            v[k] = momentum * v[k] + g;
            w[k] -= rate * v[k];
        }
}

/* The same, not Nesterov, with a copy at c: four streams side by side, each float touched once. */
SN_RT_CLONES static void move_both(const sgd_pass *s, float *restrict w, float *restrict v, const float *restrict gradient, float *restrict c, float follow,
                                   size_t n)
{
    const float rate = s->rate, momentum = s->momentum, decay = s->decay;
    for (size_t k = 0; k < n; k++) {
        float g = gradient[k] + decay * w[k], u = momentum * v[k] + g;
        float moved = w[k] - rate * u;
        v[k] = u;
        w[k] = moved;
        c[k] += follow * (moved - c[k]);
    }
}

static void move_pieces(void *context, int64_t begin, int64_t end)
{
    const sgd_pass *s = context;
    for (int64_t i = begin; i < end; i++) {
        const sn_rt_move  *m = &s->store->moves.move[i];
        const sn_rt_block *copy = m->end > m->begin ? &s->store->followed.block[m->begin] : NULL;
        float             *w = s->store->slab + m->weight, *v = w + s->store->velocity;
        const float       *gradient = w + s->store->gradients;
        if (!s->nesterov && copy && m->end == m->begin + 1 && copy->from == m->weight && copy->count == m->count) {
            move_both(s, w, v, gradient, s->store->slab + copy->to, copy->coefficient, m->count);
        } else {
            move_weights(s, w, v, gradient, m->count);
            sn_rt_store_follow_pieces(s->store, m->begin, m->end);
        }
    }
}

void sn_rt_sgd_step(sn_rt_store *store, const sn_rt_sgd *sgd, double rate, int threads)
{
    sgd_pass s = {store, (float)rate, (float)sgd->momentum, (float)sgd->weight_decay, sgd->nesterov};
    sn_rt_parallel_for(sn_rt_pieces_threads(store->moves.count, threads), (int64_t)store->moves.count, move_pieces, &s);
    store->ahead = true;
}

typedef struct adam_pass { sn_rt_store *store; float rate, beta1, beta2, decay, root, epsilon; } adam_pass;

SN_RT_CLONES static void move_adam(const adam_pass *a, float *restrict w, float *restrict v, float *restrict s, const float *restrict gradient, size_t n)
{
    const float rate = a->rate, beta1 = a->beta1, beta2 = a->beta2, decay = a->decay, root = a->root, epsilon = a->epsilon;
    for (size_t k = 0; k < n; k++) {
        float g = gradient[k] + decay * w[k];
        v[k] = beta1 * v[k] + (1 - beta1) * g;
        s[k] = beta2 * s[k] + (1 - beta2) * (g * g);
        w[k] -= rate * v[k] / (sqrtf(s[k]) / root + epsilon);
    }
}

static void adam_pieces(void *context, int64_t begin, int64_t end)
{
    const adam_pass *a = context;
    for (int64_t i = begin; i < end; i++) {
        const sn_rt_move *m = &a->store->moves.move[i];
        float            *w = a->store->slab + m->weight;
        if (m->count) move_adam(a, w, w + a->store->velocity, a->store->second + m->weight, w + a->store->gradients, m->count);
        sn_rt_store_follow_pieces(a->store, m->begin, m->end);
    }
}

void sn_rt_adam_step(sn_rt_store *store, const sn_rt_adam *adam, double rate, uint64_t step, int threads)
{
    double    n = (double)step + 1;
    adam_pass a = {store, (float)(rate / (1 - pow(adam->beta1, n))), (float)adam->beta1, (float)adam->beta2, (float)adam->weight_decay,
                   (float)sqrt(1 - pow(adam->beta2, n)), (float)adam->epsilon};
    sn_rt_parallel_for(sn_rt_pieces_threads(store->moves.count, threads), (int64_t)store->moves.count, adam_pieces, &a);
    store->ahead = true;
}

double sn_rt_sgd_bytes(const sn_rt_store *store)
{
    double floats = 0;
    for (size_t i = 0; i < store->moves.count; i++) {
        const sn_rt_move *m = &store->moves.move[i];
        floats += 5 * (double)m->count;
        for (size_t k = m->begin; k < m->end; k++) floats += (m->count ? 2 : 3) * (double)store->followed.block[k].count;
    }
    return floats * sizeof(float);
}

double sn_rt_schedule_rate(const sn_rt_schedule *s, uint64_t step, uint64_t steps_per_epoch)
{
    double   rate = s->rate;
    uint64_t warm = (uint64_t)s->warmup * steps_per_epoch;
    if (step < warm) rate *= (double)(step + 1) / (double)warm;
    for (uint32_t i = 0; i < s->steps; i++)
        if (step / steps_per_epoch >= (uint64_t)s->step[i]) rate *= s->factor;
    return rate;
}
