/* The recipe: expressions over the step's parameters to numbers, names checked.
 * Not training (runtime/train). */
#include "recipe.h"

#include <string.h>

#include "../runtime/data/augment.h"
#include "elaborate.h"

typedef struct reader {
    sn_scope  s;
    sn_arena *arena; /* of the caller */
    bool      ok;
} reader;

static void wrong(reader *r, sn_loc loc, const char *text)
{
    sn_elab_error(r->s.e, loc, NULL, "recipe: %s", text);
    r->ok = false;
}

static int64_t whole(reader *r, const sn_value *v, sn_loc loc, const char *what, int64_t low, int64_t fallback)
{
    int64_t out = fallback;
    if (v->kind == SN_VALUE_ABSENT) {
        if (fallback < low) wrong(r, loc, sn_format(&r->s.e->arena, "`%s` is missing", what));
        return fallback;
    }
    r->ok = sn_scope_int(&r->s, v, NULL, sn_format(&r->s.e->arena, "recipe: %s", what), low, INT32_MAX, &out) && r->ok;
    return out;
}

/* At least 0; `fallback` < 0 means that the field must be there. */
static double real(reader *r, const sn_value *v, sn_loc loc, const char *what, double fallback)
{
    double out = fallback;
    if (v->kind == SN_VALUE_ABSENT) {
        if (fallback < 0) wrong(r, loc, sn_format(&r->s.e->arena, "`%s` is missing", what));
        return fallback;
    }
    if (!sn_scope_real(&r->s, v, NULL, sn_format(&r->s.e->arena, "recipe: %s", what), &out)) r->ok = false;
    else if (out < 0) wrong(r, v->loc, sn_format(&r->s.e->arena, "%s: found %g, expected at least 0", what, out));
    return out;
}

static const char *text(reader *r, const sn_text *t, sn_loc loc, const char *what)
{
    if (!t->s) wrong(r, loc, sn_format(&r->s.e->arena, "`%s` is missing", what));
    return t->s ? sn_strdup(r->arena, t->s) : "";
}

/* One of the names, or an error with the nearest. */
static void one_of(reader *r, const sn_text *t, const char *what, const char *const *name, size_t n)
{
    if (!t->s) return;
    for (size_t i = 0; i < n; i++)
        if (name[i] && strcmp(name[i], t->s) == 0) return;
    const char *near = sn_nearest(t->s, name, n);
    wrong(r, t->loc, near ? sn_format(&r->s.e->arena, "no %s \"%s\"; did you mean \"%s\"?", what, t->s, near)
                          : sn_format(&r->s.e->arena, "no %s \"%s\"", what, t->s));
}

static const char **input_names(reader *r)
{
    const sn_ast_module *m = r->s.module;
    const char **input = sn_new_n(&r->s.e->arena, const char *, m->inputs + 1);
    for (uint32_t i = 0; i < m->inputs; i++) input[i] = m->input[i].name.s ? m->input[i].name.s : "";
    return input;
}

static void read_views(reader *r, const sn_ast_recipe *a, const char *const *input, sn_recipe *out)
{
    out->view = sn_new_n(r->arena, sn_recipe_view, a->views + 1);
    out->views = a->views;
    if (a->views == 0) wrong(r, a->loc, "`views` is missing");
    for (uint32_t i = 0; i < a->views; i++) {
        const sn_ast_view *v = &a->view[i];
        out->view[i] = (sn_recipe_view){text(r, &v->input, v->loc, "input"), text(r, &v->augment, v->loc, "augment")};
        one_of(r, &v->input, "input", input, r->s.module->inputs);
        sn_rt_augmentation augmentation;
        sn_rt_error        err;
        if (v->augment.s && sn_rt_augmentation_parse(v->augment.s, &augmentation, &err) != SN_RT_OK)
            wrong(r, v->augment.loc, sn_format(&r->s.e->arena, "%s", err.text));
    }
}

/* May be left out. */
static void read_epoch(reader *r, const sn_ast_recipe *a, const char *const *input, sn_recipe *out)
{
    one_of(r, &a->epoch, "input", input, r->s.module->inputs);
    out->epoch = a->epoch.s ? sn_strdup(r->arena, a->epoch.s) : NULL;
}

