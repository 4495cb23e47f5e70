// Frames of a video file as images (data/image.h), and images as a video file, through FFmpeg's
// libraries. A build without them says so when a video is met: InputError naming the package.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tensor/tensor.h"

namespace limber {

// By the name's ending: .mp4, .avi, .mov, .mkv, .webm, .mpg, .mpeg, .m4v, .wmv, .gif.
bool is_video(const std::string& path);
// The name that frame `index` of a video goes by, "walk.mp4#000012", and the video of such a name;
// empty for other names.
std::string frame_name(const std::string& video, int64_t index);
std::string video_of_frame(const std::string& name);

class VideoReader {
 public:
  // Throws InputError naming the file when it is missing, holds no video, or one that no decoder
  // is there for, or larger frames than images may have.
  explicit VideoReader(const std::string& path);
  ~VideoReader();
  VideoReader(const VideoReader&) = delete;
  VideoReader& operator=(const VideoReader&) = delete;

  // The next frame, u8 (H, W, 3), upright as its rotation mark asks; nothing at the end. A damaged
  // packet is passed over, as players do.
  std::optional<Tensor> next();
  double frame_rate() const;  // frames a second on average; 25 where the file does not say

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Writes H.264 where the libraries can, else MPEG-4 part 2, into the container that the name's
// ending stands for. An odd side is widened by a pixel, since both formats want even ones.
class VideoWriter {
 public:
  VideoWriter(const std::string& path, double frame_rate);
  ~VideoWriter();
  VideoWriter(const VideoWriter&) = delete;
  VideoWriter& operator=(const VideoWriter&) = delete;

  // image: u8 (H, W, 3), of one size for all. Throws InputError naming the file when it cannot be
  // written.
  void add(const Tensor& image);
  // Writes what is left. Without it the file is cut short.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace limber
