/* The choice of a kind in words: which there are, why one does not fit, what those that do are predicted to cost.
 * Not the choice (kernel_contract.c) and not the costs, which every kind predicts beside its plan. */
#include <string.h>

#include "kernel_contract.h"

/* Numbers that are not known to be zero, of those that there are: only they count as multiply-adds, in reports as here. */
static double share_of(const sn_ct *ct)
{
    double all = 1;
    const sn_type *t = &ct->facts.type[ct->pattern];
    for (uint8_t i = 0; i < t->rank && ct->terms; i++)
        all *= (double)t->dim[i].v;
    return ct->terms ? ct->terms / all : 1;
}

static double total(const sn_ct_cost *c) { return (c->products + c->moves) / c->macs; }

static void say_block(const sn_plan *p, const sn_ct_cost *c)
{
    const sn_gemm_block next = sn_gemm_block_choose(p->target->registers, c->rows, c->vectors, &c->block);
    sn_plan_say(p, "      registers hold %lld rows x %lld vectors of %lld x %lld: %.1f a step", (long long)c->block.rows, (long long)c->block.vectors,
                (long long)c->rows, (long long)c->vectors, sn_gemm_step_cost(c->rows, c->vectors, c->block));
    if (next.rows)
        sn_plan_say(p, ", next best %lld x %lld with %.1f\n", (long long)next.rows, (long long)next.vectors, sn_gemm_step_cost(c->rows, c->vectors, next));
    else
        sn_plan_say(p, ", the only block there is\n");
}

/* Kinds refused for the same reason, together. */
static void say_refusal(const sn_plan *p, const sn_ct_verdict *v, int kinds, int first)
{
    for (int i = 0; i < first; i++)
        if (v[first].no && v[i].no && strcmp(v[i].no, v[first].no) == 0)
            return;
    for (int i = first; i < kinds && v[first].no; i++)
        if (v[i].no && strcmp(v[i].no, v[first].no) == 0)
            sn_plan_say(p, "%s%s", i == first ? "    not " : ", ", v[i].kind->name);
    if (v[first].no)
        sn_plan_say(p, ": %s\n", v[first].no);
}

void sn_ct_explain(const sn_plan *p, const sn_ct *chosen, const sn_ct_verdict *v, int kinds)
{
    const double scale = p->target->lanes / share_of(chosen);
    const sn_ct_verdict *best = NULL, *taken = NULL;
    for (int i = 0; i < kinds; i++) {
        best = !v[i].no && (!best || total(&v[i].cost) < total(&best->cost)) ? &v[i] : best;
        taken = v[i].kind == chosen->kind ? &v[i] : taken;
    }
    sn_plan_say(p, "  as %s; kinds in order of preference; cost in vector operations, 1 is what the direct method's multiply-adds alone take\n", chosen->kind->name);
    for (int i = 0; i < kinds; i++) {
        const sn_ct_cost *c = &v[i].cost;
        if (v[i].no)
            continue;
        sn_plan_say(p, "    %s: cost %.2f (products %.2f, moves %.2f), %.0f%% of the peak%s\n", v[i].kind->name, scale * total(c), scale * c->products / c->macs,
                    scale * c->moves / c->macs, 100 / (scale * total(c)), &v[i] == taken ? ", taken" : "");
        if (&v[i] == taken && taken != best)
            sn_plan_say(p, "      by preference: %s would cost less by these figures\n", best->kind->name);
        if (&v[i] == taken && c->block.rows)
            say_block(p, c);
        if (&v[i] == taken && c->order)
            sn_plan_say(p, "      %s\n", c->order);
    }
    for (int i = 0; i < kinds; i++)
        say_refusal(p, v, kinds, i);
}
