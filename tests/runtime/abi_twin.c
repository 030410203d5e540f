/* A hand-written compiled program in the form code generation emits: kernels over tiles, then tables.
 * Not a reference implementation of anything; the interface's documentation, kept true by running. */
#include "abi_twin.h"

/* ---- dims: entry ~v of this table is written D(v) ---- */
enum { DIM_N, DIM_T, DIM_N_PLUS_3, DIM_TILES, DIM_NT, DIM_XQ, DIM_Q, DIM_VIEW, DIM_PART_W, DIM_PART_B, DIM_MACS, DIMS };
#define D(entry) (~(int64_t)(entry))
static const sn_abi_dim_entry dims[DIMS] = {
    [DIM_N] = {SN_ABI_DIM_SYMBOL, 0, 0},
    [DIM_T] = {SN_ABI_DIM_SYMBOL, 1, 0},
    [DIM_N_PLUS_3] = {SN_ABI_DIM_ADD, D(DIM_N), TWIN_ROWS - 1},
    [DIM_TILES] = {SN_ABI_DIM_DIV, D(DIM_N_PLUS_3), TWIN_ROWS},
    [DIM_NT] = {SN_ABI_DIM_MUL, D(DIM_N), D(DIM_T)},
    [DIM_XQ] = {SN_ABI_DIM_MUL, D(DIM_N), TWIN_IN},
    [DIM_Q] = {SN_ABI_DIM_MUL, D(DIM_N), TWIN_OUT},
    [DIM_VIEW] = {SN_ABI_DIM_MUL, D(DIM_NT), TWIN_IN},
    [DIM_PART_W] = {SN_ABI_DIM_MUL, D(DIM_TILES), TWIN_IN * TWIN_OUT},
    [DIM_PART_B] = {SN_ABI_DIM_MUL, D(DIM_TILES), TWIN_OUT},
    [DIM_MACS] = {SN_ABI_DIM_MUL, D(DIM_XQ), TWIN_OUT},
};

/* ---- buffers ---- */
enum { B_VIEW_Q, B_VIEW_K, B_W, B_BIAS, B_COPY, B_QUEUE, B_AVERAGE, B_XQ, B_XK, B_Q, B_K, B_Q_ROWS, B_CENTRE, B_DIFF, B_PART_LOSS, B_PART_W,
       B_PART_B, B_LOSS, B_GRAD_W, B_GRAD_BIAS, B_NEXT_AVERAGE, B_DECAY, BUFFERS };
