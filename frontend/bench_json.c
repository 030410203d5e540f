/* A measurement as JSON.
 * Not the measuring (bench.c). */
#include "bench.h"

#include <jansson.h>

static json_t *kernel_json(const sn_bench *b, const sn_bench_kernel *k)
{
    double rate = k->seconds > 0 ? k->flop / k->seconds : 0;
    return json_pack("{s:s, s:s, s:f, s:f, s:f, s:f}", "name", k->name, "where", k->where, "seconds", k->seconds, "share", k->share, "gflops",
                     rate / 1e9, "peak_share", rate / b->peak.flops);
}

void sn_bench_json(const sn_bench *b, bool kernels, FILE *out)
{
    const sn_abi_program *p = b->job.program.abi;
    json_t *extents = json_object(), *rows = json_array();
    for (uint32_t i = 0; i < p->symbols; i++) json_object_set_new(extents, p->symbol[i], json_integer(b->job.extent[i]));
    for (uint32_t i = 0; kernels && i < b->kernels; i++) json_array_append_new(rows, kernel_json(b, &b->kernel[i]));
    json_t *all = json_pack("{s:s, s:s, s:b, s:i, s:o, s:I, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:i, s:f, s:f, s:f, s:f, s:f, s:s, s:I, s:I, s:I, s:I, s:f, s:f}",
                            "file", b->file, "module", b->module, "training", b->training, "threads", b->threads, "extents", extents, "batch",
                            (json_int_t)b->batch, "kernels", (int)b->stats.kernels, "distinct_kernels", (int)b->stats.distinct, "compile_cold_s",
                            b->compile_cold, "compile_cached_s", b->compile_cached, "step_s", b->step, "step_fastest_s", b->fastest, "step_slowest_s",
                            b->slowest, "repeats", (int)b->repeats, "sequences_per_second", (double)b->batch / b->step, "gflops",
                            b->flop / b->step / 1e9, "peak_share", b->flop / b->step / b->peak.flops, "peak_gflops", b->peak.flops / 1e9,
                            "bandwidth_gbytes", b->peak.bandwidth / 1e9, "isa", b->peak.isa, "memory_planned_bytes", (json_int_t)b->memory_planned,
                            "memory_peak_bytes", (json_int_t)b->memory_peak, "memory_slab_bytes", (json_int_t)b->memory_slab,
                            "memory_live_bytes", (json_int_t)b->memory_live, "load", b->load, "multiply_adds", b->multiply_adds);
    if (kernels) json_object_set(all, "kernel_times", rows);
    json_dumpf(all, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    fputc('\n', out);
    json_decref(rows);
    json_decref(all);
}
