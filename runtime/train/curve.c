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

/* Does the column hold shares: nothing outside 0 .. 1? */
static bool is_share(const sn_rt_series *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (!(s->y[i] >= 0 && s->y[i] <= 1)) return false;
    return true;
}

static sn_rt_status draw(const char *dir, const char *file, const sn_rt_series *series, size_t count, sn_rt_error *err)
{
    char       path[PATH_MAX];
    sn_rt_plot plot = {.x_label = "step", .series = series, .count = count, .from_zero = true};
    snprintf(path, sizeof path, "%s/%s", dir, file);
    return sn_rt_plot_write(&plot, path, err);
}

/* Losses and shares differ tenfold in size: if there are both, each gets a picture. */
static sn_rt_status draw_apart(const char *dir, sn_rt_series *series, uint32_t columns, sn_rt_error *err)
{
    uint32_t others = 0;
    for (uint32_t c = 0; c < columns; c++) {
        if (is_share(&series[c])) continue;
        sn_rt_series moved = series[c];
        for (uint32_t k = c; k > others; k--) series[k] = series[k - 1]; /* others first, both kinds in their order */
        series[others++] = moved;
    }
    if (others == 0 || others == columns) return draw(dir, "loss.png", series, columns, err);
    sn_rt_status status = draw(dir, "loss.png", series, others, err);
    return status == SN_RT_OK ? draw(dir, "shares.png", series + others, columns - others, err) : status;
}

sn_rt_status sn_rt_curve_write(const char *dir, const char *const *name, uint32_t columns, const sn_rt_log *log, sn_rt_error *err)
{
    size_t        rows = sn_rt_log_count(log), points = rows < POINTS ? rows : POINTS;
    sn_rt_series *series = calloc(columns + 1u, sizeof *series);
    double       *value = calloc(2 * (columns + 1u) * (points + 1), sizeof *value);
    sn_rt_status  status = series && value ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for a curve");
    for (uint32_t c = 0; status == SN_RT_OK && c < columns; c++) {
        double *x = value + 2 * c * points, *y = x + points;
        means(log, c, points, x, y);
        series[c] = (sn_rt_series){name[c], x, y, points};
    }
    if (status == SN_RT_OK) status = draw_apart(dir, series, columns, err);
    free(series);
    free(value);
    return status;
}
