/* Spans and their CSV files.
 * Not what is computed from them. */
#include "spans.h"

#include "../data/csv.h"
#include "../data/file.h"
#include "../data/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 1 << 30 };

sn_rt_status sn_rt_spans_add(sn_rt_spans *s, sn_rt_span span, sn_rt_error *err)
{
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 64;
        sn_rt_span *item = realloc(s->item, capacity * sizeof *item);
        if (!item) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu segments", capacity);
        s->item = item;
        s->capacity = capacity;
    }
    s->item[s->count++] = span;
    return SN_RT_OK;
}

void sn_rt_spans_fini(sn_rt_spans *s)
{
    free(s->item);
    *s = (sn_rt_spans){0};
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

/* A file of spans: its columns by number, -1 for one it has not got. */
typedef struct table {
    csv                     csv;
    const sn_rt_span_rules *rules;
    int                     video, fps, start, end, seconds, label, score; /* seconds: of the end */
    sn_rt_error            *err;
} table;

static sn_rt_status fail_at(const table *t, size_t row, const char *what, const char *expected)
{
    return sn_rt_fail(t->err, SN_RT_FORMAT, "%s:%lu: found %s, expected %s", t->csv.path, sn_rt_csv_line(&t->csv, row), what, expected);
}

static sn_rt_status fail_field(const table *t, size_t row, int column, const char *expected)
{
    char what[120];
    snprintf(what, sizeof what, "'%.40s' as %.40s", sn_rt_csv_at(&t->csv, row, column), t->csv.field[column]);
    return fail_at(t, row, what, expected);
}

static bool number_at(const table *t, size_t row, int column, double *out)
{
    const char *field = sn_rt_csv_at(&t->csv, row, column);
    return sn_rt_word_number((word){field, strlen(field)}, out);
}

static sn_rt_status frame_at(const table *t, size_t row, int column, double *out)
{
    if (number_at(t, row, column, out) && *out >= 0 && *out == floor(*out) && *out < MOST_FRAMES) return SN_RT_OK;
    return fail_field(t, row, column, "a whole number of frames from 0");
}

static sn_rt_status open_table(table *t, const char *path, const char *const name[6])
{
    int *column[6] = {&t->video, &t->fps, &t->start, &t->end, &t->label, &t->score};
    sn_rt_status status = sn_rt_csv_read(path, &t->csv, t->err);
    for (int i = 0; i < 6 && status == SN_RT_OK; i++) {
        *column[i] = name[i] ? sn_rt_csv_column(&t->csv, name[i]) : -1;
        if (name[i] && *column[i] < 0) {
            status = sn_rt_fail(t->err, SN_RT_FORMAT, "%s:%lu: column \"%s\" is missing", path, t->csv.line[0], name[i]);
            sn_rt_csv_fini(&t->csv);
        }
    }
    return status;
}

/* Frames of a row at the rate that is wanted. */
static sn_rt_status frames_of(const table *t, size_t row, sn_rt_span *out)
{
    double start, end, fps = t->rules->fps;
    sn_rt_status status = frame_at(t, row, t->start, &start);
    if (status == SN_RT_OK) status = frame_at(t, row, t->end, &end);
    if (status == SN_RT_OK && t->fps >= 0 && (!number_at(t, row, t->fps, &fps) || fps <= 0)) status = fail_field(t, row, t->fps, "a rate above 0");
    if (status != SN_RT_OK) return status;
    if (start >= end && !t->rules->unordered) {
        char what[80];
        snprintf(what, sizeof what, "frames %.0f to %.0f", start, end);
        return fail_at(t, row, what, "start < end");
    }
    double ratio = t->rules->fps > 0 && t->fps >= 0 ? t->rules->fps / fps : 1;
    out->start = (int64_t)ceil(start * ratio - 1e-6);
    out->end = (int64_t)ceil(end * ratio - 1e-6);
    out->line = sn_rt_csv_line(&t->csv, row);
    return SN_RT_OK;
}

static sn_rt_status label_of(const table *t, size_t row, sn_rt_names *labels, uint32_t *out)
{
    const char *label = sn_rt_csv_at(&t->csv, row, t->label);
    *out = sn_rt_names_find(labels, label);
    if (*out != SN_RT_NO_NAME) return SN_RT_OK;
    if (t->rules->closed || !*label) return fail_field(t, row, t->label, "one of the classes");
    return sn_rt_names_add(labels, label, out, t->err);
}

static sn_rt_status truth_row(const table *t, size_t row, sn_rt_names *videos, sn_rt_names *labels, sn_rt_spans *out)
{
    sn_rt_span span = {0};
    if (!*sn_rt_csv_at(&t->csv, row, t->video)) return fail_field(t, row, t->video, "the name of a video");
    sn_rt_status status = sn_rt_names_add(videos, sn_rt_csv_at(&t->csv, row, t->video), &span.video, t->err);
    if (status != SN_RT_OK || !*sn_rt_csv_at(&t->csv, row, t->label)) return status;
    status = frames_of(t, row, &span);
    if (status == SN_RT_OK) status = label_of(t, row, labels, &span.label);
    if (status == SN_RT_OK && (span.start != span.end || t->rules->unordered)) status = sn_rt_spans_add(out, span, t->err);
    return status;
}

sn_rt_status sn_rt_truth_read(const char *path, const sn_rt_span_rules *rules, sn_rt_names *videos, sn_rt_names *labels, sn_rt_spans *out,
                              sn_rt_error *err)
{
    table t = {.rules = rules, .err = err};
    sn_rt_status status = open_table(&t, path, (const char *const[6]){"seq", "fps", "start_frame", "end_frame", "label", NULL});
    if (status != SN_RT_OK) return status;
    for (size_t row = 0; row < t.csv.rows && status == SN_RT_OK; row++) status = truth_row(&t, row, videos, labels, out);
    sn_rt_csv_fini(&t.csv);
    return status;
}

static sn_rt_status detection_row(const table *t, size_t row, const sn_rt_names *videos, sn_rt_names *labels, sn_rt_spans *out)
{
    sn_rt_span span = {.video = sn_rt_names_find(videos, sn_rt_csv_at(&t->csv, row, t->video))};
    if (span.video == SN_RT_NO_NAME) return fail_field(t, row, t->video, "a video of the truth (a row with an empty label names one without actions)");
    sn_rt_status status = frames_of(t, row, &span);
    if (status == SN_RT_OK && !number_at(t, row, t->score, &span.score)) status = fail_field(t, row, t->score, "a finite number");
    if (status == SN_RT_OK) status = label_of(t, row, labels, &span.label);
    return status == SN_RT_OK ? sn_rt_spans_add(out, span, t->err) : status;
}

sn_rt_status sn_rt_detections_read(const char *path, const sn_rt_span_rules *rules, const sn_rt_names *videos, sn_rt_names *labels, sn_rt_spans *out,
                                   sn_rt_error *err)
{
    table t = {.rules = rules, .err = err};
    sn_rt_status status = open_table(&t, path, (const char *const[6]){"video", NULL, "start", "end", "label", "score"});
    if (status != SN_RT_OK) return status;
    for (size_t row = 0; row < t.csv.rows && status == SN_RT_OK; row++) status = detection_row(&t, row, videos, labels, out);
    sn_rt_csv_fini(&t.csv);
    return status;
}

/* From the latest end, whose seconds have the most digits; a whole number if it is one within what they tell. */
static double rate_of(const table *t)
{
    double end, seconds, latest = 0, fps = 0;
    for (size_t row = 0; row < t->csv.rows; row++)
        if (number_at(t, row, t->end, &end) && number_at(t, row, t->seconds, &seconds) && seconds > 0 && end > latest) {
            latest = end;
            fps = end / seconds;
        }
    return fabs(fps - round(fps)) < 1e-6 * fps ? round(fps) : fps;
}

sn_rt_status sn_rt_detections_rate(const char *path, double *fps, sn_rt_error *err)
{
    table t = {.err = err};
    *fps = 0;
    sn_rt_status status = sn_rt_csv_read(path, &t.csv, err);
    if (status != SN_RT_OK) return status;
    t.end = sn_rt_csv_column(&t.csv, "end");
    t.seconds = sn_rt_csv_column(&t.csv, "end_seconds");
    const double rate = t.end >= 0 && t.seconds >= 0 ? rate_of(&t) : 0;
    for (size_t row = 0; row < t.csv.rows && rate > 0 && status == SN_RT_OK; row++) {
        double end, seconds;
        if (number_at(&t, row, t.end, &end) && (!number_at(&t, row, t.seconds, &seconds) || fabs(end - seconds * rate) > 0.01))
            status = fail_field(&t, row, t.seconds, "the end at the rate of the other rows (--fps names one)");
    }
    sn_rt_csv_fini(&t.csv);
    *fps = status == SN_RT_OK ? rate : 0;
    return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

sn_rt_status sn_rt_detections_write(const char *path, const sn_rt_names *videos, const sn_rt_names *labels, const sn_rt_spans *spans,
                                    sn_rt_error *err)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&bytes, &size);
    if (!f) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    fprintf(f, "video,label,start,end,score\n");
    for (size_t i = 0; i < spans->count; i++) {
        const sn_rt_span *s = &spans->item[i];
        sn_rt_csv_field(f, videos->name[s->video]);
        fputc(',', f);
        sn_rt_csv_field(f, labels->name[s->label]);
        fprintf(f, ",%lld,%lld,%.17g\n", (long long)s->start, (long long)s->end, s->score);
    }
    sn_rt_status status = fclose(f) ? sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path) : sn_rt_file_replace(path, bytes, size, err);
    free(bytes);
    return status;
}
