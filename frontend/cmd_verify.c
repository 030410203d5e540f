/* The verb `verify`: are the numbers of a program's kernels right, and if not, which kernel is wrong?
 * Not the comparison (numerics.c). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ir/text.h"
#include "../runtime/train/batches.h"
#include "case.h"
#include "cli.h"
#include "training.h"
#include "numerics.h"

typedef struct options {
    char        *module, *mode, *weights, *prefix, *cpu, *data, *splits, *code, *kernel, *dir;
    const char **set, **in, **grad;
    long long    seed;
    int          threads, trap;
    double       tolerance, drift;
} options;

/* One program under verification. */
typedef struct job {
    const options     *o;
    const char        *file, *what; /* "a training step", "inference" */
    const sn_model    *model;
    sn_program_options how;
    sn_training       *training;    /* of a recipe, or NULL */
    sn_program         fused, alone;
    sn_bound           of_fused, of_alone;
    sn_numerics          v;
    sn_diags          *diags;
    sn_arena          *arena;
    const char       **label;       /* of nodes */
    sn_trap            trap;
    bool               wrote, failed; /* the case; it could not be written */
    uint32_t           extents;     /* of --set that are extents of a stage's dimensions */
    uint32_t           inputs, grads; /* "x=X.npy" of --in and --grad that name a file */
    const char       **names;
} job;

static void say(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "sinew verify: %s\n", text);
}

/* ---- making both builds ------------------------------------------------------------------------------------------------- */

static bool compile(job *j)
{
    sn_program_options alone = j->how;
    j->how.code = j->o->code;
    if (j->training) j->fused = j->training->program;
    else if (!sn_program_make(j->model, &j->how, &j->fused, j->diags)) return false;
    alone.skip_pass = "fuse";
    return sn_program_make(j->model, &alone, &j->alone, j->diags);
}

static void set_extents(job *j, sn_bound *b)
{
    for (uint32_t i = 0; j->training && i < b->program->symbols; i++) b->extent[i] = j->training->extent[i];
    for (uint32_t i = 0; i < j->extents; i++) sn_bound_extent(b, j->o->set[i]);
}

static bool start(job *j, sn_bound *b, const sn_program *p)
{
    const options *o = j->o;
    const sn_bound_start_options how = {o->weights, o->prefix ? sn_format(j->arena, "%s.", o->prefix) : NULL, (uint64_t)o->seed, o->threads, j->how.training};
    sn_bound_init(b, p->abi, say, NULL);
    set_extents(j, b);
    sn_bound_read(b, j->names, j->inputs, j->grads);
    sn_bound_draw(b, (uint64_t)o->seed);
    return sn_bound_start(b, &how);
}

/* ---- a real batch ------------------------------------------------------------------------------------------------------- */

static void copy_inputs(const job *j, const sn_bound *b, const float *const *input)
{
    const sn_training *t = j->training;
    for (uint32_t i = 0; i < t->inputs; i++) {
        const uint32_t param = sn_rt_find_param(b->program, t->input[i]);
        memcpy(b->array[param].data, input[i], b->array[param].bytes);
    }
}

/* As pretraining and finetuning read them; with classes if the recipe has labels. */
static bool open_loader(const job *j, const sn_rt_dataset *set, sn_rt_classes **classes, sn_rt_loader_config *config, sn_rt_loader **out, sn_rt_error *err)
{
    const sn_recipe *r = &j->training->recipe;
    *config = (sn_rt_loader_config){.set = set, .splits = j->o->splits, .seed = (uint64_t)j->o->seed, .batch = (uint32_t)r->batch, .frames = (uint32_t)r->frames,
                                    .persons = j->training->persons, .views = r->views};
    for (uint32_t v = 0; v < r->views && v < SN_RT_MAX_VIEWS; v++) config->view[v] = r->view[v].augment;
    if (r->labels && sn_rt_classes_new(set, NULL, classes, err) != SN_RT_OK) return false;
    config->classes = *classes;
    return sn_rt_loader_open(config, out, err) == SN_RT_OK;
}

