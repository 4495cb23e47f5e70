// Gradients by a tape.
//
//   Tape tape;                       // records what this thread computes from now on
//   Tensor loss = model(x);
//   tape.backward(loss);             // gradients of the leaves: grad_of(parameter)
//
// The tape is a Recorder: ops do not know of it. It keeps of each op just the tensors its gradient
// rule reads, and lets go of them as soon as backward() has passed.
#pragma once

#include <memory>
#include <vector>

#include "tensor/op.h"

namespace limber {

// Marks a leaf: ops on it are recorded, and backward() adds to its gradient.
void require_grad(const Tensor& leaf, bool required = true);
bool requires_grad(const Tensor& t);  // a leaf, or computed from one under the current tape

// The accumulated gradient of a leaf, of its shape; undefined when none arrived.
Tensor grad_of(const Tensor& leaf);
void set_grad(const Tensor& leaf, const Tensor& grad);  // undefined: clears it

// The same numbers, cut from the tape: no gradient flows through the result.
Tensor detach(const Tensor& x);

class Tape : public Recorder {
 public:
  Tape();
  ~Tape() override;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  void record(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs,
              std::span<const Tensor> outputs) override;

  // Walks the tape backwards from `loss` (one element, or with `seed` of its shape any) and adds
  // the gradients of the leaves to what grad_of() gives. The tape is empty afterwards. Throws when
  // the loss was not computed from a leaf under this tape, or when a gradient reaches an op
  // without a rule.
  void backward(const Tensor& loss, const Tensor& seed = {});

  size_t size() const;  // ops recorded

 private:
  struct Node;
  friend struct TapeSlot;
  std::vector<Node> nodes_;
  int64_t gradients_ = 0;  // tensors on the tape so far, each with its own number
  Recorder* outer_;
};

}  // namespace limber
