/* The loss curve of a run as a picture.
 * Not the log it is drawn from (log.c), not drawing itself (runtime/data/plot.c). */
#include "curve.h"

#include "../data/plot.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { POINTS = 600 }; /* more than a picture can show apart */

/* Means of column `column` over `points` stretches of rows. */
static void means(const sn_rt_log *log, uint32_t column, size_t points, double *x, double *y)
{
    size_t rows = sn_rt_log_count(log);
    for (size_t i = 0; i < points; i++) {
        size_t begin = i * rows / points, end = (i + 1) * rows / points;
        double step = 0, sum = 0;
        for (size_t k = begin; k < end; k++) {
            sn_rt_log_row row = sn_rt_log_at(log, k);
            step += (double)row.step;
            sum += (double)row.value[column];
        }
        x[i] = step / (double)(end - begin);
        y[i] = sum / (double)(end - begin);
    }
}

sn_rt_status sn_rt_curve_write(const char *dir, const char *const *name, uint32_t columns, const sn_rt_log *log, sn_rt_error *err)
{
    char          path[PATH_MAX];
    size_t        rows = sn_rt_log_count(log), points = rows < POINTS ? rows : POINTS;
    sn_rt_series *series = calloc(columns + 1u, sizeof *series);
    double       *value = calloc(2 * (columns + 1u) * (points + 1), sizeof *value);
    sn_rt_status  status = series && value ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for a curve");
    for (uint32_t c = 0; status == SN_RT_OK && c < columns; c++) {
        double *x = value + 2 * c * points, *y = x + points;
        means(log, c, points, x, y);
        series[c] = (sn_rt_series){name[c], x, y, points};
    }
    if (status == SN_RT_OK) {
        sn_rt_plot plot = {.x_label = "step", .series = series, .count = columns, .from_zero = true};
        snprintf(path, sizeof path, "%s/loss.png", dir);
        status = sn_rt_plot_write(&plot, path, err);
    }
    free(series);
    free(value);
    return status;
}
