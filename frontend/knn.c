/* Nearest neighbours of a model's features: bank, queries, votes, what is reported.
 * Not the search and not the judging of detections. */
#include "knn.h"

#include "../runtime/data/loader.h"
#include "../runtime/eval/neighbours.h"
#include "set_scores.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIXED = 4, MOST_K = 1000 };
static const int fixed_k[FIXED] = {1, 5, 20, 100};

typedef struct knn {
    const sn_knn_how *how;
    sn_extractor     *x;
    sn_rt_dataset    *set;
    sn_rt_classes    *classes;
    uint32_t          columns;             /* classes and background */
    bool              level[SN_GRAINS];
    sn_rt_rows        bank[SN_GRAINS], query[SN_GRAINS];
    size_t            k;                   /* neighbours that are looked for */
    sn_rt_error      *err;
} knn;

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

/* Queries keep rows without a class, which do not count, so that those of a sequence stay together. */
static sn_rt_status add_rows(knn *n, sn_grain level, uint32_t sequence, const sn_features *f, const float *class, bool bank, bool query)
{
    sn_features  rows;
    int32_t     *of;
    sn_rt_status status = sn_grain_rows(level, f, class, sn_rt_dataset_at(n->set, sequence)->frames, n->how->snippet_frames, &rows, &of, n->err);
    if (status != SN_RT_OK) return status;
    for (size_t i = 0; i < rows.frames && status == SN_RT_OK; i++) {
        const float *x = rows.x + i * rows.width;
        if (bank && of[i] >= 0) status = sn_rt_rows_add(&n->bank[level], x, rows.width, sequence, of[i], n->err);
        if (query && status == SN_RT_OK) status = sn_rt_rows_add(&n->query[level], x, rows.width, sequence, of[i], n->err);
    }
    free(rows.x), free(of);
    return status;
}

static sn_rt_status add_sequence(knn *n, uint32_t i)
{
    const sn_rt_sequence *s = sn_rt_dataset_at(n->set, i);
    bool query = sn_rt_split_listed(n->how->val, s->split), bank = n->how->leave_one_out ? query : sn_rt_split_listed(n->how->train, s->split);
    if ((!query && !bank) || !sn_rt_classes_occur(n->classes, n->set, s)) return SN_RT_OK;
    float       *class = malloc(s->frames * sizeof *class);
    sn_features  f = {0};
    sn_rt_status status = class ? SN_RT_OK : sn_rt_fail(n->err, SN_RT_MEMORY, "%s: no memory", s->id);
    if (class) sn_rt_classes_of_frames(n->classes, n->set, s, 0, s->frames, class);
    if (status == SN_RT_OK) status = sn_extract(n->x, s, &f, n->err);
    for (int level = 0; level < SN_GRAINS && status == SN_RT_OK; level++)
        if (n->level[level]) status = add_rows(n, (sn_grain)level, i, &f, class, bank, query);
    free(class), free(f.x);
    return status;
}

static sn_rt_status collect(knn *n)
{
    sn_rt_status status = SN_RT_OK;
    for (uint32_t i = 0; i < sn_rt_dataset_count(n->set) && status == SN_RT_OK; i++) status = add_sequence(n, i);
    for (int level = 0; level < SN_GRAINS && status == SN_RT_OK; level++) {
        if (!n->level[level]) continue;
        if (!n->bank[level].count || !n->query[level].count)
            status = sn_rt_fail(n->err, SN_RT_MISSING, "%s: no sequence of %s shows any of the classes", n->how->data,
                                n->bank[level].count || n->how->leave_one_out ? n->how->val : n->how->train);
        sn_rt_rows_normalise(&n->bank[level]);
        sn_rt_rows_normalise(&n->query[level]);
    }
    return status;
}

/* ---- rows right or wrong ------------------------------------------------------------------------------------------------ */

