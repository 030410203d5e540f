/* ASF: the skeleton half of ASF/AMC.
 * Not a solver: joint limits are read over, not applied. */
#include "asf.h"

#include "file.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

static const char *const dof_names[ASF_MAX_DOF] = {"tx", "ty", "tz", "rx", "ry", "rz"};

int sn_rt_asf_find(const sn_rt_asf *asf, const char *name)
{
    for (int i = 0; i < asf->bones; i++)
        if (strcmp(asf->bone[i].name, name) == 0)
            return i;
    return -1;
}

/* Go to the first word of the next line that has one and is no comment. Empty at the end of the file. */
static word next_key(text *t)
{
    for (;;) {
        sn_rt_text_next_line(t);
        word w = sn_rt_text_word(t);
        if (w.size == 0 || w.at[0] != '#')
            return w;
    }
}

/* "XYZ" into {0, 1, 2}; `order` is unchanged on error. */
static sn_rt_status read_turn_order(text *t, int order[3])
{
    word w = sn_rt_text_word_in_line(t);
    int found[3] = {0, 0, 0}, seen = 0;
    for (size_t i = 0; i < 3 && w.size == 3; i++) {
        found[i] = (w.at[i] | 32) - 'x';
        if (found[i] < 0 || found[i] > 2)
            break;
        seen |= 1 << found[i];
    }
    if (seen != 7)
        return sn_rt_text_expected(t, w, "an order such as XYZ");
    memcpy(order, found, sizeof found);
    return SN_RT_OK;
}

/* Turns about fixed axes, in the order given: for XYZ, Rz Ry Rx. */
static rotation turns(const int order[3], const double radians[3])
{
    rotation r = sn_rt_rotation_identity();
    for (int i = 0; i < 3; i++) {
        rotation turn = sn_rt_rotation_about(order[i], radians[order[i]]);
        r = sn_rt_rotation_multiply(&turn, &r);
    }
    return r;
}

static void set_axis(sn_rt_asf *asf, asf_bone *bone, const double listed[3])
{
    double radians[3];
    for (int i = 0; i < 3; i++)
        radians[bone->turn_order[i]] = listed[i] * asf->radians;
    bone->axis = turns(bone->turn_order, radians);
    bone->axis_inverse = sn_rt_rotation_transpose(&bone->axis);
}

static sn_rt_status read_three(text *t, const char *what, double out[3])
{
    sn_rt_status status = SN_RT_OK;
    for (int i = 0; status == SN_RT_OK && i < 3; i++)
        status = sn_rt_text_number(t, what, &out[i]);
    return status;
}

/* Words up to the end of the line; translations are the root's alone. */
static sn_rt_status read_dof(text *t, asf_bone *bone, bool is_root)
{
    bone->dof_count = 0;
    for (word w; (w = sn_rt_text_word_in_line(t)).size;) {
        int found = -1;
        for (int i = is_root ? 0 : 3; i < ASF_MAX_DOF; i++)
            if (sn_rt_word_is_any_case(w, dof_names[i]))
                found = i;
        if (found < 0 || bone->dof_count == ASF_MAX_DOF)
            return sn_rt_text_expected(t, w, is_root ? "TX TY TZ RX RY RZ in some order" : "rx, ry or rz");
        for (int i = 0; i < bone->dof_count; i++)
            if (bone->dof[i] == found)
                return sn_rt_text_fail(t, "degree of freedom %s twice", dof_names[found]);
        bone->dof[bone->dof_count++] = found;
    }
    return SN_RT_OK;
}

static sn_rt_status read_units(text *t, sn_rt_asf *asf, word *key)
{
    while ((*key = next_key(t)).size && key->at[0] != ':') {
        if (sn_rt_word_is(*key, "length")) {
            double length;
            sn_rt_status status = sn_rt_text_number(t, "the unit of length", &length);
            if (status != SN_RT_OK)
                return status;
            if (length <= 0)
                return sn_rt_text_fail(t, "the unit of length is %g, expected more than 0", length);
            asf->unit = 0.0254 / length;
        } else if (sn_rt_word_is(*key, "angle")) {
            word w = sn_rt_text_word_in_line(t);
            if (!sn_rt_word_is(w, "deg") && !sn_rt_word_is(w, "rad"))
                return sn_rt_text_expected(t, w, "deg or rad");
            asf->radians = sn_rt_word_is(w, "rad") ? 1 : 3.14159265358979323846 / 180;
        } else if (!sn_rt_word_is(*key, "mass")) {
            return sn_rt_text_expected(t, *key, "mass, length or angle");
        }
    }
    return SN_RT_OK;
}

