#include "data/video.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace limber {

bool is_video(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return std::tolower(c); });
  static constexpr const char* kEndings[] = {".mp4",  ".avi", ".mov", ".mkv", ".webm",
                                             ".mpeg", ".mpg", ".m4v", ".wmv", ".gif"};
  return std::ranges::find(kEndings, ending) != std::end(kEndings);
}

std::string frame_name(const std::string& video, int64_t index) {
  const std::string digits = std::to_string(index);
  return video + "#" + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

std::string video_of_frame(const std::string& name) {
  const size_t mark = name.rfind('#');
  const std::string video = name.substr(0, mark);
  return mark != std::string::npos && is_video(video) ? video : "";
}

}  // namespace limber
