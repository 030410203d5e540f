/* Libraries built ahead of time: what stands behind the functions of their headers.
 * Not a public header: `sinew build` writes one for each library (frontend/library_header.c), whose functions NAME_x call sn_aot_x with
 * the library's artifact first where one is taken, and whose types have the layout of those here; that header says how all is used.
 *
 * A model is read-only once loaded and serves sessions of any number of threads; a session is one thread's at a time.
 *
 * Files: library.c (model, sessions) stream.c (recordings as they come) processor.c (choice of the variant) main.c, localize.c, files.c (the executable).
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
const sn_abi_artifact *sn_aot_artifact(const sn_aot *m);
const sn_abi_program  *sn_aot_program(const sn_aot *m); /* of the variant in use */
sn_rt_status sn_aot_check_threads(const sn_aot *m, int threads, sn_rt_error *err);
void         sn_aot_make_threads(int threads); /* here and not in the first run */
const float *const    *sn_aot_weights(const sn_aot *m); /* per parameter of it; NULL for inputs and what no kernel reads */

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

/* ---- stream.c: of models with sn_abi_artifact.tagging --------------------------------------------------------------------- */

typedef struct sn_aot_stream sn_aot_stream;

typedef struct sn_aot_segment {
    int64_t start, end; /* frames [start, end) of the recording */
    int64_t label;      /* a class */
    double  score;
} sn_aot_segment;

const char *sn_aot_label(const sn_abi_artifact *a, int label); /* NULL if there is none */
int  sn_aot_stream_new(const sn_aot *m, int64_t step, int64_t shortest, int threads, sn_aot_stream **out, sn_rt_error *err);
void sn_aot_stream_free(sn_aot_stream *s);
int  sn_aot_stream_push(sn_aot_stream *s, const float *frames, int64_t count, int64_t *taken, sn_rt_error *err);
int  sn_aot_stream_finish(sn_aot_stream *s, sn_rt_error *err);
int  sn_aot_stream_poll(sn_aot_stream *s, sn_aot_segment *out); /* 1, or 0 if there is none */
int64_t sn_aot_stream_scores(const sn_aot_stream *s, const float **rows, int64_t *first);
int64_t sn_aot_stream_latency(const sn_aot_stream *s);
int64_t sn_aot_stream_bytes(const sn_aot_stream *s);

/* ---- processor.c -------------------------------------------------------------------------------------------------------- */

/* Has this processor, and does this system allow, every instruction set of the list?  If not, the first that is missing is copied to `missing`. */
bool sn_aot_processor_has(const char *needs, char *missing, size_t size);

/* ---- localize.c ----------------------------------------------------------------------------------------------------------- */

/* What the executable of such a model is asked to do with recordings. */
typedef struct sn_aot_localizing {
    const char *csv, *scores, *asf;
    double      shortest; /* seconds */
    int         json, threads;
} sn_aot_localizing;

/* What happens when in the recordings, as `sinew localize` says it. */
sn_rt_status sn_aot_localize(const sn_aot *m, const sn_aot_localizing *how, char **path, int paths, sn_rt_error *err);

/* ---- main.c ------------------------------------------------------------------------------------------------------------- */

/* The executable of a library: arrays or recorded motion in, arrays out. */
int sn_aot_main(const sn_abi_artifact *a, int argc, char **argv);

#endif
