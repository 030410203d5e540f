/* BVH: hierarchy, frames, forward kinematics.
 * Not a retargeter: offsets are the file's own. */
#include "file.h"
#include "motion.h"
#include "rotation.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_POINTS = 4096, MAX_DEPTH = 256, MAX_CHANNELS = 6 };

typedef struct bvh_joint {
    double offset[3];
    int channels;               /* 0 for an end site */
    int channel[MAX_CHANNELS];  /* 0..2 position x y z, 3..5 rotation x y z */
} bvh_joint;

typedef struct bvh {
    text t;
    sn_rt_motion motion;
    bvh_joint *joint;   /* parallel to motion.point */
    size_t capacity;    /* of both */
    size_t channels;    /* of all joints */
} bvh;

static const char *const channel_names[] = {"Xposition", "Yposition", "Zposition",
                                            "Xrotation", "Yrotation", "Zrotation"};

static sn_rt_status add_point(bvh *b, const char *name, int32_t parent, int is_end)
{
    sn_rt_motion *m = &b->motion;
    if (m->points == MAX_POINTS)
        return sn_rt_text_fail(&b->t, "more than %d joints", MAX_POINTS);
    if (sn_rt_motion_find(m, name) >= 0 && !is_end)
        return sn_rt_text_fail(&b->t, "a second joint '%s'", name);
    if (m->points == b->capacity) {
        size_t wanted = b->capacity ? 2 * b->capacity : 64;
        sn_rt_point *point = realloc(m->point, wanted * sizeof *point);
        if (point)
            m->point = point;
        bvh_joint *joint = realloc(b->joint, wanted * sizeof *joint);
        if (joint)
            b->joint = joint;
        if (!point || !joint)
            return sn_rt_fail(b->t.err, SN_RT_MEMORY, "%s: no memory for the hierarchy", b->t.path);
        b->capacity = wanted;
    }
    sn_rt_point *p = &m->point[m->points];
    memset(p, 0, sizeof *p);
    strcpy(p->name, name);
    p->parent = parent;
    p->is_end = is_end;
    memset(&b->joint[m->points++], 0, sizeof *b->joint);
    return SN_RT_OK;
}

static sn_rt_status expect_word(bvh *b, const char *expected)
{
    word w = sn_rt_text_word(&b->t);
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s'", expected);
    return sn_rt_word_is_any_case(w, expected) ? SN_RT_OK : sn_rt_text_expected(&b->t, w, quoted);
}

static sn_rt_status read_offset(bvh *b, bvh_joint *joint)
{
    sn_rt_status status = expect_word(b, "OFFSET");
    for (int k = 0; status == SN_RT_OK && k < 3; k++)
        status = sn_rt_text_number(&b->t, "three numbers after OFFSET", &joint->offset[k]);
    return status;
}

static int channel_of(word w)
{
    for (int i = 0; i < MAX_CHANNELS; i++)
        if (sn_rt_word_is_any_case(w, channel_names[i]))
            return i;
    return -1;
}

static sn_rt_status read_channels(bvh *b, bvh_joint *joint)
{
    sn_rt_status status = expect_word(b, "CHANNELS");
    if (status != SN_RT_OK)
        return status;
    size_t count;
    word w = sn_rt_text_word_in_line(&b->t);
    if (!sn_rt_word_count(w, &count) || count > MAX_CHANNELS)
        return sn_rt_text_expected(&b->t, w, "a count of 0 to 6 channels");
    for (size_t i = 0; i < count; i++) {
        w = sn_rt_text_word_in_line(&b->t);
        int channel = channel_of(w);
        if (channel < 0)
            return sn_rt_text_expected(&b->t, w, "a channel such as Xposition or Zrotation");
        for (int k = 0; k < joint->channels; k++)
            if (joint->channel[k] == channel)
                return sn_rt_text_fail(&b->t, "channel %s twice in one joint", channel_names[channel]);
        joint->channel[joint->channels++] = channel;
    }
    b->channels += count;
    return SN_RT_OK;
}

