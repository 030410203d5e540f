/* Runs, models and records as a report's page is told of them.
 * Not what needs the data set (report_set.c). */
#include "report_run.h"

#include "../runtime/data/csv.h"
#include "../runtime/data/file.h"
#include "../runtime/train/checkpoint.h"
#include "model_file.h"
#include "record.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POINTS = 400, /* of a curve: about as many as it has pixels */ DIGITS = 5 };

/* ---- values ------------------------------------------------------------------------------------------------------------- */

/* Bytes of the UTF-8 character that begins here, 0 if none does: neither overlong, nor a surrogate, nor beyond U+10FFFF. */
static size_t character(const unsigned char *s)
{
    size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2 : s[0] >= 0xE0 && s[0] < 0xF0 ? 3 : s[0] >= 0xF0 && s[0] < 0xF5 ? 4 : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F)) return 0;
    return n;
}

json_t *sn_report_text(const char *text)
{
    char  *clean = malloc(3 * strlen(text) + 1), *to = clean;
    size_t n;
    if (!clean) return NULL;
    for (const unsigned char *s = (const unsigned char *)text; *s; s += n ? n : 1) {
        n = character(s);
        memcpy(to, n ? (const char *)s : "\xEF\xBF\xBD", n ? n : 3);
        to += n ? n : 3;
    }
    json_t *value = json_stringn(clean, (size_t)(to - clean));
    free(clean);
    return value;
}

json_t *sn_report_number(double x, int digits)
{
    char text[40];
    snprintf(text, sizeof text, "%.*g", digits, x);
    return isfinite(x) ? json_real(strtod(text, NULL)) : json_null();
}

/* ---- curves ------------------------------------------------------------------------------------------------------------- */

/* A table that a run writes as it goes.  A last line without its end was cut off: its last number may be, too. */
static sn_rt_status read_table(const char *path, csv *out, sn_rt_error *err)
{
    char        *bytes;
    size_t       size, lines = 0;
    sn_rt_status status = sn_rt_file_read(path, (size_t)1 << 30, &bytes, &size, err);
    if (status != SN_RT_OK) return status;
    for (size_t i = 0; i < size; i++) lines += bytes[i] == '\n';
    if (size && bytes[size - 1] == '\n') return sn_rt_csv_parse(path, bytes, size, out, err);
    free(bytes);
    return sn_rt_fail(err, SN_RT_FORMAT, "%s:%zu: the last line is cut off", path, lines + 1);
}

/* A column as numbers; free() them. */
static sn_rt_status read_column(const csv *t, int column, double **out, sn_rt_error *err)
{
    double *x = malloc((t->rows + 1) * sizeof *x);
    if (!x) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", t->path);
    for (size_t r = 0; r < t->rows; r++) {
        const char *text = sn_rt_csv_at(t, r, column);
        char       *end;
        x[r] = strtod(text, &end);
        if (end != text && !*end && isfinite(x[r])) continue;
        free(x);
        return sn_rt_fail(err, SN_RT_FORMAT, "%s:%lu: %.60s is \"%.60s\", expected a number", t->path, sn_rt_csv_line(t, r), t->field[column], text);
    }
    *out = x;
    return SN_RT_OK;
}

/* Means over equal stretches, and the extremes where stretches are longer than a row. */
static json_t *curve(const char *name, const double *x, size_t rows)
{
    size_t  points = rows < POINTS ? rows : POINTS;
    json_t *mean = json_array(), *low = json_array(), *high = json_array(), *c = json_pack("{s:o, s:o}", "name", sn_report_text(name), "mean", mean);
    for (size_t p = 0; p < points; p++) {
        size_t from = p * rows / points, to = (p + 1) * rows / points;
        double sum = 0, least = x[from], most = x[from];
        for (size_t r = from; r < to; r++) sum += x[r], least = fmin(least, x[r]), most = fmax(most, x[r]);
        json_array_append_new(mean, sn_report_number(sum / (double)(to - from), DIGITS));
        json_array_append_new(low, sn_report_number(least, DIGITS));
        json_array_append_new(high, sn_report_number(most, DIGITS));
    }
    if (points < rows) json_object_set(c, "low", low), json_object_set(c, "high", high);
    json_decref(low), json_decref(high);
    return c;
}

