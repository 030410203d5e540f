/* Features of a data set's sequences as rows with what each row shows, their files, and their picture.
 * Not the features (features.h) and not the command line (cmd_embed.c). */
#ifndef SN_FRONTEND_EMBED_H
#define SN_FRONTEND_EMBED_H

#include "../runtime/data/classes.h"
#include "../runtime/eval/neighbours.h"
#include "../runtime/eval/tsne.h"
#include "grain.h"

typedef enum sn_embed_colour { SN_COLOUR_CLASS, SN_COLOUR_VIDEO, SN_COLOUR_TIME } sn_embed_colour;

typedef struct sn_embedding {
    sn_grain       grain;
    sn_rt_dataset *set;
    sn_rt_classes *classes; /* NULL: the set has no labels */
    sn_rt_rows     rows;    /* group: sequence of the set; class: -1 none, classes->count background */
    uint32_t      *start, *end; /* [rows.count]: frames of the sequence that a row is about */
    size_t        *shown;   /* [points]: rows that have a place */
    size_t         points;
    double        *at;      /* [points][2] */
    double         divergence;
} sn_embedding;

typedef struct sn_embed_how {
    const char *data, *splits, *classes; /* splits NULL: all; classes NULL: all labels */
    sn_grain    grain;
    double      snippet_frames;
    bool        ignore_unlabelled;
} sn_embed_how;

/* Rows of every sequence of the splits, in their order.  e->rows may be of any length, but for none, which is SN_RT_MISSING. */
sn_rt_status sn_embed_rows(const sn_embed_how *how, sn_extractor *x, sn_embedding *e, sn_rt_error *err);
/* Places of at most `most` rows, evenly chosen, by t-SNE of the rows scaled to unit length. */
sn_rt_status sn_embed_places(sn_embedding *e, const sn_rt_tsne *how, size_t most, sn_rt_error *err);

/* Features f32[rows][width]: PATH.npy, or any other name as safetensors with "features", "class" i32[rows] and, if there are places, "points" f64[points][2]
 * and "points_row" i64[points]. */
sn_rt_status sn_embed_write(const sn_embedding *e, const char *path, sn_rt_error *err);
/* CSV: row,video,start,end,seconds,class,x,y; start and end are frames, x and y empty for rows without a place. */
sn_rt_status sn_embed_table(const sn_embedding *e, const char *path, sn_rt_error *err);
sn_rt_status sn_embed_picture(const sn_embedding *e, sn_embed_colour colour, const char *title, const char *path, sn_rt_error *err);
void         sn_embed_fini(sn_embedding *e);

#endif
