/* Safetensors: a set of named arrays and a string map, in one file that other tools open as it is.
 * Not a view of the file: arrays are copied to memory of their own, aligned to 64 bytes.
 *
 * File: 8 bytes little-endian header length, the header (a JSON object: name -> dtype, shape, data_offsets
 * relative to the end of the header; "__metadata__" -> string map), then the data without holes.
 * Accepted types: F32 F64 I32 I64 U8 U64. Writes are deterministic: the same content added in the same
 * order gives the same bytes (metadata is sorted by key, the header is padded with blanks so that data starts at a
 * multiple of 64).
 *
 * Files written here carry metadata key "sinew.xxh3": XXH3-64 of the header (with the 16 digits of this very
 * value as zeros) followed by the data. A file with this key is checked on reading, so a flipped bit anywhere is
 * an error; files of other tools, which have no such key, are checked for structure only. The key is not shown
 * by the metadata functions below and cannot be set. */
#ifndef SN_RUNTIME_DATA_SAFETENSORS_H
#define SN_RUNTIME_DATA_SAFETENSORS_H

#include "array.h"

typedef struct sn_rt_tensors sn_rt_tensors;

/* An empty set; NULL if there is no memory. Free releases the arrays it owns; accepts NULL. */
sn_rt_tensors *sn_rt_tensors_new(void);
void sn_rt_tensors_free(sn_rt_tensors *set);

/* Add an array of its own memory. `data` is copied, or NULL for zeros; `*out_data` (may be NULL) is the set's
 * copy, writable until the set is freed.
 * SN_RT_ARGUMENT if the name is taken, empty, not UTF-8, or "__metadata__"; then the set is unchanged. */
sn_rt_status sn_rt_tensors_add(sn_rt_tensors *set, const char *name, sn_rt_elem elem, uint32_t rank,
                               const uint64_t *dims, const void *data, void **out_data, sn_rt_error *err);

/* As add, but the set only borrows `data`, which must stay valid and unchanged until the set was written or freed.
 * For large state that is saved once, such as weights and queues. */
sn_rt_status sn_rt_tensors_borrow(sn_rt_tensors *set, const char *name, sn_rt_elem elem, uint32_t rank,
                                  const uint64_t *dims, const void *data, sn_rt_error *err);

/* Arrays in order of addition (in a file: order of the data). Borrowed from the set. find: NULL if absent. */
size_t sn_rt_tensors_count(const sn_rt_tensors *set);
const sn_rt_array *sn_rt_tensors_at(const sn_rt_tensors *set, size_t index);
const sn_rt_array *sn_rt_tensors_find(const sn_rt_tensors *set, const char *name);

/* find, and check type and shape (SN_RT_ANY_DIM matches any size). SN_RT_MISSING names the array,
 * SN_RT_BAD_SHAPE both shapes. Messages start with the path the set was read from, if any. */
sn_rt_status sn_rt_tensors_need(const sn_rt_tensors *set, const char *name, sn_rt_elem elem, uint32_t rank,
                                const uint64_t *dims, const sn_rt_array **out, sn_rt_error *err);

/* String map, sorted by key. set replaces; meta gives NULL if absent; strings are UTF-8 without NUL. */
sn_rt_status sn_rt_tensors_set_meta(sn_rt_tensors *set, const char *key, const char *value, sn_rt_error *err);
const char *sn_rt_tensors_meta(const sn_rt_tensors *set, const char *key);
size_t sn_rt_tensors_meta_count(const sn_rt_tensors *set);
void sn_rt_tensors_meta_at(const sn_rt_tensors *set, size_t index, const char **out_key, const char **out_value);

/* Replace `path` atomically (temporary file in the same directory, sync, rename, sync of the directory). On error the
 * old file is as it was. */
sn_rt_status sn_rt_tensors_write(const sn_rt_tensors *set, const char *path, sn_rt_error *err);

/* Read a file, or a file's bytes (`path` is then only the name in messages). Everything is validated before any
 * array is made: header length, JSON, types, shapes, offsets in range, in order without hole or overlap, names unique.
 * SN_RT_FORMAT names file and byte or array; SN_RT_IO the system's reason. */
sn_rt_status sn_rt_tensors_read(const char *path, sn_rt_tensors **out, sn_rt_error *err);
sn_rt_status sn_rt_tensors_parse(const char *path, const void *bytes, size_t size, sn_rt_tensors **out,
                                 sn_rt_error *err);

#endif
