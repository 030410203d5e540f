/* One pose of a sequence as a stick figure.
 * Not from where it is looked at (view.c). */
#include "pose.h"

#include <math.h>

static const float *joint_at(const sn_rt_sequence *s, size_t frame, size_t joint)
{
    return s->x + (frame * s->joints + joint) * 3; /* of the first person */
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
        sn_rt_picture_colour(canvas, sn_rt_joint_side(body->joint[j]));
        cairo_set_line_width(canvas, 2.5);
        cairo_move_to(canvas, px[0], py[0]);
        cairo_line_to(canvas, px[1], py[1]);
        cairo_stroke(canvas);
        cairo_arc(canvas, px[0], py[0], 2.2, 0, 6.2832);
        cairo_fill(canvas);
    }
}
