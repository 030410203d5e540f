/* Reading tracked bodies: NTU RGB+D and PKU-MMD text.
 * Not aware of which bodies matter. */
#include "bodies.h"

#include "file.h"
#include "internal.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BODIES = 64, BODY_FIELDS = 10, JOINT_FIELDS = 12, PKU_BODIES = 2 };

void sn_rt_bodies_fini(sn_rt_bodies *bodies)
{
    free(bodies->first);
    free(bodies->body);
    memset(bodies, 0, sizeof *bodies);
}

/* A file being read. */
typedef struct reading {
    text t;
    sn_rt_bodies out;
    size_t bodies, body_capacity, frame_capacity;
} reading;

static sn_rt_status no_memory(const reading *r)
{
    return sn_rt_fail(r->t.err, SN_RT_MEMORY, "%s: no memory for frame %zu", r->t.path, r->out.frames);
}

/* Room for one more body, not yet counted. NULL if there is no memory. */
static sn_rt_tracked *next_body(reading *r)
{
    if (sn_rt_grow((void **)&r->out.body, &r->body_capacity, r->bodies, sizeof *r->out.body))
        return NULL;
    sn_rt_tracked *body = &r->out.body[r->bodies];
    memset(body, 0, sizeof *body);
    return body;
}

/* The bodies read since the last call are those of one more frame. */
static sn_rt_status end_frame(reading *r)
{
    if (sn_rt_grow((void **)&r->out.first, &r->frame_capacity, r->out.frames + 1, sizeof *r->out.first))
        return no_memory(r);
    r->out.first[0] = 0;
    r->out.first[++r->out.frames] = r->bodies;
    return SN_RT_OK;
}

static sn_rt_status read_coordinate(reading *r, const char *what, float *out)
{
    double value;
    sn_rt_status status = sn_rt_text_number(&r->t, what, &value);
    if (status == SN_RT_OK && !isfinite((float)value))
        return sn_rt_text_fail(&r->t, "%g is no length in metres", value);
    *out = (float)value;
    return status;
}

/* To the next word, over the ends of lines. */
static void skip_blanks(reading *r)
{
    r->t.at = sn_rt_text_word(&r->t).at;
}

/* ---- NTU RGB+D ---------------------------------------------------------------------------------------------------------- */

/* A whole number that stands alone on the next line that is not blank. */
static sn_rt_status read_count(reading *r, const char *what, size_t *out)
{
    word w = sn_rt_text_word(&r->t);
    if (!sn_rt_word_count(w, out))
        return sn_rt_text_expected(&r->t, w, what);
    w = sn_rt_text_word_in_line(&r->t);
    return w.size ? sn_rt_text_expected(&r->t, w, "the end of the line") : SN_RT_OK;
}

/* `fields` more words of this line, then its end. */
static sn_rt_status skip_fields(reading *r, int fields, const char *what)
{
    for (int i = 0; i < fields; i++) {
        word w = sn_rt_text_word_in_line(&r->t);
        if (w.size == 0)
            return sn_rt_text_expected(&r->t, w, what);
    }
    word w = sn_rt_text_word_in_line(&r->t);
    return w.size ? sn_rt_text_expected(&r->t, w, "the end of the line") : SN_RT_OK;
}

/* Ids are 64-bit numbers of 17 digits and more: a double would make two persons one. */
static int id_of(word w, uint64_t *out)
{
    uint64_t id = 0;
    for (size_t i = 0; i < w.size; i++)
        if (w.at[i] < '0' || w.at[i] > '9' || __builtin_mul_overflow(id, 10u, &id) ||
            __builtin_add_overflow(id, (uint64_t)(w.at[i] - '0'), &id))
            return 0;
    *out = id;
    return w.size > 0;
}

static sn_rt_status read_ntu_body(reading *r)
{
    sn_rt_tracked *body = next_body(r);
    if (!body)
        return no_memory(r);
    word w = sn_rt_text_word(&r->t);
    if (!id_of(w, &body->id))
        return sn_rt_text_expected(&r->t, w, "a body id (a whole number of up to 64 bits)");
    size_t joints = 0;
    sn_rt_status status = skip_fields(r, BODY_FIELDS - 1, "10 fields of a body");
    if (status == SN_RT_OK)
        status = read_count(r, "25, the number of joints", &joints);
    if (status == SN_RT_OK && joints != SN_RT_JOINTS)
        return sn_rt_text_fail(&r->t, "a body of %zu joints, expected %d", joints, SN_RT_JOINTS);
    for (size_t j = 0; status == SN_RT_OK && j < SN_RT_JOINTS; j++) {
        skip_blanks(r);
        for (size_t c = 0; status == SN_RT_OK && c < 3; c++)
            status = read_coordinate(r, "12 fields of a joint, x y z first", &body->x[j][c]);
        if (status == SN_RT_OK)
            status = skip_fields(r, JOINT_FIELDS - 3, "12 fields of a joint");
    }
    r->bodies += status == SN_RT_OK;
    return status;
}

