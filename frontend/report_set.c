/* What a data set says about runs: scores of their models, recordings, features.
 * Not the scoring (tagged.c), the judging (evaluate.c), the segments (runtime/tag) nor the features (embed.c). */
#include "report_set.h"

#include "../runtime/data/loader.h"
#include "../runtime/data/view.h"
#include "../runtime/tag/segments.h"
#include "embed.h"
#include "tagged.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 1500, /* of scores: about as many as a timeline has pixels */ POSES_A_SECOND = 16, MOTION_BYTES = 3 << 20, DIGITS = 5 };

/* What is gathered. */
typedef struct gathering {
    const sn_report_set_how *how;
    sn_report_run           *run;
    uint32_t                 runs;
    sn_rt_dataset           *set;
    sn_set_scores           *scores;  /* [runs]; without videos: not scored */
    sn_rt_names              classes; /* of all models, without background; without models those of the set */
    size_t                  *shown;   /* [shows]: sequences of the splits that are judged, best first */
    double                  *right;   /* [shows]: mean over the runs of the share of frames */
    size_t                   shows;
    json_t                  *page;
    sn_rt_error             *err;
} gathering;

/* What is wrong with a model, as diagnostics say it. */
static sn_rt_status told(const sn_diags *d, sn_rt_error *err)
{
    FILE *f = d->errors ? fmemopen(err->text, sizeof err->text, "w") : NULL;
    if (f) {
        sn_diags_print(d, f);
        fclose(f);
        err->text[sizeof err->text - 1] = 0;
        for (size_t n = strlen(err->text); n && err->text[n - 1] == '\n';) err->text[--n] = 0;
    }
    return SN_RT_FORMAT;
}

/* ---- bytes -------------------------------------------------------------------------------------------------------------- */

/* Base64 (RFC 4648). */
static json_t *packed(const unsigned char *bytes, size_t size)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char             *text = malloc(size / 3 * 4 + 5), *to = text;
    if (!text) return NULL;
    for (size_t i = 0; i < size; i += 3) {
        size_t   left = size - i;
        uint32_t three = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
        *to++ = digit[three >> 18];
        *to++ = digit[three >> 12 & 63];
        *to++ = left > 1 ? digit[three >> 6 & 63] : '=';
        *to++ = left > 2 ? digit[three & 63] : '=';
    }
    json_t *value = json_stringn(text, (size_t)(to - text));
    free(text);
    return value;
}

/* ---- scores ------------------------------------------------------------------------------------------------------------- */

static sn_rt_status add_classes(gathering *g, const char *const *name, size_t count)
{
    sn_rt_status status = SN_RT_OK;
    uint32_t     at;
    for (size_t k = 0; k < count && status == SN_RT_OK; k++) status = sn_rt_names_add(&g->classes, name[k], &at, g->err);
    return status;
}

/* Scores of one run's model, and its record. */
static sn_rt_status score_run(gathering *g, uint32_t r)
{
    sn_model_file m;
    sn_report_run *run = &g->run[r];
    if (!sn_model_file_open(&m, run->path, g->how->cache_dir, g->how->threads, g->err)) {
        sn_rt_status status = told(&m.diags, g->err);
        sn_model_file_close(&m);
        return status;
    }
    sn_rt_status status = sn_tagged_scores(&m, g->how->data, g->set, g->how->val, &g->scores[r], g->err);
    if (status == SN_RT_OK) status = add_classes(g, m.classes.name, m.classes.count);
    json_decref(run->record);
    run->record = sn_record_new("", json_pack("{s:o, s:o, s:o, s:s}", "model", sn_report_text(run->path), "data", sn_report_text(g->how->data), "val",
                                              sn_report_text(g->how->val), "protocol", g->how->judging.protocol));
    json_object_set_new(run->record, "name", sn_report_text(run->name));
    if (status == SN_RT_OK) status = sn_set_scores_judge(&g->scores[r], &g->how->judging, NULL, run->record, g->err);
    sn_model_file_close(&m);
    return status;
}

