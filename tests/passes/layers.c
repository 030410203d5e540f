/* Layers built node by node.
 * Not the graph language. */
#include "layers.h"

#include <stdlib.h>
#include <string.h>

void layers_init(layers *l, const char *name, bool training)
{
    *l = (layers){.g = sn_graph_new(name), .training = training, .stream = 1};
    sn_diags_init(&l->diags);
    l->b = (sn_build){.g = l->g, .diags = &l->diags};
}

void layers_fini(layers *l)
{
    sn_diags_print(&l->diags, stderr);
    sn_diags_fini(&l->diags);
}

sn_type layers_type(layers *l, const char *dims)
{
    sn_type t = {0};
    char text[128];
    snprintf(text, sizeof text, "%s", dims);
    for (char *d = strtok(text, " "); d; d = strtok(NULL, " "))
        t.dim[t.rank++] = *d >= '0' && *d <= '9' ? sn_dim_const(atoll(d)) : sn_dim_symbol(&l->g->dims, d);
    return t;
}

static sn_type type_of(const layers *l, sn_ref r) { return sn_at(l->g, r)->type; }

static sn_ref param(layers *l, const char *name, sn_param_kind kind, const sn_type *t)
{
    return sn_graph_param(l->g, name, kind, t, (sn_init){.kind = SN_INIT_NORMAL, .b = 1}, (sn_loc){0});
}

sn_ref layers_input(layers *l, const char *name, const char *dims)
{
    const sn_type t = layers_type(l, dims);
    return param(l, name, SN_INPUT, &t);
}

sn_ref layers_weight(layers *l, const char *name, const char *dims)
{
    const sn_type t = layers_type(l, dims);
    return param(l, name, SN_WEIGHT, &t);
}

/* "name.part" in the graph's arena; the builder gives it to the next node. */
static const char *at(layers *l, const char *name, const char *part) { return l->b.name = sn_format(&l->g->arena, "%s.%s", name, part); }

sn_ref layers_contract(layers *l, const char *name, const char *spec, sn_ref x, sn_ref w, const sn_type *type)
{
    sn_contract c;
    const char *where, *what;
    SN_ASSERT(sn_contract_parse(spec, &c, &where, &what), "%s: %s", spec, what);
    l->b.name = name;
    return sn_build_contract(&l->b, &c, x, w, type);
}

sn_ref layers_linear(layers *l, const char *name, sn_ref x, int64_t out)
{
    sn_type t = type_of(l, x);
    const sn_type w = {2, {t.dim[t.rank - 1], sn_dim_const(out)}}, b = {1, {sn_dim_const(out)}};
    static const char *const spec[] = {"", "i ; i,o -> o", "n,i ; i,o -> n,o", "n,t,i ; i,o -> n,t,o", "n,t,v,i ; i,o -> n,t,v,o"};
    t.dim[t.rank - 1] = sn_dim_const(out);
    const sn_ref weights = param(l, at(l, name, "w"), SN_WEIGHT, &w), bias = param(l, at(l, name, "b"), SN_WEIGHT, &b);
    const sn_ref xw = layers_contract(l, at(l, name, "xw"), spec[t.rank], x, weights, &t);
    l->b.name = name;
    return sn_add(&l->b, xw, bias);
}

sn_ref layers_conv(layers *l, const char *name, sn_ref x, int64_t out, int64_t kernel, int64_t stride)
{
    sn_type t = type_of(l, x);
    const sn_type w = {3, {sn_dim_const(kernel), t.dim[3], sn_dim_const(out)}}, b = {1, {sn_dim_const(out)}};
    char spec[64];
    snprintf(spec, sizeof spec, "n,%dt+k-%d,v,i ; k,i,o -> n,t,v,o", (int)stride, (int)(kernel - 1) / 2);
    t.dim[1] = sn_dim_add_const(&l->g->dims, sn_dim_div(&l->g->dims, sn_dim_add_const(&l->g->dims, t.dim[1], -1), stride), 1);
    t.dim[3] = sn_dim_const(out);
    const sn_ref weights = param(l, at(l, name, "w"), SN_WEIGHT, &w), bias = param(l, at(l, name, "b"), SN_WEIGHT, &b);
    const sn_ref xw = layers_contract(l, at(l, name, "xw"), spec, x, weights, &t);
    l->b.name = name;
    return sn_add(&l->b, xw, bias);
}

