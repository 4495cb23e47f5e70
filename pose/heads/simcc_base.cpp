#include "pose/heads/simcc_base.h"

#include "pose/core/accuracy.h"
#include "pose/core/layer_config.h"
#include "pose/heads/flip.h"
#include "pose/heads/heatmap_head.h"
#include "tensor/capture.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber {
namespace {

// Logits (N, K, bins) as intensities for drawing: negative ones 0, and vectors that exceed 1 scaled
// to a maximum of 1.
Tensor normalised(const Tensor& logits) {
  const Tensor positive = relu(logits);
  const Tensor top = max(positive, -1, /*keep_dims=*/true);
  return positive / clamp(top, 1, 1e30);
}

}  // namespace

SimCCBase::SimCCBase(const Config& c, const Scope& s)
    : map_size_(read_pair(c.at("in_featuremap_size"))),
      input_size_(read_pair(c.at("input_size"))),
      split_ratio_(c.get("simcc_split_ratio", 2.0)),
      loss_(read_loss(c, s, "KLDiscretLoss")),
      codec_(read_decoder(c)) {}

Outputs SimCCBase::forward(const Features& features) const {
  const AxisLogits out = logits(features);
  return {{"0", out.x}, {"1", out.y}};
}

Losses SimCCBase::loss(const Features& features, ConstBatch samples) const {
  return loss_of(logits(features), samples);
}

Losses SimCCBase::loss_of(const AxisLogits& out, ConstBatch samples) const {
  const Tensor x = batch_labels(samples, "keypoint_x_labels");
  const Tensor y = batch_labels(samples, "keypoint_y_labels");
  const Tensor weight = batch_labels(samples, "keypoint_weights");
  Losses losses{
      {"loss_kpt",
       loss_->single(
           {.outputs = {out.x, out.y}, .targets = {x, y}, .weight = weight, .mask = {}})}};
  const auto accuracy = [ratio = split_ratio_](std::span<const Tensor> in) {
    return simcc_pck_accuracy(in[0], in[1], in[2], in[3], ratio, in[4]);
  };
  losses.emplace_back("acc_pose", host_number({out.x, out.y, x, y, weight}, accuracy));
  return losses;
}

std::vector<Prediction> SimCCBase::predict(const Features& features, const Features* flipped,
                                           ConstBatch samples, const TestOptions& test) const {
  AxisLogits out = logits(features);
  if (flipped != nullptr) {
    const AxisLogits other = logits(*flipped);
    const auto [x, y] = flip_vectors(other.x, other.y, flip_indices_of(samples));
    out = {(out.x + x) * 0.5, (out.y + y) * 0.5};
  }
  out = {out.x.to(Device{}), out.y.to(Device{})};
  const std::array<Tensor, 2> encoded{out.x, out.y};
  std::vector<Prediction> predictions = decode_batch(codec_.get(), encoded);
  if (!test.output_heatmaps) return predictions;
  const Tensor x = normalised(out.x), y = normalised(out.y);
  const int64_t N = x.size(0), K = x.size(1);
  const Tensor maps = matmul(reshape(y, {N, K, y.size(2), 1}), reshape(x, {N, K, 1, x.size(2)}));
  for (size_t i = 0; i < predictions.size(); ++i) {
    predictions[i].fields["heatmaps"] = {sample_of(maps, i)};
    TensorLists& more = predictions[i].instances.more;
    more["keypoint_x_labels"] = {sample_of(reshape(x, {N, 1, K, -1}), i)};
    more["keypoint_y_labels"] = {sample_of(reshape(y, {N, 1, K, -1}), i)};
  }
  return predictions;
}

}  // namespace limber
