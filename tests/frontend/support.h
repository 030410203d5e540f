/* What the frontend's tests share: loading from text, rendering diagnostics, files.
 * Not a test. */
#ifndef TESTS_FRONTEND_SUPPORT_H
#define TESTS_FRONTEND_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "frontend/model.h"

/* What the program would print; heap. */
static inline char *render(const sn_diags *d)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    sn_diags_print(d, f);
    fclose(f);
    return text;
}

static inline char *slurp(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    if (size) *size = 0;
    if (!f) return NULL;
    char *data = NULL;
    size_t n = 0;
    FILE *m = open_memstream(&data, &n);
    assert_non_null(m);
    for (int c; (c = fgetc(f)) != EOF;) fputc(c, m);
    fclose(f);
    fclose(m);
    if (size) *size = n;
    return data;
}

static inline void spill(const char *path, const void *data, size_t size)
{
    unlink(path); /* some file systems wait for the disk when a file is overwritten */
    FILE *f = fopen(path, "wb");
    if (!f) fail_msg("cannot write %s", path);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
}

/* Check a file as `sinew check` does; what it said, heap, "" if it is right. */
static inline char *check_file(const char *path)
{
    const sn_program_options options = {0};
    sn_checked checked;
    sn_diags diags;
    sn_diags_init(&diags);
    sn_model *m = sn_model_load(path, &diags);
    bool ok = m && sn_model_check(m, &options, &checked, &diags);
    assert_int_equal(ok, diags.errors == 0);
    char *text = render(&diags);
    sn_model_free(m);
    sn_diags_fini(&diags);
    return text;
}

#endif
