#include "pose/estimators/legacy_config.h"

#include <algorithm>

namespace limber {
namespace {

constexpr const char* kOldOptions[] = {
    "input_transform", "input_index",       "align_corners",      "extra",
    "has_final_layer", "num_deconv_layers", "num_deconv_filters", "num_deconv_kernels"};

bool is_old(const Config& head) {
  return std::ranges::any_of(kOldOptions, [&](const char* key) { return head.contains(key); });
}

// The option, gone from the head afterwards; null where it is absent.
Config take(Config& head, const char* key) {
  const Config value = head.find(key);
  if (head.contains(key)) head.erase(key);
  return value;
}

int64_t element(const Config& list, int index) {
  const int count = int(list.size()), at = index < 0 ? index + count : index;
  check_input(at >= 0 && at < count, list.path(), ": input_index ", index, " of ", count);
  return list.at(size_t(at)).as<int64_t>();
}

// The width of the features that the head will see.
void merge_channels(Config& head, const std::vector<int>& indices, bool concat) {
  const Config channels = head.find("in_channels");
  if (!channels.is_list()) return;
  check_input(concat || indices.size() == 1, channels.path(),
              ": several maps are chosen, but none are merged");
  int64_t total = 0;
  for (int index : indices) total += element(channels, index);
  head.set("in_channels", Config::value(total));
}

void update_input(Config& head, Config& neck) {
  const Config transform = take(head, "input_transform"), index = take(head, "input_index");
  const Config align = take(head, "align_corners");
  const std::string kind = transform.is_null() ? "select" : transform.as<std::string>();
  check_input(kind == "select" || kind == "resize_concat", transform.path(),
              ": \"select\" or \"resize_concat\", not \"", kind, "\"");
  const bool concat = kind == "resize_concat";
  std::vector<int> indices{-1};
  if (!index.is_null())
    indices = index.is_list() ? index.as<std::vector<int>>() : std::vector<int>{index.as<int>()};
  merge_channels(head, indices, concat);
  const bool last = index.is_null() || (index.is_list() && indices == std::vector<int>{-1});
  if (!concat && last) return;
  neck.set("type", Config::value("FeatureMapProcessor"));
  if (concat) neck.set("concat", Config::value(true));
  Config chosen = Config::list();
  for (int i : indices) chosen.push_back(Config::value(i));
  neck.set("select_index", chosen);
  if (!align.is_null() && align.as<bool>()) neck.set("align_corners", Config::value(true));
}

void update_extra(Config& head, Config& neck) {
  const Config extra = take(head, "extra");
  if (extra.is_null()) return;
  if (extra.has("final_conv_kernel")) {
    Config layer = Config::object();
    layer.set("kernel_size", extra.at("final_conv_kernel"));
    head.set("final_layer", layer);
  }
  if (extra.has("upsample")) {
    neck.set("type", Config::value("FeatureMapProcessor"));
    neck.set("scale_factor", Config::value(extra.get<double>("upsample")));
    neck.set("apply_relu", Config::value(true));
  }
}

void update_layers(Config& head) {
  const Config final = take(head, "has_final_layer");
  if (!final.is_null() && !final.as<bool>() && !head.contains("final_layer"))
    head.set("final_layer", Config());
  const Config count = take(head, "num_deconv_layers"), widths = take(head, "num_deconv_filters");
  const Config kernels = take(head, "num_deconv_kernels");
  if (!widths.is_null()) head.set("deconv_out_channels", widths);
  if (!kernels.is_null()) head.set("deconv_kernel_sizes", kernels);
  if (!count.is_null() && count.as<int>() == 0) head.set("deconv_out_channels", Config());
}

}  // namespace

Config updated_model(const Config& model) {
  if (!model.has("head") || !is_old(model.at("head"))) return model;
  Config updated = model.clone();
  Config head = updated.at("head").clone();
  Config neck = updated.has("neck") ? updated.at("neck").clone() : Config::object();
  update_input(head, neck);
  update_extra(head, neck);
  update_layers(head);
  updated.set("head", head);
  if (!neck.keys().empty()) updated.set("neck", neck);
  model.ignore();
  return updated;
}

}  // namespace limber