static bool listed(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(name, *list) == 0) return true;
    return false;
}

/* All columns but those `without`, along one that stands first. */
static sn_rt_status curves(const csv *t, const char *along, const char *const *without, json_t **out, sn_rt_error *err)
{
    double *x = NULL;
    if (strcmp(t->field[0], along) != 0) return sn_rt_fail(err, SN_RT_FORMAT, "%s:1: the first column is \"%.60s\", expected %s", t->path, t->field[0], along);
    if (!t->rows) return sn_rt_fail(err, SN_RT_FORMAT, "%s: no row yet", t->path);
    sn_rt_status status = read_column(t, 0, &x, err);
    if (status != SN_RT_OK) return status;
    json_t *columns = json_array(), *axis = curve(along, x, t->rows);
    *out = json_pack("{s:s, s:I, s:O, s:o}", "along", along, "rows", (json_int_t)t->rows, "at", json_object_get(axis, "mean"), "columns", columns);
    json_decref(axis);
    free(x);
    for (size_t c = 1; c < t->columns && status == SN_RT_OK; c++) {
        if (listed(t->field[c], without)) continue;
        status = read_column(t, (int)c, &x, err);
        if (status != SN_RT_OK) break;
        json_array_append_new(columns, curve(t->field[c], x, t->rows));
        free(x);
    }
    return status;
}

/* The last value of a column that may be missing. */
static sn_rt_status last_of(const csv *t, const char *column, double *out, sn_rt_error *err)
{
    double *x;
    int     c = sn_rt_csv_column(t, column);
    if (c < 0) return sn_rt_fail(err, SN_RT_FORMAT, "%s:1: no column %s", t->path, column);
    sn_rt_status status = read_column(t, c, &x, err);
    if (status != SN_RT_OK) return status;
    *out = x[t->rows - 1];
    free(x);
    return SN_RT_OK;
}

static sn_rt_status read_log(const char *path, json_t *page, sn_rt_error *err)
{
    static const char *const without[] = {"epoch", "seconds", NULL};
    csv          t = {0};
    json_t      *log = NULL;
    double       seconds, epoch;
    sn_rt_status status = read_table(path, &t, err);
    if (status != SN_RT_OK) return status;
    status = curves(&t, "step", without, &log, err);
    if (status == SN_RT_OK) status = last_of(&t, "seconds", &seconds, err);
    if (status == SN_RT_OK) status = last_of(&t, "epoch", &epoch, err);
    if (status == SN_RT_OK)
        json_object_update_new(page, json_pack("{s:O, s:I, s:I, s:o}", "log", log, "steps", (json_int_t)t.rows, "epochs", (json_int_t)epoch + 1, "seconds",
                                               sn_report_number(seconds, 9)));
    json_decref(log);
    sn_rt_csv_fini(&t);
    return status;
}

static sn_rt_status read_validation(const char *path, json_t *page, sn_rt_error *err)
{
    static const char *const without[] = {"sequences", "frames", NULL};
    csv          t = {0};
    json_t      *rows = NULL;
    sn_rt_status status = access(path, F_OK) == 0 ? read_table(path, &t, err) : SN_RT_OK;
    if (status != SN_RT_OK || !t.path) return status;
    if (t.rows) status = curves(&t, "epoch", without, &rows, err);
    if (status == SN_RT_OK && rows) json_object_set(page, "validation", rows);
    json_decref(rows);
    sn_rt_csv_fini(&t);
    return status;
}

/* ---- settings ----------------------------------------------------------------------------------------------------------- */

/* recipe.txt: "KEY = VALUE" a line.  Its parts have no heads; each begins with a key of its own (runtime/train/run.c, training.c, batches.c).  A recipe that
 * is trained with labels is one of finetuning. */
