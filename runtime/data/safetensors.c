/* The safetensors file format: header as JSON, checksum, reading with full validation, writing.
 * Not the set itself (tensors.c). */
#include "file.h"
#include "internal.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "arrays are copied to and from files as they are, which needs a little-endian machine"
#endif

static const size_t HEADER_LIMIT = (size_t)64 << 20;

/* Safetensors' names of the element types. */
static const char *const dtypes[] = {
    [SN_RT_ELEM_F32] = "F32", [SN_RT_ELEM_F64] = "F64", [SN_RT_ELEM_I32] = "I32",
    [SN_RT_ELEM_I64] = "I64", [SN_RT_ELEM_U8] = "U8",   [SN_RT_ELEM_U64] = "U64",
};
enum { DTYPE_COUNT = sizeof dtypes / sizeof *dtypes };

/* How the checksum stands in the header; its 16 hexadecimal digits follow. */
static const char checksum_lead[] = "\"" CHECKSUM_KEY "\":\"";
static const char checksum_zeros[] = "0000000000000000";
enum { CHECKSUM_DIGITS = sizeof checksum_zeros - 1 };

/* ---- writing ---- */

static json_t *entry_json(const sn_rt_array *array, size_t begin)
{
    json_t *shape = json_array();
    for (uint32_t i = 0; i < array->rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)array->dims[i]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtypes[array->elem], "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + array->bytes));
}

/* The header's text without length and padding, checksum digits zero; NULL if there is no memory. */
static char *header_text(const sn_rt_tensors *set)
{
    json_t *header = json_object(), *metadata = json_object();
    int failed = json_object_set_new(header, "__metadata__", metadata);
    failed |= json_object_set_new(metadata, CHECKSUM_KEY, json_string(checksum_zeros));
    for (size_t i = 0; i < set->meta_count; i++)
        failed |= json_object_set_new(metadata, set->metas[i].key, json_string(set->metas[i].value));
    size_t begin = 0;
    for (size_t i = 0; i < set->count; i++) {
        const sn_rt_array *array = &set->entries[i].array;
        failed |= json_object_set_new(header, array->name, entry_json(array, begin));
        begin += array->bytes;
    }
    char *text = failed ? NULL : json_dumps(header, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(header);
    return text;
}

/* Length word, header and blanks up to a multiple of 64, checksum filled in. */
static char *file_head(const sn_rt_tensors *set, size_t *out_size)
{
    char *text = header_text(set);
    if (!text)
        return NULL;
    size_t used = strlen(text), size = (8 + used + 63) / 64 * 64;
    char *head = malloc(size);
    if (head) {
        uint64_t length = size - 8;
        memcpy(head, &length, 8);
        memcpy(head + 8, text, used);
        memset(head + 8 + used, ' ', size - 8 - used);
        *out_size = size;
    }
    free(text);
    return head;
}

/* XXH3-64 of the header bytes, digits at `digits_at` taken as zeros, and of the data parts that the caller adds. */
static void checksum_header(XXH3_state_t *state, const char *header, size_t size, size_t digits_at)
{
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, header, digits_at);
    XXH3_64bits_update(state, checksum_zeros, CHECKSUM_DIGITS);
    XXH3_64bits_update(state, header + digits_at + CHECKSUM_DIGITS, size - digits_at - CHECKSUM_DIGITS);
}

/* Offset of the checksum's digits in the header, or SIZE_MAX. */
static size_t checksum_place(const char *header, size_t size)
{
    const size_t lead = sizeof checksum_lead - 1;
    const char *found = memmem(header, size, checksum_lead, lead);
    if (!found || (size_t)(header + size - found) < lead + CHECKSUM_DIGITS)
        return SIZE_MAX;
    return (size_t)(found - header) + lead;
}

