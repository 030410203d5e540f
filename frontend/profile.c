/* Where the time of a step goes: measuring, bytes of a call, and rows taken together.
 * Not the printing (profile_text.c, bench_json.c). */
#include "profile.h"

#include "../ir/names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LEAST_STEPS = 5, MOST_STEPS = 100 };

double sn_profile_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- bytes -------------------------------------------------------------------------------------------------------------- */

static uint32_t root_of(const sn_abi_program *p, uint32_t buffer)
{
    while (p->buffer[buffer].place == SN_ABI_ALIAS) buffer = (uint32_t)p->buffer[buffer].index;
    return buffer;
}

static double floats_of(const sn_profile_job *job, uint32_t buffer)
{
    return (double)sn_rt_session_dim(job->session, job->program->buffer[buffer].count);
}

/* Floats of distinct buffers among arg[0 .. n-1]; of several views of one, the largest. */
static double distinct_floats(const sn_profile_job *job, const uint32_t *arg, uint32_t n)
{
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t root = root_of(job->program, arg[i]);
        double   most = floats_of(job, arg[i]);
        bool     seen = false;
        for (uint32_t k = 0; k < i; k++) seen = seen || root_of(job->program, arg[k]) == root;
        for (uint32_t k = i + 1; k < n; k++)
            if (root_of(job->program, arg[k]) == root && floats_of(job, arg[k]) > most) most = floats_of(job, arg[k]);
        if (!seen) sum += most;
    }
    return sum;
}

static double roofline(const sn_rt_peak *peak, double flop, double bytes)
{
    double compute = peak->flops > 0 ? flop / peak->flops : 0, memory = peak->bandwidth > 0 ? bytes / peak->bandwidth : 0;
    return compute > memory ? compute : memory;
}

/* ---- names -------------------------------------------------------------------------------------------------------------- */

/* "enc.tcn.xw.dx#2" without "#2". */
static size_t kernel_length(const char *name) { return strcspn(name, "#"); }

/* Is name[from .. end) what a pass appended to a node's name: a gradient's "dx", "dw", "d3", or the "2" of a second copy? */
static bool appended(const char *name, size_t from, size_t end)
{
    if (from < end && name[from] == 'd') {
        from++;
        if (end - from == 1 && strchr("wxyz", name[from])) return true;
    }
    if (from == end) return false;
    for (; from < end; from++)
        if (!isdigit((unsigned char)name[from])) return false;
    return true;
}

/* Length of the part before the last dot; 0 without one. */
static size_t parent_length(const char *name, size_t length)
{
    while (length > 0 && name[length - 1] != '.') length--;
    return length > 0 ? length - 1 : 0;
}

static const char *prefix(sn_arena *arena, const char *name, size_t length) { return sn_format(arena, "%.*s", (int)length, name); }

/* The node a kernel is named for: its name without what passes appended, up to a name of the graph as written, which may itself end in "d2". */
static const char *node_of(const sn_names *source, const char *name, bool *backward, sn_arena *arena)
{
    size_t end = kernel_length(name);
    *backward = false;
    for (size_t dot; !sn_names_find(source, prefix(arena, name, end)) && (dot = parent_length(name, end)) > 0 && appended(name, dot + 1, end); end = dot)
        *backward = *backward || name[dot + 1] == 'd';
    return prefix(arena, name, end);
}

static size_t parts_length(const char *name, size_t length, long parts)
{
    for (size_t i = 0; i < length; i++)
        if (name[i] == '.' && --parts == 0) return i;
    return length;
}

/* ---- measuring ---------------------------------------------------------------------------------------------------------- */

/* Numbers of one step: its length, what the trainer's parts took, then of every call the time of the team and of each thread. */
enum { WHOLE, RUN, UPDATE, OPTIMISE, CALLS };

static size_t numbers_of_call(const sn_profile_job *job) { return 1 + (size_t)sn_rt_session_threads(job->session); }

typedef struct samples { double *row; size_t width; uint32_t rows; } samples;

static bool take_sample(const sn_profile_job *job, double *row, uint64_t number, sn_rt_error *err)
{
    sn_rt_trainer_parts before = {0}, after = {0};
    if (sn_rt_session_profile(job->session, true, err) != SN_RT_OK) return false;
    if (job->trainer) before = sn_rt_trainer_times(job->trainer);
    double from = sn_profile_now();
    if (!job->step(job->context, number, err)) return false;
    row[WHOLE] = sn_profile_now() - from;
    if (job->trainer) after = sn_rt_trainer_times(job->trainer);
    row[RUN] = job->trainer ? after.run - before.run : row[WHOLE];
    row[UPDATE] = after.update - before.update;
    row[OPTIMISE] = after.optimise - before.optimise;
    for (uint32_t i = 0; i < job->program->calls; i++) {
        double *of = row + CALLS + i * numbers_of_call(job);
        of[0] = sn_rt_session_call_time(job->session, i).wall;
        for (int t = 0; t < sn_rt_session_threads(job->session); t++) of[1 + t] = sn_rt_session_call_busy(job->session, i, t);
    }
    return true;
}

