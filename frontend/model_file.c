/* A trained model in one file: writing, reading, compiling.
 * Not running it (runtime/tag). */
#include "model_file.h"

#include "../runtime/data/safetensors.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static char *classes_text(const sn_rt_classes *c)
{
    json_t *list = json_array();
    for (size_t k = 0; list && k < c->count; k++) json_array_append_new(list, json_string(c->name[k]));
    char *text = list && json_array_size(list) == c->count ? json_dumps(list, 0) : NULL;
    json_decref(list);
    return text;
}

static sn_rt_status add_facts(sn_rt_tensors *set, const sn_model_facts *f, sn_rt_error *err)
{
    char  fps[32], window[24], halo[24] = "none", *classes = classes_text(f->classes);
    snprintf(fps, sizeof fps, "%.17g", f->fps);
    snprintf(window, sizeof window, "%zu", f->window);
    if (f->halo != SN_RT_TAGGER_NO_HALO) snprintf(halo, sizeof halo, "%zu", f->halo);
    const char  *meta[][2] = {{"sinew.kind", "model"}, {"sinew.graph", f->graph}, {"sinew.classes", classes}, {"sinew.layout", f->layout},
                              {"sinew.fps", fps}, {"sinew.window", window}, {"sinew.halo", halo}};
    sn_rt_status status = classes ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for a model");
    for (size_t i = 0; status == SN_RT_OK && i < sizeof meta / sizeof *meta; i++) status = sn_rt_tensors_set_meta(set, meta[i][0], meta[i][1], err);
    free(classes);
    return status;
}

static void dims_of(const sn_abi_tensor *type, uint64_t *out)
{
    for (uint32_t d = 0; d < type->rank; d++) out[d] = (uint64_t)type->dim[d];
}

