#include "pose/heads/rtmw_head.h"

#include <algorithm>
#include <array>

#include "nn/blocks/conv_module.h"
#include "pose/codecs/simcc_ops.h"
#include "pose/core/factory.h"
#include "pose/core/keypoint_metrics.h"
#include "pose/heads/flip.h"
#include "pose/heads/heatmap_head.h"
#include "pose/heads/rtmcc_head.h"
#include "pose/heads/simcc_base.h"
#include "tensor/capture.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// Features as K tokens, (N, K, width). Parameters: conv_dec, final_layer, final_layer2, mlp, mlp2,
// gau.
class TokensOfTwoMaps {
 public:
  TokensOfTwoMaps(const Config& c, const Scope& s, std::array<int, 2> map_size) {
    const auto in = c.get<int64_t>("in_channels"), K = c.get<int64_t>("out_channels");
    const int kernel = c.get("final_layer_kernel_size", 1);
    const auto conv = [&](const char* name, int64_t from, int64_t to) {
      ConvOptions o = ConvOptions::square(from, to, kernel);
      o.padding = {kernel / 2, kernel / 2};
      return ConvModule(s / name, o, NormOptions{}, ActOptions{ActType::relu});
    };
    unfold_ = conv("conv_dec", in / 4, in / 4);
    coarse_ = conv("final_layer", in, K);
    fine_ = conv("final_layer2", in / 2 + in / 4, K);
    const GauOptions gau = read_gau(c, K);
    const int64_t pixels = int64_t(map_size[0]) * map_size[1];
    coarse_tokens_ = MapsToTokens(s / "mlp", pixels, gau.in / 2);
    fine_tokens_ = MapsToTokens(s / "mlp2", 4 * pixels, gau.in / 2);
    gau_ = Gau(s / "gau", gau);
    width_ = gau.out;
  }
  int64_t width() const { return width_; }

  Tensor operator()(const Features& features, const char* head) const {
    check(features.size() == 2, head, ": two feature maps expected, not ", features.size());
    const Tensor &fine = features[0], &coarse = features[1];
    const Tensor unfolded = unfold_(pixel_shuffle(coarse, 2));
    const Tensor from_coarse = coarse_tokens_(coarse_(coarse));
    const Tensor from_fine = fine_tokens_(fine_(concat({unfolded, fine}, -1)));
    return gau_(concat({from_coarse, from_fine}, -1));
  }

 private:
  ConvModule unfold_, coarse_, fine_;
  MapsToTokens coarse_tokens_, fine_tokens_;
  Gau gau_;
  int64_t width_ = 0;
};

class RTMWHead : public SimCCBase {
 public:
  RTMWHead(const Config& c, const Scope& s)
      : SimCCBase(c, s),
        tokens_(c, s, map_size_),
        x_(s / "cls_x", tokens_.width(), bins_x(), /*with_bias=*/false),
        y_(s / "cls_y", tokens_.width(), bins_y(), /*with_bias=*/false) {
    initialise_rtm_head(s);
  }

 protected:
  AxisLogits logits(const Features& features) const override {
    const Tensor tokens = tokens_(features, "RTMWHead");
    return {x_(tokens), y_(tokens)};
  }

 private:
  TokensOfTwoMaps tokens_;
  Linear x_, y_;
};

// What a loss of RTMW3DHead compares.
enum class Compared : uint8_t { distributions, points };

struct NamedLoss {
  std::string name;
  Compared compared;
  std::unique_ptr<Loss> loss;
};

NamedLoss read_named_loss(const Config& c, const Scope& s) {
  const std::string type(without_scope(c.type()));
  if (type == "KLDiscretLossWithWeight" || type == "KLDiscretLoss2")
    return {"loss_kld", Compared::distributions, make_loss(c, s)};
  check_input(type == "BoneLoss", c.path(), ".type: \"", type,
              "\": RTMW3DHead takes KLDiscretLossWithWeight and BoneLoss");
  return {c.get<std::string>("loss_name", "loss_bone"), Compared::points, make_loss(c, s)};
}

using Axes = std::array<Tensor, 3>;  // x, y, depth: (N, K, bins)

// The largest bins, (N, K, 3).
Tensor largest_bins(const Axes& axes) {
  std::vector<Tensor> bins;
  for (const Tensor& t : axes)
    bins.push_back(reshape(argmax(t, -1), {t.size(0), t.size(1), 1}).to(DType::f32));
  return concat(bins, -1);
}

// x, y and depth of output and target, the weights: the mean distance of the largest bins that
// count, in units of 1 / ratio bins; 0 where none does.
double mean_bin_distance(std::span<const Tensor> in, double ratio) {
  PointMask mask;
  for (const double weight : to_doubles(in[6])) mask.push_back(weight > 0);
  if (std::ranges::find(mask, 1) == mask.end()) return 0;
  std::vector<Tensor> axes;
  for (const Tensor& t : in.first(6)) axes.push_back(t.to(DType::f32));
  const std::span<const Tensor> all = axes;
  return keypoint_mpjpe(to_points(find_simcc_peaks(all.first(3)).locations),
                        to_points(find_simcc_peaks(all.subspan(3)).locations), mask) /
         ratio;
}