static sn_rt_status read_recipe(const char *path, json_t *page, sn_rt_error *err)
{
    enum { TRAINING = 2 };
    static const char *const begins[][2] = {{"seed", "run"}, {"module", "recipe"}, {"loss", "training"}, {"sequences", "data"}};
    const char  *kind = "pretrain";
    char        *text, *rest;
    size_t       size, part = 0, number = 0;
    sn_rt_status status = sn_rt_file_read(path, (size_t)1 << 26, &text, &size, err);
    if (status != SN_RT_OK) return status;
    json_t *settings = json_array();
    for (char *line = strtok_r(text, "\n", &rest); line && status == SN_RT_OK; line = strtok_r(NULL, "\n", &rest)) {
        char *value = strstr(line, " =");
        number++;
        if (!value) {
            status = sn_rt_fail(err, SN_RT_FORMAT, "%s:%zu: \"%.60s\", expected KEY = VALUE", path, number, line);
            break;
        }
        *value = 0;
        value += 2 + (value[2] == ' ');
        for (size_t k = part + 1; k < sizeof begins / sizeof *begins; k++)
            if (strcmp(line, begins[k][0]) == 0) part = k;
        if (part == TRAINING && strcmp(line, "labels") == 0) kind = "finetune";
        json_array_append_new(settings, json_pack("[s, o, o]", begins[part][1], sn_report_text(line), sn_report_text(value)));
    }
    free(text);
    if (status == SN_RT_OK) json_object_update_new(page, json_pack("{s:O, s:s}", "settings", settings, "kind", kind));
    json_decref(settings);
    return status;
}

/* The comment on the first line of recipe.json: how to run it again. */
static sn_rt_status read_command(const char *path, json_t *page, sn_rt_error *err)
{
    char        *text;
    size_t       size;
    sn_rt_status status = access(path, F_OK) == 0 ? sn_rt_file_read(path, (size_t)1 << 26, &text, &size, err) : SN_RT_MISSING;
    if (status != SN_RT_OK) return status == SN_RT_MISSING ? SN_RT_OK : status;
    text[strcspn(text, "\n")] = 0;
    if (strncmp(text, "// ", 3) == 0) json_object_set_new(page, "again", sn_report_text(text + 3));
    free(text);
    return SN_RT_OK;
}

/* ---- models ------------------------------------------------------------------------------------------------------------- */

static json_t *facts_json(const sn_model_file *m)
{
    json_t *classes = json_array();
    size_t  parameters = 0, bytes = 0;
    for (size_t k = 0; k < m->classes.count; k++) json_array_append_new(classes, sn_report_text(m->classes.name[k]));
    for (size_t i = 0; i < sn_rt_tensors_count(m->tensors); i++) {
        const sn_rt_array *a = sn_rt_tensors_at(m->tensors, i);
        parameters += a->bytes / sn_rt_elem_size(a->elem);
        bytes += a->bytes;
    }
    return json_pack("{s:o, s:o, s:f, s:I, s:I, s:I}", "classes", classes, "layout", sn_report_text(m->facts.layout), "fps", m->facts.fps, "window",
                     (json_int_t)m->facts.window, "parameters", (json_int_t)parameters, "bytes", (json_int_t)bytes);
}

static sn_rt_status read_model(const char *path, sn_report_run *run, sn_rt_error *err)
{
    sn_model_file m;
    run->trained = run->model = sn_model_file_read(&m, path, err);
    if (run->model) json_object_set_new(run->page, "model", facts_json(&m));
    sn_model_file_close(&m);
    return run->model ? SN_RT_OK : SN_RT_FORMAT;
}

/* ---- what a path is ----------------------------------------------------------------------------------------------------- */

typedef enum kind { RUN, MODEL, RECORD } kind;

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool has(const char *folder, const char *name)
{
    char path[PATH_MAX];
    return (size_t)snprintf(path, sizeof path, "%s/%s", folder, name) < sizeof path && access(path, F_OK) == 0;
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text), k = strlen(suffix);
    return n > k && strcmp(text + n - k, suffix) == 0;
}

static sn_rt_status kind_of(const char *path, kind *out, sn_rt_error *err)
{
    uint64_t step;
    bool     folder = is_folder(path), run = folder && (has(path, "log.csv") || has(path, "recipe.txt") || sn_rt_checkpoint_newest(path, &step));
    if (run) *out = RUN;
    else if (folder ? has(path, "model.safetensors") : ends_with(path, ".safetensors")) *out = MODEL;
    else if (folder ? has(path, "result.json") : ends_with(path, ".json")) *out = RECORD;
    else return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: %s", path, folder ? "neither a run (log.csv), a model (model.safetensors) nor a record (result.json) is in this folder"
                                                                   : "expected the folder of a run, a model (.safetensors) or a record of sinew evaluate (.json)");
    return SN_RT_OK;
}

