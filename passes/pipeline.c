/* The pipeline: one visible list, one loop; and the making of schedules.
 * Not the passes themselves. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct pass { const char *name; sn_pass_fn *run; sn_level level; const char *doc; } pass;

static const pass PASSES[] = {
#define SN_PASS(name, level, doc) {#name, sn_pass_##name, level, doc},
#include "passes.def"
#undef SN_PASS
};
enum { COUNT = sizeof PASSES / sizeof PASSES[0] };

void *sn_must(void *p)
{
    SN_ASSERT(p, "out of memory");
    return p;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool sn_passes_run(sn_graph **g, const sn_pipeline *o, sn_diags *diags)
{
    if (!o->training)
        (*g)->updates = 0;
    for (int i = 0; i < COUNT; i++) {
        const pass *p = &PASSES[i];
        if (o->skip && strcmp(o->skip, p->name) == 0)
            continue;
        const double start = now();
        if (!p->run(g, o, diags))
            return false;
        if (o->timing)
            fprintf(o->timing, "%-12s %8.3f ms %6u nodes\n", p->name, 1e3 * (now() - start), (*g)->nodes);
        if (o->dump && (!o->dump_after || strcmp(o->dump_after, p->name) == 0)) {
            fprintf(o->dump, "# after %s\n", p->name);
            sn_graph_print(*g, o->dump);
        }
        if (o->stop_after && strcmp(o->stop_after, p->name) == 0)
            break;
    }
    return true;
}

sn_schedule *sn_schedule_make(sn_graph *g, const sn_pipeline *options, sn_diags *diags)
{
    (void)options;
    sn_schedule *s = sn_must(calloc(1, sizeof *s));
    sn_arena_init(&s->arena);
    s->g = g;
    if (!sn_fuse(s, diags)) {
        sn_schedule_free(s);
        return NULL;
    }
    sn_plan_buffers(s);
    return s;
}

const sn_pass_info *sn_passes_list(uint32_t *n)
{
    static const sn_pass_info info[] = {
#define SN_PASS(name, level, doc) {#name, doc},
#include "passes.def"
#undef SN_PASS
    };
    *n = COUNT;
    return info;
}