static int by_whole(const void *pa, const void *pb)
{
    const double *a = *(double *const *)pa, *b = *(double *const *)pb;
    return *a < *b ? -1 : *a > *b;
}

/* Mean of the middle half of the steps, ordered by their length: all rows are of the same steps, so they add up; steps that were disturbed
 * by something else on the machine are left out. */
static bool mean_of_middle(const samples *s, double *out)
{
    const double **order = malloc(s->rows * sizeof *order);
    if (!order) return false;
    for (uint32_t i = 0; i < s->rows; i++) order[i] = s->row + i * s->width;
    qsort(order, s->rows, sizeof *order, by_whole);
    uint32_t begin = s->rows / 4, end = s->rows - begin;
    memset(out, 0, s->width * sizeof *out);
    for (uint32_t i = begin; i < end; i++)
        for (size_t k = 0; k < s->width; k++) out[k] += order[i][k] / (end - begin);
    free(order);
    return true;
}

static bool take_samples(const sn_profile_job *job, samples *s, sn_rt_error *err)
{
    double until = sn_profile_now() + job->seconds;
    for (s->rows = 0; s->rows < MOST_STEPS && (s->rows < LEAST_STEPS || sn_profile_now() < until); s->rows++)
        if (!take_sample(job, s->row + s->rows * s->width, s->rows, err)) return false;
    return true;
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

static int by_seconds(const void *pa, const void *pb)
{
    const sn_profile_row *a = pa, *b = pb;
    return a->seconds > b->seconds ? -1 : a->seconds < b->seconds ? 1 : strcmp(a->name, b->name);
}

static sn_profile_row kernel_row(const sn_profile_job *job, const sn_names *source, sn_arena *arena, uint32_t call, const double *times)
{
    const sn_abi_call *c = &job->program->call[call];
    const int          threads = sn_rt_session_threads(job->session);
    bool               backward;
    sn_profile_row     row = {.name = c->name, .node = node_of(source, c->name, &backward, arena), .where = c->where, .call = call, .calls = 1, .seconds = times[0],
                              .thread = sn_new_n(arena, double, (size_t)threads), .flop = 2.0 * (double)sn_rt_session_dim(job->session, c->macs)};
    memcpy(&row.code, &c->kernel, sizeof row.code);
    for (int t = 0; t < threads; t++) row.busy += row.thread[t] = times[1 + t];
    row.backward = backward ? row.seconds : 0;
    if (row.busy <= 0) { /* made before the first run and held: no work of a step */
        row.flop = 0;
        return row;
    }
    row.bytes = sizeof(float) * (distinct_floats(job, c->arg, c->reads) + distinct_floats(job, c->arg + c->reads, c->args - c->reads));
    row.limit = roofline(&job->peak, row.flop, row.bytes);
    row.memory = row.limit > roofline(&job->peak, row.flop, 0) ? row.limit : 0;
    return row;
}

static void add_to(sn_profile_row *sum, const sn_profile_row *row, const sn_profile *of)
{
    for (int t = 0; t < of->threads; t++) sum->thread[t] += row->thread[t];
    for (uint32_t i = 0; i < of->counters; i++) sum->counter[i] += row->counter[i];
    sum->memory += row->memory;
    sum->backward += row->backward;
    if (strcmp(sum->where, row->where)) sum->where = "";
    if (strcmp(sum->node, row->node)) sum->node = "";
    sum->calls += row->calls;
    sum->seconds += row->seconds;
    sum->busy += row->busy;
    sum->flop += row->flop;
    sum->bytes += row->bytes;
    sum->limit += row->limit;
}

static void add_other(sn_profile *p, const sn_rt_peak *peak, const char *name, double seconds, double bytes)
{
    const double limit = roofline(peak, 0, bytes);
    p->other[p->others++] = (sn_profile_row){.name = name, .node = "", .where = "", .seconds = seconds, .bytes = bytes, .limit = limit, .memory = limit};
}

static void add_others(sn_profile *p, const sn_profile_job *job, const double *mean, sn_arena *arena)
{
    double rest = mean[WHOLE] - p->total.seconds;
    p->other = sn_new_n(arena, sn_profile_row, 5);
    if (job->trainer) {
        sn_rt_trainer_parts moved = sn_rt_trainer_moved(job->trainer);
        rest -= mean[UPDATE] + mean[OPTIMISE];
        add_other(p, &job->peak, "queues and running statistics", mean[UPDATE], moved.update);
        add_other(p, &job->peak, "optimiser and momentum copies", mean[OPTIMISE], moved.optimise);
        add_other(p, &job->peak, "between kernels: starting threads, opening groups, copies of outputs", mean[RUN] - p->total.seconds, 0);
        rest -= mean[RUN] - p->total.seconds;
        add_other(p, &job->peak, "rest", rest, 0);
    } else {
        add_other(p, &job->peak, "between kernels: starting threads, opening groups, copies of outputs", rest, 0);
    }
}

bool sn_profile_measure(const sn_profile_job *job, sn_arena *arena, sn_profile *out, sn_rt_error *err)
{
    const uint32_t calls = job->program->calls;
    const int      threads = sn_rt_session_threads(job->session);
    samples        s = {.width = CALLS + calls * numbers_of_call(job)};
    sn_names       source;
    s.row = calloc(MOST_STEPS * s.width, sizeof *s.row);
    double *mean = sn_new_n(arena, double, s.width);
    if (!s.row) sn_rt_fail(err, SN_RT_MEMORY, "no memory to time %u calls", calls);
    bool ok = s.row && take_samples(job, &s, err);
    if (ok && !(ok = mean_of_middle(&s, mean))) sn_rt_fail(err, SN_RT_MEMORY, "no memory to time %u calls", calls);
    free(s.row);
    if (!ok || sn_rt_session_profile(job->session, false, err) != SN_RT_OK) return false;
    *out = (sn_profile){.kernel = sn_new_n(arena, sn_profile_row, calls + 1), .kernels = calls, .step = mean[WHOLE], .steps = s.rows,
                        .threads = threads, .total = {.name = "kernels", .node = "", .where = "", .thread = sn_new_n(arena, double, (size_t)threads)}};
    sn_names_init(&source);
    for (uint32_t i = 0; i < job->source->nodes; i++)
        if (job->source->node[i].name) sn_names_at(&source, job->source->node[i].name, NULL);
    for (uint32_t i = 0; i < calls; i++) {
        out->kernel[i] = kernel_row(job, &source, arena, i, mean + CALLS + i * numbers_of_call(job));
        add_to(&out->total, &out->kernel[i], out);
    }
    sn_names_fini(&source);
    add_others(out, job, mean, arena);
    qsort(out->kernel, calls, sizeof *out->kernel, by_seconds);
    return true;
}

/* ---- rows taken together ------------------------------------------------------------------------------------------------ */

/* What rows of a group share, as text; NULL if `by` is not known. */
static const char *group_name(const sn_profile_row *r, const char *by, sn_arena *arena)
{
    size_t node = strlen(r->node), module = parent_length(r->node, node);
    char  *end;
    long   parts = strtol(by, &end, 10);
    if (*by && !*end && parts >= 1) return prefix(arena, r->node, parts_length(r->node, node, parts));
    if (!strcmp(by, "call")) return r->name;
    if (!strcmp(by, "kernel")) return prefix(arena, r->name, kernel_length(r->name));
    if (!strcmp(by, "node")) return r->node;
    if (!strcmp(by, "module")) return module ? prefix(arena, r->node, module) : "(outermost module)";
    if (!strcmp(by, "place")) return r->where[0] ? r->where : "(no place)";
    return !strcmp(by, "code") ? r->name : NULL;
}

const char *sn_profile_bound(const sn_profile_row *r) { return r->limit <= 0 ? "" : r->memory > r->limit / 2 ? "memory" : "compute"; }

bool sn_profile_known(const char *by)
{
    const sn_profile_row none = {.name = "", .node = "", .where = ""};
    sn_arena             arena;
    sn_arena_init(&arena);
    bool known = group_name(&none, by, &arena) != NULL;
    sn_arena_fini(&arena);
    return known;
}

static double *copy(sn_arena *arena, const double *from, size_t n)
{
    double *to = sn_new_n(arena, double, n);
    memcpy(to, from, n * sizeof *to);
    return to;
}

bool sn_profile_group(const sn_profile *p, const char *by, sn_arena *arena, sn_profile *out)
{
    bool code = !strcmp(by, "code");
    if (!sn_profile_known(by)) return false;
    *out = *p;
    out->kernel = sn_new_n(arena, sn_profile_row, p->kernels + 1);
    out->kernels = 0;
    for (uint32_t i = 0; i < p->kernels; i++) {
        const char *name = group_name(&p->kernel[i], by, arena);
        uint32_t    k = 0;
        while (k < out->kernels && (code ? out->kernel[k].code != p->kernel[i].code : strcmp(out->kernel[k].name, name) != 0)) k++;
        if (k < out->kernels) {
            add_to(&out->kernel[k], &p->kernel[i], p);
            if (out->kernel[k].code != p->kernel[i].code) out->kernel[k].code = NULL;
        } else {
            sn_profile_row *row = &out->kernel[out->kernels++];
            *row = p->kernel[i];
            row->name = name;
            if (row->thread) row->thread = copy(arena, row->thread, (size_t)p->threads);
            if (row->counter) row->counter = copy(arena, row->counter, p->counters);
        }
    }
    qsort(out->kernel, out->kernels, sizeof *out->kernel, by_seconds);
    return true;
}
