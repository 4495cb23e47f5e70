#include "nn/optim/gradient_window.h"

#include "autograd/add_in_place.h"
#include "autograd/autograd.h"
#include "kernels/copy.h"
#include "tensor/op.h"

namespace limber {

GradientWindow::GradientWindow(std::vector<Tensor> parameters) {
  for (Tensor& parameter : parameters) sums_.push_back({.parameter = std::move(parameter)});
}

void GradientWindow::begin_iteration() {
  for (Sum& sum : sums_) {
    const Tensor grad = grad_of(sum.parameter);
    sum.arrived = grad.defined();
    if (!sum.arrived) continue;
    if (!sum.total.defined()) sum.total = grad.clone();
    if (grad.id() != sum.total.id()) sum.total.copy_from(grad);
    set_grad(sum.parameter, {});
  }
}

void GradientWindow::add() {
  for (Sum& sum : sums_) {
    const Tensor grad = grad_of(sum.parameter);
    if (!grad.defined()) continue;
    sum.arrived = true;
    if (!sum.total.defined()) {
      sum.total = grad.clone();
    } else {
      add_in_place(sum.total, grad);
    }
    set_grad(sum.parameter, {});
  }
}

void GradientWindow::give() const {
  for (const Sum& sum : sums_)
    if (sum.arrived) set_grad(sum.parameter, sum.total);
}

void GradientWindow::clear() const {
  for (const Sum& sum : sums_) {
    set_grad(sum.parameter, {});
    if (!sum.total.defined() || sum.total.numel() == 0) continue;
    const DeviceScope scope(sum.total.device());
    kernels::fill(exec_for(sum.total.dtype()), sum.total.out(), sum.total.numel(), 0);
  }
}

}  // namespace limber
