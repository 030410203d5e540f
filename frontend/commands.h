/* The verbs of the program: one function each, listed in main.c.
 * Not library code: a verb prints, and returns the exit code 0 (done), 1 (failed), 2 (wrong usage) or 3 (stopped by a signal, state saved).
 *
 * argv[0] is "sinew VERB"; options are read with popt.  Implemented in cmd_<verb>.c.
 */
#ifndef SN_FRONTEND_COMMANDS_H
#define SN_FRONTEND_COMMANDS_H

enum { SN_EXIT_OK = 0, SN_EXIT_FAILED = 1, SN_EXIT_USAGE = 2, SN_EXIT_STOPPED = 3 };

int sn_cmd_check(int argc, const char **argv);
int sn_cmd_convert(int argc, const char **argv);
int sn_cmd_show(int argc, const char **argv);
int sn_cmd_init(int argc, const char **argv);
int sn_cmd_weights(int argc, const char **argv);
int sn_cmd_run(int argc, const char **argv);
int sn_cmd_verify(int argc, const char **argv);
int sn_cmd_build(int argc, const char **argv);
int sn_cmd_ops(int argc, const char **argv);
int sn_cmd_passes(int argc, const char **argv);
int sn_cmd_import(int argc, const char **argv);
int sn_cmd_compose(int argc, const char **argv);
int sn_cmd_data(int argc, const char **argv);
int sn_cmd_augment(int argc, const char **argv);
int sn_cmd_pretrain(int argc, const char **argv);
int sn_cmd_localize(int argc, const char **argv);
int sn_cmd_finetune(int argc, const char **argv);
int sn_cmd_embed(int argc, const char **argv);
int sn_cmd_report(int argc, const char **argv);
int sn_cmd_evaluate(int argc, const char **argv);
int sn_cmd_bench(int argc, const char **argv);
int sn_cmd_profile(int argc, const char **argv);
int sn_cmd_doctor(int argc, const char **argv);

#endif
