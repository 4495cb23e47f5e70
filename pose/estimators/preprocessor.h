// From packed samples to the network's input batch: stacking, channel order, normalisation,
// padding, and resizing of whole training batches.
#pragma once

#include <array>
#include <vector>

#include "pose/config/config.h"
#include "pose/core/instances.h"
#include "pose/estimators/device_batch.h"
#include "tensor/random.h"

namespace limber {

class Preprocessor {
 public:
  // The `data_preprocessor` node; null: stacking alone.
  explicit Preprocessor(const Config& config);
  // Images (H, W, 3) u8 or f32, B, G, R, of equal or, with padding at right and bottom, unequal
  // size -> (N, H, W, 3) f32. Other inputs of equal shape are stacked. A training batch may be
  // resized, its labels with it. Samples with a recipe are cropped, and their targets drawn, on the
  // device.
  Tensor operator()(std::vector<DataSample>& batch, bool training) const;
  // The same for one scale of a multi-scale test: inputs[n] is the image of sample n.
  Tensor stack(const std::vector<Tensor>& inputs) const;

  // Where recipes are carried out; the CPU unless set.
  void set_device(Device device) { device_ = device; }
  // Batches resized so far and the draws for it are part of a run's state.
  void set_iteration(int64_t iteration, uint64_t seed) const;

 private:
  Tensor carry_out(std::vector<DataSample>& batch) const;
  void resize_batch(Tensor& inputs, std::vector<DataSample>& batch) const;

  bool normalise_ = false, swap_channels_ = false;
  std::array<float, 3> mean_{0, 0, 0}, std_{1, 1, 1};
  int divisor_ = 1;
  float pad_value_ = 0;
  // BatchSyncRandomResize: sides drawn in [low, high] every `interval` iterations.
  bool resizes_ = false;
  std::array<int, 2> resize_range_{};
  int resize_divisor_ = 32, resize_interval_ = 1;
  mutable int64_t iteration_ = 0;
  mutable uint64_t seed_ = 0;
  Device device_;
  mutable TargetMemory targets_;
};

}  // namespace limber
