/* A profile beside one that was taken before: which kernels became faster or slower.
 * Not the taking of either (profile.h). */
#ifndef SN_FRONTEND_COMPARE_H
#define SN_FRONTEND_COMPARE_H

#include "bench.h"

/* Read what `sinew profile --json` printed.  NULL with *err naming the file and what is wrong with it. */
json_t *sn_compare_read(const char *path, sn_rt_error *err);
/* Its rows taken together as asked; what was grouped already cannot be grouped otherwise.  Memory is the arena's, texts are the JSON's. */
bool sn_compare_rows(const json_t *before, const char *by, sn_arena *arena, sn_profile *out, sn_rt_error *err);
/* The `rows` rows that changed most, then kernels, the rest of a step, and the step; and what else differs between the two runs. */
void sn_compare_print(const json_t *before, const sn_profile *old, const sn_bench *b, const sn_profile *now, uint32_t rows, FILE *out);

#endif
