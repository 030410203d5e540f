/* Records of evaluations and the tables printed from them.
 * Not the choice of what to evaluate (evaluate.c). */
#include "record.h"

#include "../runtime/data/file.h"
#include "paper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VERSION "evaluation 1"

static json_t *real(double x) { return isfinite(x) ? json_real(x) : json_null(); }

/* ---- making ------------------------------------------------------------------------------------------------------------- */

json_t *sn_record_new(const char *name, json_t *given)
{
    return json_pack("{s:s, s:s, s:o, s:[]}", "sinew", VERSION, "name", name, "given", given, "results");
}

json_t *sn_record_result(json_t *record, const char *result)
{
    json_t *r = json_pack("{s:s, s:{}, s:[]}", "name", result, "measures", "classes");
    json_array_append_new(json_object_get(record, "results"), r);
    return r;
}

void sn_record_measure(json_t *result, const char *name, double value) { json_object_set_new(json_object_get(result, "measures"), name, real(value)); }

void sn_record_class(json_t *result, const char *name, const char *measure, double value, size_t count)
{
    json_array_append_new(json_object_get(result, "classes"), json_pack("{s:s, s:I, s:o}", "name", name, "truths", (json_int_t)count, measure, real(value)));
}

/* A precision by overlap, the average behind those it is of. */
static void add_precisions(json_t *to, const char *word, const sn_rt_protocol_row *p, double average, const double *value)
{
    char name[32];
    for (uint32_t i = 0; i < p->tious; i++) {
        snprintf(name, sizeof name, "%s@%g", word, p->tiou[i]);
        json_object_set_new(to, name, real(value[i]));
        if (i + 1 == p->averaged) json_object_set_new(to, word, real(average));
    }
}

static json_t *class_json(const sn_rt_protocol_row *p, const sn_rt_question *q, const sn_rt_evaluation *e, uint32_t label)
{
    json_t *c = json_pack("{s:s, s:I, s:I}", "name", q->labels->name[label], "truths", (json_int_t)e->truths[label], "found", (json_int_t)e->founds[label]);
    double ap[SN_RT_MAX_TIOU], average = 0;
    for (uint32_t i = 0; i < p->tious; i++) {
        ap[i] = e->ap[(size_t)i * e->labels + label];
        average += i < p->averaged ? ap[i] / p->averaged : 0;
    }
    add_precisions(c, "AP", p, average, ap);
    return c;
}

/* Which classes frames are taken for: the same whatever detections are made of the scores, so once a record. */
static json_t *confusion_json(const sn_rt_question *q, const sn_rt_evaluation *e)
{
    json_t *classes = json_array(), *taken = json_array();
    for (uint32_t i = 0; i < e->labels; i++) {
        json_t *row = json_array();
        for (uint32_t k = 0; k < e->labels; k++) json_array_append_new(row, json_integer((json_int_t)e->taken[(size_t)i * e->labels + k]));
        json_array_append_new(classes, json_string(q->labels->name[i]));
        json_array_append_new(taken, row);
    }
    return json_pack("{s:o, s:o}", "classes", classes, "taken", taken);
}

