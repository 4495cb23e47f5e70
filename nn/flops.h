// Counting the multiply-adds of a forward pass by watching it.
#pragma once

#include <array>
#include <cstdint>

#include "tensor/op.h"

namespace limber {

// One multiply and one add count as one, as the published tables of pose networks have it.
// Counted: convolutions, matrix products, attention. Element-wise work, norms, pools and resizing
// are counted one per element of the result, apart.
class FlopCounter : public Recorder {
 public:
  FlopCounter() : outer_(std::exchange(current_recorder(), this)) {}
  ~FlopCounter() override { current_recorder() = outer_; }
  FlopCounter(const FlopCounter&) = delete;
  FlopCounter& operator=(const FlopCounter&) = delete;

  void record(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs,
              std::span<const Tensor> outputs) override;

  int64_t products() const { return products_; }
  int64_t elementwise() const { return elementwise_; }
  int64_t ops() const { return ops_; }

 private:
  Recorder* outer_;
  int64_t products_ = 0, elementwise_ = 0, ops_ = 0;
};

}  // namespace limber