static bool take_batch(job *j)
{
    sn_rt_error err = {""};
    sn_rt_dataset *set = NULL;
    sn_rt_classes *classes = NULL;
    sn_rt_loader *loader = NULL;
    sn_rt_loader_config config;
    sn_rt_batches batches = {0};
    const float *const *input = NULL;
    bool ok = sn_rt_dataset_open(j->o->data, &set, &err) == SN_RT_OK && open_loader(j, set, &classes, &config, &loader, &err) &&
              sn_rt_batches_init(&batches, loader, &config, &err) == SN_RT_OK;
    for (uint32_t i = 0; ok && i < config.views; i++) {
        const size_t floats = (size_t)config.batch * config.persons * config.frames * sn_rt_loader_joints(loader) * 3;
        const uint32_t param = sn_rt_find_param(j->fused.abi, j->training->input[i]);
        ok = j->of_fused.array[param].bytes == floats * sizeof(float);
        if (!ok) sn_rt_fail(&err, SN_RT_BAD_SHAPE, "%s has %zu joints, input %s has another number", j->o->data, sn_rt_loader_joints(loader), j->training->input[i]);
    }
    if (ok) {
        const sn_rt_source source = sn_rt_batches_source(&batches);
        ok = source.next(source.context, 0, &input, &err) == SN_RT_OK;
    }
    if (ok) copy_inputs(j, &j->of_fused, input), copy_inputs(j, &j->of_alone, input);
    if (!ok) say(NULL, err.text);
    sn_rt_batches_fini(&batches);
    sn_rt_loader_close(loader);
    sn_rt_classes_free(classes);
    sn_rt_dataset_free(set);
    return ok;
}

/* The number of the epoch is 1, as in a run's first steps. */
static void set_epoch(const job *j, const sn_bound *b)
{
    const uint32_t param = j->training && j->training->recipe.epoch ? sn_rt_find_param(b->program, j->training->recipe.epoch) : SN_RT_NONE;
    if (param != SN_RT_NONE) *(float *)b->array[param].data = 1;
}

/* ---- a kernel as a case ------------------------------------------------------------------------------------------------- */

static void write_case(void *context, uint32_t kernel)
{
    job *j = context;
    const sn_case c = {.dir = j->o->dir, .program = &j->fused, .bound = &j->of_fused, .kernel = kernel, .training = j->how.training, .seed = (uint64_t)j->o->seed,
                       .options = sn_format(j->arena, " --tolerance %g --drift %g%s%s", j->o->tolerance, j->o->drift,
                                            j->o->cpu ? " --cpu " : "", j->o->cpu ? j->o->cpu : "")};
    sn_rt_error err;
    j->wrote = sn_case_write(&c, &err) == SN_RT_OK;
    if (j->wrote) return;
    say(NULL, err.text);
    j->failed = true;
}

/* The kernel that --kernel names: in full, or the only one that contains it. */
static bool find_kernel(job *j, uint32_t *out)
{
    const sn_schedule *s = j->fused.schedule;
    uint32_t found = 0;
    *out = UINT32_MAX;
    for (uint32_t i = 0; j->o->kernel && i < s->kernels; i++) {
        if (!strstr(s->kernel[i].name, j->o->kernel)) continue;
        found++;
        *out = i;
        if (strcmp(s->kernel[i].name, j->o->kernel) == 0) return true;
    }
    if (!j->o->kernel || found == 1) return true;
    fprintf(stderr, "sinew verify: --kernel %s: %u kernels of that name\n", j->o->kernel, found);
    return false;
}

/* ---- report ------------------------------------------------------------------------------------------------------------- */

static const char *kernel_place(const job *j, const sn_program *p, uint32_t kernel)
{
    const char *place = sn_diags_place(j->diags, p->schedule->kernel[kernel].loc, j->arena);
    return *place ? place : "made by a pass";
}

static void print_index(const sn_ref_array *a, size_t element)
{
    int64_t at[SN_MAX_RANK];
    for (int i = a->rank - 1; i >= 0; i--) {
        at[i] = (int64_t)(element % (size_t)a->dim[i]);
        element /= (size_t)a->dim[i];
    }
    putchar('[');
    for (int i = 0; i < a->rank; i++) printf("%s%lld", i ? "," : "", (long long)at[i]);
    putchar(']');
}

