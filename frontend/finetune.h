/* A finetuning run: labelled batches through a recipe's step, validation after epochs, and the model it leaves.
 * Not the command line (cmd_finetune.c).  Prints. */
#ifndef SN_FRONTEND_FINETUNE_H
#define SN_FRONTEND_FINETUNE_H

#include <stdbool.h>

/* How much is trained, and where weights come from. */
typedef struct sn_mode_row {
    const char *name;
    int         frozen;  /* the recipe's parameter: 0 nothing, 2 the encoder */
    bool        from;    /* pretrained weights are needed, else there must be none */
    bool        decoder; /* take all of a model but its classifier */
} sn_mode_row;

/* What the command line says. */
typedef struct sn_finetune_settings {
    const sn_mode_row *mode;
    const char        *recipe;
    char              *data, *from, *out, *splits, *validate, *classes, *prefix; /* from, splits, validate, classes, prefix may be NULL */
    const char       **set;
    long long          seed, steps;
    int                threads, resume, keep, ignore_unlabelled, every, trap;
    double             minutes, save_seconds, stride_seconds, share; /* share: percent of the sequences */
} sn_finetune_settings;

/* The exit code. */
int sn_finetune(const sn_finetune_settings *how);

#endif
