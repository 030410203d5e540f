/* A model as a library and an executable: what `sinew build` does.
 * Not its command line (cmd_build.c); code is codegen's (codegen/ahead.c), what the libraries do at run time is runtime/aot's. */
#ifndef SN_FRONTEND_LIBRARY_H
#define SN_FRONTEND_LIBRARY_H

#include "../runtime/data/array.h"
#include "../runtime/sinew_rt.h"
#include "compile.h"

typedef struct sn_library {
    sn_program_options program;
    const char        *file;       /* of the model: a graph file, or what finetuning leaves (model_file.h) */
    const char        *weights;    /* safetensors; NULL: inside `file` */
    const char        *prefix;     /* what stands before the names of the program in it, with the dot; NULL */
    const char        *output;     /* path without ending; its last part is the library's name, a C identifier */
    const char *const *target;     /* the most demanding first */
    uint32_t           targets;
    bool               one_thread; /* no OpenMP */
    bool               beside;     /* weights as OUTPUT.safetensors instead of inside */
    bool               small;      /* weights once and as they are; kernels prepare them in a session's first run */
    bool               debug;      /* code says which lines of the graph files it is from */
    bool               shared, executable;
    const char        *linker;     /* a C compiler, as execvp finds it; NULL: cc, or the cross compiler of the target */
} sn_library;

/* Write OUTPUT.a, .h, .pc and, as asked for, .so, .safetensors and OUTPUT itself, each complete or not at all.  Every fault is a diagnostic. */
bool sn_library_make(const sn_library *b, sn_diags *diags);

/* The library's header, and its description for pkg-config (library_header.c). */
typedef struct sn_header_text {
    const char           *name, *model, *version;
    const sn_graph       *graph;
    const sn_library     *build;
    const sn_abi_tagging *tagging; /* or NULL */
} sn_header_text;
void sn_library_header(const sn_header_text *t, FILE *out);
void sn_library_pkgconfig(const sn_header_text *t, FILE *out);

/* Link what is in the archive (library_link.c): a shared library, or with `main_object` an executable that needs nothing.  `runtime`: the folder
 * of the runtime's archives for the target. */
bool sn_library_link(const sn_library *b, const char *name, const char *runtime, const char *main_object, sn_diags *diags);

/* What weights alone decide for one target that this machine can run (library_prepare.c). */
typedef struct sn_preparation {
    sn_program     program;
    sn_rt_session *session;
    sn_rt_array   *input; /* per parameter */
    bool          *drop;
    const float  **data;
    sn_prepared    known; /* refers to the session's memory */
} sn_preparation;
/* Compile, run once, keep.  `weight`: per parameter, NULL for inputs and what no kernel reads.  To be finished also after a failure. */
bool sn_library_prepare(const sn_schedule *s, const char *cpu, const char *cache, const sn_rt_array *const *weight, sn_preparation *x, sn_diags *diags);
void sn_library_prepare_fini(sn_preparation *x);
/* Is the parameter still read? */
bool sn_library_needs(const sn_preparation *x, uint32_t param);

#endif
