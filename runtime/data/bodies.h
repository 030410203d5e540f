/* Persons tracked by a depth camera: in every frame any number of bodies of 25 joints, as the file tells it.
 * Not yet chosen, ordered, centred or turned: see families.h.
 *
 * Sources: NTU RGB+D `.skeleton` text (spec 7.1) and PKU-MMD skeleton text (spec 7.4); both have Kinect's 25 joints in the
 * order of skeleton.h, metres, camera space (x to the camera's left, y up, z away from it), 30 frames a second. */
#ifndef SN_RUNTIME_DATA_BODIES_H
#define SN_RUNTIME_DATA_BODIES_H

#include "skeleton.h"

#include <stdint.h>

typedef struct sn_rt_tracked {
    uint64_t id;                 /* of the person while tracked; PKU-MMD: the slot, 0 or 1 */
    float x[SN_RT_JOINTS][3];    /* metres */
} sn_rt_tracked;

typedef struct sn_rt_bodies {
    size_t frames;
    double fps;
    size_t *first;               /* [frames + 1]: frame t has body[first[t]] to body[first[t + 1] - 1], in file order */
    sn_rt_tracked *body;
} sn_rt_bodies;

/* Release; harmless on a zeroed struct. */
void sn_rt_bodies_fini(sn_rt_bodies *bodies);

/* NTU RGB+D text: the number of frames; per frame the number of bodies; per body 10 fields, the number of joints (25) and as
 * many lines of 12 fields, of which the first three are x, y, z. Blank lines and blanks at line ends are skipped.
 * SN_RT_FORMAT: "FILE:LINE: what was found, what was expected"; a joint that is not a finite number is one such error. */
sn_rt_status sn_rt_ntu_read(const char *path, sn_rt_bodies *out, sn_rt_error *err);
sn_rt_status sn_rt_ntu_parse(const char *path, const char *bytes, size_t size, sn_rt_bodies *out, sn_rt_error *err);

/* PKU-MMD text: a line a frame, 150 numbers: x, y, z of 25 joints of the first body, then of the second. A body whose 75 numbers
 * are all zero is absent. Errors as above. */
sn_rt_status sn_rt_pku_read(const char *path, sn_rt_bodies *out, sn_rt_error *err);
sn_rt_status sn_rt_pku_parse(const char *path, const char *bytes, size_t size, sn_rt_bodies *out, sn_rt_error *err);

/* What the name of an NTU file says, "S001C002P003R002A013.skeleton" with or without folders and suffix. */
typedef struct sn_rt_ntu_name {
    int setup, camera, performer, replication, action; /* from 1 */
} sn_rt_ntu_name;
/* 0 if it is such a name, -1 if not. */
int sn_rt_ntu_name_of(const char *path, sn_rt_ntu_name *out);

#endif
