/* A page about runs, gathered and written.
 * Not what its script makes of the data (report.html, report_*.js). */
#include "report.h"

#include "page.h"
#include "record.h"
#include "report_page.h"

#include <stdlib.h>
#include <string.h>

/* A table of records: cells as they are printed elsewhere. */
static void tell_table(void *context, const sn_rt_table *t)
{
    json_t *columns = json_array(), *rows = json_array();
    for (uint32_t c = 0; c < t->columns.count; c++) json_array_append_new(columns, sn_report_text(t->columns.name[c]));
    for (uint32_t r = 0; r < t->rows.count; r++) {
        json_t *cells = json_array();
        char    text[64];
        for (uint32_t c = 0; c < t->columns.count; c++) {
            sn_rt_table_text(t, r, c, "\xc2\xb1", text, sizeof text);
            json_array_append_new(cells, json_string(text));
        }
        json_array_append_new(rows, json_pack("{s:o, s:o}", "name", sn_report_text(t->rows.name[r]), "cells", cells));
    }
    json_array_append_new(context, json_pack("{s:o, s:s, s:o, s:o}", "title", sn_report_text(t->title), "corner", t->corner, "columns", columns, "rows", rows));
}

/* Tables of all records, and which classes frames were taken for. */
static sn_rt_status tell_records(const sn_report_how *how, const sn_report_run *run, json_t *page, size_t *out_records, sn_rt_error *err)
{
    json_t **record = calloc(how->runs + 1u, sizeof *record), *tables = json_array(), *confusion = json_array();
    size_t   records = 0;
    for (uint32_t r = 0; record && r < how->runs; r++) {
        json_t *taken = json_object_get(run[r].record, "confusion");
        if (run[r].record) record[records++] = run[r].record;
        if (taken) json_array_append_new(confusion, json_pack("{s:o, s:O}", "name", sn_report_text(run[r].name), "of", taken));
    }
    sn_rt_status status = record ? sn_record_each_table(record, records, true, how->paper, tell_table, tables, err) : sn_rt_fail(err, SN_RT_MEMORY, "no memory");
    json_object_set_new(page, "tables", tables);
    json_object_set_new(page, "confusion", confusion);
    *out_records = records;
    free(record);
    return status;
}

static json_t *runs_json(const sn_report_run *run, uint32_t runs)
{
    json_t *list = json_array();
    for (uint32_t r = 0; r < runs; r++) json_array_append(list, run[r].page);
    return list;
}

static json_t *command_json(const char *const *word)
{
    json_t *list = json_array();
    for (; word && *word; word++) json_array_append_new(list, sn_report_text(*word));
    return list;
}

/* "Report: A, B, C" */
static void title_of(const sn_report_run *run, uint32_t runs, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "Report: %.100s", run[0].name);
    for (uint32_t r = 1; r < runs && r < 3; r++) used += (size_t)snprintf(out + used, size - used, ", %.100s", run[r].name);
    if (runs > 3) snprintf(out + used, size - used, " and %u more", runs - 3);
}

static sn_rt_status write(const sn_report_how *how, const sn_report_run *run, json_t *page, sn_rt_error *err)
{
    char    title[400];
    json_t *clean;
    title_of(run, how->runs, title, sizeof title);
    clean = sn_report_text(how->title ? how->title : title);
    if (!clean) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", how->out);
    json_object_set(page, "title", clean);
    sn_rt_status status = sn_page_write(how->out, json_string_value(clean), page, report_page, err);
    json_decref(clean);
    return status;
}

sn_rt_status sn_report(const sn_report_how *how, sn_report_done *done, sn_rt_error *err)
{
    sn_report_run *run = calloc(how->runs + 1u, sizeof *run);
    json_t        *page = json_pack("{s:s, s:o}", "version", SINEW_VERSION, "command", command_json(how->command));
    sn_rt_status   status = run && page ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %u runs", how->runs);
    *done = (sn_report_done){.runs = how->runs};
    for (uint32_t r = 0; r < how->runs && status == SN_RT_OK; r++) status = sn_report_run_open(&run[r], how->run[r], err);
    if (status == SN_RT_OK) json_object_set_new(page, "runs", runs_json(run, how->runs));
    if (status == SN_RT_OK && how->set.data) status = sn_report_set(&how->set, run, how->runs, page, err);
    if (status == SN_RT_OK) status = tell_records(how, run, page, &done->records, err);
    done->recordings = json_array_size(json_object_get(page, "recordings"));
    done->embeddings = json_array_size(json_object_get(page, "embeddings"));
    if (status == SN_RT_OK) status = write(how, run, page, err);
    for (uint32_t r = 0; run && r < how->runs; r++) sn_report_run_close(&run[r]);
    free(run);
    json_decref(page);
    return status;
}
