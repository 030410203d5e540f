/* A recipe made runnable: model, final numbers, compiled step, and the extents it runs with.
 * Not the run itself (runtime/train/run.c). */
#include "training.h"

#include <stdlib.h>
#include <string.h>

/* ---- extents ------------------------------------------------------------------------------------------------------------ */

/* Axis `axis` of the input's type is `extent`: bind its symbol, or check what is fixed. */
static bool bind_axis(sn_training *t, const sn_abi_param *input, uint32_t axis, int64_t extent, const char *what, sn_rt_error *err)
{
    const sn_abi_program *p = t->program.abi;
    int64_t               dim = input->type.dim[axis];
    if (dim < 0 && p->dim[~dim].op == SN_ABI_DIM_SYMBOL) {
        int64_t *at = &t->extent[p->dim[~dim].a];
        if (*at == 0 || *at == extent) {
            *at = extent;
            return true;
        }
        dim = *at;
    }
    if (dim == extent) return true;
    sn_rt_fail(err, SN_RT_BAD_SHAPE, "input %s: axis %u is %lld, but the recipe's %s is %lld", input->name, axis, (long long)dim, what,
               (long long)extent);
    return false;
}

/* Persons of a row: 1 for [batch, frames, joints, 3], M for [batch, M, frames, joints, 3], which must be a number; 0: neither. */
static uint32_t persons_of(const sn_abi_tensor *type)
{
    if (type->rank == 5 && type->dim[1] > 0 && type->dim[1] <= UINT32_MAX) return (uint32_t)type->dim[1];
    return type->rank == 4;
}

/* An input [batch, frames] or [batch] that goes with the views. */
static bool bind_rows(sn_training *t, const char *name, const char *what, uint32_t rank, sn_rt_error *err)
{
    const sn_abi_program *p = t->program.abi;
    uint32_t              i = sn_rt_find_param(p, name);
    t->input[t->inputs++] = name;
    if (i != SN_RT_NONE && p->param[i].kind == SN_ABI_INPUT && p->param[i].type.rank == rank)
        return bind_axis(t, &p->param[i], 0, t->recipe.batch, "batch", err) && (rank == 1 || bind_axis(t, &p->param[i], 1, t->recipe.frames, "frames", err));
    sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s %s: module %s has no input of that name that is [batch%s]", what, name, t->recipe.module, rank == 1 ? "" : ", frames");
    return false;
}

/* This binds the program's symbols. */
static bool bind_views(sn_training *t, sn_rt_error *err)
{
    const sn_abi_program *p = t->program.abi;
    t->extent = sn_new_n(&t->arena, int64_t, p->symbols + 1);
    t->input = sn_new_n(&t->arena, const char *, t->recipe.views + 3);
    t->inputs = t->recipe.views;
    for (uint32_t v = 0; v < t->recipe.views; v++) {
        uint32_t i = sn_rt_find_param(p, t->recipe.view[v].input);
        t->input[v] = t->recipe.view[v].input;
        if (i == SN_RT_NONE || p->param[i].kind != SN_ABI_INPUT || !persons_of(&p->param[i].type)) {
            sn_rt_fail(err, SN_RT_BAD_SHAPE, "view %s: module %s has no input of that name that is [batch, frames, joints, 3] or [batch, persons, frames, joints, 3]",
                       t->input[v], t->recipe.module);
            return false;
        }
        uint32_t persons = persons_of(&p->param[i].type);
        if (v > 0 && persons != t->persons) {
            sn_rt_fail(err, SN_RT_BAD_SHAPE, "view %s shows %u persons, view %s %u", t->input[v], persons, t->input[0], t->persons);
            return false;
        }
        t->persons = persons;
        uint32_t time = p->param[i].type.rank - 3;
        if (!bind_axis(t, &p->param[i], 0, t->recipe.batch, "batch", err) || !bind_axis(t, &p->param[i], time, t->recipe.frames, "frames", err)) return false;
    }
    if (t->recipe.labels && !bind_rows(t, t->recipe.labels, "labels", 2, err)) return false;
    if (t->recipe.clips && !bind_rows(t, t->recipe.clips, "clips", 1, err)) return false;
    for (uint32_t s = 0; s < p->symbols; s++)
        if (t->extent[s] == 0) {
            sn_rt_fail(err, SN_RT_MISSING, "dimension %s is not bound by a view: give it with --set %s=NUMBER", p->symbol[s], p->symbol[s]);
            return false;
        }
    return true;
}