static void read_schedule(reader *r, const sn_ast_recipe *a, sn_recipe *out)
{
    const sn_loc loc = a->has_schedule ? a->schedule.loc : a->loc;
    const sn_value *steps = &a->schedule.steps;
    if (!a->has_schedule) {
        wrong(r, loc, "`schedule` is missing");
        return;
    }
    out->schedule.epochs = whole(r, &a->schedule.epochs, loc, "epochs", 1, 0);
    out->schedule.warmup = whole(r, &a->schedule.warmup, loc, "warmup", 0, 0);
    out->schedule.factor = real(r, &a->schedule.factor, loc, "factor", 0.1);
    if (steps->kind != SN_VALUE_ABSENT && steps->kind != SN_VALUE_LIST) {
        wrong(r, steps->loc, "steps: expected a list of epochs [250]");
        return;
    }
    out->schedule.step = sn_new_n(r->arena, int64_t, steps->n + 1);
    out->schedule.steps = steps->n;
    for (uint32_t i = 0; i < steps->n; i++) {
        out->schedule.step[i] = whole(r, &steps->item[i], loc, "steps", 1, 0);
        if (r->ok && i && out->schedule.step[i] <= out->schedule.step[i - 1]) wrong(r, steps->item[i].loc, "steps: expected ascending epochs");
    }
}

/* What the kind does not know is not passed over. */
static void check_optimizer(reader *r, const sn_ast_recipe *a)
{
    const struct sn_ast_optimizer *o = &a->optimizer;
    bool adam = o->kind.s && strcmp(o->kind.s, "adam") == 0;
    if (adam && (o->momentum.kind != SN_VALUE_ABSENT || o->nesterov)) wrong(r, o->loc, "optimizer \"adam\" has beta1 and beta2, not momentum");
    if (!adam && (o->beta1.kind != SN_VALUE_ABSENT || o->beta2.kind != SN_VALUE_ABSENT || o->epsilon.kind != SN_VALUE_ABSENT))
        wrong(r, o->loc, "beta1, beta2 and epsilon are of optimizer \"adam\"");
}

static void read_optimizer(reader *r, const sn_ast_recipe *a, sn_recipe *out)
{
    static const char *const kind[] = {"sgd", "adam"};
    const sn_loc loc = a->optimizer.loc;
    if (!a->has_optimizer) {
        wrong(r, a->loc, "`optimizer` is missing");
        return;
    }
    out->optimizer.kind = text(r, &a->optimizer.kind, loc, "kind");
    one_of(r, &a->optimizer.kind, "optimizer", kind, 2);
    out->optimizer.rate = real(r, &a->optimizer.rate, loc, "rate", -1);
    out->optimizer.momentum = real(r, &a->optimizer.momentum, loc, "momentum", 0);
    out->optimizer.weight_decay = real(r, &a->optimizer.weight_decay, loc, "weight_decay", 0);
    out->optimizer.nesterov = a->optimizer.nesterov;
    out->optimizer.beta1 = real(r, &a->optimizer.beta1, loc, "beta1", 0.9);
    out->optimizer.beta2 = real(r, &a->optimizer.beta2, loc, "beta2", 0.999);
    out->optimizer.epsilon = real(r, &a->optimizer.epsilon, loc, "epsilon", 1e-8);
    if (out->optimizer.beta1 >= 1 || out->optimizer.beta2 >= 1) wrong(r, loc, "beta1 and beta2 are below 1");
    check_optimizer(r, a);
}

static void read_params(reader *r, sn_recipe *out)
{
    out->param = sn_new_n(r->arena, sn_recipe_param, r->s.bindings + 1);
    for (uint32_t i = 0; i < r->s.bindings; i++) {
        const sn_binding *b = &r->s.binding[i];
        if (b->kind != SN_BIND_PARAM || (b->num.kind != SN_NUM_INT && b->num.kind != SN_NUM_REAL)) continue;
        out->param[out->params++] = (sn_recipe_param){sn_strdup(r->arena, b->name), sn_num_value(b->num)};
    }
}

/* Of what is said of features, the node: all that stands before the first point. */
static void read_features(reader *r, const sn_ast_recipe *a, const char *const *node, uint32_t nodes)
{
    if (!a->features.s) return;
    sn_text head = a->features;
    head.s = sn_format(&r->s.e->arena, "%.*s", (int)strcspn(head.s, "."), head.s);
    one_of(r, &head, "node", node, nodes);
}

