/* Comma-separated tables.
 * Not streaming: label files are small. */
#include "csv.h"

#include "file.h"
#include "internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct parsing {
    csv table;
    char *at, *end;
    unsigned long line;
    size_t fields, field_capacity, lines, line_capacity;
    sn_rt_error *err;
} parsing;

/* One field, unquoted in place; leaves `at` on the comma, newline or end behind it. NULL if a quote is not closed. */
static char *take_field(parsing *p)
{
    char *begin = p->at, *out = p->at;
    if (p->at == p->end || *p->at != '"') {
        while (p->at < p->end && *p->at != ',' && *p->at != '\n')
            p->at++;
        return begin;
    }
    for (p->at++;; *out++ = *p->at++) {
        if (p->at == p->end)
            return NULL;
        if (*p->at == '\n')
            p->line++;
        if (*p->at != '"')
            continue;
        p->at++;
        if (p->at == p->end || *p->at != '"')
            break;
    }
    /* Behind the closing quote nothing but the separator may come; blank it so that the field ends here. */
    for (char *c = out; c < p->at; c++)
        *c = '\0';
    return begin;
}

static sn_rt_status add_field(parsing *p, char *field)
{
    if (sn_rt_grow((void **)&p->table.field, &p->field_capacity, p->fields, sizeof *p->table.field))
        return sn_rt_fail(p->err, SN_RT_MEMORY, "%s: no memory", p->table.path);
    p->table.field[p->fields++] = field;
    return SN_RT_OK;
}

/* One line; its terminators become NULs. */
static sn_rt_status take_line(parsing *p)
{
    size_t before = p->fields;
    unsigned long line = p->line;
    if (sn_rt_grow((void **)&p->table.line, &p->line_capacity, p->lines, sizeof *p->table.line))
        return sn_rt_fail(p->err, SN_RT_MEMORY, "%s: no memory", p->table.path);
    p->table.line[p->lines++] = line;
    for (char separator = ','; separator == ',';) {
        char *field = take_field(p);
        if (!field || (p->at < p->end && *p->at != ',' && *p->at != '\n' && *p->at != '\r'))
            return sn_rt_fail(p->err, SN_RT_FORMAT, "%s:%lu: a quote is not closed", p->table.path, line);
        if (p->at < p->end && *p->at == '\r')
            *p->at++ = '\0';
        separator = p->at < p->end ? *p->at : '\0';
        *p->at = '\0'; /* the byte behind the end is the NUL that every read file has */
        if (p->at > field && p->at[-1] == '\r')
            p->at[-1] = '\0';
        sn_rt_status status = add_field(p, field);
        if (status != SN_RT_OK)
            return status;
        if (separator)
            p->at++;
    }
    p->line++;
    size_t found = p->fields - before;
    if (p->table.columns == 0)
        p->table.columns = found;
    if (found != p->table.columns)
        return sn_rt_fail(p->err, SN_RT_FORMAT, "%s:%lu: found %zu fields, the header has %zu", p->table.path, line, found,
                          p->table.columns);
    return SN_RT_OK;
}

static void skip_blank_lines(parsing *p)
{
    while (p->at < p->end && (*p->at == '\n' || (*p->at == '\r' && (p->at + 1 == p->end || p->at[1] == '\n'))))
        p->line += *p->at++ == '\n';
}

sn_rt_status sn_rt_csv_parse(const char *path, char *bytes_taken, size_t size, csv *out, sn_rt_error *err)
{
    parsing p = {.table = {.path = path, .bytes = bytes_taken},
                 .at = bytes_taken,
                 .end = bytes_taken + size,
                 .line = 1,
                 .err = err};
    sn_rt_status status = SN_RT_OK;
    if (memchr(bytes_taken, '\0', size))
        status = sn_rt_fail(err, SN_RT_FORMAT, "%s: not a text file", path);
    for (skip_blank_lines(&p); status == SN_RT_OK && p.at < p.end; skip_blank_lines(&p))
        status = take_line(&p);
    if (status == SN_RT_OK && p.lines == 0)
        status = sn_rt_fail(err, SN_RT_FORMAT, "%s:1: the header is missing", path);
    if (status != SN_RT_OK) {
        sn_rt_csv_fini(&p.table);
        return status;
    }
    p.table.rows = p.lines - 1;
    *out = p.table;
    return SN_RT_OK;
}

sn_rt_status sn_rt_csv_read(const char *path, csv *out, sn_rt_error *err)
{
    char *bytes;
    size_t size;
    sn_rt_status status = sn_rt_file_read(path, (size_t)1 << 30, &bytes, &size, err);
    return status == SN_RT_OK ? sn_rt_csv_parse(path, bytes, size, out, err) : status;
}

void sn_rt_csv_fini(csv *table)
{
    free(table->bytes);
    free(table->field);
    free(table->line);
    memset(table, 0, sizeof *table);
}

int sn_rt_csv_column(const csv *table, const char *name)
{
    for (size_t i = 0; i < table->columns; i++)
        if (strcmp(table->field[i], name) == 0)
            return (int)i;
    return -1;
}

const char *sn_rt_csv_at(const csv *table, size_t row, int column)
{
    return table->field[(row + 1) * table->columns + (size_t)column];
}

unsigned long sn_rt_csv_line(const csv *table, size_t row)
{
    return table->line[row + 1];
}

void sn_rt_csv_field(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}
