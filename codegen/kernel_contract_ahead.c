/* Memory asked for ahead of use: what the epilogue of a tile will read and write, requested while the products are still being added.
 * Not needed for any result.
 *
 * Products keep the arithmetic busy and memory idle, epilogues the other way round.  Results are not read before they are written, but the
 * machine fetches their lines anyway; so they are asked for, row block by row block, between calls of the micro-kernel, or better by the
 * micro-kernel itself: so many requests at once as a row block needs fill the queue of the cache, and the arithmetic waits like before.
 */
#include "kernel_contract.h"

/* An address that may lie outside the tensor. */
static LLVMValueRef beyond(sn_kb *kb, LLVMValueRef base, LLVMValueRef offset)
{
    return LLVMBuildGEP2(kb->b, kb->f32, base, &offset, 1, "");
}

/* `rows` rows of `floats` numbers from `at` on, `step` apart. */
static void ask_rows(sn_kb *kb, LLVMValueRef at, int64_t rows, int64_t floats, int64_t step, bool write)
{
    enum { LINE = 16 };
    if (floats == step) {
        floats *= rows;
        rows = 1;
    }
    sn_loop row = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, rows), 1, NULL, 0);
    sn_loop line = sn_kb_for(kb, sn_kb_i64(kb, 0), sn_kb_i64(kb, floats), LINE, NULL, 0);
    sn_kb_prefetch(kb, beyond(kb, at, sn_kb_iadd(kb, sn_kb_imul(kb, row.i, sn_kb_i64(kb, step)), line.i)), write);
    sn_kb_endfor(kb, &line, NULL);
    sn_kb_endfor(kb, &row, NULL);
}

void sn_ct_ahead_floats(sn_kb *kb, LLVMValueRef at, int64_t floats, bool write)
{
    ask_rows(kb, at, 1, floats, floats, write);
}

static bool is_in(const uint8_t *list, uint32_t n, uint8_t loop)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == loop)
            return true;
    return false;
}

void sn_ct_ahead(sn_kb *kb, const sn_ct *ct, const sn_ct_edge *edge, const sn_ct_tile *tile, LLVMValueRef block, LLVMValueRef row, int64_t rows)
{
    const sn_type *t = &ct->facts.type[SN_AT_OUT];
    sn_val at[SN_MAX_RANK];
    int64_t lanes = kb->lanes, floats = edge->vectors * lanes < edge->width ? edge->vectors * lanes : edge->width;
    for (uint8_t i = 0; i < t->rank; i++)
        at[i] = sn_kb_index(kb, i < ct->outer ? tile->at[i] : i == ct->outer ? tile->from : sn_kb_i64(kb, 0), 0);
    LLVMValueRef offset = sn_kb_offset(kb, t, at).ir.value;
    offset = sn_kb_iadd(kb, offset, sn_kb_imul(kb, row, sn_kb_i64(kb, edge->width)));
    offset = sn_kb_iadd(kb, offset, sn_kb_imul(kb, block, sn_kb_i64(kb, edge->vectors * lanes)));
    for (uint32_t i = 0; i < kb->k->ins + kb->k->outs; i++) {
        bool write = i >= kb->k->ins;
        sn_ref r = write ? kb->k->out[i - kb->k->ins] : kb->k->in[i];
        if (kb->buffer[i] && sn_type_equal(&sn_at(kb->g, r)->type, t))
            ask_rows(kb, beyond(kb, kb->buffer[i], offset), rows, floats, edge->width, write);
    }
}

LLVMValueRef sn_ct_source_offset(sn_kb *kb, const sn_ct *ct, const sn_ct_pack *pack, LLVMValueRef *loop, LLVMValueRef frame)
{
    uint8_t axis[SN_MAX_RANK]; /* of the source -> of the operand; SN_MAX_RANK = none */
    const sn_type *t = &sn_at(kb->g, sn_ct_source(ct, pack, axis))->type;
    sn_val at[SN_MAX_RANK];
    LLVMValueRef zero = sn_kb_i64(kb, 0);
    for (uint8_t i = 0; i < t->rank; i++) {
        uint8_t l = axis[i] < SN_MAX_RANK ? ct->facts.spec->at[pack->tensor][axis[i]].loop[0] : SN_MAX_LOOPS;
        bool outside = l < SN_MAX_LOOPS && !is_in(pack->inner, pack->inners, l) && !is_in(pack->column, pack->columns, l);
        at[i] = sn_kb_index(kb, outside ? (axis[i] == pack->frame_axis ? frame : loop[l]) : zero, 0);
    }
    return sn_kb_offset(kb, t, at).ir.value;
}

static const sn_type *source_type(const sn_kb *kb, const sn_ct *ct, const sn_ct_pack *pack)
{
    uint8_t axis[SN_MAX_RANK];
    return &sn_at(kb->g, sn_ct_source(ct, pack, axis))->type;
}

/* Is an operand packed from this input: is it its source, or, if that is made here, of its shape? */
static bool feeds(const sn_kb *kb, const sn_ct *ct, const sn_ct_pack *pack, uint32_t in)
{
    uint8_t axis[SN_MAX_RANK];
    const sn_ref   source = sn_ct_source(ct, pack, axis);
    const uint32_t own = sn_plan_buffer(kb->plan, source);
    return kb->buffer[in] && (own != UINT32_MAX ? in == own : sn_type_equal(&sn_at(kb->g, kb->k->in[in])->type, &sn_at(kb->g, source)->type));
}

