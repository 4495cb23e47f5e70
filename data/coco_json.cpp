#include "data/coco_json.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "data/image.h"
#include "data/json_reader.h"

namespace limber {
namespace {

int64_t index_of(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : found - names.begin();
}

// COCO's printable run lengths: groups of 5 bits, low first, offset 48, bit 5 says that more
// follow; from the third on a run is given as the difference to the one before the last.
std::vector<uint32_t> decode_runs(const std::string& text) {
  std::vector<uint32_t> runs;
  for (size_t at = 0; at < text.size();) {
    int64_t value = 0;
    for (int shift = 0; at < text.size(); shift += 5) {
      const int c = text[at++] - 48;
      if (shift < 60) value |= int64_t(c & 0x1F) << shift;
      if (c & 0x20) continue;
      if ((c & 0x10) && shift < 55) value |= -(int64_t(1) << (shift + 5));
      break;
    }
    if (runs.size() > 2) value += runs[runs.size() - 2];
    runs.push_back(uint32_t(std::max<int64_t>(value, 0)));
  }
  return runs;
}

Segmentation read_segmentation(JsonReader& r) {
  Segmentation out;
  std::string key;
  std::vector<double> numbers;
  if (r.peek() == JsonReader::Kind::list) {
    r.begin_list();
    while (r.next_item()) {
      numbers.clear();
      r.peek() == JsonReader::Kind::list ? r.numbers(numbers) : r.skip();
      if (!numbers.empty()) out.polygons.emplace_back(numbers.begin(), numbers.end());
    }
  } else if (r.peek() == JsonReader::Kind::object) {
    r.begin_object();
    while (r.next_key(key)) {
      numbers.clear();
      if (key == "size") {
        r.numbers(numbers);
        if (numbers.size() == 2) out.size = {int(numbers[0]), int(numbers[1])};
      } else if (key == "counts" && r.peek() == JsonReader::Kind::string) {
        out.run_lengths = decode_runs(r.string());
      } else if (key == "counts") {
        r.numbers(numbers);
        out.run_lengths.assign(numbers.begin(), numbers.end());
      } else {
        r.skip();
      }
    }
  } else {
    r.skip();
  }
  return out;
}

CocoImage read_image_entry(JsonReader& r, const CocoOptions& options) {
  CocoImage image;
  image.extra.resize(options.extra_image_keys.size());
  std::string key;
  r.begin_object();
  while (r.next_key(key)) {
    if (const int64_t i = index_of(options.extra_image_keys, key); i >= 0) {
      const bool text = r.peek() == JsonReader::Kind::string;
      image.extra[size_t(i)] = text ? r.string() : std::to_string(r.integer());
      if (key == "file_name") image.file_name = image.extra[size_t(i)];
    } else if (key == "id") {
      image.id = r.integer();
    } else if (key == "file_name") {
      image.file_name = r.string();
    } else if (key == "width" || key == "height") {
      (key == "width" ? image.width : image.height) = int(r.number());
    } else if (key == "crowdIndex") {
      image.crowd_index = r.number();
    } else {
      r.skip();
    }
  }
  if (image.id < 0) r.fail("an image without id");
  if (image.width < 0 || image.height < 0) r.fail("an image of negative size");
  return image;
}

CocoAnnotation read_annotation(JsonReader& r, const CocoOptions& options) {
  CocoAnnotation a;
  a.extra.resize(options.extra_keys.size());
  std::vector<std::vector<double>> parts(options.keypoint_keys.size());
  std::string key;
  r.begin_object();
  while (r.next_key(key)) {
    if (r.peek() == JsonReader::Kind::null) {
      r.null();
    } else if (const int64_t part = index_of(options.keypoint_keys, key); part >= 0) {
      r.numbers(parts[size_t(part)]);
      if (parts[size_t(part)].size() % 3 != 0) r.fail("\"" + key + "\" does not hold triples");
      a.has_keypoints = a.has_keypoints || part == 0;
    } else if (const int64_t i = index_of(options.extra_keys, key); i >= 0) {
      r.numbers(a.extra[size_t(i)]);
    } else if (key != "segmentation" && r.peek() == JsonReader::Kind::object) {
      const std::string outer = key;
      for (r.begin_object(); r.next_key(key);) {
        const int64_t inner = index_of(options.extra_keys, outer + "/" + key);
        inner >= 0 ? r.numbers(a.extra[size_t(inner)]) : r.skip();
      }
    } else if (key == "id") {
      a.id = r.integer();
    } else if (key == "image_id") {
      a.image_id = r.integer();
    } else if (key == "category_id") {
      a.category_id = int(r.integer());
    } else if (key == "iscrowd") {
      a.iscrowd = r.boolean();
    } else if (key == "num_keypoints") {
      a.num_keypoints = int(r.number());
    } else if (key == "area") {
      a.area = r.number();
      a.has_area = true;
    } else if (key == "bbox") {
      std::vector<double> box;
      r.numbers(box);
      const bool fine = box.size() == 4 && std::all_of(box.begin(), box.end(),
                                                       [](double v) { return std::isfinite(v); });
      if (!fine) r.fail("a bbox is not four finite numbers");
      std::copy(box.begin(), box.end(), a.bbox.begin());
      a.has_bbox = true;
    } else if (key == "segmentation") {
      a.segmentation = read_segmentation(r);
    } else {
      r.skip();
    }
  }
  for (const auto& part : parts) a.keypoints.insert(a.keypoints.end(), part.begin(), part.end());
  return a;
}

std::pair<int, std::string> read_category(JsonReader& r) {
  std::pair<int, std::string> category{-1, ""};
  std::string key;
  r.begin_object();
  while (r.next_key(key)) {
    if (key == "id")
      category.first = int(r.integer());
    else if (key == "name" && r.peek() == JsonReader::Kind::string)
      category.second = r.string();
    else
      r.skip();
  }
  return category;
}

void check_references(const CocoFile& file, const std::string& path, bool unlisted) {
  std::unordered_set<int64_t> images;
  for (const CocoImage& image : file.images) images.insert(image.id);
  for (const CocoAnnotation& a : file.annotations) {
    check_input(images.count(a.image_id) > 0, path, ": annotation ", a.id,
                " is of an image that the file does not list: ", a.image_id);
    const bool known =
        unlisted || file.categories.empty() ||
        std::any_of(file.categories.begin(), file.categories.end(),
                    [&](const auto& category) { return category.first == a.category_id; });
    check_input(known, path, ": annotation ", a.id, " is of category ", a.category_id,
                ", which the file does not list");
  }
}

}  // namespace

CocoFile read_coco(const std::string& path, const CocoOptions& options) {
  const std::vector<uint8_t> bytes = read_bytes(path);
  JsonReader r({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
  CocoFile file;
  bool has_images = false, has_annotations = false;
  std::string key;
  if (r.peek() != JsonReader::Kind::object)
    fail_input(path, ": not a COCO annotation file: it must be a JSON object");
  r.begin_object();
  while (r.next_key(key)) {
    if (key == "images") {
      has_images = true;
      for (r.begin_list(); r.next_item();) file.images.push_back(read_image_entry(r, options));
    } else if (key == "annotations") {
      has_annotations = true;
      for (r.begin_list(); r.next_item();) file.annotations.push_back(read_annotation(r, options));
    } else if (key == "categories") {
      for (r.begin_list(); r.next_item();) file.categories.push_back(read_category(r));
    } else {
      r.skip();
    }
  }
  r.finish();
  check_input(has_images && has_annotations, path, ": not a COCO annotation file: it has no \"",
              has_images ? "annotations" : "images", "\"");
  check_references(file, path, options.unlisted_categories);
  return file;
}

std::vector<Detection> read_detections(const std::string& path) {
  const std::vector<uint8_t> bytes = read_bytes(path);
  JsonReader r({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
  std::vector<Detection> out;
  std::string key;
  for (r.begin_list(); r.next_item();) {
    Detection d;
    bool has_box = false;
    r.begin_object();
    while (r.next_key(key)) {
      if (key == "image_id") {
        d.image_id = r.integer();
      } else if (key == "category_id") {
        d.category_id = int(r.integer());
      } else if (key == "score") {
        d.score = r.number();
      } else if (key == "bbox") {
        std::vector<double> box;
        r.numbers(box);
        if (box.size() < 4) r.fail("a bbox is not four numbers");
        for (size_t i = 0; i < 4; ++i)
          if (!std::isfinite(box[i])) r.fail("a bbox is not four finite numbers");
        std::copy_n(box.begin(), 4, d.bbox.begin());
        has_box = true;
      } else {
        r.skip();
      }
    }
    if (d.image_id < 0 || !has_box) r.fail("a detection without image_id or bbox");
    out.push_back(d);
  }
  r.finish();
  return out;
}

}  // namespace limber
