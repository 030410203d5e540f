/* A file of motion capture on its way to coordinates: what it holds, what is known of its skeleton, which frames are picked.
 * Not a sequence of a data set (import.h), and not files of tracked bodies (bodies.h). */
#ifndef SN_RUNTIME_DATA_RECORDING_H
#define SN_RUNTIME_DATA_RECORDING_H

#include "import.h"
#include "normalise.h"

typedef struct sn_rt_recording {
    sn_rt_motion motion;
    const sn_rt_skeleton *skeleton; /* NULL: not in the table, raw only */
    sn_rt_pick pick;
    double unit;                    /* metres per unit of the motion */
    size_t joints;                  /* of the coordinates: 25, or the source's own */
    bool borrowed_asf;              /* no SUBJECT.asf beside it: limbs of `how->asf` */
} sn_rt_recording;

/* Read a BVH or AMC file, as `how->format` says. On error `out` is untouched and the message names the file. */
sn_rt_status sn_rt_recording_read(const char *path, const sn_rt_import *how, sn_rt_recording *out, sn_rt_error *err);
void sn_rt_recording_fini(sn_rt_recording *r);

/* Coordinates into x[pick.frames][joints][3]: the 25-joint form of normalise.h, or if `how->raw` the source's. The message does not name the file. */
sn_rt_status sn_rt_recording_convert(const sn_rt_recording *r, const sn_rt_import *how, float *x, sn_rt_error *err);

#endif
