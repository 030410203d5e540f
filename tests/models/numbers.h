/* Numbers made by rule: functions of a seed, an array's name and an element's place alone, the same in every program of these tests.
 * Not good random numbers, only quick and reproducible ones. */
#ifndef SN_TESTS_MODELS_NUMBERS_H
#define SN_TESTS_MODELS_NUMBERS_H

#include <stdint.h>

static inline uint64_t mix(uint64_t x) /* splitmix64 (Steele, Lea, Flood 2014) */
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint64_t hash_name(const char *name) /* FNV-1a */
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return h;
}

static inline double uniform(uint64_t stream, uint64_t i) /* [-1, 1), multiples of 2^-23 */
{
    return (double)(mix(stream ^ mix(i)) >> 40) * 0x1p-23 - 1.0;
}

#endif
