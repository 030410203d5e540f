/* The tables of public implementations' state dictionaries: names and layouts, facts read from their published code.
 * Not what is done with them (weights.c).
 *
 *   st-gcn           yysijie/st-gcn                               221c0e1   net/st_gcn.py
 *   2s-agcn          lshiwjx/2s-AGCN                              953c14f   model/agcn.py
 *   2s-agcn-stride8  line/Skeleton-Temporal-Action-Localization   0a31f5a   model/agcn.py
 *   unik             YangDi666/UNIK                               bf39968   model/backbone_unik.py
 *   hyper-gcn        6UOOON9/Hyper-GCN                            cefe70b   model/hypergcn_base.py, hypergcn_large.py
 *   crossclr         LinguoLi/CrosSCLR                            792b70c   net/skeletonclr.py, crossclr.py, crossclr_3views.py, st_gcn.py
 *   aimclr           Levigty/AimCLR                               6cd7376   net/aimclr.py, st_gcn.py
 *   hiclr            JHang2020/HiCLR                              49ffdf8   net/hiclr.py, st_gcn.py
 *   rvtclr           Zhuysheng/RVTCLR                             68dd7f4   net/skeletonclr.py, st_gcn.py
 */
#include "weights.h"

#include <string.h>

#define COUNT(a) ((uint32_t)(sizeof(a) / sizeof *(a)))
#define GROUP(rules, ...) {rules, COUNT(rules), __VA_ARGS__}
#define BLOCK(b) (1u << ((b) - 1)) /* of the number that publications give it */

/* A layer's tensors. */
#define LAYER(theirs, ours, weight, bias, when) \
    {theirs ".weight", ours ".w", weight, when, SN_WEIGHTS_TENSOR}, {theirs ".bias", ours ".b", bias, when, SN_WEIGHTS_TENSOR}
#define NORM(theirs, ours, axes, when)                                                                                                \
    {theirs ".weight", ours ".gamma", axes, when, SN_WEIGHTS_TENSOR}, {theirs ".bias", ours ".beta", axes, when, SN_WEIGHTS_TENSOR},   \
    {theirs ".running_mean", ours ".running_mean", axes, when, SN_WEIGHTS_TENSOR},                                                    \
    {theirs ".running_var", ours ".running_var", axes, when, SN_WEIGHTS_TENSOR},                                                      \
    {theirs ".num_batches_tracked", NULL, "", when, SN_WEIGHTS_COUNTER}
#define TENSOR(theirs, ours, axes) {theirs, ours, axes, SN_WEIGHTS_ALWAYS, SN_WEIGHTS_TENSOR}
#define LONE(theirs, axes, kind) {theirs, NULL, axes, SN_WEIGHTS_ALWAYS, SN_WEIGHTS_##kind}
#define ALWAYS SN_WEIGHTS_ALWAYS
#define WIDER SN_WEIGHTS_WIDER
#define SHORTCUT SN_WEIGHTS_SHORTCUT


/* ---- ST-GCN ---------------------------------------------------------------------------------------------------------------- */

static const sn_weights_rule stgcn_input[] = {LONE("A", "K V V'", FIXED), NORM("data_bn", "norm", "(V 3) -> V 3", ALWAYS)};

/* HiCLR numbers its importance tensors from 1. */
#define STGCN_BLOCK(importance)                                                                                          \
    TENSOR(importance, "block{1}.importance", "K V V' -> K V V'"),                                                       \
    LAYER("st_gcn_networks.{0}.gcn.conv", "block{1}.conv", "(K o) i 1 1 -> i (K o)", "(K o) -> (K o)", ALWAYS),          \
    NORM("st_gcn_networks.{0}.tcn.0", "block{1}.bn1", "o -> o", ALWAYS),                                                 \
    LAYER("st_gcn_networks.{0}.tcn.2", "block{1}.tcn", "o o' 9 1 -> 9 o' o", "o -> o", ALWAYS),                          \
    NORM("st_gcn_networks.{0}.tcn.3", "block{1}.bn2", "o -> o", ALWAYS),                                                 \
    LAYER("st_gcn_networks.{0}.residual.0", "block{1}.res.conv", "o i 1 1 -> 1 i o", "o -> o", SHORTCUT),                \
    NORM("st_gcn_networks.{0}.residual.1", "block{1}.res.bn", "o -> o", SHORTCUT)