static sn_rt_status read_ntu(reading *r)
{
    size_t frames = 0, bodies = 0;
    sn_rt_status status = read_count(r, "the number of frames", &frames);
    if (status == SN_RT_OK && frames == 0)
        return sn_rt_text_fail(&r->t, "no frames");
    while (status == SN_RT_OK && r->out.frames < frames) {
        if (sn_rt_text_at_end(&r->t))
            return sn_rt_text_fail(&r->t, "the file ends after %zu frames, its first line says %zu", r->out.frames, frames);
        status = read_count(r, "the number of bodies in a frame", &bodies);
        if (status == SN_RT_OK && bodies > MAX_BODIES)
            return sn_rt_text_fail(&r->t, "%zu bodies in a frame, expected at most %d", bodies, MAX_BODIES);
        for (size_t i = 0; status == SN_RT_OK && i < bodies; i++)
            status = read_ntu_body(r);
        if (status == SN_RT_OK)
            status = end_frame(r);
    }
    if (status == SN_RT_OK && !sn_rt_text_at_end(&r->t))
        return sn_rt_text_expected(&r->t, sn_rt_text_word(&r->t), "the end of the file after the last frame");
    return status;
}

/* The number behind `letter` at `*at`, of three digits; 0 on success. */
static int name_field(const char **at, char letter, int *out)
{
    const char *p = *at;
    if (*p++ != letter)
        return -1;
    *out = 0;
    for (int i = 0; i < 3; i++, p++) {
        if (*p < '0' || *p > '9')
            return -1;
        *out = *out * 10 + (*p - '0');
    }
    *at = p;
    return 0;
}

int sn_rt_ntu_name_of(const char *path, sn_rt_ntu_name *out)
{
    const char *at = sn_rt_file_name(path);
    if (name_field(&at, 'S', &out->setup) || name_field(&at, 'C', &out->camera) || name_field(&at, 'P', &out->performer) ||
        name_field(&at, 'R', &out->replication) || name_field(&at, 'A', &out->action))
        return -1;
    return *at == '\0' || *at == '.' ? 0 : -1;
}

/* ---- PKU-MMD ------------------------------------------------------------------------------------------------------------ */

static int is_absent(const sn_rt_tracked *body)
{
    for (int j = 0; j < SN_RT_JOINTS; j++)
        for (int c = 0; c < 3; c++)
            if (body->x[j][c] != 0)
                return 0;
    return 1;
}

static sn_rt_status read_pku(reading *r)
{
    sn_rt_status status = SN_RT_OK;
    while (status == SN_RT_OK && !sn_rt_text_at_end(&r->t)) {
        skip_blanks(r);
        for (uint64_t slot = 0; status == SN_RT_OK && slot < PKU_BODIES; slot++) {
            sn_rt_tracked *body = next_body(r);
            if (!body)
                return no_memory(r);
            body->id = slot;
            for (int i = 0; status == SN_RT_OK && i < SN_RT_JOINTS * 3; i++)
                status = read_coordinate(r, "150 numbers in a line: two bodies of 25 joints", &body->x[i / 3][i % 3]);
            r->bodies += status == SN_RT_OK && !is_absent(body);
        }
        word rest = status == SN_RT_OK ? sn_rt_text_word_in_line(&r->t) : (word){0};
        if (rest.size)
            return sn_rt_text_expected(&r->t, rest, "the end of the line after 150 numbers");
        if (status == SN_RT_OK)
            status = end_frame(r);
    }
    return status == SN_RT_OK && r->out.frames == 0 ? sn_rt_text_fail(&r->t, "no frames") : status;
}

/* ---- both --------------------------------------------------------------------------------------------------------------- */

typedef sn_rt_status (*reader)(reading *);

static sn_rt_status parse(reader read, const char *path, const char *bytes, size_t size, sn_rt_bodies *out, sn_rt_error *err)
{
    reading r = {.t = {.path = path, .at = bytes, .end = bytes + size, .line = 1, .err = err}, .out = {.fps = 30}};
    sn_rt_status status = read(&r);
    if (status == SN_RT_OK)
        *out = r.out;
    else
        sn_rt_bodies_fini(&r.out);
    return status;
}

static sn_rt_status read_path(reader read, const char *path, sn_rt_bodies *out, sn_rt_error *err)
{
    char *bytes;
    size_t size;
    sn_rt_status status = sn_rt_file_read(path, (size_t)1 << 32, &bytes, &size, err);
    if (status != SN_RT_OK)
        return status;
    status = parse(read, path, bytes, size, out, err);
    free(bytes);
    return status;
}

sn_rt_status sn_rt_ntu_parse(const char *path, const char *bytes, size_t size, sn_rt_bodies *out, sn_rt_error *err)
{
    return parse(read_ntu, path, bytes, size, out, err);
}

sn_rt_status sn_rt_ntu_read(const char *path, sn_rt_bodies *out, sn_rt_error *err)
{
    return read_path(read_ntu, path, out, err);
}

sn_rt_status sn_rt_pku_parse(const char *path, const char *bytes, size_t size, sn_rt_bodies *out, sn_rt_error *err)
{
    return parse(read_pku, path, bytes, size, out, err);
}

sn_rt_status sn_rt_pku_read(const char *path, sn_rt_bodies *out, sn_rt_error *err)
{
    return read_path(read_pku, path, out, err);
}
