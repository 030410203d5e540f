/* Detections or frame scores from files against truth.
 * Not the metrics (runtime/eval). */
#include "evaluate.h"

#include "../runtime/eval/propose.h"

#include <stdlib.h>
#include <string.h>

/* ---- how it is judged --------------------------------------------------------------------------------------------------- */

static sn_rt_status protocol_of(const char *name, sn_rt_protocol *out, sn_rt_error *err)
{
    for (int i = 0; i < SN_RT_PROTOCOLS; i++)
        if (strcmp(sn_rt_protocols[i].name, name) == 0) {
            *out = (sn_rt_protocol)i;
            return SN_RT_OK;
        }
    return sn_rt_fail(err, SN_RT_ARGUMENT, "--protocol %s: expected babel, babel-corrected, pku or pku-official", name);
}

/* "0.1,0.2" into `out`. */
static sn_rt_status read_numbers(const char *text, double *out, size_t *count, sn_rt_error *err)
{
    for (*count = 0;; text++) {
        char  *end;
        double x = strtod(text, &end);
        if (end == text || (*end && *end != ',') || !(x >= 0 && x < 1) || *count == SN_RT_MAX_THRESHOLDS)
            return sn_rt_fail(err, SN_RT_ARGUMENT, "--thresholds: expected low, even, both, or up to %d numbers from 0 to 1 parted by commas",
                              SN_RT_MAX_THRESHOLDS);
        out[(*count)++] = x;
        if (!*end) return SN_RT_OK;
        text = end;
    }
}

sn_rt_status sn_judging_check(const sn_judging *j, sn_rt_error *err)
{
    sn_rt_protocol p;
    double         x[SN_RT_MAX_THRESHOLDS];
    size_t         n;
    sn_rt_status   status = protocol_of(j->protocol, &p, err);
    bool           word = strcmp(j->thresholds, "low") == 0 || strcmp(j->thresholds, "even") == 0 || strcmp(j->thresholds, "both") == 0;
    return status != SN_RT_OK || word ? status : read_numbers(j->thresholds, x, &n, err);
}

static sn_rt_status judge_once(const sn_judging *j, const sn_rt_question *q, const char *thresholds, json_t *record, sn_rt_error *err)
{
    char             name[200];
    sn_rt_evaluation e = {0};
    sn_rt_status     status = sn_rt_evaluate(q, &e, err);
    if (status != SN_RT_OK) return status;
    snprintf(name, sizeof name, "%s%s%s", j->protocol, thresholds ? ", thresholds " : "", thresholds ? thresholds : "");
    sn_record_add(record, name, q, &e);
    if (j->detections_out) status = sn_rt_detections_write(j->detections_out, q->videos, q->labels, &e.found, err);
    sn_rt_evaluation_fini(&e);
    return status;
}

/* With the thresholds of that name, or of those numbers. */
static sn_rt_status judge_at(const sn_judging *j, sn_rt_question q, const char *thresholds, json_t *record, sn_rt_error *err)
{
    double       threshold[SN_RT_MAX_THRESHOLDS];
    sn_rt_status status = SN_RT_OK;
    if (strcmp(thresholds, "low") == 0) q.thresholds = sn_rt_thresholds_low(threshold);
    else if (strcmp(thresholds, "even") == 0) q.thresholds = sn_rt_thresholds_even(threshold);
    else status = read_numbers(thresholds, threshold, &q.thresholds, err);
    q.threshold = threshold;
    return status == SN_RT_OK ? judge_once(j, &q, thresholds, record, err) : status;
}

