/* From a graph file to a runnable program: load, elaborate, passes, schedule, code.
 * Not the command line (main.c, cmd_*.c); prints nothing, every fault is a diagnostic.
 *
 *     sn_model *m = sn_model_load("models/recipes/moco_stgcn.json", diags);
 *     sn_program_options o = {.set = set, .sets = n, .training = true, .request = &loss, .requests = 1};
 *     sn_program p;
 *     if (m && sn_program_make(m, &o, &p, diags)) { ... p.abi ... sn_program_fini(&p); }
 *     sn_model_free(m);
 */
#ifndef SN_FRONTEND_COMPILE_H
#define SN_FRONTEND_COMPILE_H

#include "../codegen/codegen.h"
#include "../passes/passes.h"
#include "recipe.h"

/* A graph file with all it imports, checked against the schema.  Implemented in model.c. */
typedef struct sn_model sn_model;
/* Text or binary by content.  NULL with diagnostics on failure. */
sn_model *sn_model_load(const char *path, sn_diags *diags);
/* The same of bytes in memory, called `name` in messages; imports are relative to it. */
sn_model *sn_model_parse(const char *name, const char *data, size_t size, sn_diags *diags);
void      sn_model_free(sn_model *m);
/* The module meant when none is named: the recipe's; else the one named like the file; else the last that no other module of the
 * file uses.  NULL when the file declares no module. */
const char *sn_model_main(const sn_model *m);
bool        sn_model_has_recipe(const sn_model *m);
/* Is it a program at a stage (stage.h) instead of a graph file?  *out_training: whether it is one for training; such a program cannot be made another. */
bool        sn_model_is_stage(const sn_model *m, bool *out_training);
bool        sn_model_has_labels(const sn_model *m); /* its recipe names an input of labels */
const char *sn_model_features(const sn_model *m);   /* the value that its recipe calls features, "q.enc" if it does not say; NULL: no recipe */

/* What to make of a model.  Zero-initialised, it is the main module in inference with all defaults. */
typedef struct sn_program_options {
    const char        *module;     /* NULL: sn_model_main */
    const char *const *set;        /* "hidden=64": parameters of the module, or free dimensions of its inputs */
    uint32_t           sets;
    bool               training;   /* `training` is 1: batch statistics, dropout, updates of states and queues */
    bool               taps;       /* the module's taps are outputs too */
    const char        *value;      /* only this is an output, called "value": an output or tap of the module, or of an instance inside it by its full name,
                                      such as "q.enc" (its first output) or "q.enc.z1"; or a node.  Parameters it does not need stay unread.  NULL: as declared */
    const sn_autodiff_request *request; /* gradients wanted */
    uint32_t           requests;
    const char        *cache_dir;  /* of compiled objects; NULL: none.  sn_cache_dir gives the usual one */
    const char        *cpu;        /* as in sn_codegen_options */
    const char        *code;       /* as in sn_codegen_options */
    const char        *skip_pass;  /* name of a pass not to run, or NULL */
    FILE              *timing;     /* a line a pass, or NULL */
    bool               explain;    /* as in sn_pipeline */
} sn_program_options;

/* Elaborate one module into a graph; sn_verify holds for it at SN_LEVEL_SOURCE.  NULL with diagnostics on failure.  The graph outlives
 * the model, but its locations refer to sources of `diags`. */
sn_graph *sn_model_elaborate(const sn_model *m, const sn_program_options *options, sn_diags *diags);

/* The recipe under the options' overrides; false with diagnostics if the file has none or it is wrong.  Memory belongs to `arena`. */
bool sn_model_recipe(const sn_model *m, const sn_program_options *options, sn_recipe *out, sn_arena *arena, sn_diags *diags);

/* Write one text file that is the main module with all it uses and, in the main file, the recipe: imports are merged, overrides are
 * defaults.  It elaborates to the same graph.  False with diagnostics if an override is wrong or there is no main module.
 * Implemented in bundle.c. */
bool sn_model_bundle(const sn_model *m, const sn_program_options *options, FILE *out, sn_diags *diags);

/* The same for one instance alone: node `node` of the main module, with the parameters it is given there and what open names mean there.  Its module is
 * the main one, the names of its weights are those within the instance, and there is no recipe. */
bool sn_model_bundle_part(const sn_model *m, const sn_program_options *options, const char *node, FILE *out, sn_diags *diags);

typedef struct sn_program {
    sn_schedule          *schedule; /* owns the graph */
    sn_compiled          *compiled;
    const sn_abi_program *abi;      /* owned by compiled */
    sn_compile_stats      stats;    /* of code generation; .seconds covers everything from elaboration on */
} sn_program;

/* Elaborate and run the passes, all or up to one by name.  NULL with diagnostics on failure. */
sn_graph *sn_program_graph(const sn_model *m, const sn_program_options *options, const char *stop_after, sn_diags *diags);
/* The first half: elaborate, run the passes, schedule.  NULL with diagnostics on failure. */
sn_schedule *sn_program_schedule(const sn_model *m, const sn_program_options *options, sn_diags *diags);
/* Elaborate, run the passes with options->request, schedule, compile.  On failure *out is untouched and diagnostics say why. */
bool sn_program_make(const sn_model *m, const sn_program_options *options, sn_program *out, sn_diags *diags);
void sn_program_fini(sn_program *p);

/* $SINEW_CACHE, else $XDG_CACHE_HOME/sinew, else $HOME/.cache/sinew, written to out; NULL when none is set.  Creates nothing. */
const char *sn_cache_dir(char *out, size_t n);

#endif
