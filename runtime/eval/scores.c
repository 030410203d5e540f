/* Files of frame probabilities.
 * Not a judgement of them but that they are probabilities. */
#include "scores.h"

#include "../data/npy.h"
#include "../data/safetensors.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OF_VIDEO "video:"

static double value_at(const sn_rt_array *a, size_t i)
{
    return a->elem == SN_RT_ELEM_F32 ? (double)((const float *)a->data)[i] : ((const double *)a->data)[i];
}

static sn_rt_status expect(const char *path, const char *name, const sn_rt_array *a, uint32_t rank, uint32_t columns, sn_rt_error *err)
{
    char shape[160];
    size_t count = 1;
    sn_rt_shape_text(a->elem, a->rank, a->dims, shape, sizeof shape);
    if ((a->elem != SN_RT_ELEM_F32 && a->elem != SN_RT_ELEM_F64) || a->rank != rank || !a->dims[0] || !a->dims[rank - 1] || a->dims[rank - 1] > 1u << 20)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: %s: found %s, expected f32 or f64 %s", path, name, shape, rank == 2 ? "[frames, classes]" : "[classes]");
    if (columns && a->dims[rank - 1] != columns)
        return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: %s: found %s, expected %u classes as in the arrays before", path, name, shape, columns);
    for (uint32_t d = 0; d < rank; d++) count *= (size_t)a->dims[d];
    for (size_t i = 0, width = (size_t)a->dims[rank - 1]; i < count; i++)
        if (!(value_at(a, i) >= 0 && value_at(a, i) <= 1 + 1e-5))
            return sn_rt_fail(err, SN_RT_FORMAT, "%s: %s holds %g at frame %zu, class %zu; expected probabilities, 0 to 1", path, name, value_at(a, i),
                              rank == 2 ? i / width : 0, i % width);
    return SN_RT_OK;
}

/* Add video `name` with the frames of `a`. */
static sn_rt_status add_video(sn_rt_scores *s, const char *path, const char *name, const sn_rt_array *a, sn_rt_error *err)
{
    uint32_t at;
    sn_rt_status status = expect(path, name, a, 2, s->columns, err);
    if (status == SN_RT_OK) status = sn_rt_names_add(&s->videos, name, &at, err);
    if (status != SN_RT_OK) return status;
    size_t count = (size_t)(a->dims[0] * a->dims[1]);
    s->columns = (uint32_t)a->dims[1];
    s->of[at] = (sn_rt_video_scores){.p = malloc(count * sizeof *s->of->p), .frames = (size_t)a->dims[0]};
    if (!s->of[at].p) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    for (size_t i = 0; i < count; i++) s->of[at].p[i] = (float)value_at(a, i);
    return SN_RT_OK;
}

/* The score of a whole video, from array "video:NAME". */
static sn_rt_status add_whole(sn_rt_scores *s, const char *path, const sn_rt_array *a, sn_rt_error *err)
{
    uint32_t at = sn_rt_names_find(&s->videos, a->name + strlen(OF_VIDEO));
    if (at == SN_RT_NO_NAME) return sn_rt_fail(err, SN_RT_MISSING, "%s: %s: there is no array of that video's frames", path, a->name);
    sn_rt_status status = expect(path, a->name, a, 1, s->columns, err);
    if (status != SN_RT_OK) return status;
    s->of[at].video = malloc(s->columns * sizeof *s->of->video);
    if (!s->of[at].video) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    for (uint32_t c = 0; c < s->columns; c++) s->of[at].video[c] = value_at(a, c);
    return SN_RT_OK;
}

static sn_rt_status read_classes(sn_rt_scores *s, const char *path, const char *text, sn_rt_error *err)
{
    json_t *list = text ? json_loads(text, 0, NULL) : NULL, *item;
    size_t i;
    sn_rt_status status = SN_RT_OK;
    if (!text) return SN_RT_OK;
    json_array_foreach(list, i, item)
    {
        uint32_t at = SN_RT_NO_NAME;
        if (status == SN_RT_OK && json_string_value(item)) status = sn_rt_names_add(&s->classes, json_string_value(item), &at, err);
    }
    if (status == SN_RT_OK && s->classes.count != s->columns)
        status = sn_rt_fail(err, SN_RT_FORMAT, "%s: metadata \"classes\": expected a JSON list of %u different names", path, s->columns);
    json_decref(list);
    return status;
}