enum { C_POOL, C_PROJECT_Q, C_PROJECT_K, C_CENTRE, C_DIFF, C_LOSS, C_PART_W, C_GRAD_W, C_AVERAGE, CALLS };
static const float decay[2] = {0.9f, 0.1f};
static const sn_abi_buffer buffers[BUFFERS] = {
    [B_VIEW_Q] = {SN_ABI_PARAM, TWIN_VIEW_Q, 0, D(DIM_VIEW), 0, 0},
    [B_VIEW_K] = {SN_ABI_PARAM, TWIN_VIEW_K, 0, D(DIM_VIEW), 0, 0},
    [B_W] = {SN_ABI_PARAM, TWIN_W, 0, TWIN_IN * TWIN_OUT, 0, 0},
    [B_BIAS] = {SN_ABI_PARAM, TWIN_BIAS, 0, TWIN_OUT, 0, 0},
    [B_COPY] = {SN_ABI_PARAM, TWIN_COPY, 0, TWIN_IN * TWIN_OUT, 0, 0},
    [B_QUEUE] = {SN_ABI_PARAM, TWIN_QUEUE_STATE, 0, TWIN_QUEUE * TWIN_OUT, 0, 0},
    [B_AVERAGE] = {SN_ABI_PARAM, TWIN_AVERAGE, 0, TWIN_OUT, 0, 0},
    [B_XQ] = {SN_ABI_SLAB, 0, 0, D(DIM_XQ), C_POOL, C_PART_W},
    [B_XK] = {SN_ABI_SLAB, 0, 0, D(DIM_XQ), C_POOL, C_PROJECT_K},
    [B_Q] = {SN_ABI_SLAB, 0, 0, D(DIM_Q), C_PROJECT_Q, C_DIFF},
    [B_K] = {SN_ABI_SLAB, 0, 0, D(DIM_Q), C_PROJECT_K, CALLS - 1},
    [B_Q_ROWS] = {SN_ABI_ALIAS, B_Q, 0, D(DIM_Q), C_PROJECT_Q, C_AVERAGE},
    [B_CENTRE] = {SN_ABI_SLAB, 0, 0, TWIN_OUT, C_CENTRE, C_DIFF},
    [B_DIFF] = {SN_ABI_SLAB, 0, 0, D(DIM_Q), C_DIFF, C_PART_W},
    [B_PART_LOSS] = {SN_ABI_SLAB, 0, 0, D(DIM_TILES), C_DIFF, C_LOSS},
    [B_PART_W] = {SN_ABI_SLAB, 0, 0, D(DIM_PART_W), C_PART_W, C_GRAD_W},
    [B_PART_B] = {SN_ABI_SLAB, 0, 0, D(DIM_PART_B), C_PART_W, C_GRAD_W},
    [B_LOSS] = {SN_ABI_OUTPUT, TWIN_LOSS, 0, 1, C_LOSS, CALLS - 1},
    [B_GRAD_W] = {SN_ABI_OUTPUT, TWIN_GRAD_W, 0, TWIN_IN * TWIN_OUT, C_GRAD_W, CALLS - 1},
    [B_GRAD_BIAS] = {SN_ABI_OUTPUT, TWIN_GRAD_BIAS, 0, TWIN_OUT, C_GRAD_W, CALLS - 1},
    [B_NEXT_AVERAGE] = {SN_ABI_SLAB, 0, 0, TWIN_OUT, C_AVERAGE, C_AVERAGE},
    [B_DECAY] = {SN_ABI_CONST, 0, decay, 2, 0, 0},
};

/* ---- kernels: arg[] in the order of the call's list below; dim[] likewise ---- */

static int64_t rows_end(int64_t tile, int64_t N) { return (tile + 1) * TWIN_ROWS < N ? (tile + 1) * TWIN_ROWS : N; }

static float noise(uint64_t seed, uint64_t step, int64_t n)
{
    uint64_t x = seed * 0x9E3779B97F4A7C15u + step * 0xBF58476D1CE4E5B9u + (uint64_t)n;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return (float)(x >> 40) * 0x1p-26f; /* [0, 0.25) */
}

static void pool(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    int64_t N = a->dim[0], T = a->dim[1];
    float  *sum = scratch;
    for (int64_t tile = begin; tile < end; tile++)
        for (int64_t n = tile * TWIN_ROWS; n < rows_end(tile, N); n++)
            for (int view = 0; view < 2; view++) {
                for (int i = 0; i < TWIN_IN; i++) sum[i] = 0;
                for (int64_t t = 0; t < T; t++)
                    for (int i = 0; i < TWIN_IN; i++) sum[i] += a->arg[view][(n * T + t) * TWIN_IN + i];
                float factor = (view == 0 ? 1 + noise(a->seed, a->step, n) : 1) / (float)T;
                for (int i = 0; i < TWIN_IN; i++) a->arg[2 + view][n * TWIN_IN + i] = sum[i] * factor;
            }
}

static void project(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    (void)scratch;
    for (int64_t tile = begin; tile < end; tile++)
        for (int64_t n = tile * TWIN_ROWS; n < rows_end(tile, a->dim[0]); n++)
            for (int o = 0; o < TWIN_OUT; o++) {
                float sum = 0;
                for (int i = 0; i < TWIN_IN; i++) sum += a->arg[0][n * TWIN_IN + i] * a->arg[1][i * TWIN_OUT + o];
                a->arg[2][n * TWIN_OUT + o] = sum;
            }
}

static void centre(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    (void)scratch;
    for (int64_t o = begin; o < end; o++) {
        float sum = 0;
        for (int r = 0; r < TWIN_QUEUE; r++) sum += a->arg[0][r * TWIN_OUT + o];
        a->arg[2][o] = sum / TWIN_QUEUE - a->arg[1][o];
    }
}

