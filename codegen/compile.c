/* From a schedule to loaded functions: plan every kernel, merge equal ones, take objects from the cache or make them in parallel.
 * Not the tables the runtime reads (program.c). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compile.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- plans ---- */

static bool make_plans(sn_compiled *c, sn_diags *diags)
{
    const sn_schedule *s = c->s;
    c->plan = sn_new_n(&c->arena, sn_plan, s->kernels + 1);
    bool ok = true;
    for (uint32_t i = 0; i < s->kernels; i++) {
        c->plan[i] = (sn_plan){.s = s, .g = s->g, .k = &s->kernel[i], .target = &c->target, .dims = &s->g->dims, .arena = &c->arena,
                               .diags = diags};
        ok &= sn_plan_make(&c->plan[i]);
    }
    return ok;
}

/* ---- units: distinct kernels ---- */

static int compare_units(const void *a, const void *b)
{
    return strcmp(((const sn_unit *)a)->key.text, ((const sn_unit *)b)->key.text);
}

/* Sorted by key, so that the order of objects does not depend on the program's. */
static void make_units(sn_compiled *c)
{
    uint32_t n = c->s->kernels;
    sn_unit *all = sn_new_n(&c->arena, sn_unit, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        char *text = sn_key_text(&c->plan[i]);
        SN_ASSERT(text != NULL, "out of memory");
        all[i] = (sn_unit){.plan = &c->plan[i], .key = sn_key_make(&c->target, text)};
        free(text);
    }
    c->unit_of = sn_new_n(&c->arena, uint32_t, n + 1);
    c->unit = sn_new_n(&c->arena, sn_unit, n + 1);
    memcpy(c->unit, all, n * sizeof *all);
    qsort(c->unit, n, sizeof *c->unit, compare_units);
    for (uint32_t i = 0; i < n; i++)
        if (i == 0 || compare_units(&c->unit[i], &c->unit[c->units - 1]) != 0)
            c->unit[c->units++] = c->unit[i];
    for (uint32_t i = 0; i < n; i++) {
        sn_unit *u = bsearch(&all[i], c->unit, c->units, sizeof *c->unit, compare_units);
        c->unit_of[i] = (uint32_t)(u - c->unit);
    }
    for (uint32_t i = 0; i < c->units; i++)
        c->unit[i].symbol = sn_format(&c->arena, "sn_%s", c->unit[i].key.text);
}

/* ---- objects ---- */

typedef struct work {
    sn_compiled     *c;
    int              cache;
    _Atomic uint32_t next;
} work;

static void make_object(work *w, sn_unit *u, LLVMTargetMachineRef machine)
{
    LLVMMemoryBufferRef object = sn_object_make(u->plan, machine, u->symbol, &u->why);
    if (!object)
        return;
    u->object = object;
    if (w->cache >= 0) /* a full disk costs only time: the object is in memory */
        sn_cache_write(w->cache, u->key.text, LLVMGetBufferStart(object), LLVMGetBufferSize(object));
}

static void *make_objects(void *arg)
{
    work *w = arg;
    LLVMTargetMachineRef machine = NULL;
    for (;;) {
        uint32_t i = atomic_fetch_add(&w->next, 1);
        if (i >= w->c->units)
            break;
        sn_unit *u = &w->c->unit[i];
        if (u->object)
            continue;
        if (!machine)
            machine = sn_target_machine(&w->c->target);
        if (machine)
            make_object(w, u, machine);
    }
    if (machine)
        LLVMDisposeTargetMachine(machine);
    return NULL;
}

static uint32_t read_cache(sn_compiled *c, int cache)
{
    uint32_t missing = 0;
    for (uint32_t i = 0; i < c->units; i++) {
        size_t size;
        void *data = cache >= 0 ? sn_cache_read(cache, c->unit[i].key.text, &size) : NULL;
        if (data) {
            c->unit[i].object = LLVMCreateMemoryBufferWithMemoryRangeCopy(data, size, c->unit[i].symbol);
            c->stats.cached++;
            free(data);
        } else {
            missing++;
        }
    }
    return missing;
}

