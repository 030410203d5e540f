/* The graph files that ship: text and binary load to equal graphs, conversion loses nothing, parameter counts.
 * Not what the graphs compute (tests/models). */
#include "support.h"

#include "frontend/convert.h"

static const char *const files[] = {"layers/layers.json", "layers/ntu25.json", "encoders/stgcn.json", "heads/contrast.json",
                                    "recipes/moco_stgcn.json", "encoders/agcn.json", "recipes/moco_agcn.json",
                                    "encoders/unik.json", "methods/moco.json", "recipes/moco_unik.json", "encoders/hypergcn.json",
                                    "decoders/unet.json", "heads/frames.json", "methods/tag.json", "recipes/tag_stgcn.json", "recipes/tag_agcn.json",
                                    "recipes/tag_unik.json", "recipes/tag_hypergcn.json", "methods/weak.json", "recipes/weak_stgcn.json", "recipes/weak_agcn.json",
                                    "layers/persons.json", "layers/streams.json", "heads/mining.json", "methods/aimclr.json", "recipes/aimclr_stgcn.json",
                                    "methods/hiclr.json", "recipes/hiclr_agcn.json", "methods/rvtclr.json", "recipes/rvtclr_unik.json", "recipes/moco_hypergcn.json"};
enum { FILES = sizeof files / sizeof *files };

static void convert(const char *from, const char *to, bool text)
{
    sn_diags diags;
    sn_diags_init(&diags);
    if (!sn_convert(from, to, text, &diags)) {
        char *said = render(&diags);
        fail_msg("%s", said);
    }
    sn_diags_fini(&diags);
}

/* A copy of all models under SCRATCH/kind, so that imports find each other. */
static void convert_all(const char *kind, const char *from_root, bool text)
{
    static const char *const folder[] = {"layers", "encoders", "decoders", "heads", "methods", "recipes"};
    char from[600], to[600];
    mkdir(SCRATCH, 0777);
    snprintf(to, sizeof to, "%s/%s", SCRATCH, kind);
    mkdir(to, 0777);
    for (int i = 0; i < 6; i++) {
        snprintf(to, sizeof to, "%s/%s/%s", SCRATCH, kind, folder[i]);
        mkdir(to, 0777);
    }
    for (int i = 0; i < FILES; i++) {
        snprintf(from, sizeof from, "%s/%s", from_root, files[i]);
        snprintf(to, sizeof to, "%s/%s/%s", SCRATCH, kind, files[i]);
        convert(from, to, text);
    }
}

/* `sets`: assignments with spaces between; NULL for none. */
static sn_graph *elaborate(const char *root, const char *file, const char *sets, bool training)
{
    char path[600], text[100] = "";
    const char *set[8];
    sn_program_options options = {.set = set, .training = training};
    snprintf(text, sizeof text, "%s", sets ? sets : "");
    for (char *s = strtok(text, " "); s; s = strtok(NULL, " ")) set[options.sets++] = s;
    sn_diags diags;
    snprintf(path, sizeof path, "%s/%s", root, file);
    sn_diags_init(&diags);
    sn_model *m = sn_model_load(path, &diags);
    sn_graph *g = m ? sn_model_elaborate(m, &options, &diags) : NULL;
    if (!g) {
        char *said = render(&diags);
        fail_msg("%s", said);
    }
    sn_model_free(m);
    sn_diags_fini(&diags);
    return g;
}

static void same_bytes(const char *a, const char *b)
{
    char path[600];
    for (int i = 0; i < FILES; i++) {
        size_t n, k;
        snprintf(path, sizeof path, "%s/%s/%s", SCRATCH, a, files[i]);
        char *x = slurp(path, &n);
        snprintf(path, sizeof path, "%s/%s/%s", SCRATCH, b, files[i]);
        char *y = slurp(path, &k);
        assert_int_equal(n, k);
        assert_memory_equal(x, y, n);
        free(x);
        free(y);
    }
}