static void print_build(const job *j, const char *name, const sn_program *p, const sn_numerics_build *b)
{
    const sn_kernel *k = p->schedule->kernel;
    printf("  %s %u kernels, %u values\n    own     %.1e at most", name, b->kernels, b->values, b->own);
    if (b->own > 0) printf("   %s  %s", k[b->own_kernel].name, kernel_place(j, p, b->own_kernel));
    printf("\n    drift   %.1e at most", b->drift);
    if (b->drift > 0) printf("   %s  %s", k[b->drift_kernel].name, kernel_place(j, p, b->drift_kernel));
    putchar('\n');
}

static void print_fault(const job *j, const char *name, const sn_program *p, const sn_numerics_fault *f)
{
    const sn_kernel *k = &p->schedule->kernel[f->kernel];
    const sn_node *n = sn_at(p->schedule->g, f->node);
    const char *place = sn_diags_place(j->diags, n->loc, j->arena);
    printf("first kernel out of tolerance, %s: %s (%s), number %u of %u\n", name, k->name, kernel_place(j, p, f->kernel), f->kernel, p->schedule->kernels);
    printf("  value %%%s = %s", j->label[f->node.i], sn_op_get(n->op)->name);
    if (*place) printf(" (%s)", place);
    printf(" at ");
    print_index(sn_ref_value(j->v.whole, f->node), f->element);
    printf(": found %.9g, expected %.9g\n  ", f->found, f->expected);
    if (f->drifted) printf("drift %.2e, allowed %.2e: no kernel is wrong by itself, rounding errors have grown\n", f->error, f->allowed);
    else printf("error %.2e of the largest number, allowed %.2e\n", f->error, f->allowed);
}

/* Is the operator wrong by itself, or only in this kernel? */
static void print_blame(const job *j)
{
    const sn_numerics *v = &j->v;
    const sn_numerics_fault *f = &v->of_fused.fault;
    if (!v->of_fused.failed || f->drifted || v->of_alone.failed) return;
    printf("  the node as a kernel of its own has error %.1e: what is wrong is how this kernel computes it\n", v->alone_own[f->node.i]);
}

static int report(const job *j)
{
    const sn_numerics *v = &j->v;
    printf("%s: %s of module %s", j->file, j->what, j->how.module);
    for (uint32_t i = 0; i < j->fused.abi->symbols; i++) printf(", %s = %lld", j->fused.abi->symbol[i], (long long)j->of_fused.extent[i]);
    putchar('\n');
    print_build(j, "every node alone:", &j->alone, &v->of_alone);
    print_build(j, "fused:", &j->fused, &v->of_fused);
    if (!v->of_alone.failed && !v->of_fused.failed) printf("    between %.1e at most of the two builds\n", v->between);
    if (v->of_alone.failed) print_fault(j, "every node alone", &j->alone, &v->of_alone.fault);
    if (v->of_fused.failed) print_fault(j, "fused", &j->fused, &v->of_fused.fault);
    print_blame(j);
    if (j->wrote) printf("  %s/again runs it alone\n", j->o->dir);
    return v->of_alone.failed || v->of_fused.failed ? SN_EXIT_FAILED : SN_EXIT_OK;
}

/* ---- passes ------------------------------------------------------------------------------------------------------------- */

/* The first pass after which an output is another; the graph that is compared with is that after the passes before. */
static int blame_pass(const job *j, const char *last)
{
    uint32_t n;
    char text[512];
    const sn_pass_info *pass = sn_passes_list(&n);
    sn_graph *before = sn_model_elaborate(j->model, &j->how, j->diags);
    for (uint32_t i = 0; before && i < n; i++) {
        sn_graph *after = sn_program_graph(j->model, &j->how, pass[i].name, j->diags);
        if (after && !sn_numerics_same(&j->v, before, after, text, sizeof text)) {
            printf("first pass that changes the program: %s: %s\n", pass[i].name, text);
            sn_graph_free(after);
            sn_graph_free(before);
            return SN_EXIT_FAILED;
        }
        sn_graph_free(before);
        before = after;
    }
    sn_graph_free(before);
    printf("the passes together change the program: %s\n", last);
    return SN_EXIT_FAILED;
}

