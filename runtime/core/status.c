/* Status text: formatting of run-time errors.
 * Not a log; nothing is printed here. */
#include "../status.h"

#include <stdarg.h>
#include <stdio.h>

sn_rt_status sn_rt_fail(sn_rt_error *err, sn_rt_status code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
    }
    return code;
}