/* "{ OFFSET x y z }" of an End Site below `parent`. */
static sn_rt_status read_end(bvh *b, int32_t parent)
{
    char name[SN_RT_NAME_SIZE];
    if (snprintf(name, sizeof name, "%s:end", b->motion.point[parent].name) >= (int)sizeof name)
        return sn_rt_text_fail(&b->t, "joint name is longer than %d characters", SN_RT_NAME_SIZE - 5);
    sn_rt_status status = expect_word(b, "Site");
    if (status == SN_RT_OK)
        status = add_point(b, name, parent, 1);
    if (status == SN_RT_OK)
        status = expect_word(b, "{");
    if (status == SN_RT_OK)
        status = read_offset(b, &b->joint[b->motion.points - 1]);
    return status == SN_RT_OK ? expect_word(b, "}") : status;
}

/* Name, "{", offset and channels of a joint whose JOINT or ROOT was read. */
static sn_rt_status open_joint(bvh *b, int32_t parent)
{
    char name[SN_RT_NAME_SIZE];
    word w = sn_rt_text_word_in_line(&b->t);
    if (!sn_rt_word_copy(w, name, sizeof name - 4))
        return sn_rt_text_expected(&b->t, w, "a joint name of 1 to 59 characters");
    sn_rt_status status = add_point(b, name, parent, 0);
    if (status == SN_RT_OK)
        status = expect_word(b, "{");
    if (status == SN_RT_OK)
        status = read_offset(b, &b->joint[b->motion.points - 1]);
    return status == SN_RT_OK ? read_channels(b, &b->joint[b->motion.points - 1]) : status;
}

/* HIERARCHY up to MOTION; a stack of open joints, no recursion on what the file says. */
static sn_rt_status read_hierarchy(bvh *b)
{
    int32_t open[MAX_DEPTH];
    int depth = 1;
    sn_rt_status status = expect_word(b, "HIERARCHY");
    if (status == SN_RT_OK)
        status = expect_word(b, "ROOT");
    if (status == SN_RT_OK)
        status = open_joint(b, -1);
    open[0] = 0;
    while (status == SN_RT_OK && depth > 0) {
        word w = sn_rt_text_word(&b->t);
        if (sn_rt_word_is(w, "}")) {
            depth--;
        } else if (sn_rt_word_is_any_case(w, "JOINT")) {
            if (depth == MAX_DEPTH)
                return sn_rt_text_fail(&b->t, "joints nest deeper than %d", MAX_DEPTH);
            status = open_joint(b, open[depth - 1]);
            open[depth++] = (int32_t)b->motion.points - 1;
        } else if (sn_rt_word_is_any_case(w, "End")) {
            status = read_end(b, open[depth - 1]);
        } else {
            return sn_rt_text_expected(&b->t, w, "JOINT, End Site or '}'");
        }
    }
    return status;
}

static sn_rt_status read_motion_header(bvh *b)
{
    word w;
    double frame_time;
    sn_rt_status status = expect_word(b, "MOTION");
    if (status == SN_RT_OK)
        status = expect_word(b, "Frames:");
    if (status != SN_RT_OK)
        return status;
    if (!sn_rt_word_count(w = sn_rt_text_word_in_line(&b->t), &b->motion.frames) || b->motion.frames == 0)
        return sn_rt_text_expected(&b->t, w, "a number of frames above 0");
    status = expect_word(b, "Frame");
    if (status == SN_RT_OK)
        status = expect_word(b, "Time:");
    if (status == SN_RT_OK)
        status = sn_rt_text_number(&b->t, "seconds a frame", &frame_time);
    if (status != SN_RT_OK)
        return status;
    if (frame_time < 1e-5 || frame_time > 10)
        return sn_rt_text_fail(&b->t, "frame time %g s is not between 0.00001 and 10", frame_time);
    b->motion.fps = sn_rt_whole_rate(1 / frame_time);
    if ((w = sn_rt_text_word_in_line(&b->t)).size)
        return sn_rt_text_expected(&b->t, w, "the end of the line");
    return SN_RT_OK;
}

/* Rotation and position of one joint within its parent, from its channels' values. */
static rotation local_pose(const bvh_joint *joint, const double *values, double position[3])
{
    rotation r = sn_rt_rotation_identity();
    memcpy(position, joint->offset, 3 * sizeof *position);
    for (int i = 0; i < joint->channels; i++) {
        int channel = joint->channel[i];
        if (channel < 3) {
            position[channel] = values[i];
        } else {
            rotation turn = sn_rt_rotation_about(channel - 3, values[i] * (3.14159265358979323846 / 180));
            r = sn_rt_rotation_multiply(&r, &turn);
        }
    }
    return r;
}

