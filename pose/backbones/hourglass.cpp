#include "pose/backbones/hourglass.h"

#include "nn/blocks/conv_module.h"
#include "pose/backbones/residual.h"
#include "pose/core/layer_config.h"
#include "tensor/ops.h"

namespace limber {
namespace {

constexpr ActOptions kRelu{ActType::relu}, kNone{ActType::none};
using Widths = std::vector<int64_t>;

Tensor doubled(const Tensor& x) {
  return resize(x, 2 * x.size(1), 2 * x.size(2), Interpolation::nearest);
}

ConvModule conv(const Scope& s, int64_t in, int64_t out, int kernel, const NormOptions& norm,
                const ActOptions& act = kRelu) {
  return {s, ConvOptions::square(in, out, kernel), norm, act};
}

// x -> up1(x) + doubled(low3(low2(low1(x)))), where low2 is the next smaller hourglass.
template <class Layer>
struct Hourglass {
  Layer up1, low1, low3;
  std::unique_ptr<Hourglass> inner;
  std::optional<Layer> core;  // low2 of the smallest
  Tensor operator()(const Tensor& x) const {
    const Tensor y = low1(x);
    return up1(x) + doubled(low3(inner ? (*inner)(y) : (*core)(y)));
  }
};

using ResidualHourglass = Hourglass<ResidualStage>;

// widths, counts: of this level and the smaller ones. The norms are plain batch norms whatever the
// network's norm_cfg says, as in the reference.
ResidualHourglass residual_hourglass(const Scope& s, int depth, const Widths& widths,
                                     const std::vector<int>& counts, size_t level = 0) {
  const int64_t width = widths[level], next = widths[level + 1];
  const auto stage = [&](const char* name, int64_t in, int64_t out, int count, int stride,
                         bool change_last) {
    return ResidualStage(s / name, count,
                         {.in = in, .out = out, .expansion = 1, .stride = stride, .norm = {}},
                         basic_block, change_last);
  };
  const int count = counts[level];
  ResidualHourglass h{.up1 = stage("up1", width, width, count, 1, false),
                      .low1 = stage("low1", width, next, count, 2, false),
                      .low3 = stage("low3", next, width, count, 1, true),
                      .inner = nullptr,
                      .core = std::nullopt};
  if (depth > 1) {
    h.inner = std::make_unique<ResidualHourglass>(
        residual_hourglass(s / "low2", depth - 1, widths, counts, level + 1));
  } else {
    h.core.emplace(stage("low2", next, next, counts[level + 1], 1, false));
  }
  return h;
}

class HourglassNet : public Backbone {
 public:
  HourglassNet(const Config& c, const Scope& s)
      : norm_(read_norm(c, "norm_cfg", {})),
        stem_(s / "stem" / 0, ConvOptions::square(3, 128, 7, 2), norm_, kRelu),
        stem_block_(s / "stem" / 1, 1,
                    {.in = 128, .out = 256, .expansion = 1, .stride = 2, .norm = norm_},
                    basic_block) {
    const int depth = c.get("downsample_times", 5), stacks = c.get("num_stacks", 2);
    const auto widths = c.get("stage_channels", Widths{256, 256, 384, 384, 384, 512});
    const auto counts = c.get("stage_blocks", std::vector<int>{2, 2, 2, 2, 2, 4});
    check_input(
        stacks >= 1 && depth >= 1 && widths.size() == counts.size() && int(widths.size()) > depth,
        c.path(), ": ", depth, " downsample_times need more stage_channels and as many ",
        "stage_blocks, not ", widths.size(), " and ", counts.size());
    const int64_t width = widths[0], feat = c.get<int64_t>("feat_channel", 256);
    for (int i = 0; i < stacks; ++i) {
      stacks_.push_back(residual_hourglass(s / "hourglass_modules" / i, depth, widths, counts));
      out_.push_back(conv(s / "out_convs" / i, width, feat, 3, norm_));
    }
    for (int i = 0; i + 1 < stacks; ++i) {
      image_.push_back(conv(s / "conv1x1s" / i, width, width, 1, norm_, kNone));
      remap_.push_back(conv(s / "remap_convs" / i, feat, width, 1, norm_, kNone));
    }
    // There is one block too many with a single stack; checkpoints hold it.
    inters_.emplace(s / "inters", std::max(1, stacks - 1),
                    BlockOptions{.in = width, .out = width, .expansion = 1, .norm = norm_},
                    basic_block);
    initialise_convolutions(s, init::normal(0, 0.001));
  }

  Features operator()(const Tensor& image) const override {
    Tensor x = stem_block_(stem_(image));
    Features out;
    for (size_t i = 0; i < stacks_.size(); ++i) {
      out.push_back(out_[i](stacks_[i](x)));
      if (i + 1 < stacks_.size()) x = (*inters_->blocks[i])(relu(image_[i](x) + remap_[i](out[i])));
    }
    return out;
  }

