/* What the verbs share: parsing options, printing diagnostics, failing.
 * Not library code: prints. */
#ifndef SN_FRONTEND_CLI_H
#define SN_FRONTEND_CLI_H

#include <popt.h>

#include "commands.h"
#include "compile.h"

/* "sinew VERB: text" on standard error; gives `code`. */
int sn_cli_fail(const char *verb, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for wrong usage, with a pointer to the help. */
int sn_cli_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Parse options.  Returns 0, or SN_EXIT_USAGE after explaining.  *plain is the list of plain arguments, borrowed from the context. */
int sn_cli_parse(poptContext popt, const char *verb, const char ***plain, uint32_t *count);
/* Length of a list that POPT_ARG_ARGV filled, and freeing it. */
uint32_t sn_cli_count(const char *const *list);
void     sn_cli_list_fini(const char **list);
/* Print what was found; the exit code for a failure. */
int sn_cli_report(const sn_diags *d);

/* Threads of a verb, and what is wrong with a number of them, or NULL. */
#define SN_CLI_THREADS(o, help) {"threads", '\0', POPT_ARG_INT, &(o).threads, 0, help, "N"}
const char *sn_cli_threads_fault(int threads);
/* What --code is. */
#define SN_CLI_CODE_HELP "LLVM IR or assembly of kernels as show writes it, edited: their code"
/* Options of every verb that takes a program, for a table of popt. */
#define SN_CLI_PROGRAM_OPTIONS(o)                                                                                              \
    {"module", 'm', POPT_ARG_STRING, &(o).module, 0, "the module that is the program", "NAME"},                                \
    {"set", 's', POPT_ARG_ARGV, &(o).set, 0, "give a parameter of the program another value; may be repeated", "NAME=VALUE"}

#endif
