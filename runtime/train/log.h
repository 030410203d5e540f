/* The log of a run: one row a step, as CSV on disk and as numbers in memory for the loss curve.
 * Not messages; nothing is printed here. */
#ifndef SN_RUNTIME_TRAIN_LOG_H
#define SN_RUNTIME_TRAIN_LOG_H

#include "../status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sn_rt_log sn_rt_log;

/* Columns: step, epoch, rate, seconds (of training so far, earlier sittings included), then `columns` named values. */
typedef struct sn_rt_log_row {
    uint64_t     step, epoch;
    double       rate, seconds;
    const float *value;
} sn_rt_log_row;

/* Open "DIR/log.csv" for appending.  Rows of `keep_steps` steps are kept from an earlier sitting, later ones are cut off: their steps are
 * done again.  Holds a lock until closed: SN_RT_IO if another process trains in DIR.  SN_RT_FORMAT if an old log has other columns. */
sn_rt_status sn_rt_log_open(const char *dir, const char *const *name, uint32_t columns, uint64_t keep_steps, sn_rt_log **out, sn_rt_error *err);
void         sn_rt_log_close(sn_rt_log *log); /* accepts NULL */

/* Append a row and hand it to the system.  SN_RT_IO if it does not take it. */
sn_rt_status sn_rt_log_add(sn_rt_log *log, const sn_rt_log_row *row, sn_rt_error *err);

/* Rows so far; a row's value is borrowed until the next add. */
size_t        sn_rt_log_count(const sn_rt_log *log);
sn_rt_log_row sn_rt_log_at(const sn_rt_log *log, size_t index);

#endif
