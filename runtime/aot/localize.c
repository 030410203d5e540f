/* What happens when in recordings, said by the executable of a model that tells classes of frames apart: the output of `sinew localize`.
 * Not finding it (stream.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../data/file.h"
#include "../data/npy.h"
#include "../tag/segments.h"
#include "aot.h"
#include "files.h"

/* A recording and what was found in it. */
typedef struct recording {
    const char     *file;
    char            id[256];   /* its name without folders and suffix */
    double          start;     /* seconds of its file before the first frame */
    sn_rt_array     x;         /* f32[persons,T,V,3] or f32[T,V,3] */
    sn_aot_segment *found;
    size_t          founds, room;
    float          *scores;    /* [frames][columns], if wanted */
    size_t          scored;
} recording;

typedef struct localizing {
    const sn_aot            *model;
    const sn_abi_tagging    *g;
    const sn_aot_localizing *how;
    sn_aot_stream           *stream;
    int64_t                  persons, joints;
    recording               *of;
    int                      recordings;
    float                   *frames; /* [PIECE][persons][V][3] */
    sn_rt_error             *err;
} localizing;

enum { PIECE = 256 };

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static size_t frames_of(const recording *r) { return (size_t)r->x.dims[r->x.rank - 3]; }
static size_t persons_of(const recording *r) { return r->x.rank == 4 ? (size_t)r->x.dims[0] : 1; }

/* [T, joints, 3], or as many persons of that. */
static sn_rt_status check_array(const localizing *l, const recording *r)
{
    char     found[160];
    uint32_t n = r->x.rank;
    if (r->x.elem == SN_RT_ELEM_F32 && (n == 3 || n == 4) && persons_of(r) == (size_t)l->persons && r->x.dims[n - 1] == 3 && r->x.dims[n - 2] == (uint64_t)l->joints)
        return sn_rt_array_finite(&r->x, r->file, l->err);
    sn_rt_shape_text(r->x.elem, n, r->x.dims, found, sizeof found);
    return sn_rt_fail(l->err, SN_RT_BAD_SHAPE, "%s: found %s, expected f32[%lld,T,%lld,3]", r->file, found, (long long)l->persons, (long long)l->joints);
}

static sn_rt_status check_joints(const localizing *l, const char *path)
{
    if (l->joints == 25) return SN_RT_OK;
    return sn_rt_fail(l->err, SN_RT_BAD_SHAPE, "%s: shows 25 joints, the model wants arrays of %lld", path, (long long)l->joints);
}

/* Of the two persons of a file those the model looks at. */
static sn_rt_status read_tracked(const localizing *l, const char *path, recording *r)
{
    sn_rt_status status = sn_aot_read_tracked(path, l->g->layout, l->g->fps, &r->x, l->err);
    const float *second = status == SN_RT_OK ? (const float *)r->x.data + r->x.bytes / sizeof(float) / 2 : NULL;
    for (size_t i = 0; status == SN_RT_OK && l->persons == 1 && i < r->x.bytes / sizeof(float) / 2; i++)
        if (second[i] != 0) status = sn_rt_fail(l->err, SN_RT_BAD_SHAPE, "%s: shows two persons, the model looks at one", path);
    return status;
}

static sn_rt_status read_recording(const localizing *l, const char *path, recording *r)
{
    snprintf(r->id, sizeof r->id, "%s", sn_rt_file_name(path));
    char *dot = strrchr(r->id, '.');
    if (dot && dot != r->id) *dot = '\0';
    r->file = sn_rt_file_name(path);
    bool         captured = sn_aot_is_motion(path), tracked = sn_aot_is_tracked(path);
    sn_rt_status status = captured || tracked ? check_joints(l, path) : SN_RT_OK;
    if (status != SN_RT_OK) return status;
    if (tracked) return read_tracked(l, path, r);
    if (!captured) {
        status = sn_rt_npy_read(path, &r->x, l->err);
        return status == SN_RT_OK ? check_array(l, r) : status;
    }
    if (strcmp(l->g->layout, "ntu25") != 0)
        return sn_rt_fail(l->err, SN_RT_BAD_SHAPE, "%s: captured motion is prepared in layout ntu25, the model was trained on %s", path, l->g->layout);
    return sn_aot_read_motion(path, l->g->fps, l->how->asf, &r->x, &r->start, l->err);
}

/* ---- finding ------------------------------------------------------------------------------------------------------------ */