static void conversion_loses_nothing(void **state)
{
    (void)state;
    convert_all("binary", MODELS, false);
    convert_all("text", SCRATCH "/binary", true);
    convert_all("binary2", SCRATCH "/text", false); /* keys of maps are sorted from here on */
    convert_all("text2", SCRATCH "/binary2", true);
    same_bytes("text", "text2");
    convert_all("binary3", SCRATCH "/text2", false);
    same_bytes("binary2", "binary3");
}

static void text_and_binary_give_equal_graphs(void **state)
{
    static const int programs[] = {1, 2, 4, 5, 6, 7, 9, 10, 14, 25, 27, 29, 30};
    enum { PROGRAMS = sizeof programs / sizeof *programs };
    static const char *const root[] = {SCRATCH "/binary", SCRATCH "/text"};
    (void)state;
    for (int i = 0; i < 4 * PROGRAMS; i++) {
        const char *file = files[programs[i % PROGRAMS]];
        const bool training = (i / PROGRAMS) % 2;
        sn_graph *a = elaborate(MODELS, file, NULL, training), *b = elaborate(root[i / PROGRAMS / 2], file, NULL, training);
        assert_true(sn_graph_equal(a, b));
        sn_graph_free(a);
        sn_graph_free(b);
    }
}

/* Elements of all weights whose name begins with `prefix`. */
static int64_t trained(const sn_graph *g, const char *prefix)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < g->params; i++) {
        int64_t count = g->param[i].kind == SN_WEIGHT && strncmp(g->param[i].name, prefix, strlen(prefix)) == 0;
        for (uint8_t k = 0; count && k < g->param[i].type.rank; k++) count *= g->param[i].type.dim[k].v;
        sum += count;
    }
    return sum;
}

/* Counts of the published networks, per block: input norm, then ten blocks. */
static void encoders_have_the_published_size(void **state)
{
    static const struct { const char *file, *set; int64_t total, block[10]; } want[] = {
        {"encoders/stgcn.json", "hidden=16", 821380, {4451, 5075, 5075, 5075, 13491, 14419, 14419, 47635, 51539, 660051}},
        {"encoders/stgcn.json", "hidden=64", 3083412, {39827, 51539, 51539, 51539, 183507, 199507, 199507, 725587, 790355, 790355}},
        {"encoders/agcn.json", "hidden=64", 3453940, {40595, 57779, 57779, 57779, 204563, 224275, 224275, 808659, 889043, 889043}},
    };
    (void)state;
    for (size_t w = 0; w < sizeof want / sizeof *want; w++) {
        sn_graph *g = elaborate(MODELS, want[w].file, want[w].set, false);
        assert_int_equal(trained(g, ""), want[w].total);
        assert_int_equal(trained(g, "norm."), 150);
        for (int b = 0; b < 10; b++) {
            char prefix[16];
            snprintf(prefix, sizeof prefix, "block%d.", b + 1);
            assert_int_equal(trained(g, prefix), want[w].block[b]);
        }
        sn_graph_free(g);
    }
}

/* Block 2 with stride 2 has a convolution as residual; published counts of this variant include an input norm that it does not use. */
static void agcn_has_the_size_of_its_variant_with_stride_8(void **state)
{
    (void)state;
    sn_graph *g = elaborate(MODELS, "encoders/agcn.json", "hidden=64 early=2 normed=0", false);
    assert_int_equal(trained(g, "block2."), 62067);
    assert_int_equal(trained(g, ""), 3458228 - 150);
    sn_graph_free(g);
}

/* Published counts of UNIK include 25 numbers a block that nothing reads. */
static void unik_has_the_published_size(void **state)
{
    (void)state;
    sn_graph *g = elaborate(MODELS, "encoders/unik.json", "hidden=64 heads=3", false);
    assert_int_equal(trained(g, ""), 3454190 - 250);
    sn_graph_free(g);
    g = elaborate(MODELS, "encoders/unik.json", "hidden=64", false);
    assert_int_equal(trained(g, ""), 3787463 - 250);
    sn_graph_free(g);
}

