/* The pipeline: one loop runs the passes of passes.def; then fuse, order and plan make a schedule.
 * Not any pass itself. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "internal.h"

typedef enum when { ALWAYS, GRADIENTS, TRAINING, INFERENCE } when;

typedef struct row {
    const char  *name, *doc;
    sn_level     level;
    when         when;
    sn_pass_run *run;
} row;

static const row table[] = {
#define SN_PASS(name, level, when, doc) {#name, doc, SN_LEVEL_##level, when, sn_pass_##name},
#include "passes.def"
#undef SN_PASS
};
enum { ROWS = sizeof table / sizeof table[0] };

const sn_pass_info *sn_passes_list(uint32_t *n)
{
    static const sn_pass_info list[] = {
#define SN_PASS(name, level, when, doc) {#name, doc},
#include "passes.def"
#undef SN_PASS
        {"fuse", "group nodes into kernels: contract, reduce and map with prologues and epilogues"},
        {"order", "put kernels in an order that keeps little memory alive"},
        {"plan", "give every buffer a place and a life"},
    };
    *n = sizeof list / sizeof list[0];
    return list;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool is_name(const char *a, const char *b) { return a && strcmp(a, b) == 0; }

static bool is_wanted(const row *r, const sn_pipeline *o)
{
    if (is_name(o->skip, r->name))
        return false;
    switch (r->when) {
    case GRADIENTS: return o->requests > 0 || o->gradients;
    case TRAINING: return o->training;
    case INFERENCE: return !o->training;
    case ALWAYS: break;
    }
    return true;
}

static bool run_one(const row *r, sn_graph **g, const sn_pipeline *o, sn_diags *diags)
{
    sn_arena arena;
    sn_arena_init(&arena);
    sn_pass p = {.g = g, .options = o, .diags = diags, .arena = &arena};
    const double start = now();
    bool ok = r->run(&p);
    const double took = now() - start;
    sn_arena_fini(&arena);
    if (ok && !sn_verify(*g, r->level, diags)) {
        sn_error(diags, (sn_loc){0}, NULL, "%s: the graph does not verify after this pass", r->name);
        ok = false;
    }
    if (ok && o->timing)
        fprintf(o->timing, "%-12s %8.3f ms %6u nodes\n", r->name, 1e3 * took, (*g)->nodes);
    if (ok && o->dump && (!o->dump_after || is_name(o->dump_after, r->name))) {
        fprintf(o->dump, "# after %s\n", r->name);
        sn_graph_print(*g, o->dump);
    }
    return ok;
}

bool sn_passes_run(sn_graph **g, const sn_pipeline *options, sn_diags *diags)
{
    bool started = options->start_after == NULL;
    for (int i = 0; i < ROWS; i++) {
        if (started && is_wanted(&table[i], options) && !run_one(&table[i], g, options, diags))
            return false;
        started = started || is_name(options->start_after, table[i].name);
        if (is_name(options->stop_after, table[i].name))
            break;
    }
    return true;
}

bool sn_passes_run_one(sn_graph **g, const char *name, const sn_pipeline *options, sn_diags *diags)
{
    const char *known[ROWS];
    for (int i = 0; i < ROWS; i++) {
        if (is_name(name, table[i].name))
            return run_one(&table[i], g, options, diags);
        known[i] = table[i].name;
    }
    const char *near = sn_nearest(name, known, ROWS);
    sn_error(diags, (sn_loc){0}, NULL, "found no pass \"%s\"%s%s%s", name, near ? ", did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return false;
}

static double report(const sn_pipeline *o, const char *step, double start, const sn_schedule *s)
{
    const double end = now();
    if (o->timing)
        fprintf(o->timing, "%-12s %8.3f ms %6u kernels\n", step, 1e3 * (end - start), s->kernels);
    return now();
}

sn_schedule *sn_schedule_finish(sn_schedule *s, sn_diags *diags)
{
    if (sn_schedule_verify(s, diags)) {
        sn_plan_buffers(s);
        return s;
    }
    sn_schedule_free(s);
    return NULL;
}

sn_schedule *sn_schedule_make(sn_graph *g, const sn_pipeline *options, sn_diags *diags)
{
    sn_arena arena;
    sn_schedule *s = sn_schedule_new(g);
    sn_arena_init(&arena);
    double start = now();
    if (options->explain)
        s->why = sn_new_n(&s->arena, sn_why, g->nodes + 1);
    const bool ok = sn_fuse(s, is_name(options->skip, "fuse"), &arena, diags);
    if (ok) {
        start = report(options, "fuse", start, s);
        if (!is_name(options->skip, "order"))
            sn_order(s, &arena);
        start = report(options, "order", start, s);
        sn_plan_buffers(s);
        report(options, "plan", start, s);
    }
    sn_arena_fini(&arena);
    if (ok && sn_schedule_verify(s, diags))
        return s;
    sn_schedule_free(s);
    return NULL;
}
