/* The clock of timing and waiting.
 * Not the time of day. */
#include "internal.h"

#include <time.h>

double sn_rt_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
