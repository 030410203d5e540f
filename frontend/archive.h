/* Archives of objects (ar): reading the runtime's, writing a library's.
 * Not linking: that is the linker's. */
#ifndef SN_FRONTEND_ARCHIVE_H
#define SN_FRONTEND_ARCHIVE_H

#include "../runtime/status.h"

#include <stddef.h>

typedef struct sn_archive sn_archive;

sn_archive *sn_archive_new(void);
void        sn_archive_free(sn_archive *a); /* accepts NULL */

/* Add an ELF object of 64 bits under a name of at most 15 characters; `data` is copied. */
void sn_archive_add(sn_archive *a, const char *name, const void *data, size_t size);
/* Add all members of the archive file `path`.  SN_RT_FORMAT names it and the byte. */
sn_rt_status sn_archive_add_file(sn_archive *a, const char *path, sn_rt_error *err);
/* Replace the file `path` with all members and an index of their symbols.  The same members give the same bytes. */
sn_rt_status sn_archive_write(const sn_archive *a, const char *path, sn_rt_error *err);

#endif
