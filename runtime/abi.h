/* The seam between compiled code and the runtime: plain data and one function type.
 * Standard headers only.  Code generation fills these structures (in memory for JIT, as constant data for ahead-of-time builds), the runtime
 * runs them; neither knows the other.  A change of meaning changes SN_ABI_VERSION.
 *
 * Dimensions: an sn_abi_dim value v >= 0 is the constant v; v < 0 is entry ~v of the program's dim table, whose operands are such values
 * and which is in evaluation order.  Symbols are numbered as in `symbol`.
 */
#ifndef SN_RUNTIME_ABI_H
#define SN_RUNTIME_ABI_H

#include <stddef.h>
#include <stdint.h>

#define SN_ABI_VERSION 3u

typedef enum sn_abi_dtype { SN_ABI_F32 = 0 } sn_abi_dtype;
enum { SN_ABI_MAX_RANK = 6 };

typedef enum sn_abi_dim_op { SN_ABI_DIM_SYMBOL, SN_ABI_DIM_ADD, SN_ABI_DIM_MUL, SN_ABI_DIM_DIV /* floor */, SN_ABI_DIM_SUB } sn_abi_dim_op;
typedef struct sn_abi_dim_entry { int64_t op, a, b; } sn_abi_dim_entry; /* SYMBOL: a = symbol number */

/* What a kernel sees.  One instance a call, shared by all threads; read-only. */
typedef struct sn_abi_args {
    float *const  *arg;  /* the call's buffers: reads first, then writes, as in sn_abi_call.arg */
    const int64_t *dim;  /* values of the call's dims, as in sn_abi_call.dim */
    uint64_t       seed; /* of the run */
    uint64_t       step; /* training step, for random numbers */
} sn_abi_args;

/* Compute tiles begin .. end-1.  `scratch`: sn_abi_call.scratch bytes, 64-byte aligned, private to the thread, contents arbitrary.
 * Different tiles write different memory; the result does not depend on how tiles are grouped or ordered.  Never fails, never allocates. */
typedef void sn_abi_kernel(const sn_abi_args *args, int64_t begin, int64_t end, void *scratch);

typedef struct sn_abi_call {
    sn_abi_kernel  *kernel;
    const char     *name;    /* unique in the program; from the graph file */
    const char     *where;   /* "stgcn.json:42" or "" */
    const uint32_t *arg;     /* buffer numbers */
    uint32_t        args;
    uint32_t        reads;   /* the first `reads` of arg are read, the others written */
    const int64_t  *dim;     /* dims the kernel needs, as dim values; constants among them are numbers of random streams */
    uint32_t        dims;
    int64_t         tiles;   /* dim value */
    int64_t         scratch; /* dim value: bytes a thread */
    int64_t         macs;    /* dim value: multiply-adds of the direct method, for reports; 0 if none */
} sn_abi_call;

typedef enum sn_abi_place { SN_ABI_SLAB, SN_ABI_PARAM, SN_ABI_OUTPUT, SN_ABI_CONST, SN_ABI_ALIAS } sn_abi_place;
typedef struct sn_abi_buffer {
    int64_t      place;       /* sn_abi_place */
    int64_t      index;       /* parameter, output or aliased buffer number */
    const float *data;        /* SN_ABI_CONST */
    int64_t      count;       /* dim value: floats */
    uint32_t     first, last; /* calls that first write and last read it, inclusive; a number past the last call means to the end */
} sn_abi_buffer;

typedef enum sn_abi_param_kind { SN_ABI_INPUT, SN_ABI_WEIGHT, SN_ABI_COPY, SN_ABI_STATE } sn_abi_param_kind;
typedef enum sn_abi_init { SN_ABI_CONSTANT, SN_ABI_NORMAL, SN_ABI_UNIFORM, SN_ABI_UNIT_ROWS, SN_ABI_EQUAL_ROWS, SN_ABI_SAME /* a COPY: as its weight */ } sn_abi_init;
typedef struct sn_abi_tensor { uint32_t rank; int64_t dim[SN_ABI_MAX_RANK]; } sn_abi_tensor;
typedef struct sn_abi_param {
    const char   *name;
    uint32_t      kind;  /* sn_abi_param_kind; meaning as in the graph language: copies follow their weight before each training run */
    uint32_t      init;  /* sn_abi_init with a, b */
    double        a, b;
    uint32_t      of;    /* COPY: its weight */
    double        coefficient;
    sn_abi_tensor type;
} sn_abi_param;
typedef struct sn_abi_output { const char *name; uint32_t buffer; sn_abi_tensor type; int64_t gradient_of; /* parameter number or -1 */ } sn_abi_output;
typedef enum sn_abi_update_kind { SN_ABI_ASSIGN, SN_ABI_ENQUEUE } sn_abi_update_kind;
typedef struct sn_abi_update { uint32_t kind, param, buffer; } sn_abi_update;