/* ---- text --------------------------------------------------------------------------------------------------------------- */

/* FNV-1a of the elaborated graph's text: two runs with it equal compute the same function. */
static bool graph_digest(sn_training *t, const sn_program_options *options, uint64_t *out)
{
    char     *text = NULL;
    size_t    size = 0;
    sn_graph *g = sn_model_elaborate(t->model, options, &t->diags);
    FILE     *f = g ? open_memstream(&text, &size) : NULL;
    if (f) sn_graph_print(g, f);
    bool ok = f && !fclose(f);
    *out = 0xCBF29CE484222325u;
    for (size_t i = 0; ok && i < size; i++) *out = (*out ^ (unsigned char)text[i]) * 0x100000001B3u;
    free(text);
    sn_graph_free(g);
    return ok;
}

static bool is_adam(const sn_recipe *r) { return strcmp(r->optimizer.kind, "adam") == 0; }

static bool write_text(sn_training *t, const sn_program_options *options)
{
    const sn_recipe *r = &t->recipe;
    size_t           size = 0;
    uint64_t         digest;
    if (!graph_digest(t, options, &digest)) return false;
    FILE *f = open_memstream(&t->text, &size);
    if (!f) return false;
    fprintf(f, "module = %s\n", r->module);
    for (uint32_t i = 0; i < r->params; i++) fprintf(f, "%s = %.17g\n", r->param[i].name, r->param[i].value);
    fprintf(f, "loss = %s\nbatch = %lld\nframes = %lld\n", r->loss, (long long)r->batch, (long long)r->frames);
    for (uint32_t v = 0; v < r->views; v++) fprintf(f, "view %s = %s\n", r->view[v].input, r->view[v].augment);
    if (r->epoch) fprintf(f, "epoch = %s\n", r->epoch);
    if (r->labels) fprintf(f, "labels = %s\n", r->labels);
    if (r->clips) fprintf(f, "clips = %s\n", r->clips);
    fprintf(f, "optimizer = %s\noptimizer rate = %.17g\n", r->optimizer.kind, r->optimizer.rate);
    if (is_adam(r))
        fprintf(f, "optimizer beta1 = %.17g\noptimizer beta2 = %.17g\noptimizer epsilon = %.17g\noptimizer weight decay = %.17g\n", r->optimizer.beta1,
                r->optimizer.beta2, r->optimizer.epsilon, r->optimizer.weight_decay);
    else
        fprintf(f, "optimizer momentum = %.17g\noptimizer weight decay = %.17g\noptimizer nesterov = %d\n", r->optimizer.momentum,
                r->optimizer.weight_decay, r->optimizer.nesterov);
    fprintf(f, "schedule epochs = %lld\nschedule warmup = %lld\nschedule factor = %.17g\nschedule steps =", (long long)r->schedule.epochs,
            (long long)r->schedule.warmup, r->schedule.factor);
    for (uint32_t i = 0; i < r->schedule.steps; i++) fprintf(f, " %lld", (long long)r->schedule.step[i]);
    fprintf(f, "\ngraph digest = %016llx\n", (unsigned long long)digest);
    return !fclose(f);
}

static bool write_graph(sn_training *t, const sn_program_options *options)
{
    size_t size = 0;
    FILE  *f = open_memstream(&t->graph, &size);
    if (!f) return false;
    bool ok = sn_model_bundle(t->model, options, f, &t->diags);
    return !fclose(f) && ok;
}

/* ---- life --------------------------------------------------------------------------------------------------------------- */

static bool check_recipe(const sn_recipe *r, sn_rt_error *err)
{
    if (r->batch < 1 || r->frames < 1 || r->views < 1 || r->schedule.epochs < 1 || r->schedule.warmup < 0) {
        sn_rt_fail(err, SN_RT_ARGUMENT, "recipe: batch %lld, frames %lld, views %u, epochs %lld must be at least 1, warmup %lld at least 0",
                   (long long)r->batch, (long long)r->frames, r->views, (long long)r->schedule.epochs, (long long)r->schedule.warmup);
        return false;
    }
    return true;
}

