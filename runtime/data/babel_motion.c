/* Motions of BABEL: which file, which array, which frames.
 * Not the body model (smplh.c). */
#include "babel_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the file ----------------------------------------------------------------------------------------------------------- */

/* Parts of AMASS that go by two names. */
static const char *const twin[][2] = {{"BMLrub", "BioMotionLab_NTroje"}, {"DFaust", "DFaust_67"}};

/* FOLDER/PART/REST if it is there, with either name of the part. */
static bool try_path(const char *folder, const char *path, char *out, size_t size)
{
    const char *slash = strchr(path, '/');
    size_t part = slash ? (size_t)(slash - path) : 0;
    snprintf(out, size, "%s/%s", folder, path);
    if (access(out, F_OK) == 0)
        return true;
    for (size_t i = 0; slash && i < sizeof twin / sizeof *twin; i++)
        for (int k = 0; k < 2; k++)
            if (strlen(twin[i][k]) == part && strncmp(path, twin[i][k], part) == 0) {
                snprintf(out, size, "%s/%s%s", folder, twin[i][!k], slash);
                return access(out, F_OK) == 0;
            }
    return false;
}

/* feat_p is "PART/FOLDER/SUBJECT/NAME.npz"; archives unpack to FOLDER/..., some mirrors to all of it. A path that leaves the folder is none. */
static sn_rt_status find_file(const sn_rt_babel *babel, const char *feat_p, char *out, size_t size, sn_rt_error *err)
{
    const char *slash = strchr(feat_p, '/');
    if (*feat_p == '/' || strstr(feat_p, "..") || strlen(feat_p) > 512)
        return sn_rt_fail(err, SN_RT_FORMAT, "feat_p is no path below a folder");
    if ((slash && try_path(babel->o->motions, slash + 1, out, size)) || try_path(babel->o->motions, feat_p, out, size))
        return SN_RT_OK;
    return sn_rt_fail(err, SN_RT_MISSING, "%s is not in %s", slash ? slash + 1 : feat_p, babel->o->motions);
}

/* ---- its rate and frames ------------------------------------------------------------------------------------------------- */

static double number(const sn_rt_array *a, size_t i)
{
    return a->elem == SN_RT_ELEM_F64 ? ((const double *)a->data)[i] : (double)((const float *)a->data)[i];
}

static sn_rt_status find_rate(const sn_rt_babel *babel, sn_rt_npz *npz, const char *feat_p, double *out, sn_rt_error *err)
{
    sn_rt_array a = {0};
    const json_t *rate = json_object_get(babel->rates, feat_p);
    *out = json_number_value(rate);
    if (!rate && !sn_rt_npz_has(npz, "mocap_framerate"))
        return sn_rt_fail(err, SN_RT_MISSING, "%s", babel->rates ? "neither the table nor the file has its frame rate" : "the file does not say its frame rate");
    if (!rate) {
        sn_rt_status status = sn_rt_npz_read(npz, "mocap_framerate", &a, err);
        if (status != SN_RT_OK)
            return status;
        if (a.bytes == sn_rt_elem_size(a.elem))
            *out = a.elem == SN_RT_ELEM_I64                                     ? (double)*(const int64_t *)a.data
                   : a.elem == SN_RT_ELEM_F64 || a.elem == SN_RT_ELEM_F32 ? number(&a, 0)
                                                                                : 0;
        sn_rt_array_fini(&a);
    }
    return *out >= BABEL_FPS - 0.5 && *out <= 1000 ? SN_RT_OK : sn_rt_fail(err, SN_RT_FORMAT, "a frame rate of %g", *out);
}

size_t sn_rt_babel_pick(size_t frames, double fps, bool quirks, size_t *out, size_t room)
{
    double whole = round(fps);
    if (!quirks && fabs(fps - whole) < 1e-3 * whole)
        fps = whole;
    size_t block = (size_t)fps, count = 0;
    bool divides = block % BABEL_FPS == 0;
    for (size_t n = 0;; n++) {
        size_t at = divides ? n * (block / BABEL_FPS) : n / BABEL_FPS * block + (size_t)(fps / BABEL_FPS * (double)(n % BABEL_FPS));
        if (at >= frames)
            return count;
        if (count < room)
            out[count] = at;
        count++;
    }
}

/* ---- its joints ---------------------------------------------------------------------------------------------------------- */

/* Points of a frame of joint_pos: 73 or 25; 0 if the array is neither. */
static size_t points_of(const sn_rt_array *a)
{
    uint64_t width = a->rank == 2 ? a->dims[1] : a->rank == 3 && a->dims[2] == 3 ? 3 * a->dims[1] : 0;
    return width == 3 * SN_RT_SMPLH_POINTS ? SN_RT_SMPLH_POINTS : width == 3 * SN_RT_JOINTS ? SN_RT_JOINTS : 0;
}

