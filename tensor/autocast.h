// Mixed precision: while an Autocast lives, apply() hands every op its inputs in the types that the
// second column of ops.def asks for. Parameters stay f32 and get gradients in f32, as the casts are
// ops of their own (Cast) that the tape records. The classes follow PyTorch's autocast lists.
//
// On a GPU alone: the CPU's kernels have no 16-bit floats, and what runs there (targets, matching)
// is left as it is. backward() belongs outside: it goes on in the types that the forward pass had.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tensor/op.h"

namespace limber {

enum class AutocastClass : uint8_t {
  low,          // products: f16 or bf16
  full,         // sums, softmax, norms that are computed from their inputs: f32
  widest,       // the widest type among the inputs
  as_given,     // batch norm takes 16-bit maps with f32 statistics; others never meet an Autocast
  by_function,  // full for powers, exponentials and logarithms, else widest
};

class Autocast {
 public:
  explicit Autocast(DType low);  // f16 or bf16; with f32 nothing is cast
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  DType outer_;
};

// The type of 16 or 32 bits that such an op's floats are brought to, or nothing: they stay as they
// are. `wide`: whether there is an f32 among them.
std::optional<DType> autocast_type(const Op& op, DType low, bool wide);

bool autocasts();                 // whether one lives on this thread
bool autocasts(const Tensor& t);  // and whether it converts such an input where an op asks for it

// The inputs as the op gets them: floats of 16 and 32 bits converted, everything else as it is.
std::vector<Tensor> autocast(const Op& op, std::span<const Tensor> inputs);

}  // namespace limber
