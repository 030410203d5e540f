/* Comma-separated tables with a header line, such as labels and splits.
 * Not a spreadsheet: all fields are text, quotes as in RFC 4180, CRLF or LF. */
#ifndef SN_RUNTIME_DATA_CSV_H
#define SN_RUNTIME_DATA_CSV_H

#include "../status.h"

#include <stddef.h>
#include <stdio.h>

typedef struct csv {
    const char *path;     /* borrowed from the reader's caller */
    char *bytes;          /* fields point into it */
    char **field;         /* [rows + 1][columns]; row 0 is the header */
    unsigned long *line;  /* [rows + 1] */
    size_t rows, columns; /* rows without the header */
} csv;

/* SN_RT_FORMAT "PATH:LINE: ..." if a row has not as many fields as the header. Blank lines are skipped. */
sn_rt_status sn_rt_csv_read(const char *path, csv *out, sn_rt_error *err);
sn_rt_status sn_rt_csv_parse(const char *path, char *bytes_taken, size_t size, csv *out, sn_rt_error *err);
void sn_rt_csv_fini(csv *table);

/* Column of that header, or -1; field of a row counted from 0; its line. */
int sn_rt_csv_column(const csv *table, const char *name);
const char *sn_rt_csv_at(const csv *table, size_t row, int column);
unsigned long sn_rt_csv_line(const csv *table, size_t row);

/* Write a field, quoted if it must be. */
void sn_rt_csv_field(FILE *out, const char *text);

#endif
