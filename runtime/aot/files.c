/* Motion and sets of arrays, by the readers and the atomic writer of runtime/data.
 * Not its safetensors.c, which needs a JSON library: a header of known names is printed. */
#include "files.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../data/families.h"
#include "../data/file.h"
#include "../data/recording.h"

static const char *ending(const char *path)
{
    const char *dot = strrchr(sn_rt_file_name(path), '.');
    return dot ? dot + 1 : "";
}

bool sn_aot_is_motion(const char *path) { return strcasecmp(ending(path), "bvh") == 0 || strcasecmp(ending(path), "amc") == 0; }

sn_rt_status sn_aot_read_motion(const char *path, double fps, const char *asf, sn_rt_array *out, double *out_start, sn_rt_error *err)
{
    sn_rt_import    how = sn_rt_import_defaults(strcasecmp(ending(path), "bvh") == 0 ? "bvh" : "amc");
    sn_rt_recording r;
    sn_rt_error     why = {""};
    how.fps = fps;
    how.asf = asf;
    sn_rt_status status = sn_rt_recording_read(path, &how, &r, err);
    if (status != SN_RT_OK) return status;
    const uint64_t dims[] = {1, r.pick.frames, SN_RT_JOINTS, 3};
    sn_rt_array    a = {0};
    status = sn_rt_array_init(SN_RT_ELEM_F32, 4, dims, &a, &why);
    if (status == SN_RT_OK) status = sn_rt_recording_convert(&r, &how, a.data, &why);
    if (out_start) *out_start = (double)r.pick.first / r.motion.fps;
    sn_rt_recording_fini(&r);
    if (status == SN_RT_OK) *out = a;
    else sn_rt_array_fini(&a), sn_rt_fail(err, status, "%s: %s", path, why.text);
    return status;
}

bool sn_aot_is_tracked(const char *path) { return strcasecmp(ending(path), "skeleton") == 0 || strcasecmp(ending(path), "txt") == 0; }

sn_rt_status sn_aot_read_tracked(const char *path, const char *layout, double fps, sn_rt_array *out, sn_rt_error *err)
{
    const sn_rt_family *family = sn_rt_family_of_layout(layout);
    sn_rt_bodies        bodies;
    sn_rt_persons       q = {.x = NULL};
    sn_rt_array         a = {0};
    sn_rt_error         why = {""};
    if (!family) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: nobody prepares tracked bodies in layout %s", path, layout);
    sn_rt_status status = strcasecmp(ending(path), "txt") == 0 ? sn_rt_pku_read(path, &bodies, err) : sn_rt_ntu_read(path, &bodies, err);
    if (status != SN_RT_OK) return status;
    status = sn_rt_family_apply(family, &bodies, 0, &q, &why);
    sn_rt_bodies_fini(&bodies);
    if (status == SN_RT_OK && fabs(q.fps - fps) > 1e-6 * fps)
        status = sn_rt_fail(&why, SN_RT_BAD_SHAPE, "found %g frames a second, the model was trained on %g", q.fps, fps);
    const uint64_t dims[] = {SN_RT_PERSONS, q.frames, SN_RT_JOINTS, 3};
    if (status == SN_RT_OK) status = sn_rt_array_init(SN_RT_ELEM_F32, 4, dims, &a, &why);
    if (status == SN_RT_OK) memcpy(a.data, q.x, a.bytes), *out = a;
    sn_rt_persons_fini(&q);
    return status == SN_RT_OK ? status : sn_rt_fail(err, status, "%s: %s", path, why.text);
}

/* {"y":{"dtype":"F32","shape":[1,75,25,256],"data_offsets":[0,1920000]}}, blanks up to a multiple of 64, its length before it. */
static char *header(const sn_rt_array *array, int n, size_t *out_size)
{
    char    *text = NULL;
    uint64_t at = 0, length = 0;
    FILE    *f = open_memstream(&text, out_size);
    if (!f) return NULL;
    fwrite(&length, sizeof length, 1, f);
    for (int i = 0; i < n; i++) {
        fprintf(f, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[", i ? "," : "{", array[i].name);
        for (uint32_t d = 0; d < array[i].rank; d++) fprintf(f, "%s%" PRIu64, d ? "," : "", array[i].dims[d]);
        fprintf(f, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", at, at + array[i].bytes);
        at += array[i].bytes;
    }
    fputc('}', f);
    while (ftell(f) % 64) fputc(' ', f);
    if (fclose(f) != 0) return free(text), NULL;
    length = *out_size - sizeof length;
    memcpy(text, &length, sizeof length);
    return text;
}

sn_rt_status sn_aot_write_tensors(const char *path, const sn_rt_array *array, int n, sn_rt_error *err)
{
    size_t         size;
    sn_rt_replace *r;
    char          *head = header(array, n, &size);
    if (!head) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory for the header", path);
    sn_rt_status status = sn_rt_replace_open(path, &r, err);
    if (status != SN_RT_OK) return free(head), status;
    status = sn_rt_replace_write(r, head, size, err);
    for (int i = 0; i < n && status == SN_RT_OK; i++) status = sn_rt_replace_write(r, array[i].data, array[i].bytes, err);
    free(head);
    if (status == SN_RT_OK) return sn_rt_replace_commit(r, err);
    sn_rt_replace_abandon(r);
    return status;
}
