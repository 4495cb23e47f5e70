#include "nn/optim/optim_wrapper.h"

#include <memory>

#include "kernels/optim.h"
#include "tensor/capture.h"

namespace limber {

OptimWrapper::OptimWrapper(Optimizer optimizer, int accumulative_counts, const ClipOptions& clip,
                           const AmpOptions& amp)
    : optimizer_(std::move(optimizer)),
      accumulative_counts_(accumulative_counts),
      clip_(clip),
      precision_(amp.dtype) {
  if (amp.scaler) scaler_.emplace(*amp.scaler);
  check(accumulative_counts >= 1, "optim_wrapper: accumulative_counts must be at least 1, not ",
        accumulative_counts);
  check(clip.by == ClipOptions::By::none || clip.max > 0,
        "optim_wrapper: clip_grad needs a positive limit, not ", clip.max);
  if (accumulative_counts == 1) return;
  std::vector<Tensor> parameters;
  for (const ParamGroup& group : optimizer_.groups())
    for (const Parameter* parameter : group.parameters) parameters.push_back(parameter->value);
  window_.emplace(std::move(parameters));
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
  backward(tape, loss);
  return finish_iteration();
}

void OptimWrapper::backward(Tape& tape, const Tensor& loss) {
  check(loss.numel() == 1, "optim_wrapper: a loss of shape ", loss.shape(), ", one number needed");
  check(total_ < 0 || done_ < total_, "optim_wrapper: all ", total_, " iterations are done");
  const Tensor seed = seed_of(loss);
  if (window_) window_->begin_iteration();
  tape.backward(loss, seed);
  if (window_) window_->add();
}

bool OptimWrapper::finish_iteration() {
  if (window_) window_->give();
  ++done_;
  if (done_ % accumulative_counts_ != 0 && done_ != total_) return false;
  step();
  return changed_;
}

void OptimWrapper::abandon() {
  optimizer_.zero_grad();
  if (window_) window_->give();
}

// The loss's share in the window, times the scale, which changes from step to step.
Tensor OptimWrapper::seed_of(const Tensor& loss) const {
  if (!scaler_ && !window_) return Tensor::full(loss.shape(), 1, loss.dtype());
  const auto fill = [this](const Tensor& host) {
    const double scale = scaler_ ? scaler_->scale() : 1;
    Tensor(host).copy_from(Tensor::full(host.shape(), scale * (1 / loss_divisor()), host.dtype()));
  };
  return fed(loss.shape(), loss.dtype(), fill).to(loss.device());
}

// torch.nn.utils.clip_grad_norm_ and clip_grad_value_; the optimiser's kernel applies the factor,
// together with the scaler's. The largest gradient says whether all are finite: it cannot overflow
// as other norms do. A GPU decides all that by itself, and the host reads what came out.
void OptimWrapper::step() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<Tensor> gradients = optimizer_.gradients();
  const DeviceScope scope(gradients.empty() ? Device{} : gradients[0].device());
  const kernels::Exec ex = exec_for(DType::f64);
  const auto fill = [this](const Tensor& host) {
    auto* start = std::construct_at(static_cast<kernels::GradControl*>(host.raw()));
    start->factor = scaler_ ? 1 / scaler_->scale() : 1;
  };
  const Tensor control =
      fed({int64_t(sizeof(kernels::GradControl))}, DType::u8, fill).to(current_device());
  auto* on_device = static_cast<kernels::GradControl*>(control.raw());
  const auto sums_of = [&](double p, const auto& use) {
    const Tensor sums = gradient_sums(gradients, p);
    use(static_cast<const double*>(sums.raw()), sums.numel());
  };
  if (scaler_)
    sums_of(kInfinity, [&](const double* sums, int64_t n) {
      kernels::check_gradients(ex, on_device, sums, n);
    });
  if (clip_.by == ClipOptions::By::norm)
    sums_of(clip_.norm_type, [&](const double* sums, int64_t n) {
      kernels::clip_gradients(ex, on_device, sums, n, clip_.norm_type, clip_.max);
    });
  optimizer_.step(control, clip_.by == ClipOptions::By::value ? clip_.max : kInfinity);
  window_ ? window_->clear() : optimizer_.zero_grad();
  changed_ = true;
  if (!scaler_ && clip_.by != ClipOptions::By::norm) return;
  after_device_work([this, result = fetched(control)] {
    const auto& found = *static_cast<const kernels::GradControl*>(result.raw());
    if (clip_.by == ClipOptions::By::norm) norm_ = found.norm;
    if (!scaler_) return;
    changed_ = found.skip == 0;
    if (!changed_) optimizer_.uncount_step();
    scaler_->update(!changed_);
  });
}

}  // namespace limber
