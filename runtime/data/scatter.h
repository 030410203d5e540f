/* Points of a plane as a PNG picture: coloured by group with a legend, or by a value with a scale.
 * Not axes: the plane of an embedding has no units. */
#ifndef SN_RUNTIME_DATA_SCATTER_H
#define SN_RUNTIME_DATA_SCATTER_H

#include "../status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sn_rt_scatter {
    const char *title;       /* UTF-8; NULL for none */
    const double *at;        /* [count][2], finite */
    size_t count;
    const uint32_t *group;   /* [count], below `groups`, or NULL: `value` colours */
    const char *const *name; /* [groups]: one more than the last drawn is told as "and N more" beyond 24 */
    size_t groups;
    const double *value;     /* [count] */
    const char *value_label; /* at the scale */
    int width, height;       /* pixels; 0: 1000 x 760 */
} sn_rt_scatter;

/* Eight colours times four shapes tell 32 groups apart; later points are drawn over earlier ones. Replaces `path` atomically. SN_RT_ARGUMENT for a position
 * that is not finite. */
sn_rt_status sn_rt_scatter_write(const sn_rt_scatter *scatter, const char *path, sn_rt_error *err);

#endif
