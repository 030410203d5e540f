/* The tables of public implementations' state dictionaries: names and layouts, facts read from their published code.
 * Not what is done with them (weights.c).
 *
 *   st-gcn           yysijie/st-gcn                               221c0e1   net/st_gcn.py
 *   2s-agcn          lshiwjx/2s-AGCN                              953c14f   model/agcn.py
 *   2s-agcn-stride8  line/Skeleton-Temporal-Action-Localization   0a31f5a   model/agcn.py
 *   unik             YangDi666/UNIK                               bf39968   model/backbone_unik.py
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
#define ALWAYS SN_WEIGHTS_ALWAYS
#define WIDER SN_WEIGHTS_WIDER
#define SHORTCUT SN_WEIGHTS_SHORTCUT


/* ---- ST-GCN ---------------------------------------------------------------------------------------------------------------- */

static const sn_weights_rule coordinates[] = {NORM("data_bn", "norm", "(V 3) -> V 3", ALWAYS)};

static const sn_weights_rule stgcn_block[] = {
    {"edge_importance.{0}", "block{1}.importance", "K V V' -> K V V'", ALWAYS, SN_WEIGHTS_TENSOR},
    LAYER("st_gcn_networks.{0}.gcn.conv", "block{1}.conv", "(K o) i 1 1 -> i (K o)", "(K o) -> (K o)", ALWAYS),
    NORM("st_gcn_networks.{0}.tcn.0", "block{1}.bn1", "o -> o", ALWAYS),
    LAYER("st_gcn_networks.{0}.tcn.2", "block{1}.tcn", "o o' 9 1 -> 9 o' o", "o -> o", ALWAYS),
    NORM("st_gcn_networks.{0}.tcn.3", "block{1}.bn2", "o -> o", ALWAYS),
    LAYER("st_gcn_networks.{0}.residual.0", "block{1}.res.conv", "o i 1 1 -> 1 i o", "o -> o", SHORTCUT),
    NORM("st_gcn_networks.{0}.residual.1", "block{1}.res.bn", "o -> o", SHORTCUT)};

static const sn_weights_group stgcn[] = {GROUP(coordinates, 0, 0, 0, 0), GROUP(stgcn_block, 0, 9, BLOCK(5) | BLOCK(8), BLOCK(1))};
static const sn_weights_part  stgcn_parts[] = {{"encoder", "", "", stgcn, COUNT(stgcn), false}};
static const char *const      stgcn_kept[] = {"A", "fcn.*", NULL};

/* ---- 2s-AGCN and UNIK: adaptive graphs, a head each -------------------------------------------------------------------------- */

/* The head count s is that of the block's learned graphs, so they stand first. */
#define ADAPTIVE(spatial, learned, temporal, ours)                                                                                      \
    {"l{1}." spatial "." learned, ours ".gcn.learned", "s V V' -> s V V'", ALWAYS, SN_WEIGHTS_TENSOR},                                   \
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

#define UNIK_BLOCK(ours) ADAPTIVE("s_unit", "DepM", "t_unit", ours), {"l{1}.s_unit.bias", NULL, "V", ALWAYS, SN_WEIGHTS_UNUSED}
static const sn_weights_rule  unik_first[] = {UNIK_BLOCK("first")}, unik_block[] = {UNIK_BLOCK("block{0}")};
static const sn_weights_group unik[] = {GROUP(persons, 0, 0, 0, 0), GROUP(unik_first, 0, 0, 0, BLOCK(1)),
                                        GROUP(unik_block, 1, 9, BLOCK(5) | BLOCK(8), 0)};
static const sn_weights_part  unik_parts[] = {{"encoder", "", "", unik, COUNT(unik), false}};

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

static const sn_weights_source sources[] = {
    {"st-gcn", "ST-GCN: models/encoders/stgcn.json", stgcn_parts, COUNT(stgcn_parts), stgcn_kept, NULL},
    {"2s-agcn", "2s-AGCN: models/encoders/agcn.json", agcn_parts, COUNT(agcn_parts), agcn_kept, NULL},
    {"2s-agcn-stride8", "its variant for localization: models/encoders/agcn.json with early=2, normed=0", agcn8_parts, COUNT(agcn8_parts), agcn8_kept, NULL},
    {"unik", "UNIK: models/encoders/unik.json", unik_parts, COUNT(unik_parts), agcn_kept, NULL},
};

const sn_weights_source *sn_weights_source_at(uint32_t i) { return i < COUNT(sources) ? &sources[i] : NULL; }

const sn_weights_source *sn_weights_source_of(const char *name)
{
    for (uint32_t i = 0; i < COUNT(sources); i++)
        if (strcmp(sources[i].name, name) == 0) return &sources[i];
    return NULL;
}