bool sn_training_open(sn_training *t, const char *path, const char *const *set, uint32_t sets, const char *cache_dir, const char *cpu,
                      const char *code, sn_rt_error *err)
{
    memset(t, 0, sizeof *t);
    sn_diags_init(&t->diags);
    sn_arena_init(&t->arena);
    sn_program_options options = {.set = set, .sets = sets, .training = true, .cache_dir = cache_dir, .cpu = cpu, .code = code};
    t->set = sn_new_n(&t->arena, const char *, sets + 1);
    for (; t->sets < sets; t->sets++) t->set[t->sets] = sn_strdup(&t->arena, set[t->sets]);
    t->model = sn_model_load(path, &t->diags);
    if (!t->model || !sn_model_recipe(t->model, &options, &t->recipe, &t->arena, &t->diags) || !check_recipe(&t->recipe, err)) return false;
    const sn_autodiff_request loss = {.output = t->recipe.loss, .weights = true};
    options.module = t->recipe.module;
    options.request = &loss;
    options.requests = 1;
    if (!write_text(t, &options) || !write_graph(t, &options)) return false;
    t->compiled = sn_program_make(t->model, &options, &t->program, &t->diags);
    return t->compiled && bind_views(t, err);
}

void sn_training_close(sn_training *t)
{
    if (t->compiled) sn_program_fini(&t->program);
    if (t->model) sn_model_free(t->model);
    sn_arena_fini(&t->arena);
    sn_diags_fini(&t->diags);
    free(t->text);
    free(t->graph);
}

sn_rt_status sn_training_start(const sn_training *t, uint64_t seed, int threads, sn_rt_trainer **out, sn_rt_error *err)
{
    const sn_recipe *r = &t->recipe;
    sn_rt_training   training = {t->program.abi, t->extent, t->input, t->inputs,
                                 {is_adam(r),
                                  {r->optimizer.momentum, r->optimizer.weight_decay, r->optimizer.nesterov},
                                  {r->optimizer.beta1, r->optimizer.beta2, r->optimizer.epsilon, r->optimizer.weight_decay}}, seed, threads, r->epoch};
    return sn_rt_trainer_new(&training, out, err);
}

sn_rt_schedule sn_training_schedule(const sn_training *t)
{
    const sn_recipe *r = &t->recipe;
    return (sn_rt_schedule){r->optimizer.rate, r->schedule.factor, r->schedule.epochs, r->schedule.warmup, r->schedule.step, r->schedule.steps};
}

/* ---- the model ---------------------------------------------------------------------------------------------------------- */

/* Read back what was written, so that what is validated is what is kept. */
static bool compile_text(sn_training *t, const char *text, const char *cache_dir, sn_program *out)
{
    const sn_program_options options = {.cache_dir = cache_dir};
    sn_model                *m = sn_model_parse("the model alone", text, strlen(text), &t->diags);
    bool                     ok = m && sn_program_make(m, &options, out, &t->diags);
    sn_model_free(m);
    return ok;
}

bool sn_training_model(sn_training *t, const char *cache_dir, sn_program *out, char **out_graph, sn_rt_error *err)
{
    const sn_program_options options = {.module = t->recipe.module, .set = t->set, .sets = t->sets};
    size_t                   size = 0;
    if (!t->recipe.model) return sn_rt_fail(err, SN_RT_MISSING, "the recipe does not say which node is its `model`"), false;
    FILE *f = open_memstream(out_graph, &size);
    if (!f) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for the model's graph"), false;
    bool ok = sn_model_bundle_part(t->model, &options, t->recipe.model, f, &t->diags);
    ok = !fclose(f) && ok && compile_text(t, *out_graph, cache_dir, out);
    if (!ok) free(*out_graph), *out_graph = NULL;
    return ok;
}

void sn_training_complain(const sn_training *t, const char *verb, const sn_rt_error *err)
{
    sn_diags_print(&t->diags, stderr);
    if (err->text[0]) fprintf(stderr, "sinew %s: %s\n", verb, err->text);
}
