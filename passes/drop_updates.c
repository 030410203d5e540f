/* Inference reads state and changes none: updates go, and with them what only they needed.
 * Not the choice between running and batch statistics: that was made when the graph was built. */
#include "internal.h"

bool sn_pass_drop_updates(sn_pass *p)
{
    sn_graph *g = *p->g;
    g->updates = 0;
    *p->g = sn_graph_copy_live(g);
    sn_graph_free(g);
    return true;
}
