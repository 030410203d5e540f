/* Stochastic gradient descent with momentum, and the schedule of its rate.
 * Compiled without contraction of a*b+c, so that every compiler gives the same bits. */
#include "optimizer.h"

#include "internal.h"

typedef struct step { sn_rt_store *store; float rate, momentum, decay; bool nesterov; } sgd_pass;

static void step_blocks(void *context, int64_t begin, int64_t end)
{
    const sgd_pass *s = context;
    const float rate = s->rate, momentum = s->momentum, decay = s->decay;
    for (int64_t i = begin; i < end; i++) {
        const sn_rt_block *b = &s->store->trained.block[i];
        float             *restrict w = s->store->slab + b->to;
        const float       *restrict gradient = w + s->store->gradients;
        float             *restrict v = w + s->store->velocity;
        if (s->nesterov)
            for (size_t k = 0; k < b->count; k++) {
                float g = gradient[k] + decay * w[k];
                v[k] = momentum * v[k] + g;
                w[k] -= rate * (g + momentum * v[k]);
            }
        else
            for (size_t k = 0; k < b->count; k++) {
                float g = gradient[k] + decay * w[k];
                v[k] = momentum * v[k] + g;
                w[k] -= rate * v[k];
            }
    }
}

void sn_rt_sgd_step(sn_rt_store *store, const sn_rt_sgd *sgd, double rate, int threads)
{
    sgd_pass s = {store, (float)rate, (float)sgd->momentum, (float)sgd->weight_decay, sgd->nesterov};
    sn_rt_parallel_for(sn_rt_blocks_threads(&store->trained, threads), (int64_t)store->trained.count, step_blocks, &s);
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