void sn_ct_ahead_source(sn_kb *kb, const sn_ct *ct, const sn_ct_pack *pack, LLVMValueRef *loop, LLVMValueRef frame, LLVMValueRef column,
                        LLVMValueRef row, int64_t rows)
{
    const sn_type *t = source_type(kb, ct, pack);
    LLVMValueRef offset = sn_ct_source_offset(kb, ct, pack, loop, frame);
    int64_t width = t->dim[t->rank - 1].v, floats = width;
    offset = sn_kb_iadd(kb, offset, sn_kb_imul(kb, row, sn_kb_i64(kb, width)));
    if (pack->part && !pack->mix) {
        offset = sn_kb_iadd(kb, offset, column);
        floats = pack->part;
    }
    for (uint32_t i = 0; i < kb->k->ins; i++)
        if (feeds(kb, ct, pack, i))
            ask_rows(kb, beyond(kb, kb->buffer[i], offset), rows, floats, width, false);
}

/* ---- by the micro-kernel -------------------------------------------------------------------------------------------------- */

enum { LINE_BYTES = 64 };

void sn_ct_stream_add(sn_ct_streams *s, LLVMValueRef at, int64_t floats, bool write)
{
    if (s->count < SN_GEMM_MAX_AHEAD && floats > 0) /* unknown: not in one piece */
        s->of[s->count++] = (sn_ct_stream){at, (4 * floats + LINE_BYTES - 1) / LINE_BYTES, write};
}

void sn_ct_stream_source(sn_kb *kb, const sn_ct *ct, const sn_ct_pack *pack, LLVMValueRef *loop, LLVMValueRef frame, int64_t frames,
                         sn_ct_streams *s)
{
    const sn_type *t = source_type(kb, ct, pack);
    LLVMValueRef offset = sn_ct_source_offset(kb, ct, pack, loop, frame);
    for (uint32_t i = 0; i < kb->k->ins; i++)
        if (feeds(kb, ct, pack, i))
            sn_ct_stream_add(s, beyond(kb, kb->buffer[i], offset), frames * pack->inner_rows * (pack->run ? pack->width : t->dim[t->rank - 1].v), false);
}

void sn_ct_stream_edge(sn_kb *kb, const sn_ct *ct, const sn_ct_edge *edge, const sn_ct_tile *tile, sn_ct_streams *s)
{
    const sn_type *t = &ct->facts.type[SN_AT_OUT];
    sn_val at[SN_MAX_RANK];
    for (uint8_t i = 0; i < t->rank; i++)
        at[i] = sn_kb_index(kb, i < ct->outer ? tile->at[i] : i == ct->outer ? tile->from : sn_kb_i64(kb, 0), 0);
    LLVMValueRef offset = sn_kb_offset(kb, t, at).ir.value;
    for (uint32_t i = 0; i < kb->k->ins + kb->k->outs; i++) {
        bool write = i >= kb->k->ins;
        sn_ref r = write ? kb->k->out[i - kb->k->ins] : kb->k->in[i];
        if (kb->buffer[i] && sn_type_equal(&sn_at(kb->g, r)->type, t))
            sn_ct_stream_add(s, beyond(kb, kb->buffer[i], offset), ct->chunk * edge->inner_rows * edge->width, write);
    }
}

/* Lines of a stream a call asks for. */
static int64_t share(const sn_ct_streams *s, uint32_t k) { return (s->of[k].lines + s->calls - 1) / s->calls; }

void sn_ct_stream_pace(const sn_ct_streams *s, int64_t turns, sn_gemm_micro *m)
{
    m->ahead = 0;
    for (uint32_t k = 0; k < s->count && turns > 0; k++) {
        int64_t lines = share(s, k), slots = (lines + turns - 1) / turns, each = (lines + slots - 1) / slots;
        for (int64_t j = 0; j < slots && m->ahead < SN_GEMM_MAX_AHEAD; j++) {
            m->ahead_step[m->ahead] = (each * LINE_BYTES + turns - 1) / turns;
            m->ahead_write[m->ahead++] = s->of[k].write;
        }
    }
}

void sn_ct_stream_call(sn_kb *kb, const sn_ct_streams *s, int64_t turns, LLVMValueRef call, LLVMValueRef *address)
{
    uint32_t n = 0;
    for (uint32_t k = 0; k < s->count && turns > 0; k++) {
        int64_t lines = share(s, k), slots = (lines + turns - 1) / turns, each = (lines + slots - 1) / slots, line = LINE_BYTES / 4;
        LLVMValueRef from = beyond(kb, s->of[k].at, sn_kb_imul(kb, call, sn_kb_i64(kb, lines * line)));
        for (int64_t j = 0; j < slots && n < SN_GEMM_MAX_AHEAD; j++)
            address[n++] = beyond(kb, from, sn_kb_i64(kb, j * each * line));
    }
}

void sn_ct_stream_step(sn_kb *kb, const sn_ct_streams *s, int64_t steps, LLVMValueRef step)
{
    for (uint32_t k = 0; k < s->count; k++) {
        const int64_t lines = s->of[k].lines, each = (lines + steps - 1) / steps;
        for (int64_t j = 0; j < each; j++) {
            LLVMValueRef line = sn_kb_iadd(kb, sn_kb_imul(kb, step, sn_kb_i64(kb, each)), sn_kb_i64(kb, j));
            line = sn_kb_imin(kb, line, sn_kb_i64(kb, lines - 1));
            sn_kb_prefetch(kb, beyond(kb, s->of[k].at, sn_kb_imul(kb, line, sn_kb_i64(kb, LINE_BYTES / 4))), s->of[k].write);
        }
    }
}
