/* What files of runtime/data share among themselves.
 * Not for neighbours: they include the header of the noun they use. */
#ifndef SN_RUNTIME_DATA_INTERNAL_H
#define SN_RUNTIME_DATA_INTERNAL_H

#include "safetensors.h"

/* The set behind sn_rt_tensors; tensors.c owns it, safetensors.c fills and writes it. */
typedef struct tensor_entry {
    sn_rt_array array; /* array.name is owned */
    int borrowed;      /* array.data belongs to the caller */
} tensor_entry;

typedef struct meta_entry {
    char *key, *value;
} meta_entry;

struct sn_rt_tensors {
    tensor_entry *entries;
    size_t count, capacity;
    meta_entry *metas;
    size_t meta_count, meta_capacity;
    char *path;  /* where it was read from; NULL if made in memory */
    size_t *slots; /* open-addressing table of entry index + 1; 0 = free */
    size_t slot_count;
};

#define CHECKSUM_KEY "sinew.xxh3"

/* Append an entry of that shape without data; name checks as in sn_rt_tensors_add. */
sn_rt_status sn_rt_tensors_append(sn_rt_tensors *set, const char *name, const sn_rt_array *array, int borrowed,
                            sn_rt_error *err);

/* grow.c: grow `*items` (of `size` bytes each) so that `count + 1` fit. 0 on success. */
int sn_rt_grow(void **items, size_t *capacity, size_t count, size_t size);

#endif
