/* The 25-joint layout of NTU RGB+D, and how each source skeleton maps to it.
 * Not the motion itself (motion.h) nor its alignment (normalise.h). */
#ifndef SN_RUNTIME_DATA_SKELETON_H
#define SN_RUNTIME_DATA_SKELETON_H

#include "motion.h"

enum { SN_RT_JOINTS = 25, SN_RT_CENTRE = 1 /* spine middle, the origin of every frame */ };

/* Names, and for each joint its neighbour towards the chest (joint 20); -1 for joint 20 itself. */
extern const char *const sn_rt_joint_name[SN_RT_JOINTS];
extern const int32_t sn_rt_joint_parent[SN_RT_JOINTS];

/* A joint of the layout is a weighted sum of up to three source points; weights sum to 1. One point with weight 1 is a copy,
 * weights between 0 and 1 interpolate, weights outside extrapolate along a limb. */
enum { SN_RT_MAX_TERMS = 3 };
typedef struct sn_rt_joint_rule {
    struct {
        const char *point; /* NULL behind the last */
        double weight;
    } term[SN_RT_MAX_TERMS];
} sn_rt_joint_rule;

typedef struct sn_rt_skeleton {
    const char *name;   /* of the source in reports and data sets, such as "cmu-bvh43" */
    const char *about;  /* one line for people */
    size_t joints;      /* points of the source that are not end sites */
    double unit;        /* metres per file unit; 0: the motion knows its unit */
    size_t drop;        /* leading frames that were never performed */
    sn_rt_joint_rule rule[SN_RT_JOINTS];
} sn_rt_skeleton;

/* The table (skeletons.c). */
extern const sn_rt_skeleton sn_rt_skeletons[];
extern const size_t sn_rt_skeleton_count;

/* The row whose joint count and points this motion has, or NULL. */
const sn_rt_skeleton *sn_rt_skeleton_of(const sn_rt_motion *motion);

#endif