/* The models' classes, or else all labels of the set. */
static sn_rt_status name_classes(gathering *g)
{
    sn_rt_status status = SN_RT_OK;
    uint32_t     at;
    for (uint32_t k = 0; !g->classes.count && k < sn_rt_dataset_labels(g->set) && status == SN_RT_OK; k++)
        status = sn_rt_names_add(&g->classes, sn_rt_dataset_label_name(g->set, k), &at, g->err);
    json_t *list = json_array();
    for (uint32_t k = 0; k < g->classes.count; k++) json_array_append_new(list, sn_report_text(g->classes.name[k]));
    json_array_append_new(list, json_string("background"));
    json_object_set_new(g->page, "classes", list);
    return status;
}

/* ---- recordings --------------------------------------------------------------------------------------------------------- */

/* The video of a run's scores that shows a sequence, or SN_RT_NO_NAME. */
static uint32_t video_of(const gathering *g, uint32_t run, size_t sequence)
{
    return sn_rt_names_find(&g->scores[run].scores.videos, sn_rt_dataset_at(g->set, sequence)->id);
}

/* Class of every frame among `classes`; free() it. */
static float *true_classes(const gathering *g, const char *const *name, size_t count, const sn_rt_sequence *s)
{
    const sn_rt_classes classes = {.count = count, .name = name};
    float              *class = malloc((s->frames + 1) * sizeof *class);
    if (class) sn_rt_classes_of_frames(&classes, g->set, s, 0, s->frames, class);
    return class;
}

/* The share of frames that are taken for what they are; NaN if the run did not score the sequence. */
static double share_right(const gathering *g, uint32_t run, size_t sequence)
{
    const sn_set_scores  *scores = &g->scores[run];
    const sn_rt_sequence *s = sn_rt_dataset_at(g->set, sequence);
    uint32_t              video = video_of(g, run, sequence), K = scores->scores.columns;
    size_t                right = 0;
    float                *class = video == SN_RT_NO_NAME ? NULL : true_classes(g, (const char *const *)scores->scores.classes.name, scores->classes, s);
    if (!class) return NAN;
    for (size_t f = 0; f < s->frames; f++) right += sn_rt_best_class(scores->scores.of[video].p + f * K, K) == (size_t)class[f];
    free(class);
    return (double)right / (double)s->frames;
}

static double mean_right(const gathering *g, size_t sequence)
{
    double   sum = 0;
    uint32_t n = 0;
    for (uint32_t r = 0; r < g->runs; r++) {
        double share = share_right(g, r, sequence);
        if (isfinite(share)) sum += share, n++;
    }
    return n ? sum / n : NAN;
}

/* Those of the splits that a model scored, or all where there is no model; best first, equal ones in the order of the set. */
static sn_rt_status judge_recordings(gathering *g)
{
    size_t count = sn_rt_dataset_count(g->set);
    bool   models = false;
    g->shown = calloc(count + 1, sizeof *g->shown);
    g->right = calloc(count + 1, sizeof *g->right);
    if (!g->shown || !g->right) return sn_rt_fail(g->err, SN_RT_MEMORY, "no memory for %zu sequences", count);
    for (uint32_t r = 0; r < g->runs; r++) models |= g->run[r].model;
    for (size_t i = 0; i < count; i++) {
        double right = mean_right(g, i);
        if (!sn_rt_split_listed(g->how->val, sn_rt_dataset_at(g->set, i)->split) || (models && !isfinite(right))) continue;
        size_t at = g->shows++;
        for (; at && right > g->right[at - 1]; at--) g->right[at] = g->right[at - 1], g->shown[at] = g->shown[at - 1];
        g->right[at] = right;
        g->shown[at] = i;
    }
    return g->shows ? SN_RT_OK : sn_rt_fail(g->err, SN_RT_MISSING, "%s: no sequence of split %s", g->how->data, g->how->val);
}

