// Hourglass networks: encoder and decoder with a shortcut at every resolution, several in a row;
// Newell et al. 2016, arXiv 1603.06937, in the form of CornerNet (Law and Deng 2018, arXiv
// 1808.01244), and with associative embedding (Newell et al. 2017, arXiv 1611.05424).
#pragma once

#include "pose/backbones/backbone.h"

namespace limber {

// Both give one map per stack; that of HourglassAENet holds the predictions themselves.
std::unique_ptr<Backbone> make_hourglass(const Config& config, const Scope& scope);
std::unique_ptr<Backbone> make_hourglass_ae(const Config& config, const Scope& scope);

}  // namespace limber
