/* The log of a run: one row a step, as CSV on disk and as numbers in memory for the loss curve.
 * Not messages; nothing is printed here. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct sn_rt_log {
    FILE          *file;
    char          *path;
    uint32_t       columns;
    sn_rt_log_row *row; /* value is NULL here; values are in `values` */
    float         *values; /* [capacity][columns] */
    size_t         count, capacity;
};

static sn_rt_status refused(const sn_rt_log *log, sn_rt_error *err)
{
    return sn_rt_fail(err, SN_RT_IO, "%s: %s", log->path, strerror(errno));
}

static sn_rt_status remember(sn_rt_log *log, const sn_rt_log_row *row, sn_rt_error *err)
{
    if (log->count == log->capacity) {
        size_t capacity = log->capacity ? 2 * log->capacity : 256;
        void  *rows = realloc(log->row, capacity * sizeof *log->row);
        if (rows) log->row = rows;
        void *values = realloc(log->values, capacity * (log->columns + 1u) * sizeof *log->values);
        if (values) log->values = values;
        if (!rows || !values) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu rows of %s", capacity, log->path);
        log->capacity = capacity;
    }
    if (log->columns) memcpy(log->values + log->count * log->columns, row->value, log->columns * sizeof *row->value);
    log->row[log->count] = *row;
    log->row[log->count++].value = NULL;
    return SN_RT_OK;
}

/* "step,epoch,rate,seconds,loss,...\n"; free() it. */
static char *header_of(const char *const *name, uint32_t columns)
{
    char  *text = NULL;
    size_t size = 0;
    FILE  *f = open_memstream(&text, &size);
    if (!f) return NULL;
    fputs("step,epoch,rate,seconds", f);
    for (uint32_t i = 0; i < columns; i++) fprintf(f, ",%s", name[i]);
    fputc('\n', f);
    return fclose(f) ? NULL : text;
}

/* A line written by add: false if it is cut off or not such a line. */
static bool parse_row(const char *line, uint32_t columns, sn_rt_log_row *row, float *value)
{
    unsigned long long step, epoch;
    int at = 0;
    if (sscanf(line, "%llu,%llu,%lf,%lf%n", &step, &epoch, &row->rate, &row->seconds, &at) != 4) return false;
    for (uint32_t i = 0; i < columns; i++) {
        char *end;
        if (line[at] != ',') return false;
        value[i] = strtof(line + at + 1, &end);
        at = (int)(end - line);
    }
    row->step = step;
    row->epoch = epoch;
    row->value = value;
    return line[at] == '\n';
}

/* Take over rows of earlier sittings up to `keep_steps` and cut the file behind them. */
static sn_rt_status take_over(sn_rt_log *log, const char *header, uint64_t keep_steps, sn_rt_error *err)
{
    char        *line = NULL;
    size_t       size = 0;
    float       *value = calloc(log->columns + 1u, sizeof *value);
    sn_rt_status status = value ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %s", log->path);
    long         end = 0;
    rewind(log->file);
    if (status == SN_RT_OK && keep_steps > 0 && getline(&line, &size, log->file) > 0) {
        if (strcmp(line, header)) status = sn_rt_fail(err, SN_RT_FORMAT, "%s: its columns are not those of this recipe", log->path);
        end = ftell(log->file);
        sn_rt_log_row row;
        for (uint64_t next = 0; status == SN_RT_OK && getline(&line, &size, log->file) > 0; next = row.step + 1) {
            if (!parse_row(line, log->columns, &row, value) || row.step < next || row.step >= keep_steps) break;
            status = remember(log, &row, err);
            end = ftell(log->file);
        }
    }
    free(value);
    free(line);
    if (status == SN_RT_OK && (ftruncate(fileno(log->file), end) || fseek(log->file, end, SEEK_SET))) status = refused(log, err);
    if (status == SN_RT_OK && end == 0 && (fputs(header, log->file) < 0 || fflush(log->file))) status = refused(log, err);
    return status;
}

sn_rt_status sn_rt_log_open(const char *dir, const char *const *name, uint32_t columns, uint64_t keep_steps, sn_rt_log **out, sn_rt_error *err)
{
    sn_rt_log *log = calloc(1, sizeof *log);
    char      *header = header_of(name, columns);
    if (!log || !header || asprintf(&log->path, "%s/log.csv", dir) < 0) {
        free(log);
        free(header);
        return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a log");
    }
    log->columns = columns;
    int fd = open(log->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    log->file = fd < 0 ? NULL : fdopen(fd, "r+");
    sn_rt_status status = SN_RT_OK;
    if (!log->file) status = refused(log, err);
    else if (flock(fileno(log->file), LOCK_EX | LOCK_NB))
        status = errno == EWOULDBLOCK ? sn_rt_fail(err, SN_RT_IO, "%s: another process is training in this folder", dir) : refused(log, err);
    if (status == SN_RT_OK) status = take_over(log, header, keep_steps, err);
    free(header);
    if (status == SN_RT_OK) *out = log;
    else sn_rt_log_close(log);
    return status;
}

void sn_rt_log_close(sn_rt_log *log)
{
    if (!log) return;
    if (log->file) fclose(log->file);
    free(log->path);
    free(log->row);
    free(log->values);
    free(log);
}

sn_rt_status sn_rt_log_add(sn_rt_log *log, const sn_rt_log_row *row, sn_rt_error *err)
{
    sn_rt_status status = remember(log, row, err);
    if (status != SN_RT_OK) return status;
    fprintf(log->file, "%llu,%llu,%.9g,%.3f", (unsigned long long)row->step, (unsigned long long)row->epoch, row->rate, row->seconds);
    for (uint32_t i = 0; i < log->columns; i++) fprintf(log->file, ",%.9g", (double)row->value[i]);
    fputc('\n', log->file);
    return fflush(log->file) || ferror(log->file) ? refused(log, err) : SN_RT_OK;
}

size_t sn_rt_log_count(const sn_rt_log *log) { return log->count; }

sn_rt_log_row sn_rt_log_at(const sn_rt_log *log, size_t index)
{
    sn_rt_log_row row = log->row[index];
    row.value = log->values + index * log->columns;
    return row;
}
