/* The queue loss has no kernel: its plan says so.
 * Not a fallback: nothing is computed here. */
#include "internal.h"

static bool plan_nce(sn_plan *p) { return sn_plan_fail(p, "queue_nce: no kernel for this operator"); }
static bool emit_nce(sn_kb *kb) { return kb->k == NULL; }
const sn_generator sn_kernel_queue_nce = {"queue_nce", 1, plan_nce, emit_nce};
