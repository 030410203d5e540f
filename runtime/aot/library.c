/* A library's model and its sessions.
 * Not the choice of the variant's instruction sets (processor.c), and nothing that a header's reader must know twice. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/compat.h"
#include "../core/memory.h"
#include "aot.h"

struct sn_aot {
    const sn_abi_artifact *artifact;
    const sn_abi_variant  *variant;
    const float          **weight; /* per parameter, 64-byte aligned; NULL for inputs and what no kernel reads */
    void                  *map;    /* of the file, or NULL */
    size_t                 map_bytes;
    float                 *moved;  /* weights that lie at odd places of the file */
    size_t                 moved_bytes;
};

struct sn_aot_session {
    const sn_aot  *model;
    sn_rt_session *rt;
    int            threads;
    uint32_t       inputs;
    uint32_t      *input;    /* parameter numbers */
    float        **own;      /* memory of every input, then every output */
    char          *block;    /* that memory */
    size_t         block_bytes;
};

/* ---- faces -------------------------------------------------------------------------------------------------------------- */

/* Number of the input's parameter, or SN_RT_NONE. */
static uint32_t input_param(const sn_abi_program *p, int input)
{
    for (uint32_t i = 0; input >= 0 && i < p->params; i++)
        if (p->param[i].kind == SN_ABI_INPUT && input-- == 0) return i;
    return SN_RT_NONE;
}

static void describe(const char *name, const char *shape, const sn_abi_tensor *t, sn_aot_tensor *out)
{
    *out = (sn_aot_tensor){name, shape, (int64_t)t->rank, {0}};
    for (uint32_t i = 0; i < t->rank; i++) out->dim[i] = t->dim[i] < 0 ? -1 : t->dim[i];
}

int sn_aot_version(const sn_abi_artifact *a)
{
    (void)a;
    return SN_AOT_VERSION;
}

int sn_aot_describe_input(const sn_abi_artifact *a, int input, sn_aot_tensor *out)
{
    const sn_abi_program *p = a->variant[0].program;
    uint32_t i = input_param(p, input);
    if (i == SN_RT_NONE) return SN_RT_ARGUMENT;
    describe(p->param[i].name, a->param_shape[i], &p->param[i].type, out);
    return SN_RT_OK;
}

int sn_aot_describe_output(const sn_abi_artifact *a, int output, sn_aot_tensor *out)
{
    const sn_abi_program *p = a->variant[0].program;
    if (output < 0 || (uint32_t)output >= p->outputs) return SN_RT_ARGUMENT;
    describe(p->output[output].name, a->output_shape[output], &p->output[output].type, out);
    return SN_RT_OK;
}

/* ---- weights ------------------------------------------------------------------------------------------------------------ */

/* Weights have no free dimension (the build made sure), so their sizes need no session. */
static size_t weight_bytes(const sn_abi_param *p)
{
    size_t n = sizeof(float);
    for (uint32_t i = 0; i < p->type.rank; i++) n *= (size_t)p->type.dim[i];
    return n;
}

static sn_rt_status map_file(sn_aot *m, const char *path, sn_rt_error *err)
{
    const sn_abi_artifact *a = m->artifact;
    struct stat            st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return sn_rt_fail(err, SN_RT_IO, "%s: weights of %s: %s", path, a->name, strerror(errno));
    sn_rt_status status = SN_RT_OK;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != a->file_bytes)
        status = sn_rt_fail(err, SN_RT_FORMAT, "%s: not the file of %llu bytes that %s was built with", path, (unsigned long long)a->file_bytes, a->name);
    else if ((m->map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)
        status = sn_rt_fail(err, SN_RT_IO, "%s: weights of %s: %s", path, a->name, strerror(errno)), m->map = NULL;
    close(fd);
    if (status != SN_RT_OK) return status;
    m->map_bytes = (size_t)st.st_size;
    if (memcmp(m->map, a->head, (size_t)a->head_bytes) == 0) return SN_RT_OK;
    return sn_rt_fail(err, SN_RT_FORMAT, "%s: weights of another model or another training than %s was built with", path, a->name);
}

