/* A model that scores every frame of a recording, whatever its length: compiled inference with weights in place.
 * Not the file it comes from (model_file.h) and not segments (runtime/eval).
 *
 * A recording longer than the window is cut.  If scores depend on frames within `halo` alone, windows overlap by twice as much and give what lies
 * between, so the result is that of the recording in one piece; windows begin at multiples of SN_TAGGER_GRID, and the last frame is repeated up to
 * one, so that strides and interpolation fall on the same frames in each.  Otherwise (attention over all frames, interpolation that stretches
 * with the window) windows begin every half window, the last one ends with the recording, and scores are the mean over the windows of a frame. */
#ifndef SN_FRONTEND_TAGGER_H
#define SN_FRONTEND_TAGGER_H

#include "../runtime/sinew_rt.h"

#define SN_TAGGER_NO_HALO SIZE_MAX
enum { SN_TAGGER_GRID = 16 };

typedef struct sn_tagger {
    const sn_abi_program *program; /* borrowed: one input [N, T, V, 3], its first output [N, T, classes + 1] */
    const float *const   *weight;  /* [params] of the program: borrowed, 64-byte aligned; NULL for the input */
    size_t joints, columns;        /* V; classes and background */
    size_t window;                 /* frames at once; 0: all */
    size_t halo;                   /* SN_TAGGER_NO_HALO: unknown or everything */
    int    threads;

    uint32_t       input;
    sn_rt_session *session;
    size_t         bound; /* frames the session is ready for; 0: none */
    float         *frames; /* [bound][V][3] */
} sn_tagger;

/* SN_RT_BAD_SHAPE if the program is none of these; SN_RT_MISSING if a weight is NULL.  The session is bound when it is first needed. */
sn_rt_status sn_tagger_init(sn_tagger *t, const sn_abi_program *program, const float *const *weight, size_t window, size_t halo, int threads,
                            sn_rt_error *err);
void sn_tagger_fini(sn_tagger *t); /* harmless on a zeroed struct */
/* The weights' memory holds other values now. */
void sn_tagger_renew(sn_tagger *t);

/* Scores of x[frames][V][3] into out[frames][columns].  Not for two threads at once. */
sn_rt_status sn_tagger_scores(sn_tagger *t, const float *x, size_t frames, float *out, sn_rt_error *err);

/* Find t->halo: by how far an end must be away so that scores do not change by more than 1e-6 when the recording goes on there, on x repeated to eight
 * windows of at least 256 frames.  SN_TAGGER_NO_HALO if that is more than one such window. */
sn_rt_status sn_tagger_measure(sn_tagger *t, const float *x, size_t frames, sn_rt_error *err);

#endif
