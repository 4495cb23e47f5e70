// Codecs against recorded encodings and decodings.
#include "pose/codecs/codec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>

#include "tests/oracle/oracle.h"

namespace limber::oracle {
namespace {

Tensor to_input(const Json& value) {
  if (value.is_null()) return {};
  return to_tensor(inline_array(value));
}

EncodeInput encode_input(const Json& inputs) {
  EncodeInput input;
  for (const auto& [key, value] : inputs.items()) {
    if (key == "keypoints") {
      input.keypoints = to_input(value);
    } else if (key == "keypoints_visible") {
      input.visible = to_input(value);
    } else if (key == "bbox" || key == "bboxes") {
      input.bboxes = to_input(value);
    } else if (key == "area") {
      input.areas = to_input(value);
    } else if (value.is_object() && !value.contains("values")) {
      for (const auto& [name, item] : value.items())
        input.more[str(key, "/", name)] = {to_input(item)};
    } else if (!value.is_null()) {
      input.more[key] = {to_input(value)};
    }
  }
  return input;
}

// The arrays of a config as the lists a config file would hold.
Json plain(const Json& value) {
  if (value.is_object() && value.contains("values") && value.contains("shape")) {
    const Array array = inline_array(value);
    check(array.shape.rank() == 2, "codec option of shape ", array.shape);
    Json rows = Json::array();
    for (int64_t i = 0; i < array.shape[0]; ++i) {
      Json row = Json::array();
      for (int64_t j = 0; j < array.shape[1]; ++j)
        row.push_back(array.values[size_t(i * array.shape[1] + j)]);
      rows.push_back(row);
    }
    return rows;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [key, item] : value.items()) out[key] = plain(item);
  return out;
}

std::unique_ptr<Codec> codec_of(const Json& one) {
  return make_codec(Config::parse(plain(one.at("codec")).dump(), "codec"));
}

// Encodes one case. Which random numbers the recorded run drew is unknown; where the record shows
// what they led to, seeds are tried until it comes out.
TensorLists encode_case(const Json& one) {
  const auto codec = codec_of(one);
  EncodeInput input = encode_input(one.at("inputs"));
  const Json* drawn = nullptr;
  if (one.contains("outputs"))
    for (const Json& record : one["outputs"])
      if (record.at("name") == "encoded/instance_coords") drawn = &record;
  TensorLists encoded;
  for (uint64_t seed = 0; seed < 20000; ++seed) {
    Random random(seed);
    input.random = &random;
    encoded = codec->encode(input);
    if (drawn == nullptr) break;
    if (to_array(encoded.at("instance_coords")[0]).values == inline_array(*drawn).values) break;
  }
  return encoded;
}

Array concatenated(const std::vector<Tensor>& levels) {
  Array all = to_array(levels[0]);
  check(levels.size() == 1, "one level is wanted");
  return all;
}

// Encode cases by name; some that a decode case names are not in the folder.
class EncodeCases {
 public:
  explicit EncodeCases(const File& file) {
    for (const Json& one : file.json.at("cases"))
      if (one.at("op") == "encode") own_.push_back(one);
    for (const auto& entry : std::filesystem::directory_iterator(file.root / "codecs")) {
      std::ifstream in(entry.path());
      for (const Json& one : Json::parse(in).at("cases"))
        if (one.at("op") == "encode") others_.push_back(one);
    }
  }
  // All that the case may mean: itself, or its codec on the inputs of another case, the file's own
  // first. (The recorded cases of one codec share their inputs.)
  std::vector<Json> candidates(const std::string& name, const Json& codec) const {
    for (const Json& one : own_)
      if (one.at("name") == name) return {one};
    std::vector<Json> found;
    for (const auto* cases : {&own_, &others_})
      for (const Json& one : *cases) {
        Json made = {{"name", name}, {"op", "encode"}, {"codec", codec}, {"inputs", one["inputs"]}};
        found.push_back(made);
      }
    return found;
  }

