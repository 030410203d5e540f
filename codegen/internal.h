/* Inside code generation: target, plan of a kernel, kernel builder.
 * Not for other folders: LLVM is known here and in the .c files of codegen/ only.
 *
 * A kernel is made in two steps.  The plan (no LLVM) fixes calls, tiles, scratch and private buffers; it is made on every start and is
 * cheap.  Emission builds LLVM functions, one a call, and happens only when the object cache has no entry.  Emission must depend on nothing
 * but the kernel's canonical text (key.c), the target and the sources of code generation; it runs on several threads at once and must not add dims.
 *
 * Files, in the order things happen:
 *   target.c plan.c key.c space.c      what to compile for, kernels before LLVM, their keys, merged axes
 *   builder.c emit.c math.c random.c   functions, loops and memory; the scalar emitter
 *   value.c debug.c                    evaluation by demand; lines of graph files
 *   kernel_<form>*.c gemm_micro.c      generators
 *   object.c image.c cache.c jit.c     kernels to objects, a kernel's bytes out of an object, on disk, and into the process
 *   jitdump.c gdb.c                    what is in the process, for perf and gdb
 *   compile.c program.c                all of a schedule; the runtime's tables
 *   text.c lines.c replace.c           code as text, assembly with lines of graph files, and either of them edited as code
 *   ahead.c prepare.c tables.c         a model as objects: what its weights decide, tables as constants
 */
#ifndef SN_CODEGEN_INTERNAL_H
#define SN_CODEGEN_INTERNAL_H

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

#include "codegen.h"
#include "../ir/emit.h"

/* ---- target (target.c) -------------------------------------------------------------------------------------------------- */

typedef struct sn_target {
    char     name[64];      /* what it is called: "znver4", "x86-64-v3", "aarch64" */
    char     cpu[64];       /* LLVM's name */
    char     features[4096];
    char     triple[128];
    uint32_t lanes;         /* floats a vector: 16, 8 or 4 */
    uint32_t registers;     /* vector registers: 32 or 16 */
    bool     fma;           /* sn_kb_fma is one instruction; otherwise mul + add */
    bool     masked;        /* masked loads and stores are cheap */
    bool     runs_here;     /* this machine can execute it */
    bool     debug;         /* code says which lines of the graph files it is from; no two kernels are one then */
} sn_target;

bool sn_target_find(const char *cpu, sn_target *out, sn_diags *diags);
/* As in sn_abi_variant. */
const char *sn_target_needs(const sn_target *t, sn_arena *a);
/* A machine for the target; the caller disposes.  One a thread. */
LLVMTargetMachineRef sn_target_machine(const sn_target *t);

/* ---- plan (plan.c) ------------------------------------------------------------------------------------------------------ */

enum { SN_MAX_CALLS = 8, SN_MAX_TEMPS = 8, SN_MAX_DIMS = 64, SN_MAX_STREAMS = 8 };

/* Buffers of a kernel by number: 0 .. ins-1 = k->in, then k->out, then private temps in order of creation. */
typedef struct sn_plan_call {
    sn_dim    tiles;    /* numbered work units; the kernel function gets begin .. end */
    sn_dim    scratch;  /* bytes a thread, 0 if none */
    sn_dim    macs;     /* for reports */
    uint32_t *arg;      /* kernel buffer numbers: reads first */
    uint32_t  args, reads, capacity;
} sn_plan_call;