class RTMW3DHead : public Head {
 public:
  RTMW3DHead(const Config& c, const Scope& s)
      : tokens_(c, s, read_map_size(c)),
        split_ratio_(c.get("simcc_split_ratio", 2.0)),
        codec_(read_decoder(c)) {
    const auto size = c.get<std::vector<int64_t>>("input_size");
    check_input(size.size() == 3 && std::ranges::all_of(size, [](int64_t v) { return v > 0; }),
                c.path(), ".input_size: a width, a height and a depth are wanted");
    constexpr const char* kNames[] = {"cls_x", "cls_y", "cls_z"};
    for (size_t d = 0; d < 3; ++d)
      axes_[d] = Linear(s / kNames[d], tokens_.width(), int64_t(double(size[d]) * split_ratio_),
                        /*with_bias=*/false);
    initialise_rtm_head(s);
    const Config loss = c.find("loss");
    if (loss.is_null()) return;
    for (size_t i = 0; i < (loss.is_list() ? loss.size() : 1); ++i) {
      NamedLoss named = read_named_loss(loss.is_list() ? loss.at(i) : loss, s / "loss_module");
      check_input(std::ranges::find(losses_, named.name, &NamedLoss::name) == losses_.end(),
                  loss.path(), ": two losses are called \"", named.name, "\"");
      losses_.push_back(std::move(named));
    }
  }

  Outputs forward(const Features& features) const override {
    const Axes out = logits(features);
    return {{"0", out[0]}, {"1", out[1]}, {"2", out[2]}};
  }
  Losses loss(const Features& features, ConstBatch samples) const override;
  std::vector<Prediction> predict(const Features& features, const Features* flipped,
                                  ConstBatch samples, const TestOptions& test) const override;
  const Codec* codec() const override { return codec_.get(); }

 private:
  // Written with the network's depth, too, which the maps do not have.
  static std::array<int, 2> read_map_size(const Config& c) {
    const auto size = c.get<std::vector<int>>("in_featuremap_size");
    check_input(size.size() == 2 || size.size() == 3, c.path(),
                ".in_featuremap_size: a width and a height are wanted");
    return {size[0], size[1]};
  }
  Axes logits(const Features& features) const {
    const Tensor tokens = tokens_(features, "RTMW3DHead");
    return {axes_[0](tokens), axes_[1](tokens), axes_[2](tokens)};
  }

  TokensOfTwoMaps tokens_;
  double split_ratio_;
  std::unique_ptr<Codec> codec_;
  std::array<Linear, 3> axes_;
  std::vector<NamedLoss> losses_;
};

Losses RTMW3DHead::loss(const Features& features, ConstBatch samples) const {
  check(!losses_.empty(), "RTMW3DHead: no loss: set model.head.loss");
  const Axes out = logits(features);
  const Axes target{batch_labels(samples, "keypoint_x_labels"),
                    batch_labels(samples, "keypoint_y_labels"),
                    batch_labels(samples, "keypoint_z_labels")};
  const Tensor weight = batch_labels(samples, "keypoint_weights");
  const Tensor weight_z = batch_labels(samples, "weight_z");
  const int64_t N = weight.size(0), K = weight.size(1);
  // Where the depth is not known it is the first bin, of output and target.
  const auto with_known_depth = [known = reshape(batch_labels(samples, "with_z_label"), {N, 1, 1})](
                                    const Axes& axes) -> Axes {
    const NoRecord no_record;  // the largest bins have no gradient
    return {axes[0], axes[1], axes[2].to(DType::f32) * known};
  };
  const Axes output_points = with_known_depth(out), target_points = with_known_depth(target);
  Losses losses;
  for (const NamedLoss& l : losses_) {
    LossInput input;
    if (l.compared == Compared::points) {
      input = {.outputs = {largest_bins(output_points)},
               .targets = {largest_bins(target_points)},
               .weight = weight,
               .mask = {}};
    } else {
      const Tensor one = reshape(weight, {1, N, K});
      input = {.outputs = {out.begin(), out.end()},
               .targets = {target.begin(), target.end()},
               .weight = concat({one, one, reshape(weight_z, {1, N, K})}, 0),
               .mask = {}};
    }
    losses.emplace_back(l.name, l.loss->single(input));
  }
  std::vector<Tensor> compared(output_points.begin(), output_points.end());
  compared.insert(compared.end(), target_points.begin(), target_points.end());
  compared.push_back(weight);
  losses.emplace_back("mpjpe", host_number(compared, [ratio = split_ratio_](auto in) {
                        return mean_bin_distance(in, ratio);
                      }));
  return losses;
}

std::vector<Prediction> RTMW3DHead::predict(const Features& features, const Features* flipped,
                                            ConstBatch samples, const TestOptions& test) const {
  check_input(!test.output_heatmaps,
              "model.test_cfg.output_heatmaps: RTMW3DHead has no heat maps to put out");
  Axes out = logits(features);
  if (flipped != nullptr) {  // a picture's mirror image has the same depths
    const Axes other = logits(*flipped);
    const std::vector<int>& swap = flip_indices_of(samples);
    const auto [x, y] = flip_vectors(other[0], other[1], swap);
    const Axes mirrored{x, y, flip_keypoints(other[2], swap)};
    for (size_t d = 0; d < 3; ++d) out[d] = (out[d] + mirrored[d]) * 0.5;
  }
  return decode_batch(codec_.get(), out);
}

}  // namespace

std::unique_ptr<Head> make_rtmw3d_head(const Config& config, const Scope& scope) {
  return std::make_unique<RTMW3DHead>(config, scope);
}

std::unique_ptr<Head> make_rtmw_head(const Config& config, const Scope& scope) {
  return std::make_unique<RTMWHead>(config, scope);
}

}  // namespace limber
