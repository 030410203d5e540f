/* Features of sequences: opening a model, running it at a recording's own length, pooling.
 * Not batches: a recording is a batch. */
#include "features.h"

#include "../runtime/data/array.h"
#include "../runtime/train/checkpoint.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

static bool in_folder(sn_extractor *x, const char *folder, const char *name, const char **out)
{
    struct stat info;
    *out = sn_format(&x->arena, "%s/%s", folder, name);
    return stat(*out, &info) == 0;
}

/* A finetuned model: its graph is with its weights. */
static bool load_model(sn_extractor *x, const char *path, sn_rt_error *err)
{
    if (sn_rt_tensors_read(path, &x->weights, err) != SN_RT_OK) return false;
    const char *graph = sn_rt_tensors_meta(x->weights, "sinew.graph");
    if (!graph) {
        sn_rt_fail(err, SN_RT_FORMAT, "%s: weights without a graph; give the graph file, and this as its weights", path);
        return false;
    }
    x->path = path;
    x->model = sn_model_parse(path, graph, strlen(graph), &x->diags);
    return x->model != NULL;
}

/* A run of pretraining: its graph, and its newest checkpoint unless other weights are given. */
static bool load_run(sn_extractor *x, const sn_features_how *how, sn_rt_error *err)
{
    const char *graph;
    uint64_t    step;
    char       *path = sn_new_n(&x->arena, char, PATH_MAX);
    in_folder(x, how->model, "recipe.json", &graph);
    if (!how->weights && !sn_rt_checkpoint_newest(how->model, &step)) {
        sn_rt_fail(err, SN_RT_MISSING, "%s: neither a model nor a checkpoint in this folder", how->model);
        return false;
    }
    if (!how->weights) sn_rt_checkpoint_path(how->model, step, path, PATH_MAX);
    x->path = path;
    x->model = sn_model_load(graph, &x->diags);
    return x->model != NULL;
}

static bool load(sn_extractor *x, const sn_features_how *how, sn_rt_error *err)
{
    struct stat info;
    const char *inside;
    size_t      n = strlen(how->model);
    if (n > 12 && strcmp(how->model + n - 12, ".safetensors") == 0) return load_model(x, how->model, err);
    if (stat(how->model, &info) == 0 && S_ISDIR(info.st_mode)) return in_folder(x, how->model, "model.safetensors", &inside) ? load_model(x, inside, err) : load_run(x, how, err);
    if (!how->weights) {
        sn_rt_fail(err, SN_RT_MISSING, "%s: a graph file has no weights of its own, expected to be given some", how->model);
        return false;
    }
    x->model = sn_model_load(how->model, &x->diags);
    return x->model != NULL;
}

static bool compile(sn_extractor *x, const sn_features_how *how)
{
    sn_program_options o = {.module = how->module, .set = how->set, .sets = how->sets, .value = how->value, .cache_dir = how->cache_dir};
    if (!o.value && x->weights) o.value = "enc";
    if (!o.value) o.value = sn_model_features(x->model);
    x->compiled = sn_program_make(x->model, &o, &x->program, &x->diags);
    return x->compiled;
}

/* Does any kernel read the parameter? */
static bool is_read(const sn_abi_program *p, uint32_t param)
{
    for (uint32_t b = 0; b < p->buffers; b++)
        if (p->buffer[b].place == SN_ABI_PARAM && p->buffer[b].index == (int64_t)param) return true;
    return false;
}

static bool is_motion(const sn_abi_tensor *t) { return (t->rank == 4 || t->rank == 5) && t->dim[t->rank - 1] == 3; }

/* The one input that is read, or SN_RT_NONE. */
static bool find_input(sn_extractor *x, sn_rt_error *err)
{
    const sn_abi_program *p = x->program.abi;
    x->input = SN_RT_NONE;
    for (uint32_t i = 0; i < p->params; i++) {
        if (p->param[i].kind != SN_ABI_INPUT || !is_read(p, i)) continue;
        if (x->input == SN_RT_NONE && is_motion(&p->param[i].type)) x->input = i;
        else {
            sn_rt_fail(err, SN_RT_BAD_SHAPE, "the value needs input %s%s%s; expected one input [N, T, V, 3] or [N, M, T, V, 3]",
                       x->input == SN_RT_NONE ? "" : p->param[x->input].name, x->input == SN_RT_NONE ? "" : " and ", p->param[i].name);
            return false;
        }
    }
    if (x->input == SN_RT_NONE) sn_rt_fail(err, SN_RT_BAD_SHAPE, "the value needs no input");
    return x->input != SN_RT_NONE;
}

