/* From a recorded motion to the coordinates a model sees, or to metres only.
 * Not a filter, and not an augmentation (augment.h).
 *
 * Mapped form: 25 joints (skeleton.h), the wanted rate, metres, and spec 7.2 family B steps 3 to 5, which is what NTU, PKU-MMD
 * and BABEL get in the works compared with (decision D20):
 *   1. every frame minus its joint 1 (spine middle): global travel is gone;
 *   2. one rotation for the sequence, that turns joint 1 - joint 0 of frame 0 to +z about their common normal;
 *   3. one more, that turns joint 8 - joint 4 (right minus left shoulder) of frame 0 to +x: first about z until the
 *      shoulders lie in the xz plane, then about y.
 * So a person stands along +z, right is +x and forward +y (right-handed; y up of the sources is turned, not mirrored). After step
 * 3 the shoulders are exact and the spine leans in the xz plane by as much as it is not square to them.
 *
 * Step 3 is adapted. The published step turns about the common normal of shoulders and +x. Where they are opposite, which
 * is how a person facing +z of a y-up source arrives from step 2, that normal is noise and half of the people end
 * upside down (seen in CMU and Bandai recordings); Kinect recordings never come that way. Where the published step is well
 * defined the two differ only in where the spine leans to. */
#ifndef SN_RUNTIME_DATA_NORMALISE_H
#define SN_RUNTIME_DATA_NORMALISE_H

#include "skeleton.h"

/* Frames taken from a motion: output frame k stands for source time (first + k * ratio) / source rate.
 * ratio is source rate / rate. A whole ratio picks frames, any other interpolates linearly between two.
 * Picking 120 Hz at 30 Hz without a filter is deliberate: above 15 Hz these recordings hold less than 1e-4 of the
 * energy (0.4 mm), and a picked frame is a pose that existed, with exact limb lengths. */
typedef struct sn_rt_pick {
    size_t first;  /* source frames left out at the beginning */
    double ratio;
    size_t frames; /* output frames: the last one's time is not behind the last source frame */
} sn_rt_pick;

/* SN_RT_BAD_SHAPE if nothing is left, SN_RT_ARGUMENT if `fps` is not positive. fps 0 keeps the motion's rate. */
sn_rt_status sn_rt_pick_of(const sn_rt_motion *motion, size_t first, double fps, sn_rt_pick *out, sn_rt_error *err);

/* First output frame whose source time is not before source frame `frame` of a file counted at `rate`; 0..pick->frames.
 * A segment [start, end) of source frames becomes [sn_rt_pick_frame(start), sn_rt_pick_frame(end)). */
size_t sn_rt_pick_frame(const sn_rt_pick *pick, double source_fps, double frame, double rate);

/* Mapped form into out[frames][25][3]; see above. SN_RT_FORMAT if a value is not finite. */
sn_rt_status sn_rt_normalise(const sn_rt_motion *motion, const sn_rt_skeleton *skeleton, const sn_rt_pick *pick,
                             float *out, sn_rt_error *err);

/* Source joints (no end sites) times `unit` into out[frames][joints][3]: world coordinates in metres. */
void sn_rt_raw_joints(const sn_rt_motion *motion, double unit, const sn_rt_pick *pick, float *out);

#endif