typedef struct sn_plan {
    const sn_schedule *s;
    const sn_graph    *g;
    const sn_kernel   *k;
    const sn_target   *target;
    sn_dims           *dims;   /* the graph's: planning may add, emission may not */
    sn_arena          *arena;
    sn_diags          *diags;
    const struct sn_generator *generator;
    void              *form;   /* what plan() leaves for emit() */
    uint64_t           kin;    /* kernels of equal, or nearly equal, kin call the same functions, most likely, so they had better be one object; 0 = those that are no contraction */
    uint32_t           calls;
    sn_plan_call       call[SN_MAX_CALLS];
    uint32_t           temps;
    sn_dim             temp[SN_MAX_TEMPS];  /* floats */
    uint32_t           dim_count;           /* run-time dims of all calls of the kernel: those of its types and the symbols below them */
    sn_dim            *dim;                 /* the last `streams` of them are the numbers of random streams, so that kernels that differ in
                                             * these alone are one */
    uint32_t           streams;
    FILE              *why;                 /* what is chosen, over what and with which costs, in words; or NULL */
    const char        *code;                /* to take instead of what the generator makes, or NULL: LLVM IR, or assembly if it begins with '#' */
    uint32_t           code_line;           /* of the file it is from */
} sn_plan;

static inline bool sn_plan_is_assembly(const sn_plan *p) { return p->code && *p->code == '#'; }

/* One a form.
 * plan: no LLVM.  Kernel buffers that no call names are an error.  explain: what was planned over what, by sn_plan_say.  emit: for every call, sn_kb_begin
 * .. sn_kb_end. */
typedef struct sn_kb sn_kb;
typedef struct sn_generator {
    const char *name;
    bool      (*plan)(sn_plan *p);
    void      (*explain)(const sn_plan *p);
    bool      (*emit)(sn_kb *kb);
} sn_generator;

extern const sn_generator sn_kernel_map, sn_kernel_reduce, sn_kernel_contract, sn_kernel_queue_nce;

