/* The skeleton of an ASF file, shared by its reader and the AMC reader.
 * Not public: neighbours see it as the opaque sn_rt_asf. */
#ifndef SN_RUNTIME_DATA_ASF_H
#define SN_RUNTIME_DATA_ASF_H

#include "motion.h"
#include "rotation.h"

#include <stdbool.h>

enum { ASF_MAX_BONES = 256, ASF_MAX_DOF = 6 };

/* Bone 0 is the root: its dof are `order`, its offset is `position`. */
typedef struct asf_bone {
    char name[SN_RT_NAME_SIZE];
    int parent;             /* -1 for the root and until :hierarchy names one */
    double offset[3];       /* direction * length, file's units, global axes at rest */
    rotation axis, axis_inverse;
    int turn_order[3];      /* order in which turns about x, y, z are applied */
    int dof_count;
    int dof[ASF_MAX_DOF];   /* 0..2 translation x y z (root only), 3..5 rotation */
} asf_bone;

struct sn_rt_asf {
    double unit;            /* metres */
    double radians;         /* radians per unit of angle in this file */
    int bones;
    asf_bone bone[ASF_MAX_BONES];
    int walk[ASF_MAX_BONES]; /* bone indices, parents before children; [0] is the root */
};

/* Index of the bone, or -1. */
int sn_rt_asf_find(const sn_rt_asf *asf, const char *name);

#endif
