#include "nn/blocks/csp.h"

namespace limber {

MaybeSeparable::MaybeSeparable(const Scope& s, const ConvOptions& o, bool separable,
                               const NormOptions& n, const ActOptions& a) {
  if (separable) {
    separable_.emplace(s, o, n, a);
  } else {
    plain_ = ConvModule(s, o, n, a);
  }
}

CspLayer::CspLayer(const Scope& s, const CspOptions& o) {
  const int64_t middle = int64_t(double(o.out) * o.expand_ratio);
  main_conv_ = ConvModule(s / "main_conv", ConvOptions::square(o.in, middle, 1), o.norm, o.act);
  short_conv_ = ConvModule(s / "short_conv", ConvOptions::square(o.in, middle, 1), o.norm, o.act);
  final_conv_ =
      ConvModule(s / "final_conv", ConvOptions::square(2 * middle, o.out, 1), o.norm, o.act);
  const bool next = o.block == CspBlock::cspnext;
  for (int i = 0; i < o.num_blocks; ++i) {
    const Scope block = s / "blocks" / i;
    const ConvOptions first = ConvOptions::square(middle, middle, next ? 3 : 1);
    const ConvOptions second = ConvOptions::square(middle, middle, next ? 5 : 3);
    blocks_.push_back(
        {MaybeSeparable(block / "conv1", first, next && o.use_depthwise, o.norm, o.act),
         MaybeSeparable(block / "conv2", second, next || o.use_depthwise, o.norm, o.act),
         o.add_identity});
  }
  if (o.channel_attention) attention_.emplace(s / "attention", 2 * middle);
}

Tensor CspLayer::operator()(const Tensor& x) const {
  Tensor main = main_conv_(x);
  for (const Block& block : blocks_) {
    const Tensor y = block.conv2(block.conv1(main));
    main = block.identity ? y + main : y;
  }
  const Tensor both = concat({main, short_conv_(x)}, -1);
  return final_conv_(attention_ ? (*attention_)(both) : both);
}

SppBottleneck::SppBottleneck(const Scope& s, int64_t in, int64_t out, std::vector<int> kernels,
                             const NormOptions& n, const ActOptions& a)
    : conv1_(s / "conv1", ConvOptions::square(in, in / 2, 1), n, a),
      conv2_(s / "conv2", ConvOptions::square(in / 2 * int64_t(kernels.size() + 1), out, 1), n, a),
      kernels_(std::move(kernels)) {}

Tensor SppBottleneck::operator()(const Tensor& x) const {
  std::vector<Tensor> parts{conv1_(x)};
  for (int k : kernels_)
    parts.push_back(
        max_pool2d(parts[0], {.kernel = {k, k}, .stride = {1, 1}, .padding = {k / 2, k / 2}}));
  return conv2_(concat(parts, -1));
}

}  // namespace limber