static sn_rt_status read_root(text *t, sn_rt_asf *asf, word *key)
{
    asf_bone *root = &asf->bone[0];
    sn_rt_status status = SN_RT_OK;
    double orientation[3] = {0, 0, 0};
    while (status == SN_RT_OK && (*key = next_key(t)).size && key->at[0] != ':') {
        if (sn_rt_word_is(*key, "order"))
            status = read_dof(t, root, true);
        else if (sn_rt_word_is(*key, "axis"))
            status = read_turn_order(t, root->turn_order);
        else if (sn_rt_word_is(*key, "position"))
            status = read_three(t, "three numbers after position", root->offset);
        else if (sn_rt_word_is(*key, "orientation"))
            status = read_three(t, "three numbers after orientation", orientation);
        else
            return sn_rt_text_expected(t, *key, "order, axis, position or orientation");
    }
    if (status == SN_RT_OK)
        set_axis(asf, root, orientation);
    return status;
}

/* The parts of a bone that are needed together to place it. */
typedef struct bone_parts {
    double direction[3], length, axis[3];
    bool have_name, have_direction, have_length, have_axis;
} bone_parts;

static sn_rt_status read_bone_line(text *t, const sn_rt_asf *asf, word key, asf_bone *bone, bone_parts *parts)
{
    if (sn_rt_word_is(key, "name")) {
        word w = sn_rt_text_word_in_line(t);
        parts->have_name = sn_rt_word_copy(w, bone->name, sizeof bone->name);
        if (!parts->have_name)
            return sn_rt_text_expected(t, w, "a bone name of 1 to 63 characters");
        return sn_rt_asf_find(asf, bone->name) < 0 ? SN_RT_OK : sn_rt_text_fail(t, "a second bone '%s'", bone->name);
    }
    if (sn_rt_word_is(key, "direction")) {
        parts->have_direction = true;
        return read_three(t, "three numbers after direction", parts->direction);
    }
    if (sn_rt_word_is(key, "length")) {
        parts->have_length = true;
        return sn_rt_text_number(t, "a length", &parts->length);
    }
    if (sn_rt_word_is(key, "axis")) {
        parts->have_axis = true;
        sn_rt_status status = read_three(t, "three angles and an order after axis", parts->axis);
        return status == SN_RT_OK ? read_turn_order(t, bone->turn_order) : status;
    }
    if (sn_rt_word_is(key, "dof"))
        return read_dof(t, bone, false);
    /* limits run over several lines that begin with '('; id, masses and the like do not move anything. */
    if (sn_rt_word_is(key, "id") || sn_rt_word_is(key, "limits") || key.at[0] == '(' || sn_rt_word_is(key, "bodymass") ||
        sn_rt_word_is(key, "cofmass"))
        return SN_RT_OK;
    return sn_rt_text_expected(t, key, "name, direction, length, axis, dof, limits or end");
}

/* From behind "begin" to "end". */
static sn_rt_status read_bone(text *t, sn_rt_asf *asf)
{
    if (asf->bones == ASF_MAX_BONES)
        return sn_rt_text_fail(t, "more than %d bones", ASF_MAX_BONES - 1);
    asf_bone *bone = &asf->bone[asf->bones];
    memset(bone, 0, sizeof *bone);
    bone->parent = -1;
    bone_parts parts = {0};
    for (;;) {
        word key = next_key(t);
        if (sn_rt_word_is(key, "end"))
            break;
        if (key.size == 0 || key.at[0] == ':')
            return sn_rt_text_expected(t, key, "end of the bone");
        sn_rt_status status = read_bone_line(t, asf, key, bone, &parts);
        if (status != SN_RT_OK)
            return status;
    }
    if (!parts.have_name || !parts.have_direction || !parts.have_length || !parts.have_axis)
        return sn_rt_text_fail(t, "bone '%s' lacks name, direction, length or axis", bone->name);
    for (int k = 0; k < 3; k++)
        bone->offset[k] = parts.direction[k] * parts.length;
    set_axis(asf, bone, parts.axis);
    asf->bones++;
    return SN_RT_OK;
}

static sn_rt_status read_bones(text *t, sn_rt_asf *asf, word *key)
{
    while ((*key = next_key(t)).size && key->at[0] != ':') {
        if (!sn_rt_word_is(*key, "begin"))
            return sn_rt_text_expected(t, *key, "begin of a bone");
        sn_rt_status status = read_bone(t, asf);
        if (status != SN_RT_OK)
            return status;
    }
    return SN_RT_OK;
}

