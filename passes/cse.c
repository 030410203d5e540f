/* Common subexpressions: equal nodes become one, dead nodes go.
 * Not simplification: what is written is kept.
 *
 *     a = mul x, y                a = mul x, y
 *     b = mul y, x         ->     c = add a, a
 *     c = add a, b
 *
 * Random numbers are equal only if their streams are; the table of nodes compares attributes, so that falls out.
 */
#include "internal.h"

bool sn_pass_cse(sn_pass *p)
{
    sn_rewriter rw = sn_rewrite_begin(p);
    for (uint32_t i = 0; i < rw.old; i++) {
        const sn_node n = sn_rewrite_moved(&rw, i);
        rw.to[i] = sn_rewrite_add(&rw, &n);
    }
    sn_rewrite_end(&rw, p);
    return true;
}
