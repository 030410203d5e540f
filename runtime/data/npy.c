/* NumPy's .npy files: a strict reader of the header dictionary, and a writer.
 * Not a parser of Python literals: only the three keys NumPy writes are understood. */
#include "npy.h"

#include "file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "\x93NUMPY";
enum { MAGIC_SIZE = sizeof magic - 1 };

static const char *const descrs[] = {
    [SN_RT_ELEM_F32] = "<f4", [SN_RT_ELEM_F64] = "<f8", [SN_RT_ELEM_I32] = "<i4",
    [SN_RT_ELEM_I64] = "<i8", [SN_RT_ELEM_U8] = "|u1",  [SN_RT_ELEM_U64] = "<u8",
};
enum { DESCR_COUNT = sizeof descrs / sizeof *descrs };

/* The header dictionary being read. */
typedef struct dict {
    const char *path;
    const char *bytes; /* the whole file, for places in messages */
    const char *at, *end;
    bool have_descr, have_order, have_shape, fortran;
    sn_rt_array array;
    sn_rt_error *err;
} dict;

static sn_rt_status wrong(const dict *d, const char *what)
{
    return sn_rt_fail(d->err, SN_RT_FORMAT, "%s: byte %zu: %s", d->path, (size_t)(d->at - d->bytes), what);
}

static void blanks(dict *d)
{
    while (d->at < d->end && (*d->at == ' ' || *d->at == '\n'))
        d->at++;
}

/* Skip blanks, then consume `text` if it is next. */
static bool next_is(dict *d, const char *text)
{
    blanks(d);
    size_t length = strlen(text);
    if ((size_t)(d->end - d->at) < length || memcmp(d->at, text, length) != 0)
        return false;
    d->at += length;
    return true;
}

static sn_rt_status read_descr(dict *d)
{
    for (int i = 0; i < DESCR_COUNT; i++) {
        char quoted[8];
        snprintf(quoted, sizeof quoted, "'%s'", descrs[i]);
        if (next_is(d, quoted)) {
            d->array.elem = (sn_rt_elem)i;
            d->have_descr = true;
            return SN_RT_OK;
        }
    }
    return wrong(d, "descr is not one of '<f4' '<f8' '<i4' '<i8' '|u1' '<u8'");
}

static sn_rt_status read_order(dict *d)
{
    d->fortran = next_is(d, "True");
    if (!d->fortran && !next_is(d, "False"))
        return wrong(d, "fortran_order is not True or False");
    d->have_order = true;
    return SN_RT_OK;
}

static sn_rt_status read_dim(dict *d)
{
    uint64_t value = 0;
    if (d->at == d->end || *d->at < '0' || *d->at > '9')
        return wrong(d, "expected a dimension");
    if (d->array.rank == SN_RT_MAX_RANK)
        return wrong(d, "more than 8 dimensions");
    for (; d->at < d->end && *d->at >= '0' && *d->at <= '9'; d->at++) {
        if (value > (UINT64_MAX - 9) / 10)
            return wrong(d, "dimension is too large");
        value = value * 10 + (uint64_t)(*d->at - '0');
    }
    d->array.dims[d->array.rank++] = value;
    return SN_RT_OK;
}

/* "()", "(3,)", "(2, 3)". */
static sn_rt_status read_shape(dict *d)
{
    d->array.rank = 0;
    if (!next_is(d, "("))
        return wrong(d, "shape is not a tuple");
    while (!next_is(d, ")")) {
        sn_rt_status status = read_dim(d);
        if (status != SN_RT_OK)
            return status;
        if (!next_is(d, ",")) {
            if (!next_is(d, ")"))
                return wrong(d, "expected ',' or ')' in shape");
            break;
        }
    }
    d->have_shape = true;
    return SN_RT_OK;
}

static sn_rt_status read_dict(dict *d)
{
    if (!next_is(d, "{"))
        return wrong(d, "header is not a dictionary");
    while (!next_is(d, "}")) {
        sn_rt_status status;
        if (!d->have_descr && next_is(d, "'descr':"))
            status = (blanks(d), read_descr(d));
        else if (!d->have_order && next_is(d, "'fortran_order':"))
            status = (blanks(d), read_order(d));
        else if (!d->have_shape && next_is(d, "'shape':"))
            status = (blanks(d), read_shape(d));
        else
            return wrong(d, "expected one of 'descr' 'fortran_order' 'shape', each once");
        if (status != SN_RT_OK)
            return status;
        if (!next_is(d, ",")) {
            if (!next_is(d, "}"))
                return wrong(d, "expected ',' or '}' in header");
            break;
        }
    }
    blanks(d);
    if (d->at != d->end)
        return wrong(d, "text after the header's dictionary");
    if (!d->have_descr || !d->have_order || !d->have_shape)
        return wrong(d, "header lacks descr, fortran_order or shape");
    return SN_RT_OK;
}

