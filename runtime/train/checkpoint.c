/* Checkpoints and weight files: the store to safetensors and back.
 * Not which files a run keeps (checkpoint_files.c). */
#include "checkpoint.h"

#include "internal.h"

#include "../data/safetensors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names and shapes --------------------------------------------------------------------------------------------------- */

static void shape_of(const sn_abi_tensor *t, uint64_t *out)
{
    for (uint32_t i = 0; i < t->rank; i++) out[i] = (uint64_t)t->dim[i];
}

/* "PREFIX:NAME"; free() it. */
static char *prefixed(const char *prefix, const char *name)
{
    size_t n = strlen(prefix) + strlen(name) + 2;
    char  *out = malloc(n);
    if (out) snprintf(out, n, "%s:%s", prefix, name);
    return out;
}

static bool is_queue(const sn_abi_program *p, uint32_t param)
{
    for (uint32_t i = 0; i < p->updates; i++)
        if (p->update[i].param == param && p->update[i].kind == SN_ABI_ENQUEUE) return true;
    return false;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static sn_rt_status add_params(sn_rt_tensors *set, const sn_rt_store *store, sn_rt_error *err)
{
    const sn_abi_program *p = store->program;
    sn_rt_status          status = SN_RT_OK;
    for (uint32_t i = 0; status == SN_RT_OK && i < p->params; i++) {
        uint64_t dims[SN_ABI_MAX_RANK];
        size_t   n;
        float   *data = sn_rt_store_param(store, i, &n);
        shape_of(&p->param[i].type, dims);
        if (data) status = sn_rt_tensors_borrow(set, p->param[i].name, SN_RT_ELEM_F32, p->param[i].type.rank, dims, data, err);
    }
    return status;
}

/* One thing kept beside a parameter, by the name "PREFIX:NAME". */
static sn_rt_status add_beside(sn_rt_tensors *set, const char *prefix, const sn_abi_param *p, sn_rt_elem elem, uint32_t rank, const void *data, sn_rt_error *err)
{
    uint64_t dims[SN_ABI_MAX_RANK];
    char    *name = prefixed(prefix, p->name);
    shape_of(&p->type, dims);
    sn_rt_status status = name ? sn_rt_tensors_borrow(set, name, elem, rank, dims, data, err) : sn_rt_fail(err, SN_RT_MEMORY, "no memory for a checkpoint");
    free(name);
    return status;
}

/* Velocity, second average and queue heads. */
static sn_rt_status add_state(sn_rt_tensors *set, sn_rt_store *store, sn_rt_error *err)
{
    const sn_abi_program *p = store->program;
    sn_rt_status          status = SN_RT_OK;
    for (uint32_t i = 0; status == SN_RT_OK && i < p->params; i++) {
        size_t       n;
        const float *velocity = sn_rt_store_velocity(store, i, &n), *second = sn_rt_store_second(store, i, &n);
        if (velocity) status = add_beside(set, "velocity", &p->param[i], SN_RT_ELEM_F32, p->param[i].type.rank, velocity, err);
        if (status == SN_RT_OK && second) status = add_beside(set, "second", &p->param[i], SN_RT_ELEM_F32, p->param[i].type.rank, second, err);
        if (status == SN_RT_OK && is_queue(p, i)) status = add_beside(set, "head", &p->param[i], SN_RT_ELEM_U64, 0, sn_rt_store_head(store, i), err);
    }
    return status;
}

static sn_rt_status add_progress(sn_rt_tensors *set, const sn_rt_store *store, const sn_rt_progress *progress, sn_rt_error *err)
{
    char step[24], seed[24];
    snprintf(step, sizeof step, "%llu", (unsigned long long)progress->step);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)progress->seed);
    sn_rt_status status = sn_rt_tensors_set_meta(set, "sinew.kind", "checkpoint", err);
    if (status == SN_RT_OK) status = sn_rt_tensors_set_meta(set, "sinew.step", step, err);
    if (status == SN_RT_OK) status = sn_rt_tensors_set_meta(set, "sinew.seed", seed, err);
    if (status == SN_RT_OK && sn_rt_store_ahead(store)) status = sn_rt_tensors_set_meta(set, "sinew.copies", "ahead", err);
    if (status == SN_RT_OK) status = sn_rt_tensors_set_meta(set, "sinew.data", progress->data, err);
    if (status == SN_RT_OK) status = sn_rt_tensors_set_meta(set, "sinew.recipe", progress->recipe, err);
    return status;
}

