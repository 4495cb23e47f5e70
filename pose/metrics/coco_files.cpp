// Reading and writing of COCO files; see coco_files.h.
#include "pose/metrics/coco_files.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "data/coco_json.h"
#include "data/image.h"
#include "data/json_reader.h"
#include "tensor/error.h"
#include "tensor/write_file.h"

namespace limber {
namespace {

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

// Of an annotation or a result.
std::vector<std::string> point_keys(bool whole_body) {
  if (!whole_body) return {"keypoints"};
  std::vector<std::string> keys;
  for (const BodyPart& part : kBodyParts) keys.emplace_back(part.key);
  return keys;
}

CocoGroundTruth read_coco_truth(const std::string& file, bool whole_body) {
  CocoOptions options;
  options.keypoint_keys = point_keys(whole_body);
  CocoFile read = read_coco(file, options);
  CocoGroundTruth truth;
  for (const CocoImage& image : read.images)
    truth.images.push_back({image.id, image.width, image.height, image.crowd_index});
  truth.categories.assign(read.categories.begin(), read.categories.end());
  for (CocoAnnotation& from : read.annotations) {
    check_input(from.has_keypoints, file, ": annotation ", from.id, " has no key points");
    check_input(!whole_body || from.keypoints.size() == 3 * kWholeBodyPoints, file, ": annotation ",
                from.id, " has ", from.keypoints.size() / 3, " points, need ", kWholeBodyPoints);
    truth.annotations.push_back(std::make_shared<const RawAnnotation>(RawAnnotation{
        from.id, from.image_id, from.category_id, from.iscrowd, std::max(from.num_keypoints, 0),
        from.area, from.bbox, std::move(from.keypoints)}));
  }
  return truth;
}

std::vector<CocoResult> read_coco_results(const std::string& file, bool whole_body) {
  const std::vector<uint8_t> bytes = read_bytes(file);
  JsonReader r({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file);
  const std::vector<std::string> keys = point_keys(whole_body);
  std::vector<CocoResult> results;
  std::string key;
  std::vector<double> box;
  std::vector<std::vector<double>> parts(keys.size());
  for (r.begin_list(); r.next_item();) {
    CocoResult result;
    bool has_image = false, has_score = false;
    for (auto& part : parts) part.clear();
    r.begin_object();
    while (r.next_key(key)) {
      if (const auto part = std::ranges::find(keys, key); part != keys.end()) {
        r.numbers(parts[size_t(part - keys.begin())]);
      } else if (key == "image_id") {
        result.image_id = r.integer();
        has_image = true;
      } else if (key == "category_id") {
        result.category_id = r.integer();
      } else if (key == "score") {
        result.score = r.number();
        has_score = true;
      } else if (key == "bbox") {
        box.clear();
        r.numbers(box);
        if (!box.empty() && box.size() != 4) r.fail("a bbox is not four numbers");
        if (!box.empty()) result.bbox = {box[0], box[1], box[2], box[3]};
      } else {
        r.skip();
      }
    }
    for (size_t i = 0; i < parts.size(); ++i) {
      const size_t points = parts[i].size() / 3;
      if (parts[i].empty() || parts[i].size() % 3 != 0)
        r.fail("a result without triples under \"" + keys[i] + "\"");
      if (whole_body && points != size_t(kBodyParts[i].end - kBodyParts[i].begin))
        r.fail("\"" + keys[i] + "\" has " + std::to_string(points) + " points");
      result.keypoints.insert(result.keypoints.end(), parts[i].begin(), parts[i].end());
    }
    if (!has_image || !has_score) r.fail("a result without image_id or score");
    results.push_back(std::move(result));
  }
  r.finish();
  return results;
}

double box_area_of_points(std::span<const double> points) {
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
  for (size_t i = 0; i < points.size(); i += 3)
    for (size_t d = 0; d < 2; ++d) {
      low[d] = std::min(low[d], points[i + d]);
      high[d] = std::max(high[d], points[i + d]);
    }
  return points.empty() ? 0 : (high[0] - low[0]) * (high[1] - low[1]);
}

CocoDetection detection_of(const CocoResult& result, int begin, int end, bool whole_body) {
  const std::span<const double> points(result.keypoints);
  check_input(int(points.size()) >= 3 * end, "a result of image ", result.image_id, " has ",
              points.size() / 3, " key points, need ", end);
  const size_t of_area = whole_body ? size_t(kBodyParts[0].end) * 3 : points.size();
  const double area = result.bbox ? (*result.bbox)[2] * (*result.bbox)[3]
                                  : box_area_of_points(points.first(of_area));
  const auto part = points.subspan(3 * size_t(begin), 3 * size_t(end - begin));
  return {result.image_id, result.category_id, result.score, area, {part.begin(), part.end()}};
}

CocoGroundTruth truth_of_part(CocoGroundTruth truth, int begin, int end) {
  for (auto& ann : truth.annotations) {
    check_input(int(ann->keypoints.size()) >= 3 * end, "annotation ", ann->id, " has ",
                ann->keypoints.size() / 3, " key points, need ", end);
    if (begin == 0 && int(ann->keypoints.size()) == 3 * end) continue;
    RawAnnotation some = *ann;
    some.keypoints.assign(ann->keypoints.begin() + 3 * begin, ann->keypoints.begin() + 3 * end);
    ann = std::make_shared<const RawAnnotation>(std::move(some));
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
    out.number(category.first)
        .raw(", \"name\": ")
        .raw(nlohmann::json(category.second).dump())
        .raw("}");
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
