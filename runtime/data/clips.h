/* The index of clips that a loader draws from.
 * Not public; the rule is in loader.h. */
#ifndef SN_RUNTIME_DATA_CLIPS_H
#define SN_RUNTIME_DATA_CLIPS_H

#include "loader.h"

/* All clips of the sequences the configuration names; `*out` is freed with free(). SN_RT_ARGUMENT if a split is
 * unknown or the sequences differ in joints. */
sn_rt_status sn_rt_clips_make(const sn_rt_loader_config *config, sn_rt_clip **out, size_t *out_count, size_t *out_joints, sn_rt_error *err);

#endif