static void tell_judged(const gathering *g)
{
    json_t *list = json_array();
    for (size_t i = 0; i < g->shows; i++) {
        const sn_rt_sequence *s = sn_rt_dataset_at(g->set, g->shown[i]);
        json_t               *right = json_array();
        for (uint32_t r = 0; r < g->runs; r++) json_array_append_new(right, sn_report_number(share_right(g, r, g->shown[i]), DIGITS));
        json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:o}", "id", sn_report_text(s->id), "split", s->split, "seconds",
                                              sn_report_number((double)s->frames / s->fps, DIGITS), "right", right));
    }
    json_object_set_new(g->page, "judged", list);
}

/* Number among those that are judged, g->shows if it is none of them. */
static size_t find_judged(const gathering *g, const char *id)
{
    size_t at = 0;
    while (at < g->shows && strcmp(sn_rt_dataset_at(g->set, g->shown[at])->id, id) != 0) at++;
    return at;
}

/* Leave in g->shown those to show; *out of them. */
static sn_rt_status choose(gathering *g, size_t *out)
{
    const sn_report_set_how *how = g->how;
    size_t                   wanted = how->sequences ? how->sequences : how->recordings < g->shows ? how->recordings : g->shows;
    size_t                  *chosen = calloc(wanted + 1, sizeof *chosen);
    if (!chosen) return sn_rt_fail(g->err, SN_RT_MEMORY, "no memory");
    for (size_t i = 0; i < wanted; i++) {
        size_t at = how->sequences ? find_judged(g, how->sequence[i]) : wanted > 1 ? i * (g->shows - 1) / (wanted - 1) : 0;
        if (at == g->shows) {
            free(chosen);
            return sn_rt_fail(g->err, SN_RT_MISSING, "%s: no sequence %s among the %zu that are judged (split %s)", how->data, how->sequence[i], g->shows, how->val);
        }
        chosen[i] = g->shown[at];
    }
    free(g->shown);
    g->shown = chosen;
    *out = wanted;
    return SN_RT_OK;
}

static json_t *truth_json(const gathering *g, const sn_rt_sequence *s)
{
    float  *class = true_classes(g, (const char *const *)g->classes.name, g->classes.count, s);
    json_t *list = class ? json_array() : NULL;
    for (size_t start = 0, end; class && start < s->frames; start = end) {
        for (end = start; end < s->frames && class[end] == class[start];) end++;
        if (class[start] >= 0 && class[start] < (float)g->classes.count)
            json_array_append_new(list, json_pack("[I, I, I]", (json_int_t)start, (json_int_t)end, (json_int_t)class[start]));
    }
    free(class);
    return list;
}

/* A run's class among those of the page. */
static json_int_t class_number(const gathering *g, const sn_set_scores *s, size_t k)
{
    return k < s->classes ? sn_rt_names_find(&g->classes, s->scores.classes.name[k]) : g->classes.count;
}

static json_t *scores_json(const float *p, size_t frames, size_t columns, size_t bins)
{
    unsigned char *byte = malloc(columns * bins + 1);
    for (size_t i = 0; byte && i < columns * bins; i++) {
        size_t from = i % bins * frames / bins, to = (i % bins + 1) * frames / bins;
        double sum = 0;
        for (size_t f = from; f < to; f++) sum += (double)p[f * columns + i / bins];
        byte[i] = (unsigned char)lrint(255 * fmin(fmax(sum / (double)(to - from), 0), 1));
    }
    json_t *value = byte ? packed(byte, columns * bins) : NULL;
    free(byte);
    return value;
}

static json_t *found_json(const gathering *g, uint32_t run, size_t sequence)
{
    const sn_set_scores  *scores = &g->scores[run];
    const sn_rt_sequence *s = sn_rt_dataset_at(g->set, sequence);
    size_t                columns = scores->scores.columns, bins = s->frames < BINS ? s->frames : BINS, count = 0;
    const float          *p = scores->scores.of[video_of(g, run, sequence)].p;
    sn_rt_found_segment     *found = sn_rt_segments_of_scores(p, s->frames, columns, sn_rt_shortest_frames(g->how->shortest, s->fps), &count);
    json_t               *segments = json_array(), *classes = json_array();
    for (size_t k = 0; k < count; k++)
        json_array_append_new(segments, json_pack("[I, I, I, o]", (json_int_t)found[k].start, (json_int_t)found[k].end, class_number(g, scores, found[k].class),
                                                  sn_report_number(found[k].score, DIGITS)));
    for (size_t k = 0; k < columns; k++) json_array_append_new(classes, json_integer(class_number(g, scores, k)));
    free(found);
    return json_pack("{s:i, s:o, s:o, s:o, s:I, s:o}", "run", (int)run, "right", sn_report_number(share_right(g, run, sequence), DIGITS), "segments", segments,
                     "classes", classes, "bins", (json_int_t)bins, "scores", scores_json(p, s->frames, columns, bins));
}