static bool check_finite(const char *path, const sn_rt_array *a, sn_rt_error *err)
{
    const float *f = a->data;
    for (size_t i = 0; i < a->bytes / sizeof *f; i++)
        if (!isfinite(f[i])) {
            sn_rt_fail(err, SN_RT_FORMAT, "%s: %s holds a number that is not finite", path, a->name);
            return false;
        }
    return true;
}

static bool read_weights(sn_extractor *x, const char *given, sn_rt_error *err)
{
    if (!given && x->weights) return true;
    sn_rt_tensors_free(x->weights);
    x->weights = NULL;
    x->path = given ? given : x->path;
    return sn_rt_tensors_read(x->path, &x->weights, err) == SN_RT_OK;
}

static bool find_weights(sn_extractor *x, const char *prefix, sn_rt_error *err)
{
    const sn_abi_program *p = x->program.abi;
    x->param = sn_new_n(&x->arena, const float *, p->params + 1);
    for (uint32_t i = 0; i < p->params; i++) {
        const sn_rt_array *a;
        uint64_t           dims[SN_ABI_MAX_RANK];
        if (p->param[i].kind == SN_ABI_INPUT || !is_read(p, i)) continue;
        const char *name = prefix ? sn_format(&x->arena, "%s.%s", prefix, p->param[i].name) : p->param[i].name;
        for (uint32_t d = 0; d < p->param[i].type.rank; d++) dims[d] = (uint64_t)p->param[i].type.dim[d];
        if (sn_rt_tensors_need(x->weights, name, SN_RT_ELEM_F32, p->param[i].type.rank, dims, &a, err) != SN_RT_OK || !check_finite(x->path, a, err)) return false;
        x->param[i] = a->data;
    }
    return true;
}

static bool check_value(const sn_extractor *x, sn_rt_error *err)
{
    uint32_t rank = x->program.abi->output[0].type.rank;
    if (rank >= 2 && rank <= 4) return true;
    sn_rt_fail(err, SN_RT_BAD_SHAPE, "the value has %u axes, expected [N, T, V, C], [N, T, C] or [N, C]", rank);
    return false;
}

bool sn_extractor_open(sn_extractor *x, const sn_features_how *how, sn_rt_error *err)
{
    *x = (sn_extractor){.threads = how->threads};
    sn_diags_init(&x->diags);
    sn_arena_init(&x->arena);
    if (!load(x, how, err) || !compile(x, how)) return false;
    x->extent = sn_new_n(&x->arena, int64_t, x->program.abi->symbols + 1);
    return find_input(x, err) && check_value(x, err) && read_weights(x, how->weights, err) && find_weights(x, how->prefix, err) &&
           sn_rt_session_new(x->program.abi, &x->session, err) == SN_RT_OK;
}

void sn_extractor_close(sn_extractor *x)
{
    sn_rt_session_free(x->session);
    sn_rt_tensors_free(x->weights);
    if (x->compiled) sn_program_fini(&x->program);
    sn_model_free(x->model);
    sn_arena_fini(&x->arena);
    sn_diags_fini(&x->diags);
}

/* ---- one sequence ------------------------------------------------------------------------------------------------------- */

bool sn_person_is_there(const sn_rt_sequence *s, size_t person)
{
    size_t       n = s->frames * s->joints * 3;
    const float *at = s->x + person * n;
    for (size_t i = 0; i < n; i++)
        if (at[i] != 0) return true;
    return false;
}

/* Shape of the input for this sequence; `M` persons of it are given. */
static sn_rt_status input_shape(const sn_extractor *x, const sn_rt_sequence *s, uint64_t *dims, size_t *M, sn_rt_error *err)
{
    const sn_abi_tensor *t = &x->program.abi->param[x->input].type;
    bool                 persons = t->rank == 5;
    size_t               there = 0;
    for (size_t m = 0; m < s->persons; m++) there += sn_person_is_there(s, m);
    *M = persons ? s->persons : there ? there : 1;
    dims[0] = persons ? 1 : *M;
    dims[1] = persons && t->dim[1] > 0 ? (uint64_t)t->dim[1] : *M;
    dims[persons + 1] = s->frames;
    dims[persons + 2] = s->joints;
    dims[persons + 3] = 3;
    if (persons && *M > dims[1]) *M = (size_t)dims[1];
    for (uint32_t d = 0; d < t->rank; d++)
        if (t->dim[d] >= 0 && (uint64_t)t->dim[d] != dims[d])
            return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: axis %u of the recording is %llu, input %s wants %lld", s->id, d, (unsigned long long)dims[d],
                              x->program.abi->param[x->input].name, (long long)t->dim[d]);
    return SN_RT_OK;
}