typedef struct sn_abi_program {
    uint32_t version, symbols, dims, calls, buffers, params, outputs, updates;
    const char *const      *symbol; /* names: "N", "T" */
    const sn_abi_dim_entry *dim;
    const sn_abi_call      *call;
    const sn_abi_buffer    *buffer;
    const sn_abi_param     *param;
    const sn_abi_output    *output;
    const sn_abi_update    *update;
} sn_abi_program;

/* ---- ahead of time: what a built library holds besides its kernels ----------------------------------------------------------- */

/* Instruction sets of x86-64 that code may be compiled for, in the words of LLVM and of the compilers' __builtin_cpu_supports. */
#define SN_ABI_X86_SETS(_)                                                                                                     \
    _("x86-64-v2") _("x86-64-v3") _("x86-64-v4") _("sse4.1") _("sse4.2") _("popcnt") _("lzcnt") _("movbe") _("f16c") _("avx") _("avx2") _("fma") \
    _("bmi") _("bmi2") _("aes") _("pclmul") _("avx512f") _("avx512bw") _("avx512cd") _("avx512dq") _("avx512vl") _("avx512vnni")       \
    _("avx512vbmi") _("avx512vbmi2") _("avx512bitalg") _("avx512vpopcntdq") _("avx512bf16") _("gfni") _("vpclmulqdq")

/* The model compiled for one processor.  `needs`: instruction sets of the list above, "avx2,fma"; "" is every processor of the architecture. */
typedef struct sn_abi_variant { const char *cpu, *needs; const sn_abi_program *program; } sn_abi_variant;

/* What the scores of a model that tells the classes of frames apart mean (runtime/tag). */
typedef struct sn_abi_tagging {
    uint64_t           classes;      /* scores have one column more, background */
    const char *const *label;        /* [classes] */
    const char        *layout;       /* form of the recordings: "ntu25" */
    double             fps;          /* their rate */
    uint64_t           window, halo; /* frames, as in sn_rt_tagger; UINT64_MAX: there is no halo */
} sn_abi_tagging;

/* Weights lie inside or in a file beside, one after the other.  The file is known by its first bytes: a safetensors header with the checksum of
 * all that follows. */
typedef struct sn_abi_artifact {
    uint32_t               version;     /* SN_ABI_VERSION */
    uint32_t               variants;
    const sn_abi_variant  *variant;     /* the most demanding first; their symbols, parameters and outputs are the same */
    const char            *name;        /* of the library, and prefix of its functions */
    const char            *file;        /* name of the file of weights; "" = they are inside */
    const char *const     *param_shape; /* per parameter: "f32[N,T,25,3]" */
    const char *const     *output_shape;
    const uint64_t        *weight_at;   /* per parameter: byte in `weights`, or in the file; UINT64_MAX for inputs and what no kernel reads */
    const void            *weights;     /* 64-byte aligned; NULL = in the file */
    const void            *head;        /* the file's first bytes */
    uint64_t               head_bytes;
    uint64_t               file_bytes;
    uint32_t               most_threads; /* 1: its runtime knows no threads; 0: as many as the runtime allows */
    const sn_abi_tagging  *tagging;     /* NULL: it is no such model */
} sn_abi_artifact;

_Static_assert(sizeof(sn_abi_dim_entry) == 24, "sn_abi_dim_entry is part of the ABI");
_Static_assert(sizeof(sn_abi_args) == 32, "sn_abi_args is part of the ABI");

#endif
