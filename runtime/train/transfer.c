/* Weights and states of one program's part as those of a part of another.
 * Not whole programs (checkpoint.c). */
#include "transfer.h"

#include "internal.h"

#include <stdio.h>
#include <string.h>

/* What follows "PART." in a name, the name itself for the part "", or NULL. */
static const char *within(const char *part, const char *name)
{
    size_t n = strlen(part);
    if (n == 0) return name;
    return strncmp(name, part, n) == 0 && name[n] == '.' ? name + n + 1 : NULL;
}

static bool is_kept(const sn_abi_param *p) { return p->kind == SN_ABI_WEIGHT || p->kind == SN_ABI_STATE; }

/* The array of the file for parameter i, checked; NULL in *out if i is not of the part. */
static sn_rt_status array_of(const sn_rt_tensors *set, const char *from, const sn_rt_store *store, uint32_t i, const char *to, const sn_rt_array **out,
                             sn_rt_error *err)
{
    const sn_abi_param *p = &store->program->param[i];
    const char         *rest = within(to, p->name);
    uint64_t            dims[SN_ABI_MAX_RANK];
    char                name[512];
    *out = NULL;
    if (!rest || !is_kept(p)) return SN_RT_OK;
    snprintf(name, sizeof name, "%s%s%s", from, *from ? "." : "", rest);
    for (uint32_t d = 0; d < p->type.rank; d++) dims[d] = (uint64_t)p->type.dim[d];
    return sn_rt_tensors_need(set, name, SN_RT_ELEM_F32, p->type.rank, dims, out, err);
}

/* Is there an array FROM.x in the file without a TO.x in the program? */
static sn_rt_status nothing_left(const char *path, const sn_rt_tensors *set, const char *from, const sn_rt_store *store, const char *to, sn_rt_error *err)
{
    char name[512];
    for (size_t k = 0; k < sn_rt_tensors_count(set); k++) {
        const char *full = sn_rt_tensors_at(set, k)->name, *rest = within(from, full);
        if (!rest || strchr(rest, ':')) continue; /* "velocity:..." is kept beside parameters */
        snprintf(name, sizeof name, "%s%s%s", to, *to ? "." : "", rest);
        uint32_t i = sn_rt_find_param(store->program, name);
        if (i == SN_RT_NONE || !is_kept(&store->program->param[i]))
            return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: %s is left over, the program has no %s", path, full, name);
    }
    return SN_RT_OK;
}

bool sn_rt_weights_have(const sn_rt_tensors *file, const char *part)
{
    for (size_t k = 0; k < sn_rt_tensors_count(file); k++)
        if (within(part, sn_rt_tensors_at(file, k)->name)) return true;
    return false;
}

sn_rt_status sn_rt_weights_transfer(const char *path, const sn_rt_tensors *set, const char *from, sn_rt_store *store, const char *to, size_t *out_count,
                                    sn_rt_error *err)
{
    size_t       count = 0;
    sn_rt_status status = SN_RT_OK;
    for (int copy = 0; copy < 2; copy++) {
        count = 0;
        for (uint32_t i = 0; status == SN_RT_OK && i < store->program->params; i++) {
            const sn_rt_array *array;
            size_t             n;
            status = array_of(set, from, store, i, to, &array, err);
            if (status != SN_RT_OK || !array) continue;
            count++;
            if (copy) memcpy(sn_rt_store_param(store, i, &n), array->data, array->bytes);
        }
        if (status == SN_RT_OK && !count) status = sn_rt_fail(err, SN_RT_MISSING, "the program has no weight or state %s.*", to);
        if (status == SN_RT_OK && !copy) status = nothing_left(path, set, from, store, to, err);
    }
    if (status == SN_RT_OK) sn_rt_store_set_ahead(store, false);
    if (out_count) *out_count = count;
    return status;
}
