/* From a model to a schedule: elaborate, passes, plan; where objects are cached.
 * Not code generation (compile.c), so that it works without LLVM. */
#include <stdlib.h>
#include <string.h>

#include "model.h"

/* Do the outputs that are differentiated exist? */
static bool check_requests(const sn_graph *g, const sn_program_options *o, sn_diags *diags)
{
    const char **name = calloc(g->outputs + 1, sizeof *name);
    bool ok = true;
    SN_ASSERT(name, "out of memory");
    for (uint32_t i = 0; i < g->outputs; i++) name[i] = g->output[i].name;
    for (uint32_t r = 0; r < o->requests; r++) {
        const char *want = o->request[r].output;
        uint32_t i = 0;
        while (i < g->outputs && strcmp(name[i], want) != 0) i++;
        if (i < g->outputs) continue;
        const char *near = sn_nearest(want, name, g->outputs);
        const sn_loc loc = {.source = sn_diags_source(diags, "--grad", want, strlen(want)), .len = (uint32_t)strlen(want)};
        if (near) sn_error(diags, loc, NULL, "%s has no output \"%s\"; did you mean \"%s\"?", g->name, want, near);
        else sn_error(diags, loc, NULL, "%s has no output \"%s\"", g->name, want);
        ok = false;
    }
    free(name);
    return ok;
}

/* A stage goes on where it was left, and as what it was. */
static sn_pipeline pipeline_of(const sn_model *m, const sn_program_options *o, const char *stop_after)
{
    sn_pipeline p = {.training = o->training, .skip = o->skip_pass, .timing = o->timing, .request = o->request, .requests = o->requests, .stop_after = stop_after,
                     .explain = o->explain};
    if (m->stage) {
        p.training = m->stage->training;
        p.gradients = m->stage->gradients;
        p.start_after = m->stage->after;
    }
    return p;
}

static bool can_differentiate(const sn_model *m, const sn_program_options *o, sn_diags *diags)
{
    if (!m->stage || !o->requests || (!m->stage->gradients && !m->stage->after)) return true;
    sn_error(diags, ((sn_loc){.source = m->stage->source}), NULL, "gradients are made of stage source; this one is after %s", m->stage->after);
    return false;
}

sn_graph *sn_program_graph(const sn_model *m, const sn_program_options *o, const char *stop_after, sn_diags *diags)
{
    const sn_pipeline pipeline = pipeline_of(m, o, stop_after);
    sn_graph *g = can_differentiate(m, o, diags) ? sn_model_elaborate(m, o, diags) : NULL;
    if (!g) return NULL;
    if (check_requests(g, o, diags) && sn_passes_run(&g, &pipeline, diags)) return g;
    sn_graph_free(g);
    return NULL;
}

/* Kernels as they are written, unless others are asked for. */
static bool has_kernels(const sn_model *m, const sn_program_options *o)
{
    return m->stage && m->stage->scheduled && (!o->skip_pass || strcmp(o->skip_pass, "fuse") != 0);
}

sn_schedule *sn_program_schedule(const sn_model *m, const sn_program_options *o, sn_diags *diags)
{
    const sn_pipeline pipeline = pipeline_of(m, o, NULL);
    sn_graph *g = sn_program_graph(m, o, NULL, diags);
    if (!g || !has_kernels(m, o)) return g ? sn_schedule_make(g, &pipeline, diags) : NULL;
    sn_graph_free(g); /* was only to say what is wrong with the options */
    sn_schedule *s = sn_stage_schedule(m->stage, diags);
    return s ? sn_schedule_finish(s, diags) : NULL;
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
