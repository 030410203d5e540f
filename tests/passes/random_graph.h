/* Random valid graphs with an output "loss" of one number. */
#ifndef SN_TESTS_PASSES_RANDOM_GRAPH_H
#define SN_TESTS_PASSES_RANDOM_GRAPH_H

#include "layers.h"

/* The graph of that number; as after layers_init, with the graph built. */
void random_graph(layers *out, uint64_t seed);

#endif
