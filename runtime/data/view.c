/* Views of layouts, and sides of joints.
 * Not aware of which joints there are, beyond left and right in their names. */
#include "view.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* ntu25: +x right, +y forward, +z up. Raw: y up; which way a person faces is not known. */
static const sn_rt_pose_view ntu25_views[] = {{"front", 0, 2, -1}, {"from the right", 1, 2, 1}};
static const sn_rt_pose_view raw_views[] = {{"along -z", 0, 1, 1}, {"along -x", 2, 1, -1}};

const sn_rt_pose_view *sn_rt_pose_views(const char *layout)
{
    return strcmp(layout, "ntu25") == 0 ? ntu25_views : raw_views;
}

/* Conventions: left_x, LeftX, LX, lX, lname of CMU, x_L. */
size_t sn_rt_joint_side(const char *name)
{
    size_t length = strlen(name);
    if (length > 2 && name[length - 2] == '_' && (name[length - 1] == 'L' || name[length - 1] == 'R'))
        return name[length - 1] == 'R';
    if (strncasecmp(name, "left", 4) == 0)
        return 0;
    if (strncasecmp(name, "right", 5) == 0)
        return 1;
    if ((name[0] == 'L' || name[0] == 'l' || name[0] == 'R' || name[0] == 'r') && isupper((unsigned char)name[1]))
        return tolower((unsigned char)name[0]) == 'r';
    static const char *const bones[] = {"hipjoint", "femur", "tibia", "foot",    "toes",   "clavicle",
                                        "humerus",  "radius", "wrist", "hand", "fingers", "thumb"};
    for (size_t i = 0; i < sizeof bones / sizeof *bones; i++)
        if ((name[0] == 'l' || name[0] == 'r') && strcmp(name + 1, bones[i]) == 0)
            return name[0] == 'r';
    return 7;
}
