#include "nn/checkpoint.h"

#include <algorithm>
#include <fstream>
#include <set>

#include "nn/pth_reader.h"
#include "nn/stored_layout.h"
#include "tensor/half.h"

namespace limber {
namespace {

std::string below(std::string_view name, const std::string& prefix) {
  return std::string(prefix.empty() ? name : name.substr(std::min(name.size(), prefix.size() + 1)));
}

// The name that the model would know an entry of the file by; "" for entries that are no weights
// or lie elsewhere.
std::string model_name(std::string_view name, const LoadOptions& options) {
  constexpr std::string_view kModule = "module.";
  if (name.starts_with(kTrainingPrefix)) return "";
  if (name.starts_with(kModule)) name.remove_prefix(kModule.size());
  if (!lies_below(name, options.file_prefix)) return "";
  const std::string rest = below(name, options.file_prefix);
  return options.model_prefix.empty() ? rest : options.model_prefix + "." + rest;
}

// PyTorch, too, loads a tensor of one element into a scalar.
bool fits(const Shape& stored, const Shape& wanted) {
  return stored == wanted ||
         (stored.numel() == 1 && wanted.numel() == 1 && stored.rank() <= 1 && wanted.rank() <= 1);
}

bool may_be_missing(const Parameter& p, const std::set<std::string>& present) {
  return p.role == Role::constant || p.name.ends_with("num_batches_tracked") ||
         (!p.tied_to.empty() && present.contains(p.tied_to));
}

// A zip archive or a pickle. The length that a safetensors file begins with may look like either,
// but "{" follows it.
bool looks_like_pth(const std::string& path) {
  char head[9] = {};
  std::ifstream(path, std::ios::binary).read(head, sizeof head);
  const bool zip = head[0] == 'P' && head[1] == 'K', pickle = head[0] == '\x80';
  return (zip || pickle) && head[8] != '{';
}

StateDict read_pth(const std::string& path) {
  StateDict weights;
  const PickleValue state = find_state_dict(load_pth(path));
  for (const auto& [name, value] : state.items())
    weights.push_back({name.text(), value.tensor(true)});
  return weights;
}

void list(std::string& out, const char* kind, const std::vector<std::string>& names) {
  constexpr size_t kMost = 20;
  if (names.empty()) return;
  out += str("\n  ", names.size(), " ", kind, ":");
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) out += " " + names[i];
  if (names.size() > kMost) out += " ...";
}

}  // namespace

std::string LoadReport::text() const {
  std::string out;
  list(out, "missing", missing);
  list(out, "unexpected", unexpected);
  list(out, "misshapen", misshapen);
  return out;
}

LoadReport load_weights(ParameterStore& store, const StateDict& weights, const std::string& source,
                        const LoadOptions& options) {
  LoadReport report;
  std::vector<std::pair<Parameter*, const Tensor*>> matched;
  std::set<std::string> present;
  for (const NamedTensor& entry : weights) {
    const std::string name = model_name(entry.name, options);
    if (name.empty()) continue;
    Parameter* p = store.find(name);
    if (p == nullptr) {
      report.unexpected.push_back(entry.name);
      continue;
    }
    present.insert(name);
    if (p->role == Role::constant) continue;
    if (fits(entry.value.shape(), p->stored_shape)) {
      matched.emplace_back(p, &entry.value);
    } else {
      report.misshapen.push_back(
          str(entry.name, " (file ", entry.value.shape(), ", model ", p->stored_shape, ")"));
    }
  }
  for (const Parameter& p : store.all())
    if (lies_below(p.name, options.model_prefix) && !present.contains(p.name) &&
        !may_be_missing(p, present))
      report.missing.push_back(p.name);
  check_input(!options.strict || report.clean(), source,
              ": does not fit the model:", report.text());
  for (const auto& [p, value] : matched) load_stored(*p, widened(*value).alias(p->stored_shape));
  return report;
}

StateDict read_weights(const std::string& path) {
  if (looks_like_pth(path)) return read_pth(path);
  const SafetensorsFile file(path);
  StateDict weights;
  for (const auto& entry : file.entries())
    if (!entry.name.starts_with(kTrainingPrefix)) weights.push_back({entry.name, file.read(entry)});
  return weights;
}

LoadReport load_weights(ParameterStore& store, const std::string& path,
                        const LoadOptions& options) {
  return load_weights(store, read_weights(path), path, options);
}

StateDict weights_of(const ParameterStore& store) {
  StateDict weights;
  for (const Parameter& p : store.all()) weights.push_back({p.name, to_stored(p)});
  return weights;
}

void save_weights(const ParameterStore& store, const std::string& path,
                  const std::map<std::string, std::string>& metadata) {
  write_safetensors(path, weights_of(store), metadata);
}

}  // namespace limber
