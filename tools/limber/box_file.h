// Boxes of people for top-down prediction, from a JSON file.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace limber::tool {

// Either COCO annotations ({"images", "annotations"}) or a list of boxes, each with "bbox" (x, y,
// w, h), "score" (1 where absent) and "file_name" or "image_id". Files are matched by name, and
// where the name is a number by it.
class BoxFile {
 public:
  struct Box {
    std::array<float, 4> xyxy{};
    float score = 1;
  };
  // Throws InputError naming the file and the entry that is broken.
  explicit BoxFile(const std::string& path);
  bool has(const std::string& image) const;
  // Throws InputError where the file has no box for this image.
  const std::vector<Box>& of(const std::string& image) const;
  // The image's id in the file, or `fallback`.
  int64_t image_id(const std::string& image, int64_t fallback) const;

 private:
  std::string path_;
  std::map<std::string, std::vector<Box>> by_name_;
  std::map<std::string, int64_t> ids_;
};

}  // namespace limber::tool
