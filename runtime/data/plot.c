/* Line curves: ranges, ticks at 1, 2 or 5 times a power of ten, frame, curves, legend.
 * Not interactive. */
#include "plot.h"

#include "picture.h"

#include <math.h>
#include <stdio.h>

/* One axis: values low..high shown from pixel `from` to pixel `to`, a tick every `step`. */
typedef struct axis {
    double low, high, step;
    double from, to;
} axis;

static double place(const axis *a, double value)
{
    return a->from + (value - a->low) / (a->high - a->low) * (a->to - a->from);
}

/* 1, 2 or 5 times a power of ten, about a sixth of the range. */
static double nice_step(double range)
{
    double power = pow(10, floor(log10(range / 6))), ratio = range / 6 / power;
    return power * (ratio < 1.5 ? 1 : ratio < 3.5 ? 2 : ratio < 7.5 ? 5 : 10);
}

static axis axis_of(const sn_rt_plot *plot, int vertical)
{
    axis a = {.low = INFINITY, .high = -INFINITY};
    for (size_t s = 0; s < plot->count; s++) {
        for (size_t i = 0; i < plot->series[s].count; i++) {
            double x = plot->series[s].x[i], y = plot->series[s].y[i];
            if (!isfinite(x) || !isfinite(y))
                continue;
            a.low = fmin(a.low, vertical ? y : x);
            a.high = fmax(a.high, vertical ? y : x);
        }
    }
    if (!(a.low <= a.high)) {
        a.low = 0;
        a.high = 1;
    }
    if (vertical && plot->from_zero && a.low > 0)
        a.low = 0;
    double range = a.high - a.low, least = 1e-9 * fmax(fabs(a.low), fabs(a.high));
    if (!(range > least) || !isfinite(range)) {
        double pad = a.low == 0 ? 1 : fabs(a.low) / 10;
        a.low -= pad;
        a.high += pad;
    }
    a.step = nice_step(a.high - a.low);
    if (vertical) {
        a.low = floor(a.low / a.step + 1e-9) * a.step;
        a.high = ceil(a.high / a.step - 1e-9) * a.step;
    }
    return a;
}

static void tick_text(char *text, size_t size, double value, double step)
{
    int digits = (int)fmax(0, fmin(12, -floor(log10(step) + 1e-9)));
    if (fabs(value) >= 1e7 || (digits > 6))
        snprintf(text, size, "%g", value);
    else
        snprintf(text, size, "%.*f", digits, fabs(value) < step / 1e6 ? 0.0 : value);
}

static void draw_ticks(cairo_t *canvas, const axis *x, const axis *y)
{
    char text[40];
    cairo_set_line_width(canvas, 1);
    for (double v = ceil(x->low / x->step - 1e-9) * x->step; v <= x->high + x->step * 1e-6; v += x->step) {
        double at = round(place(x, v)) + 0.5;
        sn_rt_picture_grey(canvas, 0.9);
        cairo_move_to(canvas, at, y->from);
        cairo_line_to(canvas, at, y->to);
        cairo_stroke(canvas);
        sn_rt_picture_grey(canvas, 0.2);
        tick_text(text, sizeof text, v, x->step);
        sn_rt_picture_text(canvas, at, y->from + 18, 0.5, 12, text);
    }
    for (double v = ceil(y->low / y->step - 1e-9) * y->step; v <= y->high + y->step * 1e-6; v += y->step) {
        double at = round(place(y, v)) + 0.5;
        sn_rt_picture_grey(canvas, 0.9);
        cairo_move_to(canvas, x->from, at);
        cairo_line_to(canvas, x->to, at);
        cairo_stroke(canvas);
        sn_rt_picture_grey(canvas, 0.2);
        tick_text(text, sizeof text, v, y->step);
        sn_rt_picture_text(canvas, x->from - 8, at + 4, 1, 12, text);
    }
    sn_rt_picture_grey(canvas, 0.2);
    cairo_rectangle(canvas, x->from + 0.5, y->to + 0.5, x->to - x->from, y->from - y->to);
    cairo_stroke(canvas);
}

static void draw_series(cairo_t *canvas, const sn_rt_series *s, size_t index, const axis *x, const axis *y)
{
    int pen_down = 0;
    sn_rt_picture_colour(canvas, index);
    cairo_set_line_width(canvas, 1.8);
    for (size_t i = 0; i < s->count; i++) {
        if (!isfinite(s->x[i]) || !isfinite(s->y[i])) {
            pen_down = 0;
            continue;
        }
        double px = place(x, s->x[i]), py = place(y, s->y[i]);
        if (pen_down)
            cairo_line_to(canvas, px, py);
        else
            cairo_move_to(canvas, px, py);
        int alone = !pen_down && (i + 1 == s->count || !isfinite(s->x[i + 1]) || !isfinite(s->y[i + 1]));
        if (alone)
            cairo_line_to(canvas, px, py);
        pen_down = 1;
    }
    cairo_stroke(canvas);
}

/* One line of names above the frame, right-aligned. */
static void draw_legend(cairo_t *canvas, const sn_rt_plot *plot, double right, double baseline)
{
    for (size_t s = plot->count; s-- > 0;) {
        cairo_text_extents_t extents;
        const char *name = plot->series[s].name ? plot->series[s].name : "";
        cairo_set_font_size(canvas, 13);
        cairo_text_extents(canvas, name, &extents);
        sn_rt_picture_grey(canvas, 0.1);
        sn_rt_picture_text(canvas, right, baseline, 1, 13, name);
        right -= extents.x_advance + 6;
        sn_rt_picture_colour(canvas, s);
        cairo_set_line_width(canvas, 3);
        cairo_move_to(canvas, right - 20, baseline - 4);
        cairo_line_to(canvas, right, baseline - 4);
        cairo_stroke(canvas);
        right -= 20 + 18;
    }
}

sn_rt_status sn_rt_plot_write(const sn_rt_plot *plot, const char *path, sn_rt_error *err)
{
    int width = plot->width ? plot->width : 960, height = plot->height ? plot->height : 540;
    if (width < 200 || height < 150)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: a plot of %d x %d pixels, expected at least 200 x 150", path, width,
                          height);
    cairo_t *canvas = sn_rt_picture_new(width, height);
    if (!canvas)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no canvas of %d x %d pixels", path, width, height);
    axis x = axis_of(plot, 0), y = axis_of(plot, 1);
    x.from = 80;
    x.to = width - 24;
    y.from = height - 56;
    y.to = 56;
    draw_ticks(canvas, &x, &y);
    for (size_t s = 0; s < plot->count; s++)
        draw_series(canvas, &plot->series[s], s, &x, &y);
    sn_rt_picture_grey(canvas, 0.1);
    if (plot->title)
        sn_rt_picture_text(canvas, x.from, 28, 0, 17, plot->title);
    if (plot->x_label)
        sn_rt_picture_text(canvas, (x.from + x.to) / 2, height - 16, 0.5, 14, plot->x_label);
    if (plot->y_label)
        sn_rt_picture_text(canvas, 12, 48, 0, 14, plot->y_label);
    draw_legend(canvas, plot, x.to, 48);
    return sn_rt_picture_take(canvas, path, err);
}