static sn_rt_status keep_segments(localizing *l, recording *r)
{
    sn_aot_segment s;
    while (sn_aot_stream_poll(l->stream, &s)) {
        if (r->founds == r->room) {
            r->room = r->room ? 2 * r->room : 64;
            sn_aot_segment *more = realloc(r->found, r->room * sizeof *more);
            if (!more) return sn_rt_fail(l->err, SN_RT_MEMORY, "%s: no memory for %zu segments", r->file, r->room);
            r->found = more;
        }
        r->found[r->founds++] = s;
    }
    const float *rows;
    int64_t      first, count = sn_aot_stream_scores(l->stream, &rows, &first);
    size_t       columns = (size_t)l->g->classes + 1;
    if (r->scores && count) memcpy(r->scores + (size_t)first * columns, rows, (size_t)count * columns * sizeof *rows);
    return SN_RT_OK;
}

/* Frames [start, start + n) with their persons together; who is missing is zeros. */
static void gather(const localizing *l, const recording *r, size_t start, size_t n)
{
    size_t body = (size_t)l->joints * 3, persons = (size_t)l->persons;
    for (size_t f = 0; f < n; f++)
        for (size_t m = 0; m < persons; m++) {
            float *to = l->frames + (f * persons + m) * body;
            if (m < persons_of(r)) memcpy(to, (const float *)r->x.data + (m * frames_of(r) + start + f) * body, body * sizeof *to);
            else memset(to, 0, body * sizeof *to);
        }
}

static sn_rt_status find(localizing *l, recording *r)
{
    size_t       frames = frames_of(r);
    sn_rt_status status = SN_RT_OK;
    if (l->how->scores && !(r->scores = malloc((frames + 1) * ((size_t)l->g->classes + 1) * sizeof *r->scores)))
        return sn_rt_fail(l->err, SN_RT_MEMORY, "%s: no memory for scores", r->file);
    for (size_t at = 0; status == SN_RT_OK && at < frames;) {
        int64_t taken = 0;
        size_t  n = frames - at < PIECE ? frames - at : PIECE;
        gather(l, r, at, n);
        status = (sn_rt_status)sn_aot_stream_push(l->stream, l->frames, (int64_t)n, &taken, l->err);
        if (status == SN_RT_OK) status = keep_segments(l, r);
        at += (size_t)taken;
    }
    if (status == SN_RT_OK) status = (sn_rt_status)sn_aot_stream_finish(l->stream, l->err);
    return status == SN_RT_OK ? keep_segments(l, r) : status;
}

static sn_rt_status find_all(localizing *l)
{
    int64_t      step = l->g->halo == UINT64_MAX ? 0 : 6 * (int64_t)l->g->halo; /* nobody waits: a quarter is computed twice */
    sn_rt_status status = (sn_rt_status)sn_aot_stream_new(l->model, step, (int64_t)sn_rt_shortest_frames(l->how->shortest, l->g->fps), l->how->threads, &l->stream, l->err);
    l->frames = malloc(PIECE * (size_t)(l->persons * l->joints) * 3 * sizeof *l->frames);
    if (status == SN_RT_OK && !l->frames) status = sn_rt_fail(l->err, SN_RT_MEMORY, "no memory for %d frames", PIECE);
    for (int i = 0; status == SN_RT_OK && i < l->recordings; i++) status = find(l, &l->of[i]);
    return status;
}

/* ---- what comes out ----------------------------------------------------------------------------------------------------- */

static double seconds(const localizing *l, const recording *r, int64_t frame) { return r->start + (double)frame / l->g->fps; }

static void print_table(const localizing *l)
{
    printf("%-24s %-20s %9s %9s %7s\n", "recording", "label", "start s", "end s", "score");
    for (int i = 0; i < l->recordings; i++) {
        const recording *r = &l->of[i];
        for (size_t k = 0; k < r->founds; k++)
            printf("%-24s %-20s %9.2f %9.2f %7.3f\n", r->id, l->g->label[r->found[k].label], seconds(l, r, r->found[k].start), seconds(l, r, r->found[k].end),
                   r->found[k].score);
        if (!r->founds) printf("%-24s nothing was found in %.1f s\n", r->id, (double)frames_of(r) / l->g->fps);
    }
}

static void print_string(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\') printf("\\%c", *s);
        else if ((unsigned char)*s < ' ') printf("\\u%04x", (unsigned)*s);
        else putchar(*s);
    }
    putchar('"');
}

