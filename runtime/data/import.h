/* One motion file into a data set.
 * Not the walk over folders and not the report: the command line does those. */
#ifndef SN_RUNTIME_DATA_IMPORT_H
#define SN_RUNTIME_DATA_IMPORT_H

#include "dataset.h"

#include <stdbool.h>

typedef struct sn_rt_import {
    const char *format; /* "bvh", "amc", "ntu" or "pku" */
    bool raw;           /* bvh, amc: source joints, rate and world coordinates; else the 25-joint form of normalise.h */
    bool all_frames;    /* keep the leading frames that the skeleton's row says were never performed */
    double fps;         /* rate of the mapped form; 30 */
    double amc_fps;     /* AMC files do not state their rate; CMU's is 120 */
    double unit;        /* raw only: metres per file unit of a BVH skeleton that is not in the table; 0: unknown */
    const char *asf;    /* skeleton for AMC files without SUBJECT.asf beside them, or NULL */
    const char *family; /* ntu, pku: how bodies are prepared (families.h); "agcn" */
    size_t family_frames; /* ntu, pku: frames of families.h; 0 */
    const char *protocol; /* ntu: "xsub" or "xview" sets each sequence's split from its name; NULL leaves "pretrain" */
} sn_rt_import;

/* What files of a format end in, such as "bvh" or "skeleton"; NULL if there is no such format. */
const char *sn_rt_import_suffix(const char *format);
/* Names joined by ", ", for messages. */
const char *sn_rt_import_formats(void);

/* The defaults written above. */
sn_rt_import sn_rt_import_defaults(const char *format);

/* What was done to a file. */
typedef struct sn_rt_imported {
    size_t dropped;    /* leading frames left out */
    bool borrowed_asf; /* no SUBJECT.asf beside it: limbs of `how->asf` */
} sn_rt_imported;

/* Read `path`, convert, and add it under `id` with split "pretrain"; an NTU recording is labelled as a whole with its action, "A001" to
 * "A120", origin "ntu". On error (the message names the file) set and
 * `out` are unchanged. */
sn_rt_status sn_rt_import_file(sn_rt_dataset *set, const sn_rt_import *how, const char *path, const char *id,
                               sn_rt_imported *out, sn_rt_error *err);

#endif
