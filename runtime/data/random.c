/* Philox4x32-10 and the distributions drawn from it, but normal numbers (normals.c).
 * Not a global generator; every stream is the caller's. */
#include "random.h"

void sn_rt_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
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
