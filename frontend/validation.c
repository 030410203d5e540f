/* How well the model in training tags frames it does not learn from.
 * Not detection (runtime/eval). */
#include "validation.h"

#include "../runtime/data/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER "epoch,sequences,frames,accuracy,class_accuracy\n"

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
           sn_tagger_init(&v->tagger, v->program.abi, v->weight, (size_t)t->recipe.frames, SN_TAGGER_NO_HALO, sn_rt_trainer_threads(trainer), err) == SN_RT_OK;
}

void sn_validation_close(sn_validation *v)
{
    sn_tagger_fini(&v->tagger);
    if (v->compiled) sn_program_fini(&v->program);
    free(v->weight);
    free(v->graph);
    free(v->rows);
    memset(v, 0, sizeof *v);
}

/* ---- counting ----------------------------------------------------------------------------------------------------------- */

typedef struct tally { size_t *frames, *right; size_t classes; } tally; /* [classes] */

static void count(tally *n, const float *scores, const float *label, size_t frames)
{
    for (size_t t = 0; t < frames; t++, scores += n->classes) {
        size_t best = 0;
        if (label[t] < 0) continue;
        for (size_t k = 1; k < n->classes; k++)
            if (scores[k] > scores[best]) best = k;
        n->frames[(size_t)label[t]]++;
        n->right[(size_t)label[t]] += best == (size_t)label[t];
    }
}

static void sum_up(const tally *n, sn_validated *out)
{
    size_t right = 0, classes = 0;
    double shares = 0;
    for (size_t k = 0; k < n->classes; k++) {
        if (!n->frames[k]) continue;
        right += n->right[k];
        out->frames += n->frames[k];
        shares += (double)n->right[k] / (double)n->frames[k];
        classes++;
    }
    out->accuracy = (double)right / (double)out->frames;
    out->class_accuracy = shares / (double)classes;
}

static sn_rt_status tag(sn_validation *v, const sn_rt_sequence *s, tally *n, sn_rt_error *err)
{
    float *scores = malloc(s->frames * (v->tagger.columns + 1) * sizeof *scores), *label = scores ? scores + s->frames * v->tagger.columns : NULL;
    if (!scores) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for the scores of \"%s\"", s->id);
    sn_rt_status status = s->joints == v->tagger.joints ? SN_RT_OK : sn_rt_fail(err, SN_RT_BAD_SHAPE, "\"%s\" has %zu joints, the model wants %zu", s->id, s->joints, v->tagger.joints);
    if (status == SN_RT_OK) status = sn_tagger_scores(&v->tagger, s->x, s->frames, scores, err);
    sn_rt_classes_of_frames(v->classes, v->set, s, 0, s->frames, label);
    if (status == SN_RT_OK) count(n, scores, label, s->frames);
    free(scores);
    return status;
}

static sn_rt_status add_row(sn_validation *v, uint64_t epoch, const sn_validated *found, sn_rt_error *err)
{
    char   line[160];
    size_t n = (size_t)snprintf(line, sizeof line, "%llu,%zu,%zu,%.6f,%.6f\n", (unsigned long long)epoch, found->sequences, found->frames, found->accuracy, found->class_accuracy);
    char  *grown = realloc(v->rows, v->size + n + 1);
    if (!grown) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for validation");
    memcpy(grown + v->size, line, n + 1);
    v->rows = grown;
    v->size += n;
    return sn_rt_file_replace(v->path, v->rows, v->size, err);
}

sn_rt_status sn_validation_run(sn_validation *v, uint64_t epoch, sn_validated *out, sn_rt_error *err)
{
    size_t       classes = v->tagger.columns;
    tally        n = {calloc(2 * classes, sizeof(size_t)), NULL, classes};
    sn_rt_status status = n.frames ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for validation");
    n.right = n.frames + classes;
    *out = (sn_validated){0};
    sn_tagger_renew(&v->tagger);
    for (size_t i = 0; status == SN_RT_OK && i < sn_rt_dataset_count(v->set); i++) {
        if (!v->only[i]) continue;
        const sn_rt_sequence *s = sn_rt_dataset_at(v->set, i);
        if (out->sequences++ == 0) status = sn_tagger_measure(&v->tagger, s->x, s->frames, err);
        if (status == SN_RT_OK) status = tag(v, s, &n, err);
    }
    if (status == SN_RT_OK) sum_up(&n, out);
    if (status == SN_RT_OK) status = add_row(v, epoch, out, err);
    free(n.frames);
    return status;
}
