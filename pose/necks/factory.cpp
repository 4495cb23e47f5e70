#include "pose/core/factory.h"

#include "pose/necks/channel_mapper.h"
#include "pose/necks/fpn.h"
#include "pose/necks/hybrid_encoder.h"
#include "pose/necks/pafpn.h"
#include "pose/necks/pose_warper.h"
#include "pose/necks/simple.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Neck> (*)(const Config&, const Scope&);

constexpr FactoryRow<Make> kNecks[] = {
    {"CSPNeXtPAFPN", make_cspnext_pafpn},
    {"ChannelMapper", make_channel_mapper},
    {"FPN", make_fpn},
    {"FeatureMapProcessor", make_feature_map_processor},
    {"GlobalAveragePooling", make_global_average_pooling},
    {"HybridEncoder", make_hybrid_encoder},
    {"PoseWarperNeck", make_pose_warper},
    {"YOLOXPAFPN", make_yolox_pafpn},
};

}  // namespace

std::unique_ptr<Neck> make_neck(const Config& config, const Scope& scope) {
  return make_by_type(kNecks, config, "neck", scope);
}

}  // namespace limber
