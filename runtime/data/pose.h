/* One pose of a sequence as a stick figure on a canvas.
 * Not a picture by itself: draw.h and timeline.h are. */
#ifndef SN_RUNTIME_DATA_POSE_H
#define SN_RUNTIME_DATA_POSE_H

#include "dataset.h"
#include "picture.h"
#include "view.h"

/* The first person in `frame`, centred at x = middle on its first joint; what is at height `low` above that joint (metres, mostly negative) stands
 * on y = floor. `scale` is pixels a metre. Left limbs are blue, right ones orange, the rest grey. */
void sn_rt_pose_draw(cairo_t *canvas, const sn_rt_body *body, const sn_rt_sequence *s, size_t frame, const sn_rt_pose_view *view, double middle,
                     double floor, double low, double scale);

/* How far the pose reaches from its first joint: sideways, down and up, in metres; the largest of these and what was there. */
void sn_rt_pose_extent(const sn_rt_sequence *s, size_t frame, const sn_rt_pose_view *view, double *reach, double *low, double *high);

#endif