static void moving_average(layers *l, sn_ref state, sn_ref now)
{
    sn_build *b = &l->b;
    b->name = NULL;
    const sn_type t = type_of(l, state);
    const sn_ref next = sn_add(b, sn_mul(b, state, sn_scalar(b, 0.9)), sn_mul(b, now, sn_scalar(b, 0.1)));
    const uint32_t index = sn_at(l->g, state)->attrs.param.index;
    sn_graph_update(l->g, SN_ASSIGN, index, sn_reshape(b, next, &t), (sn_loc){0});
}

/* Over all axes but the last `kept`. */
sn_ref layers_batch_norm(layers *l, const char *name, sn_ref x, int kept)
{
    sn_build *b = &l->b;
    const sn_type tx = type_of(l, x);
    const uint8_t axes[] = {0, 1, 2}, n_axes = (uint8_t)(tx.rank - kept);
    sn_type c = {.rank = (uint8_t)kept};
    memcpy(c.dim, tx.dim + n_axes, (size_t)kept * sizeof *c.dim);
    const sn_ref gamma = param(l, at(l, name, "gamma"), SN_WEIGHT, &c), beta = param(l, at(l, name, "beta"), SN_WEIGHT, &c);
    sn_ref mean = param(l, at(l, name, "running_mean"), SN_STATE, &c), var = param(l, at(l, name, "running_var"), SN_STATE, &c);
    if (l->training) {
        const sn_ref running_mean = mean, running_var = var;
        sn_attrs a = {.extent = {sn_dim_const(1)}};
        for (uint8_t i = 0; i < n_axes; i++)
            a.extent.dim = sn_dim_mul(&l->g->dims, a.extent.dim, tx.dim[i]);
        b->name = NULL;
        const sn_ref n = sn_build_op(b, SN_OP_extent, NULL, 0, &a, NULL), one = sn_scalar(b, 1);
        at(l, name, "s1");
        const sn_ref s1 = sn_sum(b, x, axes, n_axes);
        at(l, name, "s2");
        const sn_ref s2 = sn_sum(b, sn_mul(b, x, x), axes, n_axes);
        at(l, name, "mean");
        mean = sn_div(b, s1, n);
        at(l, name, "var");
        var = sn_binary(b, SN_OP_max, sn_sub(b, sn_div(b, s2, n), sn_mul(b, mean, mean)), sn_scalar(b, 0));
        moving_average(l, running_mean, mean);
        moving_average(l, running_var, sn_div(b, sn_mul(b, var, n), sn_sub(b, n, one)));
    }
    at(l, name, "scale");
    const sn_ref scale = sn_div(b, gamma, sn_unary(b, SN_OP_sqrt, sn_add(b, var, sn_scalar(b, 1e-5))));
    b->name = name;
    return sn_add(b, sn_mul(b, sn_sub(b, x, mean), scale), beta);
}

sn_ref layers_relu(layers *l, const char *name, sn_ref x)
{
    l->b.name = name;
    return sn_unary(&l->b, SN_OP_relu, x);
}

sn_ref layers_dropout(layers *l, const char *name, sn_ref x, double p)
{
    const sn_type t = type_of(l, x);
    const sn_attrs a = {.random = {.p = 1 - p, .stream = l->stream++}};
    at(l, name, "keep");
    const sn_ref keep = sn_build_op(&l->b, SN_OP_bernoulli, NULL, 0, &a, &t);
    l->b.name = name;
    return sn_mul(&l->b, sn_mul(&l->b, x, keep), sn_scalar(&l->b, 1 / (1 - p)));
}

sn_ref layers_mean(layers *l, const char *name, sn_ref x, uint8_t axis)
{
    sn_type t = type_of(l, x);
    const sn_attrs a = {.extent = {t.dim[axis]}};
    l->b.name = name;
    const sn_ref s = sn_sum(&l->b, x, &axis, 1), n = sn_build_op(&l->b, SN_OP_extent, NULL, 0, &a, NULL);
    memmove(&t.dim[axis], &t.dim[axis + 1], (size_t)(t.rank - axis - 1) * sizeof *t.dim);
    t.rank--;
    return sn_reshape(&l->b, sn_div(&l->b, s, n), &t);
}

sn_ref layers_l2norm(layers *l, const char *name, sn_ref x)
{
    sn_build *b = &l->b;
    const uint8_t axis = (uint8_t)(type_of(l, x).rank - 1);
    b->name = name;
    const sn_ref s = sn_sum(b, sn_mul(b, x, x), &axis, 1);
    return sn_div(b, x, sn_binary(b, SN_OP_max, sn_unary(b, SN_OP_sqrt, s), sn_scalar(b, 1e-12)));
}

