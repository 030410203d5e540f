/* A sequence as a picture.
 * Not aware of which joints there are, beyond left and right in their names. */
#include "draw.h"

#include "picture.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { CELL = 150, MARGIN = 24, HEAD = 56, VIEW = 230, STRIP = 86, VIEWS = 2 };

/* Axes of a view: which coordinate goes right, which up, and their signs. */
typedef struct view {
    const char *name;
    int right, up;
    double right_sign;
} view;

/* ntu25: +x right, +y forward, +z up. Raw: y up; which way a person faces is not known. */
static const view ntu25_views[VIEWS] = {{"front", 0, 2, -1}, {"from the right", 1, 2, 1}};
static const view raw_views[VIEWS] = {{"along -z", 0, 1, 1}, {"along -x", 2, 1, -1}};

typedef struct drawing {
    cairo_t *canvas;
    const sn_rt_sequence *s;
    const sn_rt_body *body;
    const view *views;
    size_t poses;
    double scale;      /* pixels a metre */
    double low[VIEWS]; /* lowest `up` of all poses, relative to the centre */
} drawing;

static const float *joint_at(const drawing *d, size_t frame, size_t joint)
{
    return d->s->x + (frame * d->s->joints + joint) * 3; /* of the first person */
}

static size_t frame_of(const drawing *d, size_t pose)
{
    return d->poses < 2 ? d->s->frames / 2 : pose * (d->s->frames - 1) / (d->poses - 1);
}

/* 0 left, 1 right, 7 neither (colours of picture.h). Conventions: left_x, LeftX, LX, lX, lname of CMU, x_L. */
static size_t side_of(const char *name)
{
    size_t length = strlen(name);
    if (length > 2 && name[length - 2] == '_' && (name[length - 1] == 'L' || name[length - 1] == 'R'))
        return name[length - 1] == 'R';
    if (strncasecmp(name, "left", 4) == 0)
        return 0;
    if (strncasecmp(name, "right", 5) == 0)
        return 1;
    if ((name[0] == 'L' || name[0] == 'l' || name[0] == 'R' || name[0] == 'r') && isupper((unsigned char)name[1]))
        return tolower((unsigned char)name[0]) == 'r';
    static const char *const bones[] = {"hipjoint", "femur", "tibia", "foot",    "toes",   "clavicle",
                                        "humerus",  "radius", "wrist", "hand", "fingers", "thumb"};
    for (size_t i = 0; i < sizeof bones / sizeof *bones; i++)
        if ((name[0] == 'l' || name[0] == 'r') && strcmp(name + 1, bones[i]) == 0)
            return name[0] == 'r';
    return 7;
}

/* One scale for all poses: the largest reach sideways fits a cell, the largest height a row. */
static void fit(drawing *d)
{
    double reach = 0.1, height = 0.1;
    for (int v = 0; v < VIEWS; v++) {
        double low = INFINITY, high = -INFINITY;
        for (size_t p = 0; p < d->poses; p++) {
            const float *centre = joint_at(d, frame_of(d, p), 0);
            for (size_t j = 0; j < d->s->joints; j++) {
                const float *x = joint_at(d, frame_of(d, p), j);
                double up = (double)x[d->views[v].up] - (double)centre[d->views[v].up];
                low = fmin(low, up);
                high = fmax(high, up);
                reach = fmax(reach, fabs((double)x[d->views[v].right] - (double)centre[d->views[v].right]));
            }
        }
        d->low[v] = low;
        height = fmax(height, high - low);
    }
    d->scale = fmin((CELL - 10) / (2 * reach), (VIEW - 40) / height);
}

static void draw_pose(const drawing *d, size_t pose, int v)
{
    const view *w = &d->views[v];
    size_t frame = frame_of(d, pose);
    const float *centre = joint_at(d, frame, 0);
    double middle = MARGIN + ((double)pose + 0.5) * CELL, floor_ = HEAD + (v + 1) * VIEW - 20;
    double px[2], py[2];
    for (size_t j = 0; j < d->s->joints; j++) {
        int32_t parent = d->body->parent[j];
        if (parent < 0)
            continue;
        size_t ends[2] = {j, (size_t)parent};
        for (int e = 0; e < 2; e++) {
            const float *x = joint_at(d, frame, ends[e]);
            px[e] = middle + w->right_sign * d->scale * ((double)x[w->right] - (double)centre[w->right]);
            py[e] = floor_ - d->scale * ((double)x[w->up] - (double)centre[w->up] - d->low[v]);
        }
        sn_rt_picture_colour(d->canvas, side_of(d->body->joint[j]));
        cairo_set_line_width(d->canvas, 2.5);
        cairo_move_to(d->canvas, px[0], py[0]);
        cairo_line_to(d->canvas, px[1], py[1]);
        cairo_stroke(d->canvas);
        cairo_arc(d->canvas, px[0], py[0], 2.2, 0, 6.2832);
        cairo_fill(d->canvas);
    }
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
    d.views = strcmp(sn_rt_dataset_layout(set), "ntu25") == 0 ? ntu25_views : raw_views;
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
