/* Reading a contraction's index maps: loop facts, and the (x, w, y) picture of convolutions, linear maps and graph products.
 * Not a choice of kernel. */
#include "contract_class.h"

#include <string.h>

void sn_contract_facts_get(const sn_graph *g, const sn_node *anchor, sn_contract_facts *out)
{
    const sn_contract *c = anchor->attrs.spec.spec;
    memset(out, 0, sizeof *out);
    out->spec = c;
    out->type[SN_AT_A] = sn_at(g, anchor->arg[0])->type;
    out->type[SN_AT_B] = sn_at(g, anchor->arg[1])->type;
    out->type[SN_AT_OUT] = anchor->type;
    for (int l = 0; l < c->loops; l++)
        for (int t = 0; t < 3; t++)
            out->loop[l].alone[t] = -1;
    for (int t = 0; t < 3; t++)
        for (int i = 0; i < c->rank[t]; i++) {
            const sn_affine *at = &c->at[t][i];
            for (int k = 0; k < at->terms; k++) {
                sn_loop_fact *l = &out->loop[at->loop[k]];
                l->count[t]++;
                l->window |= !sn_affine_is_loop(at);
                if (sn_affine_is_loop(at)) {
                    l->alone[t] = (int8_t)i;
                    l->extent = out->type[t].dim[i];
                }
            }
        }
}

bool sn_contract_windowed(const sn_contract_facts *f, int t, int i)
{
    return !sn_affine_is_loop(&f->spec->at[t][i]);
}

bool sn_contract_has_window(const sn_contract_facts *f)
{
    for (int l = 0; l < f->spec->loops; l++)
        if (f->loop[l].window)
            return true;
    return false;
}

/* The role of a loop from where it occurs. */
static sn_refusal role_of(const sn_loop_fact *l, const sn_product *p, sn_loop_role *role)
{
    bool x = l->count[p->x] > 0, w = l->count[p->w] > 0, y = l->count[p->y] > 0;
    if (l->count[p->x] > 1 || l->count[p->w] > 1 || l->count[p->y] > 1)
        return "two axes of one tensor share a loop";
    if (x && y)
        *role = w ? SN_LOOP_BATCH : SN_LOOP_POSITION;
    else if (w && y)
        *role = SN_LOOP_OUT;
    else if (w && x)
        *role = l->alone[p->x] >= 0 ? SN_LOOP_IN : SN_LOOP_TAP;
    else
        return "a loop is in one tensor only";
    return NULL;
}

/* The one index of x that is not a loop: s*u + d*k + off with u a position and k a tap, either may come first, k may be missing. */
static sn_refusal window_of(const sn_contract_facts *f, sn_product *p)
{
    static const char other[] = "its window is not stride * frame + dilation * tap + offset";
    const sn_affine *at = &f->spec->at[p->x][p->x_axis];
    bool frame = false;
    p->off = at->offset;
    for (int k = 0; k < at->terms; k++) {
        sn_loop_role role = p->role[at->loop[k]];
        if (role == SN_LOOP_POSITION && !frame && at->coef[k] > 0) {
            frame = true;
            p->frame = at->loop[k];
            p->s = at->coef[k];
        } else if (role == SN_LOOP_TAP && p->tap == UINT8_MAX) {
            p->tap = at->loop[k];
            p->d = at->coef[k];
        } else {
            return other;
        }
    }
    return frame ? NULL : other;
}

sn_refusal sn_contract_product(const sn_contract_facts *f, int x, int w, int y, sn_product *out)
{
    sn_product p = {.x = x, .w = w, .y = y, .x_axis = -1, .tap = UINT8_MAX, .band = UINT8_MAX, .s = 1};
    const sn_contract *c = f->spec;
    uint32_t taps = 0, used = 0;
    sn_refusal no;
    for (int l = 0; l < c->loops; l++) {
        if ((no = role_of(&f->loop[l], &p, &p.role[l])))
            return no;
        if (p.role[l] == SN_LOOP_BATCH)
            p.band = p.batched ? UINT8_MAX : (uint8_t)l;
        p.batched |= p.role[l] == SN_LOOP_BATCH;
        taps += p.role[l] == SN_LOOP_TAP;
    }
    for (int i = 0; i < c->rank[w]; i++)
        if (sn_contract_windowed(f, w, i))
            return "the window is in the tensor that would be the weights";
    for (int i = 0; i < c->rank[y]; i++) {
        if (sn_contract_windowed(f, y, i))
            return "the window is in the tensor that would be the product";
        if (p.role[c->at[y][i].loop[0]] == SN_LOOP_OUT)
            p.out[p.outs++] = c->at[y][i].loop[0];
    }
    for (int i = 0; i < c->rank[x]; i++) {
        if (!sn_contract_windowed(f, x, i)) {
            if (p.role[c->at[x][i].loop[0]] == SN_LOOP_IN)
                p.in[p.ins++] = c->at[x][i].loop[0];
        } else if (p.x_axis >= 0) {
            return "windows along two axes";
        } else {
            p.x_axis = i;
        }
    }
    if (p.x_axis >= 0 && (no = window_of(f, &p)))
        return no;
    used = p.tap != UINT8_MAX;
    if (taps != used)
        return "a loop of the window is no tap";
    *out = p;
    return NULL;
}
