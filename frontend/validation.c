/* How well the model in training tags frames it does not learn from.
 * Not how detections are made and judged (runtime/eval). */
#include "validation.h"

#include "../runtime/data/file.h"
#include "../runtime/eval/evaluation.h"
#include "../runtime/eval/propose.h"
#include "tagged.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER "epoch,sequences,frames,accuracy,class_accuracy,map,map_half\n"

/* ---- life --------------------------------------------------------------------------------------------------------------- */

/* Weights of the model are those of the step that are called MODEL.name. */
static sn_rt_status find_weights(sn_validation *v, const sn_training *t, const sn_rt_trainer *trainer, sn_rt_error *err)
{
    const sn_abi_program *p = v->program.abi;
    v->weight = calloc(p->params + 1u, sizeof *v->weight);
    if (!v->weight) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for validation");
    for (uint32_t i = 0; i < p->params; i++) {
        char   name[512];
        size_t mine = sn_rt_session_count(sn_rt_trainer_session(trainer), &p->param[i].type), n = 0;
        if (p->param[i].kind == SN_ABI_INPUT) continue;
        snprintf(name, sizeof name, "%s.%s", t->recipe.model, p->param[i].name);
        uint32_t of = sn_rt_find_param(t->program.abi, name);
        if (of != SN_RT_NONE) v->weight[i] = sn_rt_store_param(sn_rt_trainer_store(trainer), of, &n);
        if (!v->weight[i] || n != mine)
            return sn_rt_fail(err, SN_RT_BAD_SHAPE, "the model alone has %s of %zu elements, the step has %s of %zu",
                              p->param[i].name, mine, name, n);
    }
    return SN_RT_OK;
}

/* Rows of a table written before, up to an epoch. */
static sn_rt_status read_rows(sn_validation *v, uint64_t epoch, sn_rt_error *err)
{
    char  *text = NULL;
    size_t size = 0, keep = strlen(HEADER);
    if (epoch > 0 && access(v->path, F_OK) == 0) {
        sn_rt_status status = sn_rt_file_read(v->path, (size_t)1 << 26, &text, &size, err);
        if (status != SN_RT_OK) return status;
    }
    bool ours = size >= keep && memcmp(text, HEADER, keep) == 0;
    while (ours && text[keep] && strtoull(text + keep, NULL, 10) <= epoch && strchr(text + keep, '\n')) keep = (size_t)(strchr(text + keep, '\n') + 1 - text);
    v->rows = strndup(ours ? text : HEADER, keep);
    v->size = keep;
    free(text);
    return v->rows ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for validation");
}

bool sn_validation_open(sn_validation *v, sn_training *t, const sn_rt_trainer *trainer, const char *cache_dir, const char *path, uint64_t epoch,
                        sn_rt_error *err)
{
    v->path = path;
    v->compiled = sn_training_model(t, cache_dir, &v->program, &v->graph, err);
    return v->compiled && find_weights(v, t, trainer, err) == SN_RT_OK && read_rows(v, epoch, err) == SN_RT_OK &&
           sn_rt_tagger_init(&v->tagger, v->program.abi, v->weight, (size_t)t->recipe.frames, SN_RT_TAGGER_NO_HALO, sn_rt_trainer_threads(trainer), err) == SN_RT_OK;
}

void sn_validation_close(sn_validation *v)
{
    sn_rt_tagger_fini(&v->tagger);
    if (v->compiled) sn_program_fini(&v->program);
    free(v->weight);
    free(v->graph);
    free(v->rows);
    memset(v, 0, sizeof *v);
}

/* ---- one validation ----------------------------------------------------------------------------------------------------- */

/* What is gathered over the sequences. */
typedef struct round {
    sn_rt_names     videos, labels;
    sn_rt_spans     truth;
    sn_rt_scores    scores;
    sn_rt_agreement agreement;
    uint32_t       *label; /* of the frames of one sequence */
} round;

static sn_rt_status begin(const sn_validation *v, round *r, sn_rt_error *err)
{
    size_t       classes = v->classes->count, longest = 0;
    uint32_t     number;
    sn_rt_status status = sn_rt_agreement_init((uint32_t)classes + 1, &r->agreement, err);
    for (size_t k = 0; status == SN_RT_OK && k < classes; k++) status = sn_rt_names_add(&r->labels, v->classes->name[k], &number, err);
    if (status == SN_RT_OK) status = sn_rt_names_add(&r->labels, "", &number, err); /* background */
    for (size_t i = 0; i < sn_rt_dataset_count(v->set); i++)
        if (v->only[i] && sn_rt_dataset_at(v->set, i)->frames > longest) longest = sn_rt_dataset_at(v->set, i)->frames;
    r->scores.columns = (uint32_t)classes + 1;
    r->scores.of = calloc(sn_rt_dataset_count(v->set) + 1, sizeof *r->scores.of);
    r->label = malloc((longest + 1) * sizeof *r->label);
    return status == SN_RT_OK && (!r->scores.of || !r->label) ? sn_rt_fail(err, SN_RT_MEMORY, "no memory for validation") : status;
}

