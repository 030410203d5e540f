/* A program at a stage of its compilation, as text.
 * Not the command line (cmd_show.c). */
#include "stage.h"

#include <string.h>

static const char HEAD[] = "# sinew stage ";

uint32_t sn_stage_names(const char *name[SN_STAGE_NAMES])
{
    uint32_t passes, n = 0;
    const sn_pass_info *pass = sn_passes_list(&passes);
    name[n++] = "source";
    for (uint32_t i = 0; i < passes && strcmp(pass[i].name, "fuse") != 0; i++) name[n++] = pass[i].name;
    name[n++] = "fused";
    name[n++] = "scheduled";
    return n;
}

bool sn_stage_is(const char *data, size_t size)
{
    static const char graph[] = "graph @";
    return (size >= sizeof HEAD - 1 && memcmp(data, HEAD, sizeof HEAD - 1) == 0) || (size >= sizeof graph - 1 && memcmp(data, graph, sizeof graph - 1) == 0);
}

/* The last pass on graphs: after it comes stage fused. */
static const char *last_pass(void)
{
    const char *name[SN_STAGE_NAMES];
    return name[sn_stage_names(name) - 3];
}

static bool set_name(sn_stage *s, const char *word, sn_loc loc, sn_diags *diags)
{
    const char *name[SN_STAGE_NAMES];
    const uint32_t n = sn_stage_names(name);
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(name[i], word) == 0) {
            s->after = i == 0 ? NULL : i >= n - 2 ? last_pass() : name[i];
            s->scheduled = i == n - 1;
            return true;
        }
    const char *near = sn_nearest(word, name, n);
    sn_error(diags, loc, NULL, "no stage \"%s\"%s%s%s", word, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return false;
}

static bool read_head(sn_stage *s, const char *text, sn_arena *arena, sn_diags *diags)
{
    if (strncmp(text, HEAD, sizeof HEAD - 1) != 0) return true;
    const size_t end = strcspn(text, "\r\n");
    bool first = true;
    for (size_t at = sizeof HEAD - 1; at < end;) {
        const size_t length = strcspn(text + at, " \r\n");
        const sn_loc loc = {.source = s->source, .off = (uint32_t)at, .len = (uint32_t)length};
        const char *word = sn_strndup(arena, text + at, length);
        if (first && !set_name(s, word, loc, diags)) return false;
        if (!first && strcmp(word, "training") != 0 && strcmp(word, "gradients") != 0) {
            sn_error(diags, loc, NULL, "found \"%s\", expected training or gradients", word);
            return false;
        }
        s->training = s->training || (!first && strcmp(word, "training") == 0);
        s->gradients = s->gradients || (!first && strcmp(word, "gradients") == 0);
        first = false;
        at += length + strspn(text + at + length, " ");
    }
    return true;
}

bool sn_stage_parse(const char *path, const char *data, size_t size, sn_arena *arena, sn_stage *out, sn_diags *diags)
{
    *out = (sn_stage){.source = sn_diags_source(diags, path, data, size)};
    const char *text = diags->source[out->source].text;
    if (!read_head(out, text, arena, diags)) return false;
    sn_graph *g = sn_stage_graph(out, diags);
    if (g) out->graph = sn_strdup(arena, g->name);
    sn_graph_free(g);
    return g != NULL;
}

sn_graph *sn_stage_graph(const sn_stage *stage, sn_diags *diags)
{
    sn_graph *g = NULL;
    if (stage->scheduled) {
        sn_schedule *s = sn_schedule_parse(diags, stage->source);
        if (s) g = s->g, s->g = NULL;
        sn_schedule_free(s);
    } else {
        g = sn_graph_parse(diags, stage->source);
    }
    if (!g || sn_verify(g, SN_LEVEL_FUSED, diags)) return g;
    sn_graph_free(g);
    return NULL;
}

sn_schedule *sn_stage_schedule(const sn_stage *stage, sn_diags *diags)
{
    sn_schedule *s = sn_schedule_parse(diags, stage->source);
    if (!s || sn_verify(s->g, SN_LEVEL_FUSED, diags)) return s;
    sn_schedule_free(s);
    return NULL;
}

void sn_stage_print_head(const char *name, bool training, bool gradients, FILE *out)
{
    fprintf(out, "%s%s%s%s\n", HEAD, name, training ? " training" : "", gradients ? " gradients" : "");
}
