/* A compiled program with its inputs and weights, ready to run: from files or drawn.
 * Not compiling it (compile.h), not what becomes of its results (execute.c, numerics.c).
 *
 *     sn_bound b;
 *     sn_bound_init(&b, program, say, ctx);
 *     sn_bound_read(&b, names, inputs, grads);
 *     sn_bound_need(&b);                       or sn_bound_draw(&b, seed)
 *     if (sn_bound_start(&b, &how)) sn_rt_session_run(b.session, ...);
 *     sn_bound_fini(&b);
 */
#ifndef SN_FRONTEND_BOUND_H
#define SN_FRONTEND_BOUND_H

#include "../runtime/data/array.h"
#include "../runtime/train/store.h"
#include "compile.h"

/* A fault, as a line of text. */
typedef void sn_say(void *ctx, const char *text);

typedef struct sn_bound {
    const sn_abi_program *program;
    sn_rt_session      *session;
    sn_rt_store        *store;
    sn_rt_array        *array;  /* per parameter: of inputs; data NULL when there is none */
    bool               *named;  /* per parameter: a file was given for it */
    int64_t            *extent; /* per symbol, 0 = not bound */
    const char        **bound_by; /* per symbol: name of the input */
    sn_say             *say;
    void               *ctx;
    bool                ok;     /* no fault so far */
    sn_arena            arena;
    bool                draws;  /* inputs without a file are drawn, */
    uint64_t            drawn;  /* from this seed */
} sn_bound;

void sn_bound_init(sn_bound *b, const sn_abi_program *program, sn_say *say, void *ctx);
void sn_bound_fini(sn_bound *b);
/* Say a fault. */
void sn_bound_complain(sn_bound *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Is it OK?  Else say why. */
bool sn_bound_done(sn_bound *b, sn_rt_status status, const sn_rt_error *err);

/* "x=X.npy" for `inputs` inputs, then "y=DY.npy" for `grads` gradients of outputs, which are parameters "seed.y". */
void sn_bound_read(sn_bound *b, const char *const *names, uint32_t inputs, uint32_t grads);
/* "T=64": the extent of a free dimension; before reading. */
void sn_bound_extent(sn_bound *b, const char *pair);
/* Faults for inputs without a file and dimensions without an extent. */
void sn_bound_need(sn_bound *b);
/* Numbers from the seed for inputs without a file; dimensions without an extent: N = 2, T = 32, others are faults. */
void sn_bound_draw(sn_bound *b, uint64_t seed);
typedef struct sn_bound_start_options {
    const char *weights; /* safetensors, or NULL: drawn from seed */
    const char *prefix;  /* what stands before the names of the program in it, with the dot; "" or NULL */
    uint64_t    seed;
    int         threads;
    bool        training; /* copies follow their weights */
} sn_bound_start_options;
/* Session, inputs, weights; prepared for runs. */
bool sn_bound_start(sn_bound *b, const sn_bound_start_options *o);
/* Numbers of a parameter that is started. */
const float *sn_bound_param(const sn_bound *b, uint32_t param, size_t *out_count);

#endif