/* Per layer; the frozen graph, which published counts sometimes include, is no weight. */
static void hypergcn_has_the_published_size(void **state)
{
    static const struct { const char *set; int64_t total, layer[9]; } want[] = {
        {NULL, 1019857, {37705, 37705, 37705, 187721, 128521, 128521, 194825, 128521, 128521}},
        {"dim=512", 2268113, {37705, 37705, 37705, 187721, 128521, 128521, 723465, 488329, 488329}}};
    (void)state;
    for (size_t w = 0; w < sizeof want / sizeof *want; w++) {
        sn_graph *g = elaborate(MODELS, "encoders/hypergcn.json", want[w].set, false);
        assert_int_equal(trained(g, ""), want[w].total);
        assert_int_equal(trained(g, "embed.") + trained(g, "position") + trained(g, "norm."), 3 * 128 + 128 + 25 * 128 + 2 * 25 * 128);
        for (int b = 0; b < 9; b++) {
            char prefix[16];
            snprintf(prefix, sizeof prefix, "l%d.", b + 1);
            assert_int_equal(trained(g, prefix), want[w].layer[b]);
        }
        sn_graph_free(g);
    }
}

static bool ends_with(const char *s, const char *end) { return strlen(s) >= strlen(end) && strcmp(s + strlen(s) - strlen(end), end) == 0; }

/* Contrastive trainers redraw linear maps, convolutions and batch norms, by class; they leave alone what encoders registered as bare tensors. */
static sn_init contrastive(const char *name)
{
    static const struct { const char *end; sn_init init; } rule[] = {
        {".gamma", {SN_INIT_NORMAL, 1, 0.02}}, {".beta", {SN_INIT_CONSTANT, 0, 0}}, {".b", {SN_INIT_CONSTANT, 0, 0}}, {".w", {SN_INIT_NORMAL, 0, 0.02}},
        {".importance", {SN_INIT_CONSTANT, 1, 0}}, {".alpha", {SN_INIT_CONSTANT, 1, 0}}, {".virtual", {SN_INIT_EQUAL_ROWS, 0, 1}},
        {"position", {SN_INIT_NORMAL, 0, 1}}};
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++)
        if (ends_with(name, rule[i].end)) return rule[i].init;
    fail_msg("no rule for %s", name);
    return rule[0].init;
}

static void encoders_begin_as_in_contrastive_work(void **state)
{
    static const char *const file[] = {"encoders/stgcn.json", "encoders/agcn.json", "encoders/unik.json", "encoders/hypergcn.json"};
    (void)state;
    for (size_t f = 0; f < sizeof file / sizeof *file; f++) {
        sn_graph *g = elaborate(MODELS, file[f], NULL, false);
        for (uint32_t i = 0; i < g->params; i++) {
            const sn_param *p = &g->param[i];
            if (p->kind != SN_WEIGHT) continue;
            sn_init want = {SN_INIT_UNIFORM, f == 1 ? 1e-6 : -1.0 / 25, f == 1 ? 1e-6 : 1.0 / 25};
            if (!ends_with(p->name, ".learned")) want = contrastive(p->name);
            if (p->init.kind != want.kind || p->init.a != want.a || (want.kind != SN_INIT_CONSTANT && p->init.b != want.b))
                fail_msg("%s: %s begins with kind %d (%g, %g)", file[f], p->name, (int)p->init.kind, p->init.a, p->init.b);
        }
        sn_graph_free(g);
    }
}

