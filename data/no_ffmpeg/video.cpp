// What a build without FFmpeg's libraries answers to videos.
#include "data/video.h"
#include "tensor/error.h"

namespace limber {
namespace {

[[noreturn]] void refuse(const std::string& path) {
  fail_input(path,
             ": this build reads and writes no videos; install libavformat-dev, "
             "libavcodec-dev and libswscale-dev and build again");
}

}  // namespace

struct VideoReader::State {};
struct VideoWriter::State {};

VideoReader::VideoReader(const std::string& path) { refuse(path); }
VideoReader::~VideoReader() = default;
std::optional<Tensor> VideoReader::next() { return std::nullopt; }
double VideoReader::frame_rate() const { return 0; }

VideoWriter::VideoWriter(const std::string& path, double) { refuse(path); }
VideoWriter::~VideoWriter() = default;
void VideoWriter::add(const Tensor&) {}
void VideoWriter::finish() {}

}  // namespace limber
