/* Rows of features with what they show, as files and as a picture.
 * Not how they are computed (features.c) or placed (runtime/eval/tsne.c). */
#include "embed.h"

#include "../runtime/data/csv.h"
#include "../runtime/data/file.h"
#include "../runtime/data/loader.h"
#include "../runtime/data/names.h"
#include "../runtime/data/npy.h"
#include "../runtime/data/scatter.h"

#include <stdlib.h>
#include <string.h>

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

/* Room for as many places in time as there are rows. */
static sn_rt_status grow_times(sn_embedding *e, size_t before, sn_rt_error *err)
{
    uint32_t *start = realloc(e->start, e->rows.capacity * sizeof *start);
    if (start) e->start = start;
    uint32_t *end = realloc(e->end, e->rows.capacity * sizeof *end);
    if (end) e->end = end;
    return start && end ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for more than %zu rows", before);
}

static sn_rt_status add_sequence(const sn_embed_how *how, sn_extractor *x, sn_embedding *e, uint32_t i, sn_rt_error *err)
{
    const sn_rt_sequence *s = sn_rt_dataset_at(e->set, i);
    float       *class = e->classes ? malloc(s->frames * sizeof *class) : NULL;
    sn_features  f = {0}, rows = {0};
    int32_t     *of = NULL;
    sn_rt_status status = e->classes && !class ? sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", s->id) : sn_extract(x, s, &f, err);
    if (class) sn_rt_classes_of_frames(e->classes, e->set, s, 0, s->frames, class);
    if (status == SN_RT_OK) status = sn_grain_rows(how->grain, &f, class, s->frames, how->snippet_frames, &rows, &of, err);
    for (size_t r = 0; r < rows.frames && status == SN_RT_OK; r++) {
        size_t at = e->rows.count, capacity = e->rows.capacity;
        status = sn_rt_rows_add(&e->rows, rows.x + r * rows.width, rows.width, i, of[r], err);
        if (status == SN_RT_OK && e->rows.capacity != capacity) status = grow_times(e, at, err);
        if (status != SN_RT_OK) break;
        e->start[at] = (uint32_t)(r * s->frames / rows.frames);
        e->end[at] = (uint32_t)((r + 1) * s->frames / rows.frames);
    }
    free(class), free(f.x), free(rows.x), free(of);
    return status;
}

sn_rt_status sn_embed_rows(const sn_embed_how *how, sn_extractor *x, sn_embedding *e, sn_rt_error *err)
{
    *e = (sn_embedding){.grain = how->grain};
    sn_rt_status status = sn_rt_splits_check(how->splits, err);
    if (status == SN_RT_OK) status = sn_rt_dataset_open(how->data, &e->set, err);
    if (status == SN_RT_OK && (how->classes || sn_rt_dataset_labels(e->set))) status = sn_rt_classes_new(e->set, how->classes, &e->classes, err);
    if (e->classes) e->classes->ignore_unlabelled = how->ignore_unlabelled;
    for (uint32_t i = 0; status == SN_RT_OK && i < sn_rt_dataset_count(e->set); i++)
        if (sn_rt_split_listed(how->splits, sn_rt_dataset_at(e->set, i)->split)) status = add_sequence(how, x, e, i, err);
    if (status == SN_RT_OK && !e->rows.count) status = sn_rt_fail(err, SN_RT_MISSING, "%s: no sequence in these splits", how->data);
    return status;
}

sn_rt_status sn_embed_places(sn_embedding *e, const sn_rt_tsne *how, size_t most, sn_rt_error *err)
{
    sn_rt_rows unit = {0};
    size_t     n = e->rows.count < most ? e->rows.count : most, width = e->rows.width;
    e->shown = malloc((n + 1) * sizeof *e->shown);
    e->at = malloc((2 * n + 1) * sizeof *e->at);
    sn_rt_status status = e->shown && e->at ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu points", n);
    for (size_t i = 0; i < n && status == SN_RT_OK; i++) {
        e->shown[i] = i * e->rows.count / n;
        status = sn_rt_rows_add(&unit, e->rows.x + e->shown[i] * width, width, 0, 0, err);
    }
    sn_rt_rows_normalise(&unit);
    if (status == SN_RT_OK) status = sn_rt_tsne_run(how, unit.x, n, width, e->at, &e->divergence, err);
    if (status == SN_RT_OK) e->points = n;
    sn_rt_rows_fini(&unit);
    return status;
}

