/* Augmentations: text to a list of transforms, and their application; the table of sets.
 * Not the transforms themselves (transforms.c). */
#include "augment.h"

#include "text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- sets --------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *meaning;
} sets[] = {
    {"none", ""},
    {"basic", "crop, shear"},
    {"strong", "crop, shear, flip, rotate, noise, blur, axis_mask"},  /* AimCLR and HiCLR, "12345" */
    {"strong_rvt", "crop, shear, noise, blur, axis_mask"},            /* RVTCLR's published configuration, "345" */
};

const char *sn_rt_augmentation_set(size_t index, const char **out_meaning)
{
    if (index >= sizeof sets / sizeof *sets)
        return NULL;
    *out_meaning = sets[index].meaning;
    return sets[index].name;
}

/* ---- text --------------------------------------------------------------------------------------------------------------- */

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\n");
}

/* A name of letters, digits and underscores. */
static word take_name(const char **at)
{
    word w = {skip_blanks(*at), 0};
    w.size = strspn(w.at, "abcdefghijklmnopqrstuvwxyz0123456789_");
    *at = skip_blanks(w.at + w.size);
    return w;
}

static const sn_rt_transform *transform_of(word name)
{
    for (size_t i = 0; i < sn_rt_transform_count; i++)
        if (sn_rt_word_is(name, sn_rt_transforms[i].name))
            return &sn_rt_transforms[i];
    return NULL;
}

static sn_rt_status unknown(word name, sn_rt_error *err)
{
    char known[300] = "";
    const char *meaning;
    for (size_t i = 0; sn_rt_augmentation_set(i, &meaning); i++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i ? ", " : "", sn_rt_augmentation_set(i, &meaning));
    for (size_t i = 0; i < sn_rt_transform_count; i++)
        snprintf(known + strlen(known), sizeof known - strlen(known), ", %s", sn_rt_transforms[i].name);
    return sn_rt_fail(err, SN_RT_ARGUMENT, "augmentation \"%.*s\" is none of %s", (int)name.size, name.at, known);
}

/* "name=number" within parentheses. */
static sn_rt_status parse_setting(const sn_rt_transform *t, const char **at, double *setting, sn_rt_error *err)
{
    word name = take_name(at), value = {0};
    size_t i = 0;
    while (i < SN_RT_MAX_SETTINGS && t->setting[i].name && !sn_rt_word_is(name, t->setting[i].name))
        i++;
    if (i == SN_RT_MAX_SETTINGS || !t->setting[i].name)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "augmentation %s has no setting \"%.*s\"", t->name, (int)name.size, name.at);
    if (**at == '=') {
        value.at = skip_blanks(*at + 1);
        value.size = strcspn(value.at, " ,)");
        *at = skip_blanks(value.at + value.size);
    }
    if (!value.size || !sn_rt_word_number(value, &setting[i]))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "augmentation %s: %s is no number", t->name, t->setting[i].name);
    if (setting[i] < t->setting[i].low || setting[i] > t->setting[i].high)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "augmentation %s: %s is %g, expected %g to %g", t->name, t->setting[i].name, setting[i],
                          t->setting[i].low, t->setting[i].high);
    return SN_RT_OK;
}

static sn_rt_status parse_step(const sn_rt_transform *t, const char **at, sn_rt_augmentation *out, sn_rt_error *err)
{
    if (out->steps == SN_RT_MAX_TRANSFORMS)
        return sn_rt_fail(err, SN_RT_ARGUMENT, "augmentation of more than %d transforms", SN_RT_MAX_TRANSFORMS);
    double *setting = out->step[out->steps].setting;
    out->step[out->steps++].transform = t;
    for (size_t i = 0; i < SN_RT_MAX_SETTINGS; i++)
        setting[i] = t->setting[i].value;
    if (**at != '(')
        return SN_RT_OK;
    do {
        ++*at;
        sn_rt_status status = parse_setting(t, at, setting, err);
        if (status != SN_RT_OK)
            return status;
    } while (**at == ',');
    if (**at != ')')
        return sn_rt_fail(err, SN_RT_ARGUMENT, "augmentation %s: ')' is missing before \"%.20s\"", t->name, *at);
    *at = skip_blanks(*at + 1);
    return SN_RT_OK;
}

