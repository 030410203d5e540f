/* The verb `localize`: what happens when in recordings, by a trained model.
 * Not the model's run and not segments from scores (runtime/tag), and not how good they are (evaluate). */
#include "cli.h"

#include "../runtime/data/families.h"
#include "../runtime/data/file.h"
#include "../runtime/data/import.h"
#include "../runtime/data/labels.h"
#include "../runtime/data/npy.h"
#include "../runtime/data/timeline.h"
#include "../runtime/tag/segments.h"
#include "tagged.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <popt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

typedef struct options {
    char  *asf, *truth, *csv, *scores, *picture, *sequence;
    int    json, threads;
    double shortest, window, fps;
} options;

/* A recording, scored. */
typedef struct recording {
    float               *scores; /* [frames][columns] */
    sn_rt_found_segment *found;
    size_t               founds;
    size_t               right, labelled; /* frames, if there is a truth */
} recording;

typedef struct localizing {
    const options *how;
    sn_model_file  model;
    sn_rt_dataset *set;
    size_t         count; /* of the set's sequences */
    recording     *of;    /* [count] */
    bool           truth;
    sn_rt_error    err;
} localizing;

static int wrong(const char *what, const char *why) { return sn_cli_fail("localize", SN_EXIT_FAILED, "%s%s%s", what, why ? ": " : "", why ? why : ""); }

/* ---- recordings --------------------------------------------------------------------------------------------------------- */

static bool ends_with(const char *path, const char *suffix)
{
    size_t n = strlen(path), k = strlen(suffix);
    return n > k + 1 && path[n - k - 1] == '.' && strcasecmp(path + n - k, suffix) == 0;
}

