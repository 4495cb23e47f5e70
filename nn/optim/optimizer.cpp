#include "nn/optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <set>

#include "autograd/autograd.h"
#include "kernels/optim.h"
#include "tensor/capture.h"
#include "tensor/op.h"

namespace limber {
namespace {

// Names of the state tensors of each kind, as PyTorch calls them; null: unused.
std::array<const char*, 3> state_names(const OptimizerOptions& o) {
  switch (o.kind) {
    case OptimizerKind::sgd:
      return {o.momentum != 0 ? "momentum_buffer" : nullptr};
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
      return {"exp_avg", "exp_avg_sq", o.amsgrad ? "max_exp_avg_sq" : nullptr};
    case OptimizerKind::rmsprop:
      return {"square_avg", o.momentum > 0 ? "momentum_buffer" : nullptr,
              o.centered ? "grad_avg" : nullptr};
    case OptimizerKind::adagrad:
      return {"sum"};
    case OptimizerKind::adamax:
      return {"exp_avg", "exp_inf"};
  }
  return {};
}

void check_options(const OptimizerOptions& o) {
  const auto in_unit = [](const char* name, double v) {
    check(v >= 0 && v < 1, "optimizer: ", name, " must be in [0, 1), not ", v);
  };
  check(o.lr >= 0, "optimizer: the learning rate must not be negative: ", o.lr);
  check(o.weight_decay.value_or(0) >= 0,
        "optimizer: the weight decay must not be negative: ", *o.weight_decay);
  check(o.eps >= 0, "optimizer: eps must not be negative: ", o.eps);
  if (o.kind == OptimizerKind::sgd || o.kind == OptimizerKind::rmsprop) {
    check(o.momentum >= 0, "optimizer: the momentum must not be negative: ", o.momentum);
  } else if (o.kind != OptimizerKind::adagrad) {
    in_unit("beta1", o.momentum);
    in_unit("beta2", o.beta2);
  }
  check(!o.nesterov || (o.momentum > 0 && o.dampening == 0),
        "optimizer: Nesterov momentum needs a momentum and no dampening");
}

}  // namespace

OptimizerOptions OptimizerOptions::defaults(OptimizerKind kind) {
  OptimizerOptions o;
  o.kind = kind;
  switch (kind) {
    case OptimizerKind::sgd:
      break;
    case OptimizerKind::adam:
      o.lr = 1e-3, o.momentum = 0.9;
      break;
    case OptimizerKind::adamw:
      o.lr = 1e-3, o.momentum = 0.9, o.weight_decay = 0.01;
      break;
    case OptimizerKind::rmsprop:
      o.lr = 1e-2;
      break;
    case OptimizerKind::adagrad:
      o.lr = 1e-2, o.eps = 1e-10;
      break;
    case OptimizerKind::adamax:
      o.lr = 2e-3, o.momentum = 0.9;
      break;
  }
  return o;
}

Optimizer::Optimizer(const OptimizerOptions& options, std::vector<ParamGroup> groups)
    : options_(options), groups_(std::move(groups)) {
  check_options(options_);
  std::set<const void*> seen;
  for (size_t g = 0; g < groups_.size(); ++g)
    for (Parameter* p : groups_[g].parameters) {
      check(seen.insert(p->value.id()).second, "optimizer: ", p->name, " is in two groups");
      require_grad(p->value);
      slots_.push_back({.parameter = p, .group = g});
    }
  check(!slots_.empty(), "optimizer: no parameter to train");
}

void Optimizer::make_state(Slot& slot) const {
  const auto names = state_names(options_);
  const double start = options_.kind == OptimizerKind::adagrad ? options_.initial_accumulator : 0;
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] != nullptr && !slot.state[i].defined()) {
      const DeviceScope scope(slot.parameter->value.device());
      slot.state[i] =
          Tensor::full(slot.parameter->value.shape(), start, slot.parameter->value.dtype());
    }
}