/* ---- motion ------------------------------------------------------------------------------------------------------------- */

/* Frames from one pose to the next, such that all recordings together are within MOTION_BYTES. */
static size_t stride_of(const gathering *g, size_t count, const sn_rt_sequence *s)
{
    double bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const sn_rt_sequence *o = sn_rt_dataset_at(g->set, g->shown[i]);
        bytes += (double)(o->persons * o->joints * 6) * (double)o->frames / o->fps * fmin(o->fps, POSES_A_SECOND);
    }
    return (size_t)ceil(fmax(1, s->fps / POSES_A_SECOND) * fmax(1, bytes / MOTION_BYTES));
}

/* Joints as whole numbers of a unit: millimetres, or more where the motion reaches further than 32 m. */
static json_t *motion_json(const gathering *g, size_t count, const sn_rt_sequence *s)
{
    double         reach = 0;
    size_t         stride = stride_of(g, count, s), poses = (s->frames + stride - 1) / stride, one = s->joints * 3, all = s->persons * poses * one;
    unsigned char *byte = malloc(2 * all + 1);
    if (!byte) return NULL;
    for (size_t i = 0; i < s->persons * s->frames * one; i++) reach = fmax(reach, fabs((double)s->x[i]));
    double unit = fmax(0.001, reach / INT16_MAX);
    for (size_t i = 0; i < all; i++) {
        size_t   frame = i / one % poses * stride, person = i / one / poses;
        uint16_t x = (uint16_t)(int16_t)lrint((double)s->x[(person * s->frames + frame) * one + i % one] / unit);
        byte[2 * i] = (unsigned char)(x & 255), byte[2 * i + 1] = (unsigned char)(x >> 8);
    }
    json_t *m = json_pack("{s:f, s:I, s:I, s:I, s:f, s:i, s:o}", "rate", s->fps / (double)stride, "poses", (json_int_t)poses, "persons", (json_int_t)s->persons, "joints",
                          (json_int_t)s->joints, "unit", unit, "body", (int)s->body, "x", packed(byte, 2 * all));
    free(byte);
    return m;
}

/* Bodies up to the last one that is shown. */
static void tell_bodies(const gathering *g, size_t count)
{
    const sn_rt_pose_view *view = sn_rt_pose_views(sn_rt_dataset_layout(g->set));
    json_t                *bodies = json_array();
    uint32_t               last = 0;
    for (size_t i = 0; i < count; i++) last = sn_rt_dataset_at(g->set, g->shown[i])->body > last ? sn_rt_dataset_at(g->set, g->shown[i])->body : last;
    for (uint32_t b = 0; b <= last; b++) {
        const sn_rt_body *body = sn_rt_dataset_body_at(g->set, b);
        json_t           *parent = json_array(), *side = json_array();
        for (size_t j = 0; j < body->joints; j++) {
            json_array_append_new(parent, json_integer(body->parent[j]));
            json_array_append_new(side, json_integer((json_int_t)sn_rt_joint_side(body->joint[j])));
        }
        json_array_append_new(bodies, json_pack("{s:o, s:o}", "parent", parent, "side", side));
    }
    json_object_update_new(g->page, json_pack("{s:o, s:{s:i, s:f, s:i}}", "bodies", bodies, "view", "right", view->right, "sign", view->right_sign, "up", view->up));
}

