/* How a pose is looked at: from where, and which limbs are of which side.
 * Not drawing (pose.h). */
#ifndef SN_RUNTIME_DATA_VIEW_H
#define SN_RUNTIME_DATA_VIEW_H

#include <stddef.h>

/* Axes of a view: which coordinate goes right, which up, and the sign of the former. */
typedef struct sn_rt_pose_view {
    const char *name;
    int right, up;
    double right_sign;
} sn_rt_pose_view;

/* Two views of a layout: from the front and from the right for ntu25 (+x right, +y forward, +z up), along -z and -x for others (y up). */
const sn_rt_pose_view *sn_rt_pose_views(const char *layout);

/* 0 if the joint is of a left limb, 1 of a right one, 7 of neither, by its name (colours of picture.h). */
size_t sn_rt_joint_side(const char *joint);

#endif
