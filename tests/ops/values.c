/* The worked examples.
 * Results were computed by hand or with NumPy, never with sinew. */
#include "values.h"

#define X23 " %x = const {1, 2, 3, 4, 5, 6} : f32[2,3]\n"
#define LINE " %x = const {-2, -0.5, 0, 0.5, 2} : f32[5]\n"

const sn_example SN_EXAMPLE[] = {
    {SN_OP_param, " weight $w : f32[2] = constant(3)\n %y = param $w : f32[2]\n %want = const {3, 3} : f32[2]\n"},
    {SN_OP_const, X23 " %y = add %x, %x : f32[2,3]\n %want = const {2, 4, 6, 8, 10, 12} : f32[2,3]\n"},
    {SN_OP_fill, " %y = fill {value=0.25} : f32[2]\n %want = const {0.25, 0.25} : f32[2]\n"},
    {SN_OP_extent, " %y = extent {dim=7/2*4} : f32[]\n %want = const {12} : f32[]\n"},
    {SN_OP_iota, " %y = iota {axis=0} : f32[3,2]\n %want = const {0, 0, 1, 1, 2, 2} : f32[3,2]\n"},
    {SN_OP_iota, " %y = iota {axis=1} : f32[3,2]\n %want = const {0, 1, 0, 1, 0, 1} : f32[3,2]\n"},
    /* The keyed hash of codegen/random.c, seed 1, step 0, stream 2, by another program: 0.4923 0.0462 0.7642 0.5771 0.8091 0.7024 */
    {SN_OP_uniform, " %u = uniform {stream=2} : f32[2,3]\n %d = const {0.4923, 0.0462, 0.7642, 0.5771, 0.8091, 0.7024} : f32[2,3]\n"
                    " %e = sub %u, %d : f32[2,3]\n %a = abs %e : f32[2,3]\n %t = const {0.00005} : f32[]\n %y = greater %t, %a : f32[2,3]\n"
                    " %want = const {1, 1, 1, 1, 1, 1} : f32[2,3]\n"},
    {SN_OP_bernoulli, " %y = bernoulli {p=0.625, stream=2} : f32[2,3]\n %want = const {1, 1, 0, 1, 0, 0} : f32[2,3]\n"},
    {SN_OP_bernoulli, " %y = bernoulli {p=1, stream=2} : f32[3]\n %want = const {1, 1, 1} : f32[3]\n"},
    {SN_OP_bernoulli, " %y = bernoulli {p=0, stream=2} : f32[3]\n %want = const {0, 0, 0} : f32[3]\n"},
    {SN_OP_pool_matrix, " %y = pool_matrix : f32[2,3]\n %want = const {0.5, 0.5, 0, 0, 0.5, 0.5} : f32[2,3]\n"},
    {SN_OP_pool_matrix, " %y = pool_matrix : f32[3,2]\n %want = const {1, 0, 0.5, 0.5, 0, 1} : f32[3,2]\n"},
    {SN_OP_interp_matrix, " %y = interp_matrix {corners=1} : f32[3,2]\n %want = const {1, 0, 0.5, 0.5, 0, 1} : f32[3,2]\n"},
    {SN_OP_interp_matrix, " %y = interp_matrix : f32[4,2]\n %want = const {1, 0, 0.75, 0.25, 0.25, 0.75, 0, 1} : f32[4,2]\n"},
    {SN_OP_interp_matrix, " %y = interp_matrix : f32[2,4]\n %want = const {0.5, 0.5, 0, 0, 0, 0, 0.5, 0.5} : f32[2,4]\n"},
    {SN_OP_interp_matrix, " %y = interp_matrix {corners=1} : f32[1,3]\n %want = const {1, 0, 0} : f32[1,3]\n"},

    {SN_OP_add, X23 " %z = const {10, 20} : f32[2,1]\n %y = add %x, %z : f32[2,3]\n %want = const {11, 12, 13, 24, 25, 26} : f32[2,3]\n"},
    {SN_OP_sub, X23 " %z = const {1, 2, 4} : f32[3]\n %y = sub %x, %z : f32[2,3]\n %want = const {0, 0, -1, 3, 3, 2} : f32[2,3]\n"},
    {SN_OP_mul, X23 " %z = const {-2} : f32[]\n %y = mul %x, %z : f32[2,3]\n %want = const {-2, -4, -6, -8, -10, -12} : f32[2,3]\n"},
    {SN_OP_div, X23 " %z = const {4} : f32[1]\n %y = div %x, %z : f32[2,3]\n %want = const {0.25, 0.5, 0.75, 1, 1.25, 1.5} : f32[2,3]\n"},
    {SN_OP_max, LINE " %z = const {0.25} : f32[]\n %y = max %x, %z : f32[5]\n %want = const {0.25, 0.25, 0.25, 0.5, 2} : f32[5]\n"},
    {SN_OP_min, LINE " %z = const {0.25} : f32[]\n %y = min %x, %z : f32[5]\n %want = const {-2, -0.5, 0, 0.25, 0.25} : f32[5]\n"},
    {SN_OP_greater, LINE " %z = const {0} : f32[]\n %y = greater %x, %z : f32[5]\n %want = const {0, 0, 0, 1, 1} : f32[5]\n"},
    {SN_OP_equal, LINE " %z = const {0} : f32[]\n %y = equal %x, %z : f32[5]\n %want = const {0, 0, 1, 0, 0} : f32[5]\n"},
    {SN_OP_select, LINE " %z = const {9} : f32[]\n %y = select %x, %x, %z : f32[5]\n %want = const {-2, -0.5, 9, 0.5, 2} : f32[5]\n"},
    {SN_OP_neg, LINE " %y = neg %x : f32[5]\n %want = const {2, 0.5, 0, -0.5, -2} : f32[5]\n"},
    {SN_OP_abs, LINE " %y = abs %x : f32[5]\n %want = const {2, 0.5, 0, 0.5, 2} : f32[5]\n"},
    {SN_OP_exp, LINE " %y = exp %x : f32[5]\n %want = const {0.1353352832, 0.6065306597, 1, 1.6487212707, 7.3890560989} : f32[5]\n"},
    {SN_OP_log, X23 " %y = log %x : f32[2,3]\n %want = const {0, 0.6931471806, 1.0986122887, 1.3862943611, 1.6094379124, 1.7917594692} : f32[2,3]\n"},
    {SN_OP_sqrt, X23 " %y = sqrt %x : f32[2,3]\n %want = const {1, 1.4142135624, 1.7320508076, 2, 2.2360679775, 2.4494897428} : f32[2,3]\n"},
    {SN_OP_tanh, LINE " %y = tanh %x : f32[5]\n %want = const {-0.9640275801, -0.4621171573, 0, 0.4621171573, 0.9640275801} : f32[5]\n"},
    {SN_OP_sigmoid, LINE " %y = sigmoid %x : f32[5]\n %want = const {0.1192029220, 0.3775406688, 0.5, 0.6224593312, 0.8807970780} : f32[5]\n"},
    {SN_OP_sigmoid, " %x = const {-1000, 1000} : f32[2]\n %y = sigmoid %x : f32[2]\n %want = const {0, 1} : f32[2]\n"},
    {SN_OP_relu, LINE " %y = relu %x : f32[5]\n %want = const {0, 0, 0, 0.5, 2} : f32[5]\n"},
    {SN_OP_leaky_relu, LINE " %y = leaky_relu %x {value=0.5} : f32[5]\n %want = const {-1, -0.25, 0, 0.5, 2} : f32[5]\n"},
    {SN_OP_stop, LINE " %y = stop %x : f32[5]\n %want = const {-2, -0.5, 0, 0.5, 2} : f32[5]\n"},

    {SN_OP_broadcast, " %x = const {1, 2} : f32[2,1]\n %y = broadcast %x : f32[2,2,2]\n %want = const {1, 1, 2, 2, 1, 1, 2, 2} : f32[2,2,2]\n"},
    {SN_OP_reshape, X23 " %y = reshape %x : f32[3,1,2]\n %want = const {1, 2, 3, 4, 5, 6} : f32[3,1,2]\n"},
    {SN_OP_permute, X23 " %y = permute %x {axes=[1,0]} : f32[3,2]\n %want = const {1, 4, 2, 5, 3, 6} : f32[3,2]\n"},
    {SN_OP_slice, X23 " %y = slice %x {axis=1, step=2} : f32[2,2]\n %want = const {1, 3, 4, 6} : f32[2,2]\n"},
    {SN_OP_pad, " %x = const {1, 2} : f32[2]\n %y = pad %x {axis=0, start=1, step=2} : f32[5]\n %want = const {0, 1, 0, 2, 0} : f32[5]\n"},
    {SN_OP_concat, X23 " %z = const {7, 8} : f32[2,1]\n %y = concat %z, %x {axis=1} : f32[2,4]\n %want = const {7, 1, 2, 3, 8, 4, 5, 6} : f32[2,4]\n"},
    {SN_OP_flip, X23 " %y = flip %x {axis=1} : f32[2,3]\n %want = const {3, 2, 1, 6, 5, 4} : f32[2,3]\n"},

    {SN_OP_sum, X23 " %y = sum %x {axes=[0]} : f32[1,3]\n %want = const {5, 7, 9} : f32[1,3]\n"},
    {SN_OP_amax, X23 " %y = amax %x {axis=1} : f32[2,1]\n %want = const {3, 6} : f32[2,1]\n"},
    {SN_OP_argmax, " %x = const {1, 3, 3, 2, 0, 1} : f32[2,3]\n %y = argmax %x {axis=1} : f32[2,1]\n %want = const {1, 0} : f32[2,1]\n"},
    {SN_OP_partial_sum, " %i = iota {axis=0} : f32[5,2]\n %y = partial_sum %i {outer=0, chunk=2, keep=1} : f32[3,2]\n %want = const {1, 1, 5, 5, 4, 4} : f32[3,2]\n"},
    {SN_OP_partial_sum, X23 " %y = partial_sum %x {outer=1, chunk=2, keep=0} : f32[4]\n %want = const {3, 3, 9, 6} : f32[4]\n"},

    {SN_OP_contract, X23 " %w = const {1, 0, 0, 1, 1, 1} : f32[3,2]\n %y = contract %x, %w {spec=\"a,i ; i,o -> a,o\"} : f32[2,2]\n %want = const {4, 5, 10, 11} : f32[2,2]\n"},
    {SN_OP_contract, " %x = const {1, 2, 3, 4, 5} : f32[5]\n %w = const {1, 10, 100} : f32[3]\n %y = contract %x, %w {spec=\"2t+k-1 ; k -> t\"} : f32[3]\n"
                     " %want = const {210, 432, 54} : f32[3]\n"},
    /* logits (1, 0, 1) / 0.5 = 2, 0, 2: loss = log(2 e^2 + 1) - 2; with p = softmax: gradient ((p0 - 1) k + p1 q1 + p2 q2) / 0.5 */
    {SN_OP_queue_nce, " %q = const {1, 0} : f32[1,2]\n %n = const {0, 1, 1, 0} : f32[2,2]\n %y = queue_nce %q, %q, %n {tau=0.5} : f32[1,3]\n"
                      " %want = const {0.7586237, -0.1267579, 0.1267579} : f32[1,3]\n"},
};
const size_t SN_EXAMPLES = sizeof SN_EXAMPLE / sizeof SN_EXAMPLE[0];
