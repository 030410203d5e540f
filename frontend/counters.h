/* Counters of the processor and of the kernel, by thread and by kernel call, through perf_event_open.
 * Not a sampling profiler; what cannot be counted on a machine is said, with the reason, and not replaced by something else. */
#ifndef SN_FRONTEND_COUNTERS_H
#define SN_FRONTEND_COUNTERS_H

#include "../runtime/sinew_rt.h"

#include <stdbool.h>

enum { SN_COUNTERS_MOST = 16 };

typedef struct sn_counters sn_counters;

/* Find out what can be counted here, for `threads` threads and `calls` calls.  Nothing may be: that is no error.  NULL without memory. */
sn_counters *sn_counters_new(int threads, uint32_t calls);
void         sn_counters_free(sn_counters *c);

uint32_t    sn_counters_count(const sn_counters *c);
const char *sn_counters_name(const sn_counters *c, uint32_t which);
/* What is not counted here, and why: numbers from 0 until NULL. */
const char *sn_counters_missing(const sn_counters *c, uint32_t which, const char **out_why);

/* For sn_rt_session_observe; context is the counters. */
sn_rt_observer sn_counters_observer(sn_counters *c);

/* What the threads of the team counted in a call since the beginning, summed; scaled up where the kernel let counters take turns. */
double sn_counters_of(const sn_counters *c, uint32_t call, uint32_t which);
/* The first failure in a thread ("" if none): then the numbers are not complete. */
const char *sn_counters_failure(const sn_counters *c);

#endif
