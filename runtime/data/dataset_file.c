/* Data sets on disk: one safetensors file, laid out as README.md of this folder says.
 * Not tolerant: what is not as described is an error that names file and place. */
#include "dataset_internal.h"
#include "file.h"
#include "skeleton.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char format_key[] = "sinew.dataset", format_value[] = "2";
enum { SEGMENT_COLUMNS = 4 };

/* ---- writing ---- */

static json_t *names_json(const sn_rt_names *list)
{
    json_t *out = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(out, json_string(list->name[i]));
    return out;
}

static json_t *bodies_json(const sn_rt_dataset *set)
{
    json_t *out = json_array();
    for (size_t i = 0; i < set->bodies; i++) {
        json_t *joints = json_array(), *parents = json_array();
        for (size_t k = 0; k < set->body[i].joints; k++) {
            json_array_append_new(joints, json_string(set->body[i].joint[k]));
            json_array_append_new(parents, json_integer(set->body[i].parent[k]));
        }
        json_array_append_new(out, json_pack("{s:s, s:o, s:o}", "name", set->body[i].name, "joints", joints, "parents",
                                             parents));
    }
    return out;
}

static json_t *sequences_json(const sn_rt_dataset *set)
{
    json_t *out = json_array();
    for (size_t i = 0; i < set->count; i++) {
        const sn_rt_sequence *s = &set->sequence[i];
        json_array_append_new(
            out, json_pack("{s:s, s:s, s:s, s:s, s:I, s:f, s:f, s:I}", "id", s->id, "file", s->file, "source", s->source,
                           "split", s->split, "skeleton", (json_int_t)s->body, "fps", s->fps, "source_fps", s->source_fps,
                           "source_first", (json_int_t)s->source_first));
    }
    return out;
}

static sn_rt_status set_json(sn_rt_tensors *out, const char *key, json_t *value, sn_rt_error *err)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(value);
    if (!text)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "data set: %s holds text that is not UTF-8", key);
    sn_rt_status status = sn_rt_tensors_set_meta(out, key, text, err);
    free(text);
    return status;
}

static sn_rt_status put_meta(const sn_rt_dataset *set, sn_rt_tensors *out, sn_rt_error *err)
{
    sn_rt_status status = sn_rt_tensors_set_meta(out, format_key, format_value, err);
    if (status == SN_RT_OK)
        status = sn_rt_tensors_set_meta(out, "layout", set->layout, err);
    if (status == SN_RT_OK)
        status = set_json(out, "sequences", sequences_json(set), err);
    if (status == SN_RT_OK)
        status = set_json(out, "labels", names_json(&set->labels), err);
    if (status == SN_RT_OK)
        status = set_json(out, "label_origins", names_json(&set->origins), err);
    return status == SN_RT_OK ? set_json(out, "skeletons", bodies_json(set), err) : status;
}

_Static_assert(sizeof(sn_rt_segment) == SEGMENT_COLUMNS * sizeof(int32_t), "segments are written as they are");

static sn_rt_status put_sequence(const sn_rt_sequence *s, sn_rt_tensors *out, sn_rt_error *err)
{
    char name[512];
    if (snprintf(name, sizeof name, "segments/%s", s->id) >= (int)sizeof name)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "sequence id is longer than %zu characters", sizeof name - 10);
    sn_rt_status status = SN_RT_OK;
    if (s->segments)
        status = sn_rt_tensors_borrow(out, name, SN_RT_ELEM_I32, 2, (uint64_t[]){s->segments, SEGMENT_COLUMNS},
                                      s->segment, err);
    snprintf(name, sizeof name, "x/%s", s->id);
    if (status == SN_RT_OK)
        status = sn_rt_tensors_borrow(out, name, SN_RT_ELEM_F32, 4, (uint64_t[]){s->persons, s->frames, s->joints, 3}, s->x, err);
    return status;
}