/* Votes of the first k neighbours of every query as scores f32[queries][columns]. */
static void vote(const knn *n, sn_grain level, const sn_rt_neighbour *found, size_t k, float *out)
{
    double *p = sn_new_n(&n->x->arena, double, n->columns);
    for (size_t q = 0; q < n->query[level].count; q++) {
        sn_rt_votes(&n->bank[level], found + q * n->k, k, n->how->tau, n->columns, p);
        for (uint32_t c = 0; c < n->columns; c++) out[q * n->columns + c] = (float)p[c];
    }
}

static sn_rt_status agree(const knn *n, sn_grain level, const float *votes, sn_rt_agreement *out)
{
    const sn_rt_rows *q = &n->query[level];
    uint32_t         *label = malloc((q->count + 1) * sizeof *label);
    if (!label) return sn_rt_fail(n->err, SN_RT_MEMORY, "no memory for %zu rows", q->count);
    sn_rt_status status = sn_rt_agreement_init(n->columns, out, n->err);
    for (size_t i = 0; i < q->count; i++) label[i] = (uint32_t)q->class[i]; /* -1 is no column and does not count */
    if (status == SN_RT_OK) sn_rt_agreement_add(out, votes, label, q->count);
    free(label);
    return status;
}

static const char *column_name(const knn *n, uint32_t c) { return c < n->classes->count ? n->classes->name[c] : "background"; }

static void report_classes(const knn *n, json_t *result, const sn_rt_agreement *a)
{
    size_t most = 0, all = 0;
    for (uint32_t c = 0; c < n->columns; c++) {
        if (a->frames[c]) sn_record_class(result, column_name(n, c), "right", (double)a->right[c] / (double)a->frames[c], a->frames[c]);
        most = a->frames[c] > most ? a->frames[c] : most;
        all += a->frames[c];
    }
    sn_record_measure(result, "by class", sn_rt_agreement_mean(a));
    sn_record_measure(result, "commonest class", (double)most / (double)all);
}

/* Right rows with k neighbours: their share, or what is told by class.  The votes stay in `votes`. */
static sn_rt_status report_k(const knn *n, sn_grain level, const sn_rt_neighbour *found, int k, bool classes, float *votes, json_t *result)
{
    char            name[24];
    sn_rt_agreement a = {0};
    vote(n, level, found, (size_t)k, votes);
    sn_rt_status status = agree(n, level, votes, &a);
    snprintf(name, sizeof name, "k=%d", k);
    if (status == SN_RT_OK && !classes) sn_record_measure(result, name, sn_rt_agreement_share(&a));
    if (status == SN_RT_OK && classes) report_classes(n, result, &a);
    sn_rt_agreement_fini(&a);
    return status;
}

/* The fixed ones and `own`, rising, each once; their number. */
static int list_k(int own, int *out)
{
    int count = 0;
    for (int i = 0; i < FIXED; i++) {
        if (own < fixed_k[i] && (i == 0 || own > fixed_k[i - 1])) out[count++] = own;
        out[count++] = fixed_k[i];
    }
    if (own > fixed_k[FIXED - 1]) out[count++] = own;
    return count;
}

/* ---- frames into detections --------------------------------------------------------------------------------------------- */

