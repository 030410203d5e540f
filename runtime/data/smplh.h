/* The body model SMPL+H as far as the 25-joint layout needs it: where joints and finger tips are in a pose.
 * Not a mesh: of its 6890 vertices only the four finger tips are posed. Not learned shapes or soft tissue.
 *
 * The model's numbers are licensed and come in a file of the user's; what stands in the source are facts of its layout: the kinematic
 * tree of 52 joints, and which joints and vertices the published preparation of BABEL takes for NTU RGB+D's.
 * Source: Loper et al. 2015 (SMPL), Romero et al. 2017 (SMPL+H); spec 7.3. */
#ifndef SN_RUNTIME_DATA_SMPLH_H
#define SN_RUNTIME_DATA_SMPLH_H

#include "npz.h"
#include "skeleton.h"

enum { SN_RT_SMPLH_JOINTS = 52, SN_RT_SMPLH_POSE = 3 * SN_RT_SMPLH_JOINTS };

typedef struct sn_rt_smplh sn_rt_smplh;

/* Read an .npz of the model as AMASS's users get it (SMPL+H with 16 shapes, male/model.npz): v_template [6890,3], J_regressor [52,6890], weights
 * [6890,52], posedirs [6890,3,459], hands_meanl and hands_meanr [45]. SN_RT_MISSING or SN_RT_BAD_SHAPE names the array. free accepts NULL. */
sn_rt_status sn_rt_smplh_read(const char *path, sn_rt_smplh **out, sn_rt_error *err);
void sn_rt_smplh_free(sn_rt_smplh *model);

/* Joints of the mean shape in metres, not translated. `pose`: axis times angle of every joint; the hands' mean poses are added to theirs, as the
 * published preparation does. Errors none; any threads. */
void sn_rt_smplh_joints(const sn_rt_smplh *model, const double pose[SN_RT_SMPLH_POSE], float out[SN_RT_JOINTS][3]);

/* Points of the model's 73 (52 joints, then 5 of the face, 6 of the feet, 5 tips of each hand) that stand for the 25 joints. */
extern const int sn_rt_smplh_point[SN_RT_JOINTS];
enum { SN_RT_SMPLH_POINTS = 73 };

#endif
