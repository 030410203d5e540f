/* Recordings: reading, recognising, converting one file of motion capture.
 * Not adding it to a data set (import.c). */
#include "recording.h"

#include "file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

sn_rt_import sn_rt_import_defaults(const char *format)
{
    return (sn_rt_import){.format = format, .fps = 30, .amc_fps = 120, .family = "agcn", .split = "pretrain"};
}

/* "DIR/13_30.amc" -> "DIR/13.asf" if that exists, else the fallback, else an error. */
static sn_rt_status find_asf(const char *path, const char *fallback, char *out, size_t size, bool *out_borrowed,
                             sn_rt_error *err)
{
    const char *name = sn_rt_file_name(path);
    int subject = (int)strcspn(name, "_.");
    if (snprintf(out, size, "%.*s%.*s.asf", (int)(name - path), path, subject, name) >= (int)size)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: path is longer than %zu characters", path, size);
    *out_borrowed = access(out, F_OK) != 0;
    if (!*out_borrowed)
        return SN_RT_OK;
    if (!fallback)
        return sn_rt_fail(err, SN_RT_MISSING, "%s: no skeleton: %s is not beside it and no ASF was given", path,
                          sn_rt_file_name(out));
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

/* What the motion becomes: skeleton, frames picked, metres per unit. */
static sn_rt_status recognise(const char *path, const sn_rt_import *how, sn_rt_recording *out, sn_rt_error *err)
{
    const sn_rt_motion *motion = &out->motion;
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

sn_rt_status sn_rt_recording_read(const char *path, const sn_rt_import *how, sn_rt_recording *out, sn_rt_error *err)
{
    sn_rt_recording r = {.motion = {0}};
    sn_rt_status status = strcmp(how->format, "bvh") == 0 ? sn_rt_bvh_read(path, &r.motion, err)
                                                          : read_amc(path, how, &r.motion, &r.borrowed_asf, err);
    if (status == SN_RT_OK)
        status = recognise(path, how, &r, err);
    if (status == SN_RT_OK)
        *out = r;
    else
        sn_rt_motion_fini(&r.motion);
    return status;
}

void sn_rt_recording_fini(sn_rt_recording *r)
{
    sn_rt_motion_fini(&r->motion);
}

sn_rt_status sn_rt_recording_convert(const sn_rt_recording *r, const sn_rt_import *how, float *x, sn_rt_error *err)
{
    if (!how->raw)
        return sn_rt_normalise(&r->motion, r->skeleton, &r->pick, x, err);
    sn_rt_raw_joints(&r->motion, r->unit, &r->pick, x);
    return SN_RT_OK;
}
