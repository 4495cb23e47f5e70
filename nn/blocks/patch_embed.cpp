#include "nn/blocks/patch_embed.h"

#include <algorithm>

namespace limber {
namespace {

constexpr int64_t kSide = 2;  // of a merged patch

// By how many pixels the last of ceil(extent / stride) windows stands out over the edge.
int64_t overhang(int64_t extent, int64_t kernel, int64_t stride, int64_t dilation) {
  const int64_t count = (extent + stride - 1) / stride;
  return std::max<int64_t>(0, (count - 1) * stride + (kernel - 1) * dilation + 1 - extent);
}

Tensor pad_corner(const Tensor& x, int64_t bottom, int64_t right) {
  return bottom > 0 || right > 0 ? pad_image(x, 0, bottom, 0, right) : x;
}

}  // namespace

PatchEmbed::PatchEmbed(const Scope& s, const ConvOptions& o, bool adaptive, const NormOptions& norm)
    : projection_(s / "projection", o), adaptive_(adaptive) {
  if (norm.type != NormType::none) norm_ = Norm(s / "norm", o.out, norm);
}

Tensor PatchEmbed::operator()(const Tensor& image) const {
  if (!adaptive_) return norm_(projection_(image));
  const ConvGeometry& g = projection_.geometry;
  const int64_t kernel_h = projection_.weight.size(1), kernel_w = projection_.weight.size(2);
  const Tensor x = pad_corner(image, overhang(image.size(1), kernel_h, g.stride[0], g.dilation[0]),
                              overhang(image.size(2), kernel_w, g.stride[1], g.dilation[1]));
  return norm_(projection_(x));
}

PatchMerging::PatchMerging(const Scope& s, int64_t in, int64_t out, int stride,
                           const NormOptions& norm)
    : stride_(stride), eps_(norm.eps) {
  check_input(norm.type == NormType::layer || norm.type == NormType::none, s.path(),
              ": patches are merged behind a layer norm or none");
  check_input(stride == 1 || stride == 2, s.path(), ": stride ", stride, " of patches of 2 x 2");
  const int64_t width = kSide * kSide * in;
  if (norm.type == NormType::layer) {
    const Scope child = s / "norm";
    child.layer("LayerNorm");
    norm_weight_ = child.patch_weight("weight", {width}, in, init::constant(1));
    norm_bias_ = child.patch_weight("bias", {width}, in, init::constant(0));
  }
  const Scope child = s / "reduction";
  child.layer("Linear");
  reduction_ = child.patch_weight("weight", {out, width}, in, init::torch_default(double(width)));
}

// The patch's pixels follow each other in a token, each with all its channels; checkpoints have it
// the other way round, which patch_weight() sees to.
Tensor PatchMerging::operator()(const Tensor& map) const {
  const Tensor x = pad_corner(map, overhang(map.size(1), kSide, stride_, 1),
                              overhang(map.size(2), kSide, stride_, 1));
  const int64_t N = x.size(0), C = x.size(3);
  const int64_t H = (x.size(1) - kSide) / stride_ + 1, W = (x.size(2) - kSide) / stride_ + 1;
  Tensor patches;
  if (stride_ == kSide) {
    const Tensor rows = reshape(x, {N * H, kSide, W, kSide * C});
    patches = reshape(permute(rows, {0, 2, 1, 3}), {N, H, W, kSide * kSide * C});
  } else {
    std::vector<Tensor> pixels;
    for (int64_t dy = 0; dy < kSide; ++dy)
      for (int64_t dx = 0; dx < kSide; ++dx)
        pixels.push_back(slice(slice(x, 1, dy, dy + H), 2, dx, dx + W));
    patches = concat(pixels, -1);
  }
  if (norm_weight_.defined()) patches = layer_norm(patches, norm_weight_, norm_bias_, eps_);
  return linear(patches, reduction_, {});
}

}  // namespace limber