static int checksum_fill(const sn_rt_tensors *set, char *head, size_t size)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return -1;
    size_t at = checksum_place(head + 8, size - 8);
    checksum_header(state, head + 8, size - 8, at);
    for (size_t i = 0; i < set->count; i++)
        XXH3_64bits_update(state, set->entries[i].array.data, set->entries[i].array.bytes);
    char digits[CHECKSUM_DIGITS + 1];
    snprintf(digits, sizeof digits, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(state));
    memcpy(head + 8 + at, digits, CHECKSUM_DIGITS);
    XXH3_freeState(state);
    return 0;
}

sn_rt_status sn_rt_tensors_write(const sn_rt_tensors *set, const char *path, sn_rt_error *err)
{
    size_t size = 0;
    char *head = file_head(set, &size);
    if (!head || checksum_fill(set, head, size) != 0) {
        free(head);
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory for the header", path);
    }
    sn_rt_replace *r = NULL;
    sn_rt_status status = sn_rt_replace_open(path, &r, err);
    if (status == SN_RT_OK)
        status = sn_rt_replace_write(r, head, size, err);
    for (size_t i = 0; status == SN_RT_OK && i < set->count; i++)
        status = sn_rt_replace_write(r, set->entries[i].array.data, set->entries[i].array.bytes, err);
    free(head);
    if (status == SN_RT_OK)
        return sn_rt_replace_commit(r, err);
    sn_rt_replace_abandon(r);
    return status;
}

/* ---- reading ---- */

/* The file being read and its parts. */
typedef struct reading {
    const char *path;
    const char *header;
    size_t header_size;
    const char *data;
    size_t data_size;
    sn_rt_error *err;
} reading;

/* An array as the header declares it. */
typedef struct declared {
    const char *name;
    sn_rt_array array; /* data: into the file's bytes */
    size_t begin, end, index;
} declared;

static int read_dtype(const json_t *value, sn_rt_elem *out)
{
    const char *text = json_string_value(value);
    for (int i = 0; text && i < DTYPE_COUNT; i++) {
        if (strcmp(text, dtypes[i]) == 0) {
            *out = (sn_rt_elem)i;
            return 0;
        }
    }
    return -1;
}

static sn_rt_status read_shape(const reading *in, const char *name, const json_t *shape, sn_rt_array *array)
{
    if (!json_is_array(shape))
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: array \"%s\": shape is not a list", in->path, name);
    size_t rank = json_array_size(shape);
    if (rank > SN_RT_MAX_RANK)
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: array \"%s\": rank %zu is above %d", in->path, name, rank,
                          SN_RT_MAX_RANK);
    for (size_t i = 0; i < rank; i++) {
        const json_t *dim = json_array_get(shape, i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: array \"%s\": shape[%zu] is not a count", in->path, name, i);
        array->dims[i] = (uint64_t)json_integer_value(dim);
    }
    array->rank = (uint32_t)rank;
    return SN_RT_OK;
}

static sn_rt_status read_offsets(const reading *in, const json_t *offsets, declared *d)
{
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
        json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: array \"%s\": data_offsets is not [begin, end]", in->path,
                          d->name);
    if ((uint64_t)json_integer_value(end) > in->data_size)
        return sn_rt_fail(in->err, SN_RT_FORMAT,
                          "%s: array \"%s\": data ends at %" JSON_INTEGER_FORMAT ", the file has %zu bytes of data",
                          in->path, d->name, json_integer_value(end), in->data_size);
    d->begin = (size_t)json_integer_value(begin);
    d->end = (size_t)json_integer_value(end);
    return SN_RT_OK;
}

