#include "pose/necks/pose_warper.h"

#include <optional>

#include "pose/backbones/residual.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// A deformable convolution that starts as the identity.
struct WarpingConv {
  Tensor weight;
  ConvGeometry geometry;
  int groups;

  WarpingConv(const Scope& s, int64_t channels, int kernel, int dilation, int deform_groups)
      : geometry{.padding = {kernel / 2 * dilation, kernel / 2 * dilation},
                 .dilation = {dilation, dilation}},
        groups(deform_groups) {
    s.layer("DeformConv2d");
    weight = s.conv_weight("weight", {channels, kernel, kernel, channels},
                           {channels, channels, kernel, kernel}, [](const Tensor& w, Random&) {
                             const int64_t K = w.size(0), taps = w.size(1) * w.size(2);
                             for (float& v : w.span<float>()) v = 0;
                             for (int64_t k = 0; k < K; ++k)
                               w.data<float>()[(k * taps + taps / 2) * K + k] = 1;
                           });
  }
  Tensor operator()(const Tensor& x, const Tensor& offset) const {
    return deform_conv2d(x, offset, weight, {}, geometry, groups);
  }
};

class PoseWarperNeck : public Neck {
 public:
  PoseWarperNeck(const Config& c, const Scope& s);
  Features operator()(const Features& maps) const override;

 private:
  void read_input(const Config& c);
  void make_offset_feats(const Config& c, const Scope& s, int64_t in, int64_t out);
  Tensor input(const Features& maps) const;
  Tensor warped(const Tensor& maps, const Tensor& motion) const;
  std::vector<int> in_index_;
  bool concat_ = false;
  std::vector<double> frame_weight_;
  std::optional<Conv2d> trans_layer_;
  std::vector<std::unique_ptr<ResidualBlock>> offset_feats_;
  std::vector<Conv2d> offset_layers_;
  std::vector<WarpingConv> warps_;
};

PoseWarperNeck::PoseWarperNeck(const Config& c, const Scope& s)
    : frame_weight_(c.get("frame_weight", std::vector<double>{1})) {
  check_input(!frame_weight_.empty(), c.path(), ".frame_weight: one number per frame expected");
  read_input(c);
  const auto in = c.get<int64_t>("in_channels"), out = c.get<int64_t>("out_channels");
  const auto inner = c.get<int64_t>("inner_channels");
  const int kernel = c.get("trans_conv_kernel", 1);
  check_input(kernel == 0 || kernel == 1 || kernel == 3, c.path(), ".trans_conv_kernel: ", kernel,
              "; there are 0 (none), 1 and 3");
  check_input(kernel > 0 || in == out, c.path(), ": ", in, " channels cannot pass as ", out,
              " without a convolution");
  if (kernel > 0)
    trans_layer_.emplace(s / "trans_layer",
                         ConvOptions::square(in, out, kernel, 1, 1, /*bias=*/true));
  make_offset_feats(c, s / "offset_feats", out, inner);
  const int groups = c.get("deform_groups", 17);
  check_input(groups > 0 && out % groups == 0, c.path(), ".deform_groups: ", out,
              " channels do not divide into ", groups);
  const int taps = c.get("offsets_kernel", 3), warp_kernel = c.get("deform_conv_kernel", 3);
  const auto dilations = c.get("dilations", std::vector<int>{3, 6, 12, 18, 24});
  check_input(!dilations.empty(), c.path(), ".dilations: none");
  for (size_t i = 0; i < dilations.size(); ++i) {
    const int d = dilations[i];
    offset_layers_.emplace_back(s / "offset_layers" / int(i),
                                ConvOptions{.in = inner,
                                            .out = int64_t(2) * taps * taps * groups,
                                            .kernel = {taps, taps},
                                            .padding = {d, d},
                                            .dilation = {d, d},
                                            .bias = false});
    warps_.emplace_back(s / "deform_conv_layers" / int(i), out, warp_kernel, d, groups);
  }
  c.find("im2col_step");
  s.store().initialise_layers(s.path(), "Conv2d", "weight", init::normal(0, 0.001));
  s.store().initialise_layers(s.path(), "Conv2d", "bias", init::constant(0));
  s.store().initialise_layers((s / "offset_layers").path(), "Conv2d", "weight", init::constant(0));
  if (c.get("norm_eval", false)) s.store().keep_eval_layers(s.path(), "BatchNorm");
  if (!c.get("freeze_trans_layer", true)) return;
  (s / "trans_layer").freeze();
  (s / "trans_layer").keep_eval();
}

