#include "tensor/random.h"
#include "tests/ops/cases.h"

namespace limber::test {

// Each call starts the generator anew: the same mask in every suite.
std::vector<OpCase> dropout_cases() {
  const auto seeded = [](const auto& op) {
    return [op](const std::vector<Tensor>& x) {
      op_random() = Random(11);
      return op(x[0], 0.3, true);
    };
  };
  return {
      {"Dropout/elements", {{{7, 19}}}, seeded(dropout)},
      {"Dropout/samples", {{{9, 3, 5}}}, seeded(drop_path)},
      {"Dropout/empty", {{{0, 5}}}, seeded(dropout)},
  };
}

}  // namespace limber::test
