/* The processor compiled for: found through LLVM, or one of the portable baselines.
 * Not the machine's speed; peaks are measured by the benchmark. */
#include <stdlib.h>
#include <string.h>

#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <pthread.h>

#include "internal.h"

/* What a baseline promises, and how wide its vectors are. */
typedef struct level { const char *name, *needs; uint32_t lanes, registers; bool fma, masked; } level;
static const level levels[] = {
    {"x86-64-v2", "+sse4.2",  4,  16, false, false},
    {"x86-64-v3", "+avx2",    8,  16, true,  true},
    {"x86-64-v4", "+avx512bw", 16, 32, true, true},
};
enum { LEVELS = sizeof levels / sizeof levels[0] };

/* The other architecture, whose code is made here and runs elsewhere: Advanced SIMD is part of every such processor. */
static const level aarch64 = {"aarch64", "", 4, 32, true, false};

static pthread_once_t once = PTHREAD_ONCE_INIT, once_aarch64 = PTHREAD_ONCE_INIT;

/* Generators choose their inductions and the order of instructions themselves.  Loop strength reduction rewrote the former at a sixth of all
 * compilation, the two schedulers the latter at another seventh, without a gain beyond noise (a stage-1 step in three interleaved rounds:
 * 0.682 0.656 0.649 s with the schedulers, 0.669 0.661 0.667 without).  Sums live in registers as generated, so there is nothing in memory that
 * loop-invariant code motion could promote to one; looking for it was an eleventh of all compilation.  What CodeGenPrepare, hoisting, common
 * subexpressions, sinking and copies of machine code find, passes over LLVM IR have found before; they and a search for values that mask registers could
 * hold were a sixth (README.md).  LLVM's C interface turns them off for the whole process only. */
static void initialise(void)
{
    static const char *const option[] = {"sinew", "-disable-lsr", "-disable-post-ra", "-enable-misched=false", "-disable-licm-promotion", "-disable-cgp",
                                         "-disable-machine-licm", "-disable-machine-cse", "-disable-machine-sink", "-disable-copyprop",
#if defined(__x86_64__) /* LLVM ends the process over an option that no linked target has */
                                         "-disable-x86-domain-reassignment",
#endif
    };
    LLVMParseCommandLineOptions(sizeof option / sizeof *option, option, "");
    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
    LLVMInitializeNativeAsmParser();
}

static void initialise_aarch64(void)
{
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
}

static bool has_feature(const char *features, const char *feature)
{
    size_t n = strlen(feature);
    for (const char *p = features; (p = strstr(p, feature)) != NULL; p += n)
        if ((p == features || p[-1] == ',') && (p[n] == ',' || p[n] == '\0'))
            return true;
    return false;
}

static bool copy_text(char *out, size_t size, const char *text)
{
    size_t n = strlen(text);
    if (n >= size)
        return false;
    memcpy(out, text, n + 1);
    return true;
}

static void use_level(sn_target *t, const level *l)
{
    t->lanes = l->lanes;
    t->registers = l->registers;
    t->fma = l->fma;
    t->masked = l->masked;
}

static bool find_native(sn_target *t, const char *features)
{
    char *cpu = LLVMGetHostCPUName();
    bool fits = copy_text(t->cpu, sizeof t->cpu, cpu) && copy_text(t->features, sizeof t->features, features);
    LLVMDisposeMessage(cpu);
    static const level other = {"", "", 4, 32, false, false}; /* not an x86 processor: four floats are safe everywhere */
    use_level(t, &other);
    for (int i = 0; i < LEVELS; i++)
        if (has_feature(features, levels[i].needs) && (i != 1 || has_feature(features, "+fma")) &&
            (i != 2 || (has_feature(features, "+avx512vl") && has_feature(features, "+avx512dq"))))
            use_level(t, &levels[i]);
    return fits;
}

