/* The classes of a labelled task, and the class of every frame.
 * Not the segments' storage. */
#include "classes.h"

#include "internal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Position of a name of n characters, or count. */
static size_t position(const char *const *name, size_t count, const char *at, size_t n)
{
    size_t k = 0;
    while (k < count && (strlen(name[k]) != n || memcmp(name[k], at, n)))
        k++;
    return k;
}

static sn_rt_status no_label(const sn_rt_dataset *set, const char *at, size_t n, sn_rt_error *err)
{
    char known[300] = "";
    for (uint32_t i = 0; i < sn_rt_dataset_labels(set); i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", sn_rt_dataset_label_name(set, i));
    }
    return sn_rt_fail(err, SN_RT_ARGUMENT, "class \"%.*s\" is no label of the set, which has %s", (int)n, at, known[0] ? known : "none");
}

/* Names of the list into `name`, which has room for all labels of the set. */
static sn_rt_status read_list(const sn_rt_dataset *set, const char *list, char **name, size_t *count, sn_rt_error *err)
{
    for (const char *at = list; at;) {
        size_t n = strcspn(at, ",");
        uint32_t label = 0;
        while (label < sn_rt_dataset_labels(set) && position((const char *[]){sn_rt_dataset_label_name(set, label)}, 1, at, n))
            label++;
        if (label == sn_rt_dataset_labels(set))
            return no_label(set, at, n, err);
        if (position((const char *const *)name, *count, at, n) < *count)
            return sn_rt_fail(err, SN_RT_ARGUMENT, "class \"%.*s\" stands twice", (int)n, at);
        if (!(name[*count] = strndup(at, n)))
            return sn_rt_fail(err, SN_RT_MEMORY, "no memory for classes");
        ++*count;
        at = at[n] ? at + n + 1 : NULL;
    }
    return SN_RT_OK;
}

static sn_rt_status all_labels(const sn_rt_dataset *set, char **name, size_t *count, sn_rt_error *err)
{
    for (uint32_t i = 0; i < sn_rt_dataset_labels(set); i++) {
        if (!(name[*count] = strdup(sn_rt_dataset_label_name(set, i))))
            return sn_rt_fail(err, SN_RT_MEMORY, "no memory for classes");
        ++*count;
    }
    return *count ? SN_RT_OK : sn_rt_fail(err, SN_RT_ARGUMENT, "the set has no labels");
}

sn_rt_status sn_rt_classes_new(const sn_rt_dataset *set, const char *list, sn_rt_classes **out, sn_rt_error *err)
{
    sn_rt_classes *classes = calloc(1, sizeof *classes);
    char **name = calloc(sn_rt_dataset_labels(set) + 1, sizeof *name);
    size_t count = 0;
    sn_rt_status status = classes && name ? SN_RT_OK : sn_rt_fail(err, SN_RT_MEMORY, "no memory for classes");
    if (status == SN_RT_OK)
        status = list ? read_list(set, list, name, &count, err) : all_labels(set, name, &count, err);
    if (classes)
        *classes = (sn_rt_classes){count, (const char *const *)name, false};
    else
        free(name);
    if (status == SN_RT_OK)
        *out = classes;
    else
        sn_rt_classes_free(classes);
    return status;
}

bool sn_rt_classes_occur(const sn_rt_classes *classes, const sn_rt_dataset *set, const sn_rt_sequence *s)
{
    for (size_t i = 0; i < s->segments; i++) {
        const char *label = sn_rt_dataset_label_name(set, s->segment[i].label);
        if (position(classes->name, classes->count, label, strlen(label)) < classes->count)
            return true;
    }
    return false;
}

void sn_rt_classes_free(sn_rt_classes *classes)
{
    if (!classes)
        return;
    char **name = (char **)(uintptr_t)classes->name;
    for (size_t i = 0; i < classes->count; i++)
        free(name[i]);
    free(name);
    free(classes);
}

void sn_rt_classes_of_frames(const sn_rt_classes *classes, const sn_rt_dataset *set, const sn_rt_sequence *sequence, size_t start, size_t frames,
                             float *out)
{
    const float background = (float)classes->count;
    for (size_t t = 0; t < frames; t++)
        out[t] = classes->ignore_unlabelled ? -1 : background;
    for (size_t i = 0; i < sequence->segments; i++) {
        const sn_rt_segment *s = &sequence->segment[i];
        const char *label = sn_rt_dataset_label_name(set, s->label);
        float k = (float)position(classes->name, classes->count, label, strlen(label));
        for (size_t t = s->start < start ? start : s->start; t < s->end && t < start + frames; t++)
            if (out[t - start] < 0 || k < out[t - start])
                out[t - start] = k;
    }
}
