/* OpenBLAS, loaded when asked for, with its choice of kernels checked against the processor.
 * Not linked: nothing in the runtime needs it. */
#include "blas.h"

#include "compat.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY  "libopenblas.so.0"
#define VARIABLE "OPENBLAS_CORETYPE"

/* Kernels of AVX-512 and of AVX2, as OpenBLAS names them; every other name is older. */
static const char *const wide[] = {"SkylakeX", "Cooperlake", "SapphireRapids", NULL};
static const char *const half[] = {"Haswell", "Zen", "Broadwell", NULL};

static bool among(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(name, *list)) return true;
    return false;
}

static void judge(sn_rt_blas *b)
{
    bool avx512 = sn_rt_cpu_has_avx512(), avx2 = sn_rt_cpu_has_avx2();
    bool is_wide = among(b->core, wide), is_half = among(b->core, half);
    b->fit = is_wide || !avx2 || (is_half && !avx512) ? SN_RT_BLAS_FITS : is_half ? SN_RT_BLAS_NARROW : SN_RT_BLAS_CRIPPLED;
    b->advice = b->fit == SN_RT_BLAS_FITS ? NULL : avx512 ? "SKYLAKEX" : "HASWELL";
}

static void multiply(const sn_rt_blas *b, int m, int n, int k, const float *A, const float *B, float *C)
{
    enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111 };
    b->gemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, m, n, k, 1, A, k, B, n, 0, C, n);
}

/* The function `name`, stored through a pointer to object as POSIX's dlsym has it. */
static bool find(void *handle, const char *name, void *out)
{
    void *symbol = dlsym(handle, name);
    memcpy(out, &symbol, sizeof symbol);
    return symbol != NULL;
}

static sn_rt_status load(sn_rt_blas *out, sn_rt_error *err)
{
    sn_rt_blas  b = {.handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL), .multiply = multiply};
    const char *(*core)(void), *(*config)(void);
    if (!b.handle) return sn_rt_fail(err, SN_RT_MISSING, "%s", dlerror());
    if (!find(b.handle, "openblas_get_corename", &core) || !find(b.handle, "openblas_get_config", &config) ||
        !find(b.handle, "openblas_set_num_threads", &b.set_threads) || !find(b.handle, "cblas_sgemm", &b.gemm)) {
        dlclose(b.handle);
        return sn_rt_fail(err, SN_RT_MISSING, "%s lacks a function: is it OpenBLAS?", LIBRARY);
    }
    snprintf(b.core, sizeof b.core, "%s", core());
    const char *text = config(), *space = strchr(text, ' '), *end = space ? strchr(space + 1, ' ') : NULL;
    snprintf(b.version, sizeof b.version, "%.*s", end ? (int)(end - text) : (int)strlen(text), text);
    judge(&b);
    *out = b;
    return SN_RT_OK;
}

sn_rt_status sn_rt_blas_open(sn_rt_blas *out, bool correct, sn_rt_error *err)
{
    sn_rt_blas   first, again;
    sn_rt_status status = load(&first, err);
    if (status != SN_RT_OK) return status;
    if (correct && first.advice && !getenv(VARIABLE)) {
        dlclose(first.handle);
        setenv(VARIABLE, first.advice, 1);
        status = load(&again, err);
        unsetenv(VARIABLE);
        if (status != SN_RT_OK) return status;
        again.corrected = strcmp(again.core, first.core) != 0; /* a library that something else holds loaded stays as it is */
        first = again;
    }
    *out = first;
    return SN_RT_OK;
}

void sn_rt_blas_close(sn_rt_blas *b)
{
    if (b->handle) dlclose(b->handle);
    b->handle = NULL;
}
