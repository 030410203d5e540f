/* The files that an import is about: found in the paths given, in order, each with the name of its sequence.
 * Not what is in them. */
#ifndef SN_FRONTEND_MOTION_FILES_H
#define SN_FRONTEND_MOTION_FILES_H

#include "../runtime/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct sn_motion_file {
    char *path;
    char *id;   /* like the file; where that is a bare number or occurs twice, its folder's name comes before */
    bool named; /* given on the command line, not met in a folder: its failure is the command's */
} sn_motion_file;

typedef struct sn_motion_files {
    sn_motion_file *file;
    size_t count, capacity;
    size_t others; /* met in folders, of another kind */
    size_t listed; /* met in folders, named by a skip list */
} sn_motion_files;

/* Files called *.SUFFIX (in any case) in `paths`, a NULL-ended list of files and folders; folders are searched with all below them, in order of name. Files that
 * a list names, with or without their suffix, are left out: `skip_lists` (NULL-ended, or NULL) are paths of lists of words parted by blanks, commas or lines.
 * SN_RT_IO or SN_RT_MISSING (no file at all) names the path. fini in any case. */
sn_rt_status sn_motion_files_find(sn_motion_files *files, const char *suffix, const char *const *paths, const char *const *skip_lists, sn_rt_error *err);
void sn_motion_files_fini(sn_motion_files *files);

bool sn_has_suffix(const char *path, const char *suffix);

#endif
