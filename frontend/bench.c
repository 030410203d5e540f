/* Measuring a graph file: compile time, step time, speed, memory, time by kernel.
 * Not the verb (cmd_bench.c). */
#include "bench.h"

#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_REPEATS = 3 };

/* The program in memory, ready for steps: a trainer, or a session with a store. */
typedef struct rig {
    sn_rt_trainer *trainer;
    sn_rt_session *session; /* the trainer's, or our own */
    sn_rt_store   *store;   /* our own; NULL with a trainer */
    float        **input;
    size_t        *count;
    uint32_t       inputs;
} rig;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- compiling ---------------------------------------------------------------------------------------------------------- */

/* Does "NAME=VALUE" name a free dimension of the module rather than a parameter?  It is one if the program has it when nothing is said. */
static bool names_dimension(const sn_bench *b, const sn_program_options *o, uint32_t which, char *name, size_t size)
{
    const char **others = malloc((o->sets + 1) * sizeof *others);
    bool         found = false;
    sn_diags     quiet;
    if (!others) return false;
    sn_program_options without = *o;
    without.sets = 0;
    for (uint32_t i = 0; i < o->sets; i++)
        if (i != which) others[without.sets++] = o->set[i];
    without.set = others;
    snprintf(name, size, "%.*s", (int)strcspn(o->set[which], "="), o->set[which]);
    sn_diags_init(&quiet);
    sn_graph *g = sn_model_elaborate(b->job.model, &without, &quiet);
    for (uint32_t i = 0; g && i < g->dims.symbols; i++) found = found || !strcmp(sn_dim_symbol_name(&g->dims, i), name);
    sn_graph_free(g);
    sn_diags_fini(&quiet);
    free(others);
    return found;
}

/* Extents of the free dimensions: those said, else one sequence of 300 frames. */
static bool bind_module(sn_training *t, const char *const *said, uint32_t n, sn_rt_error *err)
{
    const sn_abi_program *p = t->program.abi;
    t->extent = sn_new_n(&t->arena, int64_t, p->symbols + 1);
    for (uint32_t s = 0; s < p->symbols; s++) {
        const size_t length = strlen(p->symbol[s]);
        t->extent[s] = !strcmp(p->symbol[s], "N") ? 1 : !strcmp(p->symbol[s], "T") ? 300 : 0;
        for (uint32_t i = 0; i < n; i++)
            if (!strncmp(said[i], p->symbol[s], length) && said[i][length] == '=') t->extent[s] = strtoll(said[i] + length + 1, NULL, 10);
        if (t->extent[s] >= 1) continue;
        sn_rt_fail(err, SN_RT_MISSING, "dimension %s is free: give it with --set %s=NUMBER", p->symbol[s], p->symbol[s]);
        return false;
    }
    return true;
}

/* Free dimensions stay free in the code: they are bound for the run, as any caller of a compiled program would. */
static bool open_module(sn_bench *b, const sn_bench_options *o, const char *cache)
{
    sn_training       *t = &b->job;
    sn_program_options options = {.module = o->module, .set = o->set, .sets = o->sets, .training = o->train, .cache_dir = cache, .cpu = o->cpu, .code = o->code};
    char               name[64];
    uint32_t           sets = 0, extents = 0;
    memset(t, 0, sizeof *t);
    sn_diags_init(&t->diags);
    sn_arena_init(&t->arena);
    t->model = sn_model_load(b->file, &t->diags);
    if (!t->model) return false;
    b->module = o->module ? o->module : sn_model_main(t->model);
    const char **set = sn_new_n(&t->arena, const char *, o->sets + 1), **extent = sn_new_n(&t->arena, const char *, o->sets + 1);
    for (uint32_t i = 0; i < o->sets; i++) {
        if (names_dimension(b, &options, i, name, sizeof name)) extent[extents++] = o->set[i];
        else set[sets++] = o->set[i];
    }
    options.set = set;
    options.sets = sets;
    sn_autodiff_request *request = sn_new_n(&t->arena, sn_autodiff_request, o->grads + 1);
    for (uint32_t i = 0; i < o->grads; i++) request[i] = (sn_autodiff_request){o->grad[i], sn_format(&t->arena, "seed.%s", o->grad[i]), true, true};
    options.request = request;
    options.requests = o->grads;
    t->compiled = sn_program_make(t->model, &options, &t->program, &t->diags);
    return t->compiled && bind_module(t, extent, extents, &b->err);
}

