/* One training step: momentum copies, the compiled program, state updates, the optimiser.
 * Not the loop over a data set (run.h). */
#ifndef SN_RUNTIME_TRAIN_TRAINER_H
#define SN_RUNTIME_TRAIN_TRAINER_H

#include "optimizer.h"

typedef struct sn_rt_trainer sn_rt_trainer;

/* What a step is.  Everything is borrowed until the trainer is freed. */
typedef struct sn_rt_training {
    const sn_abi_program *program; /* with gradients of its weights as outputs */
    const int64_t        *extent;  /* of the program's symbols */
    const char *const    *input;   /* names of inputs, in the order in which a step gives them */
    uint32_t              inputs;
    sn_rt_optimizer       optimizer;
    uint64_t              seed;
    int                   threads; /* 0 = sn_rt_threads_default() */
    const char           *epoch;   /* name of the scalar input that is given the number of the epoch; NULL: none is */
} sn_rt_training;

/* Bind, allocate, and set initial values.  SN_RT_MISSING if the program has no such input, or trains nothing. */
sn_rt_status sn_rt_trainer_new(const sn_rt_training *training, sn_rt_trainer **out, sn_rt_error *err);
void         sn_rt_trainer_free(sn_rt_trainer *t); /* accepts NULL */

/* Step `step` on input[i] (64-byte aligned, shaped as the program says) with the given rate.  In order: copies follow their weights (unless the step
 * before has done it), the program runs, its scalars are checked, states are updated, weights and copies move.  SN_RT_DIVERGED names a scalar that is not finite; states and
 * weights are then as before the step. */
sn_rt_status sn_rt_trainer_step(sn_rt_trainer *t, const float *const *input, uint64_t step, double rate, sn_rt_error *err);

/* The epoch of the steps to come, counted from 1; it is 1 at first. */
void sn_rt_trainer_set_epoch(sn_rt_trainer *t, uint64_t epoch);

/* The program's scalar outputs that are no gradients, in its order; values of the last step. */
uint32_t    sn_rt_trainer_scalars(const sn_rt_trainer *t);
const char *sn_rt_trainer_scalar_name(const sn_rt_trainer *t, uint32_t scalar);
float       sn_rt_trainer_scalar(const sn_rt_trainer *t, uint32_t scalar);

/* Floats of input i; borrowed parts; threads of the team. */
size_t         sn_rt_trainer_input_count(const sn_rt_trainer *t, uint32_t input);
sn_rt_session *sn_rt_trainer_session(const sn_rt_trainer *t);
sn_rt_store   *sn_rt_trainer_store(const sn_rt_trainer *t);
int            sn_rt_trainer_threads(const sn_rt_trainer *t);
/* Bytes of slab and store together: the memory a step needs besides its inputs. */
size_t         sn_rt_trainer_bytes(const sn_rt_trainer *t);


/* Of the parts of a step: the compiled program, state updates, the optimiser with the momentum copies.  times: seconds, summed over all steps
 * since the trainer was made.  moved: bytes one step must read and write once; 0 for the program, whose plan says it. */
typedef struct sn_rt_trainer_parts { double run, update, optimise; } sn_rt_trainer_parts;
sn_rt_trainer_parts sn_rt_trainer_times(const sn_rt_trainer *t);
sn_rt_trainer_parts sn_rt_trainer_moved(const sn_rt_trainer *t);

#endif
