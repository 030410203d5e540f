/* A finetuning run from opening to the model file.
 * Not the command line (cmd_finetune.c), not the loop (runtime/train/run.c). */
#include "finetune.h"

#include "../runtime/data/random.h"
#include "../runtime/train/batches.h"
#include "../runtime/train/checkpoint.h"
#include "../runtime/train/transfer.h"
#include "cli.h"
#include "model_file.h"
#include "progress.h"
#include "trap.h"
#include "validation.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a run needs, in order of opening. */
typedef struct finetuning {
    const sn_finetune_settings *how;
    char                 cache[PATH_MAX];
    sn_arena             arena;
    sn_diags             diags;
    sn_rt_dataset       *data;
    sn_rt_classes       *classes;
    bool                *train, *validate; /* [sequences] */
    sn_model            *model;    /* of the recipe */
    sn_recipe            recipe;   /* as far as it goes without being compiled */
    uint32_t             persons;  /* that a row of its views shows */
    const char         **set;      /* overrides */
    uint32_t             sets;
    sn_training          training;
    sn_rt_loader_config  config;
    sn_rt_loader        *loader;
    sn_rt_trainer       *trainer;
    sn_trap              trap;
    sn_rt_batches        batches;
    sn_validation        validation;
    char                *data_text, *graph, table[PATH_MAX];
    sn_progress          progress;
    sn_rt_status         validated; /* how validations went */
    sn_rt_error          err;
} finetuning;

