/* Tables of figures over repetitions: rows and columns by name, cells that collect values and show mean and deviation.
 * Not a record of where they came from. */
#ifndef SN_RUNTIME_EVAL_TABLE_H
#define SN_RUNTIME_EVAL_TABLE_H

#include "../data/names.h"

#include <stddef.h>
#include <stdio.h>

/* Values of one cell: their number, mean, and sum of squared distances from it (Welford, in the order they came). */
typedef struct sn_rt_cell {
    size_t count;
    double mean, squares;
} sn_rt_cell;

typedef struct sn_rt_table {
    const char *title, *corner; /* borrowed; corner: what rows are called */
    double      scale;          /* of values when shown: 100 for percent; 0: 1 */
    int         digits;         /* behind the point */
    sn_rt_names rows, columns;  /* in the order of their first value */
    sn_rt_names plain;          /* columns that are not scaled and have no digits: counts */
    sn_rt_cell *cell;           /* [rows of capacity][columns of capacity] */
    uint32_t    row_capacity, column_capacity;
} sn_rt_table;

typedef enum sn_rt_table_form { SN_RT_TABLE_TEXT, SN_RT_TABLE_CSV, SN_RT_TABLE_MARKDOWN } sn_rt_table_form;

/* One more value for a cell, whose row and column are made if they are new.  NaN makes them only.  SN_RT_MEMORY. */
sn_rt_status      sn_rt_table_add(sn_rt_table *t, const char *row, const char *column, double value, sn_rt_error *err);
const sn_rt_cell *sn_rt_table_cell(const sn_rt_table *t, uint32_t row, uint32_t column);
/* Of a sample: divided by count - 1; 0 for fewer than two. */
double sn_rt_cell_deviation(const sn_rt_cell *c);

/* What a cell shows in text and Markdown, with `sign` before a deviation; at most 63 bytes. */
void sn_rt_table_text(const sn_rt_table *t, uint32_t row, uint32_t column, const char *sign, char *out, size_t size);

/* "81.3", with several values "81.3 +- 0.4", "-" for none.  In CSV the title is a first column "table", and a column is NAME and, if any cell has several values, NAME_dev and NAME_n. */
void sn_rt_table_print(const sn_rt_table *t, sn_rt_table_form form, FILE *out);
void sn_rt_table_fini(sn_rt_table *t);

#endif
