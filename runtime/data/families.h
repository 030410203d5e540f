/* The three ways in which published work prepares tracked bodies (spec 7.2), kept apart: which persons, which origin, which
 * direction, how missing frames are treated. A model trained on one does not fit data of another.
 * Not for motion capture, which has one person in every frame: normalise.h. */
#ifndef SN_RUNTIME_DATA_FAMILIES_H
#define SN_RUNTIME_DATA_FAMILIES_H

#include "bodies.h"

#include <stdbool.h>

enum { SN_RT_PERSONS = 2 };

/* Persons who have a place in every frame; where one is missing, zeros. */
typedef struct sn_rt_persons {
    size_t persons, frames;
    double fps;
    float *x;   /* [persons][frames][25][3] */
    bool moved; /* frame t does not show what frame t of the recording shows, in all or in a person */
} sn_rt_persons;

void sn_rt_persons_fini(sn_rt_persons *persons);

typedef struct sn_rt_family {
    const char *name;   /* "agcn", "aimclr" or "denoised" */
    const char *layout; /* of a data set that holds it (dataset.h) */
    const char *about;  /* one line for people */
} sn_rt_family;

/* By name or layout, or NULL. Names joined by ", " for messages. */
const sn_rt_family *sn_rt_family_of(const char *name);
const sn_rt_family *sn_rt_family_of_layout(const char *layout);
const char *sn_rt_family_names(void);

/* Two persons from the bodies of a recording, the second possibly absent throughout.
 *
 * "agcn" (family B: 2s-AGCN, BABEL, PCM3; layout ntu25). Of the first four bodies of every frame, by place in the file, the two of most energy
 *     (sum over x, y, z of the standard deviation over the joints of frames that are not empty), the larger first. A person
 *     who is missing in frame 0 is moved to the front without gaps; one who ends early is repeated from frame 0 on. Every frame minus
 *     joint 1 of the first person; then one turn that brings that person's spine (joint 1 - joint 0) of frame 0 to +z, and one that brings
 *     the shoulders (joint 8 - joint 4) to +x, each about the common normal. `frames`: length to fill by repeating, 300 in
 *     publications; 0 keeps the recording's.
 * "aimclr" (family A: ST-GCN, CrosSCLR, AimCLR, HiCLR, RVTCLR). The first two bodies of every frame, by place in the file. Every body minus its
 *     joint 20. The first n frames, n the number of frames that show the first body, are resized to `frames` (0: 50, 100 for RVTCLR;
 *     linear, half-pixel centres). Every frame of a body is turned about y until the shoulders lie along x; the sense of all turns
 *     of a body is one.
 * "denoised" (family C: Hyper-GCN and the NTU cleaning it uses). Frames without bodies go. Persons are ids; of several, those of at
 *     most 11 frames go, then those that are wider than 0.8 of their height in 69.754 % of their frames; the rest in order of motion
 *     (variance of coordinates) fill first and second person where their time does not overlap. All minus joint 1 of the first person in the
 *     first frame that shows it; travel stays. `frames` must be 0.
 *
 * The originals' quirks are kept, being part of what their numbers mean: "agcn" can shift two persons in time against each other, and
 * does not centre the second where the first is missing inside; "denoised" closes gaps in a track of an id.
 *
 * SN_RT_BAD_SHAPE if no person is left or the recording is longer than the frames to fill; SN_RT_ARGUMENT for `frames` that must be 0. */
sn_rt_status sn_rt_family_apply(const sn_rt_family *family, const sn_rt_bodies *bodies, size_t frames, sn_rt_persons *out,
                                sn_rt_error *err);

#endif
