// The fully connected layers of the early image classifiers, which networks from that time carry
// along behind their feature maps when num_classes says so.
#pragma once

#include <vector>

#include "nn/layers.h"

namespace limber {

// Linear layers with ReLUs between them, numbered as in a torch Sequential.
class Classifier {
 public:
  struct Layer {
    int child;
    int64_t in, out;
    bool dropout;  // of half of the inputs, under the number before
  };
  Classifier(const Scope& s, const std::vector<Layer>& layers) {
    for (const Layer& layer : layers) {
      if (layer.dropout) dropouts_.emplace_back(s / (layer.child - 1), 0.5);
      if (!layer.dropout) dropouts_.emplace_back();
      linears_.emplace_back(s / layer.child, layer.in, layer.out);
    }
  }
  // map: (N, H, W, C), its H W C values in the order C, H, W -> (N, classes)
  Tensor operator()(const Tensor& map) const {
    Tensor x = reshape(permute(map, {0, 3, 1, 2}), {map.size(0), -1});
    for (size_t i = 0; i < linears_.size(); ++i) {
      if (i > 0) x = relu(x);
      if (dropouts_[i].p > 0) x = dropouts_[i](x);
      x = linears_[i](x);
    }
    return x;
  }

 private:
  std::vector<Dropout> dropouts_;  // p = 0: none
  std::vector<Linear> linears_;
};

}  // namespace limber