sn_rt_status sn_model_file_write(const char *path, const sn_model_facts *facts, const sn_abi_program *program, const float *const *weight, sn_rt_error *err)
{
    sn_rt_tensors *set = sn_rt_tensors_new();
    if (!set) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for a model");
    sn_rt_status status = add_facts(set, facts, err);
    for (uint32_t i = 0; status == SN_RT_OK && i < program->params; i++) {
        const sn_abi_param *p = &program->param[i];
        uint64_t            dims[SN_ABI_MAX_RANK];
        dims_of(&p->type, dims);
        if (weight[i]) status = sn_rt_tensors_borrow(set, p->name, SN_RT_ELEM_F32, p->type.rank, dims, weight[i], err);
    }
    if (status == SN_RT_OK) status = sn_rt_tensors_write(set, path, err);
    sn_rt_tensors_free(set);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static sn_rt_status bad(const char *path, const char *key, const char *found, sn_rt_error *err)
{
    return sn_rt_fail(err, SN_RT_FORMAT, "%s: metadata \"%s\" is %s%s%s", path, key, found ? "\"" : "absent", found ? found : "", found ? "\"" : "");
}

static sn_rt_status read_number(const char *path, const sn_rt_tensors *set, const char *key, double most, double *out, sn_rt_error *err)
{
    const char *text = sn_rt_tensors_meta(set, key);
    char       *end = NULL;
    *out = text ? strtod(text, &end) : 0;
    return text && end != text && !*end && *out >= 0 && *out <= most ? SN_RT_OK : bad(path, key, text, err);
}

static sn_rt_status read_classes(const char *path, sn_model_file *f, sn_rt_error *err)
{
    const char *text = sn_rt_tensors_meta(f->tensors, "sinew.classes");
    json_t     *list = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    size_t      n = json_array_size(list);
    char      **name = calloc(n + 1, sizeof *name);
    bool        ok = n > 0 && name;
    f->classes.name = (const char *const *)name;
    for (size_t k = 0; ok && k < n; k++) {
        const char *s = json_string_value(json_array_get(list, k));
        ok = s && (name[k] = strdup(s));
        f->classes.count += ok;
    }
    json_decref(list);
    return ok ? SN_RT_OK : bad(path, "sinew.classes", text, err);
}

static sn_rt_status read_facts(const char *path, sn_model_file *f, sn_rt_error *err)
{
    const char *kind = sn_rt_tensors_meta(f->tensors, "sinew.kind"), *halo = sn_rt_tensors_meta(f->tensors, "sinew.halo");
    double      window = 0, margin = 0;
    if (!kind || strcmp(kind, "model")) return sn_rt_fail(err, SN_RT_FORMAT, "%s: no model: metadata \"sinew.kind\" is %s", path, kind ? kind : "absent");
    f->facts.graph = sn_rt_tensors_meta(f->tensors, "sinew.graph");
    f->facts.layout = sn_rt_tensors_meta(f->tensors, "sinew.layout");
    f->facts.classes = &f->classes;
    f->facts.halo = SN_RT_TAGGER_NO_HALO;
    if (!f->facts.graph) return bad(path, "sinew.graph", NULL, err);
    if (!f->facts.layout) return bad(path, "sinew.layout", NULL, err);
    sn_rt_status status = read_classes(path, f, err);
    if (status == SN_RT_OK) status = read_number(path, f->tensors, "sinew.fps", 1e6, &f->facts.fps, err);
    if (status == SN_RT_OK && f->facts.fps <= 0) status = bad(path, "sinew.fps", "0", err);
    if (status == SN_RT_OK) status = read_number(path, f->tensors, "sinew.window", 1e7, &window, err);
    if (status == SN_RT_OK && (!halo || strcmp(halo, "none"))) {
        status = read_number(path, f->tensors, "sinew.halo", 1e6, &margin, err);
        f->facts.halo = (size_t)margin;
    }
    f->facts.window = (size_t)window;
    return status;
}

/* The array of every weight and state; what the graph does not know is an error. */
static sn_rt_status find_weights(sn_model_file *f, const char *path, sn_rt_error *err)
{
    const sn_abi_program *p = f->program.abi;
    sn_rt_status          status = SN_RT_OK;
    size_t                used = 0;
    f->weight = calloc(p->params + 1u, sizeof *f->weight);
    if (!f->weight) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory for a model", path);
    for (uint32_t i = 0; status == SN_RT_OK && i < p->params; i++) {
        const sn_rt_array *array;
        uint64_t           dims[SN_ABI_MAX_RANK];
        if (p->param[i].kind == SN_ABI_INPUT) continue;
        dims_of(&p->param[i].type, dims);
        status = sn_rt_tensors_need(f->tensors, p->param[i].name, SN_RT_ELEM_F32, p->param[i].type.rank, dims, &array, err);
        if (status == SN_RT_OK) f->weight[i] = array->data;
        used++;
    }
    if (status == SN_RT_OK && used != sn_rt_tensors_count(f->tensors))
        status = sn_rt_fail(err, SN_RT_FORMAT, "%s: %zu arrays, but the graph has %zu weights and states", path, sn_rt_tensors_count(f->tensors), used);
    return status;
}

static bool compile(sn_model_file *f, const char *path, const char *cache_dir, sn_rt_error *err)
{
    const sn_program_options options = {.cache_dir = cache_dir};
    sn_model                *m = sn_model_parse(path, f->facts.graph, strlen(f->facts.graph), &f->diags);
    f->compiled = m && sn_program_make(m, &options, &f->program, &f->diags);
    sn_model_free(m);
    return f->compiled && find_weights(f, path, err) == SN_RT_OK;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool sn_model_file_is(const char *path)
{
    const char *dot = strrchr(path, '.');
    return (dot && strcmp(dot, ".safetensors") == 0) || is_folder(path);
}

bool sn_model_file_read(sn_model_file *f, const char *path, sn_rt_error *err)
{
    memset(f, 0, sizeof *f);
    sn_diags_init(&f->diags);
    if ((size_t)snprintf(f->path, sizeof f->path, is_folder(path) ? "%s/model.safetensors" : "%s", path) >= sizeof f->path)
        return sn_rt_fail(err, SN_RT_IO, "%s: the name is too long", path), false;
    return sn_rt_tensors_read(f->path, &f->tensors, err) == SN_RT_OK && read_facts(f->path, f, err) == SN_RT_OK;
}

bool sn_model_file_open(sn_model_file *f, const char *path, const char *cache_dir, int threads, sn_rt_error *err)
{
    if (!sn_model_file_read(f, path, err) || !compile(f, f->path, cache_dir, err)) return false;
    if (sn_rt_tagger_init(&f->tagger, f->program.abi, f->weight, f->facts.window, f->facts.halo, threads, err) != SN_RT_OK) return false;
    if (f->tagger.columns == f->classes.count + 1) return true;
    sn_rt_fail(err, SN_RT_FORMAT, "%s: %zu scores a frame, but %zu classes and background", f->path, f->tagger.columns, f->classes.count);
    return false;
}

void sn_model_file_close(sn_model_file *f)
{
    char **name = (char **)(uintptr_t)f->classes.name;
    sn_rt_tagger_fini(&f->tagger);
    if (f->compiled) sn_program_fini(&f->program);
    for (size_t k = 0; k < f->classes.count; k++) free(name[k]);
    free(name);
    free(f->weight);
    sn_rt_tensors_free(f->tensors);
    sn_diags_fini(&f->diags);
    memset(f, 0, sizeof *f);
}