/* The job is not opened: what it would be is not what was asked for, or there is no place for it. */
static bool refuse(sn_bench *b, sn_rt_status status, const char *text)
{
    sn_diags_init(&b->job.diags);
    sn_arena_init(&b->job.arena);
    sn_rt_fail(&b->err, status, "%s", text);
    return false;
}

static bool open_job(sn_bench *b, const sn_bench_options *o, const char *cache, double *out_seconds)
{
    double from = now();
    bool   ok;
    if (b->training) {
        ok = sn_training_open(&b->job, b->file, o->set, o->sets, cache, o->cpu, o->code, &b->err);
        b->module = b->job.recipe.module;
    } else {
        ok = open_module(b, o, cache);
    }
    *out_seconds = now() - from;
    return ok;
}

/* Does the file have a recipe?  false too when it cannot be read: opening it then says why. */
static bool has_recipe(const char *file)
{
    sn_diags diags;
    sn_diags_init(&diags);
    sn_model *m = sn_model_load(file, &diags);
    bool      has = m && sn_model_has_recipe(m);
    if (m) sn_model_free(m);
    sn_diags_fini(&diags);
    return has;
}

static void remove_tree(const char *dir)
{
    char *roots[] = {(char *)(uintptr_t)dir, NULL};
    FTS  *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e; tree && (e = fts_read(tree));)
        if (e->fts_info == FTS_DP) rmdir(e->fts_accpath);
        else if (e->fts_info != FTS_D) unlink(e->fts_accpath);
    if (tree) fts_close(tree);
}

/* Compile twice through a cache of our own: first it is empty, then not. */
static bool compile(sn_bench *b, const sn_bench_options *o)
{
    char        cache[256];
    const char *tmp = getenv("TMPDIR");
    snprintf(cache, sizeof cache, "%s/sinew-bench-XXXXXX", tmp ? tmp : "/tmp");
    if (b->training && (o->grads || o->train)) return refuse(b, SN_RT_ARGUMENT, "the recipe says what is trained: --grad and --train are for a --module");
    if (!mkdtemp(cache)) return refuse(b, SN_RT_IO, "no folder for a cache can be made in $TMPDIR, or /tmp without it");
    bool ok = open_job(b, o, cache, &b->compile_cold);
    if (ok) {
        b->stats = b->job.program.stats;
        sn_training_close(&b->job);
        ok = open_job(b, o, cache, &b->compile_cached);
    }
    remove_tree(cache);
    return ok;
}

/* ---- steps -------------------------------------------------------------------------------------------------------------- */

static bool make_inputs(rig *r, const sn_abi_program *p, const sn_training *t, sn_rt_error *err)
{
    r->input = calloc(p->params + 1u, sizeof *r->input);
    r->count = calloc(p->params + 1u, sizeof *r->count);
    if (!r->input || !r->count) return false;
    for (uint32_t i = 0, n = 0; i < (t->input ? t->inputs : p->params); i++) {
        uint32_t param = t->input ? sn_rt_find_param(p, t->input[i]) : i;
        if (p->param[param].kind != SN_ABI_INPUT) continue;
        size_t count = sn_rt_session_count(r->session, &p->param[param].type);
        float *x = aligned_alloc(64, (count * sizeof *x + 63) / 64 * 64);
        if (!x) return false;
        r->input[n] = x;
        r->count[n++] = count;
        r->inputs = n;
        sn_rt_init_fill(SN_ABI_NORMAL, 0, 0.3, p->param[param].name, 1, 0, x, count, 1);
        if (sn_rt_session_set_param(r->session, param, x, count, err) != SN_RT_OK) return false;
    }
    return true;
}

