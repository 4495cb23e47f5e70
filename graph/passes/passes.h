// The rewritings between a trace and a plan. Each keeps what the graph computes (up to rounding)
// and leaves nodes in an order in which they can run.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "graph/graph.h"

namespace limber {

// Runs what depends on constants alone.
void fold_constants(Graph& graph);

// Batch norm in evaluation mode behind a convolution, a transposed convolution or a fully connected
// layer goes into their weight and bias: w' = w s, b' = (b - mean) s + beta, s = gamma / sqrt(var +
// eps).
void fold_batchnorm(Graph& graph);

// A sum of equal shapes behind one of these goes into its epilogue; the other summand becomes the
// residual.
void fuse_residual(Graph& graph);

// An activation behind one of these, after the residual if there is one, goes into its epilogue.
void fuse_activation(Graph& graph);

// Drops nodes whose results nobody reads and values that no node names; renumbers the values.
void remove_dead(Graph& graph);

// Packed weights by the numbers they come from, the op that reads them and the form that it reads,
// so that several graphs over the same constants share them.
struct PackedWeight {
  Tensor original, packed;
};
using PackedWeights =
    std::map<std::tuple<const void*, std::vector<uint8_t>, int64_t>, PackedWeight>;

// Convolutions and fully connected layers with constant weights become fused ops whose weights have
// the layout of ex's instruction set. Nothing changes for a GPU.
void pack_weights(Graph& graph, const kernels::Exec& ex, PackedWeights& shared);

// All of them up to, but without, the packing: what a .limber file holds.
void optimise(Graph& graph);

// ---- what the passes share (fusable.cpp)

// Whether the node is a convolution, transposed convolution or fully connected layer, fused or not,
// with a constant f32 weight.
bool is_fusable(const Graph& graph, const GraphNode& node);
// The node as its fused op, with an unused residual input; the same node if it is one.
GraphNode as_fused(const GraphNode& node);
struct FusedTail tail_of(const Op& fused);
std::shared_ptr<const Op> with_tail(const Op& fused, const struct FusedTail& tail);

}  // namespace limber
