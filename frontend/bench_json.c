/* A measurement as JSON; BENCH.md lists the fields.
 * Not the measuring (bench.c, profile.c). */
#include "bench.h"

static double ratio(double a, double b) { return b > 0 ? a / b : 0; }

static json_t *counters_json(const sn_bench *b, const double *count)
{
    json_t *all = json_object();
    for (uint32_t i = 0; i < b->profile.counters; i++) json_object_set_new(all, sn_counters_name(b->observation.counters, i), json_real(count[i]));
    return all;
}

static json_t *kernel_json(const sn_bench *b, const sn_profile_row *r)
{
    double  rate = ratio(r->flop, r->seconds);
    json_t *threads = json_array();
    for (int t = 0; t < b->profile.threads; t++) json_array_append_new(threads, json_real(r->thread[t]));
    json_t *row = json_pack("{s:s, s:s, s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s, s:f, s:f, s:o}", "name", r->name, "node", r->node, "where",
                            r->where, "calls", (int)r->calls, "seconds", r->seconds, "busy_seconds", r->busy, "share", ratio(r->seconds, b->profile.step),
                            "flop", r->flop, "bytes", r->bytes, "gflops", rate / 1e9, "peak_share", ratio(rate, b->peak.flops), "intensity",
                            ratio(r->flop, r->bytes), "roofline_share", ratio(r->limit, r->seconds), "bound", sn_profile_bound(r), "limit_seconds", r->limit,
                            "backward_seconds", r->backward, "thread_busy_seconds", threads);
    if (row && r->counter) json_object_set_new(row, "counters", counters_json(b, r->counter));
    return row;
}

static json_t *other_json(const sn_bench *b, const sn_profile_row *r)
{
    return json_pack("{s:s, s:f, s:f, s:f, s:f}", "name", r->name, "seconds", r->seconds, "share", ratio(r->seconds, b->profile.step), "bytes", r->bytes,
                     "roofline_share", ratio(r->limit, r->seconds));
}

/* False if a name is not UTF-8. */
static bool add_profile(json_t *all, const sn_bench *b, const sn_profile *p, const char *by)
{
    json_t *kernels = json_array(), *others = json_array();
    bool    ok = true;
    for (uint32_t i = 0; i < p->kernels; i++) ok = !json_array_append_new(kernels, kernel_json(b, &p->kernel[i])) && ok;
    for (uint32_t i = 0; i < p->others; i++) json_array_append_new(others, other_json(b, &p->other[i]));
    json_object_set_new(all, "sinew", json_string(SN_PROFILE_KIND));
    json_object_set_new(all, "by", json_string(by));
    json_object_set_new(all, "kernel_times", kernels);
    json_object_set_new(all, "other_times", others);
    json_object_set_new(all, "profile", json_pack("{s:i, s:f, s:f, s:f, s:f, s:f}", "steps", (int)p->steps, "step_s", p->step, "kernels_s",
                                                  p->total.seconds, "waiting_s", p->total.seconds - p->total.busy / p->threads, "kernels_share",
                                                  ratio(p->total.seconds, p->step), "roofline_share", ratio(p->total.limit, p->total.seconds)));
    json_t *threads = json_array();
    for (int t = 0; t < p->threads; t++)
        json_array_append_new(threads, json_pack("{s:f, s:f}", "busy_s", p->total.thread[t], "waiting_s", p->total.seconds - p->total.thread[t]));
    json_object_set_new(all, "thread_times", threads);
    return ok;
}

static void add_counters(json_t *all, const sn_bench *b)
{
    const char *name, *why;
    json_t     *missing = json_array();
    json_object_set_new(all, "counters", b->profile.counters ? counters_json(b, b->profile.total.counter) : json_object());
    for (uint32_t i = 0; (name = sn_counters_missing(b->observation.counters, i, &why)); i++)
        json_array_append_new(missing, json_pack("{s:s, s:s}", "name", name, "why", why));
    json_object_set_new(all, "counters_missing", missing);
}

json_t *sn_bench_json(const sn_bench *b, const sn_profile *rows, const char *by)
{
    const sn_abi_program *p = b->job.program.abi;
    json_t               *extents = json_object();
    for (uint32_t i = 0; i < p->symbols; i++) json_object_set_new(extents, p->symbol[i], json_integer(b->job.extent[i]));
    json_t *all = json_pack("{s:s, s:s, s:s, s:b, s:i, s:o, s:I, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:i, s:f, s:f, s:f, s:f, s:f, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f}",
                            "file", b->file, "module", b->module, "what", b->what, "training", b->training, "threads", b->threads, "extents", extents, "batch",
                            (json_int_t)b->batch, "kernels", (int)b->stats.kernels, "distinct_kernels", (int)b->stats.distinct, "compile_cold_s",
                            b->compile_cold, "compile_cached_s", b->compile_cached, "step_s", b->step, "step_fastest_s", b->fastest, "step_slowest_s",
                            b->slowest, "repeats", (int)b->repeats, "sequences_per_second", (double)b->batch / b->step, "gflops",
                            b->flop / b->step / 1e9, "peak_share", b->flop / b->step / b->peak.flops, "peak_gflops", b->peak.flops / 1e9,
                            "bandwidth_gbytes", b->peak.bandwidth / 1e9, "isa", b->peak.isa, "memory_planned_bytes", (json_int_t)b->memory_planned,
                            "memory_peak_bytes", (json_int_t)b->memory_peak, "memory_slab_bytes", (json_int_t)b->memory_slab,
                            "memory_live_bytes", (json_int_t)b->memory_live, "memory_inputs_bytes", (json_int_t)b->memory_inputs, "memory_grown_bytes",
                            (json_int_t)b->memory_grown, "memory_files_bytes", (json_int_t)b->memory_files, "load", b->load, "multiply_adds", b->multiply_adds);
    if (all && b->observation.counters) add_counters(all, b);
    if (!all || !rows || add_profile(all, b, rows, by)) return all;
    json_decref(all);
    return NULL;
}

bool sn_bench_json_print(json_t *json, FILE *out)
{
    if (!json) return false;
    json_dumpf(json, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    fputc('\n', out);
    json_decref(json);
    return true;
}
