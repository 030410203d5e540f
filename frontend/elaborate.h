/* Elaboration: modules, instances and expressions of a model to one graph.
 * Not for other folders: compile.h is the face.
 *
 * One sn_scope per module instance, kept on the C stack while its nodes are made.  A mistake is reported once, where it stands; what
 * depends on it is poison (SN_NONE, SN_NUM_UNKNOWN) and silent.  A dry run instantiates a module on poison inputs: names,
 * operators and expressions are checked, shapes are not.
 *
 * Files: elaborate.c (entry, errors) scope.c (names, numbers) instance.c (modules) node.c (nodes, chains) shape.c (dimensions)
 * attrs.c (attributes of operators) spec.c (contractions) formula.c (`is`) memory.c (weights, states, queues) adjacency.c (constants)
 * open.c (open names)
 */
#ifndef SN_FRONTEND_ELABORATE_H
#define SN_FRONTEND_ELABORATE_H

#include "expr.h"
#include "model.h"

enum { SN_MAX_INSTANCE_DEPTH = 40, SN_MAX_INSTANCES = 20000, SN_MAX_NODES = 500000, SN_MAX_DECLARATIONS = 4096, SN_MAX_ERRORS = 100 };

typedef struct sn_elab {
    const sn_model *model;
    sn_graph       *g;
    sn_build        b;
    sn_diags       *diags;
    sn_diags        caught;   /* what the builder found, before it is passed on */
    sn_arena        arena;    /* scopes, expressions */
    bool            training, dry;
    uint32_t        instances;
    int64_t         stream;   /* next stream of random numbers */
    uint32_t        errors;   /* reported by this elaboration */
    uint32_t        free;     /* of these: a dimension is open that an instance or --set would give */
    bool            noted;    /* the last error was new: notes to it are wanted */
    bool            full;     /* a limit was reached: stop making nodes */
    const sn_ast_module **visited; uint32_t visits;
    const struct sn_results **made; uint32_t mades; /* results of all instances, in the order they were finished */
} sn_elab;

