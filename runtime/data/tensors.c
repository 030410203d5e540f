/* The set of named arrays: adding, finding, metadata.
 * Not the file format (safetensors.c). */
#include "internal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

sn_rt_tensors *sn_rt_tensors_new(void)
{
    return calloc(1, sizeof(sn_rt_tensors));
}

static void entry_free(tensor_entry *entry)
{
    free((char *)(uintptr_t)entry->array.name);
    if (!entry->borrowed)
        free(entry->array.data);
}

void sn_rt_tensors_free(sn_rt_tensors *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++)
        entry_free(&set->entries[i]);
    for (size_t i = 0; i < set->meta_count; i++) {
        free(set->metas[i].key);
        free(set->metas[i].value);
    }
    free(set->entries);
    free(set->metas);
    free(set->slots);
    free(set->path);
    free(set);
}

/* The slot that holds `name`, or the free one where it belongs. The table is never full. */
static size_t slot_of(const sn_rt_tensors *set, const char *name)
{
    size_t at = (size_t)XXH3_64bits(name, strlen(name)) % set->slot_count;
    while (set->slots[at] && strcmp(set->entries[set->slots[at] - 1].array.name, name) != 0)
        at = (at + 1) % set->slot_count;
    return at;
}

/* Keep the table at most half full. */
static int slots_reserve(sn_rt_tensors *set)
{
    if (set->slot_count >= 2 * (set->count + 1))
        return 0;
    size_t wanted = set->slot_count ? 2 * set->slot_count : 32;
    size_t *slots = calloc(wanted, sizeof *slots);
    if (!slots)
        return -1;
    free(set->slots);
    set->slots = slots;
    set->slot_count = wanted;
    for (size_t i = 0; i < set->count; i++)
        set->slots[slot_of(set, set->entries[i].array.name)] = i + 1;
    return 0;
}

static int is_utf8(const char *text)
{
    json_t *string = json_string(text);
    json_decref(string);
    return string != NULL;
}

sn_rt_status sn_rt_tensors_append(sn_rt_tensors *set, const char *name, const sn_rt_array *array, int borrowed,
                            sn_rt_error *err)
{
    if (!name || !*name)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "array name is empty");
    if (!is_utf8(name))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "array name is not UTF-8");
    if (strcmp(name, "__metadata__") == 0)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "array name \"__metadata__\" is reserved");
    if (sn_rt_tensors_find(set, name))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "array \"%s\" is already in the set", name);
    char *copy = strdup(name);
    if (!copy || slots_reserve(set) ||
        sn_rt_grow((void **)&set->entries, &set->capacity, set->count, sizeof *set->entries)) {
        free(copy);
        return sn_rt_fail(err, SN_RT_MEMORY, "no memory for array \"%s\"", name);
    }
    size_t slot = slot_of(set, copy);
    tensor_entry *entry = &set->entries[set->count++];
    entry->array = *array;
    entry->array.name = copy;
    entry->borrowed = borrowed;
    set->slots[slot] = set->count;
    return SN_RT_OK;
}

sn_rt_status sn_rt_tensors_add(sn_rt_tensors *set, const char *name, sn_rt_elem elem, uint32_t rank,
                               const uint64_t *dims, const void *data, void **out_data, sn_rt_error *err)
{
    sn_rt_array array;
    sn_rt_status status = sn_rt_array_init(elem, rank, dims, &array, err);
    if (status != SN_RT_OK)
        return status;
    if (data && array.bytes)
        memcpy(array.data, data, array.bytes);
    status = sn_rt_tensors_append(set, name, &array, 0, err);
    if (status != SN_RT_OK) {
        sn_rt_array_fini(&array);
        return status;
    }
    if (out_data)
        *out_data = array.data;
    return SN_RT_OK;
}

sn_rt_status sn_rt_tensors_borrow(sn_rt_tensors *set, const char *name, sn_rt_elem elem, uint32_t rank,
                                  const uint64_t *dims, const void *data, sn_rt_error *err)
{
    sn_rt_array array = {.elem = elem, .rank = rank, .data = (void *)(uintptr_t)data};
    sn_rt_status status = sn_rt_array_bytes(elem, rank, dims, &array.bytes, err);
    if (status != SN_RT_OK)
        return status;
    if (rank)
        memcpy(array.dims, dims, rank * sizeof *dims);
    return sn_rt_tensors_append(set, name, &array, 1, err);
}

size_t sn_rt_tensors_count(const sn_rt_tensors *set)
{
    return set->count;
}

const sn_rt_array *sn_rt_tensors_at(const sn_rt_tensors *set, size_t index)
{
    return &set->entries[index].array;
}

const sn_rt_array *sn_rt_tensors_find(const sn_rt_tensors *set, const char *name)
{
    if (!set->slot_count)
        return NULL;
    size_t slot = slot_of(set, name);
    return set->slots[slot] ? &set->entries[set->slots[slot] - 1].array : NULL;
}

sn_rt_status sn_rt_tensors_need(const sn_rt_tensors *set, const char *name, sn_rt_elem elem, uint32_t rank,
                                const uint64_t *dims, const sn_rt_array **out, sn_rt_error *err)
{
    char what[256];
    snprintf(what, sizeof what, "%s%sarray \"%s\"", set->path ? set->path : "", set->path ? ": " : "", name);
    const sn_rt_array *array = sn_rt_tensors_find(set, name);
    if (!array)
        return sn_rt_fail(err, SN_RT_MISSING, "%s is missing", what);
    sn_rt_status status = sn_rt_array_expect(array, what, elem, rank, dims, err);
    if (status == SN_RT_OK)
        *out = array;
    return status;
}

/* First index whose key is not below `key`; `*out_same` tells whether it equals it. */
static size_t meta_place(const sn_rt_tensors *set, const char *key, int *out_same)
{
    size_t low = 0, high = set->meta_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(set->metas[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *out_same = low < set->meta_count && strcmp(set->metas[low].key, key) == 0;
    return low;
}

sn_rt_status sn_rt_tensors_set_meta(sn_rt_tensors *set, const char *key, const char *value, sn_rt_error *err)
{
    if (!is_utf8(key) || !is_utf8(value))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "metadata is not UTF-8");
    if (strcmp(key, CHECKSUM_KEY) == 0)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "metadata key \"" CHECKSUM_KEY "\" is reserved");
    int same;
    size_t at = meta_place(set, key, &same);
    meta_entry fresh = {strdup(key), strdup(value)};
    if (!fresh.key || !fresh.value ||
        sn_rt_grow((void **)&set->metas, &set->meta_capacity, set->meta_count, sizeof *set->metas)) {
        free(fresh.key);
        free(fresh.value);
        return sn_rt_fail(err, SN_RT_MEMORY, "no memory for metadata \"%s\"", key);
    }
    if (same) {
        free(set->metas[at].key);
        free(set->metas[at].value);
    } else {
        memmove(&set->metas[at + 1], &set->metas[at], (set->meta_count - at) * sizeof *set->metas);
        set->meta_count++;
    }
    set->metas[at] = fresh;
    return SN_RT_OK;
}

const char *sn_rt_tensors_meta(const sn_rt_tensors *set, const char *key)
{
    int same;
    size_t at = meta_place(set, key, &same);
    return same ? set->metas[at].value : NULL;
}

size_t sn_rt_tensors_meta_count(const sn_rt_tensors *set)
{
    return set->meta_count;
}

void sn_rt_tensors_meta_at(const sn_rt_tensors *set, size_t index, const char **out_key, const char **out_value)
{
    *out_key = set->metas[index].key;
    *out_value = set->metas[index].value;
}
