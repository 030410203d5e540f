/* From a model to compiled code.
 * Not its stages: elaboration, passes and schedule are program.c's, code is codegen's. */
#include "compile.h"

#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool sn_program_make(const sn_model *m, const sn_program_options *o, sn_program *out, sn_diags *diags)
{
    double start = now();
    const sn_codegen_options options = {.cpu = o->cpu, .cache_dir = o->cache_dir, .code = o->code, .jitdump = getenv("SINEW_JITDUMP"),
                                        .debug = getenv("SINEW_GDB") != NULL};
    sn_program p = {.schedule = sn_program_schedule(m, o, diags)};
    if (!p.schedule) return false;
    p.compiled = sn_compile(p.schedule, &options, diags);
    if (!p.compiled) {
        sn_schedule_free(p.schedule);
        return false;
    }
    p.abi = sn_compiled_program(p.compiled);
    p.stats = sn_compiled_stats(p.compiled);
    p.stats.seconds = now() - start;
    *out = p;
    return true;
}

void sn_program_fini(sn_program *p)
{
    sn_compiled_free(p->compiled);
    sn_schedule_free(p->schedule);
    *p = (sn_program){0};
}