void sn_record_add(json_t *record, const char *result, const sn_rt_question *q, const sn_rt_evaluation *e)
{
    const sn_rt_protocol_row *p = &sn_rt_protocols[q->protocol];
    json_t *r = sn_record_result(record, result), *measures = json_object_get(r, "measures");
    if (q->protocol != SN_RT_PKU_OFFICIAL) add_precisions(measures, "mAP", p, e->average, e->map);
    if (e->has_official) sn_record_measure(r, "mAP_video", e->official.map_video);
    if (q->protocol == SN_RT_PKU_OFFICIAL) {
        sn_record_measure(r, "mAP_action", e->official.map_action);
        sn_record_measure(r, "AP", e->official.ap);
        sn_record_measure(r, "2D-AP", e->official.ap_2d);
        sn_record_measure(r, "F1", e->official.f1);
    }
    if (e->has_frames) {
        sn_record_measure(r, "frames", e->accuracy);
        sn_record_measure(r, "frames by class", e->class_accuracy);
        sn_record_measure(r, "video mAP", e->video_map);
        json_object_set_new(record, "confusion", confusion_json(q, e));
    }
    for (uint32_t label = 0; label < e->labels; label++)
        if (label != q->background && (e->truths[label] || e->founds[label])) json_array_append_new(json_object_get(r, "classes"), class_json(p, q, e, label));
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

/* As many rows as classes, of as many counts. */
static bool is_square(const json_t *confusion)
{
    const json_t *classes = json_object_get(confusion, "classes"), *taken = json_object_get(confusion, "taken");
    size_t        n = json_array_size(classes);
    bool          ok = json_is_array(classes) && json_is_array(taken) && json_array_size(taken) == n;
    for (size_t i = 0; ok && i < n; i++) {
        const json_t *row = json_array_get(taken, i);
        ok = json_is_string(json_array_get(classes, i)) && json_array_size(row) == n;
        for (size_t k = 0; ok && k < n; k++) ok = json_is_integer(json_array_get(row, k)) && json_integer_value(json_array_get(row, k)) >= 0;
    }
    return ok;
}

json_t *sn_record_read(const char *path, sn_rt_error *err)
{
    char         inner[4096];
    struct stat  info;
    char        *bytes;
    size_t       size;
    json_error_t why;
    const char  *kind = NULL;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        snprintf(inner, sizeof inner, "%s/result.json", path);
        path = inner;
    }
    if (sn_rt_file_read(path, (size_t)1 << 28, &bytes, &size, err) != SN_RT_OK) return NULL;
    json_t *record = json_loadb(bytes, size, 0, &why);
    free(bytes);
    if (!record) sn_rt_fail(err, SN_RT_FORMAT, "%s:%d: %s", path, why.line, why.text);
    else if (json_unpack(record, "{s:s, s:s, s:o}", "sinew", &kind, "name", &(const char *){NULL}, "results", &(json_t *){NULL}) || strcmp(kind, VERSION) != 0)
        sn_rt_fail(err, SN_RT_FORMAT, "%s: not a record of an evaluation (\"sinew\": \"" VERSION "\")", path);
    else if (json_object_get(record, "confusion") && !is_square(json_object_get(record, "confusion")))
        sn_rt_fail(err, SN_RT_FORMAT, "%s: \"confusion\" has not a row of counts for every class", path);
    else return record;
    json_decref(record);
    return NULL;
}

enum { FLAGS = JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(17) };

sn_rt_status sn_record_write(const json_t *record, const char *path, sn_rt_error *err)
{
    char *text = json_dumps(record, FLAGS);
    if (!text) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    sn_rt_status status = sn_rt_file_replace(path, text, strlen(text), err);
    free(text);
    return status;
}

void sn_record_dump(const json_t *record, FILE *out)
{
    json_dumpf(record, out, FLAGS);
    fputc('\n', out);
}

/* ---- tables ------------------------------------------------------------------------------------------------------------- */

static double value_of(const json_t *x) { return json_is_number(x) ? json_number_value(x) : NAN; }

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "?";
}

/* The result of that name of a record, or NULL. */
static json_t *result_of(const json_t *record, const char *name)
{
    size_t i;
    json_t *r;
    json_array_foreach(json_object_get(record, "results"), i, r) if (strcmp(text_of(r, "name"), name) == 0) return r;
    return NULL;
}

/* All numbers of an object as values of one row. */
static sn_rt_status add_row(sn_rt_table *t, const char *row, json_t *object, sn_rt_error *err)
{
    const char  *key;
    json_t      *value;
    sn_rt_status status = SN_RT_OK;
    json_object_foreach(object, key, value) if (status == SN_RT_OK && !json_is_string(value)) status = sn_rt_table_add(t, row, key, value_of(value), err);
    return status;
}

static sn_rt_status add_classes(sn_rt_table *t, const json_t *result, sn_rt_error *err)
{
    size_t       i;
    json_t      *c;
    sn_rt_status status = SN_RT_OK;
    json_array_foreach(json_object_get(result, "classes"), i, c) if (status == SN_RT_OK) status = add_row(t, text_of(c, "name"), c, err);
    return status;
}

static sn_rt_table new_table(const char *title, const char *corner)
{
    sn_rt_table t = {.title = title, .corner = corner, .scale = 100, .digits = 1};
    static const char *const count[] = {"truths", "found"};
    uint32_t at;
    for (int i = 0; i < 2; i++) sn_rt_names_add(&t.plain, count[i], &at, NULL); /* if there is no memory for it, counts are shown times 100 */
    return t;
}

