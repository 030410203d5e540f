/* Arrays with a type and a shape: the values that files of this project hold.
 * Not a tensor library: no strides, no views, no arithmetic. */
#ifndef SN_RUNTIME_DATA_ARRAY_H
#define SN_RUNTIME_DATA_ARRAY_H

#include "../status.h"

#include <stddef.h>
#include <stdint.h>

enum { SN_RT_MAX_RANK = 8 };

/* Element types, little-endian in files. */
typedef enum sn_rt_elem {
    SN_RT_ELEM_F32,
    SN_RT_ELEM_F64,
    SN_RT_ELEM_I32,
    SN_RT_ELEM_I64,
    SN_RT_ELEM_U8,
    SN_RT_ELEM_U64
} sn_rt_elem;

/* Row-major (C order) array. Rank 0 is a scalar of one element.
 * `name` is NULL for an array that stands alone (npy). */
typedef struct sn_rt_array {
    const char *name;
    sn_rt_elem elem;
    uint32_t rank;
    uint64_t dims[SN_RT_MAX_RANK];
    void *data;   /* aligned to 64 bytes when allocated here; never NULL, even for zero elements */
    size_t bytes; /* elements times element size */
} sn_rt_array;

/* Bytes of one element; "f32", "f64", "i32", "i64", "u8", "u64" for messages. */
size_t sn_rt_elem_size(sn_rt_elem elem);
const char *sn_rt_elem_name(sn_rt_elem elem);

/* Bytes of an array of that shape, with overflow checked: SN_RT_BAD_SHAPE if it does not fit in size_t
 * or if rank is above SN_RT_MAX_RANK. */
sn_rt_status sn_rt_array_bytes(sn_rt_elem elem, uint32_t rank, const uint64_t *dims, size_t *out_bytes,
                               sn_rt_error *err);

/* Allocate an array: data is zero-filled and aligned to 64 bytes. Free with sn_rt_array_fini.
 * On failure `out` is untouched. */
sn_rt_status sn_rt_array_init(sn_rt_elem elem, uint32_t rank, const uint64_t *dims, sn_rt_array *out,
                              sn_rt_error *err);

/* Free what sn_rt_array_init or sn_rt_npy_read allocated; harmless on a zeroed struct. */
void sn_rt_array_fini(sn_rt_array *array);

/* SN_RT_BAD_SHAPE unless `array` has this type and shape; a dimension of SN_RT_ANY_DIM matches every size.
 * The message names `what`, both types and both shapes. */
#define SN_RT_ANY_DIM UINT64_MAX
sn_rt_status sn_rt_array_expect(const sn_rt_array *array, const char *what, sn_rt_elem elem, uint32_t rank,
                                const uint64_t *dims, sn_rt_error *err);

/* SN_RT_DIVERGED if an array of f32 holds a number that is not finite: "WHAT holds nan at [0,3], expected finite numbers". Other types pass. */
sn_rt_status sn_rt_array_finite(const sn_rt_array *array, const char *what, sn_rt_error *err);

/* "f32[2,3]" into `text`; a dimension of SN_RT_ANY_DIM prints as "?". Always terminated. */
void sn_rt_shape_text(sn_rt_elem elem, uint32_t rank, const uint64_t *dims, char *text, size_t size);

#endif
