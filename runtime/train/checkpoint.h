/* Checkpoints: everything needed to go on with a run as if it had not stopped, in one safetensors file.
 * Not the decision when to write one (trainer.c).
 *
 * Arrays: every weight, copy and state under its own name, so that a checkpoint is also a weights file; "velocity:NAME" of the optimiser; "head:NAME",
 * u64 scalar, the next row of queue NAME.  Metadata: "sinew.kind" = "checkpoint", "sinew.step" (training steps done), "sinew.seed",
 * "sinew.copies" = "ahead" if copies have moved for the next step already (absent: they are moved before it), "sinew.data" and "sinew.recipe"
 * (texts of the caller, compared on resume).  Random numbers and the order of the data are functions of
 * (seed, step), so these two numbers are the random state and the data position.  No time or machine is recorded: equal runs give equal bytes. */
#ifndef SN_RUNTIME_TRAIN_CHECKPOINT_H
#define SN_RUNTIME_TRAIN_CHECKPOINT_H

#include "store.h"

typedef struct sn_rt_progress {
    uint64_t    step, seed;
    const char *data;   /* which data set, batch and frames: they determine what step n sees */
    const char *recipe; /* the recipe as run */
} sn_rt_progress;

/* Write atomically: after a crash at any moment `path` is the old file, the new file, or absent.  Writes nothing and returns
 * SN_RT_DIVERGED when a value is not finite.  SN_RT_IO (a full disk) leaves an old file as it was. */
sn_rt_status sn_rt_checkpoint_write(const char *path, sn_rt_store *store, const sn_rt_progress *progress, int threads, sn_rt_error *err);

/* Read into the store: all or nothing.  SN_RT_FORMAT for a damaged file; SN_RT_MISSING or SN_RT_BAD_SHAPE if it is of another program;
 * SN_RT_ARGUMENT if recipe or data differ from `progress`, saying where.  Sets progress->step and ->seed. */
sn_rt_status sn_rt_checkpoint_read(const char *path, sn_rt_store *store, sn_rt_progress *progress, sn_rt_error *err);

/* Read weights, and those copies and states the file has, by name (a checkpoint, or any safetensors file).  A weight that is absent is
 * SN_RT_MISSING.  Copies and states that are absent keep their values; a copy then becomes equal to its weight. */
sn_rt_status sn_rt_weights_read(const char *path, sn_rt_store *store, sn_rt_error *err);
/* Write weights, copies and states. */
sn_rt_status sn_rt_weights_write(const char *path, const sn_rt_store *store, sn_rt_error *err);

/* Files "DIR/checkpoint-00000123.safetensors".  path: of that step.  newest: step of the newest, false if there is none.
 * keep: remove all but the newest `n`, and what a killed writer left behind. */
void sn_rt_checkpoint_path(const char *dir, uint64_t step, char *out, size_t size);
bool sn_rt_checkpoint_newest(const char *dir, uint64_t *out_step);
void sn_rt_checkpoint_keep(const char *dir, unsigned n);

#endif
