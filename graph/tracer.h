// From a running model to a graph: the model runs, a recorder writes down what it did.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace limber {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

// What can be traced: the same operations for every input of these shapes, and nothing computed
// outside of operations.
using Network = std::function<NamedTensors(std::span<const Tensor> inputs)>;

class Tracer : public Recorder {
 public:
  explicit Tracer(std::span<const Tensor> inputs);
  ~Tracer() override;
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  void record(const std::shared_ptr<const Op>& op, std::span<const Tensor> inputs,
              std::span<const Tensor> outputs) override;
  Graph finish(const NamedTensors& outputs);

 private:
  // Tensors are held until the trace is done, so that no later one gets the identity of one that
  // died.
  struct Known {
    int value;
    Tensor tensor;
  };
  int value_of(const Tensor& t, const char* reader);
  int add_result(const Tensor& t);
  void remember_result(const Tensor& t, int value);

  Recorder* outer_;
  Graph graph_;
  std::unordered_map<const void*, Known> known_;
  // Where results end, by where they begin: a tensor inside of one that no op made was made behind
  // the tracer's back.
  std::map<const std::byte*, const std::byte*> results_;
};

// Runs `network` twice, on `inputs` and on other numbers, and returns the trace of the first run.
// Throws where the two differ: such a model decides by its numbers what to do, and a graph of one
// run is not the graph of the next. `check`, if given, gets the second run's inputs and outputs.
struct SecondRun {
  std::vector<Tensor> inputs;
  NamedTensors outputs;
};
Graph trace(const Network& network, std::span<const Tensor> inputs, SecondRun* second = nullptr);

}  // namespace limber
