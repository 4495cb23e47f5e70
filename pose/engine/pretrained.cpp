#include "pose/engine/pretrained.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "pose/core/factory.h"
#include "tensor/ops.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

fs::path download_folder() {
  if (const char* torch = std::getenv("TORCH_HOME")) return fs::path(torch) / "hub/checkpoints";
  const char* home = std::getenv("HOME");
  return fs::path(home ? home : ".") / ".cache/torch/hub/checkpoints";
}

// "torchvision://resnet50" is resnet50-0676ba61.pth or the like: the name, then no further letter.
bool is_file_of(const std::string& file, const std::string& name) {
  if (!file.starts_with(name) || !file.ends_with(".pth")) return false;
  const char next = file[name.size()];
  return next == '-' || next == '_' || next == '.';
}

std::string find_file(const std::string& checkpoint) {
  const size_t scheme = checkpoint.find("://");
  if (scheme == std::string::npos) return checkpoint;
  const fs::path folder = download_folder();
  std::string name = checkpoint.substr(checkpoint.rfind('/') + 1);
  if (fs::exists(folder / name)) return folder / name;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none))
    if (is_file_of(entry.path().filename(), name)) return entry.path();
  fail_input(checkpoint, ": nothing is downloaded, and there is no such file in ", folder.string(),
             "; put it there, name a local file as init_cfg.checkpoint, or set init_cfg=null");
}

