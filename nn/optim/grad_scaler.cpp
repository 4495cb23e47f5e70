#include "nn/optim/grad_scaler.h"

#include <cmath>

#include "tensor/error.h"

namespace limber {
namespace {

bool is_factor(double value) { return std::isfinite(value) && value > 0; }

}  // namespace

GradScaler::GradScaler(const GradScalerOptions& options)
    : options_(options), scale_(options.fixed.value_or(options.init_scale)) {
  check_input(is_factor(scale_), "loss_scale: must be positive and finite, not ", scale_);
  check_input(is_factor(options_.growth_factor) && options_.growth_factor >= 1,
              "loss_scale: growth_factor must be at least 1, not ", options_.growth_factor);
  check_input(options_.backoff_factor > 0 && options_.backoff_factor <= 1,
              "loss_scale: backoff_factor must be in (0, 1], not ", options_.backoff_factor);
  check_input(options_.growth_interval >= 1, "loss_scale: growth_interval must be at least 1, not ",
              options_.growth_interval);
}

void GradScaler::update(bool skipped) {
  if (options_.fixed) return;
  if (skipped) {
    scale_ *= options_.backoff_factor;
    steps_since_change_ = 0;
  } else if (++steps_since_change_ == options_.growth_interval) {
    const double grown = float(scale_ * options_.growth_factor);  // of f32's range, as in PyTorch
    if (std::isfinite(grown)) scale_ = grown;
    steps_since_change_ = 0;
  }
}

void GradScaler::restore(const State& state) {
  check_input(is_factor(state.scale) && state.steps_since_change >= 0, "loss_scale: ", state.scale,
              " after ", state.steps_since_change, " steps is no state to go on with");
  scale_ = state.scale;
  steps_since_change_ = state.steps_since_change;
}

}  // namespace limber
