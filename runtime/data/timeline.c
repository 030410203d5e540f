/* A recording as a timeline.
 * Not the stick figures (pose.c). */
#include "timeline.h"

#include "pose.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEFT = 150, RIGHT = 24, HEAD = 48, POSES = 170, BAR = 26, GAP = 10, ROW = 34, FOOT = 44, LEAST = 900, MOST = 8000, APART = 74 };

typedef struct drawing {
    const sn_rt_timeline *t;
    const sn_rt_sequence *s;
    cairo_t *canvas;
    double width; /* of the time axis */
    double y;     /* where the next row begins */
} drawing;

static double at(const drawing *d, double frame)
{
    return LEFT + d->width * frame / (double)d->s->frames;
}

static double second(const drawing *d, double frame)
{
    return (double)d->s->source_first / d->s->source_fps + frame / d->s->fps;
}

/* ---- bars --------------------------------------------------------------------------------------------------------------- */

static const char *name_of(const drawing *d, size_t class)
{
    return class < d->t->classes->count ? d->t->classes->name[class] : "";
}

static void bar(const drawing *d, size_t start, size_t end, size_t class)
{
    double from = at(d, (double)start), to = at(d, (double)end);
    cairo_save(d->canvas);
    cairo_rectangle(d->canvas, from, d->y, fmax(to - from - 1, 1), BAR);
    cairo_clip_preserve(d->canvas);
    sn_rt_picture_colour(d->canvas, class);
    cairo_fill(d->canvas);
    sn_rt_picture_grey(d->canvas, 1);
    sn_rt_picture_text(d->canvas, from + 4, d->y + 18, 0, 12, name_of(d, class));
    cairo_restore(d->canvas);
}

static void begin_bars(const drawing *d, const char *title)
{
    sn_rt_picture_grey(d->canvas, 0.2);
    sn_rt_picture_text(d->canvas, LEFT - 8, d->y + 18, 1, 13, title);
    sn_rt_picture_grey(d->canvas, 0.93);
    cairo_rectangle(d->canvas, LEFT, d->y, d->width, BAR);
    cairo_fill(d->canvas);
}

static void found_bars(drawing *d)
{
    begin_bars(d, "found");
    for (size_t i = 0; i < d->t->founds; i++)
        bar(d, d->t->found[i].start, d->t->found[i].end, d->t->found[i].label);
    d->y += BAR + GAP;
}

static sn_rt_status truth_bars(drawing *d, sn_rt_error *err)
{
    float *class = malloc(d->s->frames * sizeof *class);
    if (!class)
        return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a timeline");
    sn_rt_classes_of_frames(d->t->classes, d->t->set, d->s, 0, d->s->frames, class);
    begin_bars(d, "true");
    for (size_t start = 0, end; start < d->s->frames; start = end) {
        for (end = start; end < d->s->frames && class[end] == class[start];)
            end++;
        if (class[start] >= 0 && class[start] < (float)d->t->classes->count)
            bar(d, start, end, (size_t)class[start]);
    }
    d->y += BAR + GAP;
    free(class);
    return SN_RT_OK;
}

/* ---- scores ------------------------------------------------------------------------------------------------------------- */

static void score_row(drawing *d, size_t class)
{
    size_t K = d->t->classes->count + 1;
    double bottom = d->y + ROW - 6, height = ROW - 10;
    sn_rt_picture_grey(d->canvas, 0.2);
    sn_rt_picture_text(d->canvas, LEFT - 8, bottom - 6, 1, 12, class + 1 < K ? name_of(d, class) : "background");
    if (class + 1 < K)
        sn_rt_picture_colour(d->canvas, class);
    else
        sn_rt_picture_grey(d->canvas, 0.6);
    cairo_move_to(d->canvas, LEFT, bottom);
    for (size_t f = 0; f < d->s->frames; f++)
        cairo_line_to(d->canvas, at(d, (double)f + 0.5), bottom - height * (double)d->t->scores[f * K + class]);
    cairo_line_to(d->canvas, LEFT + d->width, bottom);
    cairo_close_path(d->canvas);
    cairo_fill(d->canvas);
    sn_rt_picture_grey(d->canvas, 0.8);
    cairo_set_line_width(d->canvas, 1);
    cairo_move_to(d->canvas, LEFT, bottom + 0.5);
    cairo_line_to(d->canvas, LEFT + d->width, bottom + 0.5);
    cairo_stroke(d->canvas);
    d->y += ROW;
}

