#include "tests/oracle/networks.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <map>

#include "autograd/autograd.h"
#include "nn/stored_layout.h"
#include "pose/core/metainfo.h"
#include "tensor/op.h"
#include "tensor/ops.h"

namespace limber::oracle {

Config to_config(const Json& tree, const std::string& name) {
  return Config::parse(tree.dump(), name);
}

bool is_unknown_type(const std::exception& error) {
  const std::string_view what = error.what();
  return what.find(".type: unknown ") != std::string_view::npos;
}

namespace {

// Of the 64 wavelengths of RTMO's bins, powers of 300, the reference's single-precision power gives
// one that is not the nearest number: 300^(4/64) is an ulp less. In f64 that bit alone moves
// gradients of the head by up to 3e-5 of their root mean square.
void take_reference_wavelengths(const Parameter& p) {
  const Tensor rows = p.value.to(DType::f32).clone();
  check(rows.numel() == 64, p.name, ": ", rows.numel(), " wavelengths, 64 are known");
  float& power = rows.data<float>()[4];
  power = std::nextafter(power, 0.0f);
  load_stored(p, rows);
}

}  // namespace

void fill(ParameterStore& store, double gain) {
  for (const Parameter& p : store.all()) {
    if (p.name.ends_with("dcc.spe.dim_t")) take_reference_wavelengths(p);
    if (p.role == Role::constant || !p.tied_to.empty()) continue;
    const Array values = hash_parameter(p.name, p.stored_shape, gain);
    load_stored(p, to_tensor(values));
  }
}

void check_parameters(const ParameterStore& store, const Json& listing, Case& result) {
  std::map<std::string, std::pair<std::string, std::string>> expected, got;
  for (const Json& row : listing) {
    std::string kind = row.at(2);
    const auto dims = row.at(1).get<std::vector<int64_t>>();
    expected[row.at(0)] = {str(Shape(std::span<const int64_t>(dims))), kind};
  }
  for (const Parameter& p : store.all()) {
    const char* kind = p.role == Role::parameter ? "param"
                       : p.role == Role::buffer  ? "buffer"
                                                 : "constant";
    got[p.name] = {str(p.stored_shape), p.tied_to.empty() ? kind : "tied:" + p.tied_to};
  }
  for (const auto& [name, facts] : expected) {
    const auto it = got.find(name);
    if (it == got.end()) {
      result.expect(false, "parameter missing: " + name + " " + facts.first);
    } else {
      result.expect(it->second == facts, str(name, ": ", it->second.first, " ", it->second.second,
                                             ", expected ", facts.first, " ", facts.second));
    }
  }
  for (const auto& [name, facts] : got)
    result.expect(expected.contains(name), "parameter unexpected: " + name + " " + facts.first);
}

Array feature_array(const Tensor& t) { return t.rank() == 4 ? channels_first(t) : to_array(t); }

namespace {

Tensor sample_array(const Json& sample, const char* key) {
  return sample.contains(key) && !sample.at(key).is_null() ? to_tensor(inline_array(sample.at(key)))
                                                           : Tensor();
}

// What a codec may ask for beside key points; null entries are left out. "camera_param" is nested.
TensorLists more_of(const Json& json) {
  TensorLists more;
  const auto value_of = [](const Json& v) {
    return v.is_number() ? Tensor::full({}, number(v)) : to_tensor(inline_array(v));
  };
  for (const char* key : {"lifting_target", "lifting_target_visible", "factor",
                          "dataset_keypoint_weights", "rel_root_depth", "rel_root_valid",
                          "hand_type", "hand_type_valid", "focal", "principal_pt"})
    if (json.contains(key) && !json.at(key).is_null()) more[key] = {value_of(json.at(key))};
  if (json.contains("camera_param"))
    for (const auto& [name, value] : json.at("camera_param").items())
      more["camera_param/" + name] = {value_of(value)};
  return more;
}

// Encodes one sample with each encoder of "generate_target" and files the arrays under their
// packed names.
void encode_one(const Json& target, const Json& json, DataSample& sample) {
  EncodeInput input;
  input.keypoints = sample_array(json, "keypoints");
  input.visible = sample_array(json, "keypoints_visible");
  input.bboxes = sample_array(json, "bbox");
  input.areas = sample_array(json, "area");
  input.more = more_of(json);
  sample.meta.more = input.more;
  Random random(0);
  input.random = &random;
  const Json encoders =
      target.at("encoder").is_array() ? target.at("encoder") : Json::array({target.at("encoder")});
  for (const Json& encoder : encoders) {
    const auto codec = make_codec(to_config(encoder, "encoder"));
    for (const std::string& key : codec->auxiliary_keys())
      if (key == "category_id") input.more[key] = {Tensor::full({input.bboxes.size(0)}, 1)};
    TensorLists encoded = codec->encode(input);
    // What a codec leaves as it is goes into the labels all the same.
    const auto keep = [&](const char* name, const Tensor& t) {
      if (t.defined()) encoded.try_emplace(name, 1, t);
    };
    keep("bbox", input.bboxes);
    keep("area", input.areas);
    keep("keypoints", input.keypoints);
    keep("keypoints_visible", input.visible);
    const auto file = [&](const std::map<std::string, std::string>& names, TensorLists& into) {
      for (const auto& [packed, source] : names) {
        const auto it = encoded.find(source);
        if (it == encoded.end()) continue;
        for (const Tensor& t : it->second) into[packed].push_back(t);
      }
    };
    file(codec->label_mapping(), sample.labels);
    file(codec->field_mapping(), sample.fields);
    for (const std::string& key : codec->sample_keys())
      if (const auto found = encoded.find(key); found != encoded.end())
        sample.meta.more[key] = found->second;
  }
}

// i64 (L, 2). The samples of the cases that use one are COCO's.
Tensor coco_skeleton() {
  std::vector<int64_t> ends;
  const auto coco = known_metainfo("coco");
  for (const auto& [a, b] : coco->skeleton_links) ends.insert(ends.end(), {a, b});
  return Tensor::from(ends, {int64_t(ends.size()) / 2, 2});
}

// "ones, but zero at [:8, -12:]": 1 but for the first 8 rows of the last 12 columns.
Tensor mask_of(const std::string& words, int64_t height, int64_t width) {
  int rows = 0, columns = 0;
  check(std::sscanf(words.c_str(), "ones, but zero at [:%d, -%d:]", &rows, &columns) == 2,
        "oracle: unknown mask \"", words, "\"");
  Tensor mask = Tensor::full({1, height, width}, 1);
  for (int64_t y = 0; y < rows; ++y)
    std::fill_n(mask.data<float>() + (y + 1) * width - columns, columns, 0.0f);
  return mask;
}

// Targets that no encoder can give: the mask of unannotated people, and the roots that the
// reference drew within a pixel of the people's own (i32 (N, 2)).
void take_recorded(const Json& record, const Json& json, DataSample& sample, Case& result) {
  const std::string name = record.at("name");
  if (name.ends_with("/heatmap_mask")) {
    const auto shape = record.at("shape").get<std::vector<int64_t>>();
    sample.fields["heatmap_mask"] = {
        mask_of(json.at("heatmap_mask").get<std::string>(), shape.at(1), shape.at(2))};
  } else if (name.ends_with("/instance_coords")) {
    const Array drawn = inline_array(record);
    Tensor& own = sample.labels.at("instance_coords").at(0);
    result.expect(own.shape() == drawn.shape, name + ": other people");
    if (!(own.shape() == drawn.shape)) return;
    own = own.clone();
    for (int64_t i = 0; i < own.numel(); ++i) {
      int32_t& v = own.data<int32_t>()[i];
      const auto theirs = int32_t(drawn.values[size_t(i)]);
      result.expect(std::abs(v - theirs) <= 2, name + ": roots too far apart");
      v = theirs;
    }
  }
}

}  // namespace

void check_step(StepCheck check, const File& file, Report& report) {
  try {
    Case strict(file.name);
    check(file, {}, strict);
    if (strict.faults().empty()) return report.add(strict);
    Case repeated(file.name);
    check(file, {DType::f32, 0.2, /*coarse=*/true}, repeated);
    if (repeated.faults().empty()) check(file, {DType::f64, 1e-5}, repeated);
    report.add(repeated);
  } catch (const InputError& error) {
    if (!is_unknown_type(error)) throw;
    report.skip(file.name, error.what());
  }
}

std::vector<DataSample> encode_samples(const File& file, DType dtype, Case& result) {
  std::vector<DataSample> samples;
  for (const Json& json : file.json.at("samples")) {
    DataSample sample;
    sample.gt_instances.keypoints = sample_array(json, "keypoints");
    sample.gt_instances.keypoints_visible = sample_array(json, "keypoints_visible");
    sample.gt_instances.bboxes = sample_array(json, "bbox");
    sample.gt_instances.areas = sample_array(json, "area");
    if (json.contains("input_size")) {  // lifting has no images
      const auto size = json.at("input_size").get<std::vector<int>>();
      sample.meta.input_size = {size.at(0), size.at(1)};
      sample.meta.input_center = {float(size[0]) / 2, float(size[1]) / 2};
      sample.meta.input_scale = {float(size[0]), float(size[1])};
    }
    if (json.contains("img_shape"))
      sample.meta.img_shape = json.at("img_shape").get<std::array<int, 2>>();
    if (json.contains("batch_input_shape"))
      sample.meta.more["batch_input_shape"] = {
          Tensor::from(json.at("batch_input_shape").get<std::vector<int64_t>>(), {2})};
    if (const Json& flips = file.json.at("flip_indices"); !flips.is_null())
      sample.meta.flip_indices = flips.get<std::vector<int>>();
    if (const Json& target = file.json.at("generate_target"); !target.is_null())
      encode_one(target, json, sample);
    sample.meta.more["skeleton_links"] = {coco_skeleton()};
    samples.push_back(std::move(sample));
  }
  for (const Json& record : file.json.value("targets", Json::array())) {
    // target/<sample>/<gt_instance_labels | gt_fields>/<name>
    std::vector<std::string> parts;
    std::string rest = record.at("name");
    for (size_t slash; (slash = rest.find('/')) != std::string::npos; rest = rest.substr(slash + 1))
      parts.push_back(rest.substr(0, slash));
    parts.push_back(rest);
    if (parts.size() < 4) continue;
    const size_t index = std::stoul(parts[1]);
    DataSample& sample = samples.at(index);
    take_recorded(record, file.json.at("samples").at(index), sample, result);
    const TensorLists& lists = parts[2] == "gt_fields" ? sample.fields : sample.labels;
    // Multi-level fields are target/<sample>/gt_fields/<level>/<name>.
    const bool levels = std::isdigit(static_cast<unsigned char>(parts[3][0])) != 0;
    const auto it = lists.find(parts.at(levels ? 4 : 3));
    const size_t level = levels ? std::stoul(parts[3]) : 0;
    if (it == lists.end() || level >= it->second.size()) {
      result.expect(false, "target missing: " + record.at("name").get<std::string>());
    } else if (!levels && it->second.size() > 1) {
      result.compare(record, to_array(stack(it->second, 0)));
    } else {
      result.compare(record, to_array(it->second[level]));
    }
  }
  for (DataSample& sample : samples)
    for (TensorLists* lists : {&sample.labels, &sample.fields})
      for (auto& [name, levels] : *lists)
        for (Tensor& t : levels)
          if (t.dtype() == DType::f32) t = t.to(dtype);
  return samples;
}

Tensor total_loss(const Losses& losses) {
  Tensor total;
  for (const auto& [name, value] : losses) {
    if (name.find("loss") == std::string::npos) continue;
    const Tensor one = sum(value);
    total = total.defined() ? total + one : one;
  }
  check(total.defined(), "no loss among the losses");
  return total;
}

void check_losses_of_step(const Json& json, const Losses& losses, Case& result) {
  for (const Json& record : json.at("losses")) {
    const std::string name = record.at("name");
    const auto it =
        std::ranges::find_if(losses, [&](const auto& l) { return "loss/" + l.first == name; });
    if (it == losses.end()) {
      result.expect(false, "loss missing: " + name);
    } else {
      result.compare(
          record, to_array(it->second),
          {.of_std = 2e-4, .absolute = 2e-4 * std::abs(number(json.at("total"))) + 1e-6});
    }
  }
  if (!json.at("total").is_null()) {
    const double expected = number(json.at("total")), got = total_loss(losses).item();
    result.expect(std::abs(got - expected) <= 2e-4 * std::abs(expected) + 1e-6,
                  str("total ", got, ", expected ", expected));
  }
}

void check_gradients(const Json& records, const ParameterStore& store,
                     const std::vector<std::pair<std::string, Tensor>>& inputs,
                     const Precision& precision, Case& result, bool as_recorded) {
  std::vector<std::pair<const Json*, Array>> pairs;
  double largest = 0;  // root mean square of a gradient
  for (const Json& record : records) {
    const std::string name = record.at("name").get<std::string>().substr(5);  // behind "grad:"
    const bool none = record.value("none", false);
    const Parameter* p = store.find(name);
    const auto input = std::ranges::find(inputs, name, &std::pair<std::string, Tensor>::first);
    if (p == nullptr && input == inputs.end()) {
      result.expect(false, "gradient of unknown " + name);
      continue;
    }
    const Tensor grad = grad_of(p != nullptr ? p->value : input->second);
    if (none || !grad.defined()) {
      result.expect(none == !grad.defined(),
                    name + (none ? ": a gradient, none expected" : ": no gradient"));
      continue;
    }
    pairs.emplace_back(&record, p != nullptr  ? to_array(to_stored(*p, grad))
                                : as_recorded ? to_array(grad)
                                              : feature_array(grad));
    // Features of sequences are recorded without the extent of 1 that stands for height.
    Array& got = pairs.back().second;
    if (record.contains("shape") && record.at("shape").size() == 3 && got.shape.rank() == 4)
      got.shape = got.shape.without(2);
    double square = 0;
    for (double v : pairs.back().second.values) square += v * v;
    largest = std::max(largest, std::sqrt(square / std::max<double>(1, double(grad.numel()))));
  }
  const double floor = precision.coarse ? 1e-4 * largest : 0;
  for (const auto& [record, actual] : pairs)
    result.compare(*record, actual,
                   {.of_std = precision.gradients,
                    .absolute = 1e-9 + floor,
                    .finite_for_nan = true,
                    .mean_square = precision.coarse});
}

void check_buffers(const Json& records, const ParameterStore& store, const Precision& precision,
                   Case& result) {
  for (const Json& record : records) {
    const std::string name = record.at("name").get<std::string>().substr(6);  // behind "after:"
    const Parameter* p = store.find(name);
    if (p == nullptr) {
      result.expect(false, "buffer missing: " + name);
    } else {
      // The coarse bound is that of the outputs of whole networks.
      result.compare(record, to_array(to_stored(*p)), {.of_std = precision.coarse ? 1e-3 : 2e-4});
    }
  }
}

}  // namespace limber::oracle
