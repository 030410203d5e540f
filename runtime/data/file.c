/* Whole-file reads and atomic replacement.
 * Not a cache and not a lock: two writers of one path leave the file of the last rename. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *sn_rt_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static sn_rt_status io_fail(sn_rt_error *err, const char *path, const char *what)
{
    return sn_rt_fail(err, SN_RT_IO, "%s: %s: %s", path, what, strerror(errno));
}

/* Read up to `size` bytes; fewer only at the end of the file. -1 on error. */
static ssize_t read_full(int fd, char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, bytes + done, size - done);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static sn_rt_status read_fd(int fd, const char *path, size_t limit, char **out_bytes, size_t *out_size,
                            sn_rt_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return io_fail(err, path, "stat");
    if (!S_ISREG(info.st_mode))
        return sn_rt_fail(err, SN_RT_IO, "%s: not a regular file", path);
    if ((uintmax_t)info.st_size > limit)
        return sn_rt_fail(err, SN_RT_IO, "%s: %jd bytes, at most %zu are read", path, (intmax_t)info.st_size, limit);
    size_t size = (size_t)info.st_size;
    char *bytes = malloc(size + 1);
    if (!bytes)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory for %zu bytes", path, size);
    ssize_t got = read_full(fd, bytes, size);
    if (got < 0) {
        free(bytes);
        return io_fail(err, path, "read");
    }
    bytes[got] = '\0';
    *out_bytes = bytes;
    *out_size = (size_t)got;
    return SN_RT_OK;
}

sn_rt_status sn_rt_file_read(const char *path, size_t limit, char **out_bytes, size_t *out_size, sn_rt_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe is refused below, not waited for */
    if (fd < 0)
        return io_fail(err, path, "open");
    sn_rt_status status = read_fd(fd, path, limit, out_bytes, out_size, err);
    close(fd);
    return status;
}

struct sn_rt_replace {
    int fd;
    char *path;
    char *temporary;
};

static void replace_free(sn_rt_replace *r)
{
    if (r->fd >= 0)
        close(r->fd);
    free(r->path);
    free(r->temporary);
    free(r);
}

/* Create "PATH.tmpPID-N" with the first free N. Plain open gives the mode the umask asks for, which mkstemp
 * does not, and reading the umask is not safe beside other threads. */
static sn_rt_status create_temporary(sn_rt_replace *r, sn_rt_error *err)
{
    for (int n = 0; n < 1000; n++) {
        if (asprintf(&r->temporary, "%s.tmp%ld-%d", r->path, (long)getpid(), n) < 0) {
            r->temporary = NULL;
            return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", r->path);
        }
        r->fd = open(r->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (r->fd >= 0)
            return SN_RT_OK;
        if (errno != EEXIST)
            break;
        free(r->temporary);
        r->temporary = NULL;
    }
    return io_fail(err, r->path, "create");
}

sn_rt_status sn_rt_replace_open(const char *path, sn_rt_replace **out, sn_rt_error *err)
{
    sn_rt_replace *r = calloc(1, sizeof *r);
    if (!r)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    r->fd = -1;
    r->path = strdup(path);
    sn_rt_status status =
        r->path ? create_temporary(r, err) : sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    if (status != SN_RT_OK) {
        replace_free(r);
        return status;
    }
    *out = r;
    return SN_RT_OK;
}

sn_rt_status sn_rt_replace_write(sn_rt_replace *r, const void *bytes, size_t size, sn_rt_error *err)
{
    const char *from = bytes;
    while (size) {
        ssize_t put = write(r->fd, from, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return io_fail(err, r->path, "write");
        from += put;
        size -= (size_t)put;
    }
    return SN_RT_OK;
}

/* Make the rename itself durable. File systems that cannot sync a directory say EINVAL; nothing more can be done. */
static sn_rt_status sync_directory(const char *path, sn_rt_error *err)
{
    char *copy = strdup(path);
    if (!copy)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0)
        return io_fail(err, path, "open directory");
    int failed = fsync(fd) != 0 && errno != EINVAL;
    sn_rt_status status = failed ? io_fail(err, path, "sync directory") : SN_RT_OK;
    close(fd);
    return status;
}

sn_rt_status sn_rt_replace_commit(sn_rt_replace *r, sn_rt_error *err)
{
    sn_rt_status status = SN_RT_OK;
    if (fsync(r->fd) != 0)
        status = io_fail(err, r->path, "sync");
    int closed = close(r->fd);
    r->fd = -1;
    if (status == SN_RT_OK && closed != 0)
        status = io_fail(err, r->path, "close");
    if (status == SN_RT_OK && rename(r->temporary, r->path) != 0)
        status = io_fail(err, r->path, "rename");
    if (status != SN_RT_OK)
        unlink(r->temporary);
    else
        status = sync_directory(r->path, err);
    replace_free(r);
    return status;
}

void sn_rt_replace_abandon(sn_rt_replace *r)
{
    if (!r)
        return;
    unlink(r->temporary);
    replace_free(r);
}

sn_rt_status sn_rt_file_replace(const char *path, const void *bytes, size_t size, sn_rt_error *err)
{
    sn_rt_replace *r;
    sn_rt_status status = sn_rt_replace_open(path, &r, err);
    if (status != SN_RT_OK)
        return status;
    status = sn_rt_replace_write(r, bytes, size, err);
    if (status == SN_RT_OK)
        return sn_rt_replace_commit(r, err);
    sn_rt_replace_abandon(r);
    return status;
}
