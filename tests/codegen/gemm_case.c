/* Building, running and checking one contraction kernel.
 * Not the cases. */
#include "gemm_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ir/reference.h"

/* ---- building ---- */

/* Numbers a kernel must not confuse: different everywhere, reproducible, exact in float. */
static float number(uint64_t i)
{
    uint64_t z = (i + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z ^= z >> 27;
    return (float)((int64_t)(z >> 44) - (1 << 19)) / (float)(1 << 19);
}

void gc_init(gemm_case *c)
{
    memset(c, 0, sizeof *c);
    c->g = sn_graph_new("case");
    sn_diags_init(&c->diags);
    c->b = (sn_build){.g = c->g, .diags = &c->diags};
    sn_dim_symbol(&c->g->dims, "N");
    sn_dim_symbol(&c->g->dims, "T");
}

void gc_fini(gemm_case *c)
{
    sn_compiled_free(c->compiled);
    sn_schedule_free(c->s); /* and the graph */
    sn_diags_fini(&c->diags);
}

/* "25", "N", "T/2" (rounded up), "T-8". */
static sn_dim read_dim(gemm_case *c, const char *word)
{
    if (word[0] >= '0' && word[0] <= '9')
        return sn_dim_const(atoll(word));
    char name[2] = {word[0], 0};
    sn_dim d = sn_dim_symbol(&c->g->dims, name);
    if (word[1] == '/')
        return sn_dim_ceil_div(&c->g->dims, d, atoll(word + 2));
    if (word[1] == '-' || word[1] == '+')
        return sn_dim_add_const(&c->g->dims, d, atoll(word + 1));
    return d;
}

sn_type gc_type(gemm_case *c, const char *dims)
{
    sn_type t = {0};
    char text[128];
    snprintf(text, sizeof text, "%s", dims);
    for (char *save = NULL, *w = strtok_r(text, ",", &save); w; w = strtok_r(NULL, ",", &save))
        t.dim[t.rank++] = read_dim(c, w);
    return t;
}

sn_ref gc_param(gemm_case *c, const char *name, const char *dims)
{
    sn_type t = gc_type(c, dims);
    return sn_graph_param(c->g, name, SN_INPUT, &t, (sn_init){0}, (sn_loc){0});
}

sn_ref gc_contract(gemm_case *c, const char *spec, sn_ref x, sn_ref w, const char *dims)
{
    sn_contract k;
    const char *at = NULL, *what = NULL;
    if (!sn_contract_parse(spec, &k, &at, &what)) {
        fprintf(stderr, "%s: %s at %s\n", spec, what, at);
        abort();
    }
    sn_type t = gc_type(c, dims);
    c->anchor = sn_build_contract(&c->b, &k, x, w, &t);
    return c->anchor;
}

sn_ref gc_partial_sum(gemm_case *c, sn_ref x, int64_t outer, int64_t chunk, int64_t keep)
{
    sn_attrs a = {.tile = {outer, chunk, keep}};
    return sn_build_op(&c->b, SN_OP_partial_sum, &x, 1, &a, NULL);
}

void gc_out(gemm_case *c, sn_ref r) { c->out[c->outs++] = r; }

sn_ref gc_sparse(gemm_case *c, const char *dims, size_t nonzero)
{
    sn_type t = gc_type(c, dims);
    size_t n = 1;
    for (uint8_t i = 0; i < t.rank; i++)
        n *= (size_t)t.dim[i].v;
    float *data = calloc(n, sizeof *data);
    for (size_t i = 0; i < nonzero; i++)
        data[i * n / nonzero] = number(i) + 2.0f;
    sn_attrs a = {.data = {data, n}};
    sn_ref r = sn_build_op(&c->b, SN_OP_const, NULL, 0, &a, &t);
    free(data);
    return r;
}

/* ---- schedule ---- */

static void collect(sn_schedule *s, sn_kernel *k, sn_ref r, bool *seen)
{
    if (seen[r.i])
        return;
    seen[r.i] = true;
    const sn_node *n = sn_at(s->g, r);
    for (uint8_t i = 0; i < n->args; i++)
        collect(s, k, n->arg[i], seen);
    if (n->op == SN_OP_param || n->op == SN_OP_const)
        k->in[k->ins++] = r;
    else
        k->body[k->bodies++] = r;
}

static void add_buffer(sn_schedule *s, sn_ref r, sn_place place, uint32_t index)
{
    sn_type t = sn_at(s->g, r)->type;
    s->buffer_of[r.i] = s->buffers;
    s->buffer[s->buffers++] = (sn_buffer){.node = r, .place = place, .index = index, .count = sn_type_count(&s->g->dims, &t), .last = 0};
}

static void make_schedule(gemm_case *c)
{
    sn_schedule *s = c->s = calloc(1, sizeof *s);
    s->g = c->g;
    sn_arena_init(&s->arena);
    uint32_t n = c->g->nodes;
    sn_kernel *k = s->kernel = sn_new(&s->arena, sn_kernel);
    s->kernels = 1;
    *k = (sn_kernel){.form = SN_FORM_CONTRACT, .name = "case", .anchor = c->anchor};
    k->body = sn_new_n(&s->arena, sn_ref, n);
    k->in = sn_new_n(&s->arena, sn_ref, n);
    k->out = c->out;
    k->outs = c->outs;
    bool *seen = sn_new_n(&s->arena, bool, n);
    for (uint32_t i = 0; i < c->outs; i++) {
        collect(s, k, c->out[i], seen);
        const sn_node *o = sn_at(c->g, c->out[i]);
        if (o->op == SN_OP_partial_sum) {
            k->tiled = true;
            k->outer = o->attrs.tile.outer;
            k->chunk = o->attrs.tile.chunk;
        }
    }
    s->buffer = sn_new_n(&s->arena, sn_buffer, n);
    s->buffer_of = sn_new_n(&s->arena, uint32_t, n);
    memset(s->buffer_of, 0xff, n * sizeof *s->buffer_of);
    for (uint32_t i = 0; i < k->ins; i++) {
        const sn_node *in = sn_at(c->g, k->in[i]);
        bool param = in->op == SN_OP_param;
        add_buffer(s, k->in[i], param ? SN_PLACE_PARAM : SN_PLACE_CONST, param ? in->attrs.param.index : 0);
    }
    for (uint32_t i = 0; i < k->outs; i++) {
        char name[16];
        snprintf(name, sizeof name, "out%u", i);
        sn_graph_output(c->g, name, k->out[i], (sn_loc){0});
        add_buffer(s, k->out[i], SN_PLACE_OUTPUT, i);
    }
}

bool gc_compile(gemm_case *c, const char *cpu)
{
    if (c->diags.errors == 0) {
        make_schedule(c);
        c->compiled = sn_compile(c->s, &(sn_codegen_options){.cpu = cpu, .threads = 1}, &c->diags);
    }
    if (!c->compiled)
        sn_diags_print(&c->diags, stderr);
    return c->compiled != NULL;
}

/* ---- running ---- */

int64_t gr_dim(const gemm_run *r, int64_t v) { return v >= 0 ? v : r->dim[~v]; }

static int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

static int64_t entry_value(const gemm_run *r, const sn_abi_dim_entry *e)
{
    switch (e->op) {
    case SN_ABI_DIM_SYMBOL: return r->symbol[e->a];
    case SN_ABI_DIM_ADD: return gr_dim(r, e->a) + gr_dim(r, e->b);
    case SN_ABI_DIM_SUB: return gr_dim(r, e->a) - gr_dim(r, e->b);
    case SN_ABI_DIM_MUL: return gr_dim(r, e->a) * gr_dim(r, e->b);
    default: return floor_div(gr_dim(r, e->a), gr_dim(r, e->b));
    }
}

/* n floats, 64-byte aligned, that end (but for the alignment) at a page that cannot be touched. */
static float *floats(size_t n)
{
    size_t bytes = (n * sizeof(float) + 63) / 64 * 64, pages = (bytes + 8191) / 4096 * 4096;
    char *at = mmap(NULL, pages + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED || mprotect(at + pages, 4096, PROT_NONE))
        abort();
    if (bytes >= (size_t)4 << 20) /* as the runtime does; results of a test do not depend on it */
        (void)madvise(at, pages, MADV_HUGEPAGE);
    return (float *)(void *)(at + pages - bytes);
}

static void floats_free(float *p, size_t n)
{
    size_t bytes = (n * sizeof(float) + 63) / 64 * 64, pages = (bytes + 8191) / 4096 * 4096;
    if (p)
        munmap((char *)p + bytes - pages, pages + 4096);
}

static void fill_param(gemm_run *r, uint32_t i)
{
    const sn_abi_buffer *b = &r->p->buffer[i];
    size_t n = (size_t)gr_dim(r, b->count);
    r->param[b->index] = malloc((n + 1) * sizeof(double));
    for (size_t k = 0; k < n; k++)
        r->param[b->index][k] = r->buffer[i][k] = number(k * 31 + (uint64_t)b->index * 1000003);
}

void gr_init(gemm_run *r, gemm_case *c, const int64_t *symbol)
{
    const sn_abi_program *p = sn_compiled_program(c->compiled);
    *r = (gemm_run){.p = p};
    memcpy(r->symbol, symbol, p->symbols * sizeof *symbol);
    r->dim = calloc(p->dims + 1, sizeof *r->dim);
    for (uint32_t i = 0; i < p->dims; i++)
        r->dim[i] = entry_value(r, &p->dim[i]);
    r->buffer = calloc(p->buffers, sizeof *r->buffer);
    r->param = calloc(p->params + 1, sizeof *r->param);
    for (uint32_t i = 0; i < p->buffers; i++) {
        size_t n = (size_t)gr_dim(r, p->buffer[i].count);
        r->buffer[i] = floats(n);
        memset(r->buffer[i], 0xff, n * sizeof(float));
        if (p->buffer[i].place == SN_ABI_PARAM)
            fill_param(r, i);
        if (p->buffer[i].place == SN_ABI_CONST)
            memcpy(r->buffer[i], p->buffer[i].data, n * sizeof(float));
    }
    size_t scratch = 64;
    for (uint32_t i = 0; i < p->calls; i++)
        if ((size_t)gr_dim(r, p->call[i].scratch) > scratch)
            scratch = (size_t)gr_dim(r, p->call[i].scratch);
    r->scratch_floats = scratch / sizeof(float);
    r->scratch = floats(r->scratch_floats);
    memset(r->scratch, 0xff, scratch);
}

void gr_fini(gemm_run *r)
{
    for (uint32_t i = 0; i < r->p->buffers; i++)
        floats_free(r->buffer[i], (size_t)gr_dim(r, r->p->buffer[i].count));
    for (uint32_t i = 0; i < r->p->params; i++)
        free(r->param[i]);
    free(r->buffer);
    free(r->param);
    free(r->dim);
    floats_free(r->scratch, r->scratch_floats);
}

void gr_tiles(const gemm_run *r, const sn_abi_call *c, int64_t from, int64_t to, float *scratch)
{
    float *arg[64];
    int64_t dim[64];
    for (uint32_t i = 0; i < c->args; i++)
        arg[i] = r->buffer[c->arg[i]];
    for (uint32_t i = 0; i < c->dims; i++)
        dim[i] = gr_dim(r, c->dim[i]);
    sn_abi_args a = {.arg = arg, .dim = dim, .seed = 1, .step = 2};
    c->kernel(&a, from, to, scratch);
}

static void run_call(gemm_run *r, const sn_abi_call *c, int64_t group, bool reverse)
{
    int64_t tiles = gr_dim(r, c->tiles);
    group = group > 0 ? group : tiles;
    int64_t groups = group > 0 ? (tiles + group - 1) / group : 0;
    for (int64_t i = 0; i < groups; i++) {
        int64_t from = (reverse ? groups - 1 - i : i) * group, to = from + group < tiles ? from + group : tiles;
        gr_tiles(r, c, from, to, r->scratch);
    }
}

void gr_run(gemm_run *r, int64_t group, bool reverse)
{
    for (uint32_t i = 0; i < r->p->calls; i++)
        run_call(r, &r->p->call[i], group, reverse);
}

const float *gr_out(const gemm_run *r, uint32_t out, size_t *count)
{
    uint32_t b = r->p->output[out].buffer;
    *count = (size_t)gr_dim(r, r->p->buffer[b].count);
    return r->buffer[b];
}

double gr_error(gemm_run *r, gemm_case *c)
{
    sn_ref_setting setting = {.symbol = r->symbol, .param = (const double *const *)r->param, .seed = 1, .step = 2};
    sn_ref_run *ref = sn_ref_eval(c->g, &setting);
    double worst = 0;
    for (uint32_t i = 0; i < c->outs; i++) {
        size_t n;
        const float *have = gr_out(r, i, &n);
        const sn_ref_array *want = sn_ref_value(ref, c->out[i]);
        /* Of the largest result, or of operands of about 1: fast forms round what they add even where it adds up to nothing. */
        double most = 0.05, error = want->count == n ? 0 : INFINITY;
        for (size_t k = 0; k < want->count; k++)
            most = fabs(want->data[k]) > most ? fabs(want->data[k]) : most;
        for (size_t k = 0; k < n && k < want->count; k++) {
            double d = fabs((double)have[k] - want->data[k]) / most;
            error = d <= error ? error : isnan(d) ? INFINITY : d;
        }
        worst = error > worst ? error : worst;
    }
    sn_ref_free(ref);
    return worst;
}
