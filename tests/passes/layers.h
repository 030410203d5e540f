/* Layers built node by node, as the graph files in models/ describe them.
 * Not the graph language: tests of passes need no frontend. */
#ifndef SN_TESTS_PASSES_LAYERS_H
#define SN_TESTS_PASSES_LAYERS_H

#include "passes/passes.h"

typedef struct layers {
    sn_graph *g;
    sn_build  b;
    sn_diags  diags;
    bool      training;
    int64_t   stream; /* of the next dropout */
} layers;

void layers_init(layers *l, const char *name, bool training);
void layers_fini(layers *l); /* not the graph */

sn_type layers_type(layers *l, const char *dims); /* "N T 25 16" */
sn_ref  layers_input(layers *l, const char *name, const char *dims);
sn_ref  layers_weight(layers *l, const char *name, const char *dims);
sn_ref  layers_contract(layers *l, const char *name, const char *spec, sn_ref x, sn_ref w, const sn_type *type);
sn_ref  layers_linear(layers *l, const char *name, sn_ref x, int64_t out);
sn_ref  layers_conv(layers *l, const char *name, sn_ref x, int64_t out, int64_t kernel, int64_t stride);
sn_ref  layers_batch_norm(layers *l, const char *name, sn_ref x, int kept);
sn_ref  layers_relu(layers *l, const char *name, sn_ref x);
sn_ref  layers_dropout(layers *l, const char *name, sn_ref x, double p);
sn_ref  layers_mean(layers *l, const char *name, sn_ref x, uint8_t axis);
sn_ref  layers_l2norm(layers *l, const char *name, sn_ref x);
/* ST-GCN block: graph convolution over `edges` [K, V, V] times importance, temporal convolution, residual. */
sn_ref  layers_block(layers *l, const char *name, sn_ref x, sn_ref edges, int64_t out, int64_t stride, bool residual, double drop);
/* Adjacency [3, 25, 25] with few non-zeros. */
sn_ref  layers_edges(layers *l);
/* The whole quarter-width encoder on [N, T, 25, 3], pooled to [N, 256]. */
sn_ref  layers_stgcn(layers *l, const char *name, sn_ref x, double drop);
/* Sum of the squares of everything, as output "loss". */
void    layers_loss(layers *l, sn_ref y);

#endif