 private:
  std::vector<Json> own_, others_;
};

// The name in encode()'s result that a decode input is made from.
std::string encoded_name(const std::string& input) {
  if (input == "simcc_x") return "keypoint_x_labels";
  if (input == "simcc_y") return "keypoint_y_labels";
  if (input == "instance_heatmaps" || input == "displacements") return input;
  return "heatmaps";
}

Array decode_array(const Json& spec, const std::string& input, const Json& encode) {
  const std::string kind = spec.at("array");
  if (spec.contains("encode_case")) {
    const TensorLists encoded = encode_case(encode);
    Array array = concatenated(encoded.at(encoded_name(input)));
    const bool last_only = kind.find("[-1:]") != std::string::npos;
    if (last_only) {
      const size_t area = size_t(array.shape.inner(0));
      array.values.erase(array.values.begin(), array.values.end() - std::ptrdiff_t(area));
      array.shape = array.shape.with(0, 1);
    }
    if (!spec.contains("hashfill")) return array;
    const double amp = spec.contains("amp") ? number(spec["amp"]) : 0.005;
    const Array noise = hashv(spec.at("hashfill").get<std::string>(), array.shape);
    for (size_t i = 0; i < array.values.size(); ++i)
      array.values[i] = float(array.values[i] + amp * noise.values[i]);
    return array;
  }
  const auto dims = spec.at("shape").get<std::vector<int64_t>>();
  const Shape shape{std::span<const int64_t>(dims)};
  const std::string name = spec.at("hashfill");
  if (kind == "u01") return hashu(name, shape, 0, 1);
  Array array = hashv(name, shape);
  double scale = 1;
  if (kind == "0.5*v") {
    scale = 0.5;
  } else if (kind != "v") {
    fail("decode input \"", kind, "\" is not known");
  }
  for (double& v : array.values) v = float(scale * v);
  return array;
}

// The inputs of a decode in the order of the reference's parameters.
const std::map<std::string, std::vector<std::string>>& decode_order() {
  static const std::map<std::string, std::vector<std::string>> order = {
      {"SimCCLabel", {"simcc_x", "simcc_y"}},
      {"DecoupledHeatmap", {"instance_heatmaps", "instance_scores"}},
      {"SPR", {"heatmaps", "displacements"}},
      {"EDPoseLabel", {"input_shapes", "pred_logits", "pred_boxes", "pred_keypoints"}},
      {"Hand3DHeatmap", {"heatmaps", "root_depth", "hand_type"}},
      {"ImagePoseLifting", {"encoded", "target_root"}},
      {"VideoPoseLifting", {"encoded", "target_root"}},
      {"MotionBERTLabel", {"encoded", "w", "h", "factor"}},
  };
  return order;
}

std::vector<Tensor> decode_inputs(const Json& one, const Json& encode) {
  const Json& inputs = one.at("inputs");
  if (inputs.contains("array")) return {to_tensor(decode_array(inputs, "", encode))};
  std::vector<Tensor> tensors;
  for (const std::string& name : decode_order().at(one.at("codec").at("type"))) {
    if (!inputs.contains(name) || inputs[name].is_null()) {
      tensors.push_back({});
    } else if (inputs[name].is_object() && inputs[name].contains("array")) {
      tensors.push_back(to_tensor(decode_array(inputs[name], name, encode)));
    } else {
      tensors.push_back(to_input(inputs[name]));
    }
  }
  return tensors;
}

// What the reference returns at this place of its (nested) tuple.
Tensor decoded_part(const Decoded& d, const std::string& codec, const std::string& place) {
  const auto more = [&](const char* name) { return d.more.at(name)[0]; };
  if (codec == "EDPoseLabel")
    return place == "0" ? more("bboxes") : place == "1" ? d.keypoints : d.scores;
  if (codec == "Hand3DHeatmap" && place == "2") return more("rel_root_depth");
  if (codec == "Hand3DHeatmap" && place == "3") return more("hand_type");
  if (codec == "SPR" && place == "1/0") return d.instance_scores;
  if (codec == "AssociativeEmbedding" && place == "2/0") return d.instance_scores;
  if (codec == "SimCCLabel" && place == "1/1") return d.visible;
  return place.substr(0, 1) == "0" ? d.keypoints : d.scores;
}

// Newton steps on noise may divide by almost nothing; then the rounding of the reference's f32
// logarithms decides, and its number means nothing beyond that.
bool takes_newton_steps(const Json& codec) {
  return codec.value("unbiased", false) || codec.value("use_dark", false) ||
         (codec.at("type") == "UDPHeatmap" && codec.value("heatmap_type", "") != "combined");
}

// actual[i] becomes expected[i] where they differ by less than rounding the inputs a little
// differently moves actual[i].
void forgive_rounding(const Json& record, const Array& nudged, Array& actual) {
  if (!record.contains("values")) return;
  const Array expected = inline_array(record);
  for (size_t i = 0; i < actual.values.size(); ++i) {
    const double swing = std::abs(nudged.values[i] - actual.values[i]);
    if (std::abs(expected.values[i] - actual.values[i]) < 4 * swing && swing < 2)
      actual.values[i] = expected.values[i];
  }
}

void compare_decoded(Case& result, const Json& one, std::span<const Tensor> inputs) {
  const std::string type = one.at("codec").at("type");
  const auto codec = codec_of(one);
  const Decoded decoded = codec->decode(inputs);
  Decoded nudged;
  const bool newton = takes_newton_steps(one.at("codec"));
  if (newton) {
    std::vector<Tensor> others;
    for (const Tensor& t : inputs) {
      others.push_back(t.clone());
      const Array noise = hashv("rounding", t.shape());
      for (int64_t i = 0; i < t.numel(); ++i)
        others.back().data<float>()[i] *= float(1 + 0x1p-22 * noise.values[size_t(i)]);
    }
    nudged = codec->decode(others);
  }
  for (const Json& record : one.at("outputs")) {
    const std::string place = record.at("name").get<std::string>().substr(sizeof("decoded/") - 1);
    const Tensor part = decoded_part(decoded, type, place);
    result.expect(part.defined(), str("decoded/", place, " is missing"));
    if (!part.defined()) continue;
    Array actual = to_array(part);
    if (newton) forgive_rounding(record, to_array(decoded_part(nudged, type, place)), actual);
    result.compare(record, actual);
  }
}

// Tags 0.2 v, plus 3 n on the 5 x 5 window around each encoded key point of person n.
Array embedding_tags(const Json& spec, const Tensor& indices) {
  const auto dims = spec.at("shape").get<std::vector<int64_t>>();
  Array tags = hashv(spec.at("hashfill").get<std::string>(), Shape(std::span(dims).subspan(1)));
  for (double& v : tags.values) v = float(0.2 * v);
  const int64_t height = dims[2], width = dims[3];
  const Array flat = to_array(indices);
  for (int64_t n = 0; n < flat.shape[0]; ++n)
    for (int64_t k = 0; k < flat.shape[1]; ++k) {
      const double* entry = flat.values.data() + (n * flat.shape[1] + k) * 2;
      if (entry[1] != 1) continue;
      const int64_t y0 = int64_t(entry[0]) / width, x0 = int64_t(entry[0]) % width;
      for (int64_t y = std::max<int64_t>(0, y0 - 2); y <= std::min(height - 1, y0 + 2); ++y)
        for (int64_t x = std::max<int64_t>(0, x0 - 2); x <= std::min(width - 1, x0 + 2); ++x) {
          double& v = tags.values[size_t((k * height + y) * width + x)];
          v = float(v + 3.0 * double(n));
        }
    }
  return tags;
}

// The people that the recorded decoding came from, in an order of theirs. The record does not hold
// them, only what they decode to: a fixed point of people -> people + (recorded - decoded). Scores,
// the joints filled in, and the tags' summary are not fitted and stay as checks.
class PeopleBehind {
 public:
  PeopleBehind(const Json& one, const std::array<int64_t, 3>& order)
      : one_(one),
        codec_(codec_of(one)),
        wanted_(inline_array(one.at("outputs").at(0))),
        scores_(inline_array(one.at("outputs").at(1))),
        order_(order) {
    check(wanted_.shape[0] == 3, "three people are expected, not ", wanted_.shape);
    input_.keypoints = to_tensor(wanted_);
    input_.visible = to_tensor(scores_);
    // The decoding adds a shift that the people do not have.
    const Json& options = one.at("codec");
    const double shift = options.value("decode_center_shift", 0.0) *
                         options.at("input_size").at(0).get<double>() /
                         options.at("heatmap_size").at(0).get<double>();
    for (int64_t i = 0; i < scores_.shape.numel(); ++i) {
      const double* p = wanted_.values.data() + 2 * i;
      const double start[] = {p[0] - shift, p[1] - shift};
      place(i, start);
    }
  }

