/* The ten rounds of Philox4x32, inline so that loops over blocks vectorise.
 * Not public: random.h is. */
#ifndef SN_RUNTIME_DATA_PHILOX_H
#define SN_RUNTIME_DATA_PHILOX_H

#include "random.h"

typedef struct philox_block { uint32_t c0, c1, c2, c3; } philox_block;

static inline __attribute__((always_inline)) philox_block philox_of(philox_block c, uint32_t k0, uint32_t k1)
{
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c.c0, p1 = (uint64_t)0xCD9E8D57u * c.c2;
        c = (philox_block){(uint32_t)(p1 >> 32) ^ c.c1 ^ k0, (uint32_t)p1, (uint32_t)(p0 >> 32) ^ c.c3 ^ k1, (uint32_t)p0};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return c;
}

#endif