static int wrong(const char *what, const char *why)
{
    fprintf(stderr, "sinew finetune: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    return SN_EXIT_FAILED;
}

/* ---- data --------------------------------------------------------------------------------------------------------------- */

/* Sequences of the splits in which a class occurs; their number. */
static size_t choose(const finetuning *f, const char *splits, bool *out)
{
    size_t n = 0;
    for (size_t i = 0; i < sn_rt_dataset_count(f->data); i++) {
        const sn_rt_sequence *s = sn_rt_dataset_at(f->data, i);
        out[i] = sn_rt_split_listed(splits, s->split) && sn_rt_classes_occur(f->classes, f->data, s);
        n += out[i];
    }
    return n;
}

/* Leave round(share * n) of the n chosen sequences, at least one: uniform, by the seed alone (decision D19). */
static bool draw_share(const finetuning *f, size_t n, bool *chosen)
{
    uint32_t    *order = calloc(n + 1, sizeof *order);
    bool        *stays = calloc(n + 1, sizeof *stays);
    size_t       keep = (size_t)fmax(1, round(f->how->share / 100 * (double)n)), at = 0;
    sn_rt_random r;
    if (order && stays) {
        sn_rt_random_start(&r, (uint64_t)f->how->seed, SN_RT_FOR_SHARE, 0, 0);
        sn_rt_random_permutation(&r, order, (uint32_t)n);
        for (size_t i = 0; i < keep && i < n; i++) stays[order[i]] = true;
        for (size_t i = 0; i < sn_rt_dataset_count(f->data); i++)
            if (chosen[i]) chosen[i] = stays[at++];
    }
    bool ok = order && stays;
    free(order);
    free(stays);
    return ok;
}

static int open_data(finetuning *f)
{
    const sn_finetune_settings *how = f->how;
    if (sn_rt_dataset_open(how->data, &f->data, &f->err) != SN_RT_OK) return wrong(f->err.text, NULL);
    if (sn_rt_classes_new(f->data, how->classes, &f->classes, &f->err) != SN_RT_OK) return wrong(how->data, f->err.text);
    f->classes->ignore_unlabelled = how->ignore_unlabelled;
    size_t n = sn_rt_dataset_count(f->data);
    f->train = calloc(n + 1, sizeof *f->train);
    f->validate = calloc(n + 1, sizeof *f->validate);
    if (!f->train || !f->validate) return wrong("no memory", NULL);
    const char *splits = how->splits ? how->splits : "train", *others = how->validate ? how->validate : "val";
    if (sn_rt_splits_check(splits, &f->err) != SN_RT_OK || sn_rt_splits_check(others, &f->err) != SN_RT_OK) return wrong(f->err.text, NULL);
    size_t trained = choose(f, splits, f->train), validated = choose(f, others, f->validate);
    if (!trained || !validated) {
        fprintf(stderr, "sinew finetune: %s: no sequence of split %s has one of the classes\n", how->data, trained ? others : splits);
        return SN_EXIT_FAILED;
    }
    if (!draw_share(f, trained, f->train)) return wrong("no memory", NULL);
    for (size_t i = trained = 0; i < n; i++) trained += f->train[i];
    for (size_t i = 0; i < n; i++)
        if (f->train[i] && f->validate[i]) return wrong(sn_rt_dataset_at(f->data, i)->id, "is in both --splits and --validate");
    fprintf(stderr, "%s: %zu classes and background, %zu sequences to train on, %zu to validate on\n", how->data, f->classes->count, trained, validated);
    return SN_EXIT_OK;
}

/* ---- recipe ------------------------------------------------------------------------------------------------------------- */

static bool sets_parameter(const char *const *set, const char *name)
{
    size_t n = strlen(name);
    for (; set && *set; set++)
        if (strncmp(*set, name, n) == 0 && (*set)[n] == '=') return true;
    return false;
}

/* The overrides of --set, and what data and mode say, in f->set.  Before them the recipe is asked whether it is one for labels: others have no such parameters. */
static int make_sets(finetuning *f)
{
    const sn_finetune_settings *how = f->how;
    uint32_t                    n = sn_cli_count(how->set);
    if (!sn_model_has_labels(f->model)) return wrong(how->recipe, "the recipe has no labels: sinew pretrain trains without");
    if (sets_parameter(how->set, "classes")) return wrong("--set classes", "the number is that of the data set's classes");
    if (sets_parameter(how->set, "clips")) return wrong("--set clips", "the number is that of the data set's clips");
    if (how->mode->frozen && sets_parameter(how->set, "frozen")) return wrong("--set frozen", "--mode says it");
    f->set = sn_new_n(&f->arena, const char *, n + 4);
    for (; f->sets < n; f->sets++) f->set[f->sets] = how->set[f->sets];
    f->set[f->sets++] = sn_format(&f->arena, "classes=%zu", f->classes->count);
    if (how->mode->frozen) f->set[f->sets++] = sn_format(&f->arena, "frozen=%d", how->mode->frozen);
    return SN_EXIT_OK;
}

/* Persons of a row: of the first view's input as the module declares it.  What is no input of frames is a fault that compiling names. */
static bool find_persons(finetuning *f, const sn_program_options *options)
{
    sn_graph *g = sn_model_elaborate(f->model, options, &f->diags);
    f->persons = 1;
    for (uint32_t i = 0; g && f->recipe.views && i < g->params; i++) {
        const sn_param *p = &g->param[i];
        bool            several = p->kind == SN_INPUT && strcmp(p->name, f->recipe.view[0].input) == 0 && p->type.rank == 5;
        if (several && sn_dim_is_const(p->type.dim[1]) && p->type.dim[1].v <= UINT32_MAX) f->persons = (uint32_t)p->type.dim[1].v;
    }
    sn_graph_free(g);
    return g != NULL;
}

/* Read the recipe, not yet compiled: how many clips there are follows from its batch and frames. */
static int open_recipe(finetuning *f)
{
    int code = SN_EXIT_FAILED;
    f->model = sn_model_load(f->how->recipe, &f->diags);
    if (f->model) code = make_sets(f);
    const sn_program_options options = {.set = f->set, .sets = f->sets, .training = true};
    bool                     read = code == SN_EXIT_OK && sn_model_recipe(f->model, &options, &f->recipe, &f->arena, &f->diags) &&
                                    find_persons(f, &options);
    if (code == SN_EXIT_OK && !read) code = SN_EXIT_FAILED;
    sn_diags_print(&f->diags, stderr);
    if (code == SN_EXIT_OK && strcmp(f->how->mode->name, "weak") == 0 && !f->recipe.clips)
        return wrong(f->how->recipe, "learns from labels of frames: --mode weak wants a recipe for videos' labels, as models/recipes/weak_stgcn.json");
    return code;
}

static int open_loader(finetuning *f)
{
    const sn_recipe *r = &f->recipe;
    if (r->views > SN_RT_MAX_VIEWS || r->batch > UINT32_MAX || r->frames > UINT32_MAX) return wrong("recipe: too many views, rows or frames", NULL);
    f->config = (sn_rt_loader_config){.set = f->data, .seed = (uint64_t)f->how->seed, .batch = (uint32_t)r->batch, .frames = (uint32_t)r->frames,
                                      .persons = f->persons, .views = r->views, .stride_seconds = f->how->stride_seconds, .classes = f->classes, .only = f->train};
    if (f->config.stride_seconds <= 0) f->config.stride_seconds = (double)r->frames / 60;
    for (uint32_t v = 0; v < r->views; v++) f->config.view[v] = r->view[v].augment;
    if (sn_rt_loader_open(&f->config, &f->loader, &f->err) != SN_RT_OK) return wrong(f->how->data, f->err.text);
    if (sn_rt_batches_init(&f->batches, f->loader, &f->config, &f->err) != SN_RT_OK) return wrong(f->err.text, NULL);
    f->data_text = sn_rt_batches_text(&f->config, f->loader);
    if (!f->data_text) return wrong("no memory", NULL);
    if (r->clips) f->set[f->sets++] = sn_format(&f->arena, "clips=%zu", sn_rt_loader_clips(f->loader));
    fprintf(stderr, "%zu clips, %llu steps an epoch of %u clips of %u frames\n", sn_rt_loader_clips(f->loader), (unsigned long long)sn_rt_loader_steps(f->loader),
            f->config.batch, f->config.frames);
    return SN_EXIT_OK;
}

static int open_training(finetuning *f)
{
    const char *dir = sn_cache_dir(f->cache, sizeof f->cache);
    if (!sn_training_open(&f->training, f->how->recipe, f->set, f->sets, dir, NULL, NULL, &f->err)) return sn_training_complain(&f->training, "finetune", &f->err), SN_EXIT_FAILED;
    sn_diags_print(&f->training.diags, stderr); /* warnings */
    sn_compile_stats c = f->training.program.stats;
    fprintf(stderr, "%s: %u kernels, %u distinct; ready in %.2f s\n", f->how->recipe, c.kernels, c.distinct, c.seconds);
    return SN_EXIT_OK;
}

/* ---- weights ------------------------------------------------------------------------------------------------------------ */

/* The file meant by --from: itself, the model of a run or its newest checkpoint. */
static void resolve(const char *from, char *out, size_t size)
{
    struct stat st;
    uint64_t    step;
    snprintf(out, size, "%s", from);
    if (stat(from, &st) != 0 || !S_ISDIR(st.st_mode)) return;
    if (sn_rt_checkpoint_newest(from, &step)) sn_rt_checkpoint_path(from, step, out, size);
    else snprintf(out, size, "%s/model.safetensors", from);
}

static int take(finetuning *f, const char *path, const sn_rt_tensors *file, const char *from, const char *part)
{
    char   to[256];
    size_t count;
    snprintf(to, sizeof to, "%s.%s", f->training.recipe.model, part);
    if (sn_rt_weights_transfer(path, file, from, sn_rt_trainer_store(f->trainer), to, &count, &f->err) != SN_RT_OK) return wrong(f->err.text, NULL);
    fprintf(stderr, "%s: %zu arrays of %s are those of %s there\n", path, count, to, from);
    return SN_EXIT_OK;
}

static int take_weights(finetuning *f)
{
    static const char *const known[] = {"q.enc", "net.enc", "enc"}, *const decoder[] = {NULL, "net.unet", "unet"};
    char                     path[PATH_MAX];
    sn_rt_tensors           *file = NULL;
    int                      code = SN_EXIT_OK, k = 0;
    if (!f->how->from) return SN_EXIT_OK;
    if (!f->training.recipe.model) return wrong(f->how->recipe, "the recipe does not say which node is its `model`");
    resolve(f->how->from, path, sizeof path);
    if (sn_rt_tensors_read(path, &file, &f->err) != SN_RT_OK) return wrong(f->err.text, NULL);
    while (k < 3 && !sn_rt_weights_have(file, known[k])) k++;
    if (f->how->prefix) code = take(f, path, file, f->how->prefix, "enc");
    else if (k == 3) code = wrong(path, "has weights of no encoder, q.enc, net.enc or enc: --prefix says what they are called");
    else code = take(f, path, file, known[k], "enc");
    if (code == SN_EXIT_OK && f->how->mode->decoder && k < 3 && decoder[k] && sn_rt_weights_have(file, decoder[k])) code = take(f, path, file, decoder[k], "unet");
    sn_rt_tensors_free(file);
    return code;
}

static int open_trainer(finetuning *f)
{
    if (sn_training_start(&f->training, (uint64_t)f->how->seed, f->how->threads, &f->trainer, &f->err) != SN_RT_OK) return wrong(f->how->recipe, f->err.text);
    size_t want = (size_t)f->config.batch * f->config.persons * f->config.frames * sn_rt_loader_joints(f->loader) * 3;
    for (uint32_t v = 0; v < f->config.views; v++)
        if (sn_rt_trainer_input_count(f->trainer, v) != want) return wrong(f->how->data, "the recipe is for another number of joints");
    fprintf(stderr, "%d threads, %.0f MiB planned\n", sn_rt_trainer_threads(f->trainer), (double)sn_rt_trainer_bytes(f->trainer) / (1 << 20));
    return take_weights(f);
}

/* ---- validation and the model ------------------------------------------------------------------------------------------- */

static int open_validation(finetuning *f)
{
    uint64_t newest = 0;
    f->validation = (sn_validation){.set = f->data, .classes = f->classes, .only = f->validate};
    snprintf(f->table, sizeof f->table, "%s/validation.csv", f->how->out);
    if (!f->how->resume || !sn_rt_checkpoint_newest(f->how->out, &newest)) newest = 0;
    if (sn_validation_open(&f->validation, &f->training, f->trainer, sn_cache_dir(f->cache, sizeof f->cache), f->table,
                           newest / sn_rt_loader_steps(f->loader), &f->err)) return SN_EXIT_OK;
    sn_training_complain(&f->training, "finetune", &f->err);
    return SN_EXIT_FAILED;
}

static void validate(finetuning *f, uint64_t epoch)
{
    sn_validated found;
    f->validated = sn_validation_run(&f->validation, epoch, &found, &f->err);
    sn_progress_break(&f->progress);
    if (f->validated == SN_RT_OK)
        fprintf(stderr, "epoch %llu: %.2f%% of %zu frames right, mean over classes %.2f%%; mAP %.2f%%, at overlap 0.5 %.2f%%\n", (unsigned long long)epoch,
                100 * found.accuracy, found.frames, 100 * found.class_accuracy, 100 * found.map, 100 * found.map_half);
    else sn_stop_signal = SIGTERM; /* the run saves and returns; finish says why */
}

static void report(void *context, const sn_rt_run_state *state)
{
    finetuning *f = context;
    uint64_t    steps = sn_rt_loader_steps(f->loader), epoch = state->step / steps;
    sn_progress_step(&f->progress, state);
    f->trap.step = state->step;
    if (state->step == state->steps || (state->step % steps == 0 && epoch % (uint64_t)f->how->every == 0)) validate(f, (state->step + steps - 1) / steps);
}

static int write_model(finetuning *f)
{
    char                 path[PATH_MAX];
    const sn_model_facts facts = {f->validation.graph, sn_rt_dataset_layout(f->data), f->classes, sn_rt_dataset_at(f->data, 0)->fps,
                                  (size_t)f->training.recipe.frames, f->validation.tagger.halo};
    snprintf(path, sizeof path, "%s/model.safetensors", f->how->out);
    if (sn_model_file_write(path, &facts, f->validation.program.abi, f->validation.weight, &f->err) != SN_RT_OK) return wrong(f->err.text, NULL);
    return SN_EXIT_OK;
}

static int finish(finetuning *f, sn_rt_status status, uint64_t step)
{
    sn_progress_break(&f->progress);
    if (f->validated != SN_RT_OK) return wrong(f->err.text, NULL);
    if (status != SN_RT_OK && status != SN_RT_STOPPED) {
        wrong(f->err.text, NULL);
        sn_trap_print(&f->trap, &f->batches, f->data);
        return SN_EXIT_FAILED;
    }
    int code = write_model(f);
    if (code != SN_EXIT_OK) return code;
    sn_progress_summary(f->how->out, f->trainer, step);
    sn_progress_cost(&f->progress, sn_rt_loader_cost(f->loader));
    printf("%s after step %llu; model.safetensors, %scheckpoint, log.csv and loss.png in %s\n", status == SN_RT_OK ? "done" : "stopped", (unsigned long long)step,
           access(f->table, F_OK) == 0 ? "validation.csv, " : "", f->how->out); /* stopped before its first epoch it has validated nothing */
    return status == SN_RT_STOPPED && sn_stop_signal ? SN_EXIT_STOPPED : SN_EXIT_OK;
}

/* ---- running ------------------------------------------------------------------------------------------------------------ */

/* The graph file after a line that says how to run it again. */
static char *graph_text(const finetuning *f)
{
    const sn_finetune_settings *how = f->how;
    const char                 *slash = strrchr(how->recipe, '/');
    char                       *text = NULL;
    size_t                      size = 0;
    FILE                       *out = open_memstream(&text, &size);
    if (!out) return NULL;
    fprintf(out, "// %s as run: sinew finetune %s --data SET%s --out RUN --mode %s --share %.9g --seed %lld\n%s", slash ? slash + 1 : how->recipe,
            slash ? slash + 1 : how->recipe, how->from ? " --from RUN" : "", how->mode->name, how->share, how->seed, f->training.graph);
    if (!fclose(out)) return text;
    free(text);
    return NULL;
}

static int train(finetuning *f)
{
    const sn_finetune_settings *how = f->how;
    uint64_t                    step = 0;
    f->graph = graph_text(f);
    if (!f->graph) return wrong("no memory", NULL);
    sn_rt_run run = {.trainer = f->trainer, .source = sn_rt_batches_source(&f->batches), .schedule = sn_training_schedule(&f->training),
                     .steps_per_epoch = sn_rt_loader_steps(f->loader), .steps = (uint64_t)how->steps, .seconds = how->minutes * 60, .dir = how->out,
                     .recipe = f->training.text, .graph = f->graph, .data = f->data_text, .seed = (uint64_t)how->seed, .resume = how->resume,
                     .checkpoint_seconds = how->save_seconds, .keep = (unsigned)how->keep, .stop = &sn_stop_signal, .context = f, .report = report};
    if (how->trap) sn_trap_set(&f->trap, &f->training.program, sn_rt_trainer_session(f->trainer), &f->training.diags, (uint64_t)how->seed);
    sn_catch_signals();
    sn_progress_start(&f->progress, how->minutes, f->config.batch);
    sn_rt_error  err = {""};
    sn_rt_status status = sn_rt_run_train(&run, &step, &err);
    if (f->validated == SN_RT_OK) f->err = err;
    return finish(f, status, step);
}

int sn_finetune(const sn_finetune_settings *how)
{
    finetuning f = {.how = how};
    sn_arena_init(&f.arena);
    sn_diags_init(&f.diags);
    int code = open_data(&f);
    if (code == SN_EXIT_OK) code = open_recipe(&f);
    if (code == SN_EXIT_OK) code = open_loader(&f);
    if (code == SN_EXIT_OK) code = open_training(&f);
    if (code == SN_EXIT_OK) code = open_trainer(&f);
    if (code == SN_EXIT_OK && mkdir(how->out, 0777) && errno != EEXIST) code = wrong(how->out, strerror(errno));
    if (code == SN_EXIT_OK) code = open_validation(&f);
    if (code == SN_EXIT_OK) code = train(&f);
    sn_validation_close(&f.validation);
    sn_rt_batches_fini(&f.batches);
    sn_rt_loader_close(f.loader);
    sn_rt_trainer_free(f.trainer);
    sn_training_close(&f.training);
    sn_rt_classes_free(f.classes);
    sn_rt_dataset_free(f.data);
    sn_model_free(f.model);
    sn_diags_fini(&f.diags);
    sn_arena_fini(&f.arena);
    free(f.train), free(f.validate), free(f.data_text), free(f.graph);
    return code;
}
