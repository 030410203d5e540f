/* Mapping, resampling, centring and alignment.
 * Not aware of files. */
#include "normalise.h"

#include "rotation.h"

#include <math.h>
#include <string.h>

sn_rt_status sn_rt_pick_of(const sn_rt_motion *motion, size_t first, double fps, sn_rt_pick *out, sn_rt_error *err)
{
    if (fps < 0 || !isfinite(fps))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "frame rate %g is not positive", fps);
    if (motion->frames <= first)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%zu frames, of which the first %zu are not used", motion->frames,
                          first);
    double ratio = fps > 0 ? motion->fps / fps : 1;
    if (fabs(ratio - round(ratio)) < 1e-3 * ratio && ratio >= 0.5)
        ratio = round(ratio);
    out->first = first;
    out->ratio = ratio;
    out->frames = (size_t)floor((double)(motion->frames - first - 1) / ratio + 1e-9) + 1;
    return SN_RT_OK;
}

size_t sn_rt_pick_frame(const sn_rt_pick *pick, double source_fps, double frame, double rate)
{
    double k = ceil((frame * source_fps / rate - (double)pick->first) / pick->ratio - 1e-6);
    if (k < 0)
        return 0;
    return k > (double)pick->frames ? pick->frames : (size_t)k;
}

/* Point `index` at output frame `k`, in file units. */
static void point_at(const sn_rt_motion *m, const sn_rt_pick *pick, size_t k, size_t index, double out[3])
{
    double time = (double)pick->first + (double)k * pick->ratio;
    size_t low = (size_t)time;
    if (low > m->frames - 1)
        low = m->frames - 1;
    size_t high = low + 1 < m->frames ? low + 1 : low;
    double weight = time - (double)low;
    const double *a = m->x + (low * m->points + index) * 3, *b = m->x + (high * m->points + index) * 3;
    for (int c = 0; c < 3; c++)
        out[c] = weight == 0 ? a[c] : a[c] + weight * (b[c] - a[c]);
}

/* Source point indices and weights of one joint. */
typedef struct bound_rule {
    int terms;
    size_t index[SN_RT_MAX_TERMS];
    double weight[SN_RT_MAX_TERMS];
} bound_rule;

static sn_rt_status bind_rules(const sn_rt_motion *motion, const sn_rt_skeleton *skeleton, bound_rule *bound,
                               sn_rt_error *err)
{
    memset(bound, 0, SN_RT_JOINTS * sizeof *bound);
    for (int j = 0; j < SN_RT_JOINTS; j++) {
        for (int k = 0; k < SN_RT_MAX_TERMS && skeleton->rule[j].term[k].point; k++) {
            int32_t index = sn_rt_motion_find(motion, skeleton->rule[j].term[k].point);
            if (index < 0)
                return sn_rt_fail(err, SN_RT_MISSING, "skeleton %s: the motion has no point '%s'", skeleton->name,
                                  skeleton->rule[j].term[k].point);
            bound[j].index[k] = (size_t)index;
            bound[j].weight[k] = skeleton->rule[j].term[k].weight;
            bound[j].terms = k + 1;
        }
    }
    return SN_RT_OK;
}

/* All joints of one output frame in metres, minus the centre joint. */
static void map_frame(const sn_rt_motion *motion, const bound_rule *bound, double unit, const sn_rt_pick *pick,
                      size_t k, double x[SN_RT_JOINTS][3])
{
    for (int j = 0; j < SN_RT_JOINTS; j++) {
        x[j][0] = x[j][1] = x[j][2] = 0;
        for (int i = 0; i < bound[j].terms; i++) {
            double p[3];
            point_at(motion, pick, k, bound[j].index[i], p);
            for (int c = 0; c < 3; c++)
                x[j][c] += unit * bound[j].weight[i] * p[c];
        }
    }
    double centre[3] = {x[SN_RT_CENTRE][0], x[SN_RT_CENTRE][1], x[SN_RT_CENTRE][2]};
    for (int j = 0; j < SN_RT_JOINTS; j++)
        for (int c = 0; c < 3; c++)
            x[j][c] -= centre[c];
}

/* The rotation that turns `v` to the unit vector along `axis`, about their common normal. Identity if `v` is zero or
 * already there; half a turn about the next axis if it points the other way. */
static rotation turn_to_axis(const double v[3], int axis)
{
    double length = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    int a = (axis + 1) % 3, b = (axis + 2) % 3;
    if (length < 1e-9)
        return sn_rt_rotation_identity();
    double normal[3] = {0, 0, 0}, side = hypot(v[a], v[b]);
    if (side < 1e-9 * length) {
        if (v[axis] > 0)
            return sn_rt_rotation_identity();
        normal[a] = 1;
    } else { /* v x e */
        normal[a] = v[b] / side;
        normal[b] = -v[a] / side;
    }
    return sn_rt_rotation_about_vector(normal, atan2(side, v[axis]));
}

/* Steps 2 and 3 of normalise.h as one rotation. */
static rotation alignment(double x[SN_RT_JOINTS][3])
{
    double spine[3], shoulders[3];
    for (int c = 0; c < 3; c++) {
        spine[c] = x[1][c] - x[0][c];
        shoulders[c] = x[8][c] - x[4][c];
    }
    rotation upright = turn_to_axis(spine, 2);
    sn_rt_rotation_apply(&upright, shoulders, shoulders);
    rotation around = sn_rt_rotation_about(2, -atan2(shoulders[1], shoulders[0]));
    rotation tilt = sn_rt_rotation_about(1, atan2(shoulders[2], hypot(shoulders[0], shoulders[1])));
    rotation turned = sn_rt_rotation_multiply(&around, &upright);
    return sn_rt_rotation_multiply(&tilt, &turned);
}

sn_rt_status sn_rt_normalise(const sn_rt_motion *motion, const sn_rt_skeleton *skeleton, const sn_rt_pick *pick,
                             float *out, sn_rt_error *err)
{
    bound_rule bound[SN_RT_JOINTS];
    sn_rt_status status = bind_rules(motion, skeleton, bound, err);
    if (status != SN_RT_OK)
        return status;
    double unit = skeleton->unit > 0 ? skeleton->unit : motion->unit;
    double x[SN_RT_JOINTS][3];
    rotation turn = sn_rt_rotation_identity();
    for (size_t k = 0; k < pick->frames; k++) {
        map_frame(motion, bound, unit, pick, k, x);
        if (k == 0)
            turn = alignment(x);
        for (int j = 0; j < SN_RT_JOINTS; j++) {
            double y[3];
            sn_rt_rotation_apply(&turn, x[j], y);
            for (size_t c = 0; c < 3; c++) {
                float value = (float)y[c];
                if (!isfinite(value))
                    return sn_rt_fail(err, SN_RT_FORMAT, "frame %zu: joint %s is not finite", k, sn_rt_joint_name[j]);
                out[(k * SN_RT_JOINTS + (size_t)j) * 3 + c] = value;
            }
        }
    }
    return SN_RT_OK;
}

void sn_rt_raw_joints(const sn_rt_motion *motion, double unit, const sn_rt_pick *pick, float *out)
{
    for (size_t k = 0; k < pick->frames; k++) {
        for (size_t i = 0; i < motion->points; i++) {
            if (motion->point[i].is_end)
                continue;
            double p[3];
            point_at(motion, pick, k, i, p);
            for (int c = 0; c < 3; c++)
                *out++ = (float)(unit * p[c]);
        }
    }
}