sn_rt_status sn_rt_checkpoint_write(const char *path, sn_rt_store *store, const sn_rt_progress *progress, int threads, sn_rt_error *err)
{
    uint32_t wrong = sn_rt_store_not_finite(store, threads);
    if (wrong != SN_RT_NONE)
        return sn_rt_fail(err, SN_RT_DIVERGED, "step %llu: %s holds a value that is not finite; no checkpoint is written",
                          (unsigned long long)progress->step, store->program->param[wrong].name);
    sn_rt_tensors *set = sn_rt_tensors_new();
    if (!set) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a checkpoint");
    sn_rt_status status = add_params(set, store, err);
    if (status == SN_RT_OK) status = add_state(set, store, err);
    if (status == SN_RT_OK) status = add_progress(set, store, progress, err);
    if (status == SN_RT_OK) status = sn_rt_tensors_write(set, path, err);
    sn_rt_tensors_free(set);
    return status;
}

sn_rt_status sn_rt_weights_write(const char *path, const sn_rt_store *store, sn_rt_error *err)
{
    sn_rt_tensors *set = sn_rt_tensors_new();
    if (!set) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for weights");
    sn_rt_status status = add_params(set, store, err);
    if (status == SN_RT_OK) status = sn_rt_tensors_write(set, path, err);
    sn_rt_tensors_free(set);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static sn_rt_status read_number(const char *path, const sn_rt_tensors *set, const char *key, uint64_t *out, sn_rt_error *err)
{
    const char *text = sn_rt_tensors_meta(set, key);
    char       *end = NULL;
    errno = 0;
    unsigned long long v = text && *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    if (!end || *end || errno) return sn_rt_fail(err, SN_RT_FORMAT, "%s: metadata \"%s\" is no number", path, key);
    *out = v;
    return SN_RT_OK;
}

/* Name the first line in which two texts differ. */
static sn_rt_status same_text(const char *path, const char *what, const char *found, const char *expected, sn_rt_error *err)
{
    if (!found) return sn_rt_fail(err, SN_RT_FORMAT, "%s: no metadata \"sinew.%s\"", path, what);
    while (*found && *expected) {
        size_t f = strcspn(found, "\n"), e = strcspn(expected, "\n");
        if (f != e || memcmp(found, expected, f)) break;
        found += f + (found[f] == '\n');
        expected += e + (expected[e] == '\n');
    }
    if (!*found && !*expected) return SN_RT_OK;
    found += strspn(found, " ");
    expected += strspn(expected, " ");
    return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: made with another %s: \"%.*s\" there, \"%.*s\" here", path, what, (int)strcspn(found, "\n"), found,
                      (int)strcspn(expected, "\n"), expected);
}

static sn_rt_status need_param(const sn_rt_tensors *set, const sn_rt_store *store, uint32_t i, const char *name, const sn_rt_array **out,
                               sn_rt_error *err)
{
    uint64_t dims[SN_ABI_MAX_RANK];
    shape_of(&store->program->param[i].type, dims);
    return sn_rt_tensors_need(set, name, SN_RT_ELEM_F32, store->program->param[i].type.rank, dims, out, err);
}

static sn_rt_status head_of(const char *path, const sn_rt_tensors *set, const sn_rt_store *store, uint32_t i, const char *name, uint64_t *out,
                            sn_rt_error *err)
{
    const sn_rt_array *array;
    sn_rt_status       status = sn_rt_tensors_need(set, name, SN_RT_ELEM_U64, 0, NULL, &array, err);
    if (status != SN_RT_OK) return status;
    memcpy(out, array->data, sizeof *out);
    if (*out >= (uint64_t)store->program->param[i].type.dim[0])
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: %s is %llu, but the queue has %lld rows", path, name, (unsigned long long)*out,
                          (long long)store->program->param[i].type.dim[0]);
    return SN_RT_OK;
}

/* An average of the gradients of parameter i, kept as "PREFIX:NAME"; `to` may be NULL: there is none. */
static sn_rt_status read_average(const sn_rt_tensors *set, const sn_rt_store *store, uint32_t i, const char *prefix, float *to, bool copy, sn_rt_error *err)
{
    if (!to) return SN_RT_OK;
    char *name = prefixed(prefix, store->program->param[i].name);
    if (!name) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a checkpoint");
    const sn_rt_array *array;
    sn_rt_status       status = need_param(set, store, i, name, &array, err);
    if (status == SN_RT_OK && copy) memcpy(to, array->data, array->bytes);
    free(name);
    return status;
}

static sn_rt_status read_head(const char *path, const sn_rt_tensors *set, sn_rt_store *store, uint32_t i, bool copy, sn_rt_error *err)
{
    if (!is_queue(store->program, i)) return SN_RT_OK;
    char *name = prefixed("head", store->program->param[i].name);
    if (!name) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a checkpoint");
    uint64_t     head = 0;
    sn_rt_status status = head_of(path, set, store, i, name, &head, err);
    if (status == SN_RT_OK && copy) *sn_rt_store_head(store, i) = head;
    free(name);
    return status;
}