/* Votes of the query sequences at their own frames, judged. */
static sn_rt_status judge_frames(const knn *n, const sn_judging *j, const float *votes, const char *scores_out, json_t *record)
{
    const sn_rt_rows *q = &n->query[SN_GRAIN_FRAME];
    sn_set_scores     scores;
    float            *p;
    sn_rt_status      status = sn_set_scores_init(&scores, n->classes, sn_rt_dataset_count(n->set), n->err);
    for (size_t i = 0, end; i < q->count && status == SN_RT_OK; i = end) {
        const sn_rt_sequence *s = sn_rt_dataset_at(n->set, q->group[i]);
        for (end = i; end < q->count && q->group[end] == q->group[i]; end++) {}
        status = sn_set_scores_add(&scores, n->set, s, &p, n->err);
        if (status == SN_RT_OK) sn_rt_upsample(votes + i * n->columns, end - i, n->columns, s->frames, p);
    }
    if (status == SN_RT_OK) status = sn_set_scores_judge(&scores, j, scores_out, record, n->err);
    sn_set_scores_fini(&scores);
    return status;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

static sn_rt_status report_level(const knn *n, sn_grain level, const sn_judging *j, const char *scores_out, json_t *record)
{
    size_t           queries = n->query[level].count;
    int              k[FIXED + 1], ks = list_k(n->how->k, k);
    char             name[40];
    sn_rt_neighbour *found = malloc((queries * n->k + 1) * sizeof *found);
    float           *votes = malloc((queries * n->columns + 1) * sizeof *votes);
    sn_rt_status     status = found && votes ? SN_RT_OK : sn_rt_fail(n->err, SN_RT_MEMORY, "no memory for %zu queries", queries);
    if (status == SN_RT_OK)
        status = sn_rt_neighbours(&n->bank[level], &n->query[level], n->k, n->how->leave_one_out, n->x->threads, found, n->err);
    snprintf(name, sizeof name, "KNN of %ss", sn_grain_name[level]);
    json_t *result = status == SN_RT_OK ? sn_record_result(record, name) : NULL;
    for (int i = 0; i < ks && status == SN_RT_OK; i++) status = report_k(n, level, found, k[i], false, votes, result);
    if (status == SN_RT_OK) status = report_k(n, level, found, n->how->k, true, votes, result);
    if (status == SN_RT_OK && level == SN_GRAIN_FRAME) status = judge_frames(n, j, votes, scores_out, record);
    free(found), free(votes);
    return status;
}

static sn_rt_status check_how(const knn *n)
{
    if (n->how->k < 1 || n->how->k > MOST_K) return sn_rt_fail(n->err, SN_RT_ARGUMENT, "--k is not within 1 to %d", MOST_K);
    if (!(n->how->tau >= 0) || !(n->how->snippet_frames >= 1)) return sn_rt_fail(n->err, SN_RT_ARGUMENT, "--tau is not below 0, --snippet at least 1");
    if (!n->level[0] && !n->level[1] && !n->level[2]) return sn_rt_fail(n->err, SN_RT_ARGUMENT, "--level: expected frame, snippet or sequence");
    return SN_RT_OK;
}

sn_rt_status sn_evaluate_knn(const sn_knn_how *how, const sn_judging *j, sn_extractor *x, const char *scores_out, json_t *record, sn_rt_error *err)
{
    knn          n = {.how = how, .x = x, .k = (size_t)how->k, .err = err};
    sn_grains_read(how->levels, n.level);
    sn_rt_status status = check_how(&n);
    for (int i = 0; i < FIXED; i++) n.k = (size_t)fixed_k[i] > n.k ? (size_t)fixed_k[i] : n.k;
    if (status == SN_RT_OK) status = sn_rt_splits_check(how->train, err);
    if (status == SN_RT_OK) status = sn_rt_splits_check(how->val, err);
    if (status == SN_RT_OK) status = sn_rt_dataset_open(how->data, &n.set, err);
    if (status == SN_RT_OK) status = sn_rt_classes_new(n.set, how->classes, &n.classes, err);
    if (status == SN_RT_OK) {
        n.classes->ignore_unlabelled = how->ignore_unlabelled;
        n.columns = (uint32_t)n.classes->count + 1;
        status = collect(&n);
    }
    for (int level = 0; level < SN_GRAINS && status == SN_RT_OK; level++)
        if (n.level[level]) status = report_level(&n, (sn_grain)level, j, scores_out, record);
    for (int level = 0; level < SN_GRAINS; level++) sn_rt_rows_fini(&n.bank[level]), sn_rt_rows_fini(&n.query[level]);
    sn_rt_classes_free(n.classes);
    sn_rt_dataset_free(n.set);
    return status;
}
