/* Libraries built ahead of time: what stands behind the functions of their headers.
 * Not a public header: `sinew build` writes one for each library (frontend/library_header.c), whose functions NAME_x call sn_aot_x with
 * the library's artifact first where one is taken, and whose types have the layout of those here; that header says how all is used.
 *
 * A model is read-only once loaded and serves sessions of any number of threads; a session is one thread's at a time.
 *
 * Files: library.c (model, sessions) processor.c (choice of the variant) main.c (the executable).
 */
#ifndef SN_RUNTIME_AOT_H
#define SN_RUNTIME_AOT_H

#include "../sinew_rt.h"

/* Of the header's functions and types. */
#define SN_AOT_VERSION 1

typedef struct sn_aot         sn_aot;
typedef struct sn_aot_session sn_aot_session;

typedef struct sn_aot_tensor {
    const char *name;
    const char *shape;                 /* "f32[N,T,25,3]" */
    int64_t     rank;
    int64_t     dim[SN_ABI_MAX_RANK];  /* -1 where it depends on the free dimensions */
} sn_aot_tensor;

int sn_aot_version(const sn_abi_artifact *a);
int sn_aot_describe_input(const sn_abi_artifact *a, int input, sn_aot_tensor *out);   /* sn_rt_status */
int sn_aot_describe_output(const sn_abi_artifact *a, int output, sn_aot_tensor *out);

/* `weights`: path of the file of weights, NULL if they are inside or in the working directory under their name.  `cpu`: NULL for the best. */
int sn_aot_load(const sn_abi_artifact *a, const char *weights, const char *cpu, sn_aot **out, sn_rt_error *err);
void        sn_aot_free(sn_aot *m);
const char *sn_aot_cpu(const sn_aot *m);
const sn_abi_program *sn_aot_program(const sn_aot *m);

int  sn_aot_session_new(const sn_aot *m, const int64_t *extent, int threads, sn_aot_session **out, sn_rt_error *err);
void sn_aot_session_free(sn_aot_session *s);
int  sn_aot_bind(sn_aot_session *s, const int64_t *extent, sn_rt_error *err);
int  sn_aot_input_dims(const sn_aot_session *s, int input, int64_t *out);   /* the rank, or -1 */
int  sn_aot_output_dims(const sn_aot_session *s, int output, int64_t *out);
int64_t sn_aot_session_bytes(const sn_aot_session *s);
float       *sn_aot_input(const sn_aot_session *s, int input);
const float *sn_aot_output(const sn_aot_session *s, int output);
int sn_aot_set_input(sn_aot_session *s, int input, const float *data, int64_t count, sn_rt_error *err);
int sn_aot_set_output(sn_aot_session *s, int output, float *data, int64_t count, sn_rt_error *err);
int sn_aot_run(sn_aot_session *s, sn_rt_error *err);

/* ---- processor.c -------------------------------------------------------------------------------------------------------- */

/* Has this processor, and does this system allow, every instruction set of the list?  If not, the first that is missing is copied to `missing`. */
bool sn_aot_processor_has(const char *needs, char *missing, size_t size);

/* ---- main.c ------------------------------------------------------------------------------------------------------------- */

/* The executable of a library: arrays or recorded motion in, arrays out. */
int sn_aot_main(const sn_abi_artifact *a, int argc, char **argv);

#endif