sn_rt_status sn_judge(const sn_judging *j, const sn_rt_question *about, json_t *record, sn_rt_error *err)
{
    sn_rt_question q = *about;
    sn_rt_status   status = protocol_of(j->protocol, &q.protocol, err);
    q.overlap = j->smallest ? SN_RT_OVERLAP_SMALLEST : SN_RT_OVERLAP_FAILS;
    q.padded = j->padded;
    q.actions = j->actions;
    if (status != SN_RT_OK) return status;
    if (!q.scores || q.protocol == SN_RT_PKU || q.protocol == SN_RT_PKU_OFFICIAL) return judge_once(j, &q, NULL, record, err);
    if (strcmp(j->thresholds, "both") != 0) return judge_at(j, q, j->thresholds, record, err);
    status = judge_at(j, q, "even", record, err);
    return status == SN_RT_OK ? judge_at(j, q, "low", record, err) : status;
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

typedef struct files {
    const sn_judging *how;
    const char       *truth_path;
    sn_rt_names       videos, labels;
    sn_rt_spans       truth, found;
    sn_rt_scores      scores;
    sn_rt_span_rules  rules;
    bool              numbered; /* columns have no names: labels are "0", "1", ... */
    sn_rt_error      *err;
} files;

/* Labels from "a,b,c". */
static sn_rt_status name_classes(files *f, const char *list)
{
    sn_rt_status status = SN_RT_OK;
    while (status == SN_RT_OK && *list) {
        size_t   n = strcspn(list, ",");
        uint32_t at;
        char    *name = strndup(list, n);
        if (!name) return sn_rt_fail(f->err, SN_RT_MEMORY, "no memory for class names");
        if (!n || sn_rt_names_find(&f->labels, name) != SN_RT_NO_NAME)
            status = sn_rt_fail(f->err, SN_RT_ARGUMENT, "--classes: '%s' is empty or named twice", name);
        else status = sn_rt_names_add(&f->labels, name, &at, f->err);
        free(name);
        list += n + (list[n] == ',');
    }
    return status;
}

/* The labels that columns have: given, of the file, or numbers. */
static sn_rt_status name_columns(files *f)
{
    sn_rt_status status = SN_RT_OK;
    uint32_t     at;
    char         number[16];
    const sn_rt_names *own = &f->scores.classes;
    if (f->how->classes) status = name_classes(f, f->how->classes);
    for (uint32_t c = 0; !f->how->classes && c < f->scores.columns && status == SN_RT_OK; c++) {
        snprintf(number, sizeof number, "%u", c);
        status = sn_rt_names_add(&f->labels, own->count ? own->name[c] : number, &at, f->err);
    }
    f->numbered = !f->how->classes && !own->count;
    if (status == SN_RT_OK && f->scores.columns && f->labels.count != f->scores.columns)
        status = sn_rt_fail(f->err, SN_RT_ARGUMENT, "--classes names %u classes, the scores have %u", f->labels.count, f->scores.columns);
    return status;
}

/* The only video of the truth, for an array without a name. */
static sn_rt_status sole_video(const files *f, const char **out, sn_rt_names *videos)
{
    sn_rt_names  labels = {0};
    sn_rt_spans  truth = {0};
    sn_rt_status status = sn_rt_truth_read(f->truth_path, &(sn_rt_span_rules){.unordered = true}, videos, &labels, &truth, f->err);
    *out = videos->count == 1 ? videos->name[0] : NULL;
    sn_rt_names_fini(&labels);
    sn_rt_spans_fini(&truth);
    return status;
}

static sn_rt_status read_scores(files *f, const char *path, const char *video)
{
    sn_rt_names  videos = {0};
    sn_rt_status status = video ? SN_RT_OK : sole_video(f, &video, &videos);
    if (status == SN_RT_OK) status = sn_rt_scores_read(path, video, &f->scores, f->err);
    sn_rt_names_fini(&videos);
    return status;
}

static sn_rt_status read_truth(files *f)
{
    f->rules.closed = f->labels.count > 0;
    sn_rt_status status = sn_rt_truth_read(f->truth_path, &f->rules, &f->videos, &f->labels, &f->truth, f->err);
    size_t       used = strlen(f->err->text);
    if (status == SN_RT_FORMAT && f->numbered) snprintf(f->err->text + used, sizeof f->err->text - used, " (--classes A,B,... names the columns)");
    return status;
}

/* Every video of the truth has scores, as long as the truth needs. */
static sn_rt_status check_cover(const files *f)
{
    for (uint32_t v = 0; v < f->videos.count; v++)
        if (sn_rt_names_find(&f->scores.videos, f->videos.name[v]) == SN_RT_NO_NAME)
            return sn_rt_fail(f->err, SN_RT_MISSING, "%s: video %s has no scores", f->truth_path, f->videos.name[v]);
    for (size_t i = 0; i < f->truth.count && !f->rules.unordered; i++) {
        const sn_rt_span *s = &f->truth.item[i];
        size_t frames = f->scores.of[sn_rt_names_find(&f->scores.videos, f->videos.name[s->video])].frames, slack = f->how->fps > 0;
        if (s->start >= (int64_t)frames || s->end > (int64_t)(frames + slack))
            return sn_rt_fail(f->err, SN_RT_FORMAT, "%s:%lu: frames %lld to %lld of video %s, whose scores have %zu frames", f->truth_path, s->line,
                              (long long)s->start, (long long)s->end, f->videos.name[s->video], frames);
    }
    return SN_RT_OK;
}

static sn_rt_status find_background(const files *f, sn_rt_protocol p, uint32_t *out)
{
    const char *name = f->how->background;
    *out = sn_rt_names_find(&f->labels, name ? name : "background");
    if (name && *out == SN_RT_NO_NAME) return sn_rt_fail(f->err, SN_RT_ARGUMENT, "--background %s: no such class", name);
    if (*out != SN_RT_NO_NAME || !f->scores.columns) return SN_RT_OK;
    bool     pku = p == SN_RT_PKU || p == SN_RT_PKU_OFFICIAL;
    uint32_t guess = pku ? 0 : f->scores.columns - 1;
    if (f->numbered) *out = guess;
    for (size_t i = 0; i < f->truth.count && *out != SN_RT_NO_NAME; i++)
        if (f->truth.item[i].label == guess) *out = SN_RT_NO_NAME;
    if (pku && *out == SN_RT_NO_NAME)
        return sn_rt_fail(f->err, SN_RT_ARGUMENT, "PKU-MMD's protocol needs the class of no action: --background NAME");
    return SN_RT_OK;
}

static sn_rt_status judge(files *f, sn_rt_protocol p, json_t *record)
{
    sn_rt_question q = {.videos = &f->videos, .labels = &f->labels, .truth = &f->truth, .found = f->scores.columns ? NULL : &f->found,
                        .scores = f->scores.columns ? &f->scores : NULL};
    sn_rt_status status = find_background(f, p, &q.background);
    if (status == SN_RT_OK) status = sn_judge(f->how, &q, record, f->err);
    if (status == SN_RT_FORMAT) { /* "LINE: ..." of the truth */
        char text[sizeof f->err->text];
        snprintf(text, sizeof text, "%s", f->err->text);
        sn_rt_fail(f->err, status, "%s:%s", f->truth_path, text);
    }
    return status;
}

sn_rt_status sn_evaluate_files(const sn_judging *j, const char *scores, const char *detections, const char *truth, const char *video, json_t *record,
                               sn_rt_error *err)
{
    files          f = {.how = j, .truth_path = truth, .err = err};
    sn_rt_protocol p = SN_RT_BABEL;
    sn_rt_status   status = protocol_of(j->protocol, &p, err);
    if (status == SN_RT_OK) f.rules = (sn_rt_span_rules){.fps = j->fps, .unordered = sn_rt_protocols[p].unordered};
    if (status == SN_RT_OK && detections && !(j->fps > 0)) status = sn_rt_detections_rate(detections, &f.rules.fps, err);
    if (status == SN_RT_OK && scores) status = read_scores(&f, scores, video);
    if (status == SN_RT_OK) status = name_columns(&f);
    if (status == SN_RT_OK) status = read_truth(&f);
    if (status == SN_RT_OK && !f.truth.count) status = sn_rt_fail(err, SN_RT_FORMAT, "%s: no segment", truth);
    if (status == SN_RT_OK && detections) status = sn_rt_detections_read(detections, &f.rules, &f.videos, &f.labels, &f.found, err);
    if (status == SN_RT_OK && scores) status = check_cover(&f);
    if (status == SN_RT_OK) status = judge(&f, p, record);
    sn_rt_names_fini(&f.videos), sn_rt_names_fini(&f.labels);
    sn_rt_spans_fini(&f.truth), sn_rt_spans_fini(&f.found);
    sn_rt_scores_fini(&f.scores);
    return status;
}
