// Gradients added up over a window of iterations, in tensors that stay where they are: so an
// iteration can be captured as a CUDA graph (tensor/capture.h) that serves for each place in the
// window.
#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace limber {

class GradientWindow {
 public:
  explicit GradientWindow(std::vector<Tensor> parameters);

  // Before backward: takes the gradients off the parameters. They are the window's so far, those of
  // give() or of a checkpoint; where there are none, a window begins.
  void begin_iteration();
  // After backward: moves what it left on the parameters to the sums.
  void add();
  // Hands the sums to the parameters as their gradients. One that no iteration of the window gave a
  // gradient has none.
  void give() const;
  // After the window's step: the sums are zero, and the parameters have no gradients.
  void clear() const;

 private:
  struct Sum {
    Tensor parameter, total{};
    bool arrived = false;  // in this window
  };
  std::vector<Sum> sums_;
};

}  // namespace limber