/* A number that JSON's readers take for a real one. */
static void print_real(double v)
{
    char text[40];
    snprintf(text, sizeof text, "%.6g", v);
    fputs(text, stdout);
    if (!strpbrk(text, ".e")) fputs(".0", stdout);
}

static void print_json_segment(const localizing *l, const recording *r, const sn_aot_segment *s)
{
    printf("   {\n    \"label\": ");
    print_string(l->g->label[s->label]);
    printf(",\n    \"start\": ");
    print_real(seconds(l, r, s->start));
    printf(",\n    \"end\": ");
    print_real(seconds(l, r, s->end));
    printf(",\n    \"score\": ");
    print_real(s->score);
    printf("\n   }");
}

static void print_json(const localizing *l)
{
    putchar('[');
    for (int i = 0; i < l->recordings; i++) {
        const recording *r = &l->of[i];
        printf("%s\n {\n  \"recording\": ", i ? "," : "");
        print_string(r->id);
        printf(",\n  \"file\": ");
        print_string(r->file);
        printf(",\n  \"start\": ");
        print_real(r->start);
        printf(",\n  \"end\": ");
        print_real(seconds(l, r, (int64_t)frames_of(r)));
        printf(",\n  \"segments\": [");
        for (size_t k = 0; k < r->founds; k++) {
            fputs(k ? ",\n" : "\n", stdout);
            print_json_segment(l, r, &r->found[k]);
        }
        printf("%s]\n }", r->founds ? "\n  " : "");
    }
    puts("\n]");
}

static sn_rt_status write_csv(const localizing *l)
{
    char  *text = NULL;
    size_t size = 0;
    FILE  *f = open_memstream(&text, &size);
    if (!f) return sn_rt_fail(l->err, SN_RT_MEMORY, "%s: no memory", l->how->csv);
    fputs("video,label,start,end,score,start_seconds,end_seconds\n", f);
    for (int i = 0; i < l->recordings; i++) {
        const recording *r = &l->of[i];
        for (size_t k = 0; k < r->founds; k++) {
            const sn_aot_segment *s = &r->found[k];
            fprintf(f, "%s,%s,%lld,%lld,%.9g,%.9g,%.9g\n", r->id, l->g->label[s->label], (long long)s->start, (long long)s->end, s->score, seconds(l, r, s->start),
                    seconds(l, r, s->end));
        }
    }
    sn_rt_status status = fclose(f) == 0 ? sn_rt_file_replace(l->how->csv, text, size, l->err) : sn_rt_fail(l->err, SN_RT_MEMORY, "%s: no memory", l->how->csv);
    free(text);
    return status;
}

static sn_rt_status write_scores(const localizing *l)
{
    const recording  *r = &l->of[0];
    const uint64_t    columns = l->g->classes + 1;
    const sn_rt_array a = {.elem = SN_RT_ELEM_F32, .rank = 2, .dims = {frames_of(r), columns}, .data = r->scores, .bytes = frames_of(r) * columns * sizeof(float)};
    return sn_rt_npy_write(l->how->scores, &a, l->err);
}

static sn_rt_status write_all(const localizing *l)
{
    sn_rt_status status = SN_RT_OK;
    if (l->how->scores) status = write_scores(l);
    if (status == SN_RT_OK && l->how->csv) status = write_csv(l);
    if (status == SN_RT_OK) (l->how->json ? print_json : print_table)(l);
    return status;
}

sn_rt_status sn_aot_localize(const sn_aot *m, const sn_aot_localizing *how, char **path, int paths, sn_rt_error *err)
{
    sn_aot_tensor in = {0};
    localizing    l = {.model = m, .g = sn_aot_artifact(m)->tagging, .how = how, .recordings = paths, .err = err};
    sn_rt_status  status = (l.of = calloc((size_t)paths, sizeof *l.of)) ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %d recordings", paths);
    sn_aot_describe_input(sn_aot_artifact(m), 0, &in);
    l.persons = in.rank == 5 ? in.dim[1] : 1;
    l.joints = in.dim[in.rank - 2];
    for (int i = 0; status == SN_RT_OK && i < paths; i++) status = read_recording(&l, path[i], &l.of[i]);
    if (status == SN_RT_OK) status = find_all(&l);
    if (status == SN_RT_OK) status = write_all(&l);
    for (int i = 0; l.of && i < paths; i++) {
        sn_rt_array_fini(&l.of[i].x);
        free(l.of[i].found);
        free(l.of[i].scores);
    }
    sn_aot_stream_free(l.stream);
    free(l.frames);
    free(l.of);
    return status;
}