void sn_embed_fini(sn_embedding *e)
{
    sn_rt_rows_fini(&e->rows);
    sn_rt_classes_free(e->classes);
    sn_rt_dataset_free(e->set);
    free(e->start), free(e->end), free(e->shown), free(e->at);
    *e = (sn_embedding){0};
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static sn_rt_status put_points(const sn_embedding *e, sn_rt_tensors *set, sn_rt_error *err)
{
    const uint64_t dims[2] = {e->points, 2};
    int64_t       *row;
    sn_rt_status   status = sn_rt_tensors_borrow(set, "points", SN_RT_ELEM_F64, 2, dims, e->at, err);
    if (status == SN_RT_OK) status = sn_rt_tensors_add(set, "points_row", SN_RT_ELEM_I64, 1, dims, NULL, (void **)&row, err);
    for (size_t i = 0; i < e->points && status == SN_RT_OK; i++) row[i] = (int64_t)e->shown[i];
    return status;
}

sn_rt_status sn_embed_write(const sn_embedding *e, const char *path, sn_rt_error *err)
{
    const uint64_t dims[2] = {e->rows.count, e->rows.width};
    size_t         length = strlen(path);
    if (length > 4 && strcmp(path + length - 4, ".npy") == 0) {
        const sn_rt_array a = {.elem = SN_RT_ELEM_F32, .rank = 2, .dims = {dims[0], dims[1]}, .data = e->rows.x, .bytes = e->rows.count * e->rows.width * sizeof(float)};
        return sn_rt_npy_write(path, &a, err);
    }
    sn_rt_tensors *set = sn_rt_tensors_new();
    sn_rt_status   status = set ? sn_rt_tensors_borrow(set, "features", SN_RT_ELEM_F32, 2, dims, e->rows.x, err) : sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    if (status == SN_RT_OK) status = sn_rt_tensors_borrow(set, "class", SN_RT_ELEM_I32, 1, dims, e->rows.class, err);
    if (status == SN_RT_OK && e->points) status = put_points(e, set, err);
    if (status == SN_RT_OK) status = sn_rt_tensors_write(set, path, err);
    sn_rt_tensors_free(set);
    return status;
}

static const char *class_name(const sn_embedding *e, size_t row)
{
    int32_t class = e->rows.class[row];
    if (class < 0) return "";
    return (size_t)class < e->classes->count ? e->classes->name[class] : "background";
}

sn_rt_status sn_embed_table(const sn_embedding *e, const char *path, sn_rt_error *err)
{
    char  *bytes = NULL;
    size_t size = 0, point = 0;
    FILE  *f = open_memstream(&bytes, &size);
    if (!f) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    fprintf(f, "row,video,start,end,seconds,class,x,y\n");
    for (size_t i = 0; i < e->rows.count; i++) {
        const sn_rt_sequence *s = sn_rt_dataset_at(e->set, e->rows.group[i]);
        fprintf(f, "%zu,", i);
        sn_rt_csv_field(f, s->id);
        fprintf(f, ",%u,%u,%.4f,", e->start[i], e->end[i], (e->start[i] + e->end[i]) / 2.0 / s->fps);
        sn_rt_csv_field(f, class_name(e, i));
        if (point < e->points && e->shown[point] == i) {
            fprintf(f, ",%.9g,%.9g\n", e->at[2 * point], e->at[2 * point + 1]);
            point++;
        } else {
            fprintf(f, ",,\n");
        }
    }
    sn_rt_status status = fclose(f) ? sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path) : sn_rt_file_replace(path, bytes, size, err);
    free(bytes);
    return status;
}

/* ---- picture ------------------------------------------------------------------------------------------------------------ */

static const char *group_name(const sn_embedding *e, sn_embed_colour colour, size_t row)
{
    if (colour == SN_COLOUR_VIDEO) return sn_rt_dataset_at(e->set, e->rows.group[row])->id;
    return *class_name(e, row) ? class_name(e, row) : "unlabelled";
}

/* Groups in the order of the classes, or of the videos. */
static sn_rt_status name_groups(const sn_embedding *e, sn_embed_colour colour, uint32_t *group, sn_rt_names *names, sn_rt_error *err)
{
    sn_rt_status status = SN_RT_OK;
    for (size_t c = 0; colour == SN_COLOUR_CLASS && e->classes && c < e->classes->count && status == SN_RT_OK; c++) {
        uint32_t at;
        bool     occurs = false;
        for (size_t i = 0; i < e->points; i++) occurs |= e->rows.class[e->shown[i]] == (int32_t)c;
        if (occurs) status = sn_rt_names_add(names, e->classes->name[c], &at, err);
    }
    for (size_t i = 0; i < e->points && status == SN_RT_OK; i++) status = sn_rt_names_add(names, group_name(e, colour, e->shown[i]), &group[i], err);
    return status;
}

sn_rt_status sn_embed_picture(const sn_embedding *e, sn_embed_colour colour, const char *title, const char *path, sn_rt_error *err)
{
    sn_rt_names  names = {0};
    uint32_t    *group = malloc((e->points + 1) * sizeof *group);
    double      *value = malloc((e->points + 1) * sizeof *value);
    sn_rt_status status = group && value ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    for (size_t i = 0; i < e->points && status == SN_RT_OK; i++) {
        size_t row = e->shown[i];
        value[i] = (e->start[row] + e->end[row]) / 2.0 / sn_rt_dataset_at(e->set, e->rows.group[row])->fps;
    }
    if (status == SN_RT_OK && colour != SN_COLOUR_TIME) status = name_groups(e, colour, group, &names, err);
    sn_rt_scatter s = {.title = title, .at = e->at, .count = e->points};
    if (colour == SN_COLOUR_TIME) s.value = value, s.value_label = "seconds into the recording";
    else s.group = group, s.name = (const char *const *)names.name, s.groups = names.count;
    if (status == SN_RT_OK) status = sn_rt_scatter_write(&s, path, err);
    sn_rt_names_fini(&names);
    free(group), free(value);
    return status;
}
