/* One motion file into a data set: read, recognise, convert, add.
 * Not the walk over folders. */
#include "import.h"

#include "families.h"
#include "normalise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

sn_rt_import sn_rt_import_defaults(const char *format)
{
    return (sn_rt_import){.format = format, .fps = 30, .amc_fps = 120, .family = "agcn", .split = "pretrain"};
}

typedef struct format_row {
    const char *name, *suffix;
    sn_rt_status (*read_bodies)(const char *, sn_rt_bodies *, sn_rt_error *); /* NULL: a format of motions */
} format_row;

static const format_row formats[] = {
    {"bvh", "bvh", NULL}, {"amc", "amc", NULL}, {"ntu", "skeleton", sn_rt_ntu_read}, {"pku", "txt", sn_rt_pku_read},
    {"npy", "npy", NULL}, {"babel", "json", NULL}};

static const format_row *format_of(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

const char *sn_rt_import_suffix(const char *format)
{
    const format_row *row = format_of(format);
    return row ? row->suffix : NULL;
}

const char *sn_rt_import_formats(void)
{
    return "bvh, amc, ntu, pku, npy, babel";
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
                        .split = how->split,
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
                               const char *path, const char *id, sn_rt_error *err)
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
    return status == SN_RT_OK ? status : sn_rt_fail(err, status, "%s: %s", path, why.text);
}

/* ---- tracked bodies ----------------------------------------------------------------------------------------------------- */

/* Training performers and cameras of NTU RGB+D's two protocols (Shahroudy et al. 2016). */
static const char *ntu_split(const sn_rt_ntu_name *name, const char *protocol)
{
    static const int performers[] = {1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38};
    if (strcmp(protocol, "xview") == 0)
        return name->camera == 1 ? "test" : "train";
    for (size_t i = 0; i < sizeof performers / sizeof *performers; i++)
        if (performers[i] == name->performer)
            return "train";
    return "test";
}

/* An NTU recording shows one action, which its name says. */
static sn_rt_status label_ntu(sn_rt_dataset *set, const sn_rt_ntu_name *name, sn_rt_error *err)
{
    char label[16];
    size_t last = sn_rt_dataset_count(set) - 1;
    snprintf(label, sizeof label, "A%03d", name->action);
    return sn_rt_dataset_label(set, last, 0, (uint32_t)sn_rt_dataset_at(set, last)->frames, label, "ntu", err);
}

static sn_rt_status add_persons(sn_rt_dataset *set, const sn_rt_bodies *bodies, const sn_rt_import *how, const char *path,
                                const char *id, bool *out_moved, sn_rt_error *err)
{
    sn_rt_ntu_name name = {0};
    int ntu = strcmp(how->format, "ntu") == 0;
    if (ntu && sn_rt_ntu_name_of(path, &name))
        return sn_rt_fail(err, SN_RT_FORMAT, "the name is not SsssCcccPpppRrrrAaaa");
    sn_rt_persons q;
    sn_rt_body body = {"ntu25", SN_RT_JOINTS, sn_rt_joint_name, sn_rt_joint_parent};
    sn_rt_sequence s = {.id = id, .file = file_name(path), .source = how->format, .source_fps = bodies->fps, .joints = SN_RT_JOINTS,
                        .split = ntu && how->protocol ? ntu_split(&name, how->protocol) : how->split};
    sn_rt_status status = sn_rt_family_apply(sn_rt_family_of(how->family), bodies, how->family_frames, &q, err);
    if (status != SN_RT_OK)
        return status;
    s.persons = q.persons;
    s.frames = q.frames;
    s.fps = q.fps;
    s.x = q.x;
    status = sn_rt_dataset_body(set, &body, &s.body, err);
    if (status == SN_RT_OK)
        status = sn_rt_dataset_add(set, &s, err);
    if (status == SN_RT_OK && ntu)
        status = label_ntu(set, &name, err);
    *out_moved = q.moved;
    sn_rt_persons_fini(&q);
    return status;
}

static sn_rt_status import_bodies(sn_rt_dataset *set, const format_row *format, const sn_rt_import *how, const char *path,
                                  const char *id, bool *out_moved, sn_rt_error *err)
{
    sn_rt_bodies bodies;
    sn_rt_status status = format->read_bodies(path, &bodies, err);
    if (status != SN_RT_OK)
        return status;
    sn_rt_error why = {""};
    status = add_persons(set, &bodies, how, path, id, out_moved, &why);
    sn_rt_bodies_fini(&bodies);
    return status == SN_RT_OK ? status : sn_rt_fail(err, status, "%s: %s", path, why.text);
}

/* ---- any ---------------------------------------------------------------------------------------------------------------- */

static sn_rt_status import_motion(sn_rt_dataset *set, const sn_rt_import *how, const char *path, const char *id,
                                  sn_rt_imported *out, sn_rt_error *err)
{
    sn_rt_motion motion = {0};
    sn_rt_status status = strcmp(how->format, "bvh") == 0 ? sn_rt_bvh_read(path, &motion, err)
                                                          : read_amc(path, how, &motion, &out->borrowed_asf, err);
    if (status == SN_RT_OK)
        status = add_motion(set, &motion, how, path, id, err);
    sn_rt_motion_fini(&motion);
    return status;
}

sn_rt_status sn_rt_import_file(sn_rt_dataset *set, const sn_rt_import *how, const char *path, const char *id,
                               sn_rt_imported *out, sn_rt_error *err)
{
    const format_row *format = format_of(how->format);
    sn_rt_imported done = {0};
    if (!format)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "motion format \"%s\" is none of %s", how->format, sn_rt_import_formats());
    sn_rt_status status;
    if (format->read_bodies)
        status = import_bodies(set, format, how, path, id, &done.moved, err);
    else if (strcmp(format->name, "npy") == 0)
        status = sn_rt_import_samples(set, path, how->sample_labels, id, how->split, &done.empty, err);
    else if (strcmp(format->name, "babel") == 0)
        status = sn_rt_babel_import(how->babel, set, path, how->babel_report, err);
    else
        status = import_motion(set, how, path, id, &done, err);
    if (status == SN_RT_OK)
        *out = done;
    return status;
}