static void diff(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    (void)scratch;
    int64_t N = a->dim[0];
    for (int64_t tile = begin; tile < end; tile++) {
        float loss = 0;
        for (int64_t n = tile * TWIN_ROWS; n < rows_end(tile, N); n++)
            for (int o = 0; o < TWIN_OUT; o++) {
                float d = (a->arg[0][n * TWIN_OUT + o] - a->arg[1][n * TWIN_OUT + o] - a->arg[2][o]) / (float)N;
                a->arg[3][n * TWIN_OUT + o] = d;
                loss += 0.5f * (float)N * d * d;
            }
        a->arg[4][tile] = loss;
    }
}

static void sum_loss(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    (void)begin, (void)end, (void)scratch;
    float sum = 0;
    for (int64_t tile = 0; tile < a->dim[0]; tile++) sum += a->arg[0][tile];
    a->arg[1][0] = sum;
}

static void partial_grad(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    (void)scratch;
    for (int64_t tile = begin; tile < end; tile++)
        for (int o = 0; o < TWIN_OUT; o++) {
            float bias = 0;
            for (int64_t n = tile * TWIN_ROWS; n < rows_end(tile, a->dim[0]); n++) bias += a->arg[1][n * TWIN_OUT + o];
            a->arg[3][tile * TWIN_OUT + o] = bias;
            for (int i = 0; i < TWIN_IN; i++) {
                float sum = 0;
                for (int64_t n = tile * TWIN_ROWS; n < rows_end(tile, a->dim[0]); n++)
                    sum += a->arg[0][n * TWIN_IN + i] * a->arg[1][n * TWIN_OUT + o];
                a->arg[2][tile * TWIN_IN * TWIN_OUT + i * TWIN_OUT + o] = sum;
            }
        }
}

/* Tile = one input coordinate; the last tile adds up the bias. */
static void grad(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    (void)scratch;
    for (int64_t i = begin; i < end; i++)
        for (int o = 0; o < TWIN_OUT; o++) {
            float sum = 0;
            for (int64_t tile = 0; tile < a->dim[0]; tile++)
                sum += i < TWIN_IN ? a->arg[0][tile * TWIN_IN * TWIN_OUT + i * TWIN_OUT + o] : a->arg[1][tile * TWIN_OUT + o];
            if (i < TWIN_IN) a->arg[2][i * TWIN_OUT + o] = sum;
            else a->arg[3][o] = sum;
        }
}

static void average(const sn_abi_args *a, int64_t begin, int64_t end, void *scratch)
{
    (void)scratch;
    for (int64_t o = begin; o < end; o++) {
        float sum = 0;
        for (int64_t n = 0; n < a->dim[0]; n++) sum += a->arg[0][n * TWIN_OUT + o];
        a->arg[3][o] = a->arg[2][0] * a->arg[1][o] + a->arg[2][1] * (sum / (float)a->dim[0]);
    }
}

