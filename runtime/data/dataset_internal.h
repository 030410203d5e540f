/* The memory form of a data set, shared by dataset.c and dataset_file.c.
 * Not public. */
#ifndef SN_RUNTIME_DATA_DATASET_INTERNAL_H
#define SN_RUNTIME_DATA_DATASET_INTERNAL_H

#include "dataset.h"
#include "names.h"

struct sn_rt_dataset {
    const char *layout;      /* a literal */
    sn_rt_sequence *sequence; /* text, x and segments owned */
    size_t count, capacity;
    size_t *segment_capacity; /* parallel to sequence */
    sn_rt_names labels, origins;
    sn_rt_body *body;        /* all parts owned */
    size_t bodies, body_capacity;
};

/* The literal that equals `text`, or NULL. */
const char *sn_rt_layout_of(const char *text);


#endif
