/* Labels of BABEL: annotated stretches of time to stretches of frames, of all categories or of a subset's classes.
 * Not the motion they are about (babel_motion.c). */
#include "babel_internal.h"

#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const sn_rt_babel_classes[SN_RT_BABEL_SUBSETS][SN_RT_BABEL_CLASSES] = {
    {"walk", "stand", "turn", "jump"}, {"sit", "run", "stand up", "kick"}, {"jog", "wave", "dance", "gesture"}};

/* A sequence's labels being read. */
typedef struct reading {
    const sn_rt_babel_options *o;
    babel_labels *out;
    size_t capacity;
    unsigned char *marked; /* by frame: it has a label */
    unsigned char *class;  /* by frame: 1 + the first of the subset's classes, 0: none */
    sn_rt_babel_report *report;
    sn_rt_error *err;
} reading;

/* The first frame n with n / 30 >= t, at most `frames`. */
static size_t frame_of(double t, size_t frames)
{
    if (!(t > 0))
        return 0;
    if (t >= (double)frames / BABEL_FPS)
        return frames;
    size_t n = (size_t)ceil(t * BABEL_FPS);
    while (n > 0 && (double)(n - 1) / BABEL_FPS >= t)
        n--;
    while ((double)n / BABEL_FPS < t)
        n++;
    return n < frames ? n : frames;
}

static sn_rt_status add_segment(reading *r, size_t start, size_t end, const char *label)
{
    if (sn_rt_grow((void **)&r->out->segment, &r->capacity, r->out->count, sizeof *r->out->segment))
        return sn_rt_fail(r->err, SN_RT_MEMORY, "no memory for labels");
    r->out->segment[r->out->count++] = (babel_segment){start, end, label};
    return SN_RT_OK;
}

/* One category over frames [start, end). */
static sn_rt_status apply_category(reading *r, size_t start, size_t end, const char *category)
{
    memset(r->marked + start, 1, end - start);
    if (!r->o->subset)
        return add_segment(r, start, end, category);
    const char *const *classes = sn_rt_babel_classes[r->o->subset - 1];
    for (unsigned char k = 0; k < SN_RT_BABEL_CLASSES; k++)
        for (size_t t = start; strcmp(classes[k], category) == 0 && t < end; t++)
            if (!r->class[t] || r->class[t] > k + 1)
                r->class[t] = (unsigned char)(k + 1);
    return SN_RT_OK;
}

static sn_rt_status apply_label(reading *r, const json_t *label, size_t number)
{
    const json_t *categories = json_object_get(label, "act_cat"), *from = json_object_get(label, "start_t"), *to = json_object_get(label, "end_t");
    if (categories && json_is_null(categories)) {
        r->report->uncategorised++;
        return SN_RT_OK;
    }
    if (!json_is_array(categories) || !json_is_number(from) || !json_is_number(to))
        return sn_rt_fail(r->err, SN_RT_FORMAT, "label %zu has not a list act_cat and numbers start_t and end_t", number);
    size_t start = frame_of(json_number_value(from), r->out->frames), end = frame_of(json_number_value(to), r->out->frames), i;
    const json_t *category;
    r->report->outside += start >= end;
    sn_rt_status status = SN_RT_OK;
    json_array_foreach(categories, i, category) {
        if (!json_is_string(category) || !*json_string_value(category))
            return sn_rt_fail(r->err, SN_RT_FORMAT, "label %zu has an act_cat that is no text", number);
        if (status == SN_RT_OK && start < end)
            status = apply_category(r, start, end, json_string_value(category));
    }
    return status;
}

/* Runs of one class. */
static sn_rt_status add_runs(reading *r)
{
    sn_rt_status status = SN_RT_OK;
    for (size_t t = 0, end; status == SN_RT_OK && t < r->out->frames; t = end) {
        for (end = t + 1; end < r->out->frames && r->class[end] == r->class[t];)
            end++;
        if (r->class[t])
            status = add_segment(r, t, end, sn_rt_babel_classes[r->o->subset - 1][r->class[t] - 1]);
    }
    return status;
}

/* As published: only labelled frames count, and what follows a gap moves forward by it. */
static sn_rt_status close_gaps(reading *r)
{
    size_t frames = r->out->frames, *rank = calloc(frames + 1, sizeof *rank);
    if (!rank)
        return sn_rt_fail(r->err, SN_RT_MEMORY, "no memory for labels");
    for (size_t t = 0; t < frames; t++)
        rank[t + 1] = rank[t] + r->marked[t];
    for (size_t i = 0; i < r->out->count; i++) {
        r->out->segment[i].start = rank[r->out->segment[i].start];
        r->out->segment[i].end = rank[r->out->segment[i].end];
    }
    r->out->frames = r->out->labelled;
    free(rank);
    return SN_RT_OK;
}

sn_rt_status babel_labels_read(const sn_rt_babel_options *o, const json_t *frame_ann, double seconds, babel_labels *out, sn_rt_babel_report *report,
                               sn_rt_error *err)
{
    const json_t *labels = json_object_get(frame_ann, "labels"), *label;
    size_t i;
    *out = (babel_labels){.frames = (size_t)(BABEL_FPS * seconds)};
    if (!json_is_array(labels))
        return sn_rt_fail(err, SN_RT_FORMAT, "frame_ann has no list labels");
    reading r = {.o = o, .out = out, .report = report, .err = err, .marked = calloc(out->frames + 1, 1), .class = calloc(out->frames + 1, 1)};
    sn_rt_status status = r.marked && r.class ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for labels");
    json_array_foreach(labels, i, label)
        if (status == SN_RT_OK)
            status = apply_label(&r, label, i);
    if (status == SN_RT_OK && o->subset)
        status = add_runs(&r);
    for (size_t t = 0; status == SN_RT_OK && t < out->frames; t++)
        out->labelled += r.marked[t];
    if (status == SN_RT_OK && o->quirks)
        status = close_gaps(&r);
    free(r.marked);
    free(r.class);
    if (status != SN_RT_OK)
        babel_labels_fini(out);
    return status;
}

void babel_labels_fini(babel_labels *labels)
{
    free(labels->segment);
    memset(labels, 0, sizeof *labels);
}