/* One header entry, all but its place among the others. */
static sn_rt_status read_entry(const reading *in, const json_t *value, declared *d)
{
    if (!json_is_object(value))
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: array \"%s\": entry is not an object", in->path, d->name);
    const char *key;
    json_t *field;
    json_object_foreach((json_t *)(uintptr_t)value, key, field)
        if (strcmp(key, "dtype") != 0 && strcmp(key, "shape") != 0 && strcmp(key, "data_offsets") != 0)
            return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: array \"%s\": unknown field \"%s\"", in->path, d->name, key);
    const json_t *dtype = json_object_get(value, "dtype");
    if (read_dtype(dtype, &d->array.elem) != 0)
        return sn_rt_fail(in->err, SN_RT_FORMAT,
                          "%s: array \"%s\": dtype \"%s\" is not one of F32 F64 I32 I64 U8 U64", in->path, d->name,
                          json_is_string(dtype) ? json_string_value(dtype) : "");
    sn_rt_status status = read_shape(in, d->name, json_object_get(value, "shape"), &d->array);
    if (status == SN_RT_OK)
        status = read_offsets(in, json_object_get(value, "data_offsets"), d);
    if (status != SN_RT_OK)
        return status;
    sn_rt_error why = {""};
    if (sn_rt_array_bytes(d->array.elem, d->array.rank, d->array.dims, &d->array.bytes, &why) != SN_RT_OK)
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: array \"%s\": %s", in->path, d->name, why.text);
    if (d->array.bytes != d->end - d->begin) {
        char text[200];
        sn_rt_shape_text(d->array.elem, d->array.rank, d->array.dims, text, sizeof text);
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: array \"%s\": %s needs %zu bytes, data_offsets span %zu",
                          in->path, d->name, text, d->array.bytes, d->end - d->begin);
    }
    return SN_RT_OK;
}

static int by_place(const void *a, const void *b)
{
    const declared *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

/* In order of place, every array must begin where the one before ended, and the last must end the file. */
static sn_rt_status check_cover(const reading *in, declared *all, size_t count)
{
    size_t at = 0;
    if (count)
        qsort(all, count, sizeof *all, by_place);
    for (size_t i = 0; i < count; i++) {
        if (all[i].begin < at)
            return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: arrays \"%s\" and \"%s\" overlap at data offset %zu",
                              in->path, all[i - 1].name, all[i].name, all[i].begin);
        if (all[i].begin > at)
            return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: no array covers data offsets %zu to %zu", in->path, at,
                              all[i].begin);
        at = all[i].end;
    }
    if (at != in->data_size)
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: arrays cover %zu bytes of data, the file has %zu", in->path,
                          at, in->data_size);
    return SN_RT_OK;
}

static sn_rt_status check_checksum(const reading *in, const char *stated)
{
    size_t at = checksum_place(in->header, in->header_size);
    if (at == SIZE_MAX || strlen(stated) != CHECKSUM_DIGITS || memcmp(in->header + at, stated, CHECKSUM_DIGITS) != 0)
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: metadata \"" CHECKSUM_KEY "\" is not 16 hexadecimal digits",
                          in->path);
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return sn_rt_fail(in->err, SN_RT_MEMORY, "%s: no memory", in->path);
    checksum_header(state, in->header, in->header_size, at);
    XXH3_64bits_update(state, in->data, in->data_size);
    char digits[CHECKSUM_DIGITS + 1];
    snprintf(digits, sizeof digits, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    if (memcmp(digits, stated, CHECKSUM_DIGITS) != 0)
        return sn_rt_fail(in->err, SN_RT_FORMAT,
                          "%s: content has checksum %s, metadata \"" CHECKSUM_KEY
                          "\" says %s: the file is damaged, or was changed by a tool that kept the key",
                          in->path, digits, stated);
    return SN_RT_OK;
}

static sn_rt_status read_metadata(const reading *in, const json_t *metadata, sn_rt_tensors *set)
{
    if (!metadata)
        return SN_RT_OK;
    if (!json_is_object(metadata))
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: __metadata__ is not an object", in->path);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)metadata, key, value) {
        if (!json_is_string(value))
            return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: metadata \"%s\" is not a string", in->path, key);
        sn_rt_status status = strcmp(key, CHECKSUM_KEY) == 0
                                  ? check_checksum(in, json_string_value(value))
                                  : sn_rt_tensors_set_meta(set, key, json_string_value(value), in->err);
        if (status != SN_RT_OK)
            return status;
    }
    return SN_RT_OK;
}

