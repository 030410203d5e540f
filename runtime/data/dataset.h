/* A data set: sequences of joint positions with ids, rates, sources, splits and optional labelled segments.
 * Not a loader: batches are made in loader.h. The file's layout is in README.md; it is one safetensors file. */
#ifndef SN_RUNTIME_DATA_DATASET_H
#define SN_RUNTIME_DATA_DATASET_H

#include "safetensors.h"

enum { SN_RT_MAX_PERSONS = 2 };

typedef struct sn_rt_dataset sn_rt_dataset;

/* Frames [start, end) of a sequence, counted at the sequence's own rate in this set. */
typedef struct sn_rt_segment {
    uint32_t start, end;
    uint32_t label;  /* index into the set's labels */
    uint32_t origin; /* index into the set's label origins: who made it */
} sn_rt_segment;

/* Joint names and parents, shared by the sequences of one skeleton. */
typedef struct sn_rt_body {
    const char *name;
    size_t joints;
    const char *const *joint;
    const int32_t *parent; /* -1 for a root */
} sn_rt_body;

/* Text borrowed from the set when read, copied when added. */
typedef struct sn_rt_sequence {
    const char *id;        /* unique in the set */
    const char *file;      /* file name without folders */
    const char *source;    /* such as "cmu-bvh43" */
    const char *split;     /* "pretrain", "train", "val" or "test" */
    uint32_t body;         /* index of its skeleton */
    double fps;            /* of x */
    double source_fps;     /* of the file it came from */
    uint64_t source_first; /* frame of that file that frame 0 of x shows */
    size_t persons;        /* 1 or 2; 0 when added means 1. Who is missing in a frame is zeros there */
    size_t frames, joints;
    const float *x;        /* [persons][frames][joints][3], metres */
    size_t segments;
    const sn_rt_segment *segment; /* ordered by start, then end */
} sn_rt_sequence;

/* The layouts a set can have: "ntu25" (normalise.h, or family agcn), "ntu25-aimclr", "ntu25-denoised" (families.h), or "raw".
 * NULL if there is no memory or the layout is another. */
sn_rt_dataset *sn_rt_dataset_new(const char *layout);
void sn_rt_dataset_free(sn_rt_dataset *set);

/* Index of the skeleton with these joints and parents, added if it is new. */
sn_rt_status sn_rt_dataset_body(sn_rt_dataset *set, const sn_rt_body *body, uint32_t *out, sn_rt_error *err);

/* Add a sequence; its text and x are copied, its segments ignored (see label). SN_RT_ARGUMENT if the id is taken, the
 * split unknown, or x holds a value that is not finite. */
sn_rt_status sn_rt_dataset_add(sn_rt_dataset *set, const sn_rt_sequence *sequence, sn_rt_error *err);

/* Label frames [start, end) of a sequence by name; the same segment a second time changes nothing. SN_RT_ARGUMENT
 * unless start < end <= frames. */
sn_rt_status sn_rt_dataset_label(sn_rt_dataset *set, size_t sequence, uint32_t start, uint32_t end, const char *label,
                                 const char *origin, sn_rt_error *err);

/* The name itself if it is that of a split: "pretrain", "train", "val", "test"; else NULL. */
const char *sn_rt_split_of(const char *text);

/* Change the split of a sequence. */
sn_rt_status sn_rt_dataset_split(sn_rt_dataset *set, size_t sequence, const char *split, sn_rt_error *err);

/* Replace the file atomically; open validates everything, down to every value being finite. */
sn_rt_status sn_rt_dataset_write(const sn_rt_dataset *set, const char *path, sn_rt_error *err);
sn_rt_status sn_rt_dataset_open(const char *path, sn_rt_dataset **out, sn_rt_error *err);
sn_rt_status sn_rt_dataset_parse(const char *path, const void *bytes, size_t size, sn_rt_dataset **out,
                                 sn_rt_error *err);

/* Borrowed, valid until the set changes or is freed. find: index or SIZE_MAX. */
const char *sn_rt_dataset_layout(const sn_rt_dataset *set);
size_t sn_rt_dataset_count(const sn_rt_dataset *set);
const sn_rt_sequence *sn_rt_dataset_at(const sn_rt_dataset *set, size_t index);
size_t sn_rt_dataset_find(const sn_rt_dataset *set, const char *id);
size_t sn_rt_dataset_labels(const sn_rt_dataset *set);
const char *sn_rt_dataset_label_name(const sn_rt_dataset *set, uint32_t label);
const char *sn_rt_dataset_origin_name(const sn_rt_dataset *set, uint32_t origin);
const sn_rt_body *sn_rt_dataset_body_at(const sn_rt_dataset *set, uint32_t body);

#endif