sn_rt_status sn_rt_dataset_write(const sn_rt_dataset *set, const char *path, sn_rt_error *err)
{
    sn_rt_tensors *out = sn_rt_tensors_new();
    if (!out)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    sn_rt_status status = put_meta(set, out, err);
    for (size_t i = 0; status == SN_RT_OK && i < set->count; i++)
        status = put_sequence(&set->sequence[i], out, err);
    if (status == SN_RT_OK)
        status = sn_rt_tensors_write(out, path, err);
    sn_rt_tensors_free(out);
    return status;
}

/* ---- reading ---- */

typedef struct opening {
    const char *path;
    const sn_rt_tensors *file;
    sn_rt_dataset *set;
    sn_rt_names labels, origins; /* as the file lists them; the set's own lists fill up as segments are added */
    sn_rt_error *err;
} opening;

static sn_rt_status meta_json(const opening *in, const char *key, json_t **out)
{
    const char *text = sn_rt_tensors_meta(in->file, key);
    json_error_t wrong;
    if (!text)
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: metadata \"%s\" is missing", in->path, key);
    *out = json_loads(text, JSON_REJECT_DUPLICATES, &wrong);
    if (!*out)
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: metadata \"%s\": byte %d: %s", in->path, key, wrong.position,
                          wrong.text);
    if (!json_is_array(*out)) {
        json_decref(*out);
        *out = NULL;
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: metadata \"%s\" is not a list", in->path, key);
    }
    return SN_RT_OK;
}

static sn_rt_status read_names(const opening *in, const char *key, sn_rt_names *out)
{
    json_t *list = NULL;
    uint32_t at;
    sn_rt_status status = meta_json(in, key, &list);
    for (size_t i = 0; status == SN_RT_OK && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text)
            status = sn_rt_fail(in->err, SN_RT_FORMAT, "%s: metadata \"%s\"[%zu] is not a string", in->path, key, i);
        else if (sn_rt_names_find(out, text) != SN_RT_NO_NAME)
            status = sn_rt_fail(in->err, SN_RT_FORMAT, "%s: metadata \"%s\"[%zu] \"%s\" occurs twice", in->path, key, i,
                                text);
        else
            status = sn_rt_names_add(out, text, &at, in->err);
    }
    json_decref(list);
    return status;
}

static sn_rt_status read_body(const opening *in, size_t index, const json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "name"));
    const json_t *joints = json_object_get(entry, "joints"), *parents = json_object_get(entry, "parents");
    size_t count = json_array_size(joints);
    if (!name || count == 0 || json_array_size(parents) != count)
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: metadata \"skeletons\"[%zu] lacks name, joints or as many parents",
                          in->path, index);
    const char **joint = calloc(count, sizeof *joint);
    int32_t *parent = calloc(count, sizeof *parent);
    sn_rt_status status = joint && parent ? SN_RT_OK : sn_rt_fail(in->err, SN_RT_MEMORY, "%s: no memory", in->path);
    for (size_t k = 0; status == SN_RT_OK && k < count; k++) {
        const json_t *number = json_array_get(parents, k);
        joint[k] = json_string_value(json_array_get(joints, k));
        json_int_t value = json_integer_value(number);
        if (!joint[k] || !json_is_integer(number) || value < -1 || value >= (json_int_t)count)
            status = sn_rt_fail(in->err, SN_RT_FORMAT, "%s: metadata \"skeletons\"[%zu]: joint %zu has no name or parent",
                                in->path, index, k);
        parent[k] = (int32_t)value;
    }
    uint32_t at = 0;
    sn_rt_error why = {""};
    if (status == SN_RT_OK) {
        status = sn_rt_dataset_body(in->set, &(sn_rt_body){name, count, joint, parent}, &at, &why);
        if (status != SN_RT_OK || at != index)
            status = sn_rt_fail(in->err, SN_RT_FORMAT, "%s: metadata \"skeletons\"[%zu]: %s", in->path, index,
                                *why.text ? why.text : "the same as an earlier one");
    }
    free(joint);
    free(parent);
    return status;
}