static const sn_weights_rule stgcn_block[] = {STGCN_BLOCK("edge_importance.{0}")}, stgcn_block_from1[] = {STGCN_BLOCK("edge_importance{1}")};

#define STGCN_STRIDED (BLOCK(5) | BLOCK(8))
static const sn_weights_group stgcn[] = {GROUP(stgcn_input, 0, 0, 0, 0), GROUP(stgcn_block, 0, 9, STGCN_STRIDED, BLOCK(1))};
static const sn_weights_group stgcn_from1[] = {GROUP(stgcn_input, 0, 0, 0, 0), GROUP(stgcn_block_from1, 0, 9, STGCN_STRIDED, BLOCK(1))};
static const sn_weights_part  stgcn_parts[] = {{"encoder", "", "", stgcn, COUNT(stgcn), false}};
static const char *const      stgcn_kept[] = {"fcn.*", NULL};

/* ---- 2s-AGCN and UNIK: adaptive graphs, a head each -------------------------------------------------------------------------- */

/* The head count s is that of the block's learned graphs, so they stand first. */
#define ADAPTIVE(spatial, learned, temporal, ours)                                                                                      \
    TENSOR("l{1}." spatial "." learned, ours ".gcn.learned", "s V V' -> s V V'"),                                                      \
    LAYER("l{1}." spatial ".conv_a.{s}", ours ".gcn.theta", "q i 1 1 -> i (s q)", "q -> (s q)", ALWAYS),                                 \
    LAYER("l{1}." spatial ".conv_b.{s}", ours ".gcn.phi", "q i 1 1 -> i (s q)", "q -> (s q)", ALWAYS),                                   \
    LAYER("l{1}." spatial ".conv_d.{s}", ours ".gcn", "o i 1 1 -> s i o", "o -> s o", ALWAYS),                                           \
    NORM("l{1}." spatial ".bn", ours ".gcn.bn", "o -> o", ALWAYS),                                                                       \
    LAYER("l{1}." spatial ".down.0", ours ".gcn.down.conv", "o i 1 1 -> 1 i o", "o -> o", WIDER),                                        \
    NORM("l{1}." spatial ".down.1", ours ".gcn.down.bn", "o -> o", WIDER),                                                               \
    LAYER("l{1}." temporal ".conv", ours ".tcn", "o o' 9 1 -> 9 o' o", "o -> o", ALWAYS),                                                \
    NORM("l{1}." temporal ".bn", ours ".bn", "o -> o", ALWAYS),                                                                          \
    LAYER("l{1}.residual.conv", ours ".res.conv", "o i 1 1 -> 1 i o", "o -> o", SHORTCUT),                                               \
    NORM("l{1}.residual.bn", ours ".res.bn", "o -> o", SHORTCUT)

/* Every person has input statistics of their own: W is joints times persons. */
static const sn_weights_rule persons[] = {NORM("data_bn", "norm", "(W 3) -> W 3", ALWAYS)};

static const sn_weights_rule  agcn_block[] = {ADAPTIVE("gcn1", "PA", "tcn1", "block{1}")};
static const sn_weights_group agcn[] = {GROUP(persons, 0, 0, 0, 0), GROUP(agcn_block, 0, 9, BLOCK(5) | BLOCK(8), BLOCK(1))};
static const sn_weights_part  agcn_parts[] = {{"encoder", "", "", agcn, COUNT(agcn), false}};
static const char *const      agcn_kept[] = {"fc.*", NULL};

