/* Weights and states of one program's part as those of a part of another: a pretrained encoder into a model to be finetuned.
 * Not whole programs (checkpoint.h). */
#ifndef SN_RUNTIME_TRAIN_TRANSFER_H
#define SN_RUNTIME_TRAIN_TRANSFER_H

#include "../data/safetensors.h"
#include "store.h"

/* Every weight and state "TO.x" of the store gets the array "FROM.x" of the file, which was read from `path`; `from` or `to` may be "": the whole.
 * SN_RT_MISSING: the file has no such array, or the program no such part; SN_RT_BAD_SHAPE: it has another shape; SN_RT_ARGUMENT: an array of the part is
 * left over, so the parts differ.  The store then is as it was.  *out_count (may be NULL): arrays taken. */
sn_rt_status sn_rt_weights_transfer(const char *path, const sn_rt_tensors *file, const char *from, sn_rt_store *store, const char *to, size_t *out_count,
                                    sn_rt_error *err);
/* Is there an array of the part in the file? */
bool sn_rt_weights_have(const sn_rt_tensors *file, const char *part);

#endif
