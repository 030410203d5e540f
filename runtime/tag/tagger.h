/* A model that scores every frame of a recording, whatever its length: inference with weights in place.
 * Not the file it comes from (frontend/model_file.h, aot) and not segments (segments.h).
 *
 * A recording longer than the window is cut (windows.h).  If scores depend on frames within `halo` alone, windows overlap by twice as much and give
 * what lies between, so the result is that of the recording in one piece, bit for bit: windows end at multiples of SN_RT_TAGGER_GRID, the last frame
 * being repeated up to one, so that strides and interpolation fall on the same frames in each, and begin at multiples of SN_RT_TAGGER_BEGIN, so that the
 * tiles of fast convolutions (codegen/winograd.h: of 4 results, here of every 16th frame at most, and 12 of every 8th) do.  Otherwise (attention over all frames,
 * interpolation that stretches with the window) windows begin every half window, the last one ends with the recording, and scores are the mean over the
 * windows of a frame.
 *
 * Files: tagger.c (binding, one piece, halo) windows.c (recordings). */
#ifndef SN_RUNTIME_TAG_TAGGER_H
#define SN_RUNTIME_TAG_TAGGER_H

#include "../sinew_rt.h"

#define SN_RT_TAGGER_NO_HALO SIZE_MAX
enum { SN_RT_TAGGER_GRID = 16, SN_RT_TAGGER_BEGIN = 192, SN_RT_TAGGER_STEP = 48 /* unless another is asked for */ };

typedef struct sn_rt_tagger {
    const sn_abi_program *program; /* borrowed: one input [N, T, V, 3] or [N, persons, T, V, 3], its first output [N, T, classes + 1] */
    const float *const   *weight;  /* [params] of the program: borrowed, 64-byte aligned; NULL for the input and what no kernel reads */
    size_t persons, joints, columns; /* 1 or as many as the input has; V; classes and background */
    size_t window;                 /* frames at once; 0: all */
    bool   exact;                  /* never more than that at once, even where more gives the same scores in less time */
    size_t halo;                   /* SN_RT_TAGGER_NO_HALO: unknown or everything */
    int    threads;                /* 0: as many as there are processors */

    uint32_t       input;
    sn_rt_session *session;
    size_t         bound;  /* frames the session is ready for; 0: none */
    float         *frames; /* [persons][bound][V][3] */
    size_t         room;   /* bytes of it */
    void          *slab;   /* if reserved */
    size_t         slab_bytes;
} sn_rt_tagger;

/* SN_RT_BAD_SHAPE if the program is none of these.  The session is bound when it is first needed. */
sn_rt_status sn_rt_tagger_init(sn_rt_tagger *t, const sn_abi_program *program, const float *const *weight, size_t window, size_t halo, int threads,
                               sn_rt_error *err);
void sn_rt_tagger_fini(sn_rt_tagger *t); /* harmless on a zeroed struct */
/* The weights' memory holds other values now. */
void sn_rt_tagger_renew(sn_rt_tagger *t);

/* Scores of x[persons][frames][V][3] into out[frames][columns].  Of more persons than the model knows the first are taken; who is missing is zeros.
 * Not for two threads at once. */
sn_rt_status sn_rt_tagger_scores(sn_rt_tagger *t, const float *x, size_t persons, size_t frames, float *out, sn_rt_error *err);

/* Find t->halo: by how far an end must be away so that scores do not change when the recording goes on there, on x repeated to eight windows of at least
 * 288 frames, where a second person comes late.  SN_RT_TAGGER_NO_HALO if that is more than one such window. */
sn_rt_status sn_rt_tagger_measure(sn_rt_tagger *t, const float *x, size_t persons, size_t frames, sn_rt_error *err);

/* ---- one piece (for windows.c) ---------------------------------------------------------------------------------------------------------------- */

/* Frames of several persons wherever they lie: person m of frame f at x + m * person + f * frame. */
typedef struct sn_rt_frames { const float *x; size_t persons, person, frame; } sn_rt_frames;

/* Scores [length][columns] of the first `there` frames, of which the last is repeated up to `length`; borrowed until the next call. */
sn_rt_status sn_rt_tagger_run(sn_rt_tagger *t, const sn_rt_frames *x, size_t there, size_t length, const float **out, sn_rt_error *err);

/* Allocate what runs of any multiple of `every` up to `most` frames need: they then allocate nothing. */
sn_rt_status sn_rt_tagger_reserve(sn_rt_tagger *t, size_t most, size_t every, sn_rt_error *err);

size_t sn_rt_tagger_bytes(const sn_rt_tagger *t); /* that are reserved */

static inline size_t sn_rt_tagger_grid_up(size_t frames) { return (frames + SN_RT_TAGGER_GRID - 1) / SN_RT_TAGGER_GRID * SN_RT_TAGGER_GRID; }

#endif
