#include "pose/estimators/preprocessor.h"

#include <algorithm>
#include <cstring>

#include "tensor/ops.h"

namespace limber {
namespace {

// out = (image - mean) / std over a padded frame; channel order reversed where asked.
template <class T>
void write_image(const Tensor& image, float* out, int64_t W, bool swap,
                 const std::array<float, 3>& mean, const std::array<float, 3>& inverse_std) {
  const T* from = image.data<T>();
  const int64_t w = image.size(1);
  for (int64_t y = 0; y < image.size(0); ++y) {
    float* row = out + y * W * 3;
    for (int64_t x = 0; x < w; ++x, from += 3, row += 3)
      for (int64_t c = 0; c < 3; ++c)
        row[c] = (float(from[swap ? 2 - c : c]) - mean[size_t(c)]) * inverse_std[size_t(c)];
  }
}

void scale_points(std::vector<Tensor>& list, float sx, float sy) {
  for (Tensor& t : list) {
    t = t.clone();
    float* p = t.data<float>();
    for (int64_t i = 0; i < t.numel(); ++i) p[i] *= i % 2 == 0 ? sx : sy;
  }
}

}  // namespace

Preprocessor::Preprocessor(const Config& config) {
  if (config.is_null()) return;
  config.find("type");
  for (const char* key : {"non_blocking", "boxtype2tensor"}) config.find(key);
  normalise_ = config.has("mean");
  if (normalise_) {
    mean_ = config.get<std::array<float, 3>>("mean");
    std_ = config.get<std::array<float, 3>>("std");
    check_input(std_[0] > 0 && std_[1] > 0 && std_[2] > 0, config.where(),
                ": std must be positive");
  }
  swap_channels_ = config.get<bool>("bgr_to_rgb", false) || config.get<bool>("rgb_to_bgr", false);
  divisor_ = config.get<int>("pad_size_divisor", 1);
  check_input(divisor_ > 0, config.where(), ": pad_size_divisor must be positive");
  pad_value_ = config.get<float>("pad_value", 0);
  const Config augments = config.find("batch_augments");
  for (size_t i = 0; i < (augments.is_null() ? 0 : augments.size()); ++i) {
    const Config augment = augments.at(i);
    if (augment.type() != "BatchSyncRandomResize")
      augment.fail("no batch augmentation \"", augment.type(), "\"",
                   did_you_mean(augment.type(), {"BatchSyncRandomResize"}));
    resizes_ = true;
    resize_range_ = augment.get<std::array<int, 2>>("random_size_range");
    resize_interval_ = augment.get<int>("interval", 10);
    resize_divisor_ = augment.get<int>("size_divisor", 32);
    check_input(resize_range_[0] > 0 && resize_range_[0] <= resize_range_[1] &&
                    resize_interval_ > 0 && resize_divisor_ > 0,
                augment.where(), ": sizes and interval must be positive");
    augment.expect_all_read();
  }
  config.expect_all_read();
}

Tensor Preprocessor::stack(const std::vector<Tensor>& inputs) const {
  check(!inputs.empty() && inputs[0].defined(), "preprocessor: empty batch");
  const bool images = inputs[0].rank() == 3 && inputs[0].size(2) == 3 &&
                      (normalise_ || swap_channels_ || inputs[0].dtype() == DType::u8);
  if (!images) {
    Tensor out =
        Tensor::empty(inputs[0].shape().inserted(0, int64_t(inputs.size())), inputs[0].dtype());
    auto* to = static_cast<std::byte*>(out.raw());
    for (const Tensor& t : inputs) {
      check(t.shape() == inputs[0].shape() && t.dtype() == inputs[0].dtype(),
            "preprocessor: inputs of shapes ", inputs[0].shape(), " and ", t.shape());
      std::memcpy(to, t.raw(), t.bytes());
      to += t.bytes();
    }
    return out;
  }
  int64_t H = 0, W = 0;
  for (const Tensor& t : inputs) {
    check(t.defined() && t.rank() == 3 && t.size(2) == 3, "preprocessor: needs images (H, W, 3)");
    H = std::max(H, t.size(0)), W = std::max(W, t.size(1));
  }
  H = (H + divisor_ - 1) / divisor_ * divisor_;
  W = (W + divisor_ - 1) / divisor_ * divisor_;
  Tensor out = Tensor::full({int64_t(inputs.size()), H, W, 3}, pad_value_);
  std::array<float, 3> inverse_std;
  for (size_t c = 0; c < 3; ++c) inverse_std[c] = 1 / std_[c];
  for (size_t n = 0; n < inputs.size(); ++n) {
    float* to = out.data<float>() + int64_t(n) * H * W * 3;
    inputs[n].dtype() == DType::u8
        ? write_image<uint8_t>(inputs[n], to, W, swap_channels_, mean_, inverse_std)
        : write_image<float>(inputs[n], to, W, swap_channels_, mean_, inverse_std);
  }
  return out;
}

// Crops and targets that the pipeline left to the device.
Tensor Preprocessor::carry_out(std::vector<DataSample>& batch) const {
  kernels::Normalisation norm;
  norm.swaps = swap_channels_;
  for (size_t c = 0; c < 3; ++c) {
    norm.mean[c] = mean_[c];
    norm.inverse_std[c] = 1 / std_[c];
  }
  const Tensor out = crop_batch(batch, norm, device_);
  check_input(out.size(1) % divisor_ == 0 && out.size(2) % divisor_ == 0, "preprocessor: crops of ",
              out.size(2), " x ", out.size(1),
              " made on the device are not padded to multiples of ", divisor_);
  draw_targets(batch, device_, targets_);
  return out;
}

Tensor Preprocessor::operator()(std::vector<DataSample>& batch, bool training) const {
  const bool cropped = !batch.empty() && batch[0].recipe != nullptr;
  Tensor out;
  if (cropped) {
    out = carry_out(batch);
  } else {
    std::vector<Tensor> images;
    for (const DataSample& sample : batch) images.push_back(sample.inputs);
    out = stack(images);
  }
  if (out.rank() == 4)
    for (DataSample& sample : batch)
      sample.meta.img_shape = {int(cropped ? out.size(1) : sample.inputs.size(0)),
                               int(cropped ? out.size(2) : sample.inputs.size(1))};
  if (training && resizes_) resize_batch(out, batch);
  if (out.rank() == 4)
    for (DataSample& sample : batch)
      sample.meta.more["batch_input_shape"] = {
          Tensor::from(std::vector<int64_t>{out.size(1), out.size(2)}, {2})};
  return out;
}

void Preprocessor::set_iteration(int64_t iteration, uint64_t seed) const {
  iteration_ = iteration;
  seed_ = seed;
}

// The size holds for `interval` iterations and depends on the seed and their number alone, so that
// a resumed run sees the sizes of an uninterrupted one.
void Preprocessor::resize_batch(Tensor& inputs, std::vector<DataSample>& batch) const {
  const int64_t period = iteration_++ / resize_interval_;
  if (period == 0) return;  // the first ones keep their size
  Random random(mix_seed(mix_seed(seed_, "batch resize"), uint64_t(period)));
  const int64_t units =
      random.integer(resize_range_[0] / resize_divisor_, resize_range_[1] / resize_divisor_ + 1);
  const int64_t H = inputs.size(1), W = inputs.size(2);
  const int64_t height = units * resize_divisor_;
  const int64_t width = int64_t(double(W) / double(H) * double(units)) * resize_divisor_;
  if (height == H && width == W) return;
  inputs = resize(inputs, height, width, Interpolation::bilinear);
  const float sx = float(width) / float(W), sy = float(height) / float(H);
  for (DataSample& sample : batch) {
    sample.meta.img_shape = {int(height), int(width)};
    sample.meta.input_size = {int(width), int(height)};
    for (auto& [name, list] : sample.labels) {
      if (name == "bboxes" || name == "keypoints") scale_points(list, sx, sy);
      if (name == "areas") scale_points(list, sx * sy, sx * sy);
    }
  }
}

}  // namespace limber
