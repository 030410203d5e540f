/* What `sinew evaluate` does: detections or scores from files against truth, or nearest neighbours of a model's features.
 * Not its command line (cmd_evaluate.c); prints nothing but its record's tables. */
#ifndef SN_FRONTEND_EVALUATE_H
#define SN_FRONTEND_EVALUATE_H

#include "record.h"

/* How detections are made from scores and judged. */
typedef struct sn_judging {
    const char *protocol;    /* a name of sn_rt_protocols */
    const char *thresholds;  /* "low", "even", "both", or numbers parted by commas */
    const char *classes;     /* names of the columns, parted by commas; NULL: those of the file, else numbers */
    const char *background;  /* name of the class that does not count; NULL: "background" if there is one, else see sn_evaluate_files */
    const char *detections_out; /* file for the detections that were judged, or NULL */
    double      fps;
    size_t      padded;
    uint32_t    actions;
    bool        smallest;    /* sn_rt_overlap */
} sn_judging;

/* Check names and numbers; SN_RT_ARGUMENT says what is wrong. */
sn_rt_status sn_judging_check(const sn_judging *j, sn_rt_error *err);

/* Judge `q` (all but its protocol and thresholds filled in) in every way `j` asks for, adding to the record. */
sn_rt_status sn_judge(const sn_judging *j, const sn_rt_question *q, json_t *record, sn_rt_error *err);

/* Scores or detections (the other is NULL) from files.  `video` names the array of a .npy file; NULL: the only video of the truth.
 * With numbered columns, the background is the last one for BABEL and 0 for PKU-MMD if no truth has it. */
sn_rt_status sn_evaluate_files(const sn_judging *j, const char *scores, const char *detections, const char *truth, const char *video, json_t *record,
                               sn_rt_error *err);

#endif
