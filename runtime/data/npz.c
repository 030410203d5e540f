/* NumPy's .npz files, through libzip.
 * Not the arrays inside (npy.c). */
#include "npz.h"

#include "npy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

struct sn_rt_npz {
    zip_t *zip;
    char *path;
};

enum { DEFLATE_BEST = 1032 }; /* bytes that one deflated byte can become, RFC 1951: 258 in 2 bits */

static sn_rt_status wrap(const char *path, zip_t *zip, sn_rt_npz **out, sn_rt_error *err)
{
    sn_rt_npz *npz = calloc(1, sizeof *npz);
    char *copy = strdup(path);
    if (!npz || !copy) {
        free(npz);
        free(copy);
        zip_discard(zip);
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    }
    *npz = (sn_rt_npz){zip, copy};
    *out = npz;
    return SN_RT_OK;
}

sn_rt_status sn_rt_npz_open(const char *path, sn_rt_npz **out, sn_rt_error *err)
{
    int code;
    FILE *file = fopen(path, "rb"); /* libzip's errors do not say why */
    if (!file)
        return sn_rt_fail(err, SN_RT_IO, "%s: open: %s", path, strerror(errno));
    fclose(file);
    zip_t *zip = zip_open(path, ZIP_RDONLY, &code);
    return zip ? wrap(path, zip, out, err) : sn_rt_fail(err, SN_RT_FORMAT, "%s: no zip archive, which an .npz file is", path);
}

sn_rt_status sn_rt_npz_parse(const char *path, const void *bytes, size_t size, sn_rt_npz **out, sn_rt_error *err)
{
    zip_source_t *source = zip_source_buffer_create(bytes, size, 0, NULL);
    zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, NULL) : NULL;
    if (zip)
        return wrap(path, zip, out, err);
    zip_source_free(source);
    return sn_rt_fail(err, SN_RT_FORMAT, "%s: no zip archive, which an .npz file is", path);
}

void sn_rt_npz_close(sn_rt_npz *npz)
{
    if (!npz)
        return;
    zip_discard(npz->zip);
    free(npz->path);
    free(npz);
}

/* Place of NAME.npy, or -1. */
static zip_int64_t find(const sn_rt_npz *npz, const char *name)
{
    char member[256];
    snprintf(member, sizeof member, "%s.npy", name);
    return zip_name_locate(npz->zip, member, 0);
}

bool sn_rt_npz_has(const sn_rt_npz *npz, const char *name)
{
    return find(npz, name) >= 0;
}

/* All of a member; reading its end verifies the checksum. */
static sn_rt_status read_member(sn_rt_npz *npz, zip_uint64_t at, const char *name, char *bytes, size_t size, sn_rt_error *err)
{
    char end;
    size_t have = 0;
    zip_int64_t got = 1;
    zip_file_t *file = zip_fopen_index(npz->zip, at, 0);
    if (!file)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: array \"%s\": %s", npz->path, name, zip_strerror(npz->zip));
    while (have < size && (got = zip_fread(file, bytes + have, size - have)) > 0)
        have += (size_t)got;
    if (got >= 0)
        got = zip_fread(file, &end, 1);
    sn_rt_status status = got == 0 && have == size ? SN_RT_OK
                                                   : sn_rt_fail(err, SN_RT_FORMAT, "%s: array \"%s\": %s", npz->path, name,
                                                                got < 0 ? zip_file_strerror(file) : "its size is not what the archive says");
    zip_fclose(file);
    return status;
}

sn_rt_status sn_rt_npz_read(sn_rt_npz *npz, const char *name, sn_rt_array *out, sn_rt_error *err)
{
    char what[4352];
    zip_stat_t info;
    zip_int64_t at = find(npz, name);
    const zip_uint64_t known = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    snprintf(what, sizeof what, "%s: array \"%s\"", npz->path, name);
    if (at < 0)
        return sn_rt_fail(err, SN_RT_MISSING, "%s is missing", what);
    if (zip_stat_index(npz->zip, (zip_uint64_t)at, 0, &info) != 0 || (info.valid & known) != known)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: the archive does not say how large it is", what);
    if (info.size > SN_RT_NPZ_LIMIT || info.size / DEFLATE_BEST > info.comp_size)
        return sn_rt_fail(err, SN_RT_FORMAT, "%s: %llu bytes said to be packed in %llu, more than is possible or read here", what,
                          (unsigned long long)info.size, (unsigned long long)info.comp_size);
    char *bytes = malloc(info.size + 1);
    if (!bytes)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory for %llu bytes", what, (unsigned long long)info.size);
    sn_rt_status status = read_member(npz, (zip_uint64_t)at, name, bytes, info.size, err);
    if (status == SN_RT_OK)
        status = sn_rt_npy_parse(what, bytes, info.size, out, err);
    free(bytes);
    return status;
}
