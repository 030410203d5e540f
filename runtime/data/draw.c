/* A sequence as a picture.
 * Not the stick figures (pose.c). */
#include "draw.h"

#include "pose.h"

#include <math.h>
#include <stdio.h>

enum { CELL = 150, MARGIN = 24, HEAD = 56, VIEW = 230, STRIP = 86, VIEWS = 2 };

typedef struct drawing {
    cairo_t *canvas;
    const sn_rt_sequence *s;
    const sn_rt_body *body;
    const sn_rt_pose_view *views;
    size_t poses;
    double scale;      /* pixels a metre */
    double low[VIEWS]; /* lowest `up` of all poses, relative to the centre */
} drawing;

static size_t frame_of(const drawing *d, size_t pose)
{
    return d->poses < 2 ? d->s->frames / 2 : pose * (d->s->frames - 1) / (d->poses - 1);
}

/* One scale for all poses: the largest reach sideways fits a cell, the largest height a row. */
static void fit(drawing *d)
{
    double reach = 0.1, height = 0.1;
    for (int v = 0; v < VIEWS; v++) {
        double low = INFINITY, high = -INFINITY;
        for (size_t p = 0; p < d->poses; p++)
            sn_rt_pose_extent(d->s, frame_of(d, p), &d->views[v], &reach, &low, &high);
        d->low[v] = low;
        height = fmax(height, high - low);
    }
    d->scale = fmin((CELL - 10) / (2 * reach), (VIEW - 40) / height);
}

static void draw_pose(const drawing *d, size_t pose, int v)
{
    double middle = MARGIN + ((double)pose + 0.5) * CELL, floor_ = HEAD + (v + 1) * VIEW - 20;
    sn_rt_pose_draw(d->canvas, d->body, d->s, frame_of(d, pose), &d->views[v], middle, floor_, d->low[v], d->scale);
}

/* Time runs over the whole width; each segment is a bar with its name. */
static void draw_strip(const drawing *d, const sn_rt_dataset *set, double width)
{
    double top = HEAD + VIEWS * VIEW + 8, span = width - 2 * MARGIN;
    char text[64];
    sn_rt_picture_grey(d->canvas, 0.93);
    cairo_rectangle(d->canvas, MARGIN, top, span, 26);
    cairo_fill(d->canvas);
    for (size_t i = 0; i < d->s->segments; i++) {
        const sn_rt_segment *g = &d->s->segment[i];
        double from = MARGIN + span * g->start / (double)d->s->frames, to = MARGIN + span * g->end / (double)d->s->frames;
        sn_rt_picture_colour(d->canvas, g->label);
        cairo_rectangle(d->canvas, from, top, to - from - 1, 26);
        cairo_fill(d->canvas);
        cairo_save(d->canvas);
        cairo_rectangle(d->canvas, from, top, to - from - 1, 26);
        cairo_clip(d->canvas);
        sn_rt_picture_grey(d->canvas, 1);
        sn_rt_picture_text(d->canvas, from + 4, top + 18, 0, 12, sn_rt_dataset_label_name(set, g->label));
        cairo_restore(d->canvas);
    }
    sn_rt_picture_grey(d->canvas, 0.2);
    for (size_t p = 0; p < d->poses; p++) {
        double at = MARGIN + span * ((double)frame_of(d, p) + 0.5) / (double)d->s->frames;
        cairo_set_line_width(d->canvas, 1);
        cairo_move_to(d->canvas, at, top + 26);
        cairo_line_to(d->canvas, at, top + 32);
        cairo_stroke(d->canvas);
        snprintf(text, sizeof text, "%.1f s", (double)frame_of(d, p) / d->s->fps);
        sn_rt_picture_text(d->canvas, fmin(fmax(at, MARGIN + 14), width - MARGIN - 14), top + 46, 0.5, 12, text);
    }
}

static void draw_head(const drawing *d, double width)
{
    char text[300];
    snprintf(text, sizeof text, "%.120s   %.60s, %s, %zu frames at %g Hz, %.1f s", d->s->id, d->s->source, d->s->split,
             d->s->frames, d->s->fps, (double)d->s->frames / d->s->fps);
    sn_rt_picture_grey(d->canvas, 0.1);
    sn_rt_picture_text(d->canvas, MARGIN, 28, 0, 16, text);
    for (int v = 0; v < VIEWS; v++) {
        double floor_ = HEAD + (v + 1) * VIEW - 20;
        sn_rt_picture_grey(d->canvas, 0.45);
        sn_rt_picture_text(d->canvas, MARGIN, HEAD + v * VIEW + 4, 0, 12, d->views[v].name);
        sn_rt_picture_grey(d->canvas, 0.85);
        cairo_set_line_width(d->canvas, 1);
        cairo_move_to(d->canvas, MARGIN, floor_ + 0.5);
        cairo_line_to(d->canvas, width - MARGIN, floor_ + 0.5);
        cairo_stroke(d->canvas);
    }
    sn_rt_picture_colour(d->canvas, 0);
    sn_rt_picture_text(d->canvas, width - MARGIN - 48, 48, 1, 12, "left");
    sn_rt_picture_colour(d->canvas, 1);
    sn_rt_picture_text(d->canvas, width - MARGIN, 48, 1, 12, "right");
}

static void draw_one(drawing *d, const sn_rt_dataset *set, double width)
{
    draw_head(d, width);
    for (size_t p = 0; p < d->poses; p++)
        for (int v = 0; v < VIEWS; v++)
            draw_pose(d, p, v);
    draw_strip(d, set, width);
}

static drawing drawing_of(const sn_rt_dataset *set, size_t sequence, size_t poses)
{
    drawing d = {.s = sn_rt_dataset_at(set, sequence), .poses = poses};
    d.body = sn_rt_dataset_body_at(set, d.s->body);
    d.views = sn_rt_pose_views(sn_rt_dataset_layout(set));
    fit(&d);
    return d;
}

sn_rt_status sn_rt_draw_sequences(const sn_rt_dataset *set, size_t first, size_t count, size_t poses, const char *path,
                                  sn_rt_error *err)
{
    size_t end = first + count;
    if (poses < 1 || poses > 32 || count < 1 || first >= sn_rt_dataset_count(set) || end > sn_rt_dataset_count(set))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: %zu poses of sequence %zu, expected 1 to 32 of %zu sequences", path,
                          poses, first, sn_rt_dataset_count(set));
    int width = 2 * MARGIN + (int)poses * CELL, height = HEAD + VIEWS * VIEW + STRIP;
    double scale = INFINITY;
    if (width < 640)
        width = 640;
    for (size_t i = first; i < end; i++)
        scale = fmin(scale, drawing_of(set, i, poses).scale);
    cairo_t *canvas = count <= 16 ? sn_rt_picture_new(width, (int)count * height) : NULL;
    if (!canvas)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no canvas of %d x %zu * %d pixels", path, width, count, height);
    for (size_t i = first; i < end; i++) {
        drawing d = drawing_of(set, i, poses);
        d.canvas = canvas;
        d.scale = scale;
        draw_one(&d, set, width);
        cairo_translate(canvas, 0, height);
    }
    return sn_rt_picture_take(canvas, path, err);
}

sn_rt_status sn_rt_draw_sequence(const sn_rt_dataset *set, size_t sequence, size_t poses, const char *path,
                                 sn_rt_error *err)
{
    return sn_rt_draw_sequences(set, sequence, 1, poses, path, err);
}
