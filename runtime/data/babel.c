/* A split of BABEL into a data set: tables, the walk over its sequences, what becomes of each.
 * Not its motions (babel_motion.c) or labels (babel_labels.c). */
#include "babel_internal.h"

#include "families.h"
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SECONDS = 24 * 3600 };

/* ---- tables ------------------------------------------------------------------------------------------------------------- */

static sn_rt_status read_object(const char *path, json_t **out, sn_rt_error *err)
{
    char *bytes;
    size_t size;
    json_error_t why;
    sn_rt_status status = sn_rt_file_read(path, (size_t)1 << 30, &bytes, &size, err);
    if (status != SN_RT_OK)
        return status;
    json_t *json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &why);
    free(bytes);
    if (!json)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s:%d:%d: %s", path, why.line, why.column, why.text);
    if (!json_is_object(json)) {
        json_decref(json);
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: the JSON is no object", path);
    }
    *out = json;
    return SN_RT_OK;
}

/* {"train": ["https://.../005534.mp4", ...]} to {"005534": "train", ...}. */
static sn_rt_status turn_splits(const char *path, const json_t *lists, json_t *out, sn_rt_error *err)
{
    const char *split;
    json_t *list, *address;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)lists, split, list) {
        if (!json_is_array(list) || (strcmp(split, "train") != 0 && strcmp(split, "val") != 0 && strcmp(split, "test") != 0))
            return sn_rt_fail(err, SN_RT_FORMAT, "%s: found \"%s\", expected lists train, val and test", path, split);
        json_array_foreach(list, i, address) {
            const char *text = json_string_value(address), *slash = text ? strrchr(text, '/') : NULL;
            char sid[16];
            snprintf(sid, sizeof sid, "%.*s", text ? (int)strcspn(slash ? slash + 1 : text, ".") : 0, text ? (slash ? slash + 1 : text) : "");
            if (!*sid || json_object_set_new(out, sid, json_string(split)))
                return sn_rt_fail(err, SN_RT_FORMAT, "%s: %s[%zu] is no address of a video", path, split, i);
        }
    }
    return SN_RT_OK;
}

sn_rt_status sn_rt_babel_new(const sn_rt_babel_options *options, sn_rt_babel **out, sn_rt_error *err)
{
    json_t *lists = NULL;
    sn_rt_babel *b = calloc(1, sizeof *b);
    sn_rt_status status = b ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory");
    if (b)
        b->o = options;
    if (status == SN_RT_OK && options->body_model)
        status = sn_rt_smplh_read(options->body_model, &b->model, err);
    if (status == SN_RT_OK && options->rates)
        status = read_object(options->rates, &b->rates, err);
    if (status == SN_RT_OK && options->splits && (status = read_object(options->splits, &lists, err)) == SN_RT_OK) {
        b->splits = json_object();
        status = turn_splits(options->splits, lists, b->splits, err);
    }
    json_decref(lists);
    if (status == SN_RT_OK)
        *out = b;
    else
        sn_rt_babel_free(b);
    return status;
}

void sn_rt_babel_free(sn_rt_babel *babel)
{
    if (!babel)
        return;
    sn_rt_smplh_free(babel->model);
    json_decref(babel->rates);
    json_decref(babel->splits);
    free(babel);
}

/* ---- sequences ---------------------------------------------------------------------------------------------------------- */

/* A sequence of the file. */
typedef struct entry {
    char id[24];
    const char *feat_p, *split;
    double seconds;
    const json_t *frame_ann;
} entry;

/* "train", "val" or "test" if the file is called so or extra_train and the like. */
static const char *split_of_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (strncmp(name, "extra_", 6) == 0)
        name += 6;
    return strcmp(name, "train.json") == 0 ? "train" : strcmp(name, "val.json") == 0 ? "val" : strcmp(name, "test.json") == 0 ? "test" : NULL;
}

static sn_rt_status read_entry(const sn_rt_babel *babel, const char *path, const char *key, const json_t *json, entry *out, sn_rt_error *err)
{
    const json_t *sid = json_object_get(json, "babel_sid"), *seconds = json_object_get(json, "dur");
    *out = (entry){.feat_p = json_string_value(json_object_get(json, "feat_p")), .seconds = json_number_value(seconds),
                   .frame_ann = json_object_get(json, "frame_ann")};
    if (!json_is_integer(sid) || json_integer_value(sid) < 0 || !out->feat_p)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: sequence %.40s has not a number babel_sid and a text feat_p", path, key);
    if (!json_is_number(seconds) || !(out->seconds > 0) || out->seconds > MOST_SECONDS)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: sequence %.40s has no dur of up to %d seconds", path, key, MOST_SECONDS);
    if (out->frame_ann && !json_is_null(out->frame_ann) && !json_is_object(out->frame_ann))
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: sequence %.40s: frame_ann is neither null nor an object", path, key);
    snprintf(out->id, sizeof out->id, "%06lld", (long long)json_integer_value(sid));
    out->split = babel->splits ? json_string_value(json_object_get(babel->splits, out->id)) : split_of_name(path);
    if (!out->split && babel->splits)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: sequence %.40s is in no list of %s", path, key, babel->o->splits);
    return out->split ? SN_RT_OK
                      : sn_rt_fail(err, SN_RT_FORMAT, "%s: the file's name is not train.json, val.json or test.json, and no list of splits was given", path);
}

