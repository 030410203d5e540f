/* Labels and splits from CSV files, applied to a data set.
 * Not a judgement of them: who made a label is kept with it (its origin). */
#ifndef SN_RUNTIME_DATA_LABELS_H
#define SN_RUNTIME_DATA_LABELS_H

#include "dataset.h"

/* What became of a file's rows. */
typedef struct sn_rt_label_report {
    size_t rows;
    size_t applied;
    size_t clipped; /* of the applied: cut to the sequence's frames */
    size_t swapped; /* of the applied: start and end were exchanged */
    size_t empty;   /* nothing left within the sequence */
    size_t absent;  /* of sequences that are not in the set */
} sn_rt_label_report;

/* Columns seq, fps, start_frame, end_frame, label and optionally source, in any order, others ignored. Frames count from 0
 * of the source file at `fps`; end is exclusive. A row labels those frames of the set whose source time is in
 * [start, end). Rows with an empty label are skipped. Without column `source` the origin is the file's name.
 * SN_RT_FORMAT "PATH:LINE: what was found, what was expected"; the set then holds the rows before. */
sn_rt_status sn_rt_labels_apply(sn_rt_dataset *set, const char *path, sn_rt_label_report *out, sn_rt_error *err);

/* PKU-MMD: for every sequence ID of the set the file FOLDER/ID.txt, a row an instance, "class,start,end,confidence" with class 1 to 51 and
 * frames that count from 0, end exclusive (decision D21). Labels are "P01" to "P51", their origin is "pku". Rows whose start is
 * behind their end are swapped, as the published converters do. Sequences without a file count as absent. */
sn_rt_status sn_rt_pku_labels_apply(sn_rt_dataset *set, const char *folder, sn_rt_label_report *out, sn_rt_error *err);

/* PKU-MMD's list of a protocol: a heading that begins with T(raining) or V(alidation) and ends in ':', then ids parted by commas, blanks or
 * lines. Training becomes "train", validation "val". */
sn_rt_status sn_rt_pku_splits_apply(sn_rt_dataset *set, const char *path, sn_rt_label_report *out, sn_rt_error *err);

/* Columns seq (or clip) and split, others ignored. Two rows that give one sequence different splits are an error. */
sn_rt_status sn_rt_splits_apply(sn_rt_dataset *set, const char *path, sn_rt_label_report *out, sn_rt_error *err);

#endif