void replace(std::string& name, std::string_view from, std::string_view to) {
  if (const size_t at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
}

void cut_prefixes(StateDict& weights) {
  for (NamedTensor& t : weights)
    for (const std::string_view prefix : {"module.", "backbone."})
      if (t.name.starts_with(prefix)) t.name.erase(0, prefix.size());
}

// A ResNet's stem and stages for each of MSPN's stages.
StateDict for_mspn(const StateDict& weights, const Scope& scope) {
  StateDict out;
  for (int stage = 0;; ++stage) {
    const std::string below = str("multi_stage_mspn.", stage, ".downsample.");
    if (!scope.store().find((scope / (below + "layer1.0.conv1.weight")).path())) break;
    for (const NamedTensor& t : weights) {
      if (!t.name.starts_with("layer")) continue;
      std::string name = t.name;
      replace(name, "downsample.0", "downsample.conv");
      replace(name, "downsample.1", "downsample.bn");
      out.push_back({below + name, t.value});
    }
  }
  for (const NamedTensor& t : weights) {
    if (t.name.starts_with("conv1."))
      out.push_back({"top.top.0.conv." + t.name.substr(6), t.value});
    if (t.name.starts_with("bn1.")) out.push_back({"top.top.0.bn." + t.name.substr(4), t.value});
  }
  return out;
}

// Patch merging: the authors take the four neighbours column by column and keep each one's channels
// together, unfold row by row with the neighbours innermost. x: (R, 4 C).
Tensor unfold_order(const Tensor& x) {
  const int64_t R = x.size(0), C = x.size(1) / 4;
  const Tensor parts = reshape(x, {R, 4, C});
  const Tensor rows = concat(
      {slice(parts, 1, 0, 1), slice(parts, 1, 2, 3), slice(parts, 1, 1, 2), slice(parts, 1, 3, 4)},
      1);
  return reshape(transpose(rows, 1, 2), {R, 4 * C});
}

StateDict from_swin_authors(const StateDict& weights) {
  StateDict out;
  for (const NamedTensor& t : weights) {
    if (t.name.starts_with("head")) continue;
    std::string name = t.name;
    Tensor value = t.value;
    if (name.starts_with("layers")) {
      replace(name, "attn.", "attn.w_msa.");
      replace(name, "mlp.fc1.", "ffn.layers.0.0.");
      replace(name, "mlp.fc2.", "ffn.layers.1.");
      if (name.find("downsample.reduction.") != std::string::npos) value = unfold_order(value);
      if (name.find("downsample.norm.") != std::string::npos)
        value = reshape(unfold_order(reshape(value, {1, -1})), {-1});
      replace(name, "layers", "stages");
    } else if (name.starts_with("patch_embed")) {
      replace(name, "proj", "projection");
    }
    out.push_back({name, value});
  }
  return out;
}

// Tables of another window size, (L, heads), are resized as pictures of side sqrt(L).
void resize_position_tables(StateDict& weights, const Scope& scope) {
  for (NamedTensor& t : weights) {
    if (t.name.find("relative_position_bias_table") == std::string::npos) continue;
    const Parameter* p = scope.store().find((scope / t.name).path());
    if (p == nullptr || t.value.shape() == p->stored_shape) continue;
    if (t.value.rank() != 2 || t.value.size(1) != p->stored_shape[1]) continue;
    const int64_t from = std::llround(std::sqrt(double(t.value.size(0)))),
                  to = std::llround(std::sqrt(double(p->stored_shape[0]))), heads = t.value.size(1);
    t.value = reshape(
        resize(reshape(t.value, {1, from, from, heads}), to, to, Interpolation::bicubic, false),
        {to * to, heads});
  }
}

// The authors' position embedding is (1, H W, C), the backbone's (1, C, H, W).
void arrange_position_embedding(StateDict& weights, const Scope& scope) {
  const Parameter* p = scope.store().find((scope / "absolute_pos_embed").path());
  for (NamedTensor& t : weights) {
    if (p == nullptr || t.name != "absolute_pos_embed" || t.value.rank() != 3) continue;
    const Shape& wanted = p->stored_shape;
    if (t.value.size(2) == wanted[1] && t.value.size(1) == wanted[2] * wanted[3])
      t.value = reshape(transpose(t.value, 1, 2), wanted);
  }
}

// pos_embedS, patch_embedS.X, blockS.L.X, normS.X (S from 1) to layers.S-1.{0,1,2}...
StateDict from_pvt_authors(const StateDict& weights) {
  const auto any = [&](auto test) {
    return std::ranges::any_of(weights, [&](const NamedTensor& t) { return test(t.name); });
  };
  const bool position = any([](const auto& name) { return name.starts_with("pos_embed"); });
  const bool convolutional =
      any([](const auto& name) { return name.find("dwconv") != std::string::npos; });
  StateDict out;
  for (const NamedTensor& t : weights) {
    std::string name = t.name;
    Tensor value = t.value;
    const auto stage_after = [&](std::string_view kind) {
      check_input(name.size() > kind.size() && name[kind.size()] >= '1' && name[kind.size()] <= '9',
                  "pretrained weights: ", t.name, " is no name of the authors' PVT");
      return name[kind.size()] - '1';
    };
    if (name.starts_with("head") || name.starts_with("norm.") || name.starts_with("cls_token") ||
        name.find("attn.kv.") != std::string::npos)
      continue;
    if (name.starts_with("pos_embed")) {
      const int stage = stage_after("pos_embed");
      name = str("layers.", stage, ".1.0.pos_embed");
      if (stage == 3 && value.size(1) == 50) value = slice(value, 1, 1, 50);  // the class token
    } else if (name.starts_with("patch_embed")) {
      name = str("layers.", stage_after("patch_embed"), ".0", name.substr(12));
      replace(name, "proj.", "projection.");
    } else if (name.starts_with("block")) {
      const size_t dot = name.find('.', 7);
      name = str("layers.", stage_after("block"), ".1.", std::stoi(name.substr(7)) + position,
                 name.substr(dot));
      if (const size_t q = name.find("attn.q."); q != std::string::npos) {
        std::string other = t.name;
        replace(other, "attn.q.", "attn.kv.");
        const auto kv = std::ranges::find(weights, other, &NamedTensor::name);
        check_input(kv != weights.end(), "pretrained weights: no ", other, " beside ", t.name);
        value = concat({value, kv->value}, 0);
        replace(name, "attn.q.", "attn.attn.in_proj_");
      }
      replace(name, "attn.proj.", "attn.attn.out_proj.");
      if (name.ends_with("fc1.weight") || name.ends_with("fc2.weight"))
        value = reshape(value, {value.size(0), value.size(1), 1, 1});
      replace(name, "mlp.", "ffn.layers.");
      replace(name, "fc1.", "0.");
      replace(name, "dwconv.dwconv.", "1.");
      replace(name, "fc2.", convolutional ? "4." : "3.");
    } else if (name.starts_with("norm")) {
      name = str("layers.", stage_after("norm"), ".2", name.substr(5));
    }
    out.push_back({name, value});
  }
  return out;
}

}  // namespace

StateDict read_pretrained(const std::string& checkpoint) {
  StateDict weights = read_weights(find_file(checkpoint));
  if (checkpoint.starts_with("mmcls://")) {
    constexpr std::string_view kBackbone = "backbone.";
    std::erase_if(weights, [&](const auto& t) { return !t.name.starts_with(kBackbone); });
    for (NamedTensor& t : weights) t.name.erase(0, kBackbone.size());
  }
  return weights;
}

StateDict converted_for(const Config& backbone, StateDict weights, const Scope& scope) {
  const std::string type(without_scope(backbone.get<std::string>("type", "")));
  const bool swin = type == "SwinTransformer";
  const bool pvt = type.starts_with("PyramidVisionTransformer");
  if (type != "MSPN" && !swin && !pvt) return weights;
  cut_prefixes(weights);
  if (type == "MSPN") return for_mspn(weights, scope);
  const bool convert = backbone.get<bool>("convert_weights", pvt);
  if (pvt) return convert ? from_pvt_authors(weights) : weights;
  if (convert) weights = from_swin_authors(weights);
  arrange_position_embedding(weights, scope);
  resize_position_tables(weights, scope);
  return weights;
}

}  // namespace limber
