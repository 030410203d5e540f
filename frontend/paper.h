/* Figures of the paper (Cheng et al.), to stand beside one's own on its data sets.
 * Not to be compared with results on other data. */
#ifndef SN_FRONTEND_PAPER_H
#define SN_FRONTEND_PAPER_H

#include <stdbool.h>

/* A row of one of its tables: percent; of BABEL the mean of mAP at overlaps 0.1 to 0.5 on subsets 1, 2 and 3, of PKU-MMD mAP at 0.5. */
typedef struct sn_paper_row {
    const char *table, *name;
    double      value[3];
} sn_paper_row;
extern const sn_paper_row sn_paper[];
extern const unsigned     sn_paper_rows;

/* "knn-1" is subset 1 of table "knn"; "pku" has no subset.  *out_table is borrowed from sn_paper; false if there is no such table or subset. */
bool sn_paper_find(const char *text, const char **out_table, int *out_column);

#endif
