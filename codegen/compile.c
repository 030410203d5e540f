/* From a schedule to loaded functions: plan every kernel, merge equal ones, take images from the cache or make them in parallel.
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
        all[i] = (sn_unit){.plan = &c->plan[i], .key = sn_key_make(&c->target, text), .weight = c->plan[i].calls * (uint32_t)strlen(text)};
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
        c->unit[i].symbol = sn_plan_is_assembly(c->unit[i].plan) ? sn_symbol_of(&c->arena, c->unit[i].plan->k->name)
                            : c->ahead || c->target.debug ? sn_format(&c->arena, "%s%s.%s", c->prefix, c->unit[i].plan->k->name, c->target.name)
                                     : sn_format(&c->arena, "%s%s", c->prefix, c->unit[i].key.text);
}

/* ---- images: objects made in batches, cut into kernels ---- */

/* Two threads make some twenty objects: enough for both to end together, few enough that kin meet in one. */
enum { MAX_THREADS = 64, BATCH_UNITS = 16, BATCHES_A_THREAD = 10 };

typedef struct batch { /* units of one object */
    sn_unit **unit;
    uint32_t  units, weight;
} batch;

typedef struct work {
    sn_compiled     *c;
    int              cache;
    sn_unit        **missing; /* kin beside kin */
    batch           *batch;   /* heaviest first, so that no thread is left with a long one at the end */
    uint32_t         count, batches, threads;
    _Atomic uint32_t next;
} work;

static int compare_kin(const void *a, const void *b)
{
    const sn_unit *x = *(sn_unit *const *)a, *y = *(sn_unit *const *)b;
    return x->plan->kin != y->plan->kin ? (x->plan->kin > y->plan->kin) - (x->plan->kin < y->plan->kin) : compare_units(x, y);
}

static int compare_batches(const void *a, const void *b)
{
    const batch *x = a, *y = b;
    return x->weight != y->weight ? (x->weight < y->weight) - (x->weight > y->weight) : compare_units(x->unit[0], y->unit[0]);
}

/* Assembly is an object of its own, because its text may define what another's does; gdb gets whole objects. */
static bool is_alone(const sn_compiled *c, const sn_unit *u) { return sn_plan_is_assembly(u->plan) || (c->target.debug && !c->ahead); }

static void make_batches(work *w)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < w->count; i++)
        total += w->missing[i]->weight;
    qsort(w->missing, w->count, sizeof *w->missing, compare_kin);
    w->batch = sn_new_n(&w->c->arena, batch, w->count + 1);
    for (uint32_t i = 0; i < w->count; i++) {
        sn_unit *u = w->missing[i];
        batch *b = w->batches ? &w->batch[w->batches - 1] : NULL;
        if (!b || b->units == BATCH_UNITS || (b->weight + u->weight) * BATCHES_A_THREAD * w->threads > total || is_alone(w->c, u) || is_alone(w->c, b->unit[0])) {
            b = &w->batch[w->batches++];
            *b = (batch){.unit = &w->missing[i]};
        }
        b->units++;
        b->weight += u->weight;
    }
    qsort(w->batch, w->batches, sizeof *w->batch, compare_batches);
}

static void cut_images(const work *w, sn_unit *const *unit, uint32_t n, LLVMMemoryBufferRef object)
{
    for (uint32_t i = 0; i < n; i++) {
        sn_unit *u = unit[i];
        u->image = sn_image_make(LLVMGetBufferStart(object), LLVMGetBufferSize(object), u->symbol, u->plan->calls, &u->why);
        u->made = u->image != NULL;
        if (u->made && w->c->target.debug) {
            u->object_size = LLVMGetBufferSize(object);
            u->object = sn_image_object(LLVMGetBufferStart(object), u->object_size, u->symbol, u->plan->calls);
        }
        if (u->image && w->cache >= 0) /* a full disk costs only time: the image is in memory */
            sn_cache_write(w->cache, u->key.text, u->image, sizeof *u->image + u->image->size);
    }
}

static void keep_object(sn_compiled *c, sn_unit *const *unit, uint32_t n, LLVMMemoryBufferRef object)
{
    pthread_mutex_lock(&c->lock);
    c->object[c->objects++] = object;
    pthread_mutex_unlock(&c->lock);
    for (uint32_t i = 0; i < n; i++)
        unit[i]->made = true;
}

