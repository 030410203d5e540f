/* Batches for training: clips of a data set in a random order, augmented, prepared beside the training.
 * Not the data set (dataset.h) and not a sampler with state: a batch is a function of (configuration, epoch, step).
 *
 * Clips. A sequence is cut into windows of clip_seconds that begin every stride_seconds; a last window ends where the
 * sequence ends if that is not where one ended already. A sequence not longer than a window is one clip as a whole. Every clip
 * is resized linearly to T frames (sn_rt_resize), so a window of T frames is copied and a shorter sequence stretched.
 * Clips are numbered in the order of sequences, then of time.
 *
 * Labels. With classes, every frame of a row has one (classes.h), so time is left alone: windows are T frames, a shorter sequence is followed by frames
 * of zeros whose class is -1, and no augmentation may retime.
 *
 * Order. Epoch e visits the permutation of clips drawn from stream (seed, SN_RT_FOR_ORDER, e, 0), batch after batch; the last
 * clips that do not fill a batch are dropped (each epoch others).
 *
 * Views. View v of row b in step s of epoch e (with S steps an epoch) is augmented with stream
 * (seed, SN_RT_FOR_AUGMENT, e * S + s, b * views + v): results depend neither on threads nor on timing. */
#ifndef SN_RUNTIME_DATA_LOADER_H
#define SN_RUNTIME_DATA_LOADER_H

#include "classes.h"

enum { SN_RT_MAX_VIEWS = 8 };

typedef struct sn_rt_loader_config {
    const sn_rt_dataset *set;  /* borrowed until close; its sequences have one number of joints V. Text is read in open only */
    const char *splits;        /* comma-separated, such as "pretrain,train"; NULL: all sequences */
    uint64_t seed;
    uint32_t batch, frames;    /* B, T */
    uint32_t persons;          /* M; 0: 1. A sequence of fewer gets zeros, of a sequence of more the first M are taken */
    uint32_t views;
    const char *view[SN_RT_MAX_VIEWS]; /* augmentation of each, as augment.h reads it: "basic" */
    double clip_seconds;       /* 0: frames / 30; not used with classes */
    double stride_seconds;     /* 0: a quarter of a clip */
    const sn_rt_classes *classes; /* borrowed until close; NULL: batches have no labels */
    const bool *only;          /* [sequences], read in open: sequences to use among those of the splits; NULL: all */
} sn_rt_loader_config;

typedef struct sn_rt_batch {
    uint64_t epoch, step;
    const float *view[SN_RT_MAX_VIEWS]; /* f32[B][M][T][V][3], aligned to 64 bytes */
    const uint32_t *clip;               /* [B]: which clip a row shows */
    const float *label;                 /* f32[B][T], aligned to 64 bytes: class of every frame, -1 for none; NULL without classes */
} sn_rt_batch;

/* A clip: frames [start, start + frames) of a sequence of the set. */
typedef struct sn_rt_clip {
    uint32_t sequence, start, frames;
} sn_rt_clip;

typedef struct sn_rt_loader sn_rt_loader;

/* Build the clip index and start preparing epoch 0, step 0 in a thread of its own (which blocks all signals).
 * SN_RT_ARGUMENT names the wrong setting; fewer clips than a batch is one. Memory: two batches and the index. */
sn_rt_status sn_rt_loader_open(const sn_rt_loader_config *config, sn_rt_loader **out, sn_rt_error *err);

/* Stop the thread and release everything; accepts NULL. */
void sn_rt_loader_close(sn_rt_loader *loader);

/* The next batch; valid until the following next, seek or close. Waits if it is not ready. One caller at a time. */
sn_rt_status sn_rt_loader_next(sn_rt_loader *loader, sn_rt_batch *out, sn_rt_error *err);

/* Make (epoch, step) the next batch, for exact resume. SN_RT_ARGUMENT if step is not below steps an epoch. */
sn_rt_status sn_rt_loader_seek(sn_rt_loader *loader, uint64_t epoch, uint64_t step, sn_rt_error *err);

/* Lists of splits: SN_RT_ARGUMENT if one is unknown; is this one in the list?  NULL lists all. */
sn_rt_status sn_rt_splits_check(const char *splits, sn_rt_error *err);
bool sn_rt_split_listed(const char *splits, const char *split);

size_t sn_rt_loader_clips(const sn_rt_loader *loader);
const sn_rt_clip *sn_rt_loader_clip(const sn_rt_loader *loader, size_t index);
uint64_t sn_rt_loader_steps(const sn_rt_loader *loader); /* an epoch */
size_t sn_rt_loader_joints(const sn_rt_loader *loader);  /* V */

/* Processor seconds that a batch took to prepare, mean over those prepared since open; 0 before the first. What they cost a training is less: they are
 * prepared beside it. Any thread. */
double sn_rt_loader_cost(sn_rt_loader *loader);

#endif
