/* Tables of figures and the three forms they are printed in.
 * Not a spreadsheet. */
#include "table.h"

#include "../data/csv.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static sn_rt_cell *cell_at(const sn_rt_table *t, uint32_t row, uint32_t column) { return &t->cell[(size_t)row * t->column_capacity + column]; }

/* Room for every row and column that has a name. */
static sn_rt_status fit(sn_rt_table *t, sn_rt_error *err)
{
    uint32_t rows = t->rows.capacity, columns = t->columns.capacity;
    if (rows == t->row_capacity && columns == t->column_capacity) return SN_RT_OK;
    sn_rt_cell *fresh = calloc((size_t)rows * columns + 1, sizeof *fresh);
    if (!fresh) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a table of %u rows", rows);
    for (uint32_t r = 0; r < t->row_capacity; r++)
        for (uint32_t c = 0; c < t->column_capacity; c++) fresh[(size_t)r * columns + c] = *cell_at(t, r, c);
    free(t->cell);
    t->cell = fresh;
    t->row_capacity = rows;
    t->column_capacity = columns;
    return SN_RT_OK;
}

sn_rt_status sn_rt_table_add(sn_rt_table *t, const char *row, const char *column, double value, sn_rt_error *err)
{
    uint32_t r, c;
    sn_rt_status status = sn_rt_names_add(&t->rows, row, &r, err);
    if (status == SN_RT_OK) status = sn_rt_names_add(&t->columns, column, &c, err);
    if (status == SN_RT_OK) status = fit(t, err);
    if (status != SN_RT_OK || isnan(value)) return status;
    sn_rt_cell *cell = cell_at(t, r, c);
    double distance = value - cell->mean;
    cell->mean += distance / (double)++cell->count;
    cell->squares += distance * (value - cell->mean);
    return SN_RT_OK;
}

const sn_rt_cell *sn_rt_table_cell(const sn_rt_table *t, uint32_t row, uint32_t column) { return cell_at(t, row, column); }

double sn_rt_cell_deviation(const sn_rt_cell *c) { return c->count > 1 ? sqrt(c->squares / (double)(c->count - 1)) : 0; }

static double scale_of(const sn_rt_table *t, uint32_t column)
{
    return t->scale > 0 && sn_rt_names_find(&t->plain, t->columns.name[column]) == SN_RT_NO_NAME ? t->scale : 1;
}

static int digits_of(const sn_rt_table *t, uint32_t column)
{
    return sn_rt_names_find(&t->plain, t->columns.name[column]) == SN_RT_NO_NAME ? t->digits : 0;
}

void sn_rt_table_text(const sn_rt_table *t, uint32_t row, uint32_t column, const char *sign, char *out, size_t size)
{
    const sn_rt_cell *c = cell_at(t, row, column);
    double scale = scale_of(t, column);
    int digits = digits_of(t, column);
    if (c->count == 0) snprintf(out, size, "-");
    else if (c->count == 1) snprintf(out, size, "%.*f", digits, c->mean * scale);
    else snprintf(out, size, "%.*f %s %.*f", digits, c->mean * scale, sign, digits, sn_rt_cell_deviation(c) * scale);
}

/* Characters of UTF-8. */
static int length_of(const char *text)
{
    int n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void print_text(const sn_rt_table *t, FILE *out)
{
    int first = length_of(t->corner);
    char cell[64];
    for (uint32_t r = 0; r < t->rows.count; r++) first = length_of(t->rows.name[r]) > first ? length_of(t->rows.name[r]) : first;
    for (int64_t r = -1; r < (int64_t)t->rows.count; r++) {
        const char *name = r < 0 ? t->corner : t->rows.name[r];
        fprintf(out, "%s%*s", name, first - length_of(name), "");
        for (uint32_t c = 0; c < t->columns.count; c++) {
            int width = length_of(t->columns.name[c]);
            for (uint32_t k = 0; k < t->rows.count; k++) {
                sn_rt_table_text(t, k, c, "+-", cell, sizeof cell);
                width = length_of(cell) > width ? length_of(cell) : width;
            }
            if (r >= 0) sn_rt_table_text(t, (uint32_t)r, c, "+-", cell, sizeof cell);
            const char *text = r < 0 ? t->columns.name[c] : cell;
            fprintf(out, "  %*s%s", width - length_of(text), "", text);
        }
        fputc('\n', out);
    }
}

static void print_markdown(const sn_rt_table *t, FILE *out)
{
    char cell[64];
    fprintf(out, "| %s |", t->corner);
    for (uint32_t c = 0; c < t->columns.count; c++) fprintf(out, " %s |", t->columns.name[c]);
    fprintf(out, "\n|---|");
    for (uint32_t c = 0; c < t->columns.count; c++) fprintf(out, "--:|");
    fputc('\n', out);
    for (uint32_t r = 0; r < t->rows.count; r++) {
        fprintf(out, "| %s |", t->rows.name[r]);
        for (uint32_t c = 0; c < t->columns.count; c++) {
            sn_rt_table_text(t, r, c, "\xc2\xb1", cell, sizeof cell);
            fprintf(out, " %s |", cell);
        }
        fputc('\n', out);
    }
}

static bool repeated(const sn_rt_table *t, uint32_t column)
{
    for (uint32_t r = 0; r < t->rows.count; r++)
        if (cell_at(t, r, column)->count > 1) return true;
    return false;
}

static void print_csv(const sn_rt_table *t, FILE *out)
{
    char name[300];
    if (t->title) fputs("table,", out);
    sn_rt_csv_field(out, t->corner);
    for (uint32_t c = 0; c < t->columns.count; c++) {
        for (int part = 0; part < (repeated(t, c) ? 3 : 1); part++) {
            snprintf(name, sizeof name, "%s%s", t->columns.name[c], part == 0 ? "" : part == 1 ? "_dev" : "_n");
            fputc(',', out);
            sn_rt_csv_field(out, name);
        }
    }
    fputc('\n', out);
    for (uint32_t r = 0; r < t->rows.count; r++) {
        if (t->title) sn_rt_csv_field(out, t->title), fputc(',', out);
        sn_rt_csv_field(out, t->rows.name[r]);
        for (uint32_t c = 0; c < t->columns.count; c++) {
            const sn_rt_cell *cell = cell_at(t, r, c);
            double scale = scale_of(t, c);
            if (cell->count) fprintf(out, ",%.9g", cell->mean * scale);
            else fputc(',', out);
            if (repeated(t, c)) fprintf(out, ",%.9g,%zu", sn_rt_cell_deviation(cell) * scale, cell->count);
        }
        fputc('\n', out);
    }
}

void sn_rt_table_print(const sn_rt_table *t, sn_rt_table_form form, FILE *out)
{
    if (t->title && form == SN_RT_TABLE_TEXT) fprintf(out, "%s\n", t->title);
    if (t->title && form == SN_RT_TABLE_MARKDOWN) fprintf(out, "**%s**\n\n", t->title);
    if (form == SN_RT_TABLE_TEXT) print_text(t, out);
    else if (form == SN_RT_TABLE_CSV) print_csv(t, out);
    else print_markdown(t, out);
}

void sn_rt_table_fini(sn_rt_table *t)
{
    sn_rt_names_fini(&t->rows);
    sn_rt_names_fini(&t->columns);
    sn_rt_names_fini(&t->plain);
    free(t->cell);
    t->cell = NULL;
    t->row_capacity = t->column_capacity = 0;
}