/* The columns of the first record that has the result, so that the paper's rows do not decide their order; then those rows. */
static sn_rt_status add_paper(sn_rt_table *t, const json_t *result, const char *paper, sn_rt_error *err)
{
    const char  *key, *table;
    json_t      *value;
    int          column;
    sn_rt_status status = SN_RT_OK;
    if (!sn_paper_find(paper, &table, &column)) return sn_rt_fail(err, SN_RT_ARGUMENT, "the paper has no table %s", paper);
    const char *measure = strcmp(table, "pku") == 0 ? "mAP@0.5" : "mAP";
    if (!json_object_get(json_object_get(result, "measures"), measure)) return SN_RT_OK;
    for (unsigned i = 0; i < sn_paper_rows && status == SN_RT_OK; i++) {
        char name[100];
        if (strcmp(sn_paper[i].table, table) != 0) continue;
        snprintf(name, sizeof name, "paper: %s", sn_paper[i].name);
        json_object_foreach(json_object_get(result, "measures"), key, value) if (status == SN_RT_OK) status =
            sn_rt_table_add(t, name, key, strcmp(key, measure) == 0 ? sn_paper[i].value[column] / 100 : NAN, err);
    }
    return status;
}

/* One result over all records: a row a name. */
static sn_rt_status visit_summary(json_t *const *record, size_t records, const char *result, const char *paper, sn_record_visit *visit, void *context,
                                  sn_rt_error *err)
{
    sn_rt_table  t = new_table(result, "percent");
    sn_rt_status status = SN_RT_OK;
    for (size_t i = 0; i < records && paper; i++)
        if (result_of(record[i], result)) {
            status = add_paper(&t, result_of(record[i], result), paper, err);
            break;
        }
    for (size_t i = 0; i < records && status == SN_RT_OK; i++) {
        json_t *r = result_of(record[i], result);
        if (r) status = add_row(&t, text_of(record[i], "name"), json_object_get(r, "measures"), err);
    }
    if (status == SN_RT_OK) visit(context, &t);
    sn_rt_table_fini(&t);
    return status;
}

/* One result of the records of one name, by class. */
static sn_rt_status visit_classes(json_t *const *record, size_t records, const char *name, const char *result, sn_record_visit *visit, void *context,
                                  sn_rt_error *err)
{
    char title[600];
    snprintf(title, sizeof title, "%s: %s", name, result);
    sn_rt_table  t = new_table(title, "class");
    sn_rt_status status = SN_RT_OK;
    for (size_t i = 0; i < records && status == SN_RT_OK; i++)
        if (strcmp(text_of(record[i], "name"), name) == 0) status = add_classes(&t, result_of(record[i], result), err);
    if (status == SN_RT_OK && t.rows.count) visit(context, &t);
    sn_rt_table_fini(&t);
    return status;
}

/* Names of all records, and of all their results. */
static sn_rt_status collect(json_t *const *record, size_t records, sn_rt_names *names, sn_rt_names *results, sn_rt_error *err)
{
    sn_rt_status status = SN_RT_OK;
    uint32_t     at;
    size_t       k;
    json_t      *r;
    for (size_t i = 0; i < records && status == SN_RT_OK; i++) {
        status = sn_rt_names_add(names, text_of(record[i], "name"), &at, err);
        json_array_foreach(json_object_get(record[i], "results"), k, r) if (status == SN_RT_OK) status =
            sn_rt_names_add(results, text_of(r, "name"), &at, err);
    }
    return status;
}

sn_rt_status sn_record_each_table(json_t *const *record, size_t records, bool classwise, const char *paper, sn_record_visit *visit, void *context,
                                  sn_rt_error *err)
{
    sn_rt_names  names = {0}, results = {0};
    sn_rt_status status = collect(record, records, &names, &results, err);
    for (uint32_t r = 0; r < results.count && status == SN_RT_OK; r++) {
        status = visit_summary(record, records, results.name[r], paper, visit, context, err);
        for (uint32_t n = 0; n < names.count && (classwise || records == 1) && status == SN_RT_OK; n++)
            status = visit_classes(record, records, names.name[n], results.name[r], visit, context, err);
    }
    sn_rt_names_fini(&names);
    sn_rt_names_fini(&results);
    return status;
}

typedef struct printing {
    sn_rt_table_form form;
    FILE            *out;
    bool             begun;
} printing;

static void print(void *context, const sn_rt_table *t)
{
    printing *p = context;
    if (p->begun) fputc('\n', p->out);
    sn_rt_table_print(t, p->form, p->out);
    p->begun = true;
}

sn_rt_status sn_record_tables(json_t *const *record, size_t records, bool classwise, const char *paper, sn_rt_table_form form, FILE *out, sn_rt_error *err)
{
    printing p = {.form = form, .out = out};
    return sn_record_each_table(record, records, classwise, paper, print, &p, err);
}