static void end(round *r)
{
    sn_rt_scores_fini(&r->scores);
    sn_rt_names_fini(&r->videos);
    sn_rt_names_fini(&r->labels);
    sn_rt_spans_fini(&r->truth);
    sn_rt_agreement_fini(&r->agreement);
    free(r->label);
}

/* Classes of the frames into r->label, and their runs, background left out, into the truth. */
static sn_rt_status label_frames(const sn_validation *v, const sn_rt_sequence *s, uint32_t video, round *r, sn_rt_error *err)
{
    sn_rt_status status = SN_RT_OK;
    for (size_t f = 0; f < s->frames; f++) {
        float class;
        sn_rt_classes_of_frames(v->classes, v->set, s, f, 1, &class);
        r->label[f] = class < 0 ? UINT32_MAX : (uint32_t)class;
    }
    for (size_t start = 0, stop; status == SN_RT_OK && start < s->frames; start = stop) {
        for (stop = start + 1; stop < s->frames && r->label[stop] == r->label[start];) stop++;
        if (r->label[start] < v->classes->count)
            status = sn_rt_spans_add(&r->truth, (sn_rt_span){.video = video, .label = r->label[start], .start = (int64_t)start, .end = (int64_t)stop}, err);
    }
    return status;
}

static sn_rt_status tag(sn_validation *v, const sn_rt_sequence *s, round *r, sn_rt_error *err)
{
    uint32_t     video, same;
    sn_rt_status status = sn_rt_names_add(&r->videos, s->id, &video, err);
    if (status == SN_RT_OK) status = sn_rt_names_add(&r->scores.videos, s->id, &same, err);
    if (status != SN_RT_OK) return status;
    sn_rt_video_scores *o = &r->scores.of[same];
    *o = (sn_rt_video_scores){.p = malloc(s->frames * v->tagger.columns * sizeof *o->p), .frames = s->frames};
    if (!o->p) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for the scores of \"%s\"", s->id);
    status = sn_tag_sequence(&v->tagger, s, o->p, err);
    if (status == SN_RT_OK) status = label_frames(v, s, video, r, err);
    if (status == SN_RT_OK) sn_rt_agreement_add(&r->agreement, o->p, r->label, s->frames);
    return status;
}

static sn_rt_status judge(const sn_validation *v, const round *r, sn_validated *out, sn_rt_error *err)
{
    double           threshold[SN_RT_MAX_THRESHOLDS];
    sn_rt_evaluation e = {0};
    sn_rt_question   q = {.protocol = SN_RT_BABEL_CORRECTED, .videos = &r->videos, .labels = &r->labels, .truth = &r->truth,
                          .background = (uint32_t)v->classes->count, .overlap = SN_RT_OVERLAP_SMALLEST, .scores = &r->scores, .threshold = threshold};
    q.thresholds = sn_rt_thresholds_even(threshold);
    sn_rt_status status = sn_rt_evaluate(&q, &e, err);
    if (status == SN_RT_OK) {
        out->map = e.average;
        for (uint32_t i = 0; i < sn_rt_protocols[q.protocol].tious; i++)
            if (sn_rt_protocols[q.protocol].tiou[i] == 0.5) out->map_half = e.map[i];
        for (size_t k = 0; k < r->agreement.classes; k++) out->frames += r->agreement.frames[k];
        out->accuracy = sn_rt_agreement_share(&r->agreement);
        out->class_accuracy = sn_rt_agreement_mean(&r->agreement);
    }
    sn_rt_evaluation_fini(&e);
    return status;
}

static sn_rt_status add_row(sn_validation *v, uint64_t epoch, const sn_validated *found, sn_rt_error *err)
{
    char   line[160];
    size_t n = (size_t)snprintf(line, sizeof line, "%llu,%zu,%zu,%.6f,%.6f,%.6f,%.6f\n", (unsigned long long)epoch, found->sequences, found->frames, found->accuracy,
                               found->class_accuracy, found->map, found->map_half);
    char  *grown = realloc(v->rows, v->size + n + 1);
    if (!grown) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for validation");
    memcpy(grown + v->size, line, n + 1);
    v->rows = grown;
    v->size += n;
    return sn_rt_file_replace(v->path, v->rows, v->size, err);
}

sn_rt_status sn_validation_run(sn_validation *v, uint64_t epoch, sn_validated *out, sn_rt_error *err)
{
    round        r = {0};
    sn_rt_status status = begin(v, &r, err);
    *out = (sn_validated){0};
    sn_rt_tagger_renew(&v->tagger);
    for (size_t i = 0; status == SN_RT_OK && i < sn_rt_dataset_count(v->set); i++) {
        if (!v->only[i]) continue;
        const sn_rt_sequence *s = sn_rt_dataset_at(v->set, i);
        if (out->sequences++ == 0) status = sn_rt_tagger_measure(&v->tagger, s->x, s->persons, s->frames, err);
        if (status == SN_RT_OK) status = tag(v, s, &r, err);
    }
    if (status == SN_RT_OK) status = judge(v, &r, out, err);
    if (status == SN_RT_OK) status = add_row(v, epoch, out, err);
    end(&r);
    return status;
}