static LLVMMemoryBufferRef generate(const work *w, const batch *of, LLVMTargetMachineRef machine)
{
    if (sn_plan_is_assembly(of->unit[0]->plan))
        return sn_object_assemble(of->unit[0]->plan, machine, &of->unit[0]->why);
    sn_batch *b = sn_batch_new(&w->c->target, machine);
    bool      ok = true;
    for (uint32_t i = 0; i < of->units && ok; i++)
        ok = sn_batch_add(b, of->unit[i]->plan, of->unit[i]->symbol, &of->unit[i]->why);
    LLVMMemoryBufferRef object = ok ? sn_batch_finish(b, &of->unit[0]->why) : NULL;
    sn_batch_free(b);
    return object;
}

static void make_batch(work *w, const batch *b, LLVMTargetMachineRef machine)
{
    LLVMMemoryBufferRef object = generate(w, b, machine);
    if (object && w->c->ahead) {
        keep_object(w->c, b->unit, b->units, object);
    } else if (object) {
        cut_images(w, b->unit, b->units, object);
        LLVMDisposeMemoryBuffer(object);
    }
}

static void *make_images(void *arg)
{
    work *w = arg;
    LLVMTargetMachineRef machine = sn_target_machine(&w->c->target);
    for (uint32_t i; machine && (i = atomic_fetch_add(&w->next, 1)) < w->batches;)
        make_batch(w, &w->batch[i], machine);
    if (machine)
        LLVMDisposeTargetMachine(machine);
    return NULL;
}

static void read_cache(work *w)
{
    sn_compiled *c = w->c;
    for (uint32_t i = 0; i < c->units; i++) {
        sn_unit *u = &c->unit[i];
        size_t   size;
        void    *data = w->cache >= 0 ? sn_cache_read(w->cache, u->key.text, &size) : NULL;
        if (data && sn_image_fits(data, size, u->plan->calls)) {
            u->image = data;
            u->made = true;
            c->stats.cached++;
        } else {
            free(data);
            w->missing[w->count++] = u;
        }
    }
}

static void run_threads(work *w, uint32_t threads)
{
    pthread_t id[MAX_THREADS];
    uint32_t started = 0;
    if (threads == 0) {
        long n = sysconf(_SC_NPROCESSORS_ONLN);
        threads = n > 0 ? (uint32_t)n : 1;
    }
    threads = threads < w->count ? threads : w->count;
    w->threads = threads < MAX_THREADS ? threads : MAX_THREADS;
    make_batches(w);
    while (started + 1 < w->threads && pthread_create(&id[started], NULL, make_images, w) == 0)
        started++;
    make_images(w);
    for (uint32_t i = 0; i < started; i++)
        pthread_join(id[i], NULL);
}

/* Kernels of a batch that failed have no reason of their own. */
static bool complain(const sn_compiled *c, sn_diags *diags)
{
    uint32_t missing = 0, told = 0;
    for (uint32_t i = 0; i < c->units; i++) {
        const sn_unit *u = &c->unit[i];
        missing += !u->made;
        if (u->made || !u->why)
            continue;
        sn_error(diags, u->plan->k->loc, u->plan->k->name, "no code was generated, %s", u->why);
        told++;
    }
    if (missing && !told)
        sn_error(diags, (sn_loc){0}, NULL, "no code was generated, LLVM has no code generator for %s", c->target.triple);
    return missing == 0;
}

static bool get_images(sn_compiled *c, const sn_codegen_options *o, sn_diags *diags)
{
    work w = {.c = c, .cache = -1, .missing = sn_new_n(&c->arena, sn_unit *, c->units + 1)};
    if (o && o->cache_dir && !c->target.debug) { /* images say nothing of lines */
        const char *why;
        w.cache = sn_cache_open(o->cache_dir, &why);
        if (w.cache < 0)
            sn_diag_add(diags, SN_WARNING, (sn_loc){0}, NULL, "the object cache %s is not used: %s", o->cache_dir, why);
    }
    read_cache(&w);
    if (w.count)
        run_threads(&w, o ? o->threads : 0);
    sn_cache_close(w.cache);
    return complain(c, diags);
}

/* ---- loading ---- */

static void show_gdb(sn_unit *u, uint32_t first_entry)
{
    const unsigned char *entry;
    memcpy(&entry, &u->fn[0], sizeof entry);
    u->gdb = sn_gdb_add(u->object, u->object_size, entry - first_entry);
    u->object = NULL;
}

