/* How much time a row of features is about: a frame of the encoder, a snippet, a whole sequence.
 * Not the features themselves (features.h). */
#ifndef SN_FRONTEND_GRAIN_H
#define SN_FRONTEND_GRAIN_H

#include "features.h"

typedef enum sn_grain { SN_GRAIN_FRAME, SN_GRAIN_SNIPPET, SN_GRAIN_SEQUENCE, SN_GRAINS } sn_grain;
extern const char *const sn_grain_name[SN_GRAINS];

/* "frame", "snippet" or "sequence"; false for another word.  The second reads a list parted by commas. */
bool sn_grain_of(const char *word, sn_grain *out);
bool sn_grains_read(const char *list, bool out[SN_GRAINS]);

/* Rows of one sequence, and their classes.
 *
 *   frame     encoder frames; class of the input frame at the middle
 *   snippet   max(1, round(frames / snippet_frames)) bins, at most as many as encoder frames; commonest class of the input frames, the lowest of equally common ones
 *   sequence  the mean over time; commonest class
 *
 * class [frames] of input frames as sn_rt_classes_of_frames gives it, or NULL: no classes.  *out_class is -1 where most frames have none; both results are
 * freed by the caller. */
sn_rt_status sn_grain_rows(sn_grain grain, const sn_features *features, const float *class, size_t frames, double snippet_frames, sn_features *out,
                           int32_t **out_class, sn_rt_error *err);

#endif