void sn_elab_init(sn_elab *e, const sn_model *m, const char *name, sn_diags *diags);
void sn_elab_fini(sn_elab *e); /* all but the graph */
/* Report once per place; the first instance of a module speaks for all. */
void sn_elab_error(sn_elab *e, sn_loc loc, const char *node, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A note to the error just reported; silent when that error was. */
void sn_elab_note(sn_elab *e, sn_loc loc, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for an error because of a free dimension. */
void sn_elab_free_error(sn_elab *e, sn_loc loc, const char *node, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Pass on what the builder reported. */
void sn_elab_drain(sn_elab *e);
/* Set the builder's place and name. */
void sn_elab_at(sn_elab *e, sn_loc loc, const char *name);

/* ---- scope.c ------------------------------------------------------------------------------------------------------------ */

typedef struct sn_results { /* what an instance gives: outputs, then taps */
    const sn_ast_module *module;
    const char          *instance; /* its full name, "" for the program itself */
    const char          *memory; /* prefix of the names of its weights and states */
    const struct sn_momentum *momentum; /* its weights are copies, its results constant; or NULL */
    uint32_t             n;
    const char         **name;
    sn_ref              *ref;
    const char         **absent; /* the condition that is 0, or NULL */
} sn_results;

typedef enum sn_bind_kind { SN_BIND_PARAM, SN_BIND_DIM, SN_BIND_VALUE, SN_BIND_ABSENT } sn_bind_kind;
typedef struct sn_binding {
    const char       *name;
    sn_bind_kind      kind;
    sn_loc            loc;
    sn_num            num;            /* PARAM, DIM */
    const sn_value   *fallback;       /* PARAM not evaluated yet: its default */
    bool              busy;           /* PARAM being evaluated */
    bool              maybe;          /* VALUE: its condition was unknown */
    sn_ref            ref;            /* VALUE */
    const sn_results *results;        /* VALUE made by an instance */
    const char       *condition;      /* ABSENT */
} sn_binding;

typedef struct sn_momentum { /* weights of the instance `own` copy those of `source`: prefixes of their names */
    const char *own, *source;
    double      coefficient;
    bool        independent; /* they begin with values of their own */
    sn_loc      loc;
} sn_momentum;

typedef struct sn_arg { const char *name; sn_num num; sn_loc loc; bool used; } sn_arg;

typedef struct sn_filled { /* an open name and what it means */
    const char          *name;
    const sn_ast_module *module; /* NULL after a diagnostic */
    const sn_file       *file;
    sn_arg              *arg; uint32_t args;
} sn_filled;

typedef struct sn_scope {
    sn_elab             *e;
    const sn_file       *file;
    const sn_ast_module *module;
    const char          *prefix; /* "" for the program itself, else the instance's full name */
    const struct sn_scope *parent;
    uint32_t             depth;
    sn_binding          *binding; uint32_t bindings, capacity;
    bool                 has_ellipsis, ellipsis_known;
    uint8_t              ellipsis;
    sn_dim               leading[SN_MAX_RANK];
    const sn_momentum   *momentum;
    const char          *memory; /* prefix of the names of its weights and states: its own, or with weights_of another's */
    bool                 shared; /* they are another's */
    sn_filled           *filled; uint32_t fills;
    uint32_t             node; /* number of the node being made: what stands below is not visible */
} sn_scope;

/* prefix.name */
const char *sn_scope_full(const sn_scope *s, const char *name);
sn_binding *sn_scope_find(const sn_scope *s, const char *name);
/* Add a name; an error if it is taken or no name, and NULL. */
sn_binding *sn_scope_bind(sn_scope *s, const sn_text *name, sn_loc loc, sn_bind_kind kind, const char *node);
/* Like bind for a name made here (dimension, element of a chain). */
sn_binding *sn_scope_bind_name(sn_scope *s, const char *name, sn_loc loc, sn_bind_kind kind, const char *node);

/* "a list", "a map": the kind of a value, for messages. */
const char *sn_value_word(const sn_value *v);
/* A number or an expression; UNKNOWN after a diagnostic.  `what` names the field in messages. */
sn_num sn_scope_number(sn_scope *s, const sn_value *v, const char *node, const char *what);
/* The same, but a whole number in [low, high]; false after a diagnostic or when unknown. */
bool sn_scope_int(sn_scope *s, const sn_value *v, const char *node, const char *what, int64_t low, int64_t high, int64_t *out);
bool sn_scope_real(sn_scope *s, const sn_value *v, const char *node, const char *what, double *out);
/* For expressions inside other text: names as numbers. */
sn_expr_scope sn_scope_numbers(sn_scope *s);
/* A reference: false after a diagnostic (poison is true with SN_NONE).  *results is set when it names a whole instance. */
bool sn_scope_ref(sn_scope *s, const char *text, sn_loc loc, const char *node, sn_ref *out, const sn_results **results);
/* What is wrong with a name that is not there, with the nearest that is. */
void sn_scope_unknown(sn_scope *s, const char *name, bool tensors, char *out, size_t n);
/* Declare the module's parameters, with values given by the caller. */
/* The overrides of `--set`, the last of each name; mistakes become diagnostics. */
sn_arg *sn_elab_sets(const sn_program_options *o, sn_arena *arena, sn_dims *dims, sn_diags *diags, uint32_t *count);
void sn_scope_params(sn_scope *s, sn_arg *arg, uint32_t args, const char *node);

/* ---- shape.c ------------------------------------------------------------------------------------------------------------ */

/* "[N, T, 25, 3]" as written. */
const char *sn_shape_text(sn_arena *a, const sn_value *shape);
/* Evaluate a shape; false when poison (after a diagnostic or not). */
bool sn_shape_eval(sn_scope *s, const sn_value *shape, const char *node, sn_type *out);
/* The same for memory: every dimension a number. */
bool sn_shape_fixed(sn_scope *s, const sn_value *shape, const char *node, const char *what, sn_type *out);
/* How many inputs a module has: those of one name are alternatives and count once. */
uint32_t sn_shape_inputs(const sn_ast_module *m);
const char *sn_shape_input_names(sn_arena *a, const sn_ast_module *m); /* "x, A" */
/* Bind the module's inputs to what is given, with places of the references in the caller. */
typedef struct sn_given { sn_ref ref; sn_loc loc; } sn_given;
void sn_shape_bind(sn_scope *s, const sn_given *in, const char *node);
/* Declare the module's inputs as inputs of the program; `set` are dimensions given by --set. */
void sn_shape_declare(sn_scope *s, sn_arg *set, uint32_t sets);

/* ---- the rest ----------------------------------------------------------------------------------------------------------- */

typedef struct sn_call { /* one instance to make */
    const sn_file       *file;
    const sn_ast_module *module;
    const char          *name; /* full; "" for the program itself */
    const sn_scope      *parent;
    sn_arg              *arg; uint32_t args;
    const sn_given      *in;  /* sn_shape_inputs of them; NULL for the program itself */
    const sn_momentum   *momentum;
    const char          *memory; /* as in the scope */
    bool                 shared;
    sn_loc               loc;
} sn_call;
const sn_results *sn_elab_instance(sn_elab *e, const sn_call *c);
/* What the instance of that full name gives; NULL if none was made. */
const sn_results *sn_elab_made(const sn_elab *e, const char *full);

void sn_elab_nodes(sn_scope *s);
/* Is a name open in this module, and what do the modules around say that it means?  NULL: none of them fills it. */
bool sn_open_declared(const sn_scope *s, const char *name);
const sn_filled *sn_open_find(const sn_scope *s, const char *name);
void sn_open_fill(sn_scope *s);
/* Does what carries this condition exist?  MAYBE where it cannot be known (a dry run, or after a diagnostic). */
typedef enum sn_presence { SN_EXISTS, SN_ABSENT, SN_MAYBE } sn_presence;
sn_presence sn_elab_when(sn_scope *s, const sn_value *when, const char *node);
/* Its text, for messages about what does not exist. */
const char *sn_elab_condition(const sn_value *when);
bool sn_elab_attrs(sn_scope *s, const sn_ast_node *n, sn_op op, const sn_ref *arg, uint32_t args, const sn_type *declared,
                   const char *node, sn_attrs *out);
bool sn_elab_spec(sn_scope *s, const sn_value *v, const char *node, const sn_ref *arg, sn_contract **out);
sn_ref sn_elab_formula(sn_scope *s, const sn_text *is, const char *node);
void sn_elab_memory(sn_scope *s);  /* constants, weights, states, queues: before the nodes */
void sn_elab_updates(sn_scope *s); /* next values and pushes: after the nodes, in training */
sn_ref sn_elab_adjacency(sn_scope *s, const sn_ast_constant *c, const char *node);

#endif