/* NULL without memory, as of any of its parts. */
static json_t *recording_json(const gathering *g, size_t count, size_t sequence)
{
    const sn_rt_sequence *s = sn_rt_dataset_at(g->set, sequence);
    json_t               *found = json_array();
    for (uint32_t r = 0; r < g->runs; r++)
        if (video_of(g, r, sequence) != SN_RT_NO_NAME && json_array_append_new(found, found_json(g, r, sequence))) return json_decref(found), NULL;
    return json_pack("{s:o, s:o, s:o, s:s, s:f, s:I, s:o, s:o, s:o, s:o}", "id", sn_report_text(s->id), "file", sn_report_text(s->file), "source",
                     sn_report_text(s->source), "split", s->split, "fps", s->fps, "frames", (json_int_t)s->frames, "start",
                     sn_report_number((double)s->source_first / s->source_fps, 9), "truth", truth_json(g, s), "found", found, "motion", motion_json(g, count, s));
}

static sn_rt_status tell_recordings(gathering *g)
{
    json_t      *list = json_array();
    size_t       count = 0;
    sn_rt_status status = choose(g, &count);
    for (size_t i = 0; i < count && status == SN_RT_OK; i++)
        if (json_array_append_new(list, recording_json(g, count, g->shown[i]))) status = sn_rt_fail(g->err, SN_RT_MEMORY, "no memory for %zu recordings", count);
    if (status == SN_RT_OK && count) tell_bodies(g, count);
    json_object_set_new(g->page, "recordings", list);
    return status;
}

/* ---- embeddings --------------------------------------------------------------------------------------------------------- */

/* The page's classes that are labels of the set, parted by commas; NULL, which is all labels, if there are none or one has a comma in it.  free() it. */
static char *labels_of(const gathering *g)
{
    char  *text = NULL;
    size_t size = 0;
    bool   commas = false;
    FILE  *f = open_memstream(&text, &size);
    for (uint32_t k = 0; f && k < g->classes.count; k++)
        for (uint32_t l = 0; l < sn_rt_dataset_labels(g->set); l++) {
            if (strcmp(g->classes.name[k], sn_rt_dataset_label_name(g->set, l)) != 0) continue;
            commas |= strchr(g->classes.name[k], ',') != NULL;
            fprintf(f, "%s%s", ftell(f) ? "," : "", g->classes.name[k]);
        }
    if (f) fclose(f);
    if (text && *text && !commas) return text;
    free(text);
    return NULL;
}

/* Number of a row's class on the page, where a label that is none of its classes is background; -1: it has none. */
static json_int_t class_of_row(const gathering *g, const sn_embedding *e, size_t row)
{
    int32_t  class = e->rows.class[row];
    uint32_t number = SN_RT_NO_NAME;
    if (!e->classes || class < 0) return -1;
    if ((size_t)class < e->classes->count) number = sn_rt_names_find(&g->classes, e->classes->name[class]);
    return number != SN_RT_NO_NAME ? number : g->classes.count;
}

/* Places within 0 .. 10000 along the longer axis. */
static json_t *embedding_json(const gathering *g, uint32_t run, const sn_embedding *e, sn_rt_names *videos)
{
    json_t *x = json_array(), *y = json_array(), *class = json_array(), *video = json_array(), *second = json_array(), *ids = json_array();
    double  low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < 2 * e->points; i++) low[i % 2] = fmin(low[i % 2], e->at[i]), high[i % 2] = fmax(high[i % 2], e->at[i]);
    double scale = 10000 / fmax(fmax(high[0] - low[0], high[1] - low[1]), 1e-9);
    for (size_t i = 0; i < e->points; i++) {
        size_t                row = e->shown[i];
        const sn_rt_sequence *s = sn_rt_dataset_at(e->set, e->rows.group[row]);
        uint32_t              number = 0;
        if (sn_rt_names_add(videos, s->id, &number, g->err) != SN_RT_OK) number = 0;
        json_array_append_new(x, json_integer(lrint(scale * (e->at[2 * i] - low[0]))));
        json_array_append_new(y, json_integer(lrint(scale * (e->at[2 * i + 1] - low[1]))));
        json_array_append_new(class, json_integer(class_of_row(g, e, row)));
        json_array_append_new(video, json_integer(number));
        json_array_append_new(second, sn_report_number((e->start[row] + e->end[row]) / 2.0 / s->fps, DIGITS));
    }
    for (uint32_t v = 0; v < videos->count; v++) json_array_append_new(ids, sn_report_text(videos->name[v]));
    return json_pack("{s:i, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "run", (int)run, "level", sn_grain_name[e->grain], "rows", (json_int_t)e->rows.count,
                     "width", (json_int_t)e->rows.width, "divergence", sn_report_number(e->divergence, DIGITS), "x", x, "y", y, "class", class, "video", video, "second",
                     second, "videos", ids);
}