sn_ref layers_edges(layers *l)
{
    float a[3 * 25 * 25] = {0};
    for (int v = 0; v < 25; v++) {
        a[v * 25 + v] = 1;
        a[625 + v * 25 + (v + 1) % 25] = 0.5f;
        a[1250 + (v + 1) % 25 * 25 + v] = 0.25f;
    }
    const sn_type t = layers_type(l, "3 25 25");
    const sn_attrs attrs = {.data = {a, 1875}};
    l->b.name = "edges";
    return sn_build_op(&l->b, SN_OP_const, NULL, 0, &attrs, &t);
}

static sn_ref residual(layers *l, const char *name, sn_ref x, int64_t out, int64_t stride)
{
    if (stride == 1 && type_of(l, x).dim[3].v == out)
        return x;
    const char *conv = sn_format(&l->g->arena, "%s.res.conv", name), *bn = sn_format(&l->g->arena, "%s.res.bn", name);
    return layers_batch_norm(l, bn, layers_conv(l, conv, x, out, 1, stride), 1);
}

sn_ref layers_block(layers *l, const char *name, sn_ref x, sn_ref edges, int64_t out, int64_t stride, bool with_residual, double drop)
{
    sn_arena *a = &l->g->arena;
    const sn_type te = type_of(l, edges);
    const sn_ref importance = param(l, sn_format(a, "%s.importance", name), SN_WEIGHT, &te);
    const sn_ref conv = layers_linear(l, sn_format(a, "%s.conv", name), x, te.dim[0].v * out);
    sn_type t = type_of(l, x);
    t.rank = 5;
    t.dim[3] = te.dim[0];
    t.dim[4] = sn_dim_const(out);
    const sn_ref sets = sn_reshape(&l->b, conv, &t), weighted = (at(l, name, "edges"), sn_mul(&l->b, edges, importance));
    t.rank = 4;
    t.dim[3] = sn_dim_const(out);
    const sn_ref gcn = layers_contract(l, sn_format(a, "%s.gcn", name), "n,t,v,k,c ; k,v,w -> n,t,w,c", sets, weighted, &t);
    const sn_ref relu1 = layers_relu(l, sn_format(a, "%s.relu1", name), layers_batch_norm(l, sn_format(a, "%s.bn1", name), gcn, 1));
    sn_ref y = layers_conv(l, sn_format(a, "%s.tcn", name), relu1, out, 9, stride);
    y = layers_batch_norm(l, sn_format(a, "%s.bn2", name), y, 1);
    if (drop > 0 && l->training)
        y = layers_dropout(l, sn_format(a, "%s.dropped", name), y, drop);
    const sn_ref res = with_residual ? residual(l, name, x, out, stride) : SN_NONE;
    l->b.name = sn_format(a, "%s.sum", name);
    if (with_residual)
        y = sn_add(&l->b, y, res);
    return layers_relu(l, sn_format(a, "%s.y", name), y);
}

sn_ref layers_stgcn(layers *l, const char *name, sn_ref x, double drop)
{
    static const int64_t out[] = {16, 16, 16, 16, 32, 32, 32, 64, 64, 256}, stride[] = {1, 1, 1, 1, 2, 1, 1, 2, 1, 1};
    const sn_ref edges = layers_edges(l);
    x = layers_batch_norm(l, sn_format(&l->g->arena, "%s.norm", name), x, 2);
    for (int i = 0; i < 10; i++)
        x = layers_block(l, sn_format(&l->g->arena, "%s.block%d", name, i + 1), x, edges, out[i], stride[i], i > 0, i > 0 ? drop : 0);
    x = layers_mean(l, sn_format(&l->g->arena, "%s.joints", name), x, 2);
    return layers_mean(l, sn_format(&l->g->arena, "%s.frames", name), x, 1);
}

void layers_loss(layers *l, sn_ref y)
{
    const uint8_t axes[] = {0, 1, 2, 3, 4, 5};
    l->b.name = "loss";
    const sn_ref s = sn_sum(&l->b, sn_mul(&l->b, y, y), axes, type_of(l, y).rank);
    const sn_type scalar = {0};
    sn_graph_output(l->g, "loss", sn_reshape(&l->b, s, &scalar), (sn_loc){0});
}
