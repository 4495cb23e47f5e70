// Backbones of cross-stage partial layers: CSPNeXt, that of RTMPose (Lyu et al. 2022, arXiv
// 2212.07784), and CSPDarknet, that of YOLOX (Ge et al. 2021, arXiv 2107.08430).
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

std::unique_ptr<Backbone> make_cspnext(const Config& config, const Scope& scope);
std::unique_ptr<Backbone> make_csp_darknet(const Config& config, const Scope& scope);

}  // namespace limber
