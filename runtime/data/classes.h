/* The classes of a labelled task: which labels of a set are told apart, and the class of every frame.
 * Not segments (dataset.h), which may overlap and leave gaps. */
#ifndef SN_RUNTIME_DATA_CLASSES_H
#define SN_RUNTIME_DATA_CLASSES_H

#include "dataset.h"

#include <stdbool.h>

/* Class k < count is the label `name[k]`; class `count` is background: everything else. */
typedef struct sn_rt_classes {
    size_t count;
    const char *const *name;
    bool ignore_unlabelled; /* frames that no segment at all covers have no class, instead of background */
} sn_rt_classes;

/* Of the names in a comma-separated list, in its order, or, for NULL, of all labels of the set in theirs; free it with sn_rt_classes_free,
 * which accepts NULL. SN_RT_ARGUMENT if a name is no label of the set or stands twice, or if there is none. */
sn_rt_status sn_rt_classes_new(const sn_rt_dataset *set, const char *list, sn_rt_classes **out, sn_rt_error *err);
void sn_rt_classes_free(sn_rt_classes *classes);

/* Does a segment of the sequence have one of them as its label? */
bool sn_rt_classes_occur(const sn_rt_classes *classes, const sn_rt_dataset *set, const sn_rt_sequence *sequence);

/* Class of frames [start, start + frames) of a sequence of the set; where labels overlap the lowest class counts (decision D12); -1 where a frame
 * has none. Labels of the set are matched by name, so the classes may come from elsewhere. */
void sn_rt_classes_of_frames(const sn_rt_classes *classes, const sn_rt_dataset *set, const sn_rt_sequence *sequence, size_t start, size_t frames,
                             float *out);

#endif
