/* The memory form of a data set, shared by dataset.c and dataset_file.c.
 * Not public. */
#ifndef SN_RUNTIME_DATA_DATASET_INTERNAL_H
#define SN_RUNTIME_DATA_DATASET_INTERNAL_H

#include "dataset.h"

/* A growing list of distinct strings. */
typedef struct names {
    char **name;
    size_t count, capacity;
} names;


struct sn_rt_dataset {
    const char *layout;      /* a literal */
    sn_rt_sequence *sequence; /* text, x and segments owned */
    size_t count, capacity;
    size_t *segment_capacity; /* parallel to sequence */
    names labels, origins;
    sn_rt_body *body;        /* all parts owned */
    size_t bodies, body_capacity;
};

/* Index of `name`, added if new; SIZE_MAX if there is no memory. */
size_t sn_rt_names_index(names *list, const char *name);
void sn_rt_names_fini(names *list);

/* The literal that equals `text`, or NULL. */
const char *sn_rt_layout_of(const char *text);
const char *sn_rt_split_of(const char *text);


#endif