/* Ticks a whole number of seconds apart, at most one every 60 pixels. */
static void axis(const drawing *d)
{
    static const double steps[] = {1, 2, 5, 10, 20, 30, 60, 120, 300, 600};
    double first = second(d, 0), last = second(d, (double)d->s->frames), step = steps[9];
    char text[32];
    for (size_t i = 10; i-- > 0;)
        if (d->width * steps[i] / (last - first) >= 60)
            step = steps[i];
    sn_rt_picture_grey(d->canvas, 0.2);
    for (double s = ceil(first / step) * step; s <= last; s += step) {
        double x = at(d, (s - first) * d->s->fps);
        cairo_move_to(d->canvas, x, d->y);
        cairo_line_to(d->canvas, x, d->y + 6);
        cairo_stroke(d->canvas);
        snprintf(text, sizeof text, "%g s", s);
        sn_rt_picture_text(d->canvas, x, d->y + 22, 0.5, 12, text);
    }
}

/* ---- poses -------------------------------------------------------------------------------------------------------------- */

/* The pose at the beginning of each segment that is far enough from the one before, its foot at its time. */
static void poses(drawing *d)
{
    const sn_rt_pose_view *view = sn_rt_pose_views(sn_rt_dataset_layout(d->t->set));
    const sn_rt_body *body = sn_rt_dataset_body_at(d->t->set, d->s->body);
    double reach = 0.1, low = 0, high = 0.1, floor = d->y + POSES - 22, last = -INFINITY;
    for (size_t i = 0; i < d->t->founds; i++)
        sn_rt_pose_extent(d->s, d->t->found[i].start, view, &reach, &low, &high);
    double scale = fmin((APART + 30) / (2 * reach), (POSES - 34) / (high - low));
    for (size_t i = 0; i < d->t->founds; i++) {
        size_t frame = d->t->found[i].start;
        double x = at(d, (double)frame + 0.5);
        sn_rt_picture_grey(d->canvas, 0.7);
        cairo_set_line_width(d->canvas, 1);
        cairo_move_to(d->canvas, x, floor + 4);
        cairo_line_to(d->canvas, x, d->y + POSES);
        cairo_stroke(d->canvas);
        if (x - last < APART)
            continue;
        last = x;
        sn_rt_pose_draw(d->canvas, body, d->s, frame, view, x, floor, low, scale);
    }
    d->y += POSES;
}

/* ---- all ---------------------------------------------------------------------------------------------------------------- */

static void head(const drawing *d)
{
    char text[300];
    snprintf(text, sizeof text, "%.120s   %.60s, %zu frames at %g Hz, %.1f s", d->s->id, d->s->source, d->s->frames, d->s->fps,
             (double)d->s->frames / d->s->fps);
    sn_rt_picture_grey(d->canvas, 0.1);
    sn_rt_picture_text(d->canvas, LEFT, 28, 0, 16, text);
}

sn_rt_status sn_rt_timeline_draw(const sn_rt_timeline *t, const char *path, sn_rt_error *err)
{
    const sn_rt_sequence *s = sn_rt_dataset_at(t->set, t->sequence);
    double width = fmin(fmax((double)s->frames / s->fps * 36, LEAST), MOST);
    size_t rows = t->classes->count + 1;
    int height = HEAD + POSES + (BAR + GAP) * (1 + t->truth) + (int)rows * ROW + FOOT;
    drawing d = {.t = t, .s = s, .canvas = rows <= 256 ? sn_rt_picture_new(LEFT + (int)width + RIGHT, height) : NULL, .width = width, .y = HEAD};
    if (!d.canvas)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no canvas for %zu classes", path, rows);
    sn_rt_status status = SN_RT_OK;
    head(&d);
    poses(&d);
    found_bars(&d);
    if (t->truth)
        status = truth_bars(&d, err);
    for (size_t k = 0; k < rows; k++)
        score_row(&d, k);
    axis(&d);
    if (status == SN_RT_OK)
        return sn_rt_picture_take(d.canvas, path, err);
    cairo_destroy(d.canvas);
    return status;
}
