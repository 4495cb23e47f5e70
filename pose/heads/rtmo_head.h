// RTMOHead: grid points of two maps predict a score, a box, the visibility of key points and a pose
// vector, from which a coordinate classifier reads the key points; Lu et al. 2024, arXiv
// 2312.07526.
#pragma once

#include "pose/heads/head.h"

namespace limber {

std::unique_ptr<Head> make_rtmo_head(const Config& config, const Scope& scope);

}  // namespace limber
