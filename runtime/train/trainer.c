/* One training step: momentum copies, the compiled program, state updates, the optimiser.
 * Not the loop over a data set (run.c). */
#include "trainer.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

struct sn_rt_trainer {
    sn_rt_training training;
    sn_rt_session *session;
    sn_rt_store   *store;
    uint32_t      *input;  /* [inputs]: parameter numbers */
    uint32_t      *scalar; /* [scalars]: output numbers */
    uint32_t       scalars;
    uint32_t       epoch_param; /* SN_RT_NONE: none */
    float         *epoch;       /* [1], aligned as inputs are */
    sn_rt_trainer_parts times;
};

static sn_rt_status find_input(const sn_rt_trainer *t, const char *name, uint32_t *out, sn_rt_error *err)
{
    const sn_abi_program *p = t->training.program;
    *out = sn_rt_find_param(p, name);
    if (*out != SN_RT_NONE && p->param[*out].kind == SN_ABI_INPUT) return SN_RT_OK;
    return sn_rt_fail(err, SN_RT_MISSING, "the program has no input \"%s\"", name);
}

static sn_rt_status find_inputs(sn_rt_trainer *t, sn_rt_error *err)
{
    sn_rt_status status = SN_RT_OK;
    for (uint32_t i = 0; status == SN_RT_OK && i < t->training.inputs; i++) status = find_input(t, t->training.input[i], &t->input[i], err);
    t->epoch_param = SN_RT_NONE;
    if (status != SN_RT_OK || !t->training.epoch) return status;
    status = find_input(t, t->training.epoch, &t->epoch_param, err);
    if (status == SN_RT_OK && t->training.program->param[t->epoch_param].type.rank != 0)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "input \"%s\" for the epoch is no scalar", t->training.epoch);
    return status;
}

static sn_rt_status find_scalars(sn_rt_trainer *t, sn_rt_error *err)
{
    const sn_abi_program *p = t->training.program;
    bool                  trains = false;
    for (uint32_t i = 0; i < p->outputs; i++) {
        int64_t of = p->output[i].gradient_of;
        trains = trains || (of >= 0 && p->param[of].kind == SN_ABI_WEIGHT);
        if (of < 0 && sn_rt_session_count(t->session, &p->output[i].type) == 1) t->scalar[t->scalars++] = i;
    }
    return trains ? SN_RT_OK : sn_rt_fail(err, SN_RT_MISSING, "the program has no gradient of a weight: nothing is trained");
}

sn_rt_status sn_rt_trainer_new(const sn_rt_training *training, sn_rt_trainer **out, sn_rt_error *err)
{
    const sn_abi_program *p = training->program;
    sn_rt_trainer        *t = calloc(1, sizeof *t);
    if (!t) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a trainer");
    t->training = *training;
    t->input = calloc(training->inputs + 1u, sizeof *t->input);
    t->scalar = calloc(p->outputs + 1u, sizeof *t->scalar);
    t->epoch = aligned_alloc(64, 64);
    sn_rt_status status = t->input && t->scalar && t->epoch ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for a trainer");
    if (status == SN_RT_OK) status = sn_rt_session_new(p, &t->session, err);
    if (status == SN_RT_OK) status = find_inputs(t, err);
    if (status == SN_RT_OK) status = sn_rt_session_bind(t->session, training->extent, err);
    if (status == SN_RT_OK) status = find_scalars(t, err);
    if (status == SN_RT_OK) status = sn_rt_store_new(p, t->session, &t->store, err);
    if (status == SN_RT_OK && training->optimizer.is_adam) status = sn_rt_store_add_second(t->store, err);
    if (status == SN_RT_OK) status = sn_rt_store_attach(t->store, t->session, err);
    if (status == SN_RT_OK) status = sn_rt_session_prepare(t->session, training->threads, NULL, 0, err);
    if (status == SN_RT_OK) {
        sn_rt_store_init(t->store, training->seed, sn_rt_trainer_threads(t));
        sn_rt_trainer_set_epoch(t, 1);
        *out = t;
    } else {
        sn_rt_trainer_free(t);
    }
    return status;
}

void sn_rt_trainer_free(sn_rt_trainer *t)
{
    if (!t) return;
    sn_rt_session_free(t->session);
    sn_rt_store_free(t->store);
    free(t->input);
    free(t->scalar);
    free(t->epoch);
    free(t);
}

