/* Line curves as a PNG picture: axes, ticks, legend.
 * Not a charting library. */
#ifndef SN_RUNTIME_DATA_PLOT_H
#define SN_RUNTIME_DATA_PLOT_H

#include "../status.h"

#include <stdbool.h>
#include <stddef.h>

/* One curve; points in order of x. A point that is not finite interrupts the line. */
typedef struct sn_rt_series {
    const char *name;
    const double *x, *y; /* [count] */
    size_t count;
} sn_rt_series;

typedef struct sn_rt_plot {
    const char *title, *x_label, *y_label; /* UTF-8; NULL for none */
    const sn_rt_series *series;
    size_t count;
    bool from_zero;    /* the y axis begins at 0 if no value is below */
    int width, height; /* pixels; 0: 960 x 540 */
} sn_rt_plot;

/* Replace `path` atomically. A plot without a finite point shows empty axes from 0 to 1. */
sn_rt_status sn_rt_plot_write(const sn_rt_plot *plot, const char *path, sn_rt_error *err);

#endif
