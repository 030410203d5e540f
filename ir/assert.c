/* The assertion behind SN_ASSERT: we are wrong.
 * Not for anything a user can cause (diag.c). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ir.h"

void sn_assert_fail(const char *file, int line, const char *cond, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%d: assertion failed: %s: ", file, line, cond);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}
