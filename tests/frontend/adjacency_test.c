/* Graph matrices: the published numbers of ST-GCN and 2s-AGCN on the 25-joint skeleton.
 * Not their use. */
#include "support.h"

enum { V = 25 };

#define EDGES "[[0,1],[1,20],[2,20],[3,2],[4,20],[5,4],[6,5],[7,6],[8,20],[9,8],[10,9],[11,10],[12,0],[13,12],[14,13],[15,14]," \
              "[16,0],[17,16],[18,17],[19,18],[21,22],[22,7],[23,24],[24,11]]"

/* The constant of a strategy, and its number of matrices. */
static sn_graph *matrices(const char *strategy, const float **a, int64_t *sets)
{
    char text[2000];
    const sn_program_options options = {0};
    sn_diags diags;
    snprintf(text, sizeof text, "{ modules: [ { name: \"g\", constants: [ { name: \"A\", kind: \"adjacency\", with: { strategy: \"%s\", joints: 25, "
             "centre: 20, edges: %s } } ], outputs: [ { name: \"A\" } ] } ] }", strategy, EDGES);
    mkdir(SCRATCH, 0777);
    spill(SCRATCH "/g.json", text, strlen(text));
    sn_diags_init(&diags);
    sn_model *m = sn_model_load(SCRATCH "/g.json", &diags);
    assert_non_null(m);
    sn_graph *g = sn_model_elaborate(m, &options, &diags);
    assert_non_null(g);
    const sn_node *n = sn_at(g, g->output[0].ref);
    assert_int_equal(n->type.rank, 3);
    assert_int_equal(n->type.dim[1].v, V);
    *a = n->attrs.data.data;
    *sets = n->type.dim[0].v;
    sn_model_free(m);
    sn_diags_fini(&diags);
    return g;
}

static float at(const float *a, int set, int row, int col) { return a[(set * V + row) * V + col]; }

static int nonzeros(const float *a, int set)
{
    int n = 0;
    for (int i = 0; i < V * V; i++) n += a[set * V * V + i] != 0;
    return n;
}

/* Column sums of the undirected graph with self loops. */
static const int degree[V] = {4, 3, 3, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 3, 3, 3, 2, 5, 2, 3, 2, 3};

static void spatial_is_as_published(void **state)
{
    static const int further[8][2] = {{1, 0}, {20, 1}, {20, 2}, {2, 3}, {20, 4}, {4, 5}, {20, 8}, {8, 9}};
    const float *a;
    int64_t sets;
    (void)state;
    sn_graph *g = matrices("spatial", &a, &sets);
    assert_int_equal(sets, 3);
    assert_int_equal(nonzeros(a, 0), 25);
    assert_int_equal(nonzeros(a, 1), 40);
    assert_int_equal(nonzeros(a, 2), 8);
    for (int i = 0; i < 8; i++) assert_true(at(a, 2, further[i][0], further[i][1]) == 1.0f / (float)degree[further[i][1]]);
    for (int set = 0; set < 3; set++)
        for (int j = 0; j < V; j++)
            for (int i = 0; i < V; i++) assert_true(at(a, set, j, i) == 0 || at(a, set, j, i) == 1.0f / (float)degree[i]);
    sn_graph_free(g);
}

static void uniform_and_distance_add_up(void **state)
{
    const float *u, *d, *s;
    int64_t sets;
    (void)state;
    sn_graph *gu = matrices("uniform", &u, &sets);
    assert_int_equal(sets, 1);
    sn_graph *gd = matrices("distance", &d, &sets);
    assert_int_equal(sets, 2);
    sn_graph *gs = matrices("spatial", &s, &sets);
    assert_int_equal(nonzeros(u, 0), 73);
    assert_int_equal(nonzeros(d, 0), 25);
    assert_int_equal(nonzeros(d, 1), 48);
    for (int j = 0; j < V; j++)
        for (int i = 0; i < V; i++) {
            assert_true(at(u, 0, j, i) == at(d, 0, j, i) + at(d, 1, j, i));
            assert_true(at(u, 0, j, i) == at(s, 0, j, i) + at(s, 1, j, i) + at(s, 2, j, i));
        }
    sn_graph_free(gu);
    sn_graph_free(gd);
    sn_graph_free(gs);
}

static void agcn_is_as_published(void **state)
{
    const float *a;
    int64_t sets;
    (void)state;
    sn_graph *g = matrices("agcn", &a, &sets);
    assert_int_equal(sets, 3);
    for (int i = 0; i < V; i++) assert_true(at(a, 0, i, i) == 1);
    assert_int_equal(nonzeros(a, 0), 25);
    assert_int_equal(nonzeros(a, 1), 24);
    assert_int_equal(nonzeros(a, 2), 24);
    for (int j = 0; j < V; j++) {
        assert_true(at(a, 1, j, 20) == 0);
        for (int i = 0; i < V; i++) assert_true(at(a, 1, j, i) == 0 || at(a, 1, j, i) == 1);
        assert_true(at(a, 2, j, 20) == (j == 1 || j == 2 || j == 4 || j == 8 ? 0.25f : 0));
        assert_true(at(a, 2, j, 0) == (j == 12 || j == 16 ? 0.5f : 0));
    }
    for (int i = 0; i < V; i++) {
        float sum = 0;
        for (int j = 0; j < V; j++) sum += at(a, 2, j, i);
        assert_true(sum == 0 || sum == 1);
    }
    sn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(spatial_is_as_published), cmocka_unit_test(uniform_and_distance_add_up),
                                       cmocka_unit_test(agcn_is_as_published)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
