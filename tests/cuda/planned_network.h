// A network for the comparison of its plan on a GPU with itself on the CPU.
#pragma once

#include <memory>
#include <string>

#include "graph/tracer.h"
#include "pose/estimators/estimator.h"
#include "tests/support/networks.h"
#include "tests/support/tensors.h"

namespace limber::test {

// One of the table, in evaluation mode. It has computed on the CPU and lies on the GPU.
struct PlannedNetwork {
  explicit PlannedNetwork(const NetworkCase& row)
      : model(make_estimator(Config::parse(row.model), Scope(store))),
        input(uniform(row.input, -1, 1, 12)) {
    stir(store);
    store.train(false);
    expected = model->forward(input);
    store.to({DeviceType::cuda, 0});
  }
  NamedTensors operator()(std::span<const Tensor> in) const { return model->forward(in[0]); }

  ParameterStore store{7};
  std::unique_ptr<Estimator> model;
  Tensor input;           // on the CPU
  NamedTensors expected;  // likewise
};

}  // namespace limber::test
