/* Arrays of samples as other programs keep them: (N, C, T, V, M), with a label a sample.
 * Not a preparation: what the arrays hold has been prepared by whoever wrote them, and the caller says how. */
#include "import.h"

#include "npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COORDINATES = 3 };

/* An opened pair of arrays. */
typedef struct samples {
    const char *path, *id, *split;
    sn_rt_array x, label; /* label.data is NULL without labels */
    size_t count, frames, joints, persons;
} samples;

static const float *sample_at(const samples *s, size_t n, size_t c, size_t t)
{
    return (const float *)s->x.data + ((n * COORDINATES + c) * s->frames + t) * s->joints * s->persons;
}

static int64_t label_at(const samples *s, size_t n)
{
    return s->label.elem == SN_RT_ELEM_I64 ? ((const int64_t *)s->label.data)[n] : ((const int32_t *)s->label.data)[n];
}

static sn_rt_status check(samples *s, const char *labels, sn_rt_error *err)
{
    char shape[128];
    sn_rt_shape_text(s->x.elem, s->x.rank, s->x.dims, shape, sizeof shape);
    if (s->x.elem != SN_RT_ELEM_F32 || s->x.rank != 5 || s->x.dims[1] != COORDINATES || s->x.dims[3] != SN_RT_JOINTS ||
        s->x.dims[4] < 1 || s->x.dims[4] > SN_RT_MAX_PERSONS || s->x.bytes == 0)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: found %s, expected f32[N,3,T,25,M] of 1 or 2 persons", s->path, shape);
    s->count = s->x.dims[0];
    s->frames = s->x.dims[2];
    s->joints = s->x.dims[3];
    s->persons = s->x.dims[4];
    if (!labels)
        return SN_RT_OK;
    sn_rt_shape_text(s->label.elem, s->label.rank, s->label.dims, shape, sizeof shape);
    int column = s->label.rank == 1 || (s->label.rank == 2 && s->label.dims[1] == 1);
    if (!column || s->label.dims[0] != s->count || (s->label.elem != SN_RT_ELEM_I64 && s->label.elem != SN_RT_ELEM_I32))
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: found %s, expected i64[%zu] or i32[%zu], a label for each sample of %s", labels, shape,
                          s->count, s->count, s->path);
    for (size_t n = 0; n < s->count; n++)
        if (label_at(s, n) < 0 || label_at(s, n) > 9999)
            return sn_rt_fail(err, SN_RT_FORMAT, "%s: label %lld of sample %zu is not 0 to 9999", labels, (long long)label_at(s, n), n);
    return SN_RT_OK;
}

/* Frames up to the last that shows anyone: the rest is padding. */
static size_t length_of(const samples *s, size_t n)
{
    size_t width = s->joints * s->persons, length = s->frames;
    for (; length > 0; length--)
        for (size_t c = 0; c < COORDINATES; c++) {
            const float *x = sample_at(s, n, c, length - 1);
            for (size_t i = 0; i < width; i++)
                if (x[i] != 0)
                    return length;
        }
    return 0;
}

/* [C][T][V][M] of sample n to out[M][length][V][C]. */
static void turn_around(const samples *s, size_t n, size_t length, float *out)
{
    for (size_t m = 0; m < s->persons; m++)
        for (size_t t = 0; t < length; t++)
            for (size_t v = 0; v < s->joints; v++)
                for (size_t c = 0; c < COORDINATES; c++)
                    *out++ = sample_at(s, n, c, t)[v * s->persons + m];
}

static sn_rt_status add_sample(sn_rt_dataset *set, const samples *s, size_t n, uint32_t body, float *x, sn_rt_error *err)
{
    char id[600], label[24];
    const char *slash = strrchr(s->path, '/');
    snprintf(id, sizeof id, "%.500s_%06zu", s->id, n);
    sn_rt_sequence q = {.id = id, .file = slash ? slash + 1 : s->path, .source = "npy", .split = s->split, .body = body, .fps = 30,
                        .source_fps = 30, .persons = s->persons, .frames = length_of(s, n), .joints = s->joints, .x = x};
    turn_around(s, n, q.frames, x);
    sn_rt_status status = sn_rt_dataset_add(set, &q, err);
    if (status != SN_RT_OK || !s->label.data)
        return status;
    snprintf(label, sizeof label, "A%03lld", (long long)label_at(s, n) + 1);
    return sn_rt_dataset_label(set, sn_rt_dataset_count(set) - 1, 0, (uint32_t)q.frames, label, "npy", err);
}

static sn_rt_status add_all(sn_rt_dataset *set, const samples *s, size_t *out_empty, sn_rt_error *err)
{
    const sn_rt_body ntu25 = {"ntu25", SN_RT_JOINTS, sn_rt_joint_name, sn_rt_joint_parent};
    uint32_t body = 0;
    sn_rt_status status = sn_rt_dataset_body(set, &ntu25, &body, err);
    float *x = malloc(s->x.bytes / s->count);
    if (!x)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", s->path);
    for (size_t n = 0; status == SN_RT_OK && n < s->count; n++) {
        if (length_of(s, n) > 0)
            status = add_sample(set, s, n, body, x, err);
        else
            ++*out_empty;
    }
    free(x);
    return status;
}

sn_rt_status sn_rt_import_samples(sn_rt_dataset *set, const char *path, const char *labels, const char *id, const char *split, size_t *out_empty,
                                  sn_rt_error *err)
{
    samples s = {.path = path, .id = id, .split = split};
    sn_rt_error why = {""};
    *out_empty = 0;
    sn_rt_status status = sn_rt_npy_read(path, &s.x, err);
    if (status == SN_RT_OK && labels)
        status = sn_rt_npy_read(labels, &s.label, err);
    if (status == SN_RT_OK)
        status = check(&s, labels, err);
    if (status == SN_RT_OK && add_all(set, &s, out_empty, &why) != SN_RT_OK)
        status = sn_rt_fail(err, SN_RT_FORMAT, "%s: %s", path, why.text);
    sn_rt_array_fini(&s.x);
    sn_rt_array_fini(&s.label);
    return status;
}
