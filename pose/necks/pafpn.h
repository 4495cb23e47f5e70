// Path aggregation of cross-stage partial layers: top-down, then bottom-up; Liu et al. 2018, arXiv
// 1803.01534, as YOLOX (arXiv 2107.08430) and RTMDet (arXiv 2212.07784) have it.
#pragma once

#include "pose/necks/neck.h"

namespace limber {

std::unique_ptr<Neck> make_yolox_pafpn(const Config& config, const Scope& scope);
std::unique_ptr<Neck> make_cspnext_pafpn(const Config& config, const Scope& scope);

}  // namespace limber