static sn_rt_status read_set(const char *path, sn_rt_scores *s, sn_rt_error *err)
{
    sn_rt_tensors *set;
    sn_rt_status status = sn_rt_tensors_read(path, &set, err);
    if (status != SN_RT_OK) return status;
    size_t count = sn_rt_tensors_count(set);
    s->of = calloc(count + 1, sizeof *s->of);
    if (!s->of) status = sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    for (int whole = 0; whole < 2; whole++)
        for (size_t i = 0; i < count && status == SN_RT_OK; i++) {
            const sn_rt_array *a = sn_rt_tensors_at(set, i);
            if ((strncmp(a->name, OF_VIDEO, strlen(OF_VIDEO)) == 0) != whole) continue;
            status = whole ? add_whole(s, path, a, err) : add_video(s, path, a->name, a, err);
        }
    if (status == SN_RT_OK && !s->videos.count) status = sn_rt_fail(err, SN_RT_MISSING, "%s: no array, expected one a video", path);
    if (status == SN_RT_OK) status = read_classes(s, path, sn_rt_tensors_meta(set, "classes"), err);
    sn_rt_tensors_free(set);
    return status;
}

static sn_rt_status read_one(const char *path, const char *video, sn_rt_scores *s, sn_rt_error *err)
{
    sn_rt_array a;
    sn_rt_status status = sn_rt_npy_read(path, &a, err);
    if (status != SN_RT_OK) return status;
    s->of = calloc(1, sizeof *s->of);
    status = s->of ? add_video(s, path, video, &a, err) : sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    sn_rt_array_fini(&a);
    return status;
}

/* Is it a .npy file?  What cannot be opened is not; reading it as a set then says why. */
static int is_npy(const char *path)
{
    char magic[6] = "";
    FILE *f = fopen(path, "rb");
    size_t got = f ? fread(magic, 1, sizeof magic, f) : 0;
    if (f) fclose(f);
    return got == sizeof magic && memcmp(magic, "\x93NUMPY", sizeof magic) == 0;
}

sn_rt_status sn_rt_scores_read(const char *path, const char *video, sn_rt_scores *out, sn_rt_error *err)
{
    sn_rt_scores s = {0};
    bool one = is_npy(path);
    if (one && !video) return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: one array without a name, expected to be told which video it is", path);
    sn_rt_status status = one ? read_one(path, video, &s, err) : read_set(path, &s, err);
    if (status == SN_RT_OK) *out = s;
    else sn_rt_scores_fini(&s);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static sn_rt_status put_video(sn_rt_tensors *set, const sn_rt_scores *s, uint32_t v, sn_rt_error *err)
{
    const uint64_t dims[2] = {s->of[v].frames, s->columns};
    char name[600];
    sn_rt_status status = sn_rt_tensors_borrow(set, s->videos.name[v], SN_RT_ELEM_F32, 2, dims, s->of[v].p, err);
    snprintf(name, sizeof name, OF_VIDEO "%s", s->videos.name[v]);
    if (status == SN_RT_OK && s->of[v].video) status = sn_rt_tensors_borrow(set, name, SN_RT_ELEM_F64, 1, dims + 1, s->of[v].video, err);
    return status;
}

sn_rt_status sn_rt_scores_write(const char *path, const sn_rt_scores *s, sn_rt_error *err)
{
    sn_rt_tensors *set = sn_rt_tensors_new();
    json_t *names = json_array();
    sn_rt_status status = set && names ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    for (uint32_t c = 0; c < s->classes.count; c++) json_array_append_new(names, json_string(s->classes.name[c]));
    char *text = status == SN_RT_OK ? json_dumps(names, JSON_COMPACT) : NULL;
    if (text && s->classes.count) status = sn_rt_tensors_set_meta(set, "classes", text, err);
    for (uint32_t v = 0; v < s->videos.count && status == SN_RT_OK; v++) status = put_video(set, s, v, err);
    if (status == SN_RT_OK) status = sn_rt_tensors_write(set, path, err);
    free(text);
    json_decref(names);
    sn_rt_tensors_free(set);
    return status;
}

void sn_rt_scores_fini(sn_rt_scores *s)
{
    for (uint32_t v = 0; v < s->videos.count && s->of; v++) free(s->of[v].p), free(s->of[v].video);
    free(s->of);
    sn_rt_names_fini(&s->videos);
    sn_rt_names_fini(&s->classes);
    *s = (sn_rt_scores){0};
}