enum { MAX_THREADS = 64 };

static void run_threads(work *w, uint32_t threads, uint32_t missing)
{
    pthread_t id[MAX_THREADS];
    uint32_t started = 0;
    if (threads == 0) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        threads = n > 0 ? (uint32_t)n : 1;
    }
    threads = threads < missing ? threads : missing;
    threads = threads < MAX_THREADS ? threads : MAX_THREADS;
    while (started + 1 < threads && pthread_create(&id[started], NULL, make_objects, w) == 0)
        started++;
    make_objects(w);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(id[i], NULL);
}

static bool get_objects(sn_compiled *c, const sn_codegen_options *o, sn_diags *diags)
{
    work w = {.c = c, .cache = -1};
    if (o && o->cache_dir) {
        const char *why;
        w.cache = sn_cache_open(o->cache_dir, &why);
        if (w.cache < 0)
            sn_diag_add(diags, SN_WARNING, (sn_loc){0}, NULL, "the object cache %s is not used: %s", o->cache_dir, why);
    }
    uint32_t missing = read_cache(c, w.cache);
    if (missing)
        run_threads(&w, o ? o->threads : 0, missing);
    sn_cache_close(w.cache);
    bool ok = true;
    for (uint32_t i = 0; i < c->units; i++)
        if (!c->unit[i].object) {
            const sn_kernel *k = c->unit[i].plan->k;
            sn_error(diags, k->loc, k->name, "no code was generated, %s", c->unit[i].why ? c->unit[i].why : "the target is not available");
            ok = false;
        }
    return ok;
}

/* ---- loading ---- */

static bool load(sn_compiled *c, sn_diags *diags)
{
    char *why = NULL;
    c->jit = sn_jit_new(&why);
    bool ok = c->jit != NULL;
    for (uint32_t i = 0; ok && i < c->units; i++) {
        ok = sn_jit_add(c->jit, c->unit[i].object, &why);
        c->unit[i].object = NULL;
    }
    for (uint32_t i = 0; ok && i < c->units; i++) {
        sn_unit *u = &c->unit[i];
        for (uint32_t j = 0; ok && j < u->plan->calls; j++) {
            void *address = sn_jit_find(c->jit, sn_format(&c->arena, "%s_%u", u->symbol, j), &why);
            ok = address != NULL;
            memcpy(&u->fn[j], &address, sizeof address);
        }
    }
    if (!ok)
        sn_error(diags, (sn_loc){0}, NULL, "compiled code cannot be loaded, %s", why ? why : "no reason given");
    free(why);
    return ok;
}

sn_compiled *sn_compile(const sn_schedule *s, const sn_codegen_options *options, sn_diags *diags)
{
    double start = now();
    sn_compiled *c = calloc(1, sizeof *c);
    SN_ASSERT(c != NULL, "out of memory");
    sn_arena_init(&c->arena);
    c->s = s;
    bool ok = sn_target_find(options ? options->cpu : NULL, &c->target, diags);
    if (ok && !c->target.runs_here) {
        sn_error(diags, (sn_loc){0}, NULL, "this machine cannot run code for %s", c->target.cpu);
        ok = false;
    }
    ok = ok && make_plans(c, diags);
    if (ok) {
        make_units(c);
        ok = get_objects(c, options, diags) && load(c, diags);
    }
    if (!ok) {
        sn_compiled_free(c);
        return NULL;
    }
    sn_program_fill(c, diags);
    c->stats.kernels = c->program.calls;
    c->stats.distinct = c->units;
    c->stats.seconds = now() - start;
    return c;
}

void sn_compiled_free(sn_compiled *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->units; i++) {
        if (c->unit[i].object)
            LLVMDisposeMemoryBuffer(c->unit[i].object);
        free(c->unit[i].why);
    }
    sn_jit_free(c->jit);
    sn_arena_fini(&c->arena);
    free(c);
}

const sn_abi_program *sn_compiled_program(const sn_compiled *c)
{
    return &c->program;
}

sn_compile_stats sn_compiled_stats(const sn_compiled *c)
{
    return c->stats;
}