static bool load(sn_compiled *c, sn_diags *diags)
{
    char      *why = NULL;
    sn_image **image = sn_new_n(&c->arena, sn_image *, c->units + 1);
    for (uint32_t i = 0; i < c->units; i++)
        image[i] = c->unit[i].image;
    c->jit = sn_jit_new(image, c->units, &why);
    if (!c->jit)
        sn_error(diags, (sn_loc){0}, NULL, "compiled code cannot be loaded, %s", why ? why : "no reason given");
    free(why);
    for (uint32_t i = 0; c->jit && i < c->units; i++) {
        for (uint32_t j = 0; j < c->unit[i].plan->calls; j++)
            c->unit[i].fn[j] = sn_jit_entry(c->jit, i, j);
        if (c->unit[i].object)
            show_gdb(&c->unit[i], image[i]->entry[0]);
        free(image[i]);
        c->unit[i].image = NULL;
    }
    return c->jit != NULL;
}

static sn_compiled *compiled_new(const sn_schedule *s, const char *prefix)
{
    sn_compiled *c = calloc(1, sizeof *c);
    SN_ASSERT(c != NULL, "out of memory");
    sn_arena_init(&c->arena);
    pthread_mutex_init(&c->lock, NULL);
    c->s = s;
    c->prefix = prefix;
    return c;
}

/* Fill the tables, or give everything back. */
static sn_compiled *compiled_finish(sn_compiled *c, bool ok, double start, sn_diags *diags)
{
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

/* It was asked for, so failing at it is failing. */
static sn_compiled *write_down(sn_compiled *c, const char *folder, sn_diags *diags)
{
    char  *why = NULL;
    size_t size;
    const void *code = sn_jit_code(c->jit, &size);
    if (sn_jitdump(folder, &c->program, code, size, &why))
        return c;
    sn_error(diags, (sn_loc){0}, NULL, "code was not written down for perf, %s", why ? why : "no reason given");
    free(why);
    sn_compiled_free(c);
    return NULL;
}

sn_compiled *sn_compile(const sn_schedule *s, const sn_codegen_options *options, sn_diags *diags)
{
    double start = now();
    sn_compiled *c = compiled_new(s, "sn_");
    bool ok = sn_target_find(options ? options->cpu : NULL, &c->target, diags);
    c->target.debug = options && options->debug;
    if (ok && !c->target.runs_here) {
        sn_error(diags, (sn_loc){0}, NULL, "this machine cannot run code for %s", c->target.name);
        ok = false;
    }
    if (ok && c->target.debug && options->code) {
        sn_error(diags, (sn_loc){0}, NULL, "code from a file has no lines for gdb: %s and SINEW_GDB exclude each other", options->code);
        ok = false;
    }
    ok = ok && make_plans(c, diags) && (!options || !options->code || sn_replace_read(options->code, c->plan, s->kernels, diags));
    if (ok) {
        make_units(c);
        ok = get_images(c, options, diags) && load(c, diags);
    }
    c = compiled_finish(c, ok, start, diags);
    return c && options && options->jitdump ? write_down(c, options->jitdump, diags) : c;
}

sn_compiled *sn_compile_objects(const sn_schedule *s, const char *cpu, const char *prefix, bool debug, sn_diags *diags)
{
    double start = now();
    sn_compiled *c = compiled_new(s, prefix);
    c->ahead = true;
    bool ok = sn_target_find(cpu, &c->target, diags);
    c->target.debug = debug;
    ok = ok && make_plans(c, diags);
    if (ok) {
        make_units(c);
        c->object = sn_new_n(&c->arena, LLVMMemoryBufferRef, c->units + 1);
        ok = get_images(c, NULL, diags);
    }
    return compiled_finish(c, ok, start, diags);
}

void sn_compiled_free(sn_compiled *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->units; i++) {
        sn_gdb_remove(c->unit[i].gdb);
        free(c->unit[i].image);
        free(c->unit[i].object);
        free(c->unit[i].why);
    }
    for (uint32_t i = 0; i < c->objects; i++)
        LLVMDisposeMemoryBuffer(c->object[i]);
    pthread_mutex_destroy(&c->lock);
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

const char *sn_compiled_code(const sn_compiled *c, uint32_t kernel) { return c->plan[kernel].code; }

uint32_t sn_compiled_kernel(const sn_compiled *c, uint32_t call, bool *out_last)
{
    uint32_t kernel = 0, end = c->plan[0].calls;
    while (call >= end)
        end += c->plan[++kernel].calls;
    *out_last = call + 1 == end;
    return kernel;
}
