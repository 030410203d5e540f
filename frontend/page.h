/* HTML pages that verbs write: one file that needs no other, offline and years later.
 * Not what is on them: that is a verb's own NAME.html, part of the program by sinew_text(NAME_html NAME.html) in CMakeLists.txt. */
#ifndef SN_FRONTEND_PAGE_H
#define SN_FRONTEND_PAGE_H

#include <jansson.h>

#include "../runtime/status.h"

/* Write a page atomically: a head that forbids the browser to load anything, `title` (any characters), page.css, `data` and page.js, and then `text`: HTML
 * that begins with its <style>, if any, goes on with elements and ends with a <script>.  To the script `data` is what page.js made of the JSON; no string in
 * it can end the script element that it stands in.
 *
 * `data` is borrowed; NULL, which is what jansson gives for text that is not UTF-8, is SN_RT_FORMAT.  On failure `path` is what it was. */
sn_rt_status sn_page_write(const char *path, const char *title, const json_t *data, const char *text, sn_rt_error *err);

#endif
