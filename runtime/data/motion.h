/* A recorded motion: named points moving through space, as its file tells it.
 * Not yet mapped, resampled or scaled: see skeleton.h and normalise.h. */
#ifndef SN_RUNTIME_DATA_MOTION_H
#define SN_RUNTIME_DATA_MOTION_H

#include "../status.h"

#include <stddef.h>
#include <stdint.h>

enum { SN_RT_NAME_SIZE = 64 };

typedef struct sn_rt_point {
    char name[SN_RT_NAME_SIZE]; /* for an end site: its joint's name and ":end" */
    int32_t parent;             /* index of an earlier point, -1 for the root */
    int32_t is_end;             /* an end site: a place on a limb, not a joint of the source */
} sn_rt_point;

typedef struct sn_rt_motion {
    size_t frames, points;
    double fps;         /* frames a second; rates within 0.1 % of a whole number are that number */
    double unit;        /* metres per unit of `x`; 0 if the format does not say (BVH) */
    sn_rt_point *point; /* [points], parents before children */
    double *x;          /* [frames][points][3], right-handed, the file's axes */
} sn_rt_motion;

/* Release; harmless on a zeroed struct. */
void sn_rt_motion_fini(sn_rt_motion *motion);

/* Index of the point of that name, or -1. */
int32_t sn_rt_motion_find(const sn_rt_motion *motion, const char *name);

/* BVH (bvh.c). Accepted: any blanks between words, CRLF and LF mixed, 1 to 6 channels a joint in any order, several
 * End Sites a joint. Rotations apply in the order listed (R = R1 R2 R3); a position channel replaces that component of
 * OFFSET. One line a frame; `Frames:` must equal their number. Points are joints and end sites in file order.
 * SN_RT_FORMAT: "FILE:LINE: what was found, what was expected". */
sn_rt_status sn_rt_bvh_read(const char *path, sn_rt_motion *out, sn_rt_error *err);
sn_rt_status sn_rt_bvh_parse(const char *path, const char *bytes, size_t size, sn_rt_motion *out, sn_rt_error *err);

/* ASF/AMC (asf.c, amc.c): a skeleton, and motions of any person recorded with the same bone names.
 * Points are "root" and, for each bone, its far end under the bone's name. A bone turns by C M C^-1 within its parent,
 * C from `axis`, M from its `dof` angles (x first for order XYZ). Degrees or radians as stated. unit = 0.0254 / `:units
 * length`: lengths and root translation are inches times that number. AMC has no frame rate: `fps` is the
 * caller's (CMU: 120). AMC must be :FULLY-SPECIFIED: every bone with degrees of freedom in every frame. */
typedef struct sn_rt_asf sn_rt_asf;
sn_rt_status sn_rt_asf_read(const char *path, sn_rt_asf **out, sn_rt_error *err);
sn_rt_status sn_rt_asf_parse(const char *path, const char *bytes, size_t size, sn_rt_asf **out, sn_rt_error *err);
void sn_rt_asf_free(sn_rt_asf *asf);
sn_rt_status sn_rt_amc_read(const char *path, const sn_rt_asf *asf, double fps, sn_rt_motion *out, sn_rt_error *err);
sn_rt_status sn_rt_amc_parse(const char *path, const char *bytes, size_t size, const sn_rt_asf *asf, double fps,
                             sn_rt_motion *out, sn_rt_error *err);

#endif
