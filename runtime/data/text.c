/* Words and numbers of a text file.
 * Not dependent on the locale: a decimal point is a point. */
#include "text.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

word sn_rt_text_word_in_line(text *t)
{
    while (t->at < t->end && is_blank(*t->at))
        t->at++;
    word w = {t->at, 0};
    while (t->at < t->end && !is_blank(*t->at) && *t->at != '\n')
        t->at++;
    w.size = (size_t)(t->at - w.at);
    return w;
}

bool sn_rt_text_next_line(text *t)
{
    const char *newline = memchr(t->at, '\n', (size_t)(t->end - t->at));
    if (!newline) {
        t->at = t->end;
        return false;
    }
    t->at = newline + 1;
    t->line++;
    return t->at < t->end;
}

word sn_rt_text_word(text *t)
{
    word w = sn_rt_text_word_in_line(t);
    while (w.size == 0 && t->at < t->end) {
        t->at++;
        t->line++;
        w = sn_rt_text_word_in_line(t);
    }
    return w;
}

bool sn_rt_text_at_end(text *t)
{
    text ahead = *t;
    if (sn_rt_text_word(&ahead).size)
        return false;
    *t = ahead;
    return true;
}

bool sn_rt_word_is(word w, const char *expected)
{
    return w.size == strlen(expected) && memcmp(w.at, expected, w.size) == 0;
}

bool sn_rt_word_is_any_case(word w, const char *expected)
{
    return w.size == strlen(expected) && strncasecmp(w.at, expected, w.size) == 0;
}

bool sn_rt_word_copy(word w, char *out, size_t size)
{
    if (w.size == 0 || w.size >= size || memchr(w.at, '\0', w.size))
        return false;
    memcpy(out, w.at, w.size);
    out[w.size] = '\0';
    return true;
}

/* strtod in the C locale, made once; reading threads share it. */
static locale_t c_locale(void)
{
    static locale_t locale;
    static int made;
    if (!__atomic_load_n(&made, __ATOMIC_ACQUIRE)) {
        locale_t fresh = newlocale(LC_ALL_MASK, "C", (locale_t)0);
        locale_t none = (locale_t)0;
        if (!__atomic_compare_exchange_n(&locale, &none, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) && fresh)
            freelocale(fresh);
        __atomic_store_n(&made, 1, __ATOMIC_RELEASE);
    }
    return locale;
}

bool sn_rt_word_number(word w, double *out)
{
    char copy[64], *end;
    if (!sn_rt_word_copy(w, copy, sizeof copy) || strspn(copy, "0123456789+-.eE") != w.size)
        return false;
    double value = strtod_l(copy, &end, c_locale());
    if (*end != '\0' || end == copy || !isfinite(value))
        return false;
    *out = value;
    return true;
}

bool sn_rt_word_count(word w, size_t *out)
{
    size_t value = 0;
    if (w.size == 0 || w.size > 15)
        return false;
    for (size_t i = 0; i < w.size; i++) {
        if (!isdigit((unsigned char)w.at[i]))
            return false;
        value = value * 10 + (size_t)(w.at[i] - '0');
    }
    *out = value;
    return true;
}

sn_rt_status sn_rt_text_expected(const text *t, word found, const char *expected)
{
    if (found.size == 0)
        return sn_rt_fail(t->err, SN_RT_FORMAT, "%s:%lu: found the end of the %s, expected %s", t->path, t->line,
                          t->at < t->end ? "line" : "file", expected);
    int shown = found.size > 40 ? 40 : (int)found.size;
    char copy[41];
    for (int i = 0; i < shown; i++)
        copy[i] = isprint((unsigned char)found.at[i]) ? found.at[i] : '?';
    copy[shown] = '\0';
    return sn_rt_fail(t->err, SN_RT_FORMAT, "%s:%lu: found '%s', expected %s", t->path, t->line, copy, expected);
}

sn_rt_status sn_rt_text_fail(const text *t, const char *format, ...)
{
    char message[300];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return sn_rt_fail(t->err, SN_RT_FORMAT, "%s:%lu: %s", t->path, t->line, message);
}

sn_rt_status sn_rt_text_number(text *t, const char *what, double *out)
{
    word w = sn_rt_text_word_in_line(t);
    return sn_rt_word_number(w, out) ? SN_RT_OK : sn_rt_text_expected(t, w, what);
}

double sn_rt_whole_rate(double fps)
{
    double whole = round(fps);
    return whole >= 1 && fabs(fps - whole) <= 1e-3 * whole ? whole : fps;
}
