// Graphs as ONNX files (opset 17), which other runtimes read.
//
// Our images are channels last; ONNX's are N, C, H, W. The writer keeps, for each value, in which
// of the two orders it has been written, and turns it only where an op needs the other. The input
// is written N, C, H, W; so are outputs that are feature maps (heat maps have that order anyway).
#pragma once

#include <string>

#include "graph/graph.h"

namespace limber {

// The bytes of a ModelProto. Throws Error naming the op where one has no counterpart.
std::string onnx_model(const Graph& graph, const std::string& name);

}  // namespace limber
