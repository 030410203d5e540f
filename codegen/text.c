/* Code as text, for those who look: LLVM IR before and after optimisation, assembly.
 * Not part of compiling; each call generates the kernels anew. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* The kernel's name as a symbol: other characters than letters, digits, '.' and '_' become '_'. */
const char *sn_symbol_of(sn_arena *a, const char *name)
{
    char *s = sn_strdup(a, name);
    for (char *p = s; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._", *p))
            *p = '_';
    return s;
}

static void print_head(const sn_plan *p, const char *mark, FILE *out)
{
    sn_plan generated = *p;
    generated.code = NULL; /* the key is that by which an edited kernel is known */
    char *text = sn_key_text(&generated);
    SN_ASSERT(text != NULL, "out of memory");
    fprintf(out, "%s kernel %s, key %s\n", mark, p->k->name, sn_key_make(p->target, text).text);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        fprintf(out, "%s   %s\n", mark, line);
    free(text);
}

static bool print_kernel(const sn_plan *p, LLVMTargetMachineRef machine, sn_code_stage stage, FILE *out)
{
    char *why = NULL;
    if (sn_plan_is_assembly(p)) {
        fputs(stage == SN_CODE_ASM ? p->code : "; the code of this kernel was given as assembly\n", out);
        return true;
    }
    print_head(p, stage == SN_CODE_ASM ? "#" : ";", out);
    sn_target t = *p->target;
    sn_plan lined = *p;
    lined.target = &t;
    t.debug = stage == SN_CODE_ASM && !p->code; /* for its lines */
    const bool ok = sn_object_print(&lined, machine, sn_symbol_of(p->arena, p->k->name), stage, out, &why);
    if (!ok)
        sn_plan_fail(&lined, "no code was generated, %s", why ? why : "no reason given");
    free(why);
    return ok;
}

/* Plans of kernels begin .. end-1 by their numbers; of all if code is given, which may be that of any.  NULL with diagnostics. */
static sn_plan *make_plans(const sn_schedule *s, const char *code, const sn_target *t, uint32_t begin, uint32_t end, sn_arena *arena, sn_diags *diags)
{
    sn_plan *plan = sn_new_n(arena, sn_plan, s->kernels + 1);
    bool ok = true;
    for (uint32_t i = code ? 0 : begin; i < (code ? s->kernels : end); i++) {
        plan[i] = (sn_plan){.s = s, .g = s->g, .k = &s->kernel[i], .target = t, .dims = &s->g->dims, .arena = arena, .diags = diags};
        ok &= sn_plan_make(&plan[i]);
    }
    return ok && (!code || sn_replace_read(code, plan, s->kernels, diags)) ? plan : NULL;
}

/* Kernels begin .. end-1 whose name contains `filter`. */
static bool print_kernels(const sn_schedule *s, const sn_codegen_options *options, sn_code_stage stage, uint32_t begin, uint32_t end, const char *filter,
                          FILE *out, sn_diags *diags)
{
    sn_target t;
    if (!sn_target_find(options ? options->cpu : NULL, &t, diags))
        return false;
    LLVMTargetMachineRef machine = sn_target_machine(&t);
    if (!machine) {
        sn_error(diags, (sn_loc){0}, NULL, "LLVM has no code generator for %s", t.triple);
        return false;
    }
    sn_arena arena;
    sn_arena_init(&arena);
    const sn_plan *plan = make_plans(s, options ? options->code : NULL, &t, begin, end, &arena, diags);
    bool ok = plan != NULL;
    for (uint32_t i = begin; plan && i < end; i++)
        if (!filter || strstr(s->kernel[i].name, filter))
            ok &= print_kernel(&plan[i], machine, stage, out);
    sn_arena_fini(&arena);
    LLVMDisposeTargetMachine(machine);
    return ok;
}

bool sn_codegen_print(const sn_schedule *s, const sn_codegen_options *options, sn_code_stage stage, const char *filter, FILE *out,
                      sn_diags *diags)
{
    return print_kernels(s, options, stage, 0, s->kernels, filter, out, diags);
}

bool sn_codegen_print_kernel(const sn_schedule *s, const sn_codegen_options *options, sn_code_stage stage, uint32_t kernel, FILE *out, sn_diags *diags)
{
    return print_kernels(s, options, stage, kernel, kernel + 1, NULL, out, diags);
}

/* ---- reasons ---- */

/* The buffer whose memory an argument is: views have that of what they show.  Private buffers come behind all others. */
static uint32_t memory_of(const sn_plan *p, uint32_t arg, sn_dim *floats)
{
    const sn_kernel *k = p->k;
    const uint32_t own = k->ins + k->outs;
    if (arg >= own) {
        *floats = p->temp[arg - own];
        return p->s->buffers + arg;
    }
    uint32_t b = p->s->buffer_of[(arg < k->ins ? k->in[arg] : k->out[arg - k->ins]).i];
    *floats = p->s->buffer[b].count;
    while (p->s->buffer[b].place == SN_PLACE_ALIAS)
        b = p->s->buffer[b].index;
    return b;
}

/* Floats of distinct memory among arguments. */
static sn_dim floats_of(const sn_plan *p, const uint32_t *arg, uint32_t n)
{
    sn_dim sum = sn_dim_const(0), floats, other;
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t memory = memory_of(p, arg[i], &floats);
        bool seen = false;
        for (uint32_t j = 0; j < i; j++)
            seen = seen || memory_of(p, arg[j], &other) == memory;
        sum = seen ? sum : sn_dim_add(p->dims, sum, floats);
    }
    return sum;
}

/* What a call is to the runtime, and what it costs as `sinew profile` counts: the direct method's multiply-adds, operands and results once each. */
static void say_calls(const sn_plan *p)
{
    char text[256];
    for (uint32_t i = 0; i < p->calls; i++) {
        const sn_plan_call *c = &p->call[i];
        const sn_dim moved = sn_dim_add(p->dims, floats_of(p, c->arg, c->reads), floats_of(p, c->arg + c->reads, c->args - c->reads));
        const struct { sn_dim n; const char *what; } part[] = {
            {c->tiles, "tiles"}, {c->macs, "multiply-adds"}, {moved, "floats to and from memory"}, {c->scratch, "bytes of scratch a thread"}};
        sn_plan_say(p, "    call %u", i + 1);
        for (int k = 0; k < 4; k++) {
            sn_dim_text(p->dims, part[k].n, text, sizeof text);
            if (!sn_dim_equal(part[k].n, sn_dim_const(0)))
                sn_plan_say(p, "%s %s %s", k ? "," : ":", text, part[k].what);
        }
        sn_plan_say(p, "\n");
    }
}

bool sn_codegen_explain(const sn_schedule *s, const sn_codegen_options *options, uint32_t kernel, FILE *out, sn_diags *diags)
{
    sn_target t;
    if (!sn_target_find(options ? options->cpu : NULL, &t, diags))
        return false;
    sn_arena arena;
    sn_arena_init(&arena);
    sn_plan p = {.s = s, .g = s->g, .k = &s->kernel[kernel], .target = &t, .dims = &s->g->dims, .arena = &arena, .diags = diags, .why = out};
    const bool ok = sn_plan_make(&p);
    if (ok)
        p.generator->explain(&p), say_calls(&p);
    sn_arena_fini(&arena);
    return ok;
}