/* The import format of a file by its name, or NULL. */
static const char *format_of(const char *path)
{
    static const char *const formats[] = {"bvh", "amc", "ntu", "pku", "npy"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (ends_with(path, sn_rt_import_suffix(formats[i]))) return formats[i];
    return NULL;
}

/* File name without folders and suffix. */
static void id_of(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    snprintf(out, size, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(out, '.');
    if (dot && dot != out) *dot = 0;
}

/* A motion file as one more sequence. */
static int read_motion(localizing *l, const char *path)
{
    char           id[256];
    sn_rt_imported done;
    const char    *format = format_of(path);
    if (!format) return wrong(path, "no motion file by its name: .bvh, .amc, .skeleton, .txt or .npy, or a .safetensors data set alone");
    sn_rt_import how = sn_rt_import_defaults(format);
    how.asf = l->how->asf;
    how.fps = l->model.facts.fps;
    const sn_rt_family *family = sn_rt_family_of_layout(l->model.facts.layout);
    if (family) how.family = family->name;
    bool captured = strcmp(format, "bvh") == 0 || strcmp(format, "amc") == 0;
    if (captured && strcmp(l->model.facts.layout, "ntu25")) return wrong(path, "captured motion is prepared in layout ntu25, the model was trained on another");
    id_of(path, id, sizeof id);
    return sn_rt_import_file(l->set, &how, path, id, &done, &l->err) == SN_RT_OK ? SN_EXIT_OK : wrong(l->err.text, NULL);
}

static int read_recordings(localizing *l, const char **path, uint32_t paths)
{
    if (paths == 1 && ends_with(path[0], "safetensors")) {
        if (sn_rt_dataset_open(path[0], &l->set, &l->err) != SN_RT_OK) return wrong(l->err.text, NULL);
    } else {
        l->set = sn_rt_dataset_new(l->model.facts.layout);
        if (!l->set) return wrong(l->model.facts.layout, "the model's layout is not one of this version");
        for (uint32_t i = 0; i < paths; i++) {
            int code = read_motion(l, path[i]);
            if (code != SN_EXIT_OK) return code;
        }
    }
    if (strcmp(sn_rt_dataset_layout(l->set), l->model.facts.layout)) return wrong(path[0], "its layout is not the one the model was trained on");
    l->count = sn_rt_dataset_count(l->set);
    l->of = calloc(l->count + 1, sizeof *l->of);
    return l->of ? SN_EXIT_OK : wrong("no memory", NULL);
}

static int read_truth(localizing *l)
{
    sn_rt_label_report report;
    if (l->how->truth && sn_rt_labels_apply(l->set, l->how->truth, &report, &l->err) != SN_RT_OK) return wrong(l->err.text, NULL);
    if (l->how->truth && report.applied == 0) return wrong(l->how->truth, "has no row of these recordings");
    for (size_t i = 0; i < l->count; i++) l->truth = l->truth || sn_rt_dataset_at(l->set, i)->segments > 0;
    return SN_EXIT_OK;
}

/* Is the sequence one to be looked at? */
static bool wanted(const localizing *l, size_t i)
{
    return !l->how->sequence || strcmp(sn_rt_dataset_at(l->set, i)->id, l->how->sequence) == 0;
}

/* ---- scores ------------------------------------------------------------------------------------------------------------- */

static int compare(localizing *l, size_t i)
{
    const sn_rt_sequence *s = sn_rt_dataset_at(l->set, i);
    recording            *r = &l->of[i];
    size_t                K = l->model.tagger.columns;
    float                *class = malloc(s->frames * sizeof *class);
    if (!class) return wrong("no memory", NULL);
    sn_rt_classes_of_frames(&l->model.classes, l->set, s, 0, s->frames, class);
    for (size_t f = 0; f < s->frames; f++) r->right += sn_rt_best_class(r->scores + f * K, K) == (size_t)class[f];
    r->labelled = s->frames;
    free(class);
    return SN_EXIT_OK;
}

static int score(localizing *l, size_t i)
{
    const sn_rt_sequence *s = sn_rt_dataset_at(l->set, i);
    recording            *r = &l->of[i];
    sn_rt_tagger         *t = &l->model.tagger;
    r->scores = malloc(s->frames * t->columns * sizeof *r->scores);
    if (!r->scores) return wrong("no memory", NULL);
    if (sn_tag_sequence(t, s, r->scores, &l->err) != SN_RT_OK) return wrong(l->err.text, NULL);
    r->found = sn_rt_segments_of_scores(r->scores, s->frames, t->columns, sn_rt_shortest_frames(l->how->shortest, s->fps), &r->founds);
    if (!r->found) return wrong("no memory", NULL);
    return s->segments ? compare(l, i) : SN_EXIT_OK;
}

static int score_all(localizing *l)
{
    size_t done = 0;
    int    code = SN_EXIT_OK;
    if (l->how->window >= 0) {
        l->model.tagger.window = (size_t)round(l->how->window * l->model.facts.fps);
        l->model.tagger.exact = true;
    }
    for (size_t i = 0; code == SN_EXIT_OK && i < l->count; i++)
        if (wanted(l, i)) code = score(l, i), done++;
    return code == SN_EXIT_OK && !done ? wrong(l->how->sequence, "no such sequence") : code;
}

/* ---- what comes out ----------------------------------------------------------------------------------------------------- */

/* Seconds in the recording's own file, whose first frames may have been left out. */
static double seconds(const sn_rt_sequence *s, size_t frame) { return (double)s->source_first / s->source_fps + (double)frame / s->fps; }

static void print_table(const localizing *l)
{
    printf("%-24s %-20s %9s %9s %7s\n", "recording", "label", "start s", "end s", "score");
    for (size_t i = 0; i < l->count; i++) {
        const sn_rt_sequence *s = sn_rt_dataset_at(l->set, i);
        const recording      *r = &l->of[i];
        if (!r->scores) continue;
        for (size_t k = 0; k < r->founds; k++)
            printf("%-24s %-20s %9.2f %9.2f %7.3f\n", s->id, l->model.classes.name[r->found[k].class], seconds(s, r->found[k].start), seconds(s, r->found[k].end),
                   r->found[k].score);
        if (!r->founds) printf("%-24s nothing was found in %.1f s\n", s->id, (double)s->frames / s->fps);
        if (r->labelled) printf("%-24s %.1f%% of %zu frames as labelled\n", s->id, 100 * (double)r->right / (double)r->labelled, r->labelled);
    }
}

static int print_json(const localizing *l)
{
    json_t *all = json_array();
    for (size_t i = 0; i < l->count; i++) {
        const sn_rt_sequence *s = sn_rt_dataset_at(l->set, i);
        const recording      *r = &l->of[i];
        if (!r->scores) continue;
        json_t *list = json_array();
        for (size_t k = 0; k < r->founds; k++)
            json_array_append_new(list, json_pack("{s:s,s:f,s:f,s:f}", "label", l->model.classes.name[r->found[k].class], "start", seconds(s, r->found[k].start), "end",
                                                  seconds(s, r->found[k].end), "score", r->found[k].score));
        json_t *one = json_pack("{s:s,s:s,s:f,s:f,s:o}", "recording", s->id, "file", s->file, "start", seconds(s, 0), "end", seconds(s, s->frames), "segments", list);
        if (one && r->labelled) json_object_set_new(one, "accuracy", json_real((double)r->right / (double)r->labelled));
        json_array_append_new(all, one);
    }
    int failed = json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) || putchar('\n') == EOF;
    json_decref(all);
    return failed ? wrong("standard output", "cannot be written") : SN_EXIT_OK;
}

/* Columns that sinew evaluate reads; frames are those of the model's rate. */
static int write_csv(localizing *l)
{
    char  *text = NULL;
    size_t size = 0;
    FILE  *f = open_memstream(&text, &size);
    if (!f) return wrong("no memory", NULL);
    fputs("video,label,start,end,score,start_seconds,end_seconds\n", f);
    for (size_t i = 0; i < l->count; i++) {
        const sn_rt_sequence *s = sn_rt_dataset_at(l->set, i);
        const recording      *r = &l->of[i];
        for (size_t k = 0; k < r->founds; k++)
            fprintf(f, "%s,%s,%zu,%zu,%.9g,%.9g,%.9g\n", s->id, l->model.classes.name[r->found[k].class], r->found[k].start, r->found[k].end, r->found[k].score,
                    seconds(s, r->found[k].start), seconds(s, r->found[k].end));
    }
    int failed = fclose(f) || sn_rt_file_replace(l->how->csv, text, size, &l->err) != SN_RT_OK;
    free(text);
    return failed ? wrong(l->how->csv, l->err.text) : SN_EXIT_OK;
}

/* Names of the columns, as sinew evaluate reads them. */
static sn_rt_status name_columns(const localizing *l, sn_rt_tensors *set, sn_rt_error *err)
{
    json_t *list = json_array();
    for (size_t k = 0; k < l->model.classes.count; k++) json_array_append_new(list, json_string(l->model.classes.name[k]));
    json_array_append_new(list, json_string("background"));
    char        *text = json_dumps(list, 0);
    sn_rt_status status = text ? sn_rt_tensors_set_meta(set, "classes", text, err) : sn_rt_fail(err, SN_RT_MEMORY, "no memory");
    free(text);
    json_decref(list);
    return status;
}

/* One recording: a .npy; several: a .safetensors with an array for each, and the columns' names as metadata. */
static int write_scores(localizing *l)
{
    const char    *path = l->how->scores;
    bool           many = ends_with(path, "safetensors");
    sn_rt_tensors *set = many ? sn_rt_tensors_new() : NULL;
    sn_rt_status   status = !many || set ? SN_RT_OK : sn_rt_fail(&l->err, SN_RT_MEMORY, "no memory");
    for (size_t i = 0; status == SN_RT_OK && i < l->count; i++) {
        const sn_rt_sequence *s = sn_rt_dataset_at(l->set, i);
        sn_rt_array           a = {.elem = SN_RT_ELEM_F32, .rank = 2, .dims = {s->frames, l->model.tagger.columns}, .data = l->of[i].scores,
                                   .bytes = s->frames * l->model.tagger.columns * sizeof(float)};
        if (!a.data) continue;
        status = many ? sn_rt_tensors_borrow(set, s->id, a.elem, a.rank, a.dims, a.data, &l->err) : sn_rt_npy_write(path, &a, &l->err);
    }
    if (status == SN_RT_OK && many) status = name_columns(l, set, &l->err);
    if (status == SN_RT_OK && many) status = sn_rt_tensors_write(set, path, &l->err);
    sn_rt_tensors_free(set);
    return status == SN_RT_OK ? SN_EXIT_OK : wrong(l->err.text, NULL);
}

/* The picture of one recording, or one for each in a folder. */
static int draw(localizing *l)
{
    struct stat st;
    char        path[PATH_MAX];
    bool        folder = stat(l->how->picture, &st) == 0 && S_ISDIR(st.st_mode);
    for (size_t i = 0; i < l->count; i++) {
        const recording *r = &l->of[i];
        if (!r->scores) continue;
        sn_rt_segment *segment = calloc(r->founds + 1, sizeof *segment);
        if (!segment) return wrong("no memory", NULL);
        for (size_t k = 0; k < r->founds; k++)
            segment[k] = (sn_rt_segment){(uint32_t)r->found[k].start, (uint32_t)r->found[k].end, (uint32_t)r->found[k].class, 0};
        const sn_rt_timeline t = {l->set, i, &l->model.classes, r->scores, segment, r->founds, r->labelled > 0};
        snprintf(path, sizeof path, folder ? "%s/%s.png" : "%s", l->how->picture, sn_rt_dataset_at(l->set, i)->id);
        sn_rt_status status = sn_rt_timeline_draw(&t, path, &l->err);
        free(segment);
        if (status != SN_RT_OK) return wrong(l->err.text, NULL);
    }
    return SN_EXIT_OK;
}

static int write_all(localizing *l)
{
    size_t scored = 0;
    int    code = SN_EXIT_OK;
    struct stat st;
    for (size_t i = 0; i < l->count; i++) scored += l->of[i].scores != NULL;
    if (l->how->scores && scored > 1 && !ends_with(l->how->scores, "safetensors")) return wrong(l->how->scores, "is for one recording; scores of several are a .safetensors");
    if (l->how->picture && scored > 1 && (stat(l->how->picture, &st) != 0 || !S_ISDIR(st.st_mode))) return wrong(l->how->picture, "is no folder; pictures of several recordings need one");
    if (l->how->scores) code = write_scores(l);
    if (code == SN_EXIT_OK && l->how->csv) code = write_csv(l);
    if (code == SN_EXIT_OK && l->how->picture) code = draw(l);
    if (code == SN_EXIT_OK && l->how->json) code = print_json(l);
    else if (code == SN_EXIT_OK) print_table(l);
    return code;
}

/* ---- the verb ----------------------------------------------------------------------------------------------------------- */

static int localize(const options *how, const char **plain, uint32_t count)
{
    localizing l = {.how = how};
    char       cache[PATH_MAX];
    int        code = SN_EXIT_OK;
    if (!sn_model_file_open(&l.model, plain[0], sn_cache_dir(cache, sizeof cache), how->threads, &l.err)) {
        sn_diags_print(&l.model.diags, stderr);
        code = l.err.text[0] ? wrong(l.err.text, NULL) : SN_EXIT_FAILED;
    }
    if (code == SN_EXIT_OK) code = read_recordings(&l, plain + 1, count - 1);
    if (code == SN_EXIT_OK) code = read_truth(&l);
    if (code == SN_EXIT_OK) code = score_all(&l);
    if (code == SN_EXIT_OK) code = write_all(&l);
    for (size_t i = 0; l.of && i < l.count; i++) free(l.of[i].scores), free(l.of[i].found);
    free(l.of);
    sn_rt_dataset_free(l.set);
    sn_model_file_close(&l.model);
    return code;
}

int sn_cmd_localize(int argc, const char **argv)
{
    options           o = {.shortest = 0.1, .window = -1};
    const char      **plain;
    uint32_t          count;
    struct poptOption table[] = {
        {"json", '\0', POPT_ARG_NONE, &o.json, 0, "print JSON instead of a table", NULL},
        {"csv", '\0', POPT_ARG_STRING, &o.csv, 0, "write the segments, frames and seconds, as sinew evaluate reads them", "S.csv"},
        {"scores", '\0', POPT_ARG_STRING, &o.scores, 0, "write the scores [frames, classes + 1], background last: .npy for one recording, .safetensors for several", "FILE"},
        {"picture", '\0', POPT_ARG_STRING, &o.picture, 0, "draw the timeline: P.png for one recording, a folder for several", "P"},
        {"truth", '\0', POPT_ARG_STRING, &o.truth, 0, "labels to compare with: seq,fps,start_frame,end_frame,label", "T.csv"},
        {"sequence", '\0', POPT_ARG_STRING, &o.sequence, 0, "only this recording", "ID"},
        {"shortest", '\0', POPT_ARG_DOUBLE, &o.shortest, 0, "leave out segments below this (0.1)", "SECONDS"},
        {"window", '\0', POPT_ARG_DOUBLE, &o.window, 0, "of recordings that are cut; 0: all at once (what the model was trained on, or more if that changes nothing)", "SECONDS"},
        {"asf", '\0', POPT_ARG_STRING, &o.asf, 0, "skeleton for AMC files without SUBJECT.asf beside them", "FILE"},
        SN_CLI_THREADS(o, "threads; results do not depend on it"),
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext popt = poptGetContext("sinew localize", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "MODEL MOTION...\n\nSay what happens when in recordings of any length.  MODEL is a run of sinew finetune or its model.safetensors; MOTION a motion file,\n"
                                 "or one data set.  A segment is a run of frames whose highest score is that of one class; its score is the mean over them.\n");
    int code = sn_cli_parse(popt, "localize", &plain, &count);
    if (code == SN_EXIT_OK && count < 2) code = sn_cli_usage("localize", count ? "MOTION is missing" : "MODEL is missing");
    if (code == SN_EXIT_OK && sn_cli_threads_fault(o.threads)) code = sn_cli_usage("localize", "%s", sn_cli_threads_fault(o.threads));
    if (code == SN_EXIT_OK && !(o.shortest >= 0)) code = sn_cli_usage("localize", "--shortest is not below 0");
    if (code == SN_EXIT_OK) code = localize(&o, plain, count);
    free(o.asf), free(o.truth), free(o.csv), free(o.scores), free(o.picture), free(o.sequence);
    poptFreeContext(popt);
    return code;
}
