/* A loaded graph file with its imports: files, modules, who sees whom.
 * Not for other folders: compile.h is the face. */
#ifndef SN_FRONTEND_MODEL_H
#define SN_FRONTEND_MODEL_H

#include "ast.h"
#include "compile.h"
#include "stage.h"

enum { SN_MAX_FILES = 256 };

typedef struct sn_file {
    const char *path;    /* as named by the user or put together from import paths */
    const char *real;    /* what the system calls it: two paths to one file are one file */
    uint32_t    source;  /* in the diagnostics of the load */
    sn_ast_file ast;
    uint32_t   *import;  /* file numbers, in order of the imports */
    uint32_t    imports;
    bool        loading;
} sn_file;

struct sn_model {
    sn_arena arena;
    sn_file *file; uint32_t files; /* file[0] is the one asked for */
    sn_stage *stage;               /* it is no graph file but a program at a stage, without modules; or NULL */
};

/* The module of that name that `f` sees: its own or one of a file it imports.  *out_file is where its nodes stand. */
const sn_ast_module *sn_model_find(const sn_model *m, const sn_file *f, const char *name, const sn_file **out_file);
/* The same; *out_file is where it is declared. */
const sn_ast_module *sn_model_declared(const sn_model *m, const sn_file *f, const char *name, const sn_file **out_file);
/* Put modules that are like others together with these, and the recipe of file[0] with theirs. */
void sn_model_join(sn_model *m, sn_diags *diags);
/* Letters, digits, underscores; not a digit first. */
bool sn_is_name(const char *s);

/* What `sinew check` does: the main module (or options->module) in training and in inference, then every module of the file that was not
 * reached, as far as it can be checked without knowing its inputs.  A file whose main module leaves dimensions open that only an
 * instance gives is a library, and right. */
typedef struct sn_checked {
    const char *module;   /* the main module */
    bool        program;  /* it stands alone */
    char        why[256]; /* else: what it lacks */
} sn_checked;
bool sn_model_check(const sn_model *m, const sn_program_options *options, sn_checked *out, sn_diags *diags);

#endif
