#include "pose/heads/integral_head.h"

#include "pose/core/layer_config.h"
#include "pose/heads/flip.h"
#include "pose/heads/regression_head.h"
#include "tensor/ops.h"

namespace limber {

IntegralRegressionHead::IntegralRegressionHead(const Config& c, const Scope& s,
                                               std::unique_ptr<Loss> loss)
    : loss_(std::move(loss)),
      codec_(read_decoder(c)),
      debias_(c.get("debias", false)),
      beta_(c.get("beta", 1.0)) {
  const auto K = c.get<int64_t>("num_joints"), in = c.get<int64_t>("in_channels");
  const std::array<int, 2> size = read_pair(c.at("in_featuremap_size"));
  const size_t deconvs = deconv_widths(c, {256, 256, 256}).size();
  for (const char* key :
       {"deconv_kernel_sizes", "conv_out_channels", "conv_kernel_sizes", "final_layer"})
    c.find(key);
  if (deconvs > 0) {
    layers_.emplace(c, s / "simplebaseline_head", K);
  } else {
    final_ = read_final_layer(c, s / "final_layer", in, K);
  }
  width_ = int64_t(size[0]) << deconvs;
  height_ = int64_t(size[1]) << deconvs;
  std::vector<float> xs, ys, grid;
  for (int64_t x = 0; x < width_; ++x) xs.push_back(float(double(x) / double(width_)));
  for (int64_t y = 0; y < height_; ++y) ys.push_back(float(double(y) / double(height_)));
  for (float y : ys)
    for (float x : xs) grid.insert(grid.end(), {x, y});
  s.constant("linspace_x", Tensor::from(xs, {1, 1, 1, width_}));
  s.constant("linspace_y", Tensor::from(ys, {1, 1, height_, 1}));
  grid_ = Tensor::from(grid, {height_ * width_, 2});
  initialise_head_convolutions(s);
}

IntegralRegressionHead::Estimate IntegralRegressionHead::estimate(const Features& features) const {
  Tensor raw = features.back();
  if (layers_) {
    raw = (*layers_)(raw);
  } else if (final_) {
    raw = (*final_)(raw);
  }
  check(raw.size(1) == height_ && raw.size(2) == width_, "integral regression: maps ", raw.shape(),
        ", in_featuremap_size makes them ", height_, " x ", width_);
  const int64_t N = raw.size(0), K = raw.size(3);
  const Tensor flat = flat_maps(raw);  // (N, K, H W)
  const Tensor share = softmax(flat * beta_);
  Tensor coords = matmul(share, grid_.to(share.dtype()).to(share.device()));
  if (debias_) {
    const Tensor total = sum(exp(flat), {-1}, /*keep_dims=*/true);
    coords = total / (total - 1) * (coords - reciprocal(total * 2));
  }
  return {coords, reshape(share, {N, K, height_, width_})};
}

Outputs IntegralRegressionHead::forward(const Features& features) const {
  const Estimate e = estimate(features);
  return {{"0", e.coords}, {"1", e.maps}};
}

Losses IntegralRegressionHead::loss(const Features& features, ConstBatch samples) const {
  const Tensor coords = estimate(features).coords;
  const Tensor target = batch_labels(samples, "keypoint_labels");
  const Tensor weight = batch_labels(samples, "keypoint_weights");
  const Tensor value =
      loss_->single({.outputs = {coords}, .targets = {target}, .weight = weight, .mask = {}});
  return {{"loss_kpt", value}, {"acc_pose", coordinate_accuracy(coords, target, weight)}};
}

std::vector<Prediction> IntegralRegressionHead::predict(const Features& features,
                                                        const Features* flipped, ConstBatch samples,
                                                        const TestOptions& test) const {
  Estimate e = estimate(features);
  if (flipped != nullptr) {
    const Estimate other = estimate(*flipped);
    const std::vector<int>& indices = flip_indices_of(samples);
    e.coords = (e.coords + flip_coordinates(other.coords, indices, test.shift_coords,
                                            samples[0].meta.input_size[0])) *
               0.5;
    e.maps = (e.maps + flip_heatmaps(other.maps, indices, "heatmap", test.shift_heatmap)) * 0.5;
  }
  std::vector<Prediction> predictions = decode_batch(codec_.get(), std::span(&e.coords, 1));
  if (test.output_heatmaps)
    for (size_t i = 0; i < predictions.size(); ++i)
      predictions[i].fields["heatmaps"] = {sample_of(e.maps, i)};
  return predictions;
}

std::unique_ptr<Head> make_integral_head(const Config& config, const Scope& scope) {
  return std::make_unique<IntegralRegressionHead>(config, scope,
                                                  read_loss(config, scope, "SmoothL1Loss"));
}

}  // namespace limber
