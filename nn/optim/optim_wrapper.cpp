#include "nn/optim/optim_wrapper.h"

#include <algorithm>

namespace limber {

OptimWrapper::OptimWrapper(Optimizer optimizer, int accumulative_counts, const ClipOptions& clip)
    : optimizer_(std::move(optimizer)), accumulative_counts_(accumulative_counts), clip_(clip) {
  check(accumulative_counts >= 1, "optim_wrapper: accumulative_counts must be at least 1, not ",
        accumulative_counts);
  check(clip.by == ClipOptions::By::none || clip.max > 0,
        "optim_wrapper: clip_grad needs a positive limit, not ", clip.max);
}

void OptimWrapper::set_progress(int64_t done, int64_t total) {
  check(done >= 0 && total >= done, "optim_wrapper: ", done, " of ", total, " iterations done");
  done_ = done;
  total_ = total;
}

double OptimWrapper::loss_divisor() const {
  if (total_ < 0) return accumulative_counts_;
  const int64_t remainder = total_ % accumulative_counts_;
  return done_ < total_ - remainder ? accumulative_counts_ : double(remainder);
}

bool OptimWrapper::update(Tape& tape, const Tensor& loss) {
  check(loss.numel() == 1, "optim_wrapper: a loss of shape ", loss.shape(), ", one number needed");
  check(total_ < 0 || done_ < total_, "optim_wrapper: all ", total_, " iterations are done");
  tape.backward(loss, Tensor::full(loss.shape(), 1 / loss_divisor(), loss.dtype()));
  ++done_;
  if (done_ % accumulative_counts_ != 0 && done_ != total_) return false;
  step();
  return true;
}

// torch.nn.utils.clip_grad_norm_ and clip_grad_value_; the optimiser's kernel applies the factor.
void OptimWrapper::step() {
  double scale = 1, limit = std::numeric_limits<double>::infinity();
  if (clip_.by == ClipOptions::By::norm) {
    norm_ = limber::gradient_norm(optimizer_.gradients(), clip_.norm_type);
    const double factor = clip_.max / (*norm_ + 1e-6);
    scale = factor > 1 ? 1 : factor;  // NaN stays
  } else if (clip_.by == ClipOptions::By::value) {
    limit = clip_.max;
  }
  optimizer_.step(scale, limit);
  optimizer_.zero_grad();
}

}  // namespace limber
