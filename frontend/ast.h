/* A graph file as plain C structures: the tables of graph.fbs with the place of every value.
 * Not its meaning: names are not resolved and expressions not parsed.  Everything lives in the arena it was read into. */
#ifndef SN_FRONTEND_AST_H
#define SN_FRONTEND_AST_H

#include "../ir/diag.h"

typedef enum sn_value_kind {
    SN_VALUE_ABSENT, /* the field is not there */
    SN_VALUE_NULL, SN_VALUE_BOOL, SN_VALUE_INT, SN_VALUE_REAL, SN_VALUE_STRING, SN_VALUE_LIST, SN_VALUE_MAP
} sn_value_kind;

typedef struct sn_value { /* a JSON value */
    sn_value_kind    kind;
    sn_loc           loc;
    int64_t          integer; /* BOOL, INT */
    double           real;    /* REAL */
    const char      *string;  /* STRING; no NUL inside */
    uint32_t         n;       /* LIST, MAP */
    struct sn_value *item;
    const char     **key;     /* MAP: keys, sorted */
    sn_loc          *key_loc;
} sn_value;

typedef struct sn_text { const char *s; sn_loc loc; } sn_text; /* a string field; s is NULL when absent */

typedef struct sn_ast_import { sn_text file; sn_loc loc; } sn_ast_import;
typedef struct sn_ast_input { sn_text name, doc; sn_value shape, when; sn_loc loc; } sn_ast_input;
typedef struct sn_ast_weight { sn_text name, doc, init; sn_value shape, when; sn_loc loc; } sn_ast_weight;
typedef struct sn_ast_state { sn_text name, doc, init, next; sn_value shape, when; sn_loc loc; } sn_ast_state;
typedef struct sn_ast_queue { sn_text name, doc, push; sn_value length, width, when; sn_loc loc; } sn_ast_queue;
typedef struct sn_ast_constant { sn_text name, doc, kind; sn_value with, shape; sn_loc loc; } sn_ast_constant;
typedef struct sn_ast_output { sn_text name, doc, from; sn_value when; sn_loc loc; } sn_ast_output;
typedef struct sn_ast_fill { sn_text name, doc, op; sn_value with; sn_loc loc; uint32_t home; /* file number, set by the loader */ } sn_ast_fill;

typedef struct sn_ast_node {
    sn_text  name, doc, op, is, momentum_of, weights_of;
    sn_text *in; uint32_t ins;
    sn_value with, shape, when, each, repeat, coefficient, independent, training;
    bool     constant;
    sn_loc   loc;
} sn_ast_node;

typedef enum sn_join { SN_JOIN_NONE, SN_JOIN_BUSY, SN_JOIN_DONE } sn_join;
typedef struct sn_ast_module {
    sn_text          name, doc, like;
    sn_value         params;
    sn_text         *open;     uint32_t opens;
    sn_ast_fill     *fill;     uint32_t fills;
    sn_ast_input    *input;    uint32_t inputs;
    sn_ast_weight   *weight;   uint32_t weights;
    sn_ast_state    *state;    uint32_t states;
    sn_ast_queue    *queue;    uint32_t queues;
    sn_ast_constant *constant; uint32_t constants;
    sn_ast_node     *node;     uint32_t nodes;
    sn_ast_output   *output;   uint32_t outputs;
    sn_ast_output   *tap;      uint32_t taps;
    sn_loc           loc;
    uint32_t         home;     /* set by the loader: number of the file where its nodes stand, which with `like` is not the one that declares it */
    sn_join          join;     /* of the loader: is it put together with the one it is like? */
} sn_ast_module;

typedef struct sn_ast_view { sn_text input, augment; sn_loc loc; } sn_ast_view;

typedef struct sn_ast_recipe {
    bool         present;
    sn_text      module, loss, epoch, labels, clips, model, features;
    sn_value     batch, frames;
    sn_ast_view *view; uint32_t views;
    bool         has_optimizer, has_schedule;
    struct sn_ast_optimizer { sn_text kind; sn_value rate, momentum, weight_decay, beta1, beta2, epsilon; bool nesterov; sn_loc loc; } optimizer;
    struct { sn_value epochs, warmup, steps, factor; sn_loc loc; } schedule;
    sn_loc       loc;
} sn_ast_recipe;

typedef struct sn_ast_file {
    sn_text        doc;
    sn_ast_import *import; uint32_t imports;
    sn_ast_module *module; uint32_t modules;
    sn_ast_recipe  recipe;
} sn_ast_file;

/* Write as text that reads back to an equal file: keys unquoted, a node a line.  Implemented in text.c. */
void sn_ast_print(const sn_ast_file *f, FILE *out);

#endif
