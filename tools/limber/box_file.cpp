#include "tools/limber/box_file.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "pose/core/bbox.h"
#include "tensor/error.h"

namespace limber::tool {
namespace {

using Json = nlohmann::json;

// "000000000785.jpg" and 785 are one image.
std::string key_of(const std::string& file) {
  const std::string stem = std::filesystem::path(file).stem();
  const size_t digits = stem.find_first_not_of('0');
  const bool number = !stem.empty() && stem.find_first_not_of("0123456789") == std::string::npos;
  return number ? (digits == std::string::npos ? "0" : stem.substr(digits)) : stem;
}

BoxFile::Box parse_box(const Json& entry, const std::string& where) {
  check_input(entry.is_object() && entry.contains("bbox") && entry["bbox"].is_array() &&
                  entry["bbox"].size() == 4,
              where, ": no \"bbox\" of four numbers");
  BoxFile::Box box;
  std::array<double, 4> xywh;
  for (size_t i = 0; i < 4; ++i) {
    check_input(entry["bbox"][i].is_number(), where, ": bbox holds something that is no number");
    xywh[i] = entry["bbox"][i].get<double>();
  }
  check_input(is_sane_box(xywh), where, ": absurd bbox ", entry["bbox"].dump());
  check_input(xywh[2] > 0 && xywh[3] > 0, where, ": bbox ", entry["bbox"].dump(),
              " has no positive width and height");
  for (size_t i = 0; i < 2; ++i) {
    box.xyxy[i] = float(xywh[i]);
    box.xyxy[i + 2] = float(xywh[i] + xywh[i + 2]);
  }
  box.score = entry.value("score", 1.0f);
  return box;
}

}  // namespace

BoxFile::BoxFile(const std::string& path) : path_(path) {
  std::ifstream in(path);
  check_input(bool(in), path, ": cannot read");
  Json json;
  try {
    json = Json::parse(in);
  } catch (const Json::exception& error) {
    fail_input(path, ": ", error.what());
  }
  std::map<int64_t, std::string> names;
  if (json.is_object()) {
    check_input(
        json.contains("images") && json.contains("annotations"), path,
        ": neither a list of boxes nor COCO annotations with \"images\" and \"annotations\"");
    for (const Json& image : json["images"]) {
      const std::string key = key_of(image.value("file_name", ""));
      names[image.value("id", int64_t{-1})] = key;
      ids_[key] = image.value("id", int64_t{-1});
    }
    json = json["annotations"];
  }
  check_input(json.is_array(), path, ": a list of boxes expected");
  for (size_t i = 0; i < json.size(); ++i) {
    const Json& entry = json[i];
    const std::string where = path + ": entry " + std::to_string(i);
    const Box box = parse_box(entry, where);
    std::string key;
    if (entry.contains("file_name")) {
      key = key_of(entry.value("file_name", ""));
    } else {
      check_input(entry.contains("image_id") && entry["image_id"].is_number_integer(), where,
                  ": neither \"file_name\" nor \"image_id\"");
      const int64_t id = entry["image_id"].get<int64_t>();
      const auto name = names.find(id);
      key = name != names.end() ? name->second : std::to_string(id);
      ids_[key] = id;
    }
    by_name_[key].push_back(box);
  }
}

bool BoxFile::has(const std::string& image) const { return by_name_.contains(key_of(image)); }

const std::vector<BoxFile::Box>& BoxFile::of(const std::string& image) const {
  const auto it = by_name_.find(key_of(image));
  check_input(it != by_name_.end(), path_, ": no box for ", image);
  return it->second;
}

int64_t BoxFile::image_id(const std::string& image, int64_t fallback) const {
  const auto it = ids_.find(key_of(image));
  return it == ids_.end() ? fallback : it->second;
}

}  // namespace limber::tool