/* Find the header: magic, version, length. Sets d->at and d->end. */
static sn_rt_status find_header(dict *d, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)d->bytes;
    d->at = d->bytes;
    if (size < 10 || memcmp(bytes, magic, MAGIC_SIZE) != 0)
        return wrong(d, "not an npy file");
    unsigned major = bytes[6], minor = bytes[7];
    if ((major != 1 && major != 2) || minor != 0)
        return sn_rt_fail(d->err, SN_RT_FORMAT, "%s: byte 6: version %u.%u, only 1.0 and 2.0 are read", d->path, major,
                          minor);
    size_t lead = major == 1 ? 10 : 12;
    size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (major == 2 && size >= 12)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (size < lead || length > size - lead)
        return sn_rt_fail(d->err, SN_RT_FORMAT, "%s: byte 8: header length %zu goes beyond the file's %zu bytes",
                          d->path, length, size);
    d->at = d->bytes + lead;
    d->end = d->at + length;
    return SN_RT_OK;
}

/* Elements whose first axis varies fastest, to an array whose last does. */
static void from_fortran(const sn_rt_array *a, const char *from)
{
    size_t size = sn_rt_elem_size(a->elem), stride[SN_RT_MAX_RANK], at = 0, step = 1;
    uint64_t index[SN_RT_MAX_RANK] = {0};
    for (uint32_t d = 0; d < a->rank; d++) {
        stride[d] = step;
        step *= (size_t)a->dims[d];
    }
    for (size_t i = 0; i < a->bytes; i += size) {
        memcpy((char *)a->data + i, from + at * size, size);
        for (uint32_t d = a->rank; d-- > 0;) { /* to the next element in C order */
            at += stride[d];
            if (++index[d] < a->dims[d])
                break;
            at -= index[d] * stride[d];
            index[d] = 0;
        }
    }
}

sn_rt_status sn_rt_npy_parse(const char *path, const void *bytes, size_t size, sn_rt_array *out, sn_rt_error *err)
{
    dict d = {.path = path, .bytes = bytes, .err = err};
    sn_rt_status status = find_header(&d, size);
    if (status == SN_RT_OK)
        status = read_dict(&d);
    if (status != SN_RT_OK)
        return status;
    size_t wanted, have = size - (size_t)(d.end - d.bytes);
    sn_rt_error why = {""};
    if (sn_rt_array_bytes(d.array.elem, d.array.rank, d.array.dims, &wanted, &why) != SN_RT_OK)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: %s", path, why.text);
    if (wanted != have) {
        char shape[200];
        sn_rt_shape_text(d.array.elem, d.array.rank, d.array.dims, shape, sizeof shape);
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: %s needs %zu bytes of data, the file has %zu", path, shape, wanted,
                          have);
    }
    status = sn_rt_array_init(d.array.elem, d.array.rank, d.array.dims, out, err);
    if (status == SN_RT_OK && d.fortran)
        from_fortran(out, d.end);
    else if (status == SN_RT_OK && wanted)
        memcpy(out->data, d.end, wanted);
    return status;
}

sn_rt_status sn_rt_npy_read(const char *path, sn_rt_array *out, sn_rt_error *err)
{
    char *bytes;
    size_t size;
    sn_rt_status status = sn_rt_file_read(path, PTRDIFF_MAX - 1, &bytes, &size, err);
    if (status != SN_RT_OK)
        return status;
    status = sn_rt_npy_parse(path, bytes, size, out, err);
    free(bytes);
    return status;
}

/* Magic, version, length, dictionary, blanks, newline: at most 64 + 8 * 22 bytes, so 512 are enough. */
static size_t write_header(const sn_rt_array *array, char head[512])
{
    int used = 10 + sprintf(head + 10, "{'descr': '%s', 'fortran_order': False, 'shape': (", descrs[array->elem]);
    for (uint32_t i = 0; i < array->rank; i++)
        used += sprintf(head + used, i ? ", %llu" : "%llu", (unsigned long long)array->dims[i]);
    used += sprintf(head + used, array->rank == 1 ? ",), }" : "), }");
    size_t size = ((size_t)used + 1 + 63) / 64 * 64;
    memset(head + used, ' ', size - (size_t)used);
    head[size - 1] = '\n';
    memcpy(head, magic, MAGIC_SIZE);
    head[6] = 1;
    head[7] = 0;
    head[8] = (char)((size - 10) & 255);
    head[9] = (char)((size - 10) >> 8);
    return size;
}

sn_rt_status sn_rt_npy_write(const char *path, const sn_rt_array *array, sn_rt_error *err)
{
    char head[512];
    size_t size = write_header(array, head);
    sn_rt_replace *r;
    sn_rt_status status = sn_rt_replace_open(path, &r, err);
    if (status != SN_RT_OK)
        return status;
    status = sn_rt_replace_write(r, head, size, err);
    if (status == SN_RT_OK)
        status = sn_rt_replace_write(r, array->data, array->bytes, err);
    if (status == SN_RT_OK)
        return sn_rt_replace_commit(r, err);
    sn_rt_replace_abandon(r);
    return status;
}