static void find_aarch64(sn_target *t)
{
    pthread_once(&once_aarch64, initialise_aarch64);
    t->runs_here = strncmp(t->triple, "aarch64", strlen("aarch64")) == 0;
    copy_text(t->triple, sizeof t->triple, "aarch64-linux-gnu");
    copy_text(t->cpu, sizeof t->cpu, "generic");
    t->features[0] = '\0';
    use_level(t, &aarch64);
}

static bool find_baseline(sn_target *t, const char *cpu, const char *features, sn_diags *diags)
{
    const char *names[LEVELS + 2] = {"native", aarch64.name};
    for (int i = 0; i < LEVELS; i++) {
        names[i + 2] = levels[i].name;
        if (strcmp(cpu, levels[i].name) != 0)
            continue;
        use_level(t, &levels[i]);
        copy_text(t->cpu, sizeof t->cpu, cpu);
        t->features[0] = '\0';
        t->runs_here = has_feature(features, levels[i].needs);
        return true;
    }
    const char *near = sn_nearest(cpu, names, LEVELS + 2);
    sn_error(diags, (sn_loc){0}, NULL, "processor \"%s\" is not known, expected native, x86-64-v2, x86-64-v3, x86-64-v4 or aarch64%s%s%s", cpu,
             near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return false;
}

bool sn_target_find(const char *cpu, sn_target *out, sn_diags *diags)
{
    pthread_once(&once, initialise);
    sn_target t = {.runs_here = true};
    char *triple = LLVMGetDefaultTargetTriple(), *features = LLVMGetHostCPUFeatures();
    bool ok = copy_text(t.triple, sizeof t.triple, triple);
    if (cpu == NULL || strcmp(cpu, "native") == 0) {
        ok = ok && find_native(&t, features);
        if (!ok)
            sn_error(diags, (sn_loc){0}, NULL, "the description of this processor is longer than %zu bytes", sizeof t.features);
    } else if (strcmp(cpu, aarch64.name) == 0) {
        find_aarch64(&t);
    } else {
        ok = ok && find_baseline(&t, cpu, features, diags);
    }
    LLVMDisposeMessage(triple);
    LLVMDisposeMessage(features);
    ok = ok && copy_text(t.name, sizeof t.name, cpu && strcmp(cpu, "native") != 0 ? cpu : t.cpu);
    if (ok)
        *out = t;
    return ok;
}

const char *sn_target_needs(const sn_target *t, sn_arena *a)
{
    if (t->features[0] == '\0') /* a baseline is its own promise; the other architecture needs nothing */
        return strcmp(t->name, aarch64.name) == 0 ? "" : sn_strdup(a, t->name);
    static const char *const set[] = {
#define NAME(name) name,
        SN_ABI_X86_SETS(NAME)
#undef NAME
    };
    const char *needs = "";
    char feature[32];
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        snprintf(feature, sizeof feature, "+%s", set[i]);
        if (has_feature(t->features, feature))
            needs = sn_format(a, "%s%s%s", needs, *needs ? "," : "", set[i]);
    }
    return needs;
}

LLVMTargetMachineRef sn_target_machine(const sn_target *t)
{
    LLVMTargetRef target = NULL;
    char *error = NULL;
    if (LLVMGetTargetFromTriple(t->triple, &target, &error)) {
        LLVMDisposeMessage(error);
        return NULL;
    }
    return LLVMCreateTargetMachine(target, t->triple, t->cpu, t->features, LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelSmall);
}

bool sn_codegen_target_get(const sn_codegen_options *options, sn_codegen_target *out, sn_diags *diags)
{
    static _Thread_local sn_target t;
    static _Thread_local char version[32];
    if (!sn_target_find(options ? options->cpu : NULL, &t, diags))
        return false;
    unsigned major, minor, patch;
    LLVMGetVersion(&major, &minor, &patch);
    snprintf(version, sizeof version, "%u.%u.%u", major, minor, patch);
    *out = (sn_codegen_target){.cpu = t.cpu, .triple = t.triple, .llvm_version = version, .vector_bits = 32 * t.lanes,
                               .vector_registers = t.registers, .runs_here = t.runs_here};
    return true;
}
