/* Labels and splits as PKU-MMD distributes them.
 * Not CSV with a header (labels.c). */
#include "labels.h"

#include "file.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CLASSES = 51 };

/* The next number of a row "a,b,c,d"; `last` is followed by the end of the line. */
static sn_rt_status row_number(text *t, const char *what, int last, size_t *out)
{
    word w = sn_rt_text_word(t); /* a row has no blanks; commas are cut off here */
    const char *comma = memchr(w.at, ',', w.size);
    word number = {w.at, comma ? (size_t)(comma - w.at) : w.size};
    double value;
    if (!sn_rt_word_number(number, &value) || value < 0 || value != (double)(size_t)value || !comma != !!last)
        return sn_rt_text_expected(t, w, what);
    *out = (size_t)value;
    t->at = comma ? comma + 1 : t->at;
    return SN_RT_OK;
}

static sn_rt_status apply_instance(sn_rt_dataset *set, size_t at, text *t, sn_rt_label_report *out)
{
    size_t class = 0, start = 0, end = 0, confidence = 0, frames = sn_rt_dataset_at(set, at)->frames;
    sn_rt_status status = row_number(t, "class,start,end,confidence: whole numbers", 0, &class);
    if (status == SN_RT_OK)
        status = row_number(t, "start,end,confidence after the class", 0, &start);
    if (status == SN_RT_OK)
        status = row_number(t, "end,confidence after the start", 0, &end);
    if (status == SN_RT_OK)
        status = row_number(t, "a confidence at the end of the row", 1, &confidence);
    if (status != SN_RT_OK)
        return status;
    if (class < 1 || class > CLASSES)
        return sn_rt_text_fail(t, "class %zu is not 1 to %d", class, CLASSES);
    out->rows++;
    if (start > end) {
        size_t kept = start;
        start = end;
        end = kept;
        out->swapped++;
    }
    if (start >= frames || start == end) {
        out->empty++;
        return SN_RT_OK;
    }
    out->clipped += end > frames;
    out->applied++;
    char label[8];
    snprintf(label, sizeof label, "P%02zu", class);
    return sn_rt_dataset_label(set, at, (uint32_t)start, (uint32_t)(end > frames ? frames : end), label, "pku", t->err);
}

static sn_rt_status apply_file(sn_rt_dataset *set, size_t at, const char *path, sn_rt_label_report *out, sn_rt_error *err)
{
    char *bytes;
    size_t size;
    sn_rt_status status = sn_rt_file_read(path, (size_t)1 << 28, &bytes, &size, err);
    if (status != SN_RT_OK)
        return status;
    text t = {.path = path, .at = bytes, .end = bytes + size, .line = 1, .err = err};
    while (status == SN_RT_OK && !sn_rt_text_at_end(&t))
        status = apply_instance(set, at, &t, out);
    free(bytes);
    return status;
}

sn_rt_status sn_rt_pku_labels_apply(sn_rt_dataset *set, const char *folder, sn_rt_label_report *out, sn_rt_error *err)
{
    sn_rt_label_report report = {0};
    sn_rt_status status = SN_RT_OK;
    if (access(folder, R_OK | X_OK) != 0)
        return sn_rt_fail(err, SN_RT_IO, "%s: no folder that can be read", folder);
    for (size_t i = 0; status == SN_RT_OK && i < sn_rt_dataset_count(set); i++) {
        char path[4096];
        if (snprintf(path, sizeof path, "%s/%s.txt", folder, sn_rt_dataset_at(set, i)->id) >= (int)sizeof path)
            return sn_rt_fail(err, SN_RT_ARGUMENT, "%s: path is longer than %zu characters", folder, sizeof path);
        if (access(path, F_OK) != 0)
            report.absent++;
        else
            status = apply_file(set, i, path, &report, err);
    }
    if (status == SN_RT_OK)
        *out = report;
    return status;
}

/* ---- splits ------------------------------------------------------------------------------------------------------------- */

/* "train" or "val" if the word begins a heading, whose line is then consumed. */
static const char *heading(text *t, word w)
{
    text line = *t;
    for (word next = w; next.size; next = sn_rt_text_word_in_line(&line))
        if (next.at[next.size - 1] == ':') {
            *t = line;
            return *w.at == 'T' || *w.at == 't' ? "train" : *w.at == 'V' || *w.at == 'v' ? "val" : NULL;
        }
    return NULL;
}

static sn_rt_status apply_list(sn_rt_dataset *set, text *t, sn_rt_label_report *out)
{
    const char *split = NULL;
    while (!sn_rt_text_at_end(t)) {
        word w = sn_rt_text_word(t);
        const char *begins = heading(t, w);
        split = begins ? begins : split;
        if (begins)
            continue;
        if (!split)
            return sn_rt_text_expected(t, w, "a heading such as 'Training videos:'");
        while (w.size) { /* "a,b," has ids a and b */
            const char *comma = memchr(w.at, ',', w.size);
            char id[512];
            word one = {w.at, comma ? (size_t)(comma - w.at) : w.size};
            w = comma ? (word){comma + 1, w.size - one.size - 1} : (word){w.at, 0};
            if (one.size == 0)
                continue;
            if (!sn_rt_word_copy(one, id, sizeof id))
                return sn_rt_text_expected(t, one, "an id such as 0002-L");
            size_t at = sn_rt_dataset_find(set, id);
            out->rows++;
            out->absent += at == SIZE_MAX;
            out->applied += at != SIZE_MAX;
            if (at != SIZE_MAX)
                sn_rt_dataset_split(set, at, split, t->err);
        }
    }
    return SN_RT_OK;
}

sn_rt_status sn_rt_pku_splits_apply(sn_rt_dataset *set, const char *path, sn_rt_label_report *out, sn_rt_error *err)
{
    char *bytes;
    size_t size;
    sn_rt_label_report report = {0};
    sn_rt_status status = sn_rt_file_read(path, (size_t)1 << 28, &bytes, &size, err);
    if (status != SN_RT_OK)
        return status;
    text t = {.path = path, .at = bytes, .end = bytes + size, .line = 1, .err = err};
    status = apply_list(set, &t, &report);
    free(bytes);
    if (status == SN_RT_OK)
        *out = report;
    return status;
}
