/* The states of reductions while they run: one or two vectors a reduction, in f32 or with sums in f64.
 * Not loops and not evaluation (kernel_reduce.c). */
#include <string.h>

#include "reduce.h"

LLVMTypeRef sn_red_type(LLVMTypeRef scalar, uint32_t lanes)
{
    return lanes == 1 ? scalar : LLVMVectorType(scalar, lanes);
}

/* Start values of all states of `width` vectors; sums are f64 if `wide`. */
void sn_red_start(sn_kb *kb, const sn_reduce *r, bool wide, LLVMValueRef *s)
{
    for (uint32_t v = 0, n = 0; v < r->width; v++)
        for (uint32_t i = 0; i < r->reds; i++) {
            if (r->red[i].op == SN_OP_sum) {
                s[n++] = LLVMConstNull(sn_red_type(wide ? kb->f64 : kb->f32, kb->lanes));
                continue;
            }
            s[n++] = sn_kb_splat(kb, sn_kb_f32(kb, -__builtin_inf()), kb->lanes);
            if (r->red[i].op == SN_OP_argmax)
                s[n++] = LLVMConstNull(sn_red_type(kb->i32, kb->lanes));
        }
}

/* Take (x, place) where it is better than (s[0], s[1]); with `ties`, also the lower place of equals. */
void sn_red_take_best(sn_kb *kb, LLVMValueRef *s, LLVMValueRef x, LLVMValueRef place, bool ties)
{
    LLVMValueRef better = LLVMBuildFCmp(kb->b, LLVMRealOGT, x, s[0], "");
    if (ties) {
        LLVMValueRef same = LLVMBuildFCmp(kb->b, LLVMRealOEQ, x, s[0], "");
        LLVMValueRef lower = LLVMBuildICmp(kb->b, LLVMIntSLT, place, s[1], "");
        better = LLVMBuildOr(kb->b, better, LLVMBuildAnd(kb->b, same, lower, ""), "");
    }
    s[0] = LLVMBuildSelect(kb->b, better, x, s[0], "");
    if (place)
        s[1] = LLVMBuildSelect(kb->b, better, place, s[1], "");
}

/* Runs of f32 sums go into wide sums; other states just continue. */
void sn_red_merge_run(sn_kb *kb, const sn_reduce *r, LLVMValueRef *wide, const LLVMValueRef *run)
{
    for (uint32_t v = 0, n = 0; v < r->width; v++)
        for (uint32_t i = 0; i < r->reds; i++, n++) {
            if (r->red[i].op == SN_OP_sum) {
                LLVMValueRef x = LLVMBuildFPExt(kb->b, run[n], sn_red_type(kb->f64, kb->lanes), "");
                wide[n] = LLVMBuildFAdd(kb->b, wide[n], x, "");
                continue;
            }
            wide[n] = run[n];
            if (r->red[i].op == SN_OP_argmax) {
                n++;
                wide[n] = run[n];
            }
        }
}

void sn_red_start_run(sn_kb *kb, const sn_reduce *r, const LLVMValueRef *wide, LLVMValueRef *run)
{
    LLVMValueRef fresh[SN_MAX_CARRY];
    sn_red_start(kb, r, false, fresh);
    memcpy(run, wide, r->width * r->states * sizeof *run);
    for (uint32_t v = 0, n = 0; v < r->width; v++)
        for (uint32_t i = 0; i < r->reds; i++, n += r->red[i - 1].op == SN_OP_argmax ? 2 : 1)
            if (r->red[i].op == SN_OP_sum)
                run[n] = fresh[n];
}

/* Two states into the first. */
void sn_red_join(sn_kb *kb, sn_op op, LLVMValueRef *s, const LLVMValueRef *t)
{
    if (op == SN_OP_sum)
        s[0] = LLVMBuildFAdd(kb->b, s[0], t[0], "");
    else
        sn_red_take_best(kb, s, t[0], op == SN_OP_argmax ? t[1] : NULL, op == SN_OP_argmax);
}

static LLVMValueRef half(sn_kb *kb, LLVMValueRef v, uint32_t from, uint32_t n)
{
    LLVMValueRef lane[64];
    for (uint32_t i = 0; i < n; i++)
        lane[i] = LLVMConstInt(kb->i32, from + i, false);
    return LLVMBuildShuffleVector(kb->b, v, LLVMGetPoison(LLVMTypeOf(v)), LLVMConstVector(lane, n), "");
}

/* Across: all vectors and lanes of a reduction into lane 0, halves onto halves. */
void sn_red_meet(sn_kb *kb, const sn_reduce *r, LLVMValueRef *s)
{
    for (uint32_t i = 0, n = 0; i < r->reds; i++) {
        uint32_t parts = r->red[i].op == SN_OP_argmax ? 2 : 1;
        LLVMValueRef *mine = s + n, other[2];
        for (uint32_t v = 1; v < r->width; v++)
            sn_red_join(kb, r->red[i].op, mine, mine + v * r->states);
        for (uint32_t lanes = kb->lanes / 2; lanes > 0; lanes /= 2) {
            for (uint32_t j = 0; j < parts; j++) {
                other[j] = half(kb, mine[j], lanes, lanes);
                mine[j] = half(kb, mine[j], 0, lanes);
            }
            sn_red_join(kb, r->red[i].op, mine, other);
        }
        for (uint32_t j = 0; kb->lanes > 1 && j < parts; j++)
            mine[j] = LLVMBuildExtractElement(kb->b, mine[j], LLVMConstInt(kb->i32, 0, false), "");
        n += parts;
    }
}

/* The number a reduction yields: sums back in f32, places as numbers. */
LLVMValueRef sn_red_result(sn_kb *kb, sn_op op, const LLVMValueRef *s, uint32_t lanes)
{
    LLVMTypeRef type = sn_red_type(kb->f32, lanes);
    if (op == SN_OP_argmax)
        return LLVMBuildSIToFP(kb->b, s[1], type, "");
    return op == SN_OP_sum && LLVMTypeOf(s[0]) != type ? LLVMBuildFPTrunc(kb->b, s[0], type, "") : s[0];
}