/* Fill `all` from the header; the caller made room for every entry. */
static sn_rt_status read_entries(const reading *in, const json_t *header, declared *all, size_t *out_count)
{
    const char *name;
    json_t *value;
    size_t count = 0;
    json_object_foreach((json_t *)(uintptr_t)header, name, value) {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        declared *d = &all[count];
        memset(d, 0, sizeof *d);
        d->name = name;
        d->index = count++;
        sn_rt_status status = read_entry(in, value, d);
        if (status != SN_RT_OK)
            return status;
    }
    *out_count = count;
    return check_cover(in, all, count);
}

static sn_rt_status read_set(const reading *in, const json_t *header, declared *all, sn_rt_tensors *set)
{
    size_t count = 0;
    sn_rt_status status = read_entries(in, header, all, &count);
    if (status == SN_RT_OK)
        status = read_metadata(in, json_object_get(header, "__metadata__"), set);
    for (size_t i = 0; status == SN_RT_OK && i < count; i++) {
        const sn_rt_array *a = &all[i].array;
        sn_rt_error why = {""};
        status = sn_rt_tensors_add(set, all[i].name, a->elem, a->rank, a->dims, in->data + all[i].begin, NULL, &why);
        if (status != SN_RT_OK)
            status = sn_rt_fail(in->err, status == SN_RT_MEMORY ? status : SN_RT_FORMAT, "%s: %s", in->path,
                                why.text);
    }
    return status;
}

/* Split the bytes into header and data. */
static sn_rt_status split(const char *bytes, size_t size, reading *in)
{
    if (size < 8)
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: %zu bytes, the header length alone needs 8", in->path, size);
    uint64_t length;
    memcpy(&length, bytes, 8);
    if (length > size - 8)
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: byte 0: header length %" PRIu64 ", the file has %zu bytes after it",
                          in->path, length, size - 8);
    if (length > HEADER_LIMIT)
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: byte 0: header length %" PRIu64 " is above %zu", in->path, length,
                          HEADER_LIMIT);
    in->header = bytes + 8;
    in->header_size = (size_t)length;
    in->data = in->header + length;
    in->data_size = size - 8 - (size_t)length;
    return SN_RT_OK;
}

static sn_rt_status parse_header(const reading *in, const json_t *header, sn_rt_tensors **out)
{
    if (!json_is_object(header))
        return sn_rt_fail(in->err, SN_RT_FORMAT, "%s: byte 8: header is not an object", in->path);
    declared *all = calloc(json_object_size(header) + 1, sizeof *all);
    sn_rt_tensors *set = sn_rt_tensors_new();
    if (set)
        set->path = strdup(in->path);
    sn_rt_status status = all && set && set->path
                              ? read_set(in, header, all, set)
                              : sn_rt_fail(in->err, SN_RT_MEMORY, "%s: no memory for the header", in->path);
    free(all);
    if (status != SN_RT_OK)
        sn_rt_tensors_free(set);
    else
        *out = set;
    return status;
}

sn_rt_status sn_rt_tensors_parse(const char *path, const void *bytes, size_t size, sn_rt_tensors **out,
                                 sn_rt_error *err)
{
    reading in = {.path = path, .err = err};
    sn_rt_status status = split(bytes, size, &in);
    if (status != SN_RT_OK)
        return status;
    json_error_t wrong;
    json_t *header = json_loadb(in.header, in.header_size, JSON_REJECT_DUPLICATES, &wrong);
    if (!header)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: byte %zu: header: %s", path, 8 + (size_t)wrong.position, wrong.text);
    status = parse_header(&in, header, out);
    json_decref(header);
    return status;
}

sn_rt_status sn_rt_tensors_read(const char *path, sn_rt_tensors **out, sn_rt_error *err)
{
    char *bytes;
    size_t size;
    sn_rt_status status = sn_rt_file_read(path, PTRDIFF_MAX - 1, &bytes, &size, err);
    if (status != SN_RT_OK)
        return status;
    status = sn_rt_tensors_parse(path, bytes, size, out, err);
    free(bytes);
    return status;
}
