/* Batches of a loader as the source of a training run.
 * Not the loader itself (runtime/data/loader.h), which prepares them. */
#ifndef SN_RUNTIME_TRAIN_BATCHES_H
#define SN_RUNTIME_TRAIN_BATCHES_H

#include "../data/loader.h"
#include "run.h"

typedef struct sn_rt_batches {
    sn_rt_loader *loader; /* borrowed */
    uint64_t      next;   /* step the loader gives next */
    sn_rt_batch   batch;  /* given last */
    const float  *input[SN_RT_MAX_VIEWS + 2]; /* its views, then its labels if it has any, and the numbers of its clips */
    float        *number; /* [rows], of the clips */
    uint32_t      views, rows; /* of the loader's configuration */
} sn_rt_batches;

/* Batches of an open loader of that configuration, which outlives them.  SN_RT_MEMORY. */
sn_rt_status sn_rt_batches_init(sn_rt_batches *batches, sn_rt_loader *loader, const sn_rt_loader_config *config, sn_rt_error *err);
void         sn_rt_batches_fini(sn_rt_batches *batches); /* harmless on a zeroed struct */

/* Inputs are the views, then, if the loader has classes, the labels f32[rows][frames] and the numbers of the clips f32[rows]; a program may want fewer.  Step s is step s % S of epoch s / S, with S = sn_rt_loader_steps.  Steps out of order are sought. */
sn_rt_source sn_rt_batches_source(sn_rt_batches *batches);

/* What determines the batches, a line each, for checkpoints: a digest of names, lengths and sampled values of the sequences, clips and
 * their length, batch, frames, views, classes.  free() it; NULL if there is no memory. */
char *sn_rt_batches_text(const sn_rt_loader_config *config, const sn_rt_loader *loader);

#endif