/* ---- calls ---- */
#define LIST(...) ((const uint32_t[]){__VA_ARGS__}), sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t)
static const int64_t d_n[] = {D(DIM_N)}, d_nt[] = {D(DIM_N), D(DIM_T)}, d_tiles[] = {D(DIM_TILES)};
static const sn_abi_call calls[CALLS] = {
    [C_POOL] = {pool, "pool", "twin.json:3", LIST(B_VIEW_Q, B_VIEW_K, B_XQ, B_XK), 2, d_nt, 2, D(DIM_TILES), TWIN_IN * 4, 0},
    [C_PROJECT_Q] = {project, "q", "twin.json:4", LIST(B_XQ, B_W, B_Q), 2, d_n, 1, D(DIM_TILES), 0, D(DIM_MACS)},
    [C_PROJECT_K] = {project, "k", "twin.json:5", LIST(B_XK, B_COPY, B_K), 2, d_n, 1, D(DIM_TILES), 0, D(DIM_MACS)},
    [C_CENTRE] = {centre, "centre", "", LIST(B_QUEUE, B_BIAS, B_CENTRE), 2, 0, 0, TWIN_OUT, 0, 0},
    [C_DIFF] = {diff, "diff", "twin.json:6", LIST(B_Q, B_K, B_CENTRE, B_DIFF, B_PART_LOSS), 3, d_n, 1, D(DIM_TILES), 0, 0},
    [C_LOSS] = {sum_loss, "loss", "twin.json:7", LIST(B_PART_LOSS, B_LOSS), 1, d_tiles, 1, 1, 0, 0},
    [C_PART_W] = {partial_grad, "q.dw", "twin.json:4", LIST(B_XQ, B_DIFF, B_PART_W, B_PART_B), 2, d_n, 1, D(DIM_TILES), 0, D(DIM_MACS)},
    [C_GRAD_W] = {grad, "q.dw.sum", "twin.json:4", LIST(B_PART_W, B_PART_B, B_GRAD_W, B_GRAD_BIAS), 2, d_tiles, 1, TWIN_IN + 1, 0, 0},
    [C_AVERAGE] = {average, "average", "", LIST(B_Q_ROWS, B_AVERAGE, B_DECAY, B_NEXT_AVERAGE), 3, d_n, 1, TWIN_OUT, 0, 0},
};

/* ---- faces ---- */
#define VIEW_TYPE {4, {D(DIM_N), D(DIM_T), 25, 3}}
#define W_TYPE {2, {TWIN_IN, TWIN_OUT}}
static const sn_abi_param params[TWIN_PARAMS] = {
    [TWIN_VIEW_Q] = {"view_q", SN_ABI_INPUT, 0, 0, 0, 0, 0, VIEW_TYPE},
    [TWIN_VIEW_K] = {"view_k", SN_ABI_INPUT, 0, 0, 0, 0, 0, VIEW_TYPE},
    [TWIN_W] = {"q.w", SN_ABI_WEIGHT, SN_ABI_NORMAL, 0, 0.02, 0, 0, W_TYPE},
    [TWIN_BIAS] = {"q.bias", SN_ABI_WEIGHT, SN_ABI_CONSTANT, 0.5, 0, 0, 0, {1, {TWIN_OUT}}},
    [TWIN_SCALE] = {"q.scale", SN_ABI_WEIGHT, SN_ABI_UNIFORM, -1, 1, 0, 0, {1, {3}}},
    [TWIN_COPY] = {"k.w", SN_ABI_COPY, SN_ABI_SAME, 0, 0, TWIN_W, 0.99, W_TYPE},
    [TWIN_QUEUE_STATE] = {"queue", SN_ABI_STATE, SN_ABI_UNIT_ROWS, 0, 0, 0, 0, {2, {TWIN_QUEUE, TWIN_OUT}}},
    [TWIN_AVERAGE] = {"average", SN_ABI_STATE, SN_ABI_CONSTANT, 0, 0, 0, 0, {1, {TWIN_OUT}}},
};
static const sn_abi_output outputs[TWIN_OUTPUTS] = {
    [TWIN_LOSS] = {"loss", B_LOSS, {0, {0}}, -1},
    [TWIN_GRAD_W] = {"grad.q.w", B_GRAD_W, W_TYPE, TWIN_W},
    [TWIN_GRAD_BIAS] = {"grad.q.bias", B_GRAD_BIAS, {1, {TWIN_OUT}}, TWIN_BIAS},
    [TWIN_FEATURES] = {"features", B_Q_ROWS, {2, {D(DIM_N), TWIN_OUT}}, -1}, /* lies in the slab: the runtime copies it out */
};
static const sn_abi_update updates[] = {{SN_ABI_ASSIGN, TWIN_AVERAGE, B_NEXT_AVERAGE}, {SN_ABI_ENQUEUE, TWIN_QUEUE_STATE, B_K}};
static const char *const symbols[] = {"N", "T"};

static const sn_abi_program program = {
    SN_ABI_VERSION, 2, DIMS, CALLS, BUFFERS, TWIN_PARAMS, TWIN_OUTPUTS, 2, symbols, dims, calls, buffers, params, outputs, updates,
};

const sn_abi_program *twin_program(void) { return &program; }
