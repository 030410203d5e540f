/* Compiled objects on disk, one file a kernel, named by its key.
 * Not shared between users: the directory and every file must belong to this user and be writable by nobody else, because what is in
 * them is run.  A file that is damaged, foreign or of another version is the same as none.
 *
 *   header {magic, version, key, size, checksum}, then the object.  Written under a temporary name, then renamed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "internal.h"

typedef struct header {
    char     magic[8];
    uint32_t version, unused;
    char     key[40];
    uint64_t size, check[2];
} header;
_Static_assert(sizeof(header) == 80, "the header is what is on disk");

static const char magic[8] = "sinewob";
enum { FILE_VERSION = 1, MAX_OBJECT = 64 << 20 };

static bool ours(const struct stat *s)
{
    return s->st_uid == geteuid() && (s->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Directories above are made too, as by mkdir -p. */
static bool make_directory(char *path)
{
    for (char *p = path + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            if (mkdir(path, 0700) != 0 && errno != EEXIST) {
                *p = '/';
                return false;
            }
            *p = '/';
        }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

int sn_cache_open(const char *dir, const char **why)
{
    char *path = strdup(dir);
    bool made = path && make_directory(path);
    free(path);
    *why = strerror(errno);
    if (!made)
        return -1;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *why = strerror(errno);
    if (fd < 0)
        return -1;
    struct stat s;
    if (fstat(fd, &s) == 0 && ours(&s))
        return fd;
    *why = "it belongs to another user or others may write to it";
    close(fd);
    return -1;
}

void sn_cache_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

static bool read_all(int fd, void *out, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = read(fd, (char *)out + done, n - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static bool write_all(int fd, const void *data, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t put = write(fd, (const char *)data + done, n - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        done += (size_t)put;
    }
    return true;
}

static void fill_header(header *h, const char *key, const void *data, size_t size)
{
    memset(h, 0, sizeof *h);
    memcpy(h->magic, magic, sizeof magic);
    h->version = FILE_VERSION;
    memcpy(h->key, key, strlen(key));
    h->size = size;
    XXH128_hash_t check = XXH3_128bits(data, size);
    h->check[0] = check.low64;
    h->check[1] = check.high64;
}

static void *read_entry(int fd, const char *key, size_t *size)
{
    struct stat s;
    header h, expected;
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode) || !ours(&s) || !read_all(fd, &h, sizeof h))
        return NULL;
    if (h.size == 0 || h.size > MAX_OBJECT || (uint64_t)s.st_size != sizeof h + h.size)
        return NULL;
    void *data = malloc(h.size);
    if (data && read_all(fd, data, h.size)) {
        fill_header(&expected, key, data, h.size);
        if (memcmp(&h, &expected, sizeof h) == 0) {
            *size = h.size;
            return data;
        }
    }
    free(data);
    return NULL;
}

void *sn_cache_read(int dir, const char *key, size_t *size)
{
    int fd = openat(dir, key, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    void *data = read_entry(fd, key, size);
    close(fd);
    return data;
}

bool sn_cache_write(int dir, const char *key, const void *data, size_t size)
{
    char name[96];
    static _Atomic unsigned count;
    snprintf(name, sizeof name, ".%s.%ld.%u", key, (long)getpid(), count++);
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    header h;
    fill_header(&h, key, data, size);
    bool ok = write_all(fd, &h, sizeof h) && write_all(fd, data, size);
    ok = close(fd) == 0 && ok;
    ok = ok && renameat(dir, name, dir, key) == 0;
    if (!ok)
        unlinkat(dir, name, 0);
    return ok;
}