static sn_rt_status label_last(sn_rt_dataset *set, const babel_labels *labels, size_t frames, sn_rt_babel_report *report, sn_rt_error *err)
{
    size_t last = sn_rt_dataset_count(set) - 1;
    sn_rt_status status = SN_RT_OK;
    for (size_t i = 0; status == SN_RT_OK && i < labels->count; i++) {
        const babel_segment *s = &labels->segment[i];
        size_t end = s->end < frames ? s->end : frames;
        if (s->start >= end) { /* the motion is shorter than said */
            report->outside++;
            continue;
        }
        status = sn_rt_dataset_label(set, last, (uint32_t)s->start, (uint32_t)end, s->label, "babel", err);
        report->segments += status == SN_RT_OK;
    }
    return status;
}

static sn_rt_status add_sequence(const sn_rt_babel *babel, sn_rt_dataset *set, const entry *e, const babel_labels *labels, babel_motion *m,
                                 sn_rt_babel_report *report, sn_rt_error *err)
{
    const char *slash = strrchr(e->feat_p, '/');
    const sn_rt_body ntu25 = {"ntu25", SN_RT_JOINTS, sn_rt_joint_name, sn_rt_joint_parent};
    sn_rt_sequence s = {.id = e->id, .file = slash ? slash + 1 : e->feat_p, .source = "babel", .split = e->split, .fps = BABEL_FPS,
                        .source_fps = m->source_fps, .persons = 1, .joints = SN_RT_JOINTS};
    sn_rt_persons q;
    if (babel->o->quirks && m->bodies.frames < labels->frames)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%zu frames of motion for %zu labelled ones, where the published preparation stops", m->bodies.frames,
                          labels->frames);
    sn_rt_status status = sn_rt_family_apply(sn_rt_family_of("agcn"), &m->bodies, 0, &q, err);
    if (status != SN_RT_OK)
        return status;
    s.frames = q.frames < labels->frames ? q.frames : labels->frames;
    s.x = q.x;
    status = sn_rt_dataset_body(set, &ntu25, &s.body, err);
    if (status == SN_RT_OK)
        status = sn_rt_dataset_add(set, &s, err);
    sn_rt_persons_fini(&q);
    return status == SN_RT_OK ? label_last(set, labels, s.frames, report, err) : status;
}

/* Whether the rules leave it out; counted. */
static bool is_left_out(const sn_rt_babel_options *o, const babel_labels *labels, sn_rt_babel_report *report)
{
    bool longer = o->most_frames && labels->labelled > o->most_frames, other = !longer && o->subset && labels->count == 0;
    bool none = !longer && !other && labels->frames == 0;
    report->longer += longer;
    report->other += other;
    report->unannotated += none;
    return longer || other || none;
}

static sn_rt_status import_entry(sn_rt_babel *babel, sn_rt_dataset *set, const char *path, const entry *e, sn_rt_babel_report *report, sn_rt_error *err)
{
    babel_labels labels;
    babel_motion motion = {.source_fps = 0};
    sn_rt_error why = {""};
    char text[1024];
    if (babel_labels_read(babel->o, e->frame_ann, e->seconds, &labels, report, &why) != SN_RT_OK)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: sequence %s: %s", path, e->id, why.text);
    bool fatal = false;
    if (!is_left_out(babel->o, &labels, report)) {
        sn_rt_status status = babel_motion_read(babel, e->feat_p, &motion, &why);
        fatal = status == SN_RT_ARGUMENT;
        if (status == SN_RT_OK)
            status = add_sequence(babel, set, e, &labels, &motion, report, &why);
        snprintf(text, sizeof text, "%s: %s", e->id, why.text);
        if (status != SN_RT_OK && !fatal && babel->o->say)
            babel->o->say(babel->o->context, text);
        report->imported += status == SN_RT_OK;
        report->faulty += status != SN_RT_OK;
    }
    sn_rt_bodies_fini(&motion.bodies);
    babel_labels_fini(&labels);
    return fatal ? sn_rt_fail(err, SN_RT_ARGUMENT, "%s: sequence %s: %s", path, e->id, why.text) : SN_RT_OK;
}

sn_rt_status sn_rt_babel_import(sn_rt_babel *babel, sn_rt_dataset *set, const char *path, sn_rt_babel_report *report, sn_rt_error *err)
{
    json_t *file, *json;
    const char *key;
    sn_rt_status status = read_object(path, &file, err);
    if (status != SN_RT_OK)
        return status;
    json_object_foreach(file, key, json) {
        entry e;
        if (status != SN_RT_OK || (status = read_entry(babel, path, key, json, &e, err)) != SN_RT_OK)
            break;
        report->sequences++;
        if (!e.frame_ann || json_is_null(e.frame_ann))
            report->unannotated++;
        else
            status = import_entry(babel, set, path, &e, report, err);
    }
    json_decref(file);
    return status;
}
