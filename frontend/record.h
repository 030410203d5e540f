/* Records of evaluations: JSON that one command writes and others read, and the tables printed from it.
 * Not the evaluating (runtime/eval).
 *
 *     {"sinew": "evaluation 1", "name": NAME, "given": {...},
 *      "results": [{"name": NAME, "measures": {"mAP@0.1": 0.6, ..., "mAP": 0.5, ...},
 *                   "classes": [{"name": NAME, "truths": 12, "found": 30, "AP@0.1": 0.6, ..., "AP": 0.5, ...}, ...]}, ...],
 *      "confusion": {"classes": [NAME, ...], "taken": [[31, 2, ...], ...]}}
 *
 * "confusion", of frame scores only, counts the frames of each class by the class that they are taken for.
 * Shares are fractions of 1 (tables show percent), null where there is nothing to measure.  "name" tells settings apart; records of one name are repetitions
 * (seeds) and become mean and deviation. */
#ifndef SN_FRONTEND_RECORD_H
#define SN_FRONTEND_RECORD_H

#include <jansson.h>

#include "../runtime/eval/evaluation.h"
#include "../runtime/eval/table.h"

/* A record without results.  `given` is taken. */
json_t *sn_record_new(const char *name, json_t *given);
/* Add what an evaluation found. */
void sn_record_add(json_t *record, const char *result, const sn_rt_question *q, const sn_rt_evaluation *e);
/* Add a result that has measures only, and classes with one measure each, `shares` of them NaN or 0 .. 1. */
json_t *sn_record_result(json_t *record, const char *result);
void    sn_record_measure(json_t *result, const char *name, double value);
void    sn_record_class(json_t *result, const char *name, const char *measure, double value, size_t count);

/* Read a file, or FOLDER/result.json; NULL with SN_RT_IO or SN_RT_FORMAT in *err. */
json_t *sn_record_read(const char *path, sn_rt_error *err);
/* Write atomically. */
sn_rt_status sn_record_write(const json_t *record, const char *path, sn_rt_error *err);
void         sn_record_dump(const json_t *record, FILE *out);

/* Tables over records, shown to `visit` one after another.  For each result, in the order of their first mention: a row a record with all measures, and
 * (classwise, or one record) a table by class.  `paper`, as sn_paper_find reads it or NULL: the paper's rows stand first. */
typedef void sn_record_visit(void *context, const sn_rt_table *table);
sn_rt_status sn_record_each_table(json_t *const *record, size_t records, bool classwise, const char *paper, sn_record_visit *visit, void *context,
                                  sn_rt_error *err);
/* The same, printed. */
sn_rt_status sn_record_tables(json_t *const *record, size_t records, bool classwise, const char *paper, sn_rt_table_form form, FILE *out, sn_rt_error *err);

#endif
