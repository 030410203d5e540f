/* The table of source skeletons and the joint names of the common layout: data.
 * Not code: whoever adds a source adds a row here and a line to README.md.
 *
 * Rules for joints without a source, the same for all rows:
 *   0  spine base     middle of the two hip joints (roots lie up to 10 cm above or 3 cm below them)
 *   1  spine middle   the point nearest half-way between 0 and 20
 *   3  head           centre of the head: between skull base and eyes or crown; else as far above the skull base as that
 *                     is above the neck
 *   20 chest          where the collar bones begin
 *   7, 11   hand      first knuckles or middle of the palm; else the forearm prolonged by 0.35 of its length
 *   21, 23  hand tip  end of the middle finger; else the forearm prolonged by 0.70
 *   22, 24  thumb     end of the thumb; else as the hand
 *   15, 19  foot      ball of the foot or beginning of the toes
 * Fingers and thumbs of CMU's BVH conversions stay in their rest pose: their tips say how the hand is turned, no more. */
#include "skeleton.h"

const char *const sn_rt_joint_name[SN_RT_JOINTS] = {
    "spine_base", "spine_middle", "neck",       "head",       "left_shoulder", "left_elbow", "left_wrist",
    "left_hand",  "right_shoulder", "right_elbow", "right_wrist", "right_hand", "left_hip",  "left_knee",
    "left_ankle", "left_foot",    "right_hip",  "right_knee", "right_ankle",   "right_foot", "chest",
    "left_hand_tip", "left_thumb", "right_hand_tip", "right_thumb",
};

const int32_t sn_rt_joint_parent[SN_RT_JOINTS] = {
    1, 20, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, -1, 22, 7, 24, 11,
};

#define AT(a) {{{a, 1}}}
#define MIX(a, wa, b, wb) {{{a, wa}, {b, wb}}}
#define MIX3(a, wa, b, wb, c, wc) {{{a, wa}, {b, wb}, {c, wc}}}