static sn_rt_status make_session(rig *r, const sn_training *t, int threads, sn_rt_error *err)
{
    const sn_abi_program *p = t->program.abi;
    sn_rt_status          status = sn_rt_session_new(p, &r->session, err);
    if (status == SN_RT_OK) status = sn_rt_session_bind(r->session, t->extent, err);
    if (status == SN_RT_OK) status = sn_rt_store_new(p, r->session, &r->store, err);
    if (status == SN_RT_OK) status = sn_rt_store_attach(r->store, r->session, err);
    if (status == SN_RT_OK) status = sn_rt_session_hold(r->session, err);
    if (status == SN_RT_OK) status = sn_rt_session_prepare(r->session, threads, NULL, 0, err);
    if (status == SN_RT_OK) sn_rt_store_init(r->store, 0, threads);
    return status;
}

static bool make_rig(rig *r, sn_bench *b, int threads)
{
    sn_rt_status status;
    if (b->training) {
        status = sn_training_start(&b->job, 0, threads, &r->trainer, &b->err);
        if (status == SN_RT_OK) r->session = sn_rt_trainer_session(r->trainer);
    } else {
        status = make_session(r, &b->job, threads, &b->err);
    }
    if (status != SN_RT_OK) return false;
    if (!make_inputs(r, b->job.program.abi, &b->job, &b->err)) {
        if (!b->err.text[0]) sn_rt_fail(&b->err, SN_RT_MEMORY, "no memory for inputs");
        return false;
    }
    b->threads = sn_rt_session_threads(r->session);
    b->memory_live = sn_rt_plan_live_bytes(r->session);
    b->memory_slab = sn_rt_plan_bytes(r->session, b->threads);
    b->memory_planned = r->trainer ? sn_rt_trainer_bytes(r->trainer) : b->memory_slab + sn_rt_store_bytes(r->store);
    return true;
}

static void drop_rig(rig *r)
{
    if (r->trainer) sn_rt_trainer_free(r->trainer);
    else sn_rt_session_free(r->session);
    sn_rt_store_free(r->store);
    for (uint32_t i = 0; i < r->inputs; i++) free(r->input[i]);
    free(r->input);
    free(r->count);
}

/* Rate 0 keeps the weights, so that random inputs cannot make a long measurement diverge. */
static bool step(rig *r, sn_bench *b, uint64_t number)
{
    if (r->trainer) return sn_rt_trainer_step(r->trainer, (const float *const *)r->input, number, 0, &b->err) == SN_RT_OK;
    return sn_rt_session_run(r->session, 0, number, &b->err) == SN_RT_OK;
}

static int by_value(const void *pa, const void *pb)
{
    const double *a = pa, *b = pb;
    return *a < *b ? -1 : *a > *b;
}

static bool timed(rig *r, sn_bench *b, double *took)
{
    double from = now();
    bool   ok = step(r, b, 2 + b->repeats);
    took[b->repeats++] = now() - from;
    return ok;
}

static bool repeat(rig *r, sn_bench *b, double seconds, double *took)
{
    bool   ok = true;
    double until = now() + seconds;
    while (ok && b->repeats < SN_BENCH_MOST_STEPS && (b->repeats < LEAST_REPEATS || now() < until)) ok = timed(r, b, took);
    return ok;
}

static bool take_turns(rig *r, sn_bench *b, uint32_t (*turn)(const double *, uint32_t), double *took)
{
    bool     ok = true;
    uint32_t asked, before = 0;
    while (ok && (asked = turn(took + before, b->repeats - before)) && b->repeats < SN_BENCH_MOST_STEPS)
        for (before = b->repeats; ok && asked && b->repeats < SN_BENCH_MOST_STEPS; asked--) ok = timed(r, b, took);
    if (ok && !b->repeats) {
        sn_rt_fail(&b->err, SN_RT_MISSING, "no step was asked for");
        ok = false;
    }
    return ok;
}

static bool time_steps(rig *r, sn_bench *b, const sn_bench_options *o)
{
    double *took = calloc(SN_BENCH_MOST_STEPS, sizeof *took);
    bool    ok = took && step(r, b, 0) && step(r, b, 1); /* first touch of memory, then caches and clock */
    if (ok) ok = o->turn ? take_turns(r, b, o->turn, took) : repeat(r, b, o->seconds, took);
    if (ok) {
        qsort(took, b->repeats, sizeof *took, by_value);
        b->step = took[b->repeats / 2];
        b->fastest = took[0];
        b->slowest = took[b->repeats - 1];
    }
    free(took);
    return ok;
}