/* Fill a plan whose s, g, k, target, dims, arena and diags are set. */
bool sn_plan_make(sn_plan *p);
/* Add a call; `all` makes it read every in and write every out. */
sn_plan_call *sn_plan_add(sn_plan *p, sn_dim tiles, sn_dim scratch_bytes, bool all);
void     sn_plan_read(sn_plan *p, sn_plan_call *c, uint32_t buffer);  /* all reads before the first write */
void     sn_plan_write(sn_plan *p, sn_plan_call *c, uint32_t buffer);
uint32_t sn_plan_temp(sn_plan *p, sn_dim floats);                     /* private slab buffer; its buffer number */
uint32_t sn_plan_buffer(const sn_plan *p, sn_ref r);                  /* of an in or out; UINT32_MAX if neither */
bool     sn_plan_in_body(const sn_plan *p, sn_ref r);
uint32_t sn_plan_stream(const sn_plan *p, int64_t stream);            /* place of a random stream in plan->dim */
bool     sn_plan_is_tiles(const sn_plan *p, sn_ref r);                /* a stored partial sum, also seen through views; part of the key */
/* Words for plan->why, if somebody wants them; a reason with its numbers, or without them where nobody does: never NULL. */
void     sn_plan_say(const sn_plan *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *sn_plan_no(const sn_plan *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Diagnostic at the kernel; returns false. */
bool     sn_plan_fail(sn_plan *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- iteration spaces (space.c) ----------------------------------------------------------------------------------------- */

typedef struct sn_space {
    sn_type  full;                /* before merging */
    uint8_t  rank;                /* merged axes */
    sn_dim   dim[SN_MAX_RANK];
    uint8_t  group[SN_MAX_RANK];  /* axis of full -> merged axis */
    uint32_t apart;               /* bit i: axes i-1 and i of full do not merge */
    uint32_t nodes;               /* of the kernel, with their types in the merged space */
    sn_ref  *node;
    sn_type *type;
} sn_space;
/* Merge the axes of `space`, to which every out and its operands align, except across the bits of `apart`. */
sn_space *sn_space_make(sn_plan *p, const sn_type *space, uint32_t apart);
/* A shape aligned to the full space, in merged axes. */
sn_type sn_space_type(const sn_plan *p, const sn_space *s, const sn_type *t);
/* From now on nodes have their merged types in kb->g. */
void sn_space_apply(sn_kb *kb, const sn_space *s);

/* ---- keys, objects, cache, loading -------------------------------------------------------------------------------------- */

typedef struct sn_key { char text[40]; } sn_key; /* 32 hexadecimal digits */
char  *sn_key_text(const sn_plan *p);            /* canonical text; caller frees; NULL without memory */
sn_key sn_key_make(const sn_target *t, const char *text);

/* Kernels compiled together: LLVM's set-up of a module costs as much as a small kernel.  Functions are <symbol>_<call>; why: a text that the
 * caller frees.  After a failure the batch is only to be freed.  One thread at a time. */
typedef struct sn_batch sn_batch;
sn_batch *sn_batch_new(const sn_target *target, LLVMTargetMachineRef machine);
bool sn_batch_add(sn_batch *b, const sn_plan *p, const char *symbol, char **why);
LLVMMemoryBufferRef sn_batch_finish(sn_batch *b, char **why);
void sn_batch_free(sn_batch *b);
/* The object of a plan whose code is assembly; its functions have the names that the text gives them, sn_symbol_of the kernel's. */
LLVMMemoryBufferRef sn_object_assemble(const sn_plan *p, LLVMTargetMachineRef machine, char **why);
bool sn_object_print(const sn_plan *p, LLVMTargetMachineRef machine, const char *symbol, sn_code_stage stage, FILE *out, char **why);

/* Code written by hand (replace.c): give plans the code that the file holds for them.  False with diagnostics: a kernel that is not there, or that the code was
 * not written for. */
bool sn_replace_read(const char *path, sn_plan *plan, uint32_t plans, sn_diags *diags);
/* The kernel's name as a symbol, as printed code has it. */
const char *sn_symbol_of(sn_arena *a, const char *name);

/* A kernel's code and tables as one run of bytes that may lie at any multiple of SN_IMAGE_ALIGN: nothing in it refers to anything
 * outside.  This header and the code after it are what the cache holds. */
enum { SN_IMAGE_ALIGN = 64 };
typedef struct sn_image { uint32_t size, calls, entry[SN_MAX_CALLS]; uint32_t unused[6]; unsigned char code[]; } sn_image;
_Static_assert(sizeof(sn_image) == 64, "the header is what is on disk");
/* The image of <symbol>_0 .. <symbol>_<calls - 1> in an ELF object; the caller frees.  NULL with a text in *why. */
sn_image *sn_image_make(const void *object, size_t size, const char *symbol, uint32_t calls, char **why);
/* The object itself for a debugger, malloc'd, of the same size: sections of the image have their offsets in it as addresses, and no others are said to be
 * loaded.  Of an object that an image was made of. */
void *sn_image_object(const void *object, size_t size, const char *symbol, uint32_t calls);
/* Is this an image of so many calls? */
bool sn_image_fits(const void *data, size_t size, uint32_t calls);

int   sn_cache_open(const char *dir, const char **why);             /* makes it; -1 when it cannot be trusted or made */
void  sn_cache_close(int dir);
void *sn_cache_read(int dir, const char *key, size_t *size);        /* malloc'd; NULL when absent or not to be trusted */
bool  sn_cache_write(int dir, const char *key, const void *data, size_t size);

/* Images as code of this process (jit.c).  NULL with a text in *why. */
typedef struct sn_jit sn_jit;
sn_jit *sn_jit_new(sn_image *const *image, uint32_t n, char **why);
void sn_jit_free(sn_jit *jit);
sn_abi_kernel *sn_jit_entry(const sn_jit *jit, uint32_t image, uint32_t call);
const void *sn_jit_code(const sn_jit *jit, size_t *out_size);
/* Write loaded code down for perf, in FOLDER/jit-PID.dump (jitdump.c).  False with a text in *why. */
bool sn_jitdump(const char *folder, const sn_abi_program *p, const void *code, size_t size, char **why);

/* Let gdb know of an object (sn_image_object, taken) whose image lies at `code`, until it is removed (gdb.c). */
typedef struct sn_gdb sn_gdb;
sn_gdb *sn_gdb_add(void *object, size_t size, const void *code);
void    sn_gdb_remove(sn_gdb *entry);

/* Assembly with the lines of graph files as comments (lines.c); of code that has debug information. */
void sn_lines_print(const char *text, size_t size, const sn_diags *diags, FILE *out);

/* Lines of graph files in code (debug.c); all of it does nothing where a module has no sn_debug. */
typedef struct sn_debug sn_debug;
sn_debug *sn_debug_new(LLVMModuleRef mod, LLVMContextRef ctx);
void sn_debug_finish(sn_debug *d); /* before the module is verified */
void sn_debug_free(sn_debug *d);
void sn_debug_function(sn_kb *kb, LLVMValueRef fn);                 /* instructions of fn follow, at the kernel's line */
LLVMMetadataRef sn_debug_enter(sn_kb *kb, sn_ref r);                /* those of node r, at its line; gives what to leave with */
void sn_debug_leave(sn_kb *kb, LLVMMetadataRef before);

/* ---- builder (builder.c) ------------------------------------------------------------------------------------------------ */

enum { SN_MAX_CARRY = 64 };

typedef struct sn_memo { uint32_t node; uint8_t rank; sn_val at[SN_MAX_RANK]; LLVMValueRef mask, guard; uint32_t lanes; sn_val value; } sn_memo;
/* The value of node r at `at`, given by a generator instead of the node's rule: accumulators, scratch tiles. */
typedef sn_val sn_bind_fn(sn_kb *kb, void *context, sn_ref r, const sn_val *at);
typedef struct sn_bind { sn_bind_fn *fn; void *context; } sn_bind;

struct sn_kb {
    sn_emit            emit;    /* first: rules get &kb->emit */
    const sn_plan     *plan;
    const sn_graph    *g;
    const sn_kernel   *k;
    const sn_target   *target;
    sn_arena           arena;   /* dies with the builder */
    LLVMContextRef     ctx;
    LLVMModuleRef      mod;
    LLVMBuilderRef     b;
    LLVMTypeRef        i1, i32, i64, f32, f64, ptr;
    const char        *symbol;  /* base name of functions; call c is <symbol>_<c> */
    struct sn_debug   *debug;   /* NULL: none */
    LLVMMetadataRef    scope;   /* of the function being built */
    /* the function being built */
    const sn_plan_call *call;
    LLVMValueRef       fn;
    LLVMBasicBlockRef  entry;   /* for values that every block may use */
    LLVMValueRef       begin, end;          /* i64 tile range */
    LLVMValueRef       scratch;             /* ptr, noalias */
    LLVMValueRef       seed, step;          /* i64 */
    LLVMValueRef      *buffer;              /* by kernel buffer number; NULL when not an argument of this call */
    LLVMValueRef      *dim;                 /* by index into plan->dim */
    /* evaluation */
    uint32_t           lanes;   /* width of vector values now: target->lanes, or 1 for scalar evaluation */
    LLVMValueRef       mask;    /* <lanes x i1> of live lanes, or NULL = all; guards every load with a lane step */
    LLVMValueRef       guard;   /* i1 or NULL: when false no memory is touched and loads give 0 (uniform load_if) */
    sn_memo           *memo;
    uint32_t           memos, memo_capacity;
    sn_bind           *bind;    /* per graph node */
    int64_t            stream;  /* of `stream_key`: words of the last random stream used in this function */
    LLVMValueRef       stream_key[4];
};

/* Functions: opens call c, with what sn_abi_args holds in kb->buffer, dim, seed and step, and its range of tiles in kb->begin, kb->end; the caller emits the loop
 * over them.  At the end every access through a buffer says that it is in no other. */
void sn_kb_begin(sn_kb *kb, uint32_t call);
void sn_kb_end(sn_kb *kb);
/* Calls a function without results of the same object, which kernels share by its name.  True: there is none yet, and what is built until
 * sn_kb_beside_end is its body, from the parameters of kb->fn; nodes, buffers and dims belong to the kernel and are not seen there. */
typedef struct sn_kb_beside { LLVMValueRef fn; LLVMBasicBlockRef at; LLVMMetadataRef line; } sn_kb_beside; /* where the kernel goes on */
bool sn_kb_beside_begin(sn_kb *kb, sn_kb_beside *o, const char *name, LLVMTypeRef *param, LLVMValueRef *arg, uint32_t n);
void sn_kb_beside_end(sn_kb *kb, const sn_kb_beside *o);

/* Constants and integer arithmetic on i64. */
LLVMValueRef sn_kb_i64(sn_kb *kb, int64_t v);
LLVMValueRef sn_kb_f32(sn_kb *kb, double v);
LLVMValueRef sn_kb_dim(sn_kb *kb, sn_dim d);   /* i64: constant or argument; any expression over the kernel's symbols */
LLVMValueRef sn_kb_iadd(sn_kb *kb, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef sn_kb_isub(sn_kb *kb, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef sn_kb_imul(sn_kb *kb, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef sn_kb_idiv(sn_kb *kb, LLVMValueRef a, LLVMValueRef b);  /* both >= 0 */
LLVMValueRef sn_kb_floor_div(sn_kb *kb, LLVMValueRef a, LLVMValueRef b); /* b > 0; also vectors */
LLVMValueRef sn_kb_irem(sn_kb *kb, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef sn_kb_imin(sn_kb *kb, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef sn_kb_imax(sn_kb *kb, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef sn_kb_iless(sn_kb *kb, LLVMValueRef a, LLVMValueRef b); /* i1, signed */

/* Loops: for (i = from; i < to; i += step) with loop-carried values.  Memoised values made inside are forgotten at the end.
 *   sn_loop l = sn_kb_for(kb, from, to, 1, init, n);  ... l.i, l.carry[j] ...  sn_kb_endfor(kb, &l, next);  ... l.carry[j] = final values */
typedef struct sn_loop {
    LLVMValueRef      i, from, to;
    int64_t           step;
    uint32_t          carries;
    LLVMValueRef      init[SN_MAX_CARRY], carry[SN_MAX_CARRY];
    LLVMBasicBlockRef before, body, exit;
    uint32_t          memos;
} sn_loop;
sn_loop sn_kb_for(sn_kb *kb, LLVMValueRef from, LLVMValueRef to, int64_t step, const LLVMValueRef *init, uint32_t n);
void    sn_kb_endfor(sn_kb *kb, sn_loop *l, const LLVMValueRef *next);
/* Branches without results; nest freely. */
typedef struct sn_if { LLVMBasicBlockRef other, join; bool has_else; uint32_t memos; } sn_if;
sn_if sn_kb_if(sn_kb *kb, LLVMValueRef cond);
void  sn_kb_else(sn_kb *kb, sn_if *f);
void  sn_kb_endif(sn_kb *kb, sn_if *f);

/* Vectors of n floats (n = 1: plain float). */
LLVMTypeRef  sn_kb_vec(sn_kb *kb, uint32_t n);
LLVMValueRef sn_kb_splat(sn_kb *kb, LLVMValueRef scalar, uint32_t n);
LLVMValueRef sn_kb_zero(sn_kb *kb, uint32_t n);
LLVMValueRef sn_kb_fma(sn_kb *kb, LLVMValueRef a, LLVMValueRef b, LLVMValueRef c);      /* a*b + c, fused where the target has it */
LLVMValueRef sn_kb_hsum(sn_kb *kb, LLVMValueRef v);                                     /* fixed pairwise order */
LLVMValueRef sn_kb_tail(sn_kb *kb, LLVMValueRef left, uint32_t n);                      /* <n x i1>: lane < left */

/* Memory: element offsets in floats; `mask` NULL = all lanes; masked-off lanes load 0. */
LLVMValueRef sn_kb_ptr(sn_kb *kb, LLVMValueRef base, LLVMValueRef offset);
LLVMValueRef sn_kb_load(sn_kb *kb, LLVMValueRef base, LLVMValueRef offset, uint32_t n, LLVMValueRef mask);
void         sn_kb_store(sn_kb *kb, LLVMValueRef base, LLVMValueRef offset, LLVMValueRef v, LLVMValueRef mask);
LLVMValueRef sn_kb_gather(sn_kb *kb, LLVMValueRef base, LLVMValueRef offsets, LLVMValueRef mask); /* <n x i64> offsets */

/* LLVM intrinsic by name on the operands' type, e.g. "llvm.fma". */
/* Ask for the line at an address, which may lie outside everything, without waiting for it. */
void sn_kb_prefetch(sn_kb *kb, LLVMValueRef address, bool write);
LLVMValueRef sn_kb_intrinsic(sn_kb *kb, const char *name, LLVMTypeRef overload, LLVMValueRef *arg, uint32_t n);

/* ---- values (emit.c, value.c) ------------------------------------------------------------------------------------------- */

/* Fill kb->emit; math.c and random.c hold exp, log, tanh and uniform. */
void sn_emit_init(sn_kb *kb);
/* An index: scalar i64 for lane 0 and the constant step from lane to lane (0 = the same in all lanes, 1 = consecutive). */
sn_val sn_kb_index(sn_kb *kb, LLVMValueRef base, int64_t lane);
enum { SN_LANE_ANY = INT32_MIN }; /* lane step of an index that is a vector of kb->lanes i64 */
LLVMValueRef sn_kb_lanes_of(sn_kb *kb, sn_val index); /* as <lanes x i64> */
sn_val sn_kb_wrap(LLVMValueRef number);
/* A number as a vector of kb->lanes floats (uniform ones stay scalar inside sn_val until this). */
LLVMValueRef sn_kb_number(sn_kb *kb, sn_val v);
/* Evaluate node r at an index vector of its rank: bound -> hook; in the body -> its rule; otherwise load.  Straight-line code. */
sn_val sn_kb_value(sn_kb *kb, sn_ref r, const sn_val *at);
/* Element offset of `at` in a dense tensor of type t: scalar part and lane step, as an index. */
sn_val sn_kb_offset(sn_kb *kb, const sn_type *t, const sn_val *at);
/* Number at an element offset of memory: scalar, vector or gather by the offset's lane step; obeys kb->mask and kb->guard. */
sn_val sn_kb_read(sn_kb *kb, LLVMValueRef base, sn_val offset);
/* Store a number at `at` of a written tensor; unit lane step required on the last axis, or scalar. */
void   sn_kb_store_at(sn_kb *kb, LLVMValueRef base, const sn_type *t, const sn_val *at, sn_val v);
/* Give r by hook from now on (fn NULL = again by rule or load). */
void   sn_kb_bind(sn_kb *kb, sn_ref r, sn_bind_fn *fn, void *context);
/* Memory of a kernel in or out node in this call. */
LLVMValueRef sn_kb_memory(sn_kb *kb, sn_ref r);
/* Forget memoised values made since the mark (after leaving a block that does not dominate what follows). */
uint32_t sn_kb_mark(const sn_kb *kb);
void     sn_kb_forget(sn_kb *kb, uint32_t mark);

LLVMValueRef sn_math_exp(sn_kb *kb, LLVMValueRef x); /* float or vector; also used by queue_nce */
LLVMValueRef sn_math_exp2_fast(sn_kb *kb, LLVMValueRef x); /* 2^max(x, -125), x < 127; a FMA and a shift less than exp */
LLVMValueRef sn_math_log(sn_kb *kb, LLVMValueRef x);
LLVMValueRef sn_math_tanh(sn_kb *kb, LLVMValueRef x);
LLVMValueRef sn_random_uniform(sn_kb *kb, int64_t stream, LLVMValueRef element);

#endif
