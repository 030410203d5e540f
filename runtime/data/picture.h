/* What pictures share: a cairo canvas that ends as a PNG file, colours, text.
 * Not public: plot.h and draw.h are. */
#ifndef SN_RUNTIME_DATA_PICTURE_H
#define SN_RUNTIME_DATA_PICTURE_H

#include "../status.h"

#include <cairo.h>
#include <stddef.h>

/* A white canvas; NULL if there is no memory or the size is not within 1..16384. */
cairo_t *sn_rt_picture_new(int width, int height);

/* Write the canvas atomically as PNG and release it, in any case. */
sn_rt_status sn_rt_picture_take(cairo_t *canvas, const char *path, sn_rt_error *err);

/* Eight colours that people with colour blindness can tell apart (Okabe and Ito); index modulo 8. */
void sn_rt_picture_colour(cairo_t *canvas, size_t index);
void sn_rt_picture_grey(cairo_t *canvas, double level);

/* Text at (x, y): `anchor` 0 begins there, 0.5 is centred, 1 ends there; y is the baseline. */
void sn_rt_picture_text(cairo_t *canvas, double x, double y, double anchor, double size, const char *text);

#endif