/* Kernels want multiples of 64 bytes.  The build puts large weights at such places of the file; the others are copied. */
static sn_rt_status place_weights(sn_aot *m, const char *base, sn_rt_error *err)
{
    const sn_abi_artifact *a = m->artifact;
    const sn_abi_program  *p = m->variant->program;
    char                  *to = NULL;
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < p->params; i++) {
            if (a->weight_at[i] == UINT64_MAX) continue;
            const char *from = base + a->weight_at[i];
            size_t      bytes = weight_bytes(&p->param[i]);
            m->weight[i] = (const float *)(const void *)from;
            if ((uintptr_t)from % SN_RT_ALIGN == 0) continue;
            if (pass == 0) m->moved_bytes += (bytes + SN_RT_ALIGN - 1) & ~(size_t)(SN_RT_ALIGN - 1);
            else m->weight[i] = memcpy(to, from, bytes), to += (bytes + SN_RT_ALIGN - 1) & ~(size_t)(SN_RT_ALIGN - 1);
        }
        if (!m->moved_bytes || pass) return SN_RT_OK;
        m->moved = sn_rt_pages_new(m->moved_bytes);
        to = (char *)m->moved;
        if (!m->moved) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu bytes of weights", m->moved_bytes);
    }
    return SN_RT_OK;
}

/* ---- the model ---------------------------------------------------------------------------------------------------------- */

static sn_rt_status choose(const sn_abi_artifact *a, const char *cpu, const sn_abi_variant **out, sn_rt_error *err)
{
    char missing[32] = "";
    for (uint32_t i = 0; i < a->variants; i++) {
        const sn_abi_variant *v = &a->variant[i];
        if (cpu && strcmp(cpu, v->cpu) != 0) continue;
        if (sn_aot_processor_has(v->needs, missing, sizeof missing)) {
            *out = v;
            return SN_RT_OK;
        }
        if (cpu) return sn_rt_fail(err, SN_RT_ARGUMENT, "this processor cannot run %s's code for %s: it has no %s", a->name, cpu, missing);
    }
    if (cpu) return sn_rt_fail(err, SN_RT_ARGUMENT, "%s has no code for \"%s\"", a->name, cpu);
    return sn_rt_fail(err, SN_RT_ARGUMENT, "%s was built for %s and above; this processor has no %s", a->name, a->variant[a->variants - 1].cpu, missing);
}

int sn_aot_load(const sn_abi_artifact *a, const char *weights, const char *cpu, sn_aot **out, sn_rt_error *err)
{
    const sn_abi_variant *variant = NULL;
    sn_rt_status status = choose(a, cpu, &variant, err);
    if (status == SN_RT_OK) status = sn_rt_program_check(variant->program, err);
    if (status != SN_RT_OK) return status;
    if (weights && a->weights) return sn_rt_fail(err, SN_RT_ARGUMENT, "%s has its weights inside, yet a file was given", a->name);
    sn_aot *m = calloc(1, sizeof *m);
    if (m) *m = (sn_aot){.artifact = a, .variant = variant, .weight = calloc(variant->program->params + 1, sizeof *m->weight)};
    if (!m || !m->weight) status = sn_rt_fail(err, SN_RT_MEMORY, "no memory for %s", a->name);
    if (status == SN_RT_OK && !a->weights) status = map_file(m, weights ? weights : a->file, err);
    if (status == SN_RT_OK) status = place_weights(m, a->weights ? a->weights : m->map, err);
    if (status == SN_RT_OK) *out = m;
    else sn_aot_free(m);
    return status;
}

void sn_aot_free(sn_aot *m)
{
    if (!m) return;
    if (m->map) munmap(m->map, m->map_bytes);
    sn_rt_pages_free(m->moved, m->moved_bytes);
    free(m->weight);
    free(m);
}

const char *sn_aot_cpu(const sn_aot *m) { return m->variant->cpu; }