/* Outputs as elaborated, gradients as differentiated, against those of the graph that kernels are made of. */
static int check_passes(const job *j)
{
    char text[512];
    int code = SN_EXIT_OK;
    bool trains;
    sn_graph *plain = sn_model_is_stage(j->model, &trains) ? sn_model_elaborate(j->model, &j->how, j->diags)
                                                           : sn_program_graph(j->model, &j->how, j->how.requests ? "autodiff" : "drop_updates", j->diags);
    if (!plain) return SN_EXIT_FAILED;
    if (!sn_numerics_same(&j->v, plain, NULL, text, sizeof text)) code = blame_pass(j, text);
    else printf("  passes: outputs, updates and gradients as before them\n");
    sn_graph_free(plain);
    return code;
}

/* ---- one program -------------------------------------------------------------------------------------------------------- */

static bool fits_memory(const job *j)
{
    const double need = 1.3 * sn_numerics_bytes(&j->v.fused), have = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    if (need < 0.8 * have) return true;
    fprintf(stderr, "sinew verify: %s: every value in double precision takes %.1f GiB, there are %.1f: make it smaller%s\n", j->file,
            need / (1 << 30), have / (1 << 30), j->training ? ", such as --set batch=2 --set frames=64" : ", such as --set N=1 --set T=32");
    return false;
}

static int verify_program(job *j)
{
    int code = SN_EXIT_FAILED;
    if (!compile(j)) {
        sn_cli_report(j->diags);
    } else {
        uint32_t kernel;
        const bool started = find_kernel(j, &kernel) && start(j, &j->of_fused, &j->fused) && start(j, &j->of_alone, &j->alone);
        j->label = sn_node_labels(j->fused.schedule->g, j->arena);
        j->v = (sn_numerics){.fused = {&j->fused, &j->of_fused}, .alone = {&j->alone, &j->of_alone}, .seed = (uint64_t)j->o->seed, .tolerance = j->o->tolerance,
                           .drift = j->o->drift, .catch = kernel, .caught = j->o->dir ? write_case : NULL, .context = j};
        if (started && j->o->trap) {
            j->trap = (sn_trap){.program = &j->fused, .session = j->of_fused.session, .diags = j->diags, .seed = (uint64_t)j->o->seed, .sample = -1};
            j->v.trap = &j->trap;
        }
        if (started) set_epoch(j, &j->of_fused), set_epoch(j, &j->of_alone);
        if (started && fits_memory(j) && (!j->o->data || take_batch(j)) && sn_numerics_run(&j->v)) {
            code = report(j);
            const int passes = check_passes(j);
            code = j->failed ? SN_EXIT_FAILED : code == SN_EXIT_OK ? passes : code;
        }
        sn_trap_print(&j->trap, NULL, NULL);
        sn_numerics_fini(&j->v);
        if (j->of_fused.program) sn_bound_fini(&j->of_fused);
        if (j->of_alone.program) sn_bound_fini(&j->of_alone);
    }
    if (j->alone.compiled) sn_program_fini(&j->alone);
    if (!j->training && j->fused.compiled) sn_program_fini(&j->fused);
    return code;
}

/* ---- what there is to verify -------------------------------------------------------------------------------------------- */

/* The recipe's step. */
static int verify_step(job *j)
{
    sn_training t;
    sn_rt_error err = {""};
    int code = SN_EXIT_FAILED;
    if (sn_training_open(&t, j->file, j->o->set, sn_cli_count(j->o->set), j->how.cache_dir, j->o->cpu, j->o->code, &err)) {
        const sn_autodiff_request loss = {.output = t.recipe.loss, .weights = true};
        j->training = &t;
        j->diags = &t.diags;
        j->model = t.model;
        j->what = "a training step";
        j->how.module = t.recipe.module;
        j->how.training = true;
        j->how.request = &loss;
        j->how.requests = 1;
        code = verify_program(j);
    } else {
        sn_training_complain(&t, "verify", &err);
    }
    sn_training_close(&t);
    return code;
}

