/* Canvas, colours and text for pictures, and their way to a PNG file.
 * Not a drawing of anything. */
#include "picture.h"

#include "file.h"

cairo_t *sn_rt_picture_new(int width, int height)
{
    if (width < 1 || height < 1 || width > 16384 || height > 16384)
        return NULL;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    cairo_t *canvas = cairo_create(surface);
    cairo_surface_destroy(surface);
    if (cairo_status(canvas) != CAIRO_STATUS_SUCCESS) {
        cairo_destroy(canvas);
        return NULL;
    }
    cairo_set_source_rgb(canvas, 1, 1, 1);
    cairo_paint(canvas);
    cairo_set_line_join(canvas, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(canvas, CAIRO_LINE_CAP_ROUND);
    cairo_select_font_face(canvas, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    return canvas;
}

/* Where cairo's writer sends the bytes. */
typedef struct png_sink {
    sn_rt_replace *file;
    sn_rt_status status;
    sn_rt_error *err;
} png_sink;

static cairo_status_t take_bytes(void *closure, const unsigned char *bytes, unsigned int size)
{
    png_sink *sink = closure;
    if (sink->status == SN_RT_OK)
        sink->status = sn_rt_replace_write(sink->file, bytes, size, sink->err);
    return sink->status == SN_RT_OK ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

sn_rt_status sn_rt_picture_take(cairo_t *canvas, const char *path, sn_rt_error *err)
{
    png_sink sink = {.err = err};
    sink.status = sn_rt_replace_open(path, &sink.file, err);
    if (sink.status == SN_RT_OK) {
        cairo_status_t drawn = cairo_status(canvas);
        if (drawn == CAIRO_STATUS_SUCCESS)
            drawn = cairo_surface_write_to_png_stream(cairo_get_target(canvas), take_bytes, &sink);
        if (drawn != CAIRO_STATUS_SUCCESS && sink.status == SN_RT_OK)
            sink.status = sn_rt_fail(err, SN_RT_IO, "%s: picture: %s", path, cairo_status_to_string(drawn));
        if (sink.status == SN_RT_OK)
            sink.status = sn_rt_replace_commit(sink.file, err);
        else
            sn_rt_replace_abandon(sink.file);
    }
    cairo_destroy(canvas);
    return sink.status;
}

void sn_rt_picture_colour(cairo_t *canvas, size_t index)
{
    static const unsigned char colours[8][3] = {{0, 114, 178},  {213, 94, 0},   {0, 158, 115}, {204, 121, 167},
                                                {230, 159, 0},  {86, 180, 233}, {140, 90, 40}, {90, 90, 90}};
    const unsigned char *c = colours[index % 8];
    cairo_set_source_rgb(canvas, c[0] / 255.0, c[1] / 255.0, c[2] / 255.0);
}

void sn_rt_picture_grey(cairo_t *canvas, double level)
{
    cairo_set_source_rgb(canvas, level, level, level);
}

void sn_rt_picture_text(cairo_t *canvas, double x, double y, double anchor, double size, const char *text)
{
    cairo_text_extents_t extents;
    cairo_set_font_size(canvas, size);
    cairo_text_extents(canvas, text, &extents);
    cairo_move_to(canvas, x - anchor * extents.x_advance, y);
    cairo_show_text(canvas, text);
}
