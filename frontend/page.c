/* HTML pages that verbs write: the frame, and what goes into it safely.
 * Not what is on them (NAME.html), not their look (page.css) nor what their scripts share (page.js). */
#include "page.h"

#include <stdlib.h>
#include <string.h>

#include "../runtime/data/file.h"
#include "page_css.h"
#include "page_js.h"

/* Nothing is loaded from anywhere, even if text that came with the data had the browser try. */
static const char head[] =
    "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n";

static sn_rt_status put(sn_rt_replace *r, const char *text, sn_rt_error *err) { return sn_rt_replace_write(r, text, strlen(text), err); }

/* Put `text` with `replacement[i]` for every character escaped[i]. */
static sn_rt_status put_escaped(sn_rt_replace *r, const char *text, const char *escaped, const char *const *replacement, sn_rt_error *err)
{
    sn_rt_status status = SN_RT_OK;
    while (*text && status == SN_RT_OK) {
        size_t plain = strcspn(text, escaped);
        status = sn_rt_replace_write(r, text, plain, err);
        text += plain;
        if (*text && status == SN_RT_OK) status = put(r, replacement[strchr(escaped, *text++) - escaped], err);
    }
    return status;
}

static sn_rt_status put_title(sn_rt_replace *r, const char *title, sn_rt_error *err)
{
    static const char *const entity[] = {"&amp;", "&lt;", "&gt;"};
    sn_rt_status             status = put(r, "<title>", err);
    if (status == SN_RT_OK) status = put_escaped(r, title, "&<>", entity, err);
    return status == SN_RT_OK ? put(r, "</title>\n", err) : status;
}

/* In JSON "<" stands in strings only, where it may be written as \u003c: then neither "</script>" nor "<!--" occurs. */
static sn_rt_status put_data(sn_rt_replace *r, const char *json, sn_rt_error *err)
{
    static const char *const unicode[] = {"\\u003c"};
    sn_rt_status             status = put(r, "<script type=\"application/json\" id=\"data\">", err);
    if (status == SN_RT_OK) status = put_escaped(r, json, "<", unicode, err);
    return status == SN_RT_OK ? put(r, "</script>\n", err) : status;
}

static sn_rt_status put_element(sn_rt_replace *r, const char *open, const char *text, const char *close, sn_rt_error *err)
{
    sn_rt_status status = put(r, open, err);
    if (status == SN_RT_OK) status = put(r, text, err);
    return status == SN_RT_OK ? put(r, close, err) : status;
}

static sn_rt_status put_page(sn_rt_replace *r, const char *title, const char *json, const char *text, sn_rt_error *err)
{
    sn_rt_status status = put(r, head, err);
    if (status == SN_RT_OK) status = put_title(r, title, err);
    if (status == SN_RT_OK) status = put_element(r, "<style>\n", page_css, "</style>\n", err);
    if (status == SN_RT_OK) status = put_data(r, json, err);
    if (status == SN_RT_OK) status = put_element(r, "<script>\n", page_js, "</script>\n", err);
    return status == SN_RT_OK ? put(r, text, err) : status;
}

sn_rt_status sn_page_write(const char *path, const char *title, const json_t *data, const char *text, sn_rt_error *err)
{
    if (!data) return sn_rt_fail(err, SN_RT_FORMAT, "%s: a name in the data is not UTF-8", path);
    char *json = json_dumps(data, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    if (!json) return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    sn_rt_replace *r = NULL;
    sn_rt_status   status = sn_rt_replace_open(path, &r, err);
    if (status == SN_RT_OK) status = put_page(r, title, json, text, err);
    if (status == SN_RT_OK) status = sn_rt_replace_commit(r, err);
    else sn_rt_replace_abandon(r);
    free(json);
    return status;
}
