/* One motion file into a data set: read, convert, add.
 * Not the walk over folders. */
#include "import.h"

#include "families.h"
#include "file.h"
#include "recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The source's own joints as a skeleton of the set; end sites are left out. */
static sn_rt_status raw_body(sn_rt_dataset *set, const sn_rt_recording *r, uint32_t *out, sn_rt_error *err)
{
    const sn_rt_motion *motion = &r->motion;
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
        sn_rt_body body = {r->skeleton ? r->skeleton->name : "unknown", count, joint, parent};
        status = sn_rt_dataset_body(set, &body, out, err);
    } else {
        sn_rt_fail(err, SN_RT_MEMORY, "no memory for the skeleton");
    }
    free(joint);
    free(parent);
    free(place);
    return status;
}

static sn_rt_status add_coordinates(sn_rt_dataset *set, const sn_rt_recording *r, const sn_rt_import *how, const char *path,
                                    const char *id, float *x, sn_rt_error *err)
{
    sn_rt_body body = {"ntu25", SN_RT_JOINTS, sn_rt_joint_name, sn_rt_joint_parent};
    sn_rt_sequence s = {.id = id,
                        .file = sn_rt_file_name(path),
                        .source = r->skeleton ? r->skeleton->name : "unknown",
                        .split = how->split,
                        .fps = how->raw ? r->motion.fps : how->fps,
                        .source_fps = r->motion.fps,
                        .source_first = r->pick.first,
                        .frames = r->pick.frames,
                        .joints = r->joints,
                        .x = x};
    sn_rt_status status = sn_rt_recording_convert(r, how, x, err);
    if (status == SN_RT_OK)
        status = how->raw ? raw_body(set, r, &s.body, err) : sn_rt_dataset_body(set, &body, &s.body, err);
    return status == SN_RT_OK ? sn_rt_dataset_add(set, &s, err) : status;
}

static sn_rt_status import_motion(sn_rt_dataset *set, const sn_rt_import *how, const char *path, const char *id,
                                  sn_rt_imported *out, sn_rt_error *err)
{
    sn_rt_recording r;
    sn_rt_error why = {""};
    sn_rt_status status = sn_rt_recording_read(path, how, &r, err);
    if (status != SN_RT_OK)
        return status;
    float *x = calloc(r.pick.frames, r.joints * 3 * sizeof *x);
    status = x ? add_coordinates(set, &r, how, path, id, x, &why) : sn_rt_fail(&why, SN_RT_MEMORY, "no memory for %zu frames", r.pick.frames);
    if (status != SN_RT_OK)
        sn_rt_fail(err, status, "%s: %s", path, why.text);
    out->borrowed_asf = r.borrowed_asf;
    free(x);
    sn_rt_recording_fini(&r);
    return status;
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
    sn_rt_sequence s = {.id = id, .file = sn_rt_file_name(path), .source = how->format, .source_fps = bodies->fps, .joints = SN_RT_JOINTS,
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