/* The module's inputs of labels and clip numbers, its node that is the model, its features; all may be left out. */
static void read_stage_2(reader *r, const sn_ast_recipe *a, const char *const *input, sn_recipe *out)
{
    const sn_ast_module *m = r->s.module;
    const char **node = sn_new_n(&r->s.e->arena, const char *, m->nodes + 1);
    one_of(r, &a->labels, "input", input, m->inputs);
    for (uint32_t i = 0; i < m->nodes; i++) node[i] = m->node[i].name.s ? m->node[i].name.s : "";
    one_of(r, &a->model, "node", node, m->nodes);
    read_features(r, a, node, m->nodes);
    one_of(r, &a->clips, "input", input, m->inputs);
    out->clips = a->clips.s ? sn_strdup(r->arena, a->clips.s) : NULL;
    out->labels = a->labels.s ? sn_strdup(r->arena, a->labels.s) : NULL;
    out->model = a->model.s ? sn_strdup(r->arena, a->model.s) : NULL;
    for (uint32_t i = 0; out->model && i < m->nodes; i++) {
        const sn_file *file;
        if (strcmp(node[i], out->model) == 0 && (!m->node[i].op.s || !sn_model_find(r->s.e->model, r->s.file, m->node[i].op.s, &file)))
            wrong(r, a->model.loc, sn_format(&r->s.e->arena, "model: node \"%s\" is no instance of a module", out->model));
    }
}

static void read_recipe(reader *r, const sn_ast_recipe *a, sn_recipe *out)
{
    const sn_ast_module *m = r->s.module;
    const char **output = sn_new_n(&r->s.e->arena, const char *, m->outputs + 1);
    for (uint32_t i = 0; i < m->outputs; i++) output[i] = m->output[i].name.s ? m->output[i].name.s : "";
    out->module = text(r, &a->module, a->loc, "module");
    out->loss = text(r, &a->loss, a->loc, "loss");
    one_of(r, &a->loss, "output", output, m->outputs);
    out->batch = whole(r, &a->batch, a->loc, "batch", 1, 0);
    out->frames = whole(r, &a->frames, a->loc, "frames", 1, 0);
    const char **input = input_names(r);
    read_views(r, a, input, out);
    read_epoch(r, a, input, out);
    read_stage_2(r, a, input, out);
    read_optimizer(r, a, out);
    read_schedule(r, a, out);
    read_params(r, out);
}

bool sn_model_has_recipe(const sn_model *m) { return m->file[0].ast.recipe.present; }
bool sn_model_has_labels(const sn_model *m) { return m->file[0].ast.recipe.labels.s != NULL; }

const char *sn_model_features(const sn_model *m)
{
    const sn_ast_recipe *a = &m->file[0].ast.recipe;
    return !a->present ? NULL : a->features.s ? a->features.s : "q.enc";
}

bool sn_model_recipe(const sn_model *m, const sn_program_options *options, sn_recipe *out, sn_arena *arena, sn_diags *diags)
{
    const sn_ast_recipe *a = &m->file[0].ast.recipe;
    sn_recipe made = {0};
    sn_elab e;
    uint32_t sets;
    reader r = {.arena = arena, .ok = true};
    if (!a->present) {
        sn_error(diags, ((sn_loc){.source = m->file[0].source}), NULL, "the file has no recipe");
        return false;
    }
    sn_elab_init(&e, m, "recipe", diags);
    const sn_file *file = NULL;
    r.s = (sn_scope){.e = &e, .prefix = "", .module = a->module.s ? sn_model_find(m, &m->file[0], a->module.s, &file) : NULL};
    r.s.file = file; /* known only now */
    if (!r.s.module) {
        wrong(&r, a->module.s ? a->module.loc : a->loc, a->module.s ? sn_format(&e.arena, "no module \"%s\"", a->module.s) : "`module` is missing");
    } else {
        sn_arg *set = sn_elab_sets(options, &e.arena, &e.g->dims, diags, &sets);
        sn_scope_params(&r.s, set, sets, NULL);
        read_recipe(&r, a, &made);
    }
    bool ok = r.ok && e.errors == 0;
    sn_graph_free(e.g);
    sn_elab_fini(&e);
    if (ok) *out = made;
    return ok;
}