/* What is kept beside one parameter, copied if `copy`, else only checked. */
static sn_rt_status read_state(const char *path, const sn_rt_tensors *set, sn_rt_store *store, uint32_t i, bool copy, sn_rt_error *err)
{
    size_t       n;
    sn_rt_status status = read_average(set, store, i, "velocity", sn_rt_store_velocity(store, i, &n), copy, err);
    if (status == SN_RT_OK) status = read_average(set, store, i, "second", sn_rt_store_second(store, i, &n), copy, err);
    return status == SN_RT_OK ? read_head(path, set, store, i, copy, err) : status;
}

/* All parameters and their state: first checked, then copied, so that a wrong file leaves the store as it was. */
static sn_rt_status read_all(const char *path, const sn_rt_tensors *set, sn_rt_store *store, sn_rt_error *err)
{
    const sn_abi_program *p = store->program;
    sn_rt_status          status = SN_RT_OK;
    for (int copy = 0; copy < 2; copy++)
        for (uint32_t i = 0; status == SN_RT_OK && i < p->params; i++) {
            size_t             n;
            const sn_rt_array *array;
            float             *data = sn_rt_store_param(store, i, &n);
            if (data) status = need_param(set, store, i, p->param[i].name, &array, err);
            if (status == SN_RT_OK && data && copy) memcpy(data, array->data, n * sizeof *data);
            if (status == SN_RT_OK) status = read_state(path, set, store, i, copy, err);
        }
    return status;
}

sn_rt_status sn_rt_checkpoint_read(const char *path, sn_rt_store *store, sn_rt_progress *progress, sn_rt_error *err)
{
    sn_rt_tensors *set = NULL;
    uint64_t       step = 0, seed = 0;
    sn_rt_status   status = sn_rt_tensors_read(path, &set, err);
    if (status != SN_RT_OK) return status;
    const char *kind = sn_rt_tensors_meta(set, "sinew.kind");
    if (!kind || strcmp(kind, "checkpoint")) status = sn_rt_fail(err, SN_RT_FORMAT, "%s: no checkpoint: metadata \"sinew.kind\" is %s", path, kind ? kind : "absent");
    if (status == SN_RT_OK) status = read_number(path, set, "sinew.step", &step, err);
    if (status == SN_RT_OK) status = read_number(path, set, "sinew.seed", &seed, err);
    if (status == SN_RT_OK) status = same_text(path, "recipe", sn_rt_tensors_meta(set, "sinew.recipe"), progress->recipe, err);
    if (status == SN_RT_OK) status = same_text(path, "data", sn_rt_tensors_meta(set, "sinew.data"), progress->data, err);
    if (status == SN_RT_OK) status = read_all(path, set, store, err);
    if (status == SN_RT_OK) {
        const char *copies = sn_rt_tensors_meta(set, "sinew.copies");
        sn_rt_store_set_ahead(store, copies && !strcmp(copies, "ahead"));
        progress->step = step;
        progress->seed = seed;
    }
    sn_rt_tensors_free(set);
    return status;
}

sn_rt_status sn_rt_weights_read(const char *path, sn_rt_store *store, sn_rt_error *err)
{
    const sn_abi_program *p = store->program;
    sn_rt_tensors        *set = NULL;
    sn_rt_status          status = sn_rt_tensors_read(path, &set, err);
    if (status != SN_RT_OK) return status;
    for (int copy = 0; copy < 2; copy++)
        for (uint32_t i = 0; status == SN_RT_OK && i < p->params; i++) {
            size_t             n;
            const sn_rt_array *array;
            float             *data = sn_rt_store_param(store, i, &n);
            bool               there = sn_rt_tensors_find(set, p->param[i].name) != NULL;
            if (!data) continue;
            if (there || p->param[i].kind == SN_ABI_WEIGHT) status = need_param(set, store, i, p->param[i].name, &array, err);
            if (status == SN_RT_OK && copy && there) memcpy(data, array->data, n * sizeof *data);
        }
    for (uint32_t i = 0; status == SN_RT_OK && i < p->params; i++) { /* after all weights are there */
        size_t n;
        if (p->param[i].kind != SN_ABI_COPY || sn_rt_tensors_find(set, p->param[i].name)) continue;
        float *data = sn_rt_store_param(store, i, &n);
        memcpy(data, sn_rt_store_param(store, p->param[i].of, &n), n * sizeof *data);
    }
    if (status == SN_RT_OK) sn_rt_store_set_ahead(store, false);
    sn_rt_tensors_free(set);
    return status;
}