static sn_rt_status read_bodies(const opening *in)
{
    json_t *list = NULL;
    sn_rt_status status = meta_json(in, "skeletons", &list);
    for (size_t i = 0; status == SN_RT_OK && i < json_array_size(list); i++)
        status = read_body(in, i, json_array_get(list, i));
    json_decref(list);
    return status;
}

static sn_rt_status read_segments(const opening *in, size_t index)
{
    const sn_rt_sequence *s = &in->set->sequence[index];
    char name[600];
    snprintf(name, sizeof name, "segments/%s", s->id);
    if (!sn_rt_tensors_find(in->file, name))
        return SN_RT_OK;
    const sn_rt_array *array;
    sn_rt_status status = sn_rt_tensors_need(in->file, name, SN_RT_ELEM_I32, 2,
                                             (uint64_t[]){SN_RT_ANY_DIM, SEGMENT_COLUMNS}, &array, in->err);
    for (size_t i = 0; status == SN_RT_OK && i < array->dims[0]; i++) {
        const int32_t *row = (const int32_t *)array->data + i * SEGMENT_COLUMNS;
        if (row[0] < 0 || row[1] <= row[0] || (size_t)row[1] > s->frames || row[2] < 0 ||
            (size_t)row[2] >= in->labels.count || row[3] < 0 || (size_t)row[3] >= in->origins.count)
            return sn_rt_fail(in->err, SN_RT_FORMAT,
                              "%s: array \"%s\": row %zu [%d, %d, %d, %d] is not a segment of %zu frames, %u labels and "
                              "%u origins",
                              in->path, name, i, row[0], row[1], row[2], row[3], s->frames, in->labels.count,
                              in->origins.count);
        status = sn_rt_dataset_label(in->set, index, (uint32_t)row[0], (uint32_t)row[1], in->labels.name[row[2]],
                                     in->origins.name[row[3]], in->err);
    }
    return status;
}

/* Text of an entry, or NULL. */
static const char *text_of(const json_t *entry, const char *key)
{
    return json_string_value(json_object_get(entry, key));
}

static sn_rt_status read_sequence(const opening *in, size_t index, const json_t *entry)
{
    const json_t *body = json_object_get(entry, "skeleton"), *first = json_object_get(entry, "source_first");
    sn_rt_sequence s = {.id = text_of(entry, "id"),
                        .file = text_of(entry, "file"),
                        .source = text_of(entry, "source"),
                        .split = text_of(entry, "split"),
                        .fps = json_number_value(json_object_get(entry, "fps")),
                        .source_fps = json_number_value(json_object_get(entry, "source_fps"))};
    if (!s.id || !s.file || !s.source || !s.split || !json_is_integer(body) || !json_is_integer(first) ||
        json_integer_value(first) < 0 || json_integer_value(body) < 0 ||
        (uint64_t)json_integer_value(body) >= in->set->bodies || strlen(s.id) > 500)
        return sn_rt_fail(in->err, SN_RT_FORMAT,
                          "%s: metadata \"sequences\"[%zu] lacks id, file, source, split, skeleton or source_first", in->path,
                          index);
    s.body = (uint32_t)json_integer_value(body);
    s.source_first = (uint64_t)json_integer_value(first);
    s.joints = in->set->body[s.body].joints;
    char name[600];
    snprintf(name, sizeof name, "x/%s", s.id);
    const sn_rt_array *x;
    sn_rt_status status = sn_rt_tensors_need(in->file, name, SN_RT_ELEM_F32, 4,
                                             (uint64_t[]){SN_RT_ANY_DIM, SN_RT_ANY_DIM, s.joints, 3}, &x, in->err);
    if (status != SN_RT_OK)
        return status;
    s.persons = (size_t)x->dims[0];
    s.frames = (size_t)x->dims[1];
    s.x = x->data;
    sn_rt_error why = {""};
    status = sn_rt_dataset_add(in->set, &s, &why);
    if (status != SN_RT_OK)
        return sn_rt_fail(in->err, status == SN_RT_ARGUMENT ? SN_RT_FORMAT : status, "%s: %s", in->path, why.text);
    return read_segments(in, index);
}