/* The publications' own: fan-out of convolutions, graphs switched off by a norm of 1e-6. */
static void encoders_begin_as_published(void **state)
{
    static const struct { const char *file, *set, *name; double mean, deviation2; } want[] = {
        {"encoders/agcn.json", "hidden=64 published=1", "block5.tcn.w", 0, 2.0 / (128 * 9)}, {"encoders/agcn.json", "hidden=64 published=1", "block5.gcn.theta.w", 0, 2.0 / 32},
        {"encoders/agcn.json", "hidden=64 published=1", "block5.gcn.w", 0, 2.0 / (128 * 64 * 3)}, {"encoders/agcn.json", "hidden=64 published=1", "block5.gcn.bn.gamma", 1e-6, 0},
        {"encoders/agcn.json", "hidden=64 published=1", "block5.res.conv.w", 0, 2.0 / 128}, {"encoders/agcn.json", "hidden=64 published=1", "block5.res.bn.gamma", 1, 0},
        {"encoders/agcn.json", "hidden=64 published=1", "norm.gamma", 1, 0}, {"encoders/unik.json", "hidden=64 published=1", "block2.gcn.w", 0, 2.0 / (64 * 64 * 4)},
        {"encoders/hypergcn.json", "published=1", "l4.gcn.features.w", 0, 2.0 / 256}, {"encoders/hypergcn.json", "published=1", "l4.gcn.bn.gamma", 1e-6, 0},
        {"encoders/hypergcn.json", "published=1", "l4.gcn.incidence.place.w", 0, 2.0 / 32}, {"encoders/hypergcn.json", "published=1", "l4.gcn.weight.fc2.w", 0, 2.0 / 8},
        {"encoders/hypergcn.json", "published=1", "l4.tcn.far.conv.w", 0, 2.0 / (64 * 5)}, {"encoders/hypergcn.json", "published=1", "l4.tcn.peak.narrow.w", 0, 2.0 / 64},
        {"encoders/hypergcn.json", "published=1", "l4.tcn.far.bn2.gamma", 1, 0.02 * 0.02}, {"encoders/hypergcn.json", "published=1", "l4.res.conv.w", 0, 2.0 / 256}};
    (void)state;
    for (size_t w = 0; w < sizeof want / sizeof *want; w++) {
        sn_graph *g = elaborate(MODELS, want[w].file, want[w].set, false);
        const uint32_t i = sn_graph_find_param(g, want[w].name);
        if (i == UINT32_MAX) fail_msg("%s has no %s", want[w].file, want[w].name);
        const sn_init *x = &g->param[i].init;
        if (x->kind != SN_INIT_NORMAL || x->a != want[w].mean || x->b * x->b < want[w].deviation2 * (1 - 1e-9) || x->b * x->b > want[w].deviation2 * (1 + 1e-9))
            fail_msg("%s: %s begins with (%g, %g)", want[w].file, want[w].name, x->a, x->b);
        sn_graph_free(g);
    }
}

/* ST-GCN has one input norm for all persons, the others have channels for each. */
static void two_persons_have_the_published_size(void **state)
{
    static const struct { const char *file, *set; int64_t total; } want[] = {
        {"encoders/stgcn.json", "hidden=64 persons=2", 3083412}, {"encoders/agcn.json", "hidden=64 persons=2", 3454090},
        {"encoders/unik.json", "hidden=64 persons=2", 3803033 - 60 * 257 - 250}, {"encoders/hypergcn.json", "persons=2", 1041677 - 60 * 257},
        {"encoders/hypergcn.json", "dim=512 persons=2", 2305293 - 60 * 513}};
    (void)state;
    for (size_t w = 0; w < sizeof want / sizeof *want; w++) {
        sn_graph *g = elaborate(MODELS, want[w].file, want[w].set, false);
        assert_int_equal(trained(g, ""), want[w].total);
        sn_graph_free(g);
    }
}

