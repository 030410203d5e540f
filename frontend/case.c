/* One kernel as a case of its own: a graph of its nodes alone, arrays, a command.
 * Not running it: `sinew verify` reads it as any stage. */
#include "case.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../ir/text.h"
#include "../runtime/data/file.h"
#include "../runtime/data/npy.h"
#include "stage.h"

typedef struct making {
    const sn_case   *c;
    const sn_graph  *from;
    const sn_kernel *k;
    sn_schedule     *s;     /* of one kernel */
    sn_ref          *to;    /* by node of `from` */
    const char     **label; /* of nodes of `from` */
    const char     **input; /* names of those kernel inputs that are no constants, else NULL */
    sn_arena         arena;
} making;

/* The node's label as a name for arrays and files: v12 for %12. */
static const char *name_of(making *m, sn_ref r)
{
    char *name = sn_format(&m->arena, "%s%s", sn_at(m->from, r)->name ? "" : "v", m->label[r.i]);
    for (char *p = name; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._", *p)) *p = '_';
    return name;
}

static sn_ref moved(making *m, sn_ref r)
{
    sn_node n = *sn_at(m->from, r);
    for (uint8_t i = 0; i < n.args; i++) n.arg[i] = m->to[n.arg[i].i];
    n.loc = (sn_loc){0};
    return sn_graph_append(m->s->g, &n);
}

/* What the kernel reads is given; constants stay, because code is made for them. */
static void make_graph(making *m)
{
    sn_graph *g = sn_graph_copy_params(m->from);
    g->params = 0;
    g->name = "kernel";
    m->s = sn_schedule_new(g);
    for (uint32_t i = 0; i < m->k->ins; i++) {
        const sn_ref r = m->k->in[i];
        const sn_node *n = sn_at(m->from, r);
        if (n->op != SN_OP_const) m->input[i] = name_of(m, r);
        m->to[r.i] = m->input[i] ? sn_graph_param(g, m->input[i], SN_INPUT, &n->type, (sn_init){0}, (sn_loc){0}) : moved(m, r);
    }
    for (uint32_t i = 0; i < m->k->bodies; i++) m->to[m->k->body[i].i] = moved(m, m->k->body[i]);
    for (uint32_t i = 0; i < m->k->outs; i++) sn_graph_output(g, name_of(m, m->k->out[i]), m->to[m->k->out[i].i], (sn_loc){0});
}

static sn_ref *moved_list(making *m, const sn_ref *ref, uint32_t n)
{
    sn_ref *out = sn_new_n(&m->s->arena, sn_ref, n + 1);
    for (uint32_t i = 0; i < n; i++) out[i] = m->to[ref[i].i];
    return out;
}

static void make_kernel(making *m)
{
    sn_kernel *k = m->s->kernel = sn_new(&m->s->arena, sn_kernel);
    *k = *m->k;
    k->in = moved_list(m, k->in, k->ins);
    k->body = moved_list(m, k->body, k->bodies);
    k->out = moved_list(m, k->out, k->outs);
    if (!sn_is_none(k->anchor)) k->anchor = m->to[k->anchor.i];
    m->s->kernels = 1;
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

static sn_rt_status write_text(const making *m, const char *file, const char *text, size_t size, sn_rt_error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", m->c->dir, file);
    return sn_rt_file_replace(path, text, size, err);
}

static sn_rt_status write_stage(const making *m, sn_rt_error *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for the case");
    sn_stage_print_head("scheduled", m->c->training, false, f);
    sn_graph_print(m->s->g, f);
    sn_schedule_print(m->s, f);
    const sn_rt_status status = fclose(f) ? sn_rt_fail(err, SN_RT_MEMORY, "no memory for the case") : write_text(m, "kernel.ir", text, size, err);
    free(text);
    return status;
}

static sn_rt_status write_input(const making *m, uint32_t i, sn_rt_error *err)
{
    char path[4096];
    size_t count;
    const sn_ref r = m->k->in[i];
    const sn_type *t = &sn_at(m->from, r)->type;
    const float *data = sn_rt_session_buffer(m->c->bound->session, m->c->program->schedule->buffer_of[r.i], &count);
    sn_rt_array a = {.elem = SN_RT_ELEM_F32, .rank = t->rank, .data = (void *)(uintptr_t)data, .bytes = count * sizeof(float)};
    for (uint8_t d = 0; d < t->rank; d++) a.dims[d] = (uint64_t)sn_dim_eval(&m->from->dims, t->dim[d], m->c->bound->extent);
    snprintf(path, sizeof path, "%s/%s.npy", m->c->dir, m->input[i]);
    return sn_rt_npy_write(path, &a, err);
}

static bool uses_symbol(const making *m, const sn_type *t, uint32_t symbol)
{
    int64_t *extent = sn_new_n((sn_arena *)(uintptr_t)&m->arena, int64_t, m->from->dims.symbols + 1);
    bool used = false;
    for (uint8_t d = 0; d < t->rank; d++) {
        for (uint32_t i = 0; i < m->from->dims.symbols; i++) extent[i] = 1009;
        const int64_t a = sn_dim_eval(&m->from->dims, t->dim[d], extent);
        extent[symbol] = 2003;
        used = used || a != sn_dim_eval(&m->from->dims, t->dim[d], extent);
    }
    return used;
}

/* Extents of the dimensions the kernel knows: inputs may not tell them. */
static void print_extents(const making *m, FILE *f)
{
    for (uint32_t s = 0; s < m->from->dims.symbols; s++) {
        bool used = false;
        for (uint32_t i = 0; i < m->s->g->nodes; i++) used = used || uses_symbol(m, &m->s->g->node[i].type, s);
        if (used) fprintf(f, " --set %s=%lld", sn_dim_symbol_name(&m->from->dims, s), (long long)m->c->bound->extent[s]);
    }
}

/* Assembly begins with a comment of its own. */
static const char *name_of_code(const char *code) { return *code == '#' ? "kernel.s" : "kernel.ll"; }

static sn_rt_status write_command(const making *m, const char *code, sn_rt_error *err)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f) return sn_rt_fail(err, SN_RT_MEMORY, "no memory for the case");
    fprintf(f, "#!/bin/sh\n# kernel %s alone, on what it read\ncd \"$(dirname \"$0\")\" &&\nexec sinew verify kernel.ir --seed %llu%s", m->k->name,
            (unsigned long long)m->c->seed, m->c->options);
    if (code) fprintf(f, " --code %s", name_of_code(code));
    print_extents(m, f);
    for (uint32_t i = 0; i < m->k->ins; i++)
        if (m->input[i]) fprintf(f, " --in %s=%s.npy", m->input[i], m->input[i]);
    fputs(" \"$@\"\n", f);
    sn_rt_status status = fclose(f) ? sn_rt_fail(err, SN_RT_MEMORY, "no memory for the case") : write_text(m, "again", text, size, err);
    free(text);
    char path[4096];
    snprintf(path, sizeof path, "%s/again", m->c->dir);
    if (status == SN_RT_OK && chmod(path, 0777 & ~umask(0)) != 0) status = sn_rt_fail(err, SN_RT_IO, "%s: %s", path, strerror(errno));
    return status;
}

