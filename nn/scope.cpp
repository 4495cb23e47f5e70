#include "nn/scope.h"

#include <algorithm>

namespace limber {

bool lies_below(std::string_view path, std::string_view prefix) {
  if (prefix.empty()) return true;
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || path[prefix.size()] == '.';
}

ParameterStore::ParameterStore(uint64_t seed, bool initialise, DType dtype)
    : seed_(seed), initialise_(initialise), dtype_(dtype) {
  check(dtype == DType::f32 || dtype == DType::f64, "parameters are f32 or f64, not ", dtype);
}

void ParameterStore::fill(const Parameter& parameter, const Init& init) const {
  Random random(mix_seed(seed_, parameter.name.c_str()));
  if (parameter.value.dtype() == DType::f32) {
    init(parameter.value, random);
  } else {  // the same numbers
    const Tensor narrow = Tensor::empty(parameter.value.shape());
    init(narrow, random);
    Tensor value = parameter.value;
    value.copy_from(narrow.to(value.dtype()));
  }
}

Parameter& ParameterStore::add(Parameter parameter, const Init& init) {
  check(!by_name_.contains(parameter.name), "parameter ", parameter.name, " is made twice");
  if (initialise_ && init) fill(parameter, init);
  parameters_.push_back(std::move(parameter));
  Parameter& added = parameters_.back();
  by_name_.emplace(added.name, &added);
  return added;
}

Parameter* ParameterStore::find(std::string_view name) {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

const Parameter* ParameterStore::find(std::string_view name) const {
  return const_cast<ParameterStore*>(this)->find(name);
}

Parameter& ParameterStore::at(std::string_view name) {
  Parameter* found = find(name);
  check(found != nullptr, "the model has no parameter ", name);
  return *found;
}

int64_t ParameterStore::count() const {
  int64_t total = 0;
  for (const Parameter& p : parameters_)
    if (p.role == Role::parameter && p.tied_to.empty()) total += p.value.numel();
  return total;
}

void ParameterStore::to(Device device) {
  for (Parameter& p : parameters_)
    if (is_float(p.value.dtype()) || p.role == Role::constant) p.value.move_to(device);
}

void ParameterStore::train(bool on, std::string_view prefix) {
  for (auto& [path, layer] : layers_) {
    if (!lies_below(path, prefix)) continue;
    const bool held = std::ranges::any_of(held_, [&](const auto& hold) {
      return lies_below(path, hold.first) && (hold.second.empty() || hold.second == layer.type);
    });
    *layer.training = on && !held;
  }
}

void ParameterStore::keep_eval(std::string_view prefix) { keep_eval_layers(prefix, ""); }

void ParameterStore::keep_eval_layers(std::string_view prefix, std::string_view layer_type) {
  held_.emplace_back(prefix, layer_type);
}

void ParameterStore::freeze(std::string_view prefix) {
  for (Parameter& p : parameters_)
    if (lies_below(p.name, prefix)) p.trainable = false;
}

void ParameterStore::initialise(std::string_view name, const Init& init) {
  if (initialise_) fill(at(name), init);
}

void ParameterStore::initialise_layers(std::string_view prefix, std::string_view layer_type,
                                       std::string_view leaf, const Init& init) {
  if (!initialise_) return;
  for (const auto& [path, layer] : layers_) {
    if (layer.type != layer_type || !lies_below(path, prefix)) continue;
    Parameter* p = find(path.empty() ? std::string(leaf) : path + "." + std::string(leaf));
    if (p != nullptr) fill(*p, init);
  }
}

std::string ParameterStore::layer_type(std::string_view path) const {
  const auto it = layers_.find(path);
  return it == layers_.end() ? "" : it->second.type;
}

Scope Scope::operator/(std::string_view child) const { return Scope(*store_, full(child)); }

std::string Scope::full(std::string_view leaf) const {
  return path_.empty() ? std::string(leaf) : path_ + "." + std::string(leaf);
}

Tensor Scope::parameter(std::string_view leaf, const Shape& shape, const Init& init) const {
  return parameter_stored_as(leaf, shape, shape, init);
}

Tensor Scope::parameter_stored_as(std::string_view leaf, const Shape& shape, const Shape& stored,
                                  const Init& init) const {
  check(shape.numel() == stored.numel(), "parameter ", full(leaf), ": ", shape,
        " cannot be stored as ", stored);
  return store_
      ->add({.name = full(leaf),
             .value = Tensor::empty(shape, store_->dtype()),
             .stored_shape = stored},
            init)
      .value;
}

Tensor Scope::conv_weight(std::string_view leaf, const Shape& shape, const Shape& stored,
                          const Init& init) const {
  return store_
      ->add({.name = full(leaf),
             .value = Tensor::empty(shape, store_->dtype()),
             .stored_shape = stored,
             .channels_last = true},
            init)
      .value;
}

Tensor Scope::patch_weight(std::string_view leaf, const Shape& shape, int64_t channels,
                           const Init& init) const {
  const int64_t rows = shape.rank() == 1 ? 1 : shape[0];
  return store_
      ->add({.name = full(leaf),
             .value = Tensor::empty(shape, store_->dtype()),
             .stored_shape = shape,
             .channels_last = true,
             .unfolded = {rows, channels, shape[-1] / channels}},
            init)
      .value;
}

Tensor Scope::buffer(std::string_view leaf, const Shape& shape, double value) const {
  return buffer(leaf, shape, value, store_->dtype());
}

Tensor Scope::buffer(std::string_view leaf, const Shape& shape, double value, DType dtype) const {
  return store_
      ->add({.name = full(leaf),
             .value = Tensor::full(shape, value, dtype),
             .role = Role::buffer,
             .stored_shape = shape,
             .trainable = false},
            {})
      .value;
}

void Scope::constant(std::string_view leaf, const Tensor& value) const {
  store_->add({.name = full(leaf),
               .value = value,
               .role = Role::constant,
               .stored_shape = value.shape(),
               .trainable = false},
              {});
}

void Scope::tie(std::string_view leaf, const std::string& other) const {
  Parameter copy = store_->at(other);
  copy.name = full(leaf);
  copy.tied_to = other;
  store_->add(std::move(copy), {});
}

const bool* Scope::layer(std::string_view type) const {
  auto [it, added] = store_->layers_.try_emplace(path_);
  check(added || it->second.type == type, "layer ", path_, " is declared as ", it->second.type,
        " and as ", type);
  if (added) it->second = {std::string(type), std::make_unique<bool>(false)};
  return it->second.training.get();
}

}  // namespace limber
