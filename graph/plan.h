// A graph made ready to run: memory planned, weights packed, every op bound to its tensors.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/passes/passes.h"
#include "tensor/capture.h"

namespace limber {

// Running a plan is calling the forward() of one op after another on fixed tensors: no shapes are
// inferred, nothing is allocated, nobody records. One thread at a time may run a plan; several
// plans of one graph share its weights. A plan runs on the device that its graph's constants lie
// on; on a GPU run() queues its work and does not wait for it, and from the second run on that is
// one CUDA graph.
class Plan {
 public:
  // Packs the weights for the instruction set of `ex`; run() must be given the same one, and the
  // same device. Plans made with the same `shared` share what they pack alike.
  Plan(Graph graph, const kernels::Exec& ex, PackedWeights& shared);
  Plan(Graph graph, const kernels::Exec& ex);

  // Tensors in the arena: write the inputs before a run, read the outputs until the next.
  const std::vector<Tensor>& inputs() const { return inputs_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }
  const std::vector<std::string>& output_names() const { return graph_.output_names; }
  const Graph& graph() const { return graph_; }

  void run(const kernels::Exec& ex) const { ex.device.is_cuda() ? run_on_gpu(ex) : run_ops(ex); }
  bool is_captured() const { return replay_.graph.has_value(); }

  int64_t arena_bytes() const { return arena_bytes_; }
  // Bytes of constants, packed ones in their packed form; those in `seen` are left out and then
  // entered there.
  int64_t weight_bytes(std::set<const void*>& seen) const;

  // One line a node: op, shapes, attributes, bytes moved, and, with runs > 0, the median time of so
  // many runs on what the inputs hold.
  std::string describe(const kernels::Exec& ex, int runs = 0) const;

 private:
  struct Step {
    const Op* op;
    std::vector<Tensor> inputs, outputs;
  };

  // The first run is op by op, since libraries choose their algorithms in it, the second is
  // captured.
  struct Replay {
    int runs = 0;
    std::optional<CapturedWork> graph;
    std::string why_none;  // what hindered it
  };
  void run_on_gpu(const kernels::Exec& ex) const;
  void run_ops(const kernels::Exec& ex) const;

  Graph graph_;
  mutable Replay replay_;
  std::vector<Step> steps_;  // without views
  std::vector<Tensor> inputs_, outputs_;
  int64_t arena_bytes_ = 0;
  int in_place_ = 0;
};

}  // namespace limber
