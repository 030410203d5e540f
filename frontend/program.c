/* From a model to a schedule: elaborate, passes, plan; where objects are cached.
 * Not code generation (compile.c), so that it works without LLVM. */
#include <stdlib.h>

#include "compile.h"

sn_schedule *sn_program_schedule(const sn_model *m, const sn_program_options *o, sn_diags *diags)
{
    const sn_pipeline pipeline = {.training = o->training, .skip = o->skip_pass, .timing = o->timing, .request = o->request, .requests = o->requests};
    sn_graph *g = sn_model_elaborate(m, o, diags);
    if (!g) return NULL;
    if (sn_passes_run(&g, &pipeline, diags)) return sn_schedule_make(g, &pipeline, diags);
    sn_graph_free(g);
    return NULL;
}

const char *sn_cache_dir(char *out, size_t n)
{
    const char *own = getenv("SINEW_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int k = -1;
    if (own && *own) k = snprintf(out, n, "%s", own);
    else if (xdg && *xdg) k = snprintf(out, n, "%s/sinew", xdg);
    else if (home && *home) k = snprintf(out, n, "%s/.cache/sinew", home);
    return k > 0 && (size_t)k < n ? out : NULL;
}
