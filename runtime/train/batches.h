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
} sn_rt_batches;

/* Step s is step s % S of epoch s / S, with S = sn_rt_loader_steps.  Steps out of order are sought. */
sn_rt_source sn_rt_batches_source(sn_rt_batches *batches);

/* What determines the batches, a line each, for checkpoints: a digest of names, lengths and sampled values of the sequences, clips and
 * their length, batch, frames, views.  free() it; NULL if there is no memory. */
char *sn_rt_batches_text(const sn_rt_loader_config *config, const sn_rt_loader *loader);

#endif