/* The 25 joints of source frame t. */
static void joints_at(const sn_rt_babel *babel, const sn_rt_array *a, size_t points, size_t t, float out[SN_RT_JOINTS][3])
{
    double pose[SN_RT_SMPLH_POSE];
    for (size_t i = 0; points == 0 && i < SN_RT_SMPLH_POSE; i++)
        pose[i] = number(a, t * SN_RT_SMPLH_POSE + i);
    if (points == 0)
        sn_rt_smplh_joints(babel->model, pose, out);
    for (size_t j = 0; points && j < SN_RT_JOINTS; j++)
        for (size_t c = 0; c < 3; c++)
            out[j][c] = (float)number(a, 3 * (t * points + (points == SN_RT_JOINTS ? j : (size_t)sn_rt_smplh_point[j])) + c);
}

static sn_rt_status take_frames(const sn_rt_babel *babel, const sn_rt_array *a, size_t points, double fps, babel_motion *out, sn_rt_error *err)
{
    size_t source = (size_t)a->dims[0], frames = sn_rt_babel_pick(source, fps, babel->o->quirks, NULL, 0);
    size_t *pick = calloc(frames + 1, sizeof *pick);
    sn_rt_bodies b = {.frames = frames, .fps = BABEL_FPS, .first = calloc(frames + 1, sizeof *b.first), .body = calloc(frames + 1, sizeof *b.body)};
    sn_rt_status status = pick && b.first && b.body ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu frames", frames);
    if (status == SN_RT_OK)
        sn_rt_babel_pick(source, fps, babel->o->quirks, pick, frames);
    for (size_t t = 0; status == SN_RT_OK && t < frames; t++) {
        b.first[t + 1] = t + 1;
        joints_at(babel, a, points, pick[t], b.body[t].x);
        for (size_t i = 0; i < 3 * SN_RT_JOINTS; i++)
            if (!(fabsf(b.body[t].x[i / 3][i % 3]) <= 1e6f))
                status = sn_rt_fail(err, SN_RT_FORMAT, "frame %zu holds a number that is no length in metres", pick[t]);
    }
    free(pick);
    if (status == SN_RT_OK)
        *out = (babel_motion){b, fps};
    else
        sn_rt_bodies_fini(&b);
    return status;
}

/* joint_pos if the file has it, else poses, which need the body model. */
static sn_rt_status read_array(const sn_rt_babel *babel, sn_rt_npz *npz, double fps, babel_motion *out, sn_rt_error *err)
{
    sn_rt_array a = {0};
    char shape[128];
    bool joints = sn_rt_npz_has(npz, "joint_pos");
    if (!joints && !babel->model && sn_rt_npz_has(npz, "poses"))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "poses of the body model SMPL+H, whose file was not given");
    sn_rt_status status = sn_rt_npz_read(npz, joints ? "joint_pos" : "poses", &a, err);
    if (status != SN_RT_OK)
        return status;
    size_t points = joints ? points_of(&a) : 0;
    bool fits = joints ? points > 0 : a.rank == 2 && a.dims[1] == SN_RT_SMPLH_POSE;
    sn_rt_shape_text(a.elem, a.rank, a.dims, shape, sizeof shape);
    if (!fits || (a.elem != SN_RT_ELEM_F64 && a.elem != SN_RT_ELEM_F32))
        status = sn_rt_fail(err, SN_RT_FORMAT, "found %s %s, expected %s of f32 or f64", joints ? "joint_pos" : "poses", shape,
                            joints ? "[T,219], [T,73,3], [T,75] or [T,25,3]" : "[T,156]");
    else if (a.dims[0] == 0)
        status = sn_rt_fail(err, SN_RT_FORMAT, "no frames");
    else
        status = take_frames(babel, &a, points, fps, out, err);
    sn_rt_array_fini(&a);
    return status;
}

sn_rt_status babel_motion_read(const sn_rt_babel *babel, const char *feat_p, babel_motion *out, sn_rt_error *err)
{
    char path[4096];
    double fps = 0;
    sn_rt_npz *npz;
    sn_rt_status status = find_file(babel, feat_p, path, sizeof path, err);
    if (status == SN_RT_OK)
        status = sn_rt_npz_open(path, &npz, err);
    if (status != SN_RT_OK)
        return status;
    status = find_rate(babel, npz, feat_p, &fps, err);
    if (status == SN_RT_OK)
        status = read_array(babel, npz, fps, out, err);
    sn_rt_npz_close(npz);
    return status;
}
