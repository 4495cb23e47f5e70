#include <algorithm>
#include <unordered_map>

#include "autograd/add_in_place.h"
#include "autograd/autograd.h"
#include "autograd/grad_context.h"
#include "kernels/elementwise.h"
#include "tensor/gpu_error.h"
#include "tensor/ops.h"

namespace limber {

// What hangs on a tensor: for a leaf its gradient, for a result its number on a tape.
struct TapeSlot : GradSlot {
  const Tape* tape = nullptr;  // null: a leaf
  int64_t number = -1;
  bool required = false;
  Tensor grad;
};

struct Tape::Node {
  std::shared_ptr<const Op> op;
  std::vector<Tensor> inputs, outputs;                 // what the rule reads
  std::vector<std::shared_ptr<TapeSlot>> input_slots;  // null: no gradient wanted
  std::vector<int64_t> output_numbers;
};

namespace {

std::shared_ptr<TapeSlot> slot_of(const Tensor& t) {
  return t.defined() ? std::static_pointer_cast<TapeSlot>(t.grad_slot()) : nullptr;
}

// A sum of gradients. The first one is kept as it came, since others may hold it too: a rule may
// hand one tensor to several inputs. The second makes a sum of our own, and all others are added
// to that in place.
void accumulate(Tensor& total, bool& owned, const Tensor& grad) {
  if (!total.defined()) {
    total = grad;
  } else if (!owned) {
    total = total + grad;
    owned = true;
  } else {
    add_in_place(total, grad);
  }
}

// What arrived so far for one tensor on the tape.
struct Total {
  Tensor grad;
  bool owned = false;
};

}  // namespace

void require_grad(const Tensor& leaf, bool required) {
  check(leaf.defined() && is_float(leaf.dtype()), "require_grad: needs a float tensor");
  auto slot = slot_of(leaf);
  if (slot == nullptr || slot->tape != nullptr) slot = std::make_shared<TapeSlot>();
  slot->required = required;
  leaf.set_grad_slot(slot);
}

bool requires_grad(const Tensor& t) {
  const auto slot = slot_of(t);
  if (slot == nullptr) return false;
  return slot->tape == nullptr ? slot->required : slot->tape == current_recorder();
}

Tensor grad_of(const Tensor& leaf) {
  const auto slot = slot_of(leaf);
  return slot ? slot->grad : Tensor();
}

void set_grad(const Tensor& leaf, const Tensor& grad) {
  const auto slot = slot_of(leaf);
  check(slot != nullptr && slot->tape == nullptr, "set_grad: not a leaf");
  slot->grad = grad;
}

void add_in_place(const Tensor& total, const Tensor& term) {
  check(total.shape() == term.shape() && total.dtype() == term.dtype(), "backward: a gradient ",
        term.shape(), " ", term.dtype(), " arrives where the others are ", total.shape(), " ",
        total.dtype());
  const DeviceScope scope(total.device());
  const kernels::Broadcast flat{1, {total.numel()}, {1}, {1}};
  kernels::binary_forward(exec_for(total.dtype()), kernels::Binary::add, total.out(), total.in(),
                          term.in(), flat);
}

Tensor detach(const Tensor& x) { return x.alias(x.shape()); }

Tape::Tape() : outer_(std::exchange(current_recorder(), this)) {}
Tape::~Tape() { current_recorder() = outer_; }

size_t Tape::size() const { return nodes_.size(); }

void Tape::record(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs,
                  std::span<const Tensor> outputs) {
  const auto differentiable = [](const Tensor& t) { return is_float(t.dtype()); };
  if (std::ranges::none_of(outputs, differentiable)) return;
  Node node;
  bool any = false;
  for (const Tensor& input : inputs) {
    auto slot = slot_of(input);
    const bool wanted = slot != nullptr && (slot->tape == this || slot->required);
    any |= wanted;
    node.input_slots.push_back(wanted ? std::move(slot) : nullptr);
  }
  if (!any) return;
  for (const Tensor& output : outputs) {
    auto slot = std::make_shared<TapeSlot>();
    slot->tape = this;
    slot->number = gradients_++;
    node.output_numbers.push_back(slot->number);
    if (differentiable(output)) output.set_grad_slot(std::move(slot));
  }
  const Keep keep = op->keeps();
  node.inputs.resize(inputs.size());
  node.outputs.resize(outputs.size());
  if (keep == Keep::inputs || keep == Keep::both || keep == Keep::inputs_and_extras)
    std::copy(inputs.begin(), inputs.end(), node.inputs.begin());
  if (keep == Keep::outputs || keep == Keep::both)
    std::copy(outputs.begin(), outputs.end(), node.outputs.begin());
  if (keep == Keep::inputs_and_extras)
    std::copy(outputs.begin() + 1, outputs.end(), node.outputs.begin() + 1);
  node.op = op;
  nodes_.push_back(std::move(node));
}

void Tape::backward(const Tensor& loss, const Tensor& seed) {
  const auto loss_slot = slot_of(loss);
  check(loss_slot != nullptr && loss_slot->tape == this,
        "backward: the loss does not depend on any leaf recorded by this tape");
  check(seed.defined() ? seed.shape() == loss.shape() : loss.numel() == 1,
        "backward: a loss of shape ", loss.shape(), " needs a seed of that shape");
  const NoRecord no_record;
  std::vector<Total> totals(static_cast<size_t>(gradients_));
  // Leaves whose gradient is a sum made by this call; afterwards anybody may hold it.
  std::unordered_map<const TapeSlot*, bool> leaf_owned;
  totals[size_t(loss_slot->number)].grad =
      seed.defined() ? seed : Tensor::full(loss.shape(), 1, loss.dtype());
  for (; !nodes_.empty(); nodes_.pop_back()) {
    Node& node = nodes_.back();
    std::vector<Tensor> output_grads;
    for (int64_t number : node.output_numbers) {
      output_grads.push_back(std::move(totals[size_t(number)].grad));
    }
    if (std::ranges::none_of(output_grads, &Tensor::defined)) continue;
    std::vector<char> needs;
    for (const auto& slot : node.input_slots) needs.push_back(slot != nullptr);
    GradContext context(node.inputs, node.outputs, output_grads, needs);
    try {
      run_gradient_rule(*node.op, context);
    } catch (const kernels::gpu::CudaError& error) {
      fail_on_gpu(str("the gradient of ", node.op->name(), " from"), output_grads, error);
    }
    for (size_t i = 0; i < node.input_slots.size(); ++i) {
      TapeSlot* slot = node.input_slots[i].get();
      const Tensor& grad = context.results()[i];
      if (slot == nullptr || !grad.defined()) continue;
      if (slot->tape == nullptr) {
        accumulate(slot->grad, leaf_owned[slot], grad);
      } else {
        Total& total = totals[size_t(slot->number)];
        accumulate(total.grad, total.owned, grad);
      }
    }
  }
  gradients_ = 0;
}

}  // namespace limber