void PoseWarperNeck::read_input(const Config& c) {
  const auto transform =
      c.has("input_transform") ? c.get<std::string>("input_transform") : std::string();
  check_input(transform.empty() || transform == "resize_concat", c.path(),
              ".input_transform: null or \"resize_concat\", not \"", transform, "\"");
  concat_ = !transform.empty();
  const Config index = c.find("in_index");
  in_index_ = index.is_list()   ? index.as<std::vector<int>>()
              : index.is_null() ? std::vector<int>{0}
                                : std::vector<int>{index.as<int>()};
  check_input(concat_ || in_index_.size() == 1, c.path(), ".in_index: several maps need ",
              "input_transform \"resize_concat\"");
}

void PoseWarperNeck::make_offset_feats(const Config& c, const Scope& s, int64_t in, int64_t out) {
  const Config blocks = c.find("res_blocks_cfg");
  const auto type = blocks.get<std::string>("block", "BASIC");
  check_input(type == "BASIC" || type == "BOTTLENECK", c.path(),
              ".res_blocks_cfg.block: unknown \"", type, "\"",
              did_you_mean(type, {"BASIC", "BOTTLENECK"}));
  const BlockFactory make = type == "BASIC" ? basic_block : bottleneck;
  for (int i = 0; i < blocks.get("num_blocks", 20); ++i)
    offset_feats_.push_back(make(s / i, {.in = i == 0 ? in : out,
                                         .out = out,
                                         .expansion = type == "BASIC" ? 1 : 4,
                                         .downsample = i == 0,
                                         .norm = {}}));
  if (!blocks.is_null()) blocks.expect_all_read();
}

// The one map that the frames are taken from.
Tensor PoseWarperNeck::input(const Features& all) const {
  Features maps;
  for (int i : in_index_) {
    const int at = i < 0 ? i + int(all.size()) : i;
    check(at >= 0 && size_t(at) < all.size(), "PoseWarperNeck: in_index ", i, " of ", all.size(),
          " maps");
    maps.push_back(all[size_t(at)]);
  }
  if (!concat_) return maps[0];
  for (Tensor& map : maps)
    map = resize(map, maps[0].size(1), maps[0].size(2), Interpolation::bilinear);
  return concat(maps, -1);
}

// The mean of the warps at all dilations.
Tensor PoseWarperNeck::warped(const Tensor& maps, const Tensor& motion) const {
  Tensor total;
  for (size_t i = 0; i < warps_.size(); ++i) {
    const Tensor one = warps_[i](maps, offset_layers_[i](motion));
    total = total.defined() ? total + one : one;
  }
  return total / double(warps_.size());
}

Features PoseWarperNeck::operator()(const Features& all) const {
  Tensor maps = input(all);
  if (trans_layer_) maps = (*trans_layer_)(maps);
  const auto frames = int64_t(frame_weight_.size());
  check(maps.size(0) % frames == 0, "PoseWarperNeck: ", maps.size(0), " maps of ", frames,
        " frames");
  const int64_t B = maps.size(0) / frames;
  const std::vector<Tensor> reference(size_t(frames), slice(maps, 0, 0, B));
  Tensor motion = concat(reference, 0) - maps;
  for (const auto& block : offset_feats_) motion = (*block)(motion);
  const Tensor moved = warped(maps, motion);
  Tensor total;
  for (int64_t f = 0; f < frames; ++f) {
    const Tensor one = slice(moved, 0, f * B, (f + 1) * B) * frame_weight_[size_t(f)];
    total = total.defined() ? total + one : one;
  }
  return {total};
}

}  // namespace

std::unique_ptr<Neck> make_pose_warper(const Config& config, const Scope& scope) {
  return std::make_unique<PoseWarperNeck>(config, scope);
}

}  // namespace limber
