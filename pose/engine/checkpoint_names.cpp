#include "pose/engine/checkpoint_names.h"

#include <algorithm>
#include <array>

#include "tensor/ops.h"

namespace limber {
namespace {

struct Renaming {
  std::string_view from, to;  // prefixes
};

// Tried in order on a name that the model does not know.
constexpr std::array kRenamings{
    Renaming{"head.loss.", "head.loss_module."},
    Renaming{"head.conv_layers.", "head.simplebaseline_head.deconv_layers."},
    Renaming{"head.final_layer.", "head.simplebaseline_head.final_layer."},
    Renaming{"head.keypoint_center_conv.", "head.iia_module.keypoint_root_conv."},
    Renaming{"head.conv_down.", "head.gfd_module.conv_down."},
    Renaming{"head.c_attn.", "head.gfd_module.channel_attention."},
    Renaming{"head.s_attn.", "head.gfd_module.spatial_attention."},
    Renaming{"head.fuse_attn.", "head.gfd_module.fuse_attention."},
    Renaming{"head.heatmap_conv.", "head.gfd_module.heatmap_conv."},
    Renaming{"head.offset_conv_layers.", "head.displacement_conv_layers."},
    Renaming{"rescore_net.", "head.rescore_net."},
};

constexpr std::string_view kOldHead = "keypoint_head.", kHead = "head.";
constexpr std::string_view kFinal = "head.final_layer.";

// The N of head.final_layer.N.X, -1 of other names.
int final_index(std::string_view name) {
  if (!name.starts_with(kFinal)) return -1;
  name.remove_prefix(kFinal.size());
  const size_t digits = name.find_first_not_of("0123456789");
  if (digits == 0 || digits > 3 || digits == name.npos || name[digits] != '.') return -1;
  return std::stoi(std::string(name.substr(0, digits)));
}

// Before 1.0 the layers in front of the last one stood in final_layer too.
std::string split_final_layer(const std::string& name, int last) {
  const int index = final_index(name);
  if (index < 0) return name;
  const std::string rest = name.substr(kFinal.size());
  return index < last ? "head.conv_layers." + rest : str(kFinal, rest.substr(rest.find('.') + 1));
}

std::string renamed(const std::string& name, int last_final, const ParameterStore& store) {
  const std::string split = split_final_layer(name, last_final);
  if (store.find(split)) return split;
  for (const Renaming& r : kRenamings) {
    if (!name.starts_with(r.from)) continue;
    const std::string tried = str(r.to, name.substr(r.from.size()));
    if (store.find(tried)) return tried;
  }
  return name;
}

// DEKR before 1.0: displacements from key point to root, the root's heat map first.
void turn_dekr(NamedTensor& t, bool was_offset) {
  if (was_offset && t.name.starts_with("head.displacement_conv_layers.3.")) t.value = -t.value;
  if (t.name.starts_with("head.heatmap_conv_layers.2."))
    t.value = concat({slice(t.value, 0, 1, t.value.size(0)), slice(t.value, 0, 0, 1)}, 0);
}

}  // namespace

StateDict upgraded(StateDict weights, const ParameterStore& store) {
  std::erase_if(weights, [](const NamedTensor& t) {
    return t.name == "data_preprocessor.mean" || t.name == "data_preprocessor.std";
  });
  int last_final = -1;
  bool old_dekr = false;
  for (NamedTensor& t : weights) {
    if (t.name.starts_with(kOldHead)) t.name.replace(0, kOldHead.size(), kHead);
    last_final = std::max(last_final, final_index(t.name));
    old_dekr = old_dekr || t.name.starts_with("head.offset_conv_layers.");
  }
  for (NamedTensor& t : weights) {
    const bool was_offset = t.name.starts_with("head.offset_conv_layers.");
    if (!store.find(t.name)) t.name = renamed(t.name, last_final, store);
    if (old_dekr) turn_dekr(t, was_offset);
  }
  return weights;
}

}  // namespace limber
