// The rewritings between a trace and a plan. Each keeps what the graph computes (up to rounding)
// and leaves nodes in an order in which they can run.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "graph/graph.h"
#include "kernels/narrow.h"

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

// The weights of convolutions and fully connected layers are held in these numbers from now on
// (Value::constant): bf16 all of them, int8 those whose input has a range. Plans multiply in them
// where the instruction set can, and in f32 elsewhere.
void narrow_weights(Graph& graph, kernels::Precision precision);

// A weight in f32, however it is held.
Tensor widened_weight(const Value& weight, const kernels::Exec& ex);

// Packed weights by where the numbers lie that they come from, the op that reads them, the form
// that it reads and its input's range, so that several graphs over the same constants share them:
// graphs that all existed before the first of them was packed, since that gives up its weights.
using PackedWeights =
    std::map<std::tuple<const void*, std::vector<uint8_t>, int64_t, float, float>, Tensor>;

// Convolutions and fully connected layers with constant weights become fused ops whose weights have
// the layout of ex's instruction set; the graph lets go of the originals one by one. Nothing
// changes for a GPU.
void pack_weights(Graph& graph, const kernels::Exec& ex, PackedWeights& shared);

// All of them up to, but without, the packing: what a .limber file holds.
void optimise(Graph& graph);

// Products in f16 or bf16 with constants rounded to it, other ops in the types that Autocast gives
// them, casts between; inputs and outputs stay f32. For a GPU, behind all others.
void lower_precision(Graph& graph, DType low);

// ---- what the passes share (fusable.cpp)

// Whether the node is a convolution, transposed convolution or fully connected layer, fused or not,
// with a constant f32 weight.
bool is_fusable(const Graph& graph, const GraphNode& node);
// The node as its fused op, with an unused residual input; the same node if it is one.
GraphNode as_fused(const GraphNode& node);
struct FusedTail tail_of(const Op& fused);
std::shared_ptr<const Op> with_tail(const Op& fused, const struct FusedTail& tail);

}  // namespace limber
