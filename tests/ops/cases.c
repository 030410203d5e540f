/* The case table and its inputs.
 * A new operator needs a row here, one in rejects.c and one in values.c, or test_ops fails. */
#include "cases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define REAL(lo, hi)    SN_FILL_REAL, lo, hi, false
#define INTEGER(lo, hi) SN_FILL_INTEGER, lo, hi, true
#define FIXED           SN_FILL_REAL, -1, 1, true /* no gradient to check */
#define UNIT            SN_FILL_UNIT_ROWS, 0, 0, false

#define UNARY(op, shape) "(%x: " shape ") {\n %y = " #op " %x : " shape "\n return y=%y\n}"
#define BINARY(op, a, b, r) "(%x: " a ", %z: " b ") {\n %y = " #op " %x, %z : " r "\n return y=%y\n}"

const sn_case SN_CASE[] = {
    {SN_OP_param, "input", "(%x: f32[N,5]) {\n return y=%x\n}", REAL(-2, 2)},
    {SN_OP_const, "matrix", "(%x: f32[N,2]) {\n %c = const {1, -2.5} : f32[1,2]\n %y = mul %x, %c : f32[N,2]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_fill, "tensor", "() {\n %y = fill {value=0.75} : f32[3,T]\n return y=%y\n}", FIXED},
    {SN_OP_extent, "symbolic", "(%x: f32[N,T]) {\n %e = extent {dim=(T-1)/2+1} : f32[]\n %y = mul %x, %e : f32[N,T]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_iota, "middle", "(%x: f32[N,T,3]) {\n %i = iota {axis=1} : f32[N,T,3]\n %y = mul %x, %i : f32[N,T,3]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_iota, "last", "() {\n %y = iota {axis=1} : f32[3,37]\n return y=%y\n}", FIXED},
    {SN_OP_uniform, "weigh", "(%x: f32[N,T,19]) {\n %m = uniform {stream=3} : f32[N,T,19]\n %y = mul %x, %m : f32[N,T,19]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_bernoulli, "mask", "(%x: f32[N,T,19]) {\n %m = bernoulli {p=0.5, stream=3} : f32[N,T,19]\n %y = mul %x, %m : f32[N,T,19]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_pool_matrix, "down", "() {\n %y = pool_matrix : f32[3,T]\n return y=%y\n}", FIXED},
    {SN_OP_pool_matrix, "up", "() {\n %y = pool_matrix : f32[19,T]\n return y=%y\n}", FIXED},
    {SN_OP_interp_matrix, "corners up", "() {\n %y = interp_matrix {corners=1} : f32[19,T]\n return y=%y\n}", FIXED},
    {SN_OP_interp_matrix, "centres down", "() {\n %y = interp_matrix {corners=0} : f32[3,T]\n return y=%y\n}", FIXED},
    {SN_OP_interp_matrix, "centres up", "() {\n %y = interp_matrix : f32[17,T]\n return y=%y\n}", FIXED},

    {SN_OP_add, "same", BINARY(add, "f32[N,T,5]", "f32[N,T,5]", "f32[N,T,5]"), REAL(-2, 2)},
    {SN_OP_add, "row", BINARY(add, "f32[N,T,5]", "f32[5]", "f32[N,T,5]"), REAL(-2, 2)},
    {SN_OP_add, "twice", "(%x: f32[N,5]) {\n %y = add %x, %x : f32[N,5]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_sub, "column", BINARY(sub, "f32[N,1]", "f32[N,T]", "f32[N,T]"), REAL(-2, 2)},
    {SN_OP_mul, "outer", BINARY(mul, "f32[N,1]", "f32[1,37]", "f32[N,37]"), REAL(-2, 2)},
    {SN_OP_mul, "scalar", BINARY(mul, "f32[N,T]", "f32[]", "f32[N,T]"), REAL(-2, 2)},
    {SN_OP_div, "row", BINARY(div, "f32[N,T]", "f32[T]", "f32[N,T]"), REAL(0.5, 2)},
    {SN_OP_max, "row", BINARY(max, "f32[N,T]", "f32[T]", "f32[N,T]"), REAL(-2, 2)},
    {SN_OP_max, "ties", BINARY(max, "f32[N,T]", "f32[N,T]", "f32[N,T]"), INTEGER(-1, 1)},
    {SN_OP_min, "column", BINARY(min, "f32[N,1]", "f32[N,T]", "f32[N,T]"), REAL(-2, 2)},
    {SN_OP_greater, "ties", BINARY(greater, "f32[N,T,5]", "f32[5]", "f32[N,T,5]"), INTEGER(-1, 1)},
    {SN_OP_equal, "ties", BINARY(equal, "f32[N,T]", "f32[N,T]", "f32[N,T]"), INTEGER(-1, 1)},
    {SN_OP_select, "mask", "(%x: f32[N,T], %z: f32[T]) {\n %m = greater %x, %z : f32[N,T]\n %y = select %m, %x, %z : f32[N,T]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_neg, "tensor", UNARY(neg, "f32[N,T,5]"), REAL(-2, 2)},
    {SN_OP_abs, "tensor", UNARY(abs, "f32[N,T,5]"), REAL(-2, 2)},
    {SN_OP_abs, "zero", UNARY(abs, "f32[N,T]"), INTEGER(-1, 1)},
    {SN_OP_exp, "tensor", UNARY(exp, "f32[N,T,5]"), REAL(-2, 2)},
    {SN_OP_exp, "wide", UNARY(exp, "f32[N,T,5]"), SN_FILL_REAL, -80, 80, true},
    {SN_OP_log, "tensor", UNARY(log, "f32[N,T,5]"), REAL(0.1, 3)},
    {SN_OP_sqrt, "tensor", UNARY(sqrt, "f32[N,T,5]"), REAL(0.1, 3)},
    {SN_OP_sqrt, "zero", UNARY(sqrt, "f32[N,T]"), INTEGER(0, 2)},
    {SN_OP_tanh, "tensor", UNARY(tanh, "f32[N,T,5]"), REAL(-3, 3)},
    {SN_OP_tanh, "wide", UNARY(tanh, "f32[N,T,5]"), SN_FILL_REAL, -50, 50, true},
    {SN_OP_sigmoid, "tensor", UNARY(sigmoid, "f32[N,T,5]"), REAL(-3, 3)},
    {SN_OP_sigmoid, "wide", UNARY(sigmoid, "f32[N,T,5]"), SN_FILL_REAL, -200, 200, true},
    {SN_OP_relu, "tensor", UNARY(relu, "f32[N,T,5]"), REAL(-2, 2)},
    {SN_OP_relu, "zero", UNARY(relu, "f32[N,T]"), INTEGER(-1, 1)},
    {SN_OP_leaky_relu, "tensor", "(%x: f32[N,T,5]) {\n %y = leaky_relu %x {value=0.1} : f32[N,T,5]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_stop, "product", "(%x: f32[N,T]) {\n %s = stop %x : f32[N,T]\n return y=%s\n}", FIXED},

    {SN_OP_broadcast, "front and middle", "(%x: f32[N,1,5]) {\n %y = broadcast %x : f32[2,N,T,5]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_broadcast, "last", "(%x: f32[N,1]) {\n %y = broadcast %x : f32[N,T]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_reshape, "join", "(%x: f32[N,T,5,3]) {\n %y = reshape %x : f32[N,T,15]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_reshape, "split", "(%x: f32[N,35]) {\n %y = reshape %x : f32[N,5,7]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_reshape, "regroup", "(%x: f32[6,1,35,N]) {\n %y = reshape %x : f32[14,15,N,1]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_reshape, "flat", "(%x: f32[N,T,3]) {\n %y = reshape %x : f32[3*N*T]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_reshape, "ones", "(%x: f32[1,N,1,5]) {\n %y = reshape %x : f32[N,1,5,1]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_reshape, "scalar", "(%x: f32[1,1]) {\n %y = reshape %x : f32[]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_permute, "rotate", "(%x: f32[N,T,5]) {\n %y = permute %x {axes=[2,0,1]} : f32[5,N,T]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_permute, "swap", "(%x: f32[N,19,3,5]) {\n %y = permute %x {axes=[0,2,1,3]} : f32[N,3,19,5]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_slice, "start", "(%x: f32[N,T,5]) {\n %y = slice %x {axis=2, start=1} : f32[N,T,3]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_slice, "step", "(%x: f32[N,T,5]) {\n %y = slice %x {axis=1, step=2} : f32[N,(T-1)/2+1,5]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_slice, "beyond", "(%x: f32[N,T,3]) {\n %y = slice %x {axis=1, start=2, step=3} : f32[N,T,3]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_pad, "start", "(%x: f32[N,T,5]) {\n %y = pad %x {axis=1, start=2} : f32[N,T+4,5]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_pad, "last axis", "(%x: f32[N,5]) {\n %y = pad %x {axis=1, start=1, step=3} : f32[N,17]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_pad, "cut", "(%x: f32[N,T]) {\n %y = pad %x {axis=1, start=1, step=2} : f32[N,T]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_concat, "three", "(%x: f32[N,T,2], %z: f32[N,T,3], %w: f32[N,T,1]) {\n %y = concat %x, %z, %w {axis=2} : f32[N,T,6]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_concat, "one", "(%x: f32[N,T]) {\n %y = concat %x {axis=0} : f32[N,T]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_concat, "symbolic before constant", "(%x: f32[N,T], %z: f32[N,2]) {\n %y = concat %x, %z {axis=1} : f32[N,T+2]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_concat, "equal symbolic parts", "(%x: f32[N,5], %z: f32[N,5], %w: f32[N,5]) {\n %y = concat %x, %z, %w {axis=0} : f32[3*N,5]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_flip, "middle", "(%x: f32[N,T,5]) {\n %y = flip %x {axis=1} : f32[N,T,5]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_flip, "last", "(%x: f32[N,37]) {\n %y = flip %x {axis=1} : f32[N,37]\n return y=%y\n}", REAL(-2, 2)},

    {SN_OP_sum, "last", "(%x: f32[N,T,37]) {\n %y = sum %x {axes=[2]} : f32[N,T,1]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_sum, "leading", "(%x: f32[N,T,5,19]) {\n %y = sum %x {axes=[0,1,2]} : f32[1,1,1,19]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_sum, "outer and inner", "(%x: f32[N,T,5]) {\n %y = sum %x {axes=[0,2]} : f32[1,T,1]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_sum, "all", "(%x: f32[N,T]) {\n %y = sum %x {axes=[0,1]} : f32[1,1]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_amax, "last", "(%x: f32[N,37]) {\n %y = amax %x {axis=1} : f32[N,1]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_amax, "middle", "(%x: f32[N,T,5]) {\n %y = amax %x {axis=1} : f32[N,1,5]\n return y=%y\n}", REAL(-2, 2)},
    {SN_OP_argmax, "last with ties", "(%x: f32[N,37]) {\n %y = argmax %x {axis=1} : f32[N,1]\n return y=%y\n}", INTEGER(0, 4)},
    {SN_OP_argmax, "first with ties", "(%x: f32[T,5]) {\n %y = argmax %x {axis=0} : f32[1,5]\n return y=%y\n}", INTEGER(0, 2)},
    {SN_OP_partial_sum, "channels", "(%x: f32[N,T,5,19]) {\n %y = partial_sum %x {outer=1, chunk=3, keep=1} : f32[N*((T-1)/3)+N,19]\n return y=%y\n}", FIXED},
    {SN_OP_partial_sum, "rows", "(%x: f32[T,19]) {\n %y = partial_sum %x {outer=0, chunk=2, keep=1} : f32[(T-1)/2+1,19]\n return y=%y\n}", FIXED},
    {SN_OP_partial_sum, "nothing kept", "(%x: f32[N,T]) {\n %y = partial_sum %x {outer=0, chunk=2, keep=0} : f32[(N-1)/2+1]\n return y=%y\n}", FIXED},

    {SN_OP_contract, "linear", "(%x: f32[N,T,5], %w: f32[5,19]) {\n %y = contract %x, %w {spec=\"n,t,i ; i,o -> n,t,o\"} : f32[N,T,19]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_contract, "temporal", "(%x: f32[N,T,4,3], %w: f32[9,3,5]) {\n %y = contract %x, %w {spec=\"n,t+k-4,v,i ; k,i,o -> n,t,v,o\"} : f32[N,T,4,5]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_contract, "temporal stride 2", "(%x: f32[N,T,4,3], %w: f32[9,3,5]) {\n %y = contract %x, %w {spec=\"n,2t+k-4,v,i ; k,i,o -> n,t,v,o\"} : f32[N,(T-1)/2+1,4,5]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_contract, "temporal dilated", "(%x: f32[N,T,4,3], %w: f32[3,3,5]) {\n %y = contract %x, %w {spec=\"n,t+2k-2,v,i ; k,i,o -> n,t,v,o\"} : f32[N,T,4,5]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_contract, "strided 1x1", "(%x: f32[N,T,4,3], %w: f32[3,5]) {\n %y = contract %x, %w {spec=\"n,2t,v,i ; i,o -> n,t,v,o\"} : f32[N,(T-1)/2+1,4,5]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_contract, "graph product", "(%x: f32[N,T,4,3,5], %a: f32[3,4,4]) {\n %y = contract %x, %a {spec=\"n,t,v,k,c ; k,v,w -> n,t,w,c\"} : f32[N,T,4,5]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_contract, "affinity", "(%x: f32[N,T,4,3], %z: f32[N,T,4,3]) {\n %y = contract %x, %z {spec=\"n,t,v,c ; n,t,w,c -> n,v,w\"} : f32[N,4,4]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_contract, "scatter", "(%x: f32[N,(T-1)/2+1,5], %w: f32[9,3,5]) {\n %y = contract %x, %w {spec=\"n,t,o ; k,i,o -> n,2t+k-4,i\"} : f32[N,T,3]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_contract, "rows against rows", "(%q: f32[R,8], %k: f32[K,8]) {\n %y = contract %q, %k {spec=\"r,d ; k,d -> r,k\"} : f32[R,K]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_contract, "to scalar", "(%x: f32[N,T], %z: f32[N,T]) {\n %y = contract %x, %z {spec=\"n,t ; n,t -> \"} : f32[]\n return y=%y\n}", REAL(-1, 1)},
    {SN_OP_contract, "single loop of one", "(%x: f32[N,1], %z: f32[1,T]) {\n %y = contract %x, %z {spec=\"n,i ; i,t -> n,t\"} : f32[N,T]\n return y=%y\n}", REAL(-1, 1)},

    {SN_OP_queue_nce, "loss", "(%q: f32[R,9], %k: f32[R,9], %queue: f32[K,9]) {\n %all = queue_nce %q, %k, %queue {tau=0.2} : f32[R,10]\n"
                              " %y = slice %all {axis=1} : f32[R,1]\n return y=%y, all=%all\n}", UNIT},
    {SN_OP_queue_nce, "cold", "(%q: f32[R,9], %k: f32[R,9], %queue: f32[K,9]) {\n %all = queue_nce %q, %k, %queue {tau=0.007} : f32[R,10]\n"
                              " %y = slice %all {axis=1} : f32[R,1]\n return y=%y, all=%all\n}", UNIT},
};
const size_t SN_CASES = sizeof SN_CASE / sizeof SN_CASE[0];

/* ---- graphs and inputs -------------------------------------------------------------------------------------------------- */

sn_graph *sn_case_graph(const sn_case *c, sn_diags *diags)
{
    char text[2048];
    const int n = snprintf(text, sizeof text, "graph @case%s", c->text);
    SN_ASSERT(n > 0 && (size_t)n < sizeof text, "case %s is too long", c->name);
    return sn_graph_parse(diags, sn_diags_source(diags, c->name, text, (size_t)n));
}

void sn_case_bind(const sn_graph *g, int64_t symbol[8])
{
    static const struct { const char *name; int64_t extent; } known[] = {{"N", 3}, {"T", 7}, {"R", 5}, {"K", 13}, {"V", 4}};
    SN_ASSERT(g->dims.symbols <= 8, "%u symbols", g->dims.symbols);
    for (uint32_t i = 0; i < g->dims.symbols; i++) {
        symbol[i] = 0;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            if (strcmp(known[k].name, sn_dim_symbol_name(&g->dims, i)) == 0)
                symbol[i] = known[k].extent;
        SN_ASSERT(symbol[i] > 0, "no extent for %s", sn_dim_symbol_name(&g->dims, i));
    }
}

size_t sn_case_count(const sn_graph *g, const sn_type *t)
{
    int64_t symbol[8];
    size_t count = 1;
    sn_case_bind(g, symbol);
    for (uint8_t i = 0; i < t->rank; i++)
        count *= (size_t)sn_dim_eval(&g->dims, t->dim[i], symbol);
    return count;
}

/* Uniform in [0, 1): SplitMix64. */
static double draw(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static void unit_rows(double *data, size_t count, size_t width)
{
    for (size_t r = 0; r + width <= count; r += width) {
        double norm = 0;
        for (size_t i = 0; i < width; i++)
            norm += data[r + i] * data[r + i];
        for (size_t i = 0; i < width; i++)
            data[r + i] = (double)(float)(data[r + i] / sqrt(norm));
    }
}

double **sn_case_inputs(const sn_case *c, const sn_graph *g, uint64_t seed)
{
    double **param = calloc(g->params ? g->params : 1, sizeof *param);
    SN_ASSERT(param, "out of memory");
    for (uint32_t p = 0; p < g->params; p++) {
        const sn_type *t = &g->param[p].type;
        const size_t count = sn_case_count(g, t);
        param[p] = malloc((count ? count : 1) * sizeof **param);
        SN_ASSERT(param[p], "out of memory");
        for (size_t i = 0; i < count; i++) {
            const double u = draw(&seed);
            param[p][i] = c->fill == SN_FILL_INTEGER     ? c->lo + floor(u * (c->hi - c->lo + 1))
                          : c->fill == SN_FILL_UNIT_ROWS ? 2 * u - 1
                                                         : (double)(float)(c->lo + u * (c->hi - c->lo));
        }
        if (c->fill == SN_FILL_UNIT_ROWS)
            unit_rows(param[p], count, (size_t)t->dim[t->rank - 1].v);
    }
    return param;
}

void sn_case_inputs_free(const sn_graph *g, double **param)
{
    for (uint32_t p = 0; p < g->params; p++)
        free(param[p]);
    free(param);
}
