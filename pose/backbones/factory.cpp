#include "pose/core/factory.h"

#include "pose/backbones/alexnet.h"
#include "pose/backbones/cpm.h"
#include "pose/backbones/cspnext.h"
#include "pose/backbones/dstformer.h"
#include "pose/backbones/hourglass.h"
#include "pose/backbones/hrformer.h"
#include "pose/backbones/hrnet.h"
#include "pose/backbones/litehrnet.h"
#include "pose/backbones/mobilenet_v2.h"
#include "pose/backbones/mobilenet_v3.h"
#include "pose/backbones/multi_stage.h"
#include "pose/backbones/pvt.h"
#include "pose/backbones/regnet.h"
#include "pose/backbones/resnest.h"
#include "pose/backbones/resnet.h"
#include "pose/backbones/resnext.h"
#include "pose/backbones/rsn.h"
#include "pose/backbones/scnet.h"
#include "pose/backbones/seresnet.h"
#include "pose/backbones/shufflenet.h"
#include "pose/backbones/swin.h"
#include "pose/backbones/tcn.h"
#include "pose/backbones/v2v_net.h"
#include "pose/backbones/vgg.h"
#include "pose/backbones/vipnas.h"
#include "pose/backbones/vision_transformer.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Backbone> (*)(const Config&, const Scope&);

constexpr FactoryRow<Make> kBackbones[] = {
    {"AlexNet", make_alexnet},
    {"CPM", make_cpm},
    {"CSPDarknet", make_csp_darknet},
    {"CSPNeXt", make_cspnext},
    {"DSTFormer", make_dstformer},
    {"HRFormer", make_hrformer},
    {"HRNet", make_hrnet},
    {"HourglassAENet", make_hourglass_ae},
    {"HourglassNet", make_hourglass},
    {"LiteHRNet", make_litehrnet},
    {"MSPN", make_mspn},
    {"MobileNetV2", make_mobilenet_v2},
    {"MobileNetV3", make_mobilenet_v3},
    {"PyramidVisionTransformer", make_pvt},
    {"PyramidVisionTransformerV2", make_pvt_v2},
    {"RSN", make_rsn},
    {"RegNet", make_regnet},
    {"ResNeSt", make_resnest},
    {"ResNeXt", make_resnext},
    {"ResNet", make_resnet},
    {"ResNetV1d", make_resnet_v1d},
    {"SCNet", make_scnet},
    {"SEResNeXt", make_seresnext},
    {"SEResNet", make_seresnet},
    {"ShuffleNetV1", make_shufflenet_v1},
    {"ShuffleNetV2", make_shufflenet_v2},
    {"SwinTransformer", make_swin},
    {"TCN", make_tcn},
    {"V2VNet", make_v2v_net},
    {"VGG", make_vgg},
    {"ViPNAS_MobileNetV3", make_vipnas_mobilenet_v3},
    {"ViPNAS_ResNet", make_vipnas_resnet},
    {"VisionTransformer", make_vision_transformer},
};

}  // namespace

std::unique_ptr<Backbone> make_backbone(const Config& config, const Scope& scope) {
  return make_by_type(kBackbones, config, "backbone", scope);
}

std::vector<std::string> backbone_types() {
  std::vector<std::string> types;
  for (const auto& row : kBackbones) types.push_back(row.type);
  return types;
}

}  // namespace limber
