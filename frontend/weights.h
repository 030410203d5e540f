/* Weights of public PyTorch implementations in the names and layouts of the graph files, and back.
 * Not reading of .pt files: a state dictionary comes as safetensors (frontend/WEIGHTS.md says how).
 *
 * What is known of a source is data (weights_rules.c): for every tensor of its state dictionary a row with both names and both layouts.  Converting is
 * renaming and moving of elements, never arithmetic, so `from` and then `to` gives the same tensors bit for bit. */
#ifndef SN_FRONTEND_WEIGHTS_H
#define SN_FRONTEND_WEIGHTS_H

#include "../runtime/data/safetensors.h"

#include <stdbool.h>

/* ---- what is known of a source -------------------------------------------------------------------------------------------- */

typedef enum sn_weights_kind {
    SN_WEIGHTS_TENSOR,  /* f32 on both sides */
    SN_WEIGHTS_COUNTER, /* i64 scalar that counts batches; no counterpart, 0 where it is not kept */
    SN_WEIGHTS_UNUSED,  /* f32 that the published code makes and never reads; no counterpart, 0 where it is not kept */
    SN_WEIGHTS_FIXED,   /* f32 that is not trained and that graph files make for themselves; kept, and left to the published class where it is not */
    SN_WEIGHTS_HEAD     /* row of a queue written next: i64[1] there, u64 scalar here */
} sn_weights_kind;

/* In which blocks of a group a row applies; `i` and `o` are the block's channels. */
typedef enum sn_weights_when {
    SN_WEIGHTS_ALWAYS,
    SN_WEIGHTS_WIDER,   /* where i and o differ */
    SN_WEIGHTS_SHORTCUT /* where i and o differ or the block has a stride, but not in a block without residual */
} sn_weights_when;

/* Names: {0} and {1} are the number of the block counted from 0 and from 1, {s} a number for every s below size s, so that several tensors of theirs
 * are slices of one of ours.
 * Axes: "theirs -> ours", each a list of axes.  An axis is a size, a letter, or several in parentheses, the last varying fastest.  A letter has
 * one size in all rows of a block, a capital in all rows of the part; o' is another axis of the size of o.  After a block its o is the i of the next. */
typedef struct sn_weights_rule {
    const char     *theirs, *ours, *axes;
    sn_weights_when when;
    sn_weights_kind kind;
} sn_weights_rule;

/* Blocks first .. last of a network; bit b of `strided` and `bare` says that block b has a stride, has no residual. */
typedef struct sn_weights_group {
    const sn_weights_rule *rule;
    uint32_t               rules, first, last, strided, bare;
} sn_weights_group;

/* A network within a state dictionary.  @ in prefixes and patterns is the stream ("" for joints, "_motion", "_bone"). */
typedef struct sn_weights_part {
    const char             *what;           /* for messages */
    const char             *theirs, *ours;  /* what stands before the names */
    const sn_weights_group *group;
    uint32_t                groups;
    bool                    optional;       /* a dictionary may lack the whole part */
} sn_weights_part;

typedef struct sn_weights_source {
    const char            *name, *about;
    const sn_weights_part *part;
    uint32_t               parts;
    const char *const     *kept;   /* patterns (* at the end: any rest) of tensors without a counterpart, carried along as "kept:NAME"; NULL-ended */
    const char *const     *others; /* the same for the streams that are not asked for; NULL: the source has one stream */
    const char *const     *own;    /* patterns of tensors of ours that have no counterpart: the dense term's; NULL: none */
} sn_weights_source;

/* By name, or NULL; by number, NULL behind the last. */
const sn_weights_source *sn_weights_source_of(const char *name);
const sn_weights_source *sn_weights_source_at(uint32_t i);

/* ---- converting ------------------------------------------------------------------------------------------------------------ */

typedef struct sn_weights_job {
    const sn_weights_source *source;
    bool                     to;     /* from ours to theirs */
    const char              *file;   /* in messages */
    const char              *prefix; /* what stands before our names, with the dot, or "" */
    const char              *stream; /* "", "_motion", "_bone" */
} sn_weights_job;

typedef struct sn_weights_report {
    size_t      mapped, numbers; /* tensors with a counterpart, and their elements, on our side */
    size_t      kept;            /* carried along unchanged */
    size_t      ignored;         /* of ours: outside the prefix, of the optimiser, or of the dense term */
    const char *absent[8];       /* optional parts that are not there */
    uint32_t    absents;
} sn_weights_report;

/* Convert `in`, adding to the empty set `out`.  Every fault found (missing, left over, of another shape or type, not finite) is told by `say`, a line each
 * up to a few; false if there was one. */
typedef void sn_weights_say(void *ctx, const char *text);
bool sn_weights_convert(const sn_weights_job *job, const sn_rt_tensors *in, sn_rt_tensors *out, sn_weights_report *report, sn_weights_say *say, void *ctx);

#endif
