/* Philox4x32-10 and the distributions drawn from it, but normal numbers (normals.c).
 * Not a global generator; every stream is the caller's. */
#include "philox.h"

void sn_rt_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    philox_block b = philox_of((philox_block){counter[0], counter[1], counter[2], counter[3]}, key[0], key[1]);
    out[0] = b.c0;
    out[1] = b.c1;
    out[2] = b.c2;
    out[3] = b.c3;
}

void sn_rt_random_start(sn_rt_random *r, uint64_t seed, sn_rt_purpose purpose, uint64_t step, uint32_t sample)
{
    r->key[0] = (uint32_t)seed;
    r->key[1] = (uint32_t)(seed >> 32);
    r->counter[0] = 0;
    r->counter[1] = sample;
    r->counter[2] = (uint32_t)step;
    r->counter[3] = (uint32_t)(step >> 32 & 0xFFFF) | (uint32_t)purpose << 16;
    r->used = 4;
}

uint32_t sn_rt_random_u32(sn_rt_random *r)
{
    if (r->used == 4) {
        sn_rt_philox(r->counter, r->key, r->block);
        r->counter[0]++;
        r->used = 0;
    }
    return r->block[r->used++];
}

double sn_rt_random_uniform(sn_rt_random *r)
{
    uint64_t high = sn_rt_random_u32(r), low = sn_rt_random_u32(r);
    return (double)(high << 21 | low >> 11) * 0x1p-53;
}

/* Lemire, "Fast random integer generation in an interval", ACM TOMACS 29, 2019: reject the few words that would
 * make some results likelier. */
uint32_t sn_rt_random_below(sn_rt_random *r, uint32_t n)
{
    uint32_t reject = (0u - n) % n;
    for (;;) {
        uint64_t product = (uint64_t)sn_rt_random_u32(r) * n;
        if ((uint32_t)product >= reject)
            return (uint32_t)(product >> 32);
    }
}

void sn_rt_random_permutation(sn_rt_random *r, uint32_t *items, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        items[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = sn_rt_random_below(r, i), kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}
