/* What the verbs share.
 * Not the verbs (cmd_*.c) and not their table (main.c). */
#include "cli.h"

#include "../runtime/sinew_rt.h"

#include <stdarg.h>
#include <stdlib.h>

static void complain(const char *verb, const char *format, va_list args)
{
    fprintf(stderr, "sinew %s: ", verb);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int sn_cli_fail(const char *verb, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(verb, format, args);
    va_end(args);
    return code;
}

int sn_cli_usage(const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    complain(verb, format, args);
    va_end(args);
    fprintf(stderr, "Try 'sinew %s --help'.\n", verb);
    return SN_EXIT_USAGE;
}

int sn_cli_parse(poptContext popt, const char *verb, const char ***plain, uint32_t *count)
{
    int rc = poptGetNextOpt(popt);
    *plain = NULL;
    *count = 0;
    if (rc < -1) return sn_cli_usage(verb, "%s: %s", poptBadOption(popt, 0), poptStrerror(rc));
    *plain = poptGetArgs(popt);
    *count = sn_cli_count(*plain);
    return 0;
}

uint32_t sn_cli_count(const char *const *list)
{
    uint32_t n = 0;
    while (list && list[n]) n++;
    return n;
}

void sn_cli_list_fini(const char **list)
{
    for (uint32_t i = 0; list && list[i]; i++) free((char *)(uintptr_t)list[i]);
    free(list);
}

const char *sn_cli_threads_fault(int threads)
{
    return threads < 0 || threads > SN_RT_MAX_THREADS ? "--threads is 1 to 1024, or 0 for as many as there are processors" : NULL;
}

int sn_cli_report(const sn_diags *d)
{
    sn_diags_print(d, stderr);
    return SN_EXIT_FAILED;
}
