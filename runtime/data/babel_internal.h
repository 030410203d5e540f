/* What the files of BABEL share: the motion of a sequence (babel_motion.c), its labels (babel_labels.c), the walk over a split (babel.c).
 * Not for other folders. */
#ifndef SN_RUNTIME_DATA_BABEL_INTERNAL_H
#define SN_RUNTIME_DATA_BABEL_INTERNAL_H

#include "babel.h"
#include "bodies.h"
#include "smplh.h"

#include <jansson.h>

enum { BABEL_FPS = 30 };

struct sn_rt_babel {
    const sn_rt_babel_options *o;
    sn_rt_smplh *model;
    json_t *rates, *splits; /* NULL if not given; splits: split by the video's name */
};

/* A motion at 30 frames a second, one body a frame, not yet centred or turned. */
typedef struct babel_motion {
    sn_rt_bodies bodies;
    double source_fps;
} babel_motion;

/* SN_RT_ARGUMENT if the body model is needed and there is none; any other error is the sequence's, not the set's. */
sn_rt_status babel_motion_read(const sn_rt_babel *babel, const char *feat_p, babel_motion *out, sn_rt_error *err);

/* A stretch of frames with its name, borrowed from the file or the table of classes. */
typedef struct babel_segment { size_t start, end; const char *label; } babel_segment;

typedef struct babel_labels {
    babel_segment *segment;
    size_t count;
    size_t labelled; /* frames with a label of any category */
    size_t frames;   /* that the labels are about: the motion is cut to so many */
} babel_labels;

/* Labels of a sequence's frame_ann. SN_RT_FORMAT says what of it is not as it should be, without the file's name. */
sn_rt_status babel_labels_read(const sn_rt_babel_options *o, const json_t *frame_ann, double seconds, babel_labels *out, sn_rt_babel_report *report,
                               sn_rt_error *err);
void babel_labels_fini(babel_labels *labels);

#endif
