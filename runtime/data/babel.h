/* BABEL's frame annotations on AMASS's motions, prepared as published work on localization does.
 * Not BABEL's sequence annotations, which have no times.
 *
 * A split of BABEL is a JSON object whose members are sequences: babel_sid, feat_p (path of the motion below AMASS, after the name of its part), dur (seconds), frame_ann
 * with labels of act_cat (list of categories, or null), start_t, end_t (seconds). A motion is an .npz of AMASS (poses [T,156] of SMPL+H and mocap_framerate), for
 * which the body model's file is needed, or one that holds joint_pos: [T,219] or [T,73,3] of the model's 73 points, [T,75] or [T,25,3] of the 25 joints.
 * Source: spec 7.3, 6.1 and 6.2. */
#ifndef SN_RUNTIME_DATA_BABEL_H
#define SN_RUNTIME_DATA_BABEL_H

#include "dataset.h"

#include <stdbool.h>

typedef struct sn_rt_babel_options {
    const char *motions;    /* folder of AMASS, or of joint_pos files in the same order of folders */
    const char *body_model; /* smplh.h; NULL: motions hold joint_pos */
    const char *rates;      /* featp_2_fps.json: object of rates by feat_p; NULL: the motions say */
    const char *splits;     /* amass_splits.json: object of lists of addresses that end in SID.mp4; NULL: the file's name says (train, val, test) */
    int subset;             /* 1 to 3: frames are of one of four classes or none (sn_rt_babel_classes); 0: all categories */
    size_t most_frames;     /* with more labelled frames a sequence is left out; 0: no bound. Published: 1000 */
    bool quirks;            /* frames without label are cut out of the labels but not of the motion, which moves labels after a gap; 59.99999 Hz counts as 59 */
    void (*say)(void *context, const char *text); /* a line for every sequence left out because something is wrong with it; may be NULL */
    void *context;
} sn_rt_babel_options;

typedef struct sn_rt_babel_report {
    size_t sequences, imported;
    size_t unannotated; /* without frame annotation */
    size_t other;       /* without a frame of the subset's classes */
    size_t longer;      /* than most_frames */
    size_t faulty;      /* told by `say` */
    size_t segments;
    size_t uncategorised; /* annotations whose act_cat is null */
    size_t outside;       /* annotations that cover no frame */
} sn_rt_babel_report;

typedef struct sn_rt_babel sn_rt_babel;

/* Read the tables and the body model. `options` must outlive the reader. free accepts NULL. */
sn_rt_status sn_rt_babel_new(const sn_rt_babel_options *options, sn_rt_babel **out, sn_rt_error *err);
void sn_rt_babel_free(sn_rt_babel *babel);

/* Add the sequences of a split's file to the set, and what became of them to the report: id "SID" of six digits, source "babel", 30 frames a second, family agcn (families.h), one person; labels are categories or the
 * subset's classes, origin "babel". A frame of several of the subset's classes is of the first. SN_RT_FORMAT names what of the file is not as above; the
 * sequences before it are in the set. SN_RT_ARGUMENT if a motion needs the body model and there is none. */
sn_rt_status sn_rt_babel_import(sn_rt_babel *babel, sn_rt_dataset *set, const char *path, sn_rt_babel_report *report, sn_rt_error *err);

/* The four classes of a subset, 1 to 3. */
enum { SN_RT_BABEL_SUBSETS = 3, SN_RT_BABEL_CLASSES = 4 };
extern const char *const sn_rt_babel_classes[SN_RT_BABEL_SUBSETS][SN_RT_BABEL_CLASSES];

/* Source frames that are shown at 30 frames a second: at whole multiples of 30 Hz every so-manieth, else the frames floor(fps / 30 k), k = 0 to 29, of every second of
 * trunc(fps) frames. Returns how many (at most `room` are written). Rates within 0.1 % of a whole number are that number unless `quirks`. */
size_t sn_rt_babel_pick(size_t frames, double fps, bool quirks, size_t *out, size_t room);

#endif
