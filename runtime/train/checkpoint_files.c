/* Which checkpoint files a run's folder holds.
 * Not what is in them (checkpoint.c). */
#include "checkpoint.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PREFIX "checkpoint-"
#define SUFFIX ".safetensors"

void sn_rt_checkpoint_path(const char *dir, uint64_t step, char *out, size_t size)
{
    snprintf(out, size, "%s/" PREFIX "%08llu" SUFFIX, dir, (unsigned long long)step);
}

/* Step of a file name; `rest` is what follows the suffix: "" for a checkpoint, ".tmp..." for one that was never finished. */
static bool parse(const char *name, uint64_t *step, const char **rest)
{
    size_t prefix = sizeof PREFIX - 1, suffix = sizeof SUFFIX - 1;
    if (strncmp(name, PREFIX, prefix) || name[prefix] < '0' || name[prefix] > '9') return false;
    char *end;
    *step = strtoull(name + prefix, &end, 10);
    if (strncmp(end, SUFFIX, suffix)) return false;
    *rest = end + suffix;
    return true;
}

bool sn_rt_checkpoint_newest(const char *dir, uint64_t *out_step)
{
    DIR *d = opendir(dir);
    if (!d) return false;
    bool        found = false;
    uint64_t    step;
    const char *rest;
    for (struct dirent *e; (e = readdir(d));)
        if (parse(e->d_name, &step, &rest) && !*rest && (!found || step > *out_step)) {
            *out_step = step;
            found = true;
        }
    closedir(d);
    return found;
}

/* Number of checkpoints newer than `step`. */
static unsigned newer(const char *dir, uint64_t than)
{
    DIR *d = opendir(dir);
    if (!d) return 0;
    unsigned    n = 0;
    uint64_t    step;
    const char *rest;
    for (struct dirent *e; (e = readdir(d));) n += parse(e->d_name, &step, &rest) && !*rest && step > than;
    closedir(d);
    return n;
}

void sn_rt_checkpoint_keep(const char *dir, unsigned n)
{
    DIR *d = opendir(dir);
    if (!d) return;
    uint64_t    step;
    const char *rest;
    for (struct dirent *e; (e = readdir(d));)
        if (parse(e->d_name, &step, &rest) && (*rest ? !strncmp(rest, ".tmp", 4) : newer(dir, step) >= n)) unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
}