/* NAME of NAME=PATH, unless a file is called so; else the last part of the path. */
static sn_rt_status split(const char *given, sn_report_run *run, bool *named, sn_rt_error *err)
{
    const char *equals = strchr(given, '='), *slash;
    *named = equals && equals != given && access(given, F_OK) != 0;
    run->path = strdup(*named ? equals + 1 : given);
    if (!run->path) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", given);
    for (size_t n = strlen(run->path); n > 1 && run->path[n - 1] == '/';) run->path[--n] = 0;
    slash = strrchr(run->path, '/');
    run->name = *named ? strndup(given, (size_t)(equals - given)) : strdup(slash && slash[1] ? slash + 1 : run->path);
    if (run->name && !*named && ends_with(run->name, ".safetensors")) run->name[strlen(run->name) - strlen(".safetensors")] = 0;
    if (!run->name) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", given);
    if (access(run->path, F_OK) != 0) return sn_rt_fail(err, SN_RT_IO, "%s: no such file or folder", run->path);
    return SN_RT_OK;
}

static sn_rt_status read_record(sn_report_run *run, bool named, sn_rt_error *err)
{
    run->record = sn_record_read(run->path, err);
    if (!run->record) return SN_RT_FORMAT;
    if (json_object_get(run->record, "given")) json_object_set(run->page, "given", json_object_get(run->record, "given"));
    if (named) return SN_RT_OK;
    free(run->name);
    run->name = strdup(json_string_value(json_object_get(run->record, "name")));
    return run->name ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", run->path);
}

static sn_rt_status read_run(sn_report_run *run, sn_rt_error *err)
{
    char               path[PATH_MAX];
    static const char *const name[] = {"log.csv", "recipe.txt", "validation.csv", "recipe.json"};
    sn_rt_status (*const read[])(const char *, json_t *, sn_rt_error *) = {read_log, read_recipe, read_validation, read_command};
    sn_rt_status       status = SN_RT_OK;
    uint64_t           step;
    bool               pretrained;
    for (size_t i = 0; i < sizeof name / sizeof *name && status == SN_RT_OK; i++) {
        if ((size_t)snprintf(path, sizeof path, "%s/%s", run->path, name[i]) >= sizeof path) return sn_rt_fail(err, SN_RT_IO, "%s: the name is too long", run->path);
        status = read[i](path, run->page, err);
    }
    if (status == SN_RT_OK && has(run->path, "model.safetensors")) status = read_model(run->path, run, err);
    if (status == SN_RT_OK && has(run->path, "result.json")) status = read_record(run, true, err);
    pretrained = status == SN_RT_OK && strcmp(json_string_value(json_object_get(run->page, "kind")), "pretrain") == 0;
    run->trained = run->trained || (pretrained && sn_rt_checkpoint_newest(run->path, &step));
    return status;
}

sn_rt_status sn_report_run_open(sn_report_run *run, const char *given, sn_rt_error *err)
{
    kind is = RECORD;
    bool named;
    *run = (sn_report_run){.page = json_object()};
    sn_rt_status status = split(given, run, &named, err);
    if (status == SN_RT_OK) status = kind_of(run->path, &is, err);
    if (status == SN_RT_OK) status = is == RECORD ? read_record(run, named, err) : is == MODEL ? read_model(run->path, run, err) : read_run(run, err);
    if (status != SN_RT_OK) return status;
    json_object_update_new(run->page, json_pack("{s:o, s:o}", "name", sn_report_text(run->name), "path", sn_report_text(run->path)));
    if (is != RUN) json_object_set_new(run->page, "kind", json_string(is == MODEL ? "model" : "record"));
    if (run->record) json_object_set_new(run->record, "name", sn_report_text(run->name));
    return SN_RT_OK;
}

void sn_report_run_close(sn_report_run *run)
{
    json_decref(run->page);
    json_decref(run->record);
    free(run->path);
    free(run->name);
    *run = (sn_report_run){0};
}
