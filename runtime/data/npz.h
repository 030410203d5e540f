/* NumPy's .npz files: a zip archive of .npy members, stored or deflated, of which single arrays are read by name.
 * Not written here, and members that are not asked for (text, pickled objects) are not looked at.
 *
 * Archives may come from anywhere: a member's size is bounded (SN_RT_NPZ_LIMIT, and by what its compressed bytes can hold), its checksum is
 * verified, and encrypted members or other compressions are errors. */
#ifndef SN_RUNTIME_DATA_NPZ_H
#define SN_RUNTIME_DATA_NPZ_H

#include "array.h"

#include <stdbool.h>

#define SN_RT_NPZ_LIMIT ((uint64_t)1 << 30) /* bytes of a member */

typedef struct sn_rt_npz sn_rt_npz;

/* Open an archive, or one in memory, which stays the caller's and must outlive it (`path` is then only the name in messages). SN_RT_IO if the file
 * cannot be read, SN_RT_FORMAT if it is no zip archive. close accepts NULL. */
sn_rt_status sn_rt_npz_open(const char *path, sn_rt_npz **out, sn_rt_error *err);
sn_rt_status sn_rt_npz_parse(const char *path, const void *bytes, size_t size, sn_rt_npz **out, sn_rt_error *err);
void sn_rt_npz_close(sn_rt_npz *npz);

/* Whether there is a member NAME.npy. */
bool sn_rt_npz_has(const sn_rt_npz *npz, const char *name);

/* Read it into a fresh array, freed with sn_rt_array_fini. SN_RT_MISSING names the archive and the array; SN_RT_FORMAT what is wrong with it. On failure
 * `out` is untouched. Not for several threads on one archive. */
sn_rt_status sn_rt_npz_read(sn_rt_npz *npz, const char *name, sn_rt_array *out, sn_rt_error *err);

#endif
