/* Points of a plane: equal scales, shapes and colours, legend or scale.
 * Not curves (plot.c). */
#include "scatter.h"

#include "picture.h"

#include <math.h>
#include <stdio.h>

enum { COLOURS = 8, LEGEND = 24, LEGEND_WIDTH = 200, MARGIN = 28 };

/* Where points go: one scale for both directions, centred in the left part of the picture. */
typedef struct frame {
    double scale, x, y; /* pixel = x + scale * at[0], y - scale * at[1] */
} frame;

static frame frame_of(const sn_rt_scatter *s, double width, double height)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < 2 * s->count; i++) {
        low[i % 2] = fmin(low[i % 2], s->at[i]);
        high[i % 2] = fmax(high[i % 2], s->at[i]);
    }
    double scale = fmin(width / fmax(high[0] - low[0], 1e-12), height / fmax(high[1] - low[1], 1e-12));
    if (!s->count)
        return (frame){1, 0, 0};
    return (frame){scale, MARGIN + width / 2 - scale * (low[0] + high[0]) / 2, 2 * MARGIN + height / 2 + scale * (low[1] + high[1]) / 2};
}

/* Shape 0: disc, 1: square, 2: triangle, 3: cross. */
static void mark(cairo_t *canvas, double x, double y, double radius, size_t shape)
{
    static const double full_turn = 6.283185307179586;
    switch (shape % 4) {
    case 0:
        cairo_arc(canvas, x, y, radius, 0, full_turn);
        break;
    case 1:
        cairo_rectangle(canvas, x - radius * 0.9, y - radius * 0.9, radius * 1.8, radius * 1.8);
        break;
    case 2:
        cairo_move_to(canvas, x, y - radius * 1.2);
        cairo_line_to(canvas, x + radius * 1.1, y + radius * 0.8);
        cairo_line_to(canvas, x - radius * 1.1, y + radius * 0.8);
        cairo_close_path(canvas);
        break;
    default:
        cairo_move_to(canvas, x - radius, y - radius);
        cairo_line_to(canvas, x + radius, y + radius);
        cairo_move_to(canvas, x - radius, y + radius);
        cairo_line_to(canvas, x + radius, y - radius);
        cairo_set_line_width(canvas, radius * 0.6);
        cairo_stroke(canvas);
        return;
    }
    cairo_fill(canvas);
}

/* 0 dark blue, 0.5 teal, 1 yellow: also in grey, dark to light. */
static void value_colour(cairo_t *canvas, double part)
{
    static const double stop[4][3] = {{0.19, 0.07, 0.36}, {0.20, 0.36, 0.55}, {0.13, 0.66, 0.52}, {0.97, 0.88, 0.15}};
    double at = fmax(0, fmin(1, part)) * 3;
    int low = at >= 3 ? 2 : (int)at;
    double rest = at - low;
    cairo_set_source_rgb(canvas, stop[low][0] + rest * (stop[low + 1][0] - stop[low][0]), stop[low][1] + rest * (stop[low + 1][1] - stop[low][1]),
                         stop[low][2] + rest * (stop[low + 1][2] - stop[low][2]));
}

static void value_range(const sn_rt_scatter *s, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < s->count; i++) {
        *low = fmin(*low, s->value[i]);
        *high = fmax(*high, s->value[i]);
    }
}

static void draw_points(cairo_t *canvas, const sn_rt_scatter *s, const frame *f)
{
    double radius = s->count > 5000 ? 1.6 : s->count > 1000 ? 2.4 : 3.6, low = 0, high = 1;
    if (!s->group)
        value_range(s, &low, &high);
    for (size_t i = 0; i < s->count; i++) {
        size_t group = s->group ? s->group[i] : 0;
        if (s->group)
            sn_rt_picture_colour(canvas, group);
        else
            value_colour(canvas, high > low ? (s->value[i] - low) / (high - low) : 0);
        mark(canvas, f->x + f->scale * s->at[2 * i], f->y - f->scale * s->at[2 * i + 1], radius, group / COLOURS);
    }
}

static void draw_legend(cairo_t *canvas, const sn_rt_scatter *s, double x)
{
    char more[40];
    for (size_t g = 0; g < s->groups && g < LEGEND; g++) {
        double y = 2 * MARGIN + 12 + 24 * (double)g;
        sn_rt_picture_colour(canvas, g);
        mark(canvas, x, y - 4, 5, g / COLOURS);
        sn_rt_picture_grey(canvas, 0.1);
        sn_rt_picture_text(canvas, x + 14, y, 0, 13, s->name[g]);
    }
    if (s->groups <= LEGEND)
        return;
    snprintf(more, sizeof more, "and %zu more", s->groups - LEGEND);
    sn_rt_picture_grey(canvas, 0.4);
    sn_rt_picture_text(canvas, x, 2 * MARGIN + 12 + 24 * (double)LEGEND, 0, 13, more);
}

static void draw_scale(cairo_t *canvas, const sn_rt_scatter *s, double x)
{
    enum { STEPS = 128, HEIGHT = 256 };
    double low, high, top = 2 * MARGIN + 24;
    char text[40];
    value_range(s, &low, &high);
    for (int i = 0; i < STEPS; i++) {
        value_colour(canvas, 1 - (i + 0.5) / STEPS);
        cairo_rectangle(canvas, x, top + i * HEIGHT / STEPS, 18, HEIGHT / STEPS + 1);
        cairo_fill(canvas);
    }
    sn_rt_picture_grey(canvas, 0.1);
    if (s->value_label)
        sn_rt_picture_text(canvas, x, top - 12, 0, 13, s->value_label);
    snprintf(text, sizeof text, "%.4g", high);
    sn_rt_picture_text(canvas, x + 26, top + 10, 0, 13, text);
    snprintf(text, sizeof text, "%.4g", low);
    sn_rt_picture_text(canvas, x + 26, top + HEIGHT, 0, 13, text);
}

sn_rt_status sn_rt_scatter_write(const sn_rt_scatter *s, const char *path, sn_rt_error *err)
{
    int width = s->width ? s->width : 1000, height = s->height ? s->height : 760;
    if (width < 400 || height < 300)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: a picture of %d x %d pixels, expected at least 400 x 300", path, width, height);
    for (size_t i = 0; i < 2 * s->count; i++)
        if (!isfinite(s->at[i]))
            return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: point %zu is at no finite place", path, i / 2);
    cairo_t *canvas = sn_rt_picture_new(width, height);
    if (!canvas)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no canvas of %d x %d pixels", path, width, height);
    frame f = frame_of(s, width - LEGEND_WIDTH - 2 * MARGIN, height - 3 * MARGIN);
    draw_points(canvas, s, &f);
    if (s->group)
        draw_legend(canvas, s, width - LEGEND_WIDTH + 8);
    else if (s->count)
        draw_scale(canvas, s, width - LEGEND_WIDTH + 8);
    sn_rt_picture_grey(canvas, 0.1);
    if (s->title)
        sn_rt_picture_text(canvas, MARGIN, 32, 0, 17, s->title);
    return sn_rt_picture_take(canvas, path, err);
}
