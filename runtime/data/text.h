/* Words and numbers of a text file, with line numbers for messages.
 * Not a grammar: BVH, ASF, AMC and CSV readers each bring their own. */
#ifndef SN_RUNTIME_DATA_TEXT_H
#define SN_RUNTIME_DATA_TEXT_H

#include "../status.h"

#include <stdbool.h>
#include <stddef.h>

/* A place in the text. Blanks are space, tab, carriage return and, between lines, newline. */
typedef struct text {
    const char *path;
    const char *at, *end;
    unsigned long line; /* of `at`, from 1 */
    sn_rt_error *err;
} text;

/* A run of characters other than blanks; empty at the end of the line or file. */
typedef struct word {
    const char *at;
    size_t size;
} word;

/* Next word of this line (empty at its end), or next word of the file (crossing lines). Words are consumed. */
word sn_rt_text_word_in_line(text *t);
word sn_rt_text_word(text *t);
/* Go behind the end of this line. False if the file has ended. */
bool sn_rt_text_next_line(text *t);
/* True if only blanks are left in the file; moves behind them. */
bool sn_rt_text_at_end(text *t);

bool sn_rt_word_is(word w, const char *expected);
bool sn_rt_word_is_any_case(word w, const char *expected);
/* Copy into `out` of `size` bytes; false if empty or too long. */
bool sn_rt_word_copy(word w, char *out, size_t size);
/* A decimal number such as -1.758e-015 or .0083333; finite; false otherwise. */
bool sn_rt_word_number(word w, double *out);
bool sn_rt_word_count(word w, size_t *out);

/* "PATH:LINE: found 'WORD', expected EXPECTED" as SN_RT_FORMAT. `line` as of the word. */
sn_rt_status sn_rt_text_expected(const text *t, word found, const char *expected);
/* "PATH:LINE: MESSAGE". */
sn_rt_status sn_rt_text_fail(const text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Consume the next word of this line as a number, or fail saying what it was to be. */
sn_rt_status sn_rt_text_number(text *t, const char *what, double *out);

/* The whole number within 0.1 % of `fps`, or `fps`: 120.00048 is what .0083333 was meant to say. */
double sn_rt_whole_rate(double fps);

#endif
