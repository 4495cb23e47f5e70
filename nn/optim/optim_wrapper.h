// What happens between a loss and changed parameters: backward, accumulation over several
// iterations, clipping, the optimiser's step; in mixed precision what scales the loss.
#pragma once

#include <optional>

#include "autograd/autograd.h"
#include "nn/optim/grad_scaler.h"
#include "nn/optim/gradient_window.h"
#include "nn/optim/optimizer.h"

namespace limber {

struct ClipOptions {
  enum class By : uint8_t { none, norm, value };
  By by = By::none;
  double max = 0;        // of the norm or of each element
  double norm_type = 2;  // infinity: the largest element
};

// Mixed precision: the type that the forward pass is to be cast to (tensor/autocast.h), f32 for
// none, and what scales the loss of f16.
struct AmpOptions {
  DType dtype = DType::f32;
  std::optional<GradScalerOptions> scaler{};
};

class OptimWrapper {
 public:
  OptimWrapper(Optimizer optimizer, int accumulative_counts = 1, const ClipOptions& clip = {},
               const AmpOptions& amp = {});

  // Where training starts and ends, in iterations: the last, incomplete window of an accumulation
  // divides its losses by its own length and steps at the end.
  void set_progress(int64_t done, int64_t total);

  // One iteration: backward from `loss` (one element), and at the end of a window the step, which a
  // scaler leaves out where a gradient is not finite. Returns whether the parameters changed.
  bool update(Tape& tape, const Tensor& loss);
  // The two parts of it. The first may be captured (tensor/capture.h); the second, too, where each
  // iteration makes a step, and what it returns then means nothing.
  void backward(Tape& tape, const Tensor& loss);
  bool finish_iteration();
  // A capture of these has failed: what it left half done is undone.
  void abandon();

  Optimizer& optimizer() { return optimizer_; }
  const Optimizer& optimizer() const { return optimizer_; }
  // Before clipping, at the last step; absent without clipping by norm.
  std::optional<double> gradient_norm() const { return norm_; }
  int accumulative_counts() const { return accumulative_counts_; }
  DType precision() const { return precision_; }  // what the forward pass is to be cast to
  GradScaler* scaler() { return scaler_ ? &*scaler_ : nullptr; }

 private:
  double loss_divisor() const;
  Tensor seed_of(const Tensor& loss) const;
  void step();

  Optimizer optimizer_;
  int accumulative_counts_;
  ClipOptions clip_;
  DType precision_;
  std::optional<GradScaler> scaler_;
  std::optional<GradientWindow> window_;  // of more than one iteration
  int64_t done_ = 0, total_ = -1;
  std::optional<double> norm_;
  bool changed_ = false;  // by the last step
};

}  // namespace limber