/* The variant for localization makes an input norm and does not apply it. */
static const sn_weights_group agcn8[] = {GROUP(agcn_block, 0, 9, BLOCK(2) | BLOCK(5) | BLOCK(8), BLOCK(1))};
static const sn_weights_part  agcn8_parts[] = {{"encoder", "", "", agcn8, COUNT(agcn8), false}};
static const char *const      agcn8_kept[] = {"data_bn.*", "classifier_1.*", "classifier_2.*", NULL};

#define UNIK_BLOCK(ours) ADAPTIVE("s_unit", "DepM", "t_unit", ours), LONE("l{1}.s_unit.bias", "V", UNUSED)
static const sn_weights_rule  unik_first[] = {UNIK_BLOCK("first")}, unik_block[] = {UNIK_BLOCK("block{0}")};
static const sn_weights_group unik[] = {GROUP(persons, 0, 0, 0, 0), GROUP(unik_first, 0, 0, 0, BLOCK(1)),
                                        GROUP(unik_block, 1, 9, BLOCK(5) | BLOCK(8), 0)};
static const sn_weights_part  unik_parts[] = {{"encoder", "", "", unik, COUNT(unik), false}};

/* ---- Hyper-GCN --------------------------------------------------------------------------------------------------------------- */

/* Coordinates are embedded before they are normalised. */
static const sn_weights_rule hyper_input[] = {
    LAYER("to_joint_embedding", "embed", "o 3 -> 3 o", "o -> o", ALWAYS),
    TENSOR("pos_embedding", "position", "1 V o -> V o"),
    NORM("data_bn", "norm", "(W o) -> W o", ALWAYS)};

/* A branch's tensors; e is a quarter of o. */
#define BRANCH(number, ours) \
    LAYER("l{1}.tcn1.branches." number ".0", "l{1}.tcn." ours, "e o 1 1 -> 1 o e", "e -> e", ALWAYS)
#define CONV_BRANCH(number, ours)                                                                                                         \
    BRANCH(number, ours ".narrow"), NORM("l{1}.tcn1.branches." number ".1", "l{1}.tcn." ours ".bn1", "e -> e", ALWAYS),                   \
    LAYER("l{1}.tcn1.branches." number ".3.conv", "l{1}.tcn." ours ".conv", "e e' 5 1 -> 5 e' e", "e -> e", ALWAYS),                      \
    NORM("l{1}.tcn1.branches." number ".3.bn", "l{1}.tcn." ours ".bn2", "e -> e", ALWAYS)

/* g groups; w nodes, joints and virtual ones; h and d a group's channels. */
static const sn_weights_rule hyper_block[] = {
    TENSOR("l{1}.gcn1.hyper_joint", "l{1}.gcn.virtual", "v i -> v i"),
    TENSOR("l{1}.gcn1.edge_importance", "l{1}.gcn.importance", "g w w' -> g w w'"),
    LONE("l{1}.gcn1.PA", "g w w'", FIXED),
    TENSOR("l{1}.gcn1.alpha", "l{1}.gcn.alpha", "1 -> 1"),
    LAYER("l{1}.gcn1.to_V", "l{1}.gcn.incidence.place", "(g h) c 1 -> g c h", "(g h) -> g h", ALWAYS),
    LAYER("l{1}.gcn1.to_W.0", "l{1}.gcn.weight.fc1", "(g h) c 1 -> g c h", "(g h) -> g h", ALWAYS),
    LAYER("l{1}.gcn1.to_W.2", "l{1}.gcn.weight.fc2", "g (g' h) 1 -> (g' h) g", "g -> g", ALWAYS),
    LAYER("l{1}.gcn1.conv_d", "l{1}.gcn.features", "(g d) c 1 1 -> g c d", "(g d) -> g d", ALWAYS),
    NORM("l{1}.gcn1.bn", "l{1}.gcn.bn", "o -> o", ALWAYS),
    LAYER("l{1}.gcn1.down.0", "l{1}.gcn.down.conv", "o i 1 1 -> 1 i o", "o -> o", WIDER),
    NORM("l{1}.gcn1.down.1", "l{1}.gcn.down.bn", "o -> o", WIDER),
    CONV_BRANCH("0", "near"), CONV_BRANCH("1", "far"),
    BRANCH("2", "peak.narrow"), NORM("l{1}.tcn1.branches.2.1", "l{1}.tcn.peak.bn1", "e -> e", ALWAYS),
    NORM("l{1}.tcn1.branches.2.4", "l{1}.tcn.peak.bn2", "e -> e", ALWAYS),
    BRANCH("3", "plain.conv"), NORM("l{1}.tcn1.branches.3.1", "l{1}.tcn.plain.bn", "e -> e", ALWAYS),
    LAYER("l{1}.residual.conv", "l{1}.res.conv", "o i 1 1 -> 1 i o", "o -> o", SHORTCUT),
    NORM("l{1}.residual.bn", "l{1}.res.bn", "o -> o", SHORTCUT)};

