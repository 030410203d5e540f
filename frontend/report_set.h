/* What a data set says about runs: how well their models tag its recordings, which those are and how they move, and features as points of a plane.
 * Not what a run holds by itself (report_run.h). */
#ifndef SN_FRONTEND_REPORT_SET_H
#define SN_FRONTEND_REPORT_SET_H

#include "evaluate.h"
#include "grain.h"
#include "report_run.h"

typedef struct sn_report_set_how {
    const char        *data, *val;      /* the set, and the splits of it that are judged and shown */
    const char *const *sequence;        /* [sequences]: recordings to show; none: `recordings` of them, */
    uint32_t           sequences;       /* evenly from the one with the most frames right to the one with the fewest */
    size_t             recordings;
    sn_judging         judging;
    double             shortest;        /* seconds of a segment that is shown */
    sn_grain           grain;           /* of the rows of features that become points, */
    size_t             points;          /* at most so many a run; 0: no embedding */
    const char        *cache_dir;
    int                threads;
} sn_report_set_how;

/* Evaluate every run that has a model, into its record, as `sinew evaluate RUN --data SET` does; embed every run that is trained; and tell the page:
 *
 *     "set": {"path", "layout", "val", "sequences": of these splits}
 *     "classes": [NAME, ...] of all models, "background" last; elsewhere classes are numbers in this list
 *     "judged": [{"id", "split", "seconds", "right": [share of frames, by run, null: not scored]}, ...]
 *     "view": {"right": axis, "sign", "up": axis}, "bodies": [{"parent": [...], "side": [0 left, 1 right, 7 neither, ...]}, ...]
 *     "recordings": [{"id", "file", "source", "split", "fps", "frames", "start": seconds, "truth": [[start, end, class], ...] in frames,
 *                     "found": [{"run", "right", "segments": [[start, end, class, score], ...], "classes": [...], "bins", "scores": u8[classes][bins]}, ...],
 *                     "motion": {"rate": poses a second, "poses", "persons", "joints", "unit": metres, "body", "x": i16[persons][poses][joints][3]}}, ...]
 *     "embeddings": [{"run", "level", "rows", "width", "divergence", "x", "y", "class", "video", "second": [...], "videos": [ID, ...]}, ...]
 *
 * Arrays u8 and i16 are little-endian in base64.  A score is the mean over a bin's frames, times 255.  Poses are evenly left out until all motion takes at
 * most 3 MiB, and are at most 16 a second. */
sn_rt_status sn_report_set(const sn_report_set_how *how, sn_report_run *run, uint32_t runs, json_t *page, sn_rt_error *err);

#endif