/* Symbols from the input's shape; those that nothing read depends on are 1. */
static sn_rt_status bind(sn_extractor *x, const sn_rt_sequence *s, const uint64_t *dims, sn_rt_error *err)
{
    const sn_abi_program *p = x->program.abi;
    const sn_abi_tensor  *t = &p->param[x->input].type;
    for (uint32_t i = 0; i < p->symbols; i++) x->extent[i] = 0;
    for (uint32_t d = 0; d < t->rank; d++) {
        if (t->dim[d] >= 0 || p->dim[~t->dim[d]].op != SN_ABI_DIM_SYMBOL) continue;
        int64_t *at = &x->extent[p->dim[~t->dim[d]].a];
        if (*at && *at != (int64_t)dims[d]) return sn_rt_fail(err, SN_RT_BAD_SHAPE, "%s: axis %u is %llu, but %lld elsewhere", s->id, d, (unsigned long long)dims[d], (long long)*at);
        *at = (int64_t)dims[d];
    }
    for (uint32_t i = 0; i < p->symbols; i++)
        if (!x->extent[i]) x->extent[i] = 1;
    return sn_rt_session_bind(x->session, x->extent, err);
}

static void fill_input(const sn_extractor *x, const sn_rt_sequence *s, size_t M, float *out)
{
    size_t n = s->frames * s->joints * 3, at = 0;
    bool   rows = x->program.abi->param[x->input].type.rank == 4;
    for (size_t m = 0; m < s->persons && at < M; m++)
        if (!rows || sn_person_is_there(s, m) || (m + 1 == s->persons && at == 0)) memcpy(out + at++ * n, s->x + m * n, n * sizeof *out);
}

static sn_rt_status set_params(sn_extractor *x, const sn_rt_array *input, sn_rt_error *err)
{
    const sn_abi_program *p = x->program.abi;
    sn_rt_status          status = sn_rt_session_set_param(x->session, x->input, input->data, input->bytes / sizeof(float), err);
    for (uint32_t i = 0; i < p->params && status == SN_RT_OK; i++)
        if (x->param[i]) status = sn_rt_session_set_param(x->session, i, x->param[i], sn_rt_session_count(x->session, &p->param[i].type), err);
    return status;
}

/* The mean over rows and joints. */
static sn_rt_status pool(const sn_extractor *x, const sn_rt_sequence *s, sn_features *out, sn_rt_error *err)
{
    const sn_abi_tensor *t = &x->program.abi->output[0].type;
    const float         *y = sn_rt_session_output(x->session, 0);
    int64_t              dims[SN_ABI_MAX_RANK];
    sn_rt_session_shape(x->session, t, dims);
    size_t N = (size_t)dims[0], T = t->rank > 2 ? (size_t)dims[1] : 1, V = t->rank > 3 ? (size_t)dims[2] : 1, C = (size_t)dims[t->rank - 1];
    *out = (sn_features){malloc((T * C + 1) * sizeof *out->x), T, C};
    if (!out->x) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory for %zu features", s->id, T * C);
    for (size_t i = 0; i < T * C; i++) {
        double sum = 0;
        for (size_t n = 0; n < N; n++)
            for (size_t v = 0; v < V; v++) sum += (double)y[((n * T + i / C) * V + v) * C + i % C];
        out->x[i] = (float)(sum / (double)(N * V));
    }
    return SN_RT_OK;
}

sn_rt_status sn_extract(sn_extractor *x, const sn_rt_sequence *s, sn_features *out, sn_rt_error *err)
{
    uint64_t     dims[5];
    size_t       M;
    sn_rt_array  input = {0};
    sn_rt_status status = input_shape(x, s, dims, &M, err);
    if (status == SN_RT_OK) status = bind(x, s, dims, err);
    if (status == SN_RT_OK) status = sn_rt_array_init(SN_RT_ELEM_F32, x->program.abi->param[x->input].type.rank, dims, &input, err);
    if (status == SN_RT_OK) fill_input(x, s, M, input.data);
    if (status == SN_RT_OK) status = set_params(x, &input, err);
    if (status == SN_RT_OK) status = sn_rt_session_prepare(x->session, x->threads, NULL, 0, err);
    if (status == SN_RT_OK) status = sn_rt_session_run(x->session, 0, 0, err);
    if (status == SN_RT_OK) status = pool(x, s, out, err);
    sn_rt_array_fini(&input);
    return status;
}