const sn_rt_skeleton sn_rt_skeletons[] = {
    {.name = "cmu-bvh43",
     .about = "CMU mocap as BVH, Daz-friendly conversion: 43 joints, centimetres, T-pose blended in frames 0-5",
     .joints = 43,
     .unit = 0.01,
     .drop = 6,
     .rule = {[0] = MIX("lThigh", 0.5, "rThigh", 0.5),
              [1] = MIX("abdomen", 0.5, "chest", 0.5),
              [2] = AT("neck"),
              [3] = MIX3("head", 0.5, "leftEye", 0.25, "rightEye", 0.25),
              [4] = AT("lShldr"),
              [5] = AT("lForeArm"),
              [6] = AT("lHand"),
              [7] = MIX("lHand", 0.5, "lMid1", 0.5),
              [8] = AT("rShldr"),
              [9] = AT("rForeArm"),
              [10] = AT("rHand"),
              [11] = MIX("rHand", 0.5, "rMid1", 0.5),
              [12] = AT("lThigh"),
              [13] = AT("lShin"),
              [14] = AT("lFoot"),
              [15] = AT("lFoot:end"),
              [16] = AT("rThigh"),
              [17] = AT("rShin"),
              [18] = AT("rFoot"),
              [19] = AT("rFoot:end"),
              [20] = MIX("lCollar", 0.5, "rCollar", 0.5),
              [21] = AT("lMid2:end"),
              [22] = AT("lThumb2:end"),
              [23] = AT("rMid2:end"),
              [24] = AT("rThumb2:end")}},
    {.name = "cmu-bvh31",
     .about = "CMU mocap as BVH, 3dsMax-friendly conversion: 31 joints, CMU's unit (inches / 0.45), no T-pose",
     .joints = 31,
     .unit = 0.0254 / 0.45,
     .drop = 0,
     .rule = {[0] = MIX("LeftHip", 0.5, "RightHip", 0.5),
              [1] = AT("Chest"),
              [2] = AT("Neck"),
              [3] = MIX("Head", 0.5, "Head:end", 0.5),
              [4] = AT("LeftShoulder"),
              [5] = AT("LeftElbow"),
              [6] = AT("LeftWrist"),
              [7] = AT("LFingers"),
              [8] = AT("RightShoulder"),
              [9] = AT("RightElbow"),
              [10] = AT("RightWrist"),
              [11] = AT("RFingers"),
              [12] = AT("LeftHip"),
              [13] = AT("LeftKnee"),
              [14] = AT("LeftAnkle"),
              [15] = AT("LeftToe"),
              [16] = AT("RightHip"),
              [17] = AT("RightKnee"),
              [18] = AT("RightAnkle"),
              [19] = AT("RightToe"),
              [20] = AT("Chest2"),
              [21] = AT("LFingers:end"),
              [22] = AT("LThumb:end"),
              [23] = AT("RFingers:end"),
              [24] = AT("RThumb:end")}},
    {.name = "cmu-asf31",
     .about = "CMU mocap as ASF/AMC: root and the far ends of 30 bones, unit from the ASF",
     .joints = 31,
     .unit = 0,
     .drop = 0,
     .rule = {[0] = MIX("lhipjoint", 0.5, "rhipjoint", 0.5),
              [1] = AT("lowerback"),
              [2] = AT("lowerneck"),
              [3] = MIX("upperneck", 0.5, "head", 0.5),
              [4] = AT("lclavicle"),
              [5] = AT("lhumerus"),
              [6] = AT("lwrist"),
              [7] = AT("lhand"),
              [8] = AT("rclavicle"),
              [9] = AT("rhumerus"),
              [10] = AT("rwrist"),
              [11] = AT("rhand"),
              [12] = AT("lhipjoint"),
              [13] = AT("lfemur"),
              [14] = AT("ltibia"),
              [15] = AT("lfoot"),
              [16] = AT("rhipjoint"),
              [17] = AT("rfemur"),
              [18] = AT("rtibia"),
              [19] = AT("rfoot"),
              [20] = AT("thorax"),
              [21] = AT("lfingers"),
              [22] = AT("lthumb"),
              [23] = AT("rfingers"),
              [24] = AT("rthumb")}},
    {.name = "bandai-bvh22",
     .about = "Bandai Namco motion data sets 1 and 2: 22 joints of 6 channels, centimetres",
     .joints = 22,
     .unit = 0.01,
     .drop = 0,
     .rule = {[0] = MIX("UpperLeg_L", 0.5, "UpperLeg_R", 0.5),
              [1] = AT("Spine"),
              [2] = AT("Neck"),
              [3] = MIX("Head", 2, "Neck", -1),
              [4] = AT("UpperArm_L"),
              [5] = AT("LowerArm_L"),
              [6] = AT("Hand_L"),
              [7] = MIX("Hand_L", 1.35, "LowerArm_L", -0.35),
              [8] = AT("UpperArm_R"),
              [9] = AT("LowerArm_R"),
              [10] = AT("Hand_R"),
              [11] = MIX("Hand_R", 1.35, "LowerArm_R", -0.35),
              [12] = AT("UpperLeg_L"),
              [13] = AT("LowerLeg_L"),
              [14] = AT("Foot_L"),
              [15] = AT("Toes_L"),
              [16] = AT("UpperLeg_R"),
              [17] = AT("LowerLeg_R"),
              [18] = AT("Foot_R"),
              [19] = AT("Toes_R"),
              [20] = MIX("Shoulder_L", 0.5, "Shoulder_R", 0.5),
              [21] = MIX("Hand_L", 1.7, "LowerArm_L", -0.7),
              [22] = MIX("Hand_L", 1.35, "LowerArm_L", -0.35),
              [23] = MIX("Hand_R", 1.7, "LowerArm_R", -0.7),
              [24] = MIX("Hand_R", 1.35, "LowerArm_R", -0.35)}},
};

const size_t sn_rt_skeleton_count = sizeof sn_rt_skeletons / sizeof *sn_rt_skeletons;

static size_t joints_of(const sn_rt_motion *motion)
{
    size_t count = 0;
    for (size_t i = 0; i < motion->points; i++)
        count += !motion->point[i].is_end;
    return count;
}

static int has_all_points(const sn_rt_motion *motion, const sn_rt_skeleton *skeleton)
{
    for (int j = 0; j < SN_RT_JOINTS; j++)
        for (int k = 0; k < SN_RT_MAX_TERMS && skeleton->rule[j].term[k].point; k++)
            if (sn_rt_motion_find(motion, skeleton->rule[j].term[k].point) < 0)
                return 0;
    return 1;
}

const sn_rt_skeleton *sn_rt_skeleton_of(const sn_rt_motion *motion)
{
    size_t joints = joints_of(motion);
    for (size_t i = 0; i < sn_rt_skeleton_count; i++) {
        const sn_rt_skeleton *row = &sn_rt_skeletons[i];
        if (row->joints == joints && (row->unit == 0) == (motion->unit != 0) && has_all_points(motion, row))
            return row;
    }
    return NULL;
}