static sn_rt_status read_sequences(const opening *in)
{
    json_t *list = NULL;
    sn_rt_status status = meta_json(in, "sequences", &list);
    for (size_t i = 0; status == SN_RT_OK && i < json_array_size(list); i++)
        status = read_sequence(in, i, json_array_get(list, i));
    json_decref(list);
    return status;
}

/* Every array must belong to a sequence, or something was lost or added. */
static sn_rt_status check_no_strangers(const opening *in)
{
    size_t expected = in->set->count;
    for (size_t i = 0; i < in->set->count; i++)
        expected += in->set->sequence[i].segments > 0;
    size_t found = sn_rt_tensors_count(in->file);
    if (found != expected)
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: %zu arrays, its sequences account for %zu", in->path, found,
                          expected);
    return SN_RT_OK;
}

static sn_rt_status check_layout(const opening *in)
{
    if (strcmp(in->set->layout, "raw") == 0)
        return SN_RT_OK;
    for (size_t i = 0; i < in->set->bodies; i++)
        if (in->set->body[i].joints != SN_RT_JOINTS)
            return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: layout %s, but skeleton \"%s\" has %zu joints", in->path,
                              in->set->layout, in->set->body[i].name, in->set->body[i].joints);
    return SN_RT_OK;
}

static sn_rt_status open_all(opening *in)
{
    sn_rt_status status = read_names(in, "labels", &in->labels);
    if (status == SN_RT_OK)
        status = read_names(in, "label_origins", &in->origins);
    /* The set keeps the file's numbering of labels, also of those that no segment uses. */
    for (uint32_t i = 0, at; status == SN_RT_OK && i < in->labels.count; i++)
        status = sn_rt_names_add(&in->set->labels, in->labels.name[i], &at, in->err);
    for (uint32_t i = 0, at; status == SN_RT_OK && i < in->origins.count; i++)
        status = sn_rt_names_add(&in->set->origins, in->origins.name[i], &at, in->err);
    if (status == SN_RT_OK)
        status = read_bodies(in);
    if (status == SN_RT_OK)
        status = check_layout(in);
    if (status == SN_RT_OK)
        status = read_sequences(in);
    return status == SN_RT_OK ? check_no_strangers(in) : status;
}

static sn_rt_status open_tensors(const char *path, const sn_rt_tensors *file, sn_rt_dataset **out, sn_rt_error *err)
{
    const char *format = sn_rt_tensors_meta(file, format_key), *layout = sn_rt_tensors_meta(file, "layout");
    if (!format)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: not a data set: metadata \"%s\" is missing", path, format_key);
    if (strcmp(format, format_value) != 0)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: data set version \"%s\", expected \"%s\"", path, format, format_value);
    if (!sn_rt_layout_of(layout))
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: layout \"%s\", expected ntu25, ntu25-aimclr, ntu25-denoised or raw", path, layout ? layout : "");
    opening in = {.path = path, .file = file, .set = sn_rt_dataset_new(layout), .err = err};
    if (!in.set)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    sn_rt_status status = open_all(&in);
    sn_rt_names_fini(&in.labels);
    sn_rt_names_fini(&in.origins);
    if (status == SN_RT_OK)
        *out = in.set;
    else
        sn_rt_dataset_free(in.set);
    return status;
}

sn_rt_status sn_rt_dataset_parse(const char *path, const void *bytes, size_t size, sn_rt_dataset **out,
                                 sn_rt_error *err)
{
    sn_rt_tensors *file;
    sn_rt_status status = sn_rt_tensors_parse(path, bytes, size, &file, err);
    if (status != SN_RT_OK)
        return status;
    status = open_tensors(path, file, out, err);
    sn_rt_tensors_free(file);
    return status;
}

sn_rt_status sn_rt_dataset_open(const char *path, sn_rt_dataset **out, sn_rt_error *err)
{
    sn_rt_tensors *file;
    sn_rt_status status = sn_rt_tensors_read(path, &file, err);
    if (status != SN_RT_OK)
        return status;
    status = open_tensors(path, file, out, err);
    sn_rt_tensors_free(file);
    return status;
}
