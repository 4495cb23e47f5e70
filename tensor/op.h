// An operation, how it is run, and who may watch.
//
// apply() is the heart of the system: shapes are inferred, outputs allocated, the kernel is run at
// once, and then, if somebody is recording, the recorder is told. Autograd's tape is one recorder;
// inference has none.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "kernels/exec.h"
#include "tensor/tensor.h"

namespace limber {

// One enumerator per row of ops.def.
enum class OpKind : uint8_t {
#define LIMBER_OP(name, ...) name,
#include "tensor/ops.def"
#undef LIMBER_OP
};

const char* name_of(OpKind kind);

// Shape and type of a result.
struct Spec {
  Shape shape;
  DType dtype = DType::f32;
};

// Which of an operation's tensors its gradient rule reads; the tape keeps no others.
enum class Keep : uint8_t {
  nothing,
  inputs,
  outputs,
  both,
  inputs_and_extras,  // inputs, and the outputs after the first, which were made for the rule
};

// Attributes are plain members of the derived struct; an op is immutable once applied.
struct Op {
  virtual ~Op() = default;
  virtual OpKind kind() const = 0;
  virtual Keep keeps() const = 0;
  // Throws with the shapes where the inputs do not fit. An input may be undefined where the op
  // allows one to be left out.
  virtual std::vector<Spec> infer(std::span<const Tensor> in) const = 0;
  virtual void forward(const kernels::Exec& ex, std::span<const Tensor> in,
                       std::span<const Tensor> out) const = 0;
  // A view: the result that shares storage with in[0]. Undefined for all other ops.
  virtual Tensor view(std::span<const Tensor>) const { return {}; }

  const char* name() const { return name_of(kind()); }
};

// Gives an op struct its kind: struct SoftmaxOp : OpOf<OpKind::Softmax> { ... }.
template <OpKind K, Keep what = Keep::inputs>
struct OpOf : Op {
  OpKind kind() const override { return K; }
  Keep keeps() const override { return what; }
};

class Recorder {
 public:
  virtual ~Recorder() = default;
  virtual void record(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs,
                      std::span<const Tensor> outputs) = 0;
};

// The calling thread's recorder, null when nobody watches.
Recorder*& current_recorder();

// Nothing is recorded on this thread while one of these lives.
class NoRecord {
 public:
  NoRecord() : saved_(std::exchange(current_recorder(), nullptr)) {}
  ~NoRecord() { current_recorder() = saved_; }
  NoRecord(const NoRecord&) = delete;
  NoRecord& operator=(const NoRecord&) = delete;

 private:
  Recorder* saved_;
};

std::vector<Tensor> apply(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs);

// For ops whose first output is the one their caller wants.
template <class O>
Tensor apply_one(O op, std::initializer_list<Tensor> inputs) {
  return limber::apply(std::make_shared<const O>(std::move(op)),
                       std::span<const Tensor>(inputs.begin(), inputs.size()))[0];
}

// How ops run: instruction set and threads. f64 tensors always run the baseline kernels.
const kernels::Exec& default_exec();
// default_exec() on the current device; on the CPU's baseline for f64.
kernels::Exec exec_for(DType dtype);
void set_threads(int threads);  // >= 1; not while ops run
int threads();
void set_isa(kernels::Isa isa);  // for tests and benchmarks; throws where the processor lacks it

}  // namespace limber
