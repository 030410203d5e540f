/* Lines that two texts do not share.
 * Not for binary data. */
#ifndef SN_FRONTEND_DIFFERENCE_H
#define SN_FRONTEND_DIFFERENCE_H

#include <stdio.h>

/* Print the shortest edit from a to b, "-" and "+" before lines, with `context` equal lines around.  Lines are the same that differ only in numbers of
 * unnamed values (%12), which every pass changes; such lines are shown as they are in b.  Numbers of lines that differ.
 * Source: Myers, An O(ND) difference algorithm, 1986. */
size_t sn_difference_print(const char *a, const char *b, unsigned context, FILE *out);

#endif
