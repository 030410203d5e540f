/* The verb `init`: initial weights of a program as a file.
 * Not how numbers are drawn (runtime/train/init.c). */
#include <stdlib.h>

#include "../runtime/data/safetensors.h"
#include "../runtime/train/store.h"
#include "cli.h"

typedef struct options {
    char        *module, *output;
    const char **set;
    long long    seed;
} options;

/* The runtime's word for an initialiser. */
static sn_abi_init init_kind(sn_init_kind kind)
{
    static const sn_abi_init abi[] = {[SN_INIT_CONSTANT] = SN_ABI_CONSTANT, [SN_INIT_NORMAL] = SN_ABI_NORMAL, [SN_INIT_UNIFORM] = SN_ABI_UNIFORM,
                                      [SN_INIT_UNIT_ROWS] = SN_ABI_UNIT_ROWS, [SN_INIT_EQUAL_ROWS] = SN_ABI_EQUAL_ROWS, [SN_INIT_SAME] = SN_ABI_SAME};
    return abi[kind];
}

/* Draw parameter `p` into a new array named `name`: a copy that begins equal draws what its weight drew. */
static sn_rt_status add_param(sn_rt_tensors *set, const sn_param *p, const sn_param *drawn, uint64_t seed, sn_rt_error *err)
{
    uint64_t dims[SN_MAX_RANK];
    size_t count = 1;
    void *data;
    for (uint8_t i = 0; i < p->type.rank; i++) {
        dims[i] = (uint64_t)p->type.dim[i].v;
        count *= (size_t)dims[i];
    }
    sn_rt_status status = sn_rt_tensors_add(set, p->name, SN_RT_ELEM_F32, p->type.rank, dims, NULL, &data, err);
    size_t width = p->type.rank ? (size_t)dims[p->type.rank - 1] : 1;
    if (status == SN_RT_OK) sn_rt_init_fill(init_kind(drawn->init.kind), drawn->init.a, drawn->init.b, drawn->name, seed, 0, data, count, width);
    return status;
}

static sn_rt_status write_weights(const sn_graph *g, const options *o, sn_rt_error *err)
{
    sn_rt_tensors *set = sn_rt_tensors_new();
    sn_rt_status status = set ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "there is no memory");
    size_t weights = 0, numbers = 0;
    for (uint32_t i = 0; i < g->params && status == SN_RT_OK; i++) {
        const sn_param *p = &g->param[i];
        if (p->kind == SN_INPUT) continue;
        status = add_param(set, p, p->init.kind == SN_INIT_SAME ? &g->param[p->of] : p, (uint64_t)o->seed, err);
        if (p->kind != SN_WEIGHT || status != SN_RT_OK) continue;
        size_t count = 1;
        for (uint8_t k = 0; k < p->type.rank; k++) count *= (size_t)p->type.dim[k].v;
        weights++;
        numbers += count;
    }
    if (status == SN_RT_OK) status = sn_rt_tensors_write(set, o->output, err);
    if (status == SN_RT_OK) printf("%s: %zu weights, %zu numbers, seed %lld\n", o->output, weights, numbers, o->seed);
    sn_rt_tensors_free(set);
    return status;
}

static int init(const char *file, const options *o)
{
    const sn_program_options program = {.module = o->module, .set = o->set, .sets = sn_cli_count(o->set), .training = true};
    sn_rt_error err = {""};
    sn_diags diags;
    int code = SN_EXIT_OK;
    sn_diags_init(&diags);
    sn_model *m = sn_model_load(file, &diags);
    sn_graph *g = m ? sn_model_elaborate(m, &program, &diags) : NULL;
    if (!g) code = sn_cli_report(&diags);
    else if (write_weights(g, o, &err) != SN_RT_OK) code = sn_cli_fail("init", SN_EXIT_FAILED, "%s", err.text);
    sn_graph_free(g);
    sn_model_free(m);
    sn_diags_fini(&diags);
    return code;
}

int sn_cmd_init(int argc, const char **argv)
{
    options o = {0};
    const char **file;
    uint32_t files;
    const struct poptOption table[] = {
        SN_CLI_PROGRAM_OPTIONS(o),
        {"seed", '\0', POPT_ARG_LONGLONG, &o.seed, 0, "of the random numbers (0)", "S"},
        {"output", 'o', POPT_ARG_STRING, &o.output, 0, "file to write", "W.safetensors"},
        POPT_AUTOHELP POPT_TABLEEND,
    };
    poptContext popt = poptGetContext("sinew init", argc, argv, table, 0);
    poptSetOtherOptionHelp(popt, "FILE -o W.safetensors\n\nWrite the initial weights, momentum copies, states and queues of a program.\n");
    int code = sn_cli_parse(popt, "init", &file, &files);
    if (code == 0 && files != 1) code = sn_cli_usage("init", files ? "one FILE at a time" : "FILE is missing");
    if (code == 0 && (!o.output || !*o.output)) code = sn_cli_usage("init", "-o W.safetensors is missing");
    if (code == 0) code = init(file[0], &o);
    sn_cli_list_fini(o.set);
    free(o.module), free(o.output);
    poptFreeContext(popt);
    return code;
}
