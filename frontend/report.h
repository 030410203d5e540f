/* A page about runs: everything gathered, as one HTML file.
 * Not its parts (report_run.h, report_set.h) nor its frame (page.h). */
#ifndef SN_FRONTEND_REPORT_H
#define SN_FRONTEND_REPORT_H

#include "report_set.h"

typedef struct sn_report_how {
    const char *const *run;  /* [runs]: as sn_report_run_open takes them */
    uint32_t           runs;
    const char        *out, *title, *paper; /* title NULL: made of the runs' names; paper NULL or as sn_record_each_table takes it */
    const char *const *command;             /* NULL-ended, to be told on the page */
    sn_report_set_how  set;                 /* of data; data NULL: what needs it is left out, and the page says so */
} sn_report_how;

/* What was written. */
typedef struct sn_report_done {
    size_t runs, records, recordings, embeddings;
} sn_report_done;

/* Atomically: on failure `out` is what it was. */
sn_rt_status sn_report(const sn_report_how *how, sn_report_done *done, sn_rt_error *err);

#endif