const sn_abi_artifact *sn_aot_artifact(const sn_aot *m) { return m->artifact; }

const sn_abi_program *sn_aot_program(const sn_aot *m) { return m->variant->program; }

const float *const *sn_aot_weights(const sn_aot *m) { return m->weight; }

/* ---- sessions ----------------------------------------------------------------------------------------------------------- */

static const sn_abi_program *program_of(const sn_aot_session *s) { return s->model->variant->program; }

/* Inputs first, then outputs. */
static const sn_abi_tensor *face(const sn_aot_session *s, uint32_t i)
{
    const sn_abi_program *p = program_of(s);
    return i < s->inputs ? &p->param[s->input[i]].type : &p->output[i - s->inputs].type;
}

/* Memory for all inputs and outputs in one piece, unless what is there is large enough. */
static sn_rt_status make_block(sn_aot_session *s, sn_rt_error *err)
{
    uint32_t faces = s->inputs + program_of(s)->outputs;
    size_t   total = 0, bytes;
    for (int pass = 0; pass < 2; pass++) {
        size_t at = 0;
        for (uint32_t i = 0; i < faces; i++) {
            if (pass) s->own[i] = (float *)(void *)(s->block + at);
            if (!sn_rt_align_size(sn_rt_session_count(s->rt, face(s, i)) * sizeof(float), &bytes) || !sn_rt_add_size(at, bytes, &at))
                return sn_rt_fail(err, SN_RT_BAD_SHAPE, "the size of all inputs and outputs overflows");
        }
        total = at;
        if (pass || total <= s->block_bytes) continue;
        sn_rt_pages_free(s->block, s->block_bytes);
        s->block_bytes = 0;
        s->block = sn_rt_pages_new(total);
        if (!s->block) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for %zu MiB of inputs and outputs", total >> 20);
        s->block_bytes = total;
    }
    return SN_RT_OK;
}

static sn_rt_status set_all(sn_aot_session *s, sn_rt_error *err)
{
    const sn_abi_program *p = program_of(s);
    sn_rt_status          status = SN_RT_OK;
    for (uint32_t i = 0; i < s->inputs && status == SN_RT_OK; i++)
        status = sn_rt_session_set_param(s->rt, s->input[i], s->own[i], sn_rt_session_count(s->rt, face(s, i)), err);
    for (uint32_t i = 0; i < p->outputs && status == SN_RT_OK; i++)
        status = sn_rt_session_set_output(s->rt, i, s->own[s->inputs + i], sn_rt_session_count(s->rt, &p->output[i].type), err);
    for (uint32_t i = 0; i < p->params && status == SN_RT_OK; i++)
        if (s->model->weight[i]) status = sn_rt_session_set_param(s->rt, i, s->model->weight[i], weight_bytes(&p->param[i]) / sizeof(float), err);
    return status;
}

static void nothing(void *context, int64_t begin, int64_t end) { (void)context, (void)begin, (void)end; }

void sn_aot_make_threads(int threads) { sn_rt_parallel_for(threads, threads, nothing, NULL); }

sn_rt_status sn_aot_check_threads(const sn_aot *m, int threads, sn_rt_error *err)
{
    uint32_t most = m->artifact->most_threads ? m->artifact->most_threads : SN_RT_MAX_THREADS;
    if (threads >= 0 && (uint32_t)threads <= most) return SN_RT_OK;
    return sn_rt_fail(err, SN_RT_ARGUMENT, "%d threads: %s is built for 1 to %u, or 0 for its default", threads, m->artifact->name, most);
}

int sn_aot_bind(sn_aot_session *s, const int64_t *extent, sn_rt_error *err)
{
    sn_rt_status status = sn_rt_session_bind(s->rt, extent, err);
    if (status == SN_RT_OK) status = make_block(s, err);
    if (status == SN_RT_OK) status = set_all(s, err);
    if (status == SN_RT_OK) status = sn_rt_session_hold(s->rt, err);
    if (status == SN_RT_OK) status = sn_rt_session_prepare(s->rt, s->threads, NULL, 0, err);
    if (status != SN_RT_OK) return status;
    s->threads = sn_rt_session_threads(s->rt);
    sn_aot_make_threads(s->threads);
    return SN_RT_OK;
}

