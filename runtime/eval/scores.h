/* Frame probabilities of videos, as files hold them.
 * Not a model's run (frontend/features.h).
 *
 * A safetensors file: for each video an array named like it, f32 or f64 [frames, classes]; optionally "video:ID" [classes], the score of the video as a
 * whole; metadata "classes", a JSON list of the names of columns.  Or a .npy file: the array of one video, whose name the caller gives. */
#ifndef SN_RUNTIME_EVAL_SCORES_H
#define SN_RUNTIME_EVAL_SCORES_H

#include "../data/names.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct sn_rt_video_scores {
    float  *p;          /* [frames][classes] */
    double *video;      /* [classes] or NULL */
    size_t  frames;
} sn_rt_video_scores;

typedef struct sn_rt_scores {
    sn_rt_names         videos, classes; /* classes: of the file's metadata; empty if it names none */
    sn_rt_video_scores *of;              /* [videos.count] */
    uint32_t            columns;
} sn_rt_scores;

/* Every value must lie in [0, 1]: SN_RT_FORMAT names file, array and place.  SN_RT_BAD_SHAPE if arrays differ in columns. */
sn_rt_status sn_rt_scores_read(const char *path, const char *video, sn_rt_scores *out, sn_rt_error *err);
/* A file of them, for `sn_rt_scores_read` and other tools; atomically. */
sn_rt_status sn_rt_scores_write(const char *path, const sn_rt_scores *scores, sn_rt_error *err);
void         sn_rt_scores_fini(sn_rt_scores *scores); /* harmless on a zeroed struct */

#endif
