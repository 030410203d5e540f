/* One pose of a sequence as a stick figure.
 * Not aware of which joints there are, beyond left and right in their names. */
#include "pose.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

/* ntu25: +x right, +y forward, +z up. Raw: y up; which way a person faces is not known. */
static const sn_rt_pose_view ntu25_views[] = {{"front", 0, 2, -1}, {"from the right", 1, 2, 1}};
static const sn_rt_pose_view raw_views[] = {{"along -z", 0, 1, 1}, {"along -x", 2, 1, -1}};

const sn_rt_pose_view *sn_rt_pose_views(const char *layout)
{
    return strcmp(layout, "ntu25") == 0 ? ntu25_views : raw_views;
}

static const float *joint_at(const sn_rt_sequence *s, size_t frame, size_t joint)
{
    return s->x + (frame * s->joints + joint) * 3; /* of the first person */
}

/* 0 left, 1 right, 7 neither (colours of picture.h). Conventions: left_x, LeftX, LX, lX, lname of CMU, x_L. */
static size_t side_of(const char *name)
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

void sn_rt_pose_extent(const sn_rt_sequence *s, size_t frame, const sn_rt_pose_view *view, double *reach, double *low, double *high)
{
    const float *centre = joint_at(s, frame, 0);
    for (size_t j = 0; j < s->joints; j++) {
        const float *x = joint_at(s, frame, j);
        double up = (double)x[view->up] - (double)centre[view->up];
        *low = fmin(*low, up);
        *high = fmax(*high, up);
        *reach = fmax(*reach, fabs((double)x[view->right] - (double)centre[view->right]));
    }
}

void sn_rt_pose_draw(cairo_t *canvas, const sn_rt_body *body, const sn_rt_sequence *s, size_t frame, const sn_rt_pose_view *view, double middle,
                     double floor, double low, double scale)
{
    const float *centre = joint_at(s, frame, 0);
    double px[2], py[2];
    for (size_t j = 0; j < s->joints; j++) {
        int32_t parent = body->parent[j];
        if (parent < 0)
            continue;
        size_t ends[2] = {j, (size_t)parent};
        for (int e = 0; e < 2; e++) {
            const float *x = joint_at(s, frame, ends[e]);
            px[e] = middle + view->right_sign * scale * ((double)x[view->right] - (double)centre[view->right]);
            py[e] = floor - scale * ((double)x[view->up] - (double)centre[view->up] - low);
        }
        sn_rt_picture_colour(canvas, side_of(body->joint[j]));
        cairo_set_line_width(canvas, 2.5);
        cairo_move_to(canvas, px[0], py[0]);
        cairo_line_to(canvas, px[1], py[1]);
        cairo_stroke(canvas);
        cairo_arc(canvas, px[0], py[0], 2.2, 0, 6.2832);
        cairo_fill(canvas);
    }
}