  // {heatmaps, tags} of the people found; none where the tags are not the recorded ones.
  std::vector<Tensor> find() {
    std::vector<Tensor> inputs;
    for (int round = 0; round < 10; ++round) {
      inputs = encoded();
      const Decoded decoded = codec_->decode(inputs);
      if (!(decoded.keypoints.shape() == wanted_.shape)) return {};
      for (int64_t i = 0; i < scores_.shape.numel(); ++i) {
        const float* got = decoded.keypoints.data<float>() + 2 * i;
        const float* now = input_.keypoints.data<float>() + 2 * row(i);
        const double next[] = {now[0] + wanted_.values[size_t(2 * i)] - got[0],
                               now[1] + wanted_.values[size_t(2 * i + 1)] - got[1]};
        if (scores_.values[size_t(i)] > 0.5) place(i, next);
      }
    }
    // Inputs have two decimals.
    for (float& v : input_.keypoints.span<float>()) v = std::round(v * 100) / 100;
    return encoded();
  }

 private:
  int64_t row(int64_t i) const { return order_[size_t(i / 17)] * 17 + i % 17; }
  void place(int64_t i, const double* xy) {
    input_.keypoints.data<float>()[2 * row(i)] = float(xy[0]);
    input_.keypoints.data<float>()[2 * row(i) + 1] = float(xy[1]);
    input_.visible.data<float>()[row(i)] = scores_.values[size_t(i)] > 0.5 ? 1 : 0;
  }
  std::vector<Tensor> encoded() {
    const Json &inputs = one_.at("inputs"), &noise = inputs.at("batch_heatmaps");
    const TensorLists targets = codec_->encode(input_);
    const Array tags = embedding_tags(inputs.at("batch_tags"), targets.at("keypoint_indices")[0]);
    Array maps = to_array(targets.at("heatmaps")[0]);
    const Array v = hashv(noise.at("hashfill").get<std::string>(), maps.shape);
    for (size_t i = 0; i < maps.values.size(); ++i)
      maps.values[i] = float(maps.values[i] + number(noise.at("amp")) * v.values[i]);
    return {to_tensor(maps), to_tensor(tags)};
  }

