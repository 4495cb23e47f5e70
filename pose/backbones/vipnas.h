// ViPNAS: networks searched for pose estimation in the spaces of ResNet and MobileNetV3; Xu et al.
// 2021, arXiv 2105.10154.
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_vipnas_resnet(const Config& config, const Scope& scope);
std::unique_ptr<Backbone> make_vipnas_mobilenet_v3(const Config& config, const Scope& scope);

}  // namespace limber