static sn_rt_status embed_run(gathering *g, uint32_t r, const char *labels, json_t *list)
{
    const sn_report_set_how *how = g->how;
    const sn_features_how    features = {.model = g->run[r].path, .cache_dir = how->cache_dir, .threads = how->threads};
    const sn_embed_how       rows = {.data = how->data, .splits = how->val, .classes = labels, .grain = how->grain, .snippet_frames = 300.0 / 19};
    const sn_rt_tsne         tsne = {.threads = how->threads};
    sn_extractor             x;
    sn_embedding             e = {0};
    sn_rt_names              videos = {0};
    bool                     open = sn_extractor_open(&x, &features, g->err);
    sn_rt_status             status = open ? sn_embed_rows(&rows, &x, &e, g->err) : told(&x.diags, g->err);
    if (status == SN_RT_OK) status = sn_embed_places(&e, &tsne, how->points, g->err);
    if (status == SN_RT_OK) json_array_append_new(list, embedding_json(g, r, &e, &videos));
    sn_rt_names_fini(&videos);
    sn_embed_fini(&e);
    sn_extractor_close(&x);
    return status;
}

static sn_rt_status tell_embeddings(gathering *g)
{
    char        *labels = labels_of(g);
    json_t      *list = json_array();
    sn_rt_status status = SN_RT_OK;
    for (uint32_t r = 0; r < g->runs && g->how->points && status == SN_RT_OK; r++)
        if (g->run[r].trained) status = embed_run(g, r, labels, list);
    json_object_set_new(g->page, "embeddings", list);
    free(labels);
    return status;
}

/* ---- all ---------------------------------------------------------------------------------------------------------------- */

sn_rt_status sn_report_set(const sn_report_set_how *how, sn_report_run *run, uint32_t runs, json_t *page, sn_rt_error *err)
{
    gathering    g = {.how = how, .run = run, .runs = runs, .scores = calloc(runs + 1u, sizeof *g.scores), .page = page, .err = err};
    sn_rt_status status = g.scores ? sn_rt_splits_check(how->val, err) : sn_rt_fail(err, SN_RT_MEMORY, "no memory for %u runs", runs);
    if (status == SN_RT_OK) status = sn_rt_dataset_open(how->data, &g.set, err);
    for (uint32_t r = 0; r < runs && status == SN_RT_OK; r++)
        if (run[r].model) status = score_run(&g, r);
    if (status == SN_RT_OK) status = name_classes(&g);
    if (status == SN_RT_OK) status = judge_recordings(&g);
    if (status == SN_RT_OK) {
        json_object_set_new(page, "set", json_pack("{s:o, s:s, s:o, s:I}", "path", sn_report_text(how->data), "layout", sn_rt_dataset_layout(g.set), "val",
                                                   sn_report_text(how->val), "sequences", (json_int_t)g.shows));
        tell_judged(&g);
        status = tell_recordings(&g);
    }
    if (status == SN_RT_OK) status = tell_embeddings(&g);
    for (uint32_t r = 0; g.scores && r < runs; r++) sn_set_scores_fini(&g.scores[r]);
    free(g.scores), free(g.shown), free(g.right);
    sn_rt_names_fini(&g.classes);
    sn_rt_dataset_free(g.set);
    return status;
}
