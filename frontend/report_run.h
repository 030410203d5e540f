/* What a path given to `sinew report` holds by itself: the log and settings of a run, a model's facts, the record of an evaluation.
 * Not what needs the data set (report_set.h). */
#ifndef SN_FRONTEND_REPORT_RUN_H
#define SN_FRONTEND_REPORT_RUN_H

#include <jansson.h>
#include <stdbool.h>

#include "../runtime/status.h"

typedef struct sn_report_run {
    char   *name;    /* what it is called on the page */
    char   *path;
    bool    trained; /* it has an encoder that features can be taken from: a run with a checkpoint, or a model */
    bool    model;   /* it has a model that scores frames */
    json_t *record;  /* of an evaluation (record.h), NULL: none */
    json_t *page;    /* what the page is told */
} sn_report_run;

/* `given` is PATH or NAME=PATH: the folder of a run of pretrain or finetune, a model file, or a record's file or folder.  A run is expected to have log.csv and
 * recipe.txt; what is cut off or no number is SN_RT_FORMAT "FILE:LINE: ...".
 *
 *     page: {"name", "path", "kind": "pretrain"|"finetune"|"model"|"record",
 *            "again": the command that trained it, "settings": [[PART, KEY, VALUE], ...], "seconds": of training, "steps", "epochs",
 *            "log": CURVES, "validation": CURVES, "model": {"classes": [...], "layout", "fps", "window", "parameters", "bytes"}, "given": of the record}
 *     CURVES: {"along": COLUMN, "rows", "at": [...], "columns": [{"name", "mean": [...], "low": [...], "high": [...]}, ...]}
 *
 * Keys without a value are absent.  A point of a curve is the mean over an equal stretch of rows, `low` and `high` its extremes, absent if it is one row. */
sn_rt_status sn_report_run_open(sn_report_run *run, const char *given, sn_rt_error *err);
void         sn_report_run_close(sn_report_run *run); /* harmless on a zeroed struct */

/* Text as JSON; what is not UTF-8 in it becomes U+FFFD, so that a page can be written whatever a file is called. */
json_t *sn_report_text(const char *text);
/* A number with `digits` significant ones: more than a screen shows would only make the page larger. */
json_t *sn_report_number(double x, int digits);

#endif