/* ---- where the time goes ------------------------------------------------------------------------------------------------ */

typedef struct stepper { rig *r; sn_bench *b; } stepper;

static bool one_step(void *context, uint64_t number, sn_rt_error *err)
{
    (void)err; /* it is b->err */
    const stepper *s = context;
    return step(s->r, s->b, number);
}

static bool profile(rig *r, sn_bench *b, const sn_bench_options *o)
{
    stepper              s = {r, b};
    const sn_profile_job job = {b->job.program.abi, b->source, r->session, r->trainer, one_step, &s, b->peak, o->seconds / 5};
    bool                 ok = sn_profile_measure(&job, &b->job.arena, &b->profile, &b->err);
    if (ok && o->observe) ok = sn_observe(&job, &b->profile, &b->job.arena, &b->observation, &b->err);
    b->flop = b->profile.total.flop;
    return ok;
}

/* The program as written: the graph before any pass. */
static bool read_source(sn_bench *b, const sn_bench_options *o)
{
    const sn_program_options options = {.module = b->module, .set = o->set, .sets = o->sets, .training = b->training || o->train};
    b->source = sn_model_elaborate(b->job.model, &options, &b->job.diags);
    return b->source != NULL;
}

/* Of the program as written, at the extents of this run. */
static double written_cost(sn_bench *b)
{
    const sn_abi_program *p = b->job.program.abi;
    const sn_graph       *g = b->source;
    int64_t              *symbol = sn_new_n(&b->job.arena, int64_t, g->dims.symbols + 1);
    for (uint32_t i = 0; i < g->dims.symbols; i++)
        for (uint32_t s = 0; s < p->symbols; s++)
            if (!strcmp(sn_dim_symbol_name(&g->dims, i), p->symbol[s])) symbol[i] = b->job.extent[s];
    return sn_graph_multiply_adds(g, symbol);
}

/* A field of this process's status in bytes ("VmHWM: %lu"); 0 if unknown. */
static size_t process_memory(const char *field)
{
    char          line[256];
    unsigned long kib = 0;
    FILE         *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, field, strlen(field)) && sscanf(line + strlen(field), ": %lu", &kib) == 1) break;
    if (f) fclose(f);
    return (size_t)kib * 1024;
}

/* After steps; `before` is the process's own memory when the program was compiled. */
static void take_memory(const rig *r, sn_bench *b, size_t before)
{
    size_t own = process_memory("RssAnon");
    b->memory_peak = process_memory("VmHWM");
    b->memory_files = process_memory("RssFile");
    b->memory_grown = own > before ? own - before : 0;
    for (uint32_t i = 0; i < r->inputs; i++) b->memory_inputs += r->count[i] * sizeof(float);
}

bool sn_bench_run(sn_bench *b, const char *file, const sn_bench_options *o)
{
    rig r = {0};
    *b = (sn_bench){.file = file};
    b->training = !o->module && has_recipe(file);
    b->what = b->training ? "a training step" : o->train ? o->grads ? "training with gradients" : "training" : o->grads ? "inference with gradients" : "inference";
    if (getloadavg(&b->load, 1) != 1) b->load = 0;
    if (!compile(b, o)) return false;
    bool         ok = read_source(b, o);
    const size_t before = process_memory("RssAnon");
    ok = ok && make_rig(&r, b, o->threads) && time_steps(&r, b, o);
    if (ok) {
        const sn_abi_program *p = b->job.program.abi;
        for (uint32_t i = 0; i < p->params && !b->batch; i++)
            if (p->param[i].kind == SN_ABI_INPUT && p->param[i].type.rank) b->batch = sn_rt_session_dim(r.session, p->param[i].type.dim[0]);
        take_memory(&r, b, before);
        b->multiply_adds = written_cost(b);
        b->peak = sn_rt_peak_measure(b->threads, 0.6);
        ok = profile(&r, b, o);
    }
    drop_rig(&r);
    return ok;
}

void sn_bench_fini(sn_bench *b)
{
    sn_observation_fini(&b->observation);
    sn_graph_free(b->source);
    sn_training_close(&b->job);
}