// The list is written in two parts: what stays the same from step to step, and what does not, which
// a captured step writes anew for each replay.
template <class Step, class Kernel, class Make>
void Optimizer::run(const Kernel& kernel, const Tensor& control, double limit, const Make& make) {
  using Item = kernels::OptimItem<Step>;
  std::vector<Slot*> due[2];  // f32, f64
  for (Slot& slot : slots_) {
    const Tensor& value = slot.parameter->value;
    const Tensor grad = grad_of(value);
    if (!grad.defined()) continue;
    check(grad.dtype() == value.dtype() && grad.shape() == value.shape(),
          "optimizer: ", slot.parameter->name, " is ", value.dtype(), " ", value.shape(),
          ", its gradient ", grad.dtype(), " ", grad.shape());
    make_state(slot);
    due[value.dtype() == DType::f64].push_back(&slot);
    stepped_.push_back(&slot);
  }
  for (const DType dtype : {DType::f32, DType::f64}) {
    const std::vector<Slot*>& slots = due[dtype == DType::f64];
    if (slots.empty()) continue;
    const auto count = int64_t(slots.size());
    const Tensor list = host_memory({count * int64_t(sizeof(Item))}, DType::u8);
    auto* items = static_cast<Item*>(list.raw());
    for (size_t k = 0; k < slots.size(); ++k) {
      const Tensor& value = slots[k]->parameter->value;
      Item* item = std::construct_at(items + k);
      item->value = value.raw();
      item->grad = grad_of(value).raw();
      item->n = value.numel();
      item->grad_limit = limit;
      for (size_t i = 0; i < slots[k]->state.size(); ++i)
        if (const Tensor& state = slots[k]->state[i]; state.defined()) item->state[i] = state.raw();
    }
    before_device_work([this, slots, list, items, make] {
      for (size_t k = 0; k < slots.size(); ++k)
        items[k].step = make(groups_[slots[k]->group], ++slots[k]->steps);
    });
    const DeviceScope scope(slots[0]->parameter->value.device());
    kernel(exec_for(dtype), dtype, items, count,
           static_cast<const kernels::GradControl*>(control.raw()));
  }
}

void Optimizer::step(double scale, double limit) {
  const Tensor control = host_memory({int64_t(sizeof(kernels::GradControl))}, DType::u8);
  std::construct_at(static_cast<kernels::GradControl*>(control.raw()))->factor = scale;
  step(control.to(slots_[0].parameter->value.device()), limit);
}

void Optimizer::uncount_step() {
  for (Slot* slot : stepped_) --slot->steps;
}

void Optimizer::step(const Tensor& control, double limit) {
  using namespace kernels;
  stepped_.clear();
  switch (options_.kind) {
    case OptimizerKind::sgd:
      return run<SgdStep>(sgd_step, control, limit,
                          [this](const ParamGroup& g, int64_t t) -> SgdStep {
                            return {g[Hyper::lr],           g[Hyper::momentum], options_.dampening,
                                    g[Hyper::weight_decay], options_.nesterov,  t == 1};
                          });
    case OptimizerKind::adam:
    case OptimizerKind::adamw:
      return run<AdamStep>(
          adam_step, control, limit, [this](const ParamGroup& g, int64_t t) -> AdamStep {
            const double lr = g[Hyper::lr], decay = g[Hyper::weight_decay];
            const double beta1 = g[Hyper::momentum];
            const bool decoupled = options_.kind == OptimizerKind::adamw;
            return {.step_size = lr / (1 - std::pow(beta1, double(t))),
                    .root_correction = std::sqrt(1 - std::pow(options_.beta2, double(t))),
                    .beta1 = beta1,
                    .beta2 = options_.beta2,
                    .eps = options_.eps,
                    .weight_decay = decoupled ? 0 : decay,
                    .keep = decoupled ? 1 - lr * decay : 1,
                    .amsgrad = options_.amsgrad};
          });
    case OptimizerKind::rmsprop:
      return run<RmsPropStep>(
          rmsprop_step, control, limit, [this](const ParamGroup& g, int64_t) -> RmsPropStep {
            return {g[Hyper::lr],       options_.alpha,         options_.eps,
                    g[Hyper::momentum], g[Hyper::weight_decay], options_.centered};
          });
    case OptimizerKind::adagrad:
      return run<AdagradStep>(adagrad_step, control, limit,
                              [this](const ParamGroup& g, int64_t t) -> AdagradStep {
                                return {g[Hyper::lr] / (1 + double(t - 1) * options_.lr_decay),
                                        options_.eps, g[Hyper::weight_decay]};
                              });
    case OptimizerKind::adamax:
      return run<AdamaxStep>(adamax_step, control, limit,
                             [this](const ParamGroup& g, int64_t t) -> AdamaxStep {
                               const double beta1 = g[Hyper::momentum];
                               return {g[Hyper::lr] / (1 - std::pow(beta1, double(t))), beta1,
                                       options_.beta2, options_.eps, g[Hyper::weight_decay]};
                             });
  }
}

void Optimizer::zero_grad() {
  for (const Slot& slot : slots_) set_grad(slot.parameter->value, {});
}