 private:
  NormOptions norm_;
  ConvModule stem_;
  ResidualStage stem_block_;
  std::vector<ResidualHourglass> stacks_;
  std::vector<ConvModule> out_, image_, remap_;
  std::optional<ResidualStage> inters_;
};

// low1 is a max pool and a convolution here.
struct PooledConv {
  ConvModule conv;
  bool pool = false;
  Tensor operator()(const Tensor& x) const { return conv(pool ? max_pool2d(x, {}) : x); }
};
using PlainHourglass = Hourglass<PooledConv>;

// `norm` holds for the outermost level; the inner ones have plain batch norms, as in the reference.
PlainHourglass plain_hourglass(const Scope& s, int depth, const Widths& widths,
                               const NormOptions& norm, size_t level = 0) {
  const int64_t width = widths[level], next = widths[level + 1];
  PlainHourglass h{.up1 = {conv(s / "up1", width, width, 3, norm)},
                   .low1 = {conv(s / "low1", width, next, 3, norm), true},
                   .low3 = {conv(s / "low3", next, width, 3, norm)},
                   .inner = nullptr,
                   .core = std::nullopt};
  if (depth > 1) {
    h.inner = std::make_unique<PlainHourglass>(
        plain_hourglass(s / "low2", depth - 1, widths, {}, level + 1));
  } else {
    h.core = PooledConv{conv(s / "low2", next, next, 3, norm)};
  }
  return h;
}

class HourglassAENet : public Backbone {
 public:
  HourglassAENet(const Config& c, const Scope& s) {
    const NormOptions norm = read_norm(c, "norm_cfg", {});
    const int depth = c.get("downsample_times", 4), stacks = c.get("num_stacks", 1);
    const auto out = c.get<int64_t>("out_channels", 34),
               feat = c.get<int64_t>("feat_channels", 256);
    const auto widths = c.get("stage_channels", Widths{256, 384, 512, 640, 768});
    check_input(stacks >= 1 && depth >= 1 && int(widths.size()) > depth, c.path(), ": ", depth,
                " downsample_times need more stage_channels than ", widths.size());
    stem_.emplace_back(s / "stem" / 0, ConvOptions::square(3, 64, 7, 2), norm, kRelu);
    stem_.push_back(conv(s / "stem" / 1, 64, 128, 3, norm));
    stem_.push_back(conv(s / "stem" / 3, 128, 128, 3, norm));
    stem_.push_back(conv(s / "stem" / 4, 128, feat, 3, norm));
    for (int i = 0; i < stacks; ++i) {
      const Scope module = s / "hourglass_modules" / i;
      stacks_.push_back({plain_hourglass(module / 0, depth, widths, norm),
                         conv(module / 1, feat, feat, 3, norm),
                         conv(module / 2, feat, feat, 3, norm)});
      out_.emplace_back(s / "out_convs" / i, ConvOptions{.in = widths[0], .out = out},
                        NormOptions{.type = NormType::none}, kNone);
    }
    for (int i = 0; i + 1 < stacks; ++i) {
      remap_out_.push_back(conv(s / "remap_out_convs" / i, out, feat, 1, norm, kNone));
      remap_feature_.push_back(conv(s / "remap_feature_convs" / i, feat, feat, 1, norm, kNone));
    }
    initialise_convolutions(s, init::normal(0, 0.001));
  }

  Features operator()(const Tensor& image) const override {
    Tensor x = max_pool2d(stem_[1](stem_[0](image)), {});
    x = stem_[3](stem_[2](x));
    Features out;
    for (size_t i = 0; i < stacks_.size(); ++i) {
      const Stack& stack = stacks_[i];
      const Tensor feature = stack.conv2(stack.conv1(stack.hourglass(x)));
      out.push_back(out_[i](feature));
      if (i + 1 < stacks_.size()) x = x + remap_out_[i](out[i]) + remap_feature_[i](feature);
    }
    return out;
  }

 private:
  struct Stack {
    PlainHourglass hourglass;
    ConvModule conv1, conv2;
  };
  std::vector<ConvModule> stem_;
  std::vector<Stack> stacks_;
  std::vector<ConvModule> out_, remap_out_, remap_feature_;
};

}  // namespace

std::unique_ptr<Backbone> make_hourglass(const Config& config, const Scope& scope) {
  return std::make_unique<HourglassNet>(config, scope);
}

std::unique_ptr<Backbone> make_hourglass_ae(const Config& config, const Scope& scope) {
  return std::make_unique<HourglassAENet>(config, scope);
}

}  // namespace limber