/* Gradients of the outputs asked for, or of all; those given with a file come after the inputs in names[]. */
static bool set_requests(job *j)
{
    const options *o = j->o;
    sn_graph *g = sn_model_elaborate(j->model, &j->how, j->diags);
    if (!g) return false;
    const uint32_t asked = sn_cli_count(o->grad), n = asked ? asked : g->outputs;
    sn_autodiff_request *q = sn_new_n(j->arena, sn_autodiff_request, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        const char *output = asked ? sn_strndup(j->arena, o->grad[i], strcspn(o->grad[i], "=")) : sn_strdup(j->arena, g->output[i].name);
        q[i] = (sn_autodiff_request){output, sn_format(j->arena, "seed.%s", output), true, true};
        if (asked && strchr(o->grad[i], '=')) j->names[j->inputs + j->grads++] = o->grad[i];
    }
    j->how.request = q;
    j->how.requests = n;
    sn_graph_free(g);
    return true;
}

/* Inference, then training with gradients; or what --mode says. */
static int verify_module(job *j)
{
    bool trains;
    const bool stage = sn_model_is_stage(j->model, &trains);
    if (stage) j->extents = j->how.sets, j->how.sets = 0;
    const char *mode = stage ? trains ? "train" : "infer" : j->o->mode;
    const char *module = j->o->module ? j->o->module : sn_model_main(j->model);
    int code = SN_EXIT_OK;
    for (int training = 0; training < 2 && !j->diags->errors; training++) {
        if (mode && (strcmp(mode, "train") == 0) != training) continue;
        job one = *j;
        one.how.module = module;
        one.how.training = training;
        one.what = stage ? "a stage" : training ? "training, with gradients," : "inference";
        const bool ok = stage || (!training && !one.o->grad) || set_requests(&one);
        const int found = ok ? verify_program(&one) : sn_cli_report(j->diags);
        code = code == SN_EXIT_OK ? found : code;
    }
    return code;
}

static int verify(const char *file, const options *o)
{
    char cache[4096];
    sn_diags diags;
    sn_arena arena;
    int code = SN_EXIT_FAILED;
    sn_diags_init(&diags);
    sn_arena_init(&arena);
    job j = {.o = o, .file = file, .diags = &diags, .arena = &arena, .inputs = sn_cli_count(o->in)};
    j.how = (sn_program_options){.set = o->set, .sets = sn_cli_count(o->set), .cpu = o->cpu, .cache_dir = sn_cache_dir(cache, sizeof cache)};
    j.names = sn_new_n(&arena, const char *, j.inputs + sn_cli_count(o->grad) + 1);
    for (uint32_t i = 0; i < j.inputs; i++) j.names[i] = o->in[i];
    sn_model *m = sn_model_load(file, &diags);
    j.model = m;
    if (!m) code = sn_cli_report(&diags);
    else if (sn_model_has_recipe(m) && !o->module && !o->mode) code = verify_step(&j);
    else if (o->data) code = sn_cli_usage("verify", "--data is for recipes: %s has none", file);
    else code = verify_module(&j);
    sn_model_free(m);
    sn_arena_fini(&arena);
    sn_diags_fini(&diags);
    return code;
}

/* ---- command line ------------------------------------------------------------------------------------------------------- */

static int check_usage(const options *o, uint32_t files)
{
    if (!files) return sn_cli_usage("verify", "FILE is missing");
    if (sn_cli_threads_fault(o->threads)) return sn_cli_usage("verify", "%s", sn_cli_threads_fault(o->threads));
    if (o->mode && strcmp(o->mode, "train") != 0 && strcmp(o->mode, "infer") != 0) return sn_cli_usage("verify", "--mode %s: expected train or infer", o->mode);
    for (uint32_t i = 0; i < sn_cli_count(o->in); i++)
        if (!strchr(o->in[i], '=')) return sn_cli_usage("verify", "--in %s: expected NAME=X.npy", o->in[i]);
    if (!(o->tolerance > 0) || !(o->drift >= 0)) return sn_cli_usage("verify", "--tolerance is above 0, --drift not below");
    if (o->prefix && !o->weights) return sn_cli_usage("verify", "--prefix is for --weights");
    if (o->kernel && !o->dir) return sn_cli_usage("verify", "--kernel is for --case");
    return SN_EXIT_OK;
}