/* Seconds since *from, which becomes now. */
static double lap(double *from)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    double now = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec, took = now - *from;
    *from = now;
    return took;
}

sn_rt_status sn_rt_trainer_step(sn_rt_trainer *t, const float *const *input, uint64_t step, double rate, sn_rt_error *err)
{
    sn_rt_status status = SN_RT_OK;
    int          threads = sn_rt_trainer_threads(t);
    double       clock = 0;
    for (uint32_t i = 0; status == SN_RT_OK && i < t->training.inputs; i++)
        status = sn_rt_session_set_param(t->session, t->input[i], input[i], sn_rt_trainer_input_count(t, i), err);
    if (status == SN_RT_OK && t->epoch_param != SN_RT_NONE) status = sn_rt_session_set_param(t->session, t->epoch_param, t->epoch, 1, err);
    if (status != SN_RT_OK) return status;
    lap(&clock);
    if (!sn_rt_store_ahead(t->store)) sn_rt_store_follow(t->store, threads);
    t->times.optimise += lap(&clock);
    status = sn_rt_session_run(t->session, t->training.seed, step, err);
    if (status == SN_RT_DIVERGED && err) { /* a watcher said so */
        const sn_rt_error why = *err;
        sn_rt_fail(err, status, "step %llu: %.400s", (unsigned long long)step, why.text);
    }
    t->times.run += lap(&clock);
    for (uint32_t i = 0; status == SN_RT_OK && i < t->scalars; i++)
        if (!isfinite(sn_rt_trainer_scalar(t, i)))
            status = sn_rt_fail(err, SN_RT_DIVERGED, "step %llu: %s is %g", (unsigned long long)step, sn_rt_trainer_scalar_name(t, i),
                                (double)sn_rt_trainer_scalar(t, i));
    if (status != SN_RT_OK) return status;
    sn_rt_store_update(t->store, t->session);
    t->times.update += lap(&clock);
    if (t->training.optimizer.is_adam) sn_rt_adam_step(t->store, &t->training.optimizer.adam, rate, step, threads);
    else sn_rt_sgd_step(t->store, &t->training.optimizer.sgd, rate, threads);
    t->times.optimise += lap(&clock);
    return SN_RT_OK;
}

void sn_rt_trainer_set_epoch(sn_rt_trainer *t, uint64_t epoch) { *t->epoch = (float)epoch; }

uint32_t sn_rt_trainer_scalars(const sn_rt_trainer *t) { return t->scalars; }

const char *sn_rt_trainer_scalar_name(const sn_rt_trainer *t, uint32_t scalar) { return t->training.program->output[t->scalar[scalar]].name; }

float sn_rt_trainer_scalar(const sn_rt_trainer *t, uint32_t scalar) { return *sn_rt_session_output(t->session, t->scalar[scalar]); }

size_t sn_rt_trainer_input_count(const sn_rt_trainer *t, uint32_t input)
{
    return sn_rt_session_count(t->session, &t->training.program->param[t->input[input]].type);
}

sn_rt_session *sn_rt_trainer_session(const sn_rt_trainer *t) { return t->session; }
sn_rt_store   *sn_rt_trainer_store(const sn_rt_trainer *t) { return t->store; }
int            sn_rt_trainer_threads(const sn_rt_trainer *t) { return sn_rt_session_threads(t->session); }

size_t sn_rt_trainer_bytes(const sn_rt_trainer *t)
{
    return sn_rt_plan_bytes(t->session, sn_rt_trainer_threads(t)) + sn_rt_store_bytes(t->store);
}

/* ---- what a step costs -------------------------------------------------------------------------------------------------- */

sn_rt_trainer_parts sn_rt_trainer_times(const sn_rt_trainer *t) { return t->times; }

sn_rt_trainer_parts sn_rt_trainer_moved(const sn_rt_trainer *t)
{
    sn_rt_trainer_parts moved = {.optimise = sn_rt_sgd_bytes(t->store)};
    for (uint32_t i = 0; i < t->training.program->updates; i++) {
        size_t count;
        sn_rt_session_update(t->session, i, &count);
        moved.update += 2.0 * (double)(count * sizeof(float));
    }
    return moved;
}