int sn_aot_session_new(const sn_aot *m, const int64_t *extent, int threads, sn_aot_session **out, sn_rt_error *err)
{
    const sn_abi_program *p = m->variant->program;
    if (sn_aot_check_threads(m, threads, err) != SN_RT_OK) return SN_RT_ARGUMENT;
    sn_aot_session *s = calloc(1, sizeof *s);
    if (s) *s = (sn_aot_session){.model = m, .threads = threads, .input = calloc(p->params + 1, sizeof *s->input),
                                 .own = calloc((size_t)p->params + p->outputs + 1, sizeof *s->own)};
    sn_rt_status status = SN_RT_OK;
    if (!s || !s->input || !s->own) status = sn_rt_fail(err, SN_RT_MEMORY, "no memory for a session of %s", m->artifact->name);
    for (uint32_t i = 0; status == SN_RT_OK && i < p->params; i++)
        if (p->param[i].kind == SN_ABI_INPUT) s->input[s->inputs++] = i;
    if (status == SN_RT_OK) status = sn_rt_session_new(p, &s->rt, err);
    if (status == SN_RT_OK) status = (sn_rt_status)sn_aot_bind(s, extent, err);
    if (status == SN_RT_OK) *out = s;
    else sn_aot_session_free(s);
    return status;
}

void sn_aot_session_free(sn_aot_session *s)
{
    if (!s) return;
    sn_rt_session_free(s->rt);
    sn_rt_pages_free(s->block, s->block_bytes);
    free(s->input);
    free(s->own);
    free(s);
}

static int dims_of(const sn_aot_session *s, const sn_abi_tensor *t, int64_t *out)
{
    sn_rt_session_shape(s->rt, t, out);
    return (int)t->rank;
}

static bool is_input(const sn_aot_session *s, int i) { return i >= 0 && (uint32_t)i < s->inputs; }
static bool is_output(const sn_aot_session *s, int i) { return i >= 0 && (uint32_t)i < program_of(s)->outputs; }

int sn_aot_input_dims(const sn_aot_session *s, int input, int64_t *out) { return is_input(s, input) ? dims_of(s, face(s, (uint32_t)input), out) : -1; }

int sn_aot_output_dims(const sn_aot_session *s, int output, int64_t *out)
{
    return is_output(s, output) ? dims_of(s, &program_of(s)->output[output].type, out) : -1;
}

int64_t sn_aot_session_bytes(const sn_aot_session *s) { return (int64_t)(s->block_bytes + sn_rt_plan_bytes(s->rt, s->threads)); }

float *sn_aot_input(const sn_aot_session *s, int input) { return is_input(s, input) ? s->own[input] : NULL; }

const float *sn_aot_output(const sn_aot_session *s, int output) { return is_output(s, output) ? sn_rt_session_output(s->rt, (uint32_t)output) : NULL; }

int sn_aot_set_input(sn_aot_session *s, int input, const float *data, int64_t count, sn_rt_error *err)
{
    if (!is_input(s, input)) return sn_rt_fail(err, SN_RT_ARGUMENT, "%s has no input %d", s->model->artifact->name, input);
    return sn_rt_session_set_param(s->rt, s->input[input], data, count < 0 ? 0 : (size_t)count, err);
}

int sn_aot_set_output(sn_aot_session *s, int output, float *data, int64_t count, sn_rt_error *err)
{
    if (!is_output(s, output)) return sn_rt_fail(err, SN_RT_ARGUMENT, "%s has no output %d", s->model->artifact->name, output);
    return sn_rt_session_set_output(s->rt, (uint32_t)output, data, count < 0 ? 0 : (size_t)count, err);
}

int sn_aot_run(sn_aot_session *s, sn_rt_error *err) { return sn_rt_session_run(s->rt, 0, 0, err); }