std::vector<Tensor> Optimizer::gradients() const {
  std::vector<Tensor> found;
  for (const Slot& slot : slots_)
    if (Tensor grad = grad_of(slot.parameter->value); grad.defined()) found.push_back(grad);
  return found;
}

std::vector<NamedTensor> Optimizer::state() const {
  const auto names = state_names(options_);
  std::vector<NamedTensor> out;
  for (const Slot& slot : slots_) {
    const std::string& name = slot.parameter->name;
    if (slot.steps > 0)
      out.push_back({"step/" + name, Tensor::from(std::vector<int64_t>{slot.steps}, Shape{})});
    for (size_t i = 0; i < names.size(); ++i)
      if (slot.state[i].defined()) out.push_back({str(names[i], "/", name), slot.state[i]});
    if (const Tensor grad = grad_of(slot.parameter->value); grad.defined())
      out.push_back({"grad/" + name, grad});
  }
  return out;
}

void Optimizer::load_state(const std::vector<NamedTensor>& state) {
  const auto names = state_names(options_);
  zero_grad();
  for (Slot& slot : slots_) slot = {.parameter = slot.parameter, .group = slot.group};
  for (const NamedTensor& entry : state) {
    const size_t cut = entry.name.find('/');
    const std::string what = entry.name.substr(0, cut);
    const std::string name = cut == std::string::npos ? "" : entry.name.substr(cut + 1);
    const auto slot =
        std::ranges::find_if(slots_, [&](const Slot& s) { return s.parameter->name == name; });
    check_input(slot != slots_.end(), "optimizer state ", entry.name,
                ": the optimiser has no such parameter");
    if (what == "step") {
      check_input(entry.value.dtype() == DType::i64 && entry.value.numel() == 1, "optimizer state ",
                  entry.name, ": one i64 expected");
      slot->steps = *entry.value.data<int64_t>();
      continue;
    }
    const Tensor& value = slot->parameter->value;
    check_input(entry.value.shape() == value.shape() && entry.value.dtype() == value.dtype(),
                "optimizer state ", entry.name, ": ", entry.value.dtype(), " ", entry.value.shape(),
                " for a parameter of ", value.dtype(), " ", value.shape());
    if (what == "grad") {
      set_grad(value, entry.value.clone().to(value.device()));
      continue;
    }
    const auto which = std::ranges::find_if(
        names, [&](const char* candidate) { return candidate != nullptr && what == candidate; });
    check_input(which != names.end(), "optimizer state ", entry.name, ": this optimiser has no ",
                what);
    slot->state[size_t(which - names.begin())] = entry.value.clone().to(value.device());
  }
}

Tensor gradient_sums(const std::vector<Tensor>& gradients, double p) {
  check(p > 0, "gradient_norm: the order must be positive, not ", p);
  constexpr int64_t kPiece = 65536;
  std::vector<kernels::Piece> pieces[2];  // f32, f64
  for (const Tensor& grad : gradients) {
    const auto* bytes = static_cast<const std::byte*>(grad.raw());
    for (int64_t i = 0; i < grad.numel(); i += kPiece)
      pieces[grad.dtype() == DType::f64].push_back(
          {bytes + size_t(i) * size_of(grad.dtype()), std::min(kPiece, grad.numel() - i)});
  }
  const DeviceScope scope(gradients.empty() ? Device{} : gradients[0].device());
  const auto narrow = int64_t(pieces[0].size()), wide = int64_t(pieces[1].size());
  const Tensor sums = Tensor::empty({narrow + wide}, DType::f64);
  auto* at = static_cast<double*>(sums.raw());
  for (const DType dtype : {DType::f32, DType::f64}) {
    const auto& list = pieces[dtype == DType::f64];
    if (list.empty()) continue;
    const auto count = int64_t(list.size());
    const Tensor on_host = host_memory({count * int64_t(sizeof(kernels::Piece))}, DType::u8);
    std::memcpy(on_host.raw(), list.data(), list.size() * sizeof(kernels::Piece));
    kernels::power_sums(exec_for(dtype), dtype, at,
                        static_cast<const kernels::Piece*>(on_host.raw()), count, p);
    at += count;
  }
  return sums;
}

double gradient_norm(const std::vector<Tensor>& gradients, double p) {
  const Tensor sums = gradient_sums(gradients, p).to(Device{});
  kernels::GradControl control;
  const DeviceScope on_host({});
  kernels::clip_gradients(exec_for(DType::f64), &control, sums.data<double>(), sums.numel(), p,
                          std::numeric_limits<double>::infinity());
  return control.norm;
}

}  // namespace limber
