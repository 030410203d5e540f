/* One motion file into a data set.
 * Not the walk over folders and not the report: the command line does those. */
#ifndef SN_RUNTIME_DATA_IMPORT_H
#define SN_RUNTIME_DATA_IMPORT_H

#include "babel.h"
#include "dataset.h"
#include "skeleton.h"

#include <stdbool.h>

typedef struct sn_rt_import {
    const char *format; /* "bvh", "amc", "ntu", "pku", "npy" or "babel" */
    bool raw;           /* bvh, amc: source joints, rate and world coordinates; else the 25-joint form of normalise.h */
    bool all_frames;    /* keep the leading frames that the skeleton's row says were never performed */
    double fps;         /* rate of the mapped form; 30 */
    double amc_fps;     /* AMC files do not state their rate; CMU's is 120 */
    double unit;        /* raw only: metres per file unit of a BVH skeleton that is not in the table; 0: unknown */
    const char *asf;    /* skeleton for AMC files without SUBJECT.asf beside them, or NULL */
    const char *family; /* ntu, pku: how bodies are prepared (families.h); npy: how they were; "agcn" */
    size_t family_frames; /* ntu, pku: frames of families.h; 0 */
    const char *protocol; /* ntu: "xsub" or "xview" sets each sequence's split from its name; NULL leaves "pretrain" */
    const char *sample_labels; /* npy: array of a label for each sample, or NULL */
    const char *split;  /* of all sequences, but where protocol says or babel's files do; "pretrain" */
    sn_rt_babel *babel; /* babel: where motions and tables are; borrowed */
    sn_rt_babel_report *babel_report; /* babel: what becomes of sequences is added */
} sn_rt_import;

/* What files of a format end in, such as "bvh" or "skeleton"; NULL if there is no such format. */
const char *sn_rt_import_suffix(const char *format);
/* Names joined by ", ", for messages. */
const char *sn_rt_import_formats(void);

/* The defaults written above (recording.c). */
sn_rt_import sn_rt_import_defaults(const char *format);

/* What was done to a file. */
typedef struct sn_rt_imported {
    size_t empty;      /* npy: samples of zeros alone, left out */
    bool moved;        /* ntu, pku: see sn_rt_persons */
    bool borrowed_asf; /* no SUBJECT.asf beside it: limbs of `how->asf` */
} sn_rt_imported;

/* Read `path`, convert, and add it under `id` (npy, babel: many, see sn_rt_import_samples, sn_rt_babel_import); an NTU recording is labelled as a whole with its action, "A001" to
 * "A120", origin "ntu". On error (the message names the file) set and
 * `out` are unchanged. */
sn_rt_status sn_rt_import_file(sn_rt_dataset *set, const sn_rt_import *how, const char *path, const char *id,
                               sn_rt_imported *out, sn_rt_error *err);

/* An .npy array f32[N,3,T,25,M] of N samples as the field's preprocessing writes them, and an i64 or i32 [N] or [N,1] with a label for each (or
 * NULL): sequences ID_000000, ID_000001 and so on at 30 frames a second, without the zero frames behind the last that shows anyone. Label k
 * becomes "A001" for 0 and so on, origin "npy", over the whole sequence. Samples of zeros alone are counted in `out_empty`. On an
 * error in the middle the samples before it are in the set. */
sn_rt_status sn_rt_import_samples(sn_rt_dataset *set, const char *path, const char *labels, const char *id, const char *split, size_t *out_empty,
                                  sn_rt_error *err);

#endif
