/* The loss curve of a run as a picture.
 * Not the log it is drawn from (log.h), not drawing itself (runtime/data/plot.h). */
#ifndef SN_RUNTIME_TRAIN_CURVE_H
#define SN_RUNTIME_TRAIN_CURVE_H

#include "log.h"

/* Replace "DIR/loss.png": the logged values over steps; when some columns never leave 0 .. 1 and others do, the former go to "DIR/shares.png".  Long runs are drawn as means over equal stretches of steps. */
sn_rt_status sn_rt_curve_write(const char *dir, const char *const *name, uint32_t columns, const sn_rt_log *log, sn_rt_error *err);

#endif
