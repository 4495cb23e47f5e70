// The convolution branches of one-stage heads.
#pragma once

#include <vector>

#include "nn/blocks/conv_module.h"
#include "pose/config/config.h"

namespace limber {

// What head_module_cfg says of every branch.
struct BranchOptions {
  int64_t in = 0;    // in_channels, widened
  double widen = 1;  // widen_factor
  int stacked = 2;   // convolutions of the short branches
  NormOptions norm;
  ActOptions act;
  bool bias = true;  // of convolutions without norm
};
// Reads in_channels, widen_factor, stacked_convs, conv_bias, norm_cfg, act_cfg, num_classes (which
// must be the head's).
BranchOptions read_branches(const Config& head_module_cfg, int64_t classes);

// 3x3 convolutions with norm and activation, the first of one group. Parameters: 0.conv, 0.bn, ...
class ConvStack {
 public:
  ConvStack(const Scope& s, const BranchOptions& o, int64_t in, int64_t width, int depth,
            int groups);
  Tensor operator()(const Tensor& x) const;

 private:
  std::vector<ConvModule> layers_;
};

// 1x1 with bias.
Conv2d output_conv(const Scope& s, int64_t in, int64_t out);

// The bias of a convolution of logits begins where its sigmoid is 0.01: most points answer for
// nobody. Lin et al. 2017, arXiv 1708.02002, section 3.3.
void expect_few(const Scope& s);

}  // namespace limber
