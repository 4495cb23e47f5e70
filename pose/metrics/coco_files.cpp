// Reading and writing of COCO files; see coco_files.h.
#include "pose/metrics/coco_files.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>

#include "tensor/error.h"
#include "tensor/write_file.h"

namespace limber {
namespace {

using Json = nlohmann::json;

// Segmentations are most of a COCO file and nothing here reads them: they are dropped while
// parsing.
bool keep(int, Json::parse_event_t event, Json& parsed) {
  return event != Json::parse_event_t::key || parsed != "segmentation";
}

RawAnnotation read_annotation(const Json& json, bool whole_body) {
  RawAnnotation ann;
  ann.id = json.at("id").get<int64_t>();
  ann.image_id = json.at("image_id").get<int64_t>();
  ann.category_id = json.value("category_id", int64_t(1));
  if (const auto crowd = json.find("iscrowd"); crowd != json.end())
    ann.iscrowd = crowd->is_boolean() ? crowd->get<bool>() : crowd->get<int>() != 0;
  ann.num_keypoints = json.value("num_keypoints", 0);
  ann.area = json.value("area", 0.0);
  if (json.contains("bbox")) ann.bbox = json.at("bbox").get<std::array<double, 4>>();
  if (!whole_body) {
    ann.keypoints = json.at("keypoints").get<std::vector<double>>();
    return ann;
  }
  for (const BodyPart& part : kBodyParts) {
    const auto points = json.at(part.key).get<std::vector<double>>();
    check_input(int(points.size()) == 3 * (part.end - part.begin), "annotation ", ann.id, ": ",
                part.key, " has ", points.size() / 3, " points");
    ann.keypoints.insert(ann.keypoints.end(), points.begin(), points.end());
  }
  return ann;
}

CocoTruthImage read_image(const Json& json) {
  CocoTruthImage image;
  image.id = json.at("id").get<int64_t>();
  image.width = json.value("width", 0);
  image.height = json.value("height", 0);
  image.crowd_index = json.value("crowdIndex", 0.0);
  return image;
}

// JSON text, built from left to right; numbers in their shortest form that reads back the same.
class JsonText {
 public:
  JsonText& raw(std::string_view text) {
    out_ += text;
    return *this;
  }
  template <class Number>
  JsonText& number(Number value) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value);
    out_.append(buffer, end.ptr);
    return *this;
  }
  JsonText& list(std::span<const double> values) {
    raw("[");
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) raw(", ");
      number(values[i]);
    }
    return raw("]");
  }
  // The points under one key, or under the five keys of the parts.
  JsonText& keypoints(std::span<const double> values, bool whole_body) {
    if (!whole_body) return raw("\"keypoints\": ").list(values);
    for (const BodyPart& part : kBodyParts)
      raw(part.begin > 0 ? ", \"" : "\"")
          .raw(part.key)
          .raw("\": ")
          .list(values.subspan(size_t(part.begin) * 3, size_t(part.end - part.begin) * 3));
    return *this;
  }
  const std::string& text() const { return out_; }

 private:
  std::string out_;
};

}  // namespace

CocoGroundTruth read_coco_truth(const std::string& file, bool whole_body) {
  std::ifstream in(file, std::ios::binary);
  check_input(in.good(), file, ": cannot be opened");
  CocoGroundTruth truth;
  try {
    const Json json = Json::parse(in, keep);
    for (const Json& image : json.at("images")) truth.images.push_back(read_image(image));
    for (const Json& category : json.at("categories"))
      truth.categories.emplace_back(category.at("id").get<int64_t>(), category.value("name", ""));
    for (const Json& ann : json.at("annotations"))
      truth.annotations.push_back(
          std::make_shared<const RawAnnotation>(read_annotation(ann, whole_body)));
  } catch (const Json::exception& error) {
    fail_input(file, ": ", error.what());
  } catch (const InputError& error) {
    fail_input(file, ": ", error.what());
  }
  return truth;
}

void write_whole(const std::string& file, const std::string& text) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  if (!folder.empty()) make_folder(folder.string());
  write_file_atomically(file, text);
}

void write_coco_results(const std::string& file, const std::vector<CocoResult>& results,
                        bool whole_body) {
  JsonText out;
  out.raw("[");
  for (const CocoResult& result : results) {
    out.raw(&result == results.data() ? "\n{" : ",\n{");
    if (result.bbox) out.raw("\"bbox\": ").list(*result.bbox).raw(", ");
    out.raw("\"category_id\": ").number(result.category_id);
    out.raw(", \"image_id\": ").number(result.image_id).raw(", ");
    out.keypoints(result.keypoints, whole_body);
    out.raw(", \"score\": ").number(result.score).raw("}");
  }
  out.raw("\n]\n");
  write_whole(file, out.text());
}

void write_coco_truth(const std::string& file, const CocoGroundTruth& truth, bool whole_body) {
  JsonText out;
  out.raw("{\"info\": {\"description\": \"annotations of the evaluated samples\"},\n\"images\": [");
  for (const CocoTruthImage& image : truth.images) {
    out.raw(&image == truth.images.data() ? "\n" : ",\n").raw("{\"id\": ").number(image.id);
    out.raw(", \"width\": ").number(image.width).raw(", \"height\": ").number(image.height);
    out.raw(", \"crowdIndex\": ").number(image.crowd_index).raw("}");
  }
  out.raw("],\n\"categories\": [");
  for (const auto& category : truth.categories) {
    out.raw(&category == truth.categories.data() ? "" : ", ").raw("{\"id\": ");
    out.number(category.first).raw(", \"name\": ").raw(Json(category.second).dump()).raw("}");
  }
  out.raw("],\n\"annotations\": [");
  for (size_t i = 0; i < truth.annotations.size(); ++i) {
    const RawAnnotation& ann = *truth.annotations[i];
    out.raw(i == 0 ? "\n" : ",\n").raw("{\"id\": ").number(ann.id);
    out.raw(", \"image_id\": ").number(ann.image_id);
    out.raw(", \"category_id\": ").number(ann.category_id);
    out.raw(", \"iscrowd\": ").number(int(ann.iscrowd));
    out.raw(", \"num_keypoints\": ").number(ann.num_keypoints);
    if (ann.area > 0) out.raw(", \"area\": ").number(ann.area);
    out.raw(", \"bbox\": ").list(ann.bbox).raw(", ");
    out.keypoints(ann.keypoints, whole_body).raw("}");
  }
  out.raw("]}\n");
  write_whole(file, out.text());
}

}  // namespace limber
