// Parameters by name. A model is a tree of plain structs that fetch their tensors from one store
// under dotted paths; the paths equal the names in PyTorch checkpoints, so weights load by name.
//
//   ParameterStore store(seed);
//   Scope root(store);
//   Conv2d conv(root / "backbone" / "conv1", {.in = 3, .out = 64, .kernel = 7});
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/random.h"
#include "tensor/tensor.h"

namespace limber {

// Fills a new f32 tensor; the generator's seed depends on the store's seed and the full name alone.
using Init = std::function<void(const Tensor&, Random&)>;

enum class Role : uint8_t {
  parameter,  // trained
  buffer,     // state that is saved but not trained: running statistics
  constant,   // computed by the model itself, listed in checkpoints all the same
};

struct Parameter {
  std::string name;
  Tensor value;
  Role role = Role::parameter;
  // Extents as a PyTorch checkpoint has them. Weights of convolutions are (O, I, kH, kW) there and
  // (O, kH, kW, I) here; all others differ at most by extents of 1.
  Shape stored_shape;
  bool channels_last = false;
  // Where it is not stored_shape itself: the extents by which the channels, the second, move to the
  // end (a layer over unfolded patches stores (O, C kH kW)).
  Shape unfolded{};
  bool trainable = true;
  std::string tied_to = "";  // the name whose tensor this one shares, or ""
};

class ParameterStore {
 public:
  // `initialise` false leaves new tensors uninitialised, for whoever loads a checkpoint next.
  // `dtype`: f32, or f64 for checks of gradients and of whole training steps.
  explicit ParameterStore(uint64_t seed = 0, bool initialise = true, DType dtype = DType::f32);
  ParameterStore(const ParameterStore&) = delete;
  ParameterStore& operator=(const ParameterStore&) = delete;

  const std::deque<Parameter>& all() const { return parameters_; }  // in order of creation
  Parameter* find(std::string_view name);
  const Parameter* find(std::string_view name) const;
  Parameter& at(std::string_view name);  // throws with the nearest name
  int64_t count() const;                 // elements of all parameters proper, tied ones once

  // Sets the mode of all layers below `prefix` that behave differently in training (batch norm,
  // dropout), but for those that keep_eval() holds back.
  void train(bool on, std::string_view prefix = "");
  // Everything below `prefix` stays in evaluation mode whatever train() says.
  void keep_eval(std::string_view prefix);
  // The same for the layers of these types only ("BatchNorm").
  void keep_eval_layers(std::string_view prefix, std::string_view layer_type);
  // No gradients for the parameters below `prefix`.
  void freeze(std::string_view prefix);

  // Moves parameters and constants, for all who hold them. Counters (buffers of integers) stay on
  // the CPU, which does the counting.
  void to(Device device);

  // Re-initialises one parameter.
  void initialise(std::string_view name, const Init& init);
  // Re-initialises the parameter `leaf` of every layer of `layer_type` below `prefix`.
  void initialise_layers(std::string_view prefix, std::string_view layer_type,
                         std::string_view leaf, const Init& init);
  std::string layer_type(std::string_view path) const;  // "" where none was declared
  bool initialises() const { return initialise_; }
  DType dtype() const { return dtype_; }

 private:
  friend class Scope;
  struct Layer {
    std::string type;
    std::unique_ptr<bool> training;
  };
  Parameter& add(Parameter parameter, const Init& init);
  void fill(const Parameter& parameter, const Init& init) const;

  uint64_t seed_;
  bool initialise_;
  DType dtype_;
  std::deque<Parameter> parameters_;
  std::map<std::string, Parameter*, std::less<>> by_name_;
  std::map<std::string, Layer, std::less<>> layers_;
  std::vector<std::pair<std::string, std::string>> held_;  // prefix, layer type or ""
};

// Whether `path` is `prefix` or lies below it; the empty prefix holds everything.
bool lies_below(std::string_view path, std::string_view prefix);

// A store and a path in it.
class Scope {
 public:
  explicit Scope(ParameterStore& store, std::string path = "") : store_(&store), path_(path) {}

  Scope operator/(std::string_view child) const;
  Scope operator/(int index) const { return *this / std::to_string(index); }
  const std::string& path() const { return path_; }
  ParameterStore& store() const { return *store_; }

  // New tensors. Throws when the name exists.
  Tensor parameter(std::string_view leaf, const Shape& shape, const Init& init) const;
  Tensor buffer(std::string_view leaf, const Shape& shape, double value) const;  // float
  Tensor buffer(std::string_view leaf, const Shape& shape, double value, DType dtype) const;
  void constant(std::string_view leaf, const Tensor& value) const;
  // A weight (O, kH, kW, I) that checkpoints hold as `stored` (O, I, kH, kW) or (O, I, k).
  Tensor conv_weight(std::string_view leaf, const Shape& shape, const Shape& stored,
                     const Init& init) const;
  // Weights over the C channels of a patch of P pixels, (rows, P C) or, for one row, (P C);
  // checkpoints order every row by channel, then pixel.
  Tensor patch_weight(std::string_view leaf, const Shape& shape, int64_t channels,
                      const Init& init) const;
  // A parameter that checkpoints hold with other extents (of the same order of elements).
  Tensor parameter_stored_as(std::string_view leaf, const Shape& shape, const Shape& stored,
                             const Init& init) const;
  // This name shares the tensor of the parameter `other` (a full name).
  void tie(std::string_view leaf, const std::string& other) const;

  // Declares this path a layer of a type, for initialise_layers, keep_eval_layers and parameter
  // groups ("Conv2d", "ConvTranspose2d", "Linear", "BatchNorm", "LayerNorm", "GroupNorm", ...).
  // The pointer tells the mode and stays valid as long as the store.
  const bool* layer(std::string_view type) const;

  void freeze() const { store_->freeze(path_); }
  void keep_eval() const { store_->keep_eval(path_); }

 private:
  ParameterStore* store_;
  std::string path_;
  std::string full(std::string_view leaf) const;
};

}  // namespace limber