  const Json& one_;
  std::unique_ptr<Codec> codec_;
  Array wanted_, scores_;
  std::array<int64_t, 3> order_;
  EncodeInput input_;
};

void check_batch_decode(Case& result, const Json& one) {
  std::array<int64_t, 3> order = {0, 1, 2};
  do {
    const std::vector<Tensor> inputs = PeopleBehind(one, order).find();
    if (inputs.empty()) continue;
    Case tags("tags");
    tags.compare(one.at("inputs").at("batch_tags").at("sampled"), to_array(inputs[1]));
    if (tags.faults().empty()) return compare_decoded(result, one, inputs);
  } while (std::next_permutation(order.begin(), order.end()));
  result.expect(false, "no people were found that encode to the recorded tags");
}

// The name of an encode case that any of the inputs refers to, or "".
std::string referred(const Json& inputs) {
  if (inputs.contains("encode_case")) return inputs["encode_case"];
  for (const Json& item : inputs)
    if (item.is_object() && item.contains("encode_case")) return item["encode_case"];
  return "";
}

// Whether an input carries a summary, and the case at hand does not reproduce it.
bool contradicted(const Json& one, const Json& encode) {
  for (const auto& [name, item] : one.at("inputs").items()) {
    if (!item.is_object() || !item.contains("sampled")) continue;
    Case probe(name);
    probe.compare(item["sampled"], decode_array(item, name, encode));
    if (!probe.faults().empty()) return true;
  }
  return false;
}

void check_case(Case& result, const Json& one, const EncodeCases& cases) {
  const std::string op = one.at("op");
  if (op == "encode") {
    const TensorLists encoded = encode_case(one);
    for (const Json& record : one.at("outputs")) {
      const std::string name = record.at("name").get<std::string>().substr(sizeof("encoded/") - 1);
      const auto found = encoded.find(name);
      result.expect(found != encoded.end(), str(name, " is missing"));
      if (found != encoded.end()) result.compare(record, concatenated(found->second));
    }
    return;
  }
  if (op == "batch_decode") return check_batch_decode(result, one);
  const std::string name = referred(one.at("inputs"));
  const auto candidates =
      name.empty() ? std::vector<Json>{Json()} : cases.candidates(name, one.at("codec"));
  for (const Json& encode : candidates) {
    if (name.empty() || !contradicted(one, encode)) {
      compare_decoded(result, one, decode_inputs(one, encode));
      return;
    }
  }
  result.expect(false, str("no inputs found for the encode case ", name));
}

}  // namespace

void check_codecs(const File& file, Report& report) {
  const EncodeCases cases(file);
  for (const Json& one : file.json.at("cases")) {
    Case result(one.at("name").get<std::string>());
    try {
      check_case(result, one, cases);
    } catch (const std::exception& error) {
      result.expect(false, error.what());
    }
    report.add(result);
  }
}

}  // namespace limber::oracle
