/* Nearest neighbours of a model's features, as `sinew evaluate MODEL --knn` judges them: no training, so what the features hold shows.
 * Not the search (runtime/eval/neighbours.h). */
#ifndef SN_FRONTEND_KNN_H
#define SN_FRONTEND_KNN_H

#include "evaluate.h"
#include "features.h"

typedef enum sn_grain { SN_GRAIN_FRAME, SN_GRAIN_SNIPPET, SN_GRAIN_SEQUENCE, SN_GRAINS } sn_grain;
extern const char *const sn_grain_name[SN_GRAINS];

typedef struct sn_knn_how {
    const char *data, *train, *val; /* a data set, and the splits of it that are the bank and the queries, comma-separated */
    const char *classes;            /* as sn_rt_classes_new */
    const char *levels;             /* "frame", "snippet", "sequence", comma-separated */
    bool        ignore_unlabelled;  /* frames without a segment have no class, instead of background */
    bool        leave_one_out;      /* bank and queries are the sequences of `val`; a query's own sequence does not count */
    int         k;                  /* that classes and detections are reported with; 1, 5, 20 and 100 are reported besides */
    double      tau;                /* of votes exp(cosine / tau); 0: equal ones */
    double      snippet_frames;     /* input frames a snippet */
} sn_knn_how;

/* What a level is called is a list; false for an unknown word. */
bool sn_grains_read(const char *list, bool out[SN_GRAINS]);

/* Rows of one sequence at a level, and their classes: what `knn` and `embed` agree on.
 *
 *   frame     encoder frames; class of the input frame at the middle
 *   snippet   max(1, round(frames / snippet_frames)) bins, at most as many as encoder frames; commonest class of the input frames, the lowest of equally common ones
 *   sequence  the mean over time; commonest class
 *
 * class [sequence->frames] of input frames as sn_rt_classes_of_frames gives it, or NULL: no classes.  *out_class is -1 where most frames have none; both
 * results are freed by the caller. */
sn_rt_status sn_grain_rows(sn_grain level, const sn_features *features, const float *class, size_t frames, double snippet_frames, sn_features *out,
                           int32_t **out_class, sn_rt_error *err);

/* For every level a result "KNN of LEVELs": shares of right rows for each k, their mean by class, the share of the commonest class; for frames also
 * detections from votes interpolated to the recording's frames, judged as `j` says.  Sequences without any of the classes are left out.
 * Writes frame probabilities to `scores_out` if it is not NULL. */
sn_rt_status sn_evaluate_knn(const sn_knn_how *how, const sn_judging *j, sn_extractor *x, const char *scores_out, json_t *record, sn_rt_error *err);

#endif
