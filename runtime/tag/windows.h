/* A recording of any length as it comes: pieces for a tagger, scores of every frame once, in order.  The whole at once is the same (sn_rt_tagger_scores).
 * Not how a piece is scored (tagger.h).
 *
 * With a halo, a run is made as soon as the scores of `step` more frames cannot change: when a margin (the halo, up to the grid) lies behind them.  It
 * computes the margins on both sides anew, about 2 margin + step frames.  Without one, a run is made when the next window is full; a frame is done
 * when no window can hold it any more, even one that ends with the recording.  Nothing is allocated after open. */
#ifndef SN_RUNTIME_TAG_WINDOWS_H
#define SN_RUNTIME_TAG_WINDOWS_H

#include "tagger.h"

typedef struct sn_rt_windows {
    sn_rt_tagger *t;            /* borrowed, and in use while a recording is under way */
    size_t margin, step;        /* with a halo */
    size_t window, hop;         /* without */
    size_t there, done;         /* frames of the recording that came, and those whose scores were given before the last call */
    bool   over;                /* that was its end */
    size_t next;                /* without a halo: where the next window begins */
    float *x;                   /* [room][persons][V][3]: the recording from frame `from` on */
    size_t from, room;
    float *sum;                 /* [room][columns], without a halo: of windows that hold frame done + k */
    unsigned *times;            /* [room]: how many there were */
    const float *scores;        /* of frames done .. done + count - 1, until the next call */
    size_t count;
} sn_rt_windows;

/* `step`: as above, up to the grid; 0: SN_RT_TAGGER_STEP; of multiples of SN_RT_TAGGER_BEGIN most runs have one length and need no binding.  SN_RT_ARGUMENT for a tagger with neither halo nor window. */
sn_rt_status sn_rt_windows_open(sn_rt_windows *w, sn_rt_tagger *t, size_t step, sn_rt_error *err);
void sn_rt_windows_close(sn_rt_windows *w); /* harmless on a zeroed struct; not the tagger */

/* Take frames up to and including the one with which a run can be made, and make it; *out_taken <= frames is how many.  w->scores and w->count say what
 * is known then. */
sn_rt_status sn_rt_windows_push(sn_rt_windows *w, const sn_rt_frames *x, size_t frames, size_t *out_taken, sn_rt_error *err);
/* The recording is over: the scores that are left.  The next frame is the first of another one. */
sn_rt_status sn_rt_windows_finish(sn_rt_windows *w, sn_rt_error *err);

/* Frames at most that must follow one before its scores are known, unless the recording ends. */
size_t sn_rt_windows_latency(const sn_rt_windows *w);
/* Frames at most whose scores a push or finish gives. */
size_t sn_rt_windows_most(const sn_rt_windows *w);
size_t sn_rt_windows_bytes(const sn_rt_windows *w);

#endif
