/* Weights of a program in a file of named arrays.
 * Not drawing them (runtime/train/store.h). */
#ifndef SN_FRONTEND_LOOKUP_H
#define SN_FRONTEND_LOOKUP_H

#include "../runtime/data/safetensors.h"

/* The array of `name`, or of `of` (may be NULL: of the weight that a copy follows) where the file has none of that name; `prefix` stands before
 * both, with the dot; "" or NULL.  The shape must be as given and every number finite; messages name `path`. */
sn_rt_status sn_lookup_weight(const sn_rt_tensors *set, const char *path, const char *prefix, const char *name, const char *of, uint32_t rank,
                             const uint64_t *dims, const sn_rt_array **out, sn_rt_error *err);

#endif
