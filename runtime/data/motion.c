/* What all recorded motions share.
 * Not a reader (bvh.c, asf.c, amc.c). */
#include "motion.h"

#include <stdlib.h>
#include <string.h>

void sn_rt_motion_fini(sn_rt_motion *motion)
{
    free(motion->point);
    free(motion->x);
    memset(motion, 0, sizeof *motion);
}

int32_t sn_rt_motion_find(const sn_rt_motion *motion, const char *name)
{
    for (size_t i = 0; i < motion->points; i++)
        if (strcmp(motion->point[i].name, name) == 0)
            return (int32_t)i;
    return -1;
}