static const sn_weights_group hyper[] = {GROUP(hyper_input, 0, 0, 0, 0), GROUP(hyper_block, 0, 8, BLOCK(4) | BLOCK(7), 0)};
static const sn_weights_part  hyper_parts[] = {{"encoder", "", "", hyper, COUNT(hyper), false}};

/* ---- contrastive methods ------------------------------------------------------------------------------------------------------ */

/* Letters that no block has: a head's widths are its own. */
static const sn_weights_rule two_layers[] = {LAYER("fc.0", "fc1", "h h' -> h' h", "h -> h", ALWAYS), LAYER("fc.2", "fc", "n h -> h n", "n -> n", ALWAYS)};
static const sn_weights_rule queue[] = {
    TENSOR("queue@", "queue_global", "n L -> L n"), {"queue_ptr@", "queue_global", "", ALWAYS, SN_WEIGHTS_HEAD}};
static const sn_weights_group head[] = {GROUP(two_layers, 0, 0, 0, 0)}, ring[] = {GROUP(queue, 0, 0, 0, 0)};
static const char *const      dense_term[] = {"q.D.*", "k.D.*", "queue_dense", NULL};

#define ENCODERS(stream, groups)                                                        \
    {"encoder", "encoder_q" stream ".", "q.enc.", groups, COUNT(groups), false},        \
    {"key encoder", "encoder_k" stream ".", "k.enc.", groups, COUNT(groups), true}
#define HEADS(stream)                                                                   \
    {"projection", "encoder_q" stream ".", "q.G.", head, COUNT(head), true},            \
    {"key projection", "encoder_k" stream ".", "k.G.", head, COUNT(head), true}
#define QUEUE {"queue", "", "", ring, COUNT(ring), true}

/* A file for evaluation has a classifier where training had the projection. */
static const sn_weights_part aimclr_parts[] = {ENCODERS("", stgcn), HEADS(""), QUEUE};
static const char *const     aimclr_kept[] = {"encoder_q.fc.*", "encoder_k.fc.*", NULL};

static const sn_weights_part cross_parts[] = {ENCODERS("@", stgcn), HEADS("@"), QUEUE};
static const char *const     cross_kept[] = {"encoder_q@.fc.*", "encoder_k@.fc.*", NULL};
static const char *const     cross_others[] = {"encoder_q@.*", "encoder_k@.*", "queue@", "queue_ptr@", NULL};

static const sn_weights_rule  veil[] = {TENSOR("mask_param", "mask.value", "1 ->")};
static const sn_weights_group mask[] = {GROUP(veil, 0, 0, 0, 0)};
static const sn_weights_part  hiclr_parts[] = {ENCODERS("", stgcn_from1), HEADS(""), QUEUE, {"number that hides joints", "", "", mask, COUNT(mask), true}};

