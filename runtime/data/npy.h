/* NumPy's .npy files: one array in a file.
 * Not structured or big-endian types: these are errors. Archives of several are npz.h.
 *
 * Read: versions 1.0 and 2.0; '<f4' '<f8' '<i4' '<i8' '|u1' '<u8'; C order, or Fortran order, which is put into C order. Written: version 1.0, C order, header padded so that
 * data starts at a multiple of 64, the same bytes for the same array. The format has no checksum: what
 * is checked is that header and size agree. */
#ifndef SN_RUNTIME_DATA_NPY_H
#define SN_RUNTIME_DATA_NPY_H

#include "array.h"

/* Read a file (or its bytes; `path` is then only the name in messages) into a fresh array, freed with
 * sn_rt_array_fini. SN_RT_FORMAT names file and byte. On failure `out` is untouched. */
sn_rt_status sn_rt_npy_read(const char *path, sn_rt_array *out, sn_rt_error *err);
sn_rt_status sn_rt_npy_parse(const char *path, const void *bytes, size_t size, sn_rt_array *out, sn_rt_error *err);

/* Replace `path` atomically. `array->name` is not written. */
sn_rt_status sn_rt_npy_write(const char *path, const sn_rt_array *array, sn_rt_error *err);

#endif