static sn_rt_status parse_list(const char *list, bool whole, sn_rt_augmentation *out, sn_rt_error *err)
{
    for (const char *at = skip_blanks(list); *at;) {
        word name = take_name(&at);
        const sn_rt_transform *t = transform_of(name);
        const char *meaning;
        sn_rt_status status = SN_RT_OK;
        size_t i = 0;
        while (sn_rt_augmentation_set(i, &meaning) && !sn_rt_word_is(name, sn_rt_augmentation_set(i, &meaning)))
            i++;
        if (t)
            status = parse_step(t, &at, out, err);
        else if (whole && sn_rt_augmentation_set(i, &meaning))
            status = parse_list(meaning, false, out, err);
        else
            status = unknown(name, err);
        if (status != SN_RT_OK)
            return status;
        if (*at && *at != ',')
            return sn_rt_fail(err, SN_RT_ARGUMENT, "augmentation: found \"%.20s\", expected ','", at);
        at = skip_blanks(at + (*at == ','));
    }
    return SN_RT_OK;
}

sn_rt_status sn_rt_augmentation_parse(const char *list, sn_rt_augmentation *out, sn_rt_error *err)
{
    memset(out, 0, sizeof *out);
    if (!*skip_blanks(list))
        return sn_rt_fail(err, SN_RT_ARGUMENT, "augmentation is empty: \"none\" is its name");
    return parse_list(list, true, out, err);
}

const char *sn_rt_augmentation_retimes(const sn_rt_augmentation *how)
{
    for (size_t i = 0; i < how->steps; i++)
        if (how->step[i].transform->retimes)
            return how->step[i].transform->name;
    return NULL;
}

sn_rt_status sn_rt_augmentation_check(const sn_rt_augmentation *how, size_t V, sn_rt_error *err)
{
    for (size_t i = 0; i < how->steps; i++)
        if (how->step[i].transform->joints && how->step[i].transform->joints != V)
            return sn_rt_fail(err, SN_RT_BAD_SHAPE, "augmentation %s is for %zu joints, found %zu", how->step[i].transform->name,
                              how->step[i].transform->joints, V);
    return SN_RT_OK;
}

/* ---- application -------------------------------------------------------------------------------------------------------- */

void sn_rt_augment_draw(const sn_rt_augmentation *how, sn_rt_random *r, sn_rt_clip_size size, sn_rt_drawn *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < how->steps; i++)
        how->step[i].transform->draw(how->step[i].setting, r, size, out->number[i]);
}

/* Whether a transform was drawn to do nothing. */
static bool is_left(const sn_rt_transform *t, const double *number)
{
    return t->drawn[0] && strcmp(t->drawn[0], "apply") == 0 && number[0] == 0;
}

void sn_rt_augment_apply(const sn_rt_augmentation *how, const sn_rt_drawn *drawn, sn_rt_random *r, sn_rt_clip_size size,
                         const float *in, float *scratch, float *out)
{
    size_t changes = 0, bytes = size.M * size.T * size.V * 3 * sizeof *out;
    for (size_t i = 0; i < how->steps; i++)
        changes += !is_left(how->step[i].transform, drawn->number[i]);
    if (changes == 0)
        memcpy(out, in, bytes);
    for (size_t i = 0; i < how->steps; i++) {
        const sn_rt_transform *t = how->step[i].transform;
        if (is_left(t, drawn->number[i]))
            continue;
        float *to = --changes % 2 ? scratch : out; /* the last change ends in out */
        t->apply(drawn->number[i], how->step[i].setting, r, size, in, to);
        in = to;
    }
}