/* Forward kinematics of one frame; `global` has room for every point. */
static void pose(const bvh *b, const double *values, rotation *global, double *x)
{
    for (size_t i = 0; i < b->motion.points; i++) {
        int32_t parent = b->motion.point[i].parent;
        double position[3];
        rotation local = local_pose(&b->joint[i], values, position);
        values += b->joint[i].channels;
        if (parent < 0) {
            global[i] = local;
            memcpy(x, position, sizeof position);
            continue;
        }
        global[i] = sn_rt_rotation_multiply(&global[parent], &local);
        sn_rt_rotation_apply(&global[parent], position, position);
        for (int k = 0; k < 3; k++)
            x[3 * i + (size_t)k] = x[3 * (size_t)parent + (size_t)k] + position[k];
    }
}

static sn_rt_status read_frame(bvh *b, double *values)
{
    for (size_t i = 0; i < b->channels; i++) {
        word w = sn_rt_text_word_in_line(&b->t);
        if (w.size == 0)
            return sn_rt_text_fail(&b->t, "the frame has %zu values, the hierarchy %zu channels", i, b->channels);
        if (!sn_rt_word_number(w, &values[i]))
            return sn_rt_text_expected(&b->t, w, "a number");
    }
    word w = sn_rt_text_word_in_line(&b->t);
    return w.size ? sn_rt_text_fail(&b->t, "the frame has more than the hierarchy's %zu values", b->channels) : SN_RT_OK;
}

static sn_rt_status read_frames(bvh *b, double *values, rotation *global)
{
    sn_rt_motion *m = &b->motion;
    for (size_t frame = 0; frame < m->frames; frame++) {
        sn_rt_text_next_line(&b->t);
        if (sn_rt_text_at_end(&b->t))
            return sn_rt_text_fail(&b->t, "the file ends after %zu frames, 'Frames:' says %zu", frame, m->frames);
        sn_rt_status status = read_frame(b, values);
        if (status != SN_RT_OK)
            return status;
        pose(b, values, global, m->x + frame * m->points * 3);
    }
    if (!sn_rt_text_at_end(&b->t))
        return sn_rt_text_expected(&b->t, sn_rt_text_word(&b->t), "the end of the file after the last frame");
    return SN_RT_OK;
}

static sn_rt_status read_all(bvh *b)
{
    sn_rt_status status = read_hierarchy(b);
    if (status == SN_RT_OK)
        status = read_motion_header(b);
    if (status != SN_RT_OK)
        return status;
    sn_rt_motion *m = &b->motion;
    /* A value takes at least one byte and a blank: a larger count is a lie, found before it is allocated. */
    size_t left = (size_t)(b->t.end - b->t.at);
    if (b->channels == 0)
        return sn_rt_text_fail(&b->t, "no joint has a channel");
    if (m->frames > left / (2 * b->channels) + 1)
        return sn_rt_text_fail(&b->t, "'Frames:' says %zu, the file has %zu bytes left", m->frames, left);
    m->x = calloc(m->frames, m->points * 3 * sizeof *m->x);
    double *values = calloc(b->channels + 1, sizeof *values);
    rotation *global = calloc(m->points, sizeof *global);
    status = m->x && values && global
                 ? read_frames(b, values, global)
                 : sn_rt_fail(b->t.err, SN_RT_MEMORY, "%s: no memory for %zu frames", b->t.path, m->frames);
    free(values);
    free(global);
    return status;
}

sn_rt_status sn_rt_bvh_parse(const char *path, const char *bytes, size_t size, sn_rt_motion *out, sn_rt_error *err)
{
    bvh b = {.t = {.path = path, .at = bytes, .end = bytes + size, .line = 1, .err = err}};
    sn_rt_status status = read_all(&b);
    free(b.joint);
    if (status == SN_RT_OK)
        *out = b.motion;
    else
        sn_rt_motion_fini(&b.motion);
    return status;
}

sn_rt_status sn_rt_bvh_read(const char *path, sn_rt_motion *out, sn_rt_error *err)
{
    char *bytes;
    size_t size;
    sn_rt_status status = sn_rt_file_read(path, (size_t)1 << 32, &bytes, &size, err);
    if (status != SN_RT_OK)
        return status;
    status = sn_rt_bvh_parse(path, bytes, size, out, err);
    free(bytes);
    return status;
}
