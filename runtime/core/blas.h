/* OpenBLAS, loaded when asked for: an oracle for tests, a fallback, and a yardstick.
 * Not linked: nothing in the runtime needs it.  Known trouble handled here: the library picks its kernels when it is loaded, by a list of
 * processors older than many machines it meets, and then runs at a fraction of their speed. */
#ifndef SN_RUNTIME_CORE_BLAS_H
#define SN_RUNTIME_CORE_BLAS_H

#include "../status.h"

#include <stdbool.h>

typedef enum sn_rt_blas_fit {
    SN_RT_BLAS_FITS,    /* the widest kernels this processor has */
    SN_RT_BLAS_NARROW,  /* AVX2 kernels on a processor with AVX-512: about half the speed */
    SN_RT_BLAS_CRIPPLED /* kernels from before AVX2 on a processor with it: a quarter or less */
} sn_rt_blas_fit;

typedef struct sn_rt_blas {
    void *handle;
    char  core[32];        /* kernels in use, as the library names them: "Haswell", "SkylakeX", "Prescott" */
    char  version[32];     /* "OpenBLAS 0.3.21" */
    sn_rt_blas_fit fit;    /* of `core` to this processor */
    const char *advice;    /* value of OPENBLAS_CORETYPE that fits; NULL if it fits already */
    bool  corrected;       /* that value was set while loading */
    /* Row-major C = A B: C[m][n], A[m][k], B[k][n], on the library's own threads. */
    void (*multiply)(const struct sn_rt_blas *b, int m, int n, int k, const float *A, const float *B, float *C);
    void (*set_threads)(int n);
    void (*gemm)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int); /* cblas_sgemm */
} sn_rt_blas;

/* Load libopenblas.so.0.  With `correct`, when its kernels do not fit and OPENBLAS_CORETYPE is not set, load it again with the value that
 * does; the environment is afterwards as it was.  SN_RT_MISSING if there is no such library.  Call before starting threads that read the
 * environment. */
sn_rt_status sn_rt_blas_open(sn_rt_blas *out, bool correct, sn_rt_error *err);
void         sn_rt_blas_close(sn_rt_blas *b);

#endif
