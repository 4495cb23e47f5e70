#include "pose/backbones/resnest.h"

#include <algorithm>

#include "pose/backbones/resnext.h"

namespace limber {
namespace {

struct SplitOptions {
  GroupOptions groups;
  int radix = 2, reduction_factor = 4;
  bool avg_down_stride = true;  // the stride is an average pool behind the middle convolution
};

// Convolution to `radix` times the width, softmax attention over the radix. Names conv, bn0, fc1,
// bn1, fc2.
class SplitAttention {
 public:
  SplitAttention(const Scope& s, int64_t channels, int groups, int stride, const BlockOptions& o,
                 const SplitOptions& split)
      : radix_(split.radix), groups_(groups), channels_(channels) {
    const int64_t inter = std::max<int64_t>(channels * radix_ / split.reduction_factor, 32);
    ConvOptions conv = conv3x3(channels, channels * radix_, stride, o.dilation);
    conv.groups = groups * radix_;
    conv_ = Conv2d(s / "conv", conv);
    norm0_ = Norm(norm_scope(s, o, 0), channels * radix_, o.norm);
    fc1_ = Conv2d(s / "fc1", {.in = channels, .out = inter, .groups = groups});
    norm1_ = Norm(norm_scope(s, o, 1), inter, o.norm);
    fc2_ = Conv2d(s / "fc2", {.in = inter, .out = channels * radix_, .groups = groups});
  }

  // (N, H, W, C) -> (N, H', W', C)
  Tensor operator()(const Tensor& input) const {
    const Tensor x = relu(norm0_(conv_(input)));
    const int64_t N = x.size(0), H = x.size(1), W = x.size(2), C = channels_;
    Tensor pooled = mean(x, {1, 2}, /*keep_dims=*/true);
    if (radix_ == 1) return x * sigmoid(attention(pooled));
    pooled = reshape(sum(reshape(pooled, {N, radix_, C}), {1}), {N, 1, 1, C});
    // fc2 counts groups before splits, the convolution splits before groups.
    const Tensor logits = reshape(attention(pooled), {N, groups_, radix_, C / groups_});
    const Tensor weights = permute(softmax(permute(logits, {0, 1, 3, 2})), {0, 3, 1, 2});
    const Tensor splits = reshape(x, {N, H, W, radix_, C});
    return sum(splits * reshape(weights, {N, 1, 1, radix_, C}), {3});
  }

 private:
  Tensor attention(const Tensor& pooled) const { return fc2_(relu(norm1_(fc1_(pooled)))); }
  int64_t radix_, groups_, channels_;
  Conv2d conv_;
  Norm norm0_;
  Conv2d fc1_;
  Norm norm1_;
  Conv2d fc2_;
};

// bn2 is missing: the attention has norms of its own.
struct SplitBottleneck : ResidualBlock {
  Conv2d conv1;
  Norm norm1;
  SplitAttention conv2;
  std::optional<PoolGeometry> pool;
  Conv2d conv3;
  Norm norm3;
  Shortcut shortcut;

  SplitBottleneck(const Scope& s, const BlockOptions& o, const SplitOptions& split)
      : conv1(s / "conv1", ConvOptions::square(o.in, o.width(), 1, o.stride_first ? o.stride : 1)),
        norm1(norm_scope(s, o, 1), o.width(), o.norm),
        conv2(s / "conv2", o.width(), o.groups, pools(o, split) ? 1 : middle_stride(o), o, split),
        conv3(s / "conv3", ConvOptions::square(o.width(), o.out, 1)),
        norm3(norm_scope(s, o, 3), o.out, o.norm),
        shortcut(s, o) {
    if (pools(o, split))
      pool = PoolGeometry{.kernel = {3, 3}, .stride = {o.stride, o.stride}, .padding = {1, 1}};
  }

  static int middle_stride(const BlockOptions& o) { return o.stride_first ? 1 : o.stride; }
  static bool pools(const BlockOptions& o, const SplitOptions& split) {
    return split.avg_down_stride && middle_stride(o) > 1;
  }

  Tensor operator()(const Tensor& x) const override {
    Tensor y = conv2(relu(norm1(conv1(x))));
    if (pool) y = avg_pool2d(y, *pool);
    return relu(norm3(conv3(y)) + shortcut(x));
  }
};

}  // namespace

std::unique_ptr<Backbone> make_resnest(const Config& config, const Scope& scope) {
  ResNetOptions o = read_resnet(config);
  o.deep_stem = o.avg_down = true;
  const SplitOptions split{.groups = read_groups(config, 1),
                           .radix = config.get("radix", 2),
                           .reduction_factor = config.get("reduction_factor", 4),
                           .avg_down_stride = config.get("avg_down_stride", true)};
  return std::make_unique<ResNet>(scope, o, [split](const Scope& s, const BlockOptions& b) {
    return std::make_unique<SplitBottleneck>(s, split.groups.apply(b), split);
  });
}

}  // namespace limber
