/* Weights by name: the lookup that running and building share.
 * Not where they are kept. */
#include "lookup.h"

#include <stdio.h>

sn_rt_status sn_lookup_weight(const sn_rt_tensors *set, const char *path, const char *prefix, const char *name, const char *of, uint32_t rank,
                             const uint64_t *dims, const sn_rt_array **out, sn_rt_error *err)
{
    char full[512], what[4700];
    snprintf(full, sizeof full, "%s%s", prefix ? prefix : "", name);
    if (of && !sn_rt_tensors_find(set, full)) snprintf(full, sizeof full, "%s%s", prefix ? prefix : "", of);
    sn_rt_status status = sn_rt_tensors_need(set, full, SN_RT_ELEM_F32, rank, dims, out, err);
    snprintf(what, sizeof what, "weight %s: %s", full, path);
    return status == SN_RT_OK ? sn_rt_array_finite(*out, what, err) : status;
}
