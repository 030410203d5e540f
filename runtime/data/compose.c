/* Clips of a set into composed sequences.
 * Not the table's reader (csv.c). */
#include "compose.h"

#include "csv.h"
#include "skeleton.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns of the table. */
enum { SEQ, FPS, START, END, LABEL, CLIP, SOURCE, COLUMNS };

enum { POSE = SN_RT_JOINTS * 3 }; /* numbers of a frame */

typedef struct composer {
    const sn_rt_dataset *clips;
    const sn_rt_compose *how;
    csv                  table;
    int                  column[COLUMNS];
    sn_rt_dataset       *out;
} composer;

static const char *at(const composer *c, size_t row, int column)
{
    return c->column[column] < 0 ? "" : sn_rt_csv_at(&c->table, row, c->column[column]);
}

static sn_rt_status wrong(const composer *c, size_t row, sn_rt_error *err, const char *what, const char *value)
{
    return sn_rt_fail(err, SN_RT_FORMAT, "%s:%lu: %s \"%s\"", c->table.path, sn_rt_csv_line(&c->table, row), what, value);
}

/* The clip of a row, checked against its frames and rate. */
static sn_rt_status clip_of(const composer *c, size_t row, size_t start, const sn_rt_sequence **out, sn_rt_error *err)
{
    char  *end;
    size_t index = sn_rt_dataset_find(c->clips, at(c, row, CLIP));
    if (index == SIZE_MAX) return wrong(c, row, err, "the set has no clip", at(c, row, CLIP));
    const sn_rt_sequence *q = sn_rt_dataset_at(c->clips, index);
    if (q->persons != 1 || q->joints != SN_RT_JOINTS) return wrong(c, row, err, "not one person of 25 joints: clip", q->id);
    double fps = strtod(at(c, row, FPS), &end);
    if (*end || end == at(c, row, FPS) || fps != q->fps) return wrong(c, row, err, "the clip has another rate than", at(c, row, FPS));
    double from = strtod(at(c, row, START), &end);
    if (*end || end == at(c, row, START) || from != (double)start) return wrong(c, row, err, "start_frame is not where the clip before ends:", at(c, row, START));
    double to = strtod(at(c, row, END), &end);
    if (*end || end == at(c, row, END) || to != (double)(start + q->frames)) {
        char text[64];
        snprintf(text, sizeof text, "end_frame is not %zu, where its clip ends:", start + q->frames);
        return wrong(c, row, err, text, at(c, row, END));
    }
    *out = q;
    return SN_RT_OK;
}

/* ---- joining ------------------------------------------------------------------------------------------------------------ */

/* Angle of right minus left, about z. */
static double heading(const float *pose)
{
    const float *ls = pose + 4 * 3, *rs = pose + 8 * 3, *lh = pose + 12 * 3, *rh = pose + 16 * 3;
    return atan2((double)(rs[1] - ls[1] + rh[1] - lh[1]), (double)(rs[0] - ls[0] + rh[0] - lh[0]));
}

static void turn(float *x, size_t points, double angle)
{
    double c = cos(angle), s = sin(angle);
    for (size_t i = 0; i < points; i++, x += 3) {
        double px = (double)x[0], py = (double)x[1];
        x[0] = (float)(c * px - s * py);
        x[1] = (float)(s * px + c * py);
    }
}

/* Make the clip at `x` go on from the pose before it. */
static void join(float *x, size_t frames, uint32_t blend)
{
    const float *last = x - POSE;
    float        gap[POSE];
    size_t       b = blend < frames ? blend : frames;
    turn(x, frames * SN_RT_JOINTS, heading(last) - heading(x));
    for (int i = 0; i < POSE; i++) gap[i] = last[i] - x[i];
    for (size_t k = 0; k < b; k++) {
        double s = (double)(k + 1) / (double)(b + 1), fade = (1 - s) * (1 - s) * (1 + 2 * s);
        for (int i = 0; i < POSE; i++) x[k * POSE + (size_t)i] += (float)(fade * (double)gap[i]);
    }
}

/* ---- sequences ---------------------------------------------------------------------------------------------------------- */

