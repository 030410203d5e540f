/* Files as a whole: read all of one, replace one atomically.
 * Not a format; formats are in the files named for them. */
#ifndef SN_RUNTIME_DATA_FILE_H
#define SN_RUNTIME_DATA_FILE_H

#include "../status.h"

#include <stddef.h>

/* The last part of a path. */
const char *sn_rt_file_name(const char *path);

/* Read a whole regular file. `*out_bytes` has one NUL more than `*out_size` and is freed with free().
 * SN_RT_IO names path and reason (a directory, a missing file, more than `limit` bytes). */
sn_rt_status sn_rt_file_read(const char *path, size_t limit, char **out_bytes, size_t *out_size, sn_rt_error *err);

/* Replacement of a file that appears under its name complete or not at all: a temporary file in the same
 * directory is written, synced and renamed over `path`, and the directory is synced.
 *
 *   sn_rt_replace *r;
 *   status = sn_rt_replace_open(path, &r, err);
 *   if (status == SN_RT_OK) status = sn_rt_replace_write(r, bytes, size, err);     as often as needed
 *   if (status == SN_RT_OK) status = sn_rt_replace_commit(r, err);                 consumes r in any case
 *   else                    sn_rt_replace_abandon(r);                              accepts NULL
 *
 * A process killed before the rename leaves the old file and a stray "PATH.tmpPID-N". */
typedef struct sn_rt_replace sn_rt_replace;
sn_rt_status sn_rt_replace_open(const char *path, sn_rt_replace **out, sn_rt_error *err);
sn_rt_status sn_rt_replace_write(sn_rt_replace *r, const void *bytes, size_t size, sn_rt_error *err);
sn_rt_status sn_rt_replace_commit(sn_rt_replace *r, sn_rt_error *err);
void sn_rt_replace_abandon(sn_rt_replace *r);

/* The three steps in one call. */
sn_rt_status sn_rt_file_replace(const char *path, const void *bytes, size_t size, sn_rt_error *err);

#endif
