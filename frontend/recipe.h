/* The recipe of a training run as the graph file declares it: which module is a step, on what, how it is optimised.
 * Not the training loop (runtime/train, cmd_pretrain.c).  Expressions are evaluated: every number here is final. */
#ifndef SN_FRONTEND_RECIPE_H
#define SN_FRONTEND_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sn_recipe_view {
    const char *input;   /* name of an input of the module, [N, T, V, 3] */
    const char *augment; /* "basic": temporal crop and shear; "none" */
} sn_recipe_view;

typedef struct sn_recipe_param { /* a parameter of the module with the value of this run, in order of the names */
    const char *name;
    double      value;
} sn_recipe_param;

typedef struct sn_recipe {
    const char      *module; /* the training step */
    const char      *loss;   /* name of its scalar output that is minimised */
    const char      *epoch;  /* name of its scalar input that is given the number of the epoch, or NULL */
    const char      *labels; /* name of its input [N, T] of frame classes, or NULL */
    const char      *clips;  /* name of its input [N] of clip numbers, or NULL */
    const char      *model;  /* name of its node that is the model trained, an instance; NULL if the recipe names none */
    int64_t          batch, frames;
    sn_recipe_view  *view;   uint32_t views;
    sn_recipe_param *param;  uint32_t params;
    struct {
        const char *kind; /* "sgd" or "adam" */
        double      rate, weight_decay;
        double      momentum;              /* of sgd */
        bool        nesterov;
        double      beta1, beta2, epsilon; /* of adam */
    } optimizer;
    struct { /* the rate rises linearly over the first `warmup` epochs and is multiplied by `factor` after each epoch in `step` */
        int64_t  epochs, warmup;
        int64_t *step; uint32_t steps;
        double   factor;
    } schedule;
} sn_recipe;

#endif
