/* Files of the executable: motion in, a set of arrays out.  Arrays alone are runtime/data/npy.h.
 * Not the library's. */
#ifndef SN_RUNTIME_AOT_FILES_H
#define SN_RUNTIME_AOT_FILES_H

#include <stdbool.h>

#include "../data/array.h"

/* Does the name end like a file of motion capture: .bvh, .amc? */
bool sn_aot_is_motion(const char *path);
/* One clip, f32[1,T,25,3] in the form of runtime/data/normalise.h, as training sets are imported: `fps` frames a second.  `asf`: skeleton of an AMC file
 * that has none beside it, or NULL.  *out_start: seconds of the recording before the first frame; may be NULL. */
sn_rt_status sn_aot_read_motion(const char *path, double fps, const char *asf, sn_rt_array *out, double *out_start, sn_rt_error *err);

/* Does it end like a file of tracked bodies: .skeleton of NTU RGB+D, .txt of PKU-MMD? */
bool sn_aot_is_tracked(const char *path);
/* Its two persons f32[2,T,25,3], one of whom may be zeros, in the form that `layout` stands for (runtime/data/families.h).  SN_RT_BAD_SHAPE if these are
 * not `fps` frames a second. */
sn_rt_status sn_aot_read_tracked(const char *path, const char *layout, double fps, sn_rt_array *out, sn_rt_error *err);

/* Named arrays as one .safetensors file, written atomically.  Names are those of a graph: nothing in them needs escaping. */
sn_rt_status sn_aot_write_tensors(const char *path, const sn_rt_array *array, int n, sn_rt_error *err);

#endif
