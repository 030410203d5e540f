/* Arrays: sizes with overflow checks, allocation, shape expectations.
 * Not file formats (npy.c, safetensors.c). */
#include "array.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} elems[] = {
    [SN_RT_ELEM_F32] = {"f32", 4}, [SN_RT_ELEM_F64] = {"f64", 8}, [SN_RT_ELEM_I32] = {"i32", 4},
    [SN_RT_ELEM_I64] = {"i64", 8}, [SN_RT_ELEM_U8] = {"u8", 1},   [SN_RT_ELEM_U64] = {"u64", 8},
};

size_t sn_rt_elem_size(sn_rt_elem elem)
{
    return elems[elem].size;
}

const char *sn_rt_elem_name(sn_rt_elem elem)
{
    return elems[elem].name;
}

void sn_rt_shape_text(sn_rt_elem elem, uint32_t rank, const uint64_t *dims, char *text, size_t size)
{
    int used = snprintf(text, size, "%s[", elems[elem].name);
    for (uint32_t i = 0; i < rank && used >= 0 && (size_t)used < size; i++) {
        const char *comma = i ? "," : "";
        if (dims[i] == SN_RT_ANY_DIM)
            used += snprintf(text + used, size - (size_t)used, "%s?", comma);
        else
            used += snprintf(text + used, size - (size_t)used, "%s%llu", comma, (unsigned long long)dims[i]);
    }
    if (used >= 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, "]");
}

sn_rt_status sn_rt_array_bytes(sn_rt_elem elem, uint32_t rank, const uint64_t *dims, size_t *out_bytes,
                               sn_rt_error *err)
{
    if (rank > SN_RT_MAX_RANK)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "rank %u is above %d", rank, SN_RT_MAX_RANK);
    /* Zero dimensions are legal and make the product zero, but the others must still multiply without
     * overflow so that no later product of a part of the shape can wrap. */
    size_t product = elems[elem].size;
    int empty = 0;
    for (uint32_t i = 0; i < rank; i++) {
        if (dims[i] == 0) {
            empty = 1;
        } else if (dims[i] > (uint64_t)PTRDIFF_MAX / product) {
            char text[256];
            sn_rt_shape_text(elem, rank, dims, text, sizeof text);
            return sn_rt_fail(err, SN_RT_BAD_SHAPE, "shape %s is too large", text);
        } else {
            product *= (size_t)dims[i];
        }
    }
    *out_bytes = empty ? 0 : product;
    return SN_RT_OK;
}

sn_rt_status sn_rt_array_init(sn_rt_elem elem, uint32_t rank, const uint64_t *dims, sn_rt_array *out,
                              sn_rt_error *err)
{
    size_t bytes;
    sn_rt_status status = sn_rt_array_bytes(elem, rank, dims, &bytes, err);
    if (status != SN_RT_OK)
        return status;
    void *data = NULL;
    if (bytes > (size_t)PTRDIFF_MAX - 64 || posix_memalign(&data, 64, bytes ? bytes : 64) != 0)
        return sn_rt_fail(err, SN_RT_MEMORY, "no memory for an array of %zu bytes", bytes);
    memset(data, 0, bytes);
    memset(out, 0, sizeof *out);
    out->elem = elem;
    out->rank = rank;
    if (rank)
        memcpy(out->dims, dims, rank * sizeof *dims);
    out->data = data;
    out->bytes = bytes;
    return SN_RT_OK;
}

void sn_rt_array_fini(sn_rt_array *array)
{
    free(array->data);
    memset(array, 0, sizeof *array);
}

sn_rt_status sn_rt_array_expect(const sn_rt_array *array, const char *what, sn_rt_elem elem, uint32_t rank,
                                const uint64_t *dims, sn_rt_error *err)
{
    int same = array->elem == elem && array->rank == rank;
    for (uint32_t i = 0; same && i < rank; i++)
        same = dims[i] == SN_RT_ANY_DIM || dims[i] == array->dims[i];
    if (same)
        return SN_RT_OK;
    char found[128], expected[128];
    sn_rt_shape_text(array->elem, array->rank, array->dims, found, sizeof found);
    sn_rt_shape_text(elem, rank, dims, expected, sizeof expected);
    return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: found %s, expected %s", what, found, expected);
}

/* Place of element `i` as "0,3". */
static void place_text(const sn_rt_array *a, size_t i, char *text, size_t size)
{
    size_t stride = a->bytes / sn_rt_elem_size(a->elem), at = 0;
    text[0] = '\0';
    for (uint32_t d = 0; d < a->rank && at < size; d++) {
        stride /= (size_t)a->dims[d];
        at += (size_t)snprintf(text + at, size - at, "%s%zu", d ? "," : "", i / stride);
        i %= stride;
    }
}

sn_rt_status sn_rt_array_finite(const sn_rt_array *array, const char *what, sn_rt_error *err)
{
    const float *f = array->data;
    size_t count = array->elem == SN_RT_ELEM_F32 ? array->bytes / sizeof *f : 0;
    for (size_t i = 0; i < count; i++) {
        if (isfinite(f[i])) continue;
        char at[160];
        place_text(array, i, at, sizeof at);
        return sn_rt_fail(err, SN_RT_DIVERGED, "%s holds %s at [%s], expected finite numbers", what, isnan(f[i]) ? "nan" : "inf", at);
    }
    return SN_RT_OK;
}
