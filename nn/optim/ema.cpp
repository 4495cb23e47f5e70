#include "nn/optim/ema.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/optim.h"
#include "tensor/capture.h"
#include "tensor/op.h"

namespace limber {

AveragedModel::AveragedModel(ParameterStore& store, const AverageOptions& options)
    : options_(options) {
  check(options.momentum > 0 && options.momentum < 1, "ema: momentum ", options.momentum,
        " must be between 0 and 1");
  check(options.interval >= 1, "ema: interval must be at least 1, not ", options.interval);
  check(options.gamma > 0, "ema: gamma must be positive, not ", options.gamma);
  for (const Parameter& p : store.all()) {
    if (p.role == Role::constant || !p.tied_to.empty()) continue;
    sources_.push_back(&store.at(p.name));
    averages_.push_back({p.name, p.value.clone()});
  }
}

double AveragedModel::weight() const {
  const double m = options_.momentum, g = options_.gamma, t = double(steps_);
  switch (options_.kind) {
    case AverageOptions::Kind::exponential:
      return m;
    case AverageOptions::Kind::exp_momentum:
      return (1 - m) * std::exp(-(1 + t) / g) + m;
    case AverageOptions::Kind::annealing:
      return std::max(m, g / (g + t));
    case AverageOptions::Kind::stochastic:
      return 1 / double(steps_ / options_.interval + 1);
  }
  return m;
}

// Copies are averages too, with a weight of 1, which gives the source's number to the bit.
void AveragedModel::update() {
  using Item = kernels::OptimItem<kernels::LerpStep>;
  const bool first = steps_ == 0, due = steps_ % options_.interval == 0;
  std::vector<Item> items[2];  // f32, f64
  std::vector<char> copies[2];
  Device device;  // where the floats lie
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Tensor& source = sources_[i]->value;
    const Tensor& average = averages_[i].value;
    const bool copy = first || (sources_[i]->role == Role::buffer && !options_.update_buffers);
    if (!copy && (!due || !is_float(source.dtype()))) continue;
    if (!is_float(source.dtype())) {
      before_device_work([average, source] { Tensor(average).copy_from(source); });
      continue;
    }
    device = source.device();
    const bool wide = source.dtype() == DType::f64;
    items[wide].push_back(
        {.value = average.raw(), .grad = source.raw(), .n = source.numel(), .step = {}});
    copies[wide].push_back(copy);
  }
  for (const DType dtype : {DType::f32, DType::f64}) {
    const std::vector<Item>& list = items[dtype == DType::f64];
    if (list.empty()) continue;
    const size_t bytes = list.size() * sizeof(Item);
    const Tensor host = host_memory({int64_t(bytes)}, DType::u8);
    std::memcpy(host.raw(), list.data(), bytes);
    auto* at = static_cast<Item*>(host.raw());
    before_device_work([this, host, at, copied = copies[dtype == DType::f64]] {
      for (size_t i = 0; i < copied.size(); ++i) at[i].step.weight = copied[i] != 0 ? 1 : weight();
    });
    const DeviceScope scope(device);
    kernels::lerp_step(exec_for(dtype), dtype, at, int64_t(list.size()));
  }
  before_device_work([this] { ++steps_; });
}

void AveragedModel::swap() {
  for (size_t i = 0; i < sources_.size(); ++i) {
    const Tensor kept = sources_[i]->value.clone();
    sources_[i]->value.copy_from(averages_[i].value);
    averages_[i].value.copy_from(kept);
  }
}

void AveragedModel::load(const std::vector<NamedTensor>& averages, int64_t steps) {
  check_input(averages.size() == averages_.size(), "ema: ", averages.size(), " averages for ",
              averages_.size(), " parameters");
  for (const NamedTensor& entry : averages) {
    const auto own = std::ranges::find(averages_, entry.name, &NamedTensor::name);
    check_input(own != averages_.end(), "ema: the model has no ", entry.name);
    check_input(
        own->value.shape() == entry.value.shape() && own->value.dtype() == entry.value.dtype(),
        "ema: ", entry.name, " is ", entry.value.shape(), ", the model has ", own->value.shape());
    own->value.copy_from(entry.value);
  }
  steps_ = steps;
}

}  // namespace limber