/* Strides 2 at blocks 5 and 8: 300 -> 150 -> 75 frames, ceil(T/4) for any T; with early = 2 also at block 2: 38. */
static void encoders_keep_a_fixed_share_of_the_frames(void **state)
{
    static const struct { const char *file, *set; int64_t share; } want[] = {
        {"encoders/stgcn.json", NULL, 4}, {"encoders/agcn.json", NULL, 4}, {"encoders/agcn.json", "early=2", 8},
        {"encoders/stgcn.json", "early=2", 8}, {"encoders/unik.json", NULL, 4}, {"encoders/unik.json", "early=2", 8},
        {"encoders/hypergcn.json", NULL, 4}, {"encoders/hypergcn.json", "early=2", 8}};
    (void)state;
    for (size_t w = 0; w < sizeof want / sizeof *want; w++) {
        sn_graph *g = elaborate(MODELS, want[w].file, want[w].set, false);
        const sn_type *t = &sn_at(g, g->output[0].ref)->type;
        assert_int_equal(t->rank, 4);
        for (int64_t frames = 1; frames < 310; frames++) {
            const int64_t extent[2] = {2, frames}; /* N, T in order of the input's shape */
            assert_int_equal(sn_dim_eval(&g->dims, t->dim[1], extent), (frames + want[w].share - 1) / want[w].share);
        }
        sn_graph_free(g);
    }
}

static void encoders_read_on_one_page(void **state)
{
    static const char *const file[] = {MODELS "/encoders/stgcn.json", MODELS "/encoders/agcn.json"};
    (void)state;
    for (int f = 0; f < 2; f++) {
        size_t n = 0;
        int lines = 0;
        char *text = slurp(file[f], &n);
        for (size_t i = 0; i < n; i++) lines += text[i] == '\n';
        assert_true(lines <= 120);
        free(text);
    }
}

/* Stage 1: copies follow the query's weights, states are their own, the queues are pushed. */
static void momentum_and_queues_are_declared(void **state)
{
    (void)state;
    sn_graph *g = elaborate(MODELS, "recipes/moco_stgcn.json", "queue=256", true);
    uint32_t copies = 0, weights = 0, pushes = 0;
    for (uint32_t i = 0; i < g->params; i++) {
        const sn_param *p = &g->param[i];
        weights += p->kind == SN_WEIGHT;
        if (p->kind != SN_COPY) continue;
        copies++;
        assert_int_equal(p->name[0], 'k');
        assert_string_equal(p->name + 1, g->param[p->of].name + 1);
        assert_true(p->coefficient == 0.999);
    }
    assert_int_equal(g->param[sn_graph_find_param(g, "k.G.fc.w")].init.kind, SN_INIT_SAME);
    for (uint32_t i = 0; i < g->updates; i++) pushes += g->update[i].kind == SN_ENQUEUE;
    assert_int_equal(copies, weights);
    assert_int_equal(pushes, 2);
    assert_int_equal(g->param[sn_graph_find_param(g, "queue_dense")].type.dim[0].v, 256);
    sn_graph_free(g);
}

static void every_file_checks(void **state)
{
    (void)state;
    for (int i = 0; i < FILES; i++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", MODELS, files[i]);
        char *said = check_file(path);
        assert_string_equal(said, "");
        free(said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_checks), cmocka_unit_test(conversion_loses_nothing), cmocka_unit_test(text_and_binary_give_equal_graphs),
        cmocka_unit_test(encoders_have_the_published_size), cmocka_unit_test(agcn_has_the_size_of_its_variant_with_stride_8),
        cmocka_unit_test(unik_has_the_published_size), cmocka_unit_test(hypergcn_has_the_published_size),
        cmocka_unit_test(two_persons_have_the_published_size), cmocka_unit_test(encoders_begin_as_in_contrastive_work),
        cmocka_unit_test(encoders_begin_as_published),
        cmocka_unit_test(encoders_keep_a_fixed_share_of_the_frames), cmocka_unit_test(encoders_read_on_one_page),
        cmocka_unit_test(momentum_and_queues_are_declared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