static sn_rt_status write_files(const making *m, sn_rt_error *err)
{
    const char *code = sn_compiled_code(m->c->program->compiled, m->c->kernel);
    if (mkdir(m->c->dir, 0777) != 0 && errno != EEXIST) return sn_rt_fail(err, SN_RT_IO, "%s: %s", m->c->dir, strerror(errno));
    sn_rt_status status = write_stage(m, err);
    for (uint32_t i = 0; i < m->k->ins && status == SN_RT_OK; i++)
        if (m->input[i]) status = write_input(m, i, err);
    if (code && status == SN_RT_OK) status = write_text(m, name_of_code(code), code, strlen(code), err);
    return status == SN_RT_OK ? write_command(m, code, err) : status;
}

sn_rt_status sn_case_write(const sn_case *c, sn_rt_error *err)
{
    making m = {.c = c, .from = c->program->schedule->g, .k = &c->program->schedule->kernel[c->kernel]};
    sn_arena_init(&m.arena);
    m.to = sn_new_n(&m.arena, sn_ref, m.from->nodes + 1);
    m.input = sn_new_n(&m.arena, const char *, m.k->ins + 1);
    m.label = sn_node_labels(m.from, &m.arena);
    make_graph(&m);
    make_kernel(&m);
    const sn_rt_status status = write_files(&m, err);
    sn_schedule_free(m.s);
    sn_arena_fini(&m.arena);
    return status;
}
