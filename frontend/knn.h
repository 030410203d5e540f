/* Nearest neighbours of a model's features, as `sinew evaluate MODEL --knn` judges them: no training, so what the features hold shows.
 * Not the search (runtime/eval/neighbours.h). */
#ifndef SN_FRONTEND_KNN_H
#define SN_FRONTEND_KNN_H

#include "evaluate.h"
#include "grain.h"

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

/* For every level a result "KNN of LEVELs": shares of right rows for each k, their mean by class, the share of the commonest class; for frames also
 * detections from votes interpolated to the recording's frames, judged as `j` says.  Sequences without any of the classes are left out.
 * Writes frame probabilities to `scores_out` if it is not NULL. */
sn_rt_status sn_evaluate_knn(const sn_knn_how *how, const sn_judging *j, sn_extractor *x, const char *scores_out, json_t *record, sn_rt_error *err);

#endif
