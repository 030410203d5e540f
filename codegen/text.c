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

static bool print_kernel(sn_plan *p, LLVMTargetMachineRef machine, sn_code_stage stage, FILE *out)
{
    char *why = NULL, *text = NULL;
    bool ok = sn_plan_make(p);
    if (!ok)
        return false;
    text = sn_key_text(p);
    SN_ASSERT(text != NULL, "out of memory");
    const char *mark = stage == SN_CODE_ASM ? "#" : ";";
    fprintf(out, "%s kernel %s, key %s\n", mark, p->k->name, sn_key_make(p->target, text).text);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        fprintf(out, "%s   %s\n", mark, line);
    free(text);
    ok = sn_object_print(p, machine, sn_symbol_of(p->arena, p->k->name), stage, out, &why);
    if (!ok)
        sn_plan_fail(p, "no code was generated, %s", why ? why : "no reason given");
    free(why);
    return ok;
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
    t.debug = stage == SN_CODE_ASM; /* for its lines */
    sn_arena arena;
    sn_arena_init(&arena);
    bool ok = true;
    for (uint32_t i = begin; i < end; i++) {
        if (filter && !strstr(s->kernel[i].name, filter))
            continue;
        sn_plan p = {.s = s, .g = s->g, .k = &s->kernel[i], .target = &t, .dims = &s->g->dims, .arena = &arena, .diags = diags};
        ok &= print_kernel(&p, machine, stage, out);
    }
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

static void say_calls(const sn_plan *p)
{
    char tiles[128], scratch[128];
    for (uint32_t i = 0; i < p->calls; i++) {
        sn_dim_text(p->dims, p->call[i].tiles, tiles, sizeof tiles);
        sn_dim_text(p->dims, p->call[i].scratch, scratch, sizeof scratch);
        sn_plan_say(p, "    call %u: %s tiles, %s bytes of scratch a thread\n", i + 1, tiles, scratch);
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
    if (ok && p.generator != &sn_kernel_contract)
        sn_plan_say(&p, "  as %s: there is no other form for it\n", p.generator->name);
    if (ok)
        say_calls(&p);
    sn_arena_fini(&arena);
    return ok;
}