static sn_rt_status read_bone_name(text *t, const sn_rt_asf *asf, word w, int *out)
{
    char name[SN_RT_NAME_SIZE];
    *out = sn_rt_word_copy(w, name, sizeof name) ? sn_rt_asf_find(asf, name) : -1;
    return *out >= 0 ? SN_RT_OK : sn_rt_text_expected(t, w, "the name of a bone of :bonedata");
}

/* Lines "parent child child ..."; every parent must already hang from the root, so there is no cycle. */
static sn_rt_status read_hierarchy(text *t, sn_rt_asf *asf, word *key)
{
    int placed = 1;
    while ((*key = next_key(t)).size && key->at[0] != ':') {
        if (sn_rt_word_is(*key, "begin") || sn_rt_word_is(*key, "end"))
            continue;
        int parent, child;
        sn_rt_status status = read_bone_name(t, asf, *key, &parent);
        if (status == SN_RT_OK && parent != 0 && asf->bone[parent].parent < 0)
            return sn_rt_text_fail(t, "bone '%s' has children before it has a parent", asf->bone[parent].name);
        for (word w; status == SN_RT_OK && (w = sn_rt_text_word_in_line(t)).size;) {
            status = read_bone_name(t, asf, w, &child);
            if (status != SN_RT_OK)
                break;
            if (child == 0 || asf->bone[child].parent >= 0)
                return sn_rt_text_fail(t, "bone '%s' gets a second parent", asf->bone[child].name);
            asf->bone[child].parent = parent;
            asf->walk[placed++] = child;
        }
        if (status != SN_RT_OK)
            return status;
    }
    for (int i = 1; i < asf->bones; i++)
        if (asf->bone[i].parent < 0)
            return sn_rt_text_fail(t, "bone '%s' has no parent in :hierarchy", asf->bone[i].name);
    return SN_RT_OK;
}

static sn_rt_status read_sections(text *t, sn_rt_asf *asf)
{
    bool have_root = false, have_bones = false, have_hierarchy = false;
    sn_rt_status status = SN_RT_OK;
    word key = sn_rt_text_word(t);
    while (key.size && key.at[0] == '#')
        key = next_key(t);
    while (status == SN_RT_OK && key.size) {
        if (sn_rt_word_is(key, ":units")) {
            status = read_units(t, asf, &key);
        } else if (sn_rt_word_is(key, ":root")) {
            have_root = true;
            status = read_root(t, asf, &key);
        } else if (sn_rt_word_is(key, ":bonedata")) {
            have_bones = true;
            status = read_bones(t, asf, &key);
        } else if (sn_rt_word_is(key, ":hierarchy")) {
            have_hierarchy = true;
            status = read_hierarchy(t, asf, &key);
        } else if (sn_rt_word_is(key, ":version") || sn_rt_word_is(key, ":name") || sn_rt_word_is(key, ":documentation")) {
            while ((key = next_key(t)).size && key.at[0] != ':')
                continue;
        } else {
            return sn_rt_text_expected(t, key, "a section such as :units, :root, :bonedata or :hierarchy");
        }
    }
    if (status == SN_RT_OK && (!have_root || !have_bones || !have_hierarchy))
        return sn_rt_text_fail(t, "the file lacks :root, :bonedata or :hierarchy");
    if (status == SN_RT_OK && asf->unit <= 0)
        return sn_rt_text_fail(t, "the file lacks the unit of length");
    return status;
}

sn_rt_status sn_rt_asf_parse(const char *path, const char *bytes, size_t size, sn_rt_asf **out, sn_rt_error *err)
{
    text t = {.path = path, .at = bytes, .end = bytes + size, .line = 1, .err = err};
    sn_rt_asf *asf = calloc(1, sizeof *asf);
    if (!asf)
        return sn_rt_fail(err, SN_RT_MEMORY, "%s: no memory", path);
    asf->radians = 3.14159265358979323846 / 180;
    asf->bones = 1;
    strcpy(asf->bone[0].name, "root");
    asf->bone[0].parent = -1;
    for (int i = 0; i < 3; i++)
        asf->bone[0].turn_order[i] = i;
    sn_rt_status status = read_sections(&t, asf);
    if (status == SN_RT_OK)
        *out = asf;
    else
        sn_rt_asf_free(asf);
    return status;
}

sn_rt_status sn_rt_asf_read(const char *path, sn_rt_asf **out, sn_rt_error *err)
{
    char *bytes;
    size_t size;
    sn_rt_status status = sn_rt_file_read(path, (size_t)1 << 26, &bytes, &size, err);
    if (status != SN_RT_OK)
        return status;
    status = sn_rt_asf_parse(path, bytes, size, out, err);
    free(bytes);
    return status;
}

void sn_rt_asf_free(sn_rt_asf *asf)
{
    free(asf);
}
