/* The files that an import is about: walking folders, skip lists, names of sequences.
 * Not the import (cmd_import.c). */
#include "motion_files.h"

#include "../runtime/data/file.h"

#include <ctype.h>
#include <errno.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

bool sn_has_suffix(const char *path, const char *suffix)
{
    size_t length = strlen(path), n = strlen(suffix);
    return length > n + 1 && path[length - n - 1] == '.' && strcasecmp(path + length - n, suffix) == 0;
}

/* ---- finding ------------------------------------------------------------------------------------------------------------- */

typedef struct search {
    sn_motion_files *files;
    const char *suffix;
    char **list; /* text of the skip lists */
    size_t lists;
    sn_rt_error *err;
} search;

static sn_rt_status add_file(search *s, const char *path, bool named)
{
    sn_motion_files *f = s->files;
    if (f->count == f->capacity) {
        size_t wanted = f->capacity ? 2 * f->capacity : 256;
        sn_motion_file *file = realloc(f->file, wanted * sizeof *file);
        if (!file)
            return sn_rt_fail(s->err, SN_RT_MEMORY, "no memory");
        f->file = file;
        f->capacity = wanted;
    }
    char *copy = strdup(path);
    if (!copy)
        return sn_rt_fail(s->err, SN_RT_MEMORY, "no memory");
    f->file[f->count++] = (sn_motion_file){copy, NULL, named};
    return SN_RT_OK;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_listed(const search *s, const char *name)
{
    size_t length = strlen(name), stem = strcspn(name, ".");
    for (size_t i = 0; i < s->lists; i++)
        for (const char *at = s->list[i]; *at;) {
            size_t n = strcspn(at, " ,\t\r\n");
            if ((n == length || n == stem) && memcmp(at, name, n) == 0)
                return true;
            at += n + strspn(at + n, " ,\t\r\n");
        }
    return false;
}

static sn_rt_status read_lists(search *s, const char *const *paths)
{
    size_t count = 0;
    while (paths && paths[count])
        count++;
    s->list = calloc(count + 1, sizeof *s->list);
    sn_rt_status status = s->list ? SN_RT_OK : sn_rt_fail(s->err, SN_RT_MEMORY, "no memory");
    for (size_t size; status == SN_RT_OK && s->lists < count; s->lists += status == SN_RT_OK)
        status = sn_rt_file_read(paths[s->lists], (size_t)1 << 28, &s->list[s->lists], &size, s->err);
    return status;
}

static sn_rt_status walk(search *s, const char *folder)
{
    char *roots[] = {(char *)(uintptr_t)folder, NULL};
    FTS *tree = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    sn_rt_status status = tree ? SN_RT_OK : sn_rt_fail(s->err, SN_RT_IO, "%s: cannot be walked", folder);
    for (FTSENT *e; status == SN_RT_OK && (e = fts_read(tree));) {
        if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR || e->fts_info == FTS_DC)
            status = sn_rt_fail(s->err, SN_RT_IO, "%s: %s", e->fts_path,
                                e->fts_info == FTS_DC ? "folder contains itself" : strerror(e->fts_errno));
        else if (e->fts_info == FTS_F && is_listed(s, e->fts_name))
            s->files->listed++;
        else if (e->fts_info == FTS_F && sn_has_suffix(e->fts_name, s->suffix))
            status = add_file(s, e->fts_path, false);
        else if (e->fts_info == FTS_F)
            s->files->others++;
    }
    if (tree)
        fts_close(tree);
    return status;
}

static sn_rt_status collect(search *s, const char *const *paths)
{
    sn_rt_status status = SN_RT_OK;
    for (; status == SN_RT_OK && *paths; paths++) {
        struct stat info;
        if (stat(*paths, &info) != 0)
            return sn_rt_fail(s->err, SN_RT_IO, "%s: no such file or folder", *paths);
        status = S_ISDIR(info.st_mode) ? walk(s, *paths) : add_file(s, *paths, true);
    }
    if (status == SN_RT_OK && s->files->count == 0)
        return sn_rt_fail(s->err, SN_RT_MISSING, "no .%s file in the paths given", s->suffix);
    return status;
}

/* ---- naming -------------------------------------------------------------------------------------------------------------- */

/* File name without folders and suffix, as a fresh string. */
static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    return strndup(name, dot ? (size_t)(dot - name) : strlen(name));
}

static bool all_digits(const char *text)
{
    while (isdigit((unsigned char)*text))
        text++;
    return *text == '\0';
}

/* "FOLDER_STEM" from "a/FOLDER/STEM.bvh". */
static char *long_id(const char *path, const char *stem)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return strdup(stem);
    const char *begin = slash;
    while (begin > path && begin[-1] != '/')
        begin--;
    char *id;
    return asprintf(&id, "%.*s_%s", (int)(slash - begin), begin, stem) < 0 ? NULL : id;
}

static int by_stem(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static sn_rt_status name_all(sn_motion_files *f, sn_rt_error *err)
{
    char **stem = calloc(f->count, sizeof *stem), **sorted = calloc(f->count, sizeof *sorted);
    bool failed = !stem || !sorted;
    for (size_t i = 0; !failed && i < f->count; i++) {
        sorted[i] = stem[i] = stem_of(f->file[i].path);
        failed = !stem[i];
    }
    if (!failed)
        qsort(sorted, f->count, sizeof *sorted, by_stem);
    for (size_t i = 0; !failed && i < f->count; i++) {
        char **at = bsearch(&stem[i], sorted, f->count, sizeof *sorted, by_stem);
        size_t k = (size_t)(at - sorted);
        bool twice = (k > 0 && strcmp(sorted[k - 1], stem[i]) == 0) || (k + 1 < f->count && strcmp(sorted[k + 1], stem[i]) == 0);
        f->file[i].id = twice || all_digits(stem[i]) ? long_id(f->file[i].path, stem[i]) : strdup(stem[i]);
        failed = !f->file[i].id;
    }
    for (size_t i = 0; stem && i < f->count; i++)
        free(stem[i]);
    free(stem);
    free(sorted);
    return failed ? sn_rt_fail(err, SN_RT_MEMORY, "no memory") : SN_RT_OK;
}

/* ---- both ---------------------------------------------------------------------------------------------------------------- */

sn_rt_status sn_motion_files_find(sn_motion_files *files, const char *suffix, const char *const *paths, const char *const *skip_lists, sn_rt_error *err)
{
    search s = {.files = files, .suffix = suffix, .err = err};
    sn_rt_status status = read_lists(&s, skip_lists);
    if (status == SN_RT_OK)
        status = collect(&s, paths);
    if (status == SN_RT_OK)
        status = name_all(files, err);
    for (size_t i = 0; i < s.lists; i++)
        free(s.list[i]);
    free(s.list);
    return status;
}

void sn_motion_files_fini(sn_motion_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->file[i].path);
        free(files->file[i].id);
    }
    free(files->file);
    *files = (sn_motion_files){.file = NULL};
}
