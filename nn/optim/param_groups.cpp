#include "nn/optim/param_groups.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

namespace limber {
namespace {

std::vector<Parameter*> trained(ParameterStore& store) {
  std::vector<Parameter*> found;
  for (const Parameter& p : store.all())
    if (p.role == Role::parameter && p.trainable && p.tied_to.empty())
      found.push_back(&store.at(p.name));
  return found;
}

ParamGroup group_of(const OptimizerOptions& o, std::vector<Parameter*> parameters) {
  ParamGroup group{.parameters = std::move(parameters)};
  group[Hyper::lr] = o.lr;
  group[Hyper::momentum] = o.momentum;
  group[Hyper::weight_decay] = o.weight_decay.value_or(0);
  return group;
}

std::string_view parent(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

bool is_deformable(std::string_view type) {
  return type == "DeformConv2d" || type == "ModulatedDeformConv2d";
}

bool is_norm(std::string_view type) {
  return type == "BatchNorm" || type == "LayerNorm" || type == "GroupNorm" ||
         type == "InstanceNorm";
}

// Depthwise as MMEngine asks for it: as many groups as inputs, so one input per filter.
bool is_depthwise(const ParameterStore& store, std::string_view layer, std::string_view type) {
  if (type != "Conv2d") return false;
  const Parameter* weight = store.find(std::string(layer) + ".weight");
  return weight != nullptr && weight->value.size(-1) == 1;
}

void apply_rules(ParamGroup& group, const ParameterStore& store, const Parameter& p,
                 const OptimizerOptions& o, const ParamwiseOptions& w) {
  const std::string_view layer = parent(p.name);
  const std::string type = store.layer_type(layer);
  const bool bias = p.name.ends_with(".bias") || p.name == "bias";
  const bool norm = is_norm(type), offset = is_deformable(store.layer_type(parent(layer)));
  if (bias && !norm && !offset && w.bias_lr_mult) group[Hyper::lr] = o.lr * *w.bias_lr_mult;
  if (offset && type == "Conv2d" && layer.find("conv_offset") != layer.npos && w.dcn_offset_lr_mult)
    group[Hyper::lr] = o.lr * *w.dcn_offset_lr_mult;
  if (!o.weight_decay) return;
  std::optional<double> factor;
  if (norm && w.norm_decay_mult) {
    factor = w.norm_decay_mult;
  } else if (bias && !offset && w.bias_decay_mult) {
    factor = w.bias_decay_mult;
  } else if (w.dwconv_decay_mult && is_depthwise(store, layer, type)) {
    factor = w.dwconv_decay_mult;
  } else if (p.stored_shape.rank() == 1 && !offset && w.flat_decay_mult) {
    factor = w.flat_decay_mult;
  }
  if (factor) group[Hyper::weight_decay] = *o.weight_decay * *factor;
}

int layer_id(std::string_view name, int num_layers) {
  if (name == "backbone.cls_token" || name == "backbone.mask_token" ||
      name == "backbone.pos_embed" || name.starts_with("backbone.patch_embed"))
    return 0;
  constexpr std::string_view kLayers = "backbone.layers.";
  if (!name.starts_with(kLayers)) return num_layers + 1;
  int index = -1;
  std::from_chars(name.data() + kLayers.size(), name.data() + name.size(), index);
  check(index >= 0 && index < num_layers, "layer decay: ", name, " lies outside ", num_layers,
        " layers");
  return index + 1;
}

}  // namespace

std::vector<ParamGroup> one_group(ParameterStore& store, const OptimizerOptions& optimizer) {
  return {group_of(optimizer, trained(store))};
}

std::vector<ParamGroup> paramwise_groups(ParameterStore& store, const OptimizerOptions& optimizer,
                                         const ParamwiseOptions& options) {
  const bool decays = options.bias_decay_mult || options.norm_decay_mult ||
                      options.dwconv_decay_mult || options.flat_decay_mult;
  check(!decays || optimizer.weight_decay.has_value(),
        "paramwise_cfg: multipliers of the weight decay need an optimiser with weight_decay");
  auto custom = options.custom_keys;
  std::ranges::sort(custom, [](const auto& a, const auto& b) {
    return a.key.size() != b.key.size() ? a.key.size() > b.key.size() : a.key < b.key;
  });
  std::vector<ParamGroup> groups;
  for (Parameter* p : trained(store)) {
    ParamGroup group = group_of(optimizer, {p});
    // MMEngine joins the module's path and the name with a dot even where the path is empty.
    const std::string name = p->name.find('.') == p->name.npos ? "." + p->name : p->name;
    const auto key =
        std::ranges::find_if(custom, [&](const auto& c) { return name.find(c.key) != name.npos; });
    if (key != custom.end()) {
      group[Hyper::lr] = key->lr.value_or(optimizer.lr * key->lr_mult);
      if (optimizer.weight_decay) group[Hyper::weight_decay] *= key->decay_mult;
      if (key->weight_decay) group[Hyper::weight_decay] = *key->weight_decay;
    }
    if (key == custom.end() || options.force_default_settings)
      apply_rules(group, store, *p, optimizer, options);
    groups.push_back(std::move(group));
  }
  return groups;
}

std::vector<ParamGroup> layer_decay_groups(ParameterStore& store, const OptimizerOptions& optimizer,
                                           const LayerDecayOptions& options) {
  std::vector<ParamGroup> groups;
  std::map<std::pair<int, bool>, size_t> index;  // layer, with weight decay -> position
  for (Parameter* p : trained(store)) {
    const bool decay = p->stored_shape.rank() != 1 && !p->name.ends_with(".bias") &&
                       p->name.find("pos_embed") == p->name.npos;
    const int layer = layer_id(p->name, options.num_layers);
    const auto [it, added] = index.try_emplace({layer, decay}, groups.size());
    if (added) {
      ParamGroup group = group_of(optimizer, {});
      group[Hyper::lr] *= std::pow(options.rate, options.num_layers + 1 - layer);
      if (!decay) group[Hyper::weight_decay] = 0;
      groups.push_back(std::move(group));
    }
    groups[it->second].parameters.push_back(p);
  }
  return groups;
}

}  // namespace limber