static sn_rt_status label_rows(const composer *c, size_t first, size_t rows, const char *id, sn_rt_error *err)
{
    sn_rt_status status = SN_RT_OK;
    size_t       sequence = sn_rt_dataset_find(c->out, id);
    for (size_t r = first; r < first + rows && status == SN_RT_OK; r++) {
        const char *origin = *at(c, r, SOURCE) ? at(c, r, SOURCE) : "composite";
        if (*at(c, r, LABEL))
            status = sn_rt_dataset_label(c->out, sequence, (uint32_t)atol(at(c, r, START)), (uint32_t)atol(at(c, r, END)), at(c, r, LABEL), origin, err);
    }
    return status;
}

/* Copy the clips of a sequence one behind another. */
static void fill(const composer *c, size_t first, size_t rows, float *x)
{
    float *at_x = x;
    for (size_t r = first; r < first + rows; r++) {
        const sn_rt_sequence *clip = sn_rt_dataset_at(c->clips, sn_rt_dataset_find(c->clips, at(c, r, CLIP)));
        memcpy(at_x, clip->x, clip->frames * POSE * sizeof *x);
        if (at_x != x) join(at_x, clip->frames, c->how->blend);
        at_x += clip->frames * POSE;
    }
}

/* One sequence: rows first .. first + rows - 1. */
static sn_rt_status compose(const composer *c, size_t first, size_t rows, sn_rt_error *err)
{
    const sn_rt_sequence *clip = NULL;
    size_t                frames = 0;
    sn_rt_status          status = SN_RT_OK;
    if (sn_rt_dataset_find(c->out, at(c, first, SEQ)) != SIZE_MAX) return wrong(c, first, err, "the set holds already sequence", at(c, first, SEQ));
    for (size_t r = first; r < first + rows; r++) {
        if ((status = clip_of(c, r, frames, &clip, err)) != SN_RT_OK) return status;
        frames += clip->frames;
    }
    float *x = malloc(frames * POSE * sizeof *x);
    if (!x) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu frames", frames);
    fill(c, first, rows, x);
    const char    *slash = strrchr(c->table.path, '/');
    sn_rt_body     body = *sn_rt_dataset_body_at(c->clips, clip->body);
    sn_rt_sequence q = {.id = at(c, first, SEQ), .file = slash ? slash + 1 : c->table.path, .source = "composite", .split = c->how->split, .fps = clip->fps,
                        .source_fps = clip->fps, .frames = frames, .joints = SN_RT_JOINTS, .x = x};
    status = sn_rt_dataset_body(c->out, &body, &q.body, err);
    if (status == SN_RT_OK) status = sn_rt_dataset_add(c->out, &q, err);
    if (status == SN_RT_OK) status = label_rows(c, first, rows, q.id, err);
    free(x);
    return status;
}

static sn_rt_status find_columns(composer *c, sn_rt_error *err)
{
    static const char *const name[COLUMNS] = {"seq", "fps", "start_frame", "end_frame", "label", "clip", "source"};
    for (int i = 0; i < COLUMNS; i++) {
        c->column[i] = sn_rt_csv_column(&c->table, name[i]);
        if (c->column[i] < 0 && i != SOURCE) return sn_rt_fail(err, SN_RT_FORMAT, "%s:1: no column %s", c->table.path, name[i]);
    }
    return SN_RT_OK;
}

sn_rt_status sn_rt_compose_add(const sn_rt_dataset *clips, const sn_rt_compose *how, sn_rt_dataset *out, size_t *out_sequences, sn_rt_error *err)
{
    composer c = {.clips = clips, .how = how, .out = out};
    *out_sequences = 0;
    if (strcmp(sn_rt_dataset_layout(clips), "ntu25")) return sn_rt_fail(err, SN_RT_ARGUMENT, "clips have layout %s, not ntu25", sn_rt_dataset_layout(clips));
    sn_rt_status status = sn_rt_csv_read(how->table, &c.table, err);
    if (status != SN_RT_OK) return status;
    status = find_columns(&c, err);
    for (size_t r = 0, rows; r < c.table.rows && status == SN_RT_OK; r += rows) {
        for (rows = 1; r + rows < c.table.rows && !strcmp(at(&c, r, SEQ), at(&c, r + rows, SEQ));) rows++;
        if (how->prefix && strncmp(at(&c, r, SEQ), how->prefix, strlen(how->prefix))) continue;
        status = compose(&c, r, rows, err);
        *out_sequences += status == SN_RT_OK;
    }
    sn_rt_csv_fini(&c.table);
    return status;
}
