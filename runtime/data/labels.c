/* Labels and splits from CSV files.
 * Not a data set of its own: rows of absent sequences are counted, not kept. */
#include "labels.h"

#include "csv.h"
#include "normalise.h"
#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static sn_rt_status need_column(const csv *table, const char *name, int *out, sn_rt_error *err)
{
    *out = sn_rt_csv_column(table, name);
    return *out >= 0 ? SN_RT_OK : sn_rt_fail(err, SN_RT_FORMAT, "%s:%lu: column \"%s\" is missing", table->path,
                                             table->line[0], name);
}

static sn_rt_status number_at(const csv *table, size_t row, int column, double *out, sn_rt_error *err)
{
    const char *found = sn_rt_csv_at(table, row, column);
    if (sn_rt_word_number((word){found, strlen(found)}, out) && *out >= 0)
        return SN_RT_OK;
    return sn_rt_fail(err, SN_RT_FORMAT, "%s:%lu: found '%.40s' as %s, expected a number from 0", table->path,
                      sn_rt_csv_line(table, row), found, table->field[column]);
}

typedef struct label_columns {
    int seq, fps, start, end, label, source;
} label_columns;

static sn_rt_status find_columns(const csv *table, label_columns *c, sn_rt_error *err)
{
    c->source = sn_rt_csv_column(table, "source");
    sn_rt_status status = need_column(table, "seq", &c->seq, err);
    if (status == SN_RT_OK)
        status = need_column(table, "fps", &c->fps, err);
    if (status == SN_RT_OK)
        status = need_column(table, "start_frame", &c->start, err);
    if (status == SN_RT_OK)
        status = need_column(table, "end_frame", &c->end, err);
    return status == SN_RT_OK ? need_column(table, "label", &c->label, err) : status;
}

/* How the frames of a sequence were picked from its source. */
static sn_rt_pick pick_of(const sn_rt_sequence *s)
{
    double ratio = s->source_fps / s->fps;
    if (fabs(ratio - round(ratio)) < 1e-3 * ratio && ratio >= 0.5)
        ratio = round(ratio);
    return (sn_rt_pick){(size_t)s->source_first, ratio, s->frames};
}

/* `rows` is 1 for a row that was applied; the caller adds the rest of `out`. */
static sn_rt_status apply_row(sn_rt_dataset *set, const csv *table, const label_columns *c, size_t row,
                              sn_rt_label_report *out, sn_rt_error *err)
{
    double fps, start, end;
    sn_rt_status status = number_at(table, row, c->fps, &fps, err);
    if (status == SN_RT_OK)
        status = number_at(table, row, c->start, &start, err);
    if (status == SN_RT_OK)
        status = number_at(table, row, c->end, &end, err);
    if (status != SN_RT_OK)
        return status;
    if (fps <= 0 || end <= start)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s:%lu: found frames %g to %g at rate %g, expected start < end and a rate",
                          table->path, sn_rt_csv_line(table, row), start, end, fps);
    size_t at = sn_rt_dataset_find(set, sn_rt_csv_at(table, row, c->seq));
    if (at == SIZE_MAX) {
        out->absent++;
        return SN_RT_OK;
    }
    const sn_rt_sequence *s = sn_rt_dataset_at(set, at);
    sn_rt_pick pick = pick_of(s);
    size_t from = sn_rt_pick_frame(&pick, s->source_fps, start, fps);
    size_t to = sn_rt_pick_frame(&pick, s->source_fps, end, fps);
    if (from >= to) {
        out->empty++;
        return SN_RT_OK;
    }
    double covered = ((double)pick.first + (double)(s->frames - 1) * pick.ratio) / s->source_fps;
    out->clipped += start / fps < (double)pick.first / s->source_fps - 1e-6 ||
                    (end - 1) / fps > covered + pick.ratio / s->source_fps;
    out->applied++;
    const char *slash = strrchr(table->path, '/');
    return sn_rt_dataset_label(set, at, (uint32_t)from, (uint32_t)to, sn_rt_csv_at(table, row, c->label),
                               c->source >= 0 ? sn_rt_csv_at(table, row, c->source) : slash ? slash + 1 : table->path, err);
}

sn_rt_status sn_rt_labels_apply(sn_rt_dataset *set, const char *path, sn_rt_label_report *out, sn_rt_error *err)
{
    csv table;
    label_columns columns;
    sn_rt_label_report report = {0};
    sn_rt_status status = sn_rt_csv_read(path, &table, err);
    if (status != SN_RT_OK)
        return status;
    status = find_columns(&table, &columns, err);
    for (size_t row = 0; status == SN_RT_OK && row < table.rows; row++) {
        report.rows++;
        if (*sn_rt_csv_at(&table, row, columns.label))
            status = apply_row(set, &table, &columns, row, &report, err);
    }
    sn_rt_csv_fini(&table);
    if (status == SN_RT_OK)
        *out = report;
    return status;
}

/* `given` holds, for each sequence, the row that named it, or SIZE_MAX. */
static sn_rt_status apply_splits(sn_rt_dataset *set, const csv *table, int seq, int split, size_t *given,
                                 sn_rt_label_report *out, sn_rt_error *err)
{
    for (size_t row = 0; row < table->rows; row++) {
        const char *name = sn_rt_csv_at(table, row, split);
        size_t at = sn_rt_dataset_find(set, sn_rt_csv_at(table, row, seq));
        sn_rt_error why = {""};
        out->rows++;
        if (at == SIZE_MAX) {
            out->absent++;
            continue;
        }
        if (given[at] != SIZE_MAX && strcmp(sn_rt_csv_at(table, given[at], split), name) != 0)
            return sn_rt_fail(err, SN_RT_FORMAT, "%s:%lu: sequence \"%s\" is %s here but %s in line %lu", table->path,
                              sn_rt_csv_line(table, row), sn_rt_csv_at(table, row, seq), name, sn_rt_csv_at(table, given[at], split),
                              sn_rt_csv_line(table, given[at]));
        if (sn_rt_dataset_split(set, at, name, &why) != SN_RT_OK)
            return sn_rt_fail(err, SN_RT_FORMAT, "%s:%lu: %s", table->path, sn_rt_csv_line(table, row), why.text);
        given[at] = row;
        out->applied++;
    }
    return SN_RT_OK;
}

sn_rt_status sn_rt_splits_apply(sn_rt_dataset *set, const char *path, sn_rt_label_report *out, sn_rt_error *err)
{
    csv table;
    int seq, split = -1;
    sn_rt_label_report report = {0};
    sn_rt_status status = sn_rt_csv_read(path, &table, err);
    if (status != SN_RT_OK)
        return status;
    seq = sn_rt_csv_column(&table, "clip");
    if (seq < 0)
        status = need_column(&table, "seq", &seq, err);
    if (status == SN_RT_OK)
        status = need_column(&table, "split", &split, err);
    size_t count = sn_rt_dataset_count(set), *given = malloc((count + 1) * sizeof *given);
    if (status == SN_RT_OK && !given)
        status = sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    for (size_t i = 0; given && i < count; i++)
        given[i] = SIZE_MAX;
    if (status == SN_RT_OK)
        status = apply_splits(set, &table, seq, split, given, &report, err);
    free(given);
    sn_rt_csv_fini(&table);
    if (status == SN_RT_OK)
        *out = report;
    return status;
}