/* fc1 is appearance, fc2 motion; fc stands behind the parts and is read of the query alone, though keys have one. */
static const sn_weights_rule  one_layer[] = {LAYER("", "fc", "n h -> h n", "n -> n", ALWAYS)};
static const sn_weights_rule  part_layers[] = {
    TENSOR("part.se.0.weight", "narrow.w", "h c 1 1 -> c h"), TENSOR("part.se.2.weight", "wide.w", "c h 1 1 -> h c"),
    LAYER("relation.g", "block.g", "h c 1 -> c h", "h -> h", ALWAYS), LAYER("relation.theta", "block.theta", "h c 1 -> c h", "h -> h", ALWAYS),
    LAYER("relation.phi", "block.phi", "h c 1 -> c h", "h -> h", ALWAYS), LAYER("relation.W.0", "block.back", "c h 1 -> h c", "c -> c", ALWAYS),
    NORM("relation.W.1", "block.bn", "c -> c", ALWAYS)};
static const sn_weights_group single[] = {GROUP(one_layer, 0, 0, 0, 0)}, relation[] = {GROUP(part_layers, 0, 0, 0, 0)};
static const sn_weights_part  rvtclr_parts[] = {
    ENCODERS("", stgcn), QUEUE,
    {"projection of appearance", "encoder_q.fc1", "q.G.", single, COUNT(single), true},
    {"key projection of appearance", "encoder_k.fc1", "k.G.", single, COUNT(single), true},
    {"projection of motion", "encoder_q.fc2", "q.M.", single, COUNT(single), true},
    {"key projection of motion", "encoder_k.fc2", "k.M.", single, COUNT(single), true},
    {"part modules", "encoder_q.", "parts.", relation, COUNT(relation), true},
    {"projection of parts", "encoder_q.", "parts.G.", head, COUNT(head), true}};
static const char *const rvtclr_kept[] = {"encoder_q.fc.*", "encoder_k.fc.*", "encoder_k.part.*", "encoder_k.relation.*", NULL};

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

#define ROW(name, about, source, ...) {name, about, source##_parts, COUNT(source##_parts), __VA_ARGS__}
static const sn_weights_source sources[] = {
    ROW("st-gcn", "ST-GCN: models/encoders/stgcn.json", stgcn, stgcn_kept, NULL, NULL),
    ROW("crossclr", "SkeletonCLR or a stream of CrosSCLR: models/recipes/moco_stgcn.json", cross, cross_kept, cross_others, dense_term),
    ROW("aimclr", "AimCLR: models/recipes/aimclr_stgcn.json", aimclr, aimclr_kept, NULL, dense_term),
    ROW("hiclr", "HiCLR: models/recipes/hiclr_stgcn.json", hiclr, aimclr_kept, NULL, dense_term),
    ROW("rvtclr", "RVTCLR: models/recipes/rvtclr_stgcn.json", rvtclr, rvtclr_kept, NULL, dense_term),
    ROW("2s-agcn", "2s-AGCN: models/encoders/agcn.json", agcn, agcn_kept, NULL, NULL),
    ROW("2s-agcn-stride8", "its variant for localization: models/encoders/agcn.json with early=2, normed=0", agcn8, agcn8_kept, NULL, NULL),
    ROW("unik", "UNIK: models/encoders/unik.json", unik, agcn_kept, NULL, NULL),
    ROW("hyper-gcn", "Hyper-GCN: models/encoders/hypergcn.json", hyper, agcn_kept, NULL, NULL),
};

const sn_weights_source *sn_weights_source_at(uint32_t i) { return i < COUNT(sources) ? &sources[i] : NULL; }

const sn_weights_source *sn_weights_source_of(const char *name)
{
    for (uint32_t i = 0; i < COUNT(sources); i++)
        if (strcmp(sources[i].name, name) == 0) return &sources[i];
    return NULL;
}