int sn_cmd_verify(int argc, const char **argv)
{
    options o = {.tolerance = 1e-4, .drift = 1e-2};
    const char **file;
    uint32_t files;
    const struct poptOption table[] = {
        SN_CLI_PROGRAM_OPTIONS(o),
        {"mode", '\0', POPT_ARG_STRING, &o.mode, 0, "infer, or train: with gradients; of a file without recipe both (default)", "MODE"},
        {"grad", '\0', POPT_ARG_ARGV, &o.grad, 0, "with gradients of this output alone; may be repeated", "OUTPUT[=DY.npy]"},
        {"in", 'i', POPT_ARG_ARGV, &o.in, 0, "an input, f32; others are drawn from the seed; may be repeated", "NAME=X.npy"},
        {"data", '\0', POPT_ARG_STRING, &o.data, 0, "a recipe's inputs: the first batch of this data set", "SET"},
        {"splits", '\0', POPT_ARG_STRING, &o.splits, 0, "splits of the data set to use, comma-separated (all)", "NAMES"},
        {"weights", 'w', POPT_ARG_STRING, &o.weights, 0, "weights and states by name; without it they are drawn from the seed", "W"},
        {"prefix", '\0', POPT_ARG_STRING, &o.prefix, 0, "take weights PREFIX.name of the file for name", "PREFIX"},
        {"seed", '\0', POPT_ARG_LONGLONG, &o.seed, 0, "of inputs, weights and dropout (0)", "S"},
        {"tolerance", '\0', POPT_ARG_DOUBLE, &o.tolerance, 0, "error of a kernel by itself, of the largest number of a value (1e-4)", "E"},
        {"drift", '\0', POPT_ARG_DOUBLE, &o.drift, 0, "distance from the reference since the inputs, of the root mean square; 0: any (0.01)", "E"},
        SN_CLI_THREADS(o, "threads; results do not depend on it"),
        {"case", '\0', POPT_ARG_STRING, &o.dir, 0, "write the kernel out of tolerance here: its text, what it read, and the command `again` that runs it alone", "DIR"},
        {"kernel", '\0', POPT_ARG_STRING, &o.kernel, 0, "the kernel for --case, whether it is out of tolerance or not", "NAME"},
        {"trap-nan", '\0', POPT_ARG_NONE, &o.trap, 0, "stop where a NaN or infinity first appears in the fused build, and say where", NULL},
        {"code", '\0', POPT_ARG_STRING, &o.code, 0, "LLVM IR or assembly of kernels as show writes it, edited: their code in the fused build", "FILE"},
        {"cpu", '\0', POPT_ARG_STRING, &o.cpu, 0, "native (default), x86-64-v2, x86-64-v3, x86-64-v4", "CPU"},
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew verify", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "FILE...\n\nCompare every value that kernels store with a reference interpreter in double precision: of the fused build, and of one where\n"
                                 "every node is a kernel of its own.  A recipe's step, or a module in inference and in training with gradients.  Names the first\n"
                                 "kernel out of tolerance and the first pass that changes an output.  Exit status 1 if there is one.\n");
    int code = sn_cli_parse(popt, "verify", &file, &files);
    if (code == 0) code = check_usage(&o, files);
    for (uint32_t i = 0; i < files && code != SN_EXIT_USAGE; i++) {
        const int found = verify(file[i], &o);
        code = code == SN_EXIT_OK ? found : code;
    }
    sn_cli_list_fini(o.set), sn_cli_list_fini(o.in), sn_cli_list_fini(o.grad);
    free(o.module), free(o.mode), free(o.weights), free(o.prefix), free(o.cpu), free(o.data), free(o.splits), free(o.code), free(o.kernel), free(o.dir);
    poptFreeContext(popt);
    return code;
}
