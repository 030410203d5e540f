/* One motion file into a data set: read, recognise, convert, add.
 * Not the walk over folders. */
#include "import.h"

#include "normalise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

sn_rt_import sn_rt_import_defaults(const char *format)
{
    return (sn_rt_import){.format = format, .fps = 30, .amc_fps = 120};
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "DIR/13_30.amc" -> "DIR/13.asf" if that exists, else the fallback, else an error. */
static sn_rt_status find_asf(const char *path, const char *fallback, char *out, size_t size, bool *out_borrowed,
                             sn_rt_error *err)
{
    const char *name = file_name(path);
    int subject = (int)strcspn(name, "_.");
    if (snprintf(out, size, "%.*s%.*s.asf", (int)(name - path), path, subject, name) >= (int)size)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: path is longer than %zu characters", path, size);
    *out_borrowed = access(out, F_OK) != 0;
    if (!*out_borrowed)
        return SN_RT_OK;
    if (!fallback)
        return sn_rt_fail(err, SN_RT_MISSING, "%s: no skeleton: %s is not beside it and no ASF was given", path,
                          file_name(out));
    if (snprintf(out, size, "%s", fallback) >= (int)size)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: path is longer than %zu characters", fallback, size);
    return SN_RT_OK;
}

static sn_rt_status read_amc(const char *path, const sn_rt_import *how, sn_rt_motion *out, bool *out_borrowed,
                             sn_rt_error *err)
{
    char asf_path[4096];
    sn_rt_asf *asf;
    sn_rt_status status = find_asf(path, how->asf, asf_path, sizeof asf_path, out_borrowed, err);
    if (status == SN_RT_OK)
        status = sn_rt_asf_read(asf_path, &asf, err);
    if (status != SN_RT_OK)
        return status;
    status = sn_rt_amc_read(path, asf, how->amc_fps, out, err);
    sn_rt_asf_free(asf);
    return status;
}

/* What the motion becomes: skeleton for the set, frames picked, metres per unit. */
typedef struct conversion {
    const sn_rt_skeleton *skeleton; /* NULL: not in the table, raw only */
    sn_rt_pick pick;
    double unit;
    size_t joints;
} conversion;

static sn_rt_status plan(const sn_rt_motion *motion, const sn_rt_import *how, const char *path, conversion *out,
                         sn_rt_error *err)
{
    sn_rt_error why = {""};
    size_t joints = 0;
    for (size_t i = 0; i < motion->points; i++)
        joints += !motion->point[i].is_end;
    out->skeleton = sn_rt_skeleton_of(motion);
    out->joints = how->raw ? joints : SN_RT_JOINTS;
    if (!out->skeleton && !how->raw)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: a skeleton of %zu joints from '%s' on, which no table maps to 25 joints",
                          path, joints, motion->point[0].name);
    out->unit = motion->unit > 0 ? motion->unit : out->skeleton ? out->skeleton->unit : how->unit;
    if (!(out->unit > 0))
        return sn_rt_fail(err, SN_RT_FORMAT,
                          "%s: a skeleton of %zu joints from '%s' on, whose unit is not known; state it in metres", path,
                          joints, motion->point[0].name);
    size_t drop = out->skeleton && !how->all_frames ? out->skeleton->drop : 0;
    sn_rt_status status = sn_rt_pick_of(motion, drop, how->raw ? 0 : how->fps, &out->pick, &why);
    return status == SN_RT_OK ? status : sn_rt_fail(err, status, "%s: %s", path, why.text);
}

/* The source's own joints as a skeleton of the set; end sites are left out. */
static sn_rt_status raw_body(sn_rt_dataset *set, const sn_rt_motion *motion, const conversion *plan_,
                             uint32_t *out, sn_rt_error *err)
{
    const char **joint = calloc(motion->points, sizeof *joint);
    int32_t *parent = calloc(motion->points, sizeof *parent), *place = calloc(motion->points, sizeof *place);
    sn_rt_status status = SN_RT_MEMORY;
    if (joint && parent && place) {
        size_t count = 0;
        for (size_t i = 0; i < motion->points; i++) {
            if (motion->point[i].is_end)
                continue;
            joint[count] = motion->point[i].name;
            parent[count] = motion->point[i].parent < 0 ? -1 : place[motion->point[i].parent];
            place[i] = (int32_t)count++;
        }
        sn_rt_body body = {plan_->skeleton ? plan_->skeleton->name : "unknown", count, joint, parent};
        status = sn_rt_dataset_body(set, &body, out, err);
    } else {
        sn_rt_fail(err, SN_RT_MEMORY, "no memory for the skeleton");
    }
    free(joint);
    free(parent);
    free(place);
    return status;
}

static sn_rt_status convert(sn_rt_dataset *set, const sn_rt_motion *motion, const sn_rt_import *how,
                            const conversion *c, const char *path, const char *id, float *x, sn_rt_error *err)
{
    sn_rt_sequence s = {.id = id,
                        .file = file_name(path),
                        .source = c->skeleton ? c->skeleton->name : "unknown",
                        .split = "pretrain",
                        .fps = how->raw ? motion->fps : how->fps,
                        .source_fps = motion->fps,
                        .source_first = c->pick.first,
                        .frames = c->pick.frames,
                        .joints = c->joints,
                        .x = x};
    sn_rt_status status;
    if (how->raw) {
        sn_rt_raw_joints(motion, c->unit, &c->pick, x);
        status = raw_body(set, motion, c, &s.body, err);
    } else {
        sn_rt_body body = {"ntu25", SN_RT_JOINTS, sn_rt_joint_name, sn_rt_joint_parent};
        status = sn_rt_normalise(motion, c->skeleton, &c->pick, x, err);
        if (status == SN_RT_OK)
            status = sn_rt_dataset_body(set, &body, &s.body, err);
    }
    return status == SN_RT_OK ? sn_rt_dataset_add(set, &s, err) : status;
}

static sn_rt_status add_motion(sn_rt_dataset *set, const sn_rt_motion *motion, const sn_rt_import *how,
                               const char *path, const char *id, size_t *out_dropped, sn_rt_error *err)
{
    conversion c;
    sn_rt_status status = plan(motion, how, path, &c, err);
    if (status != SN_RT_OK)
        return status;
    float *x = calloc(c.pick.frames, c.joints * 3 * sizeof *x);
    if (!x)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory for %zu frames", path, c.pick.frames);
    sn_rt_error why = {""};
    status = convert(set, motion, how, &c, path, id, x, &why);
    free(x);
    *out_dropped = c.pick.first;
    return status == SN_RT_OK ? status : sn_rt_fail(err, status, "%s: %s", path, why.text);
}

sn_rt_status sn_rt_import_file(sn_rt_dataset *set, const sn_rt_import *how, const char *path, const char *id,
                               sn_rt_imported *out, sn_rt_error *err)
{
    sn_rt_motion motion = {0};
    sn_rt_status status;
    sn_rt_imported done = {0};
    if (strcmp(how->format, "bvh") == 0)
        status = sn_rt_bvh_read(path, &motion, err);
    else if (strcmp(how->format, "amc") == 0)
        status = read_amc(path, how, &motion, &done.borrowed_asf, err);
    else
        return sn_rt_fail(err, SN_RT_ARGUMENT, "motion format \"%s\" is not bvh or amc", how->format);
    if (status == SN_RT_OK)
        status = add_motion(set, &motion, how, path, id, &done.dropped, err);
    sn_rt_motion_fini(&motion);
    if (status == SN_RT_OK)
        *out = done;
    return status;
}
