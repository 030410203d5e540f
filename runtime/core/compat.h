/* The few things standard C lacks: pause in a spin loop, checked arithmetic, target attributes.
 * The only header of runtime/core that names a compiler's extensions. */
#ifndef SN_RUNTIME_CORE_COMPAT_H
#define SN_RUNTIME_CORE_COMPAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#define SN_RT_X86 1
static inline void sn_rt_pause(void) { __builtin_ia32_pause(); }
static inline bool sn_rt_cpu_has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static inline bool sn_rt_cpu_has_avx512(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"); }
#else
static inline void sn_rt_pause(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }
static inline bool sn_rt_cpu_has_avx2(void) { return false; }
static inline bool sn_rt_cpu_has_avx512(void) { return false; }
#endif

/* Before a function: compile it for wider vectors as well, and choose when the program starts.  Not under sanitizers, which run before the choice
 * can be made, nor where the system cannot choose. */
#if defined(SN_RT_X86) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define SN_RT_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SN_RT_CLONES
#endif

/* False on overflow; *out is then unspecified. */
static inline bool sn_rt_add_i64(int64_t a, int64_t b, int64_t *out) { return !__builtin_add_overflow(a, b, out); }
static inline bool sn_rt_sub_i64(int64_t a, int64_t b, int64_t *out) { return !__builtin_sub_overflow(a, b, out); }
static inline bool sn_rt_mul_i64(int64_t a, int64_t b, int64_t *out) { return !__builtin_mul_overflow(a, b, out); }
static inline bool sn_rt_add_size(size_t a, size_t b, size_t *out) { return !__builtin_add_overflow(a, b, out); }
static inline bool sn_rt_mul_size(size_t a, size_t b, size_t *out) { return !__builtin_mul_overflow(a, b, out); }

/* Sizes and offsets in slabs are multiples of this: a cache line, and the widest vector. */
enum { SN_RT_ALIGN = 64 };
/* False if rounding up overflows. */
static inline bool sn_rt_align_size(size_t n, size_t *out)
{
    if (!sn_rt_add_size(n, SN_RT_ALIGN - 1, out)) return false;
    *out &= ~(size_t)(SN_RT_ALIGN - 1);
    return true;
}

#endif
