// The C interface as a C++ class: limber.h says what the calls do. Throws std::runtime_error.
#ifndef LIMBER_HPP_
#define LIMBER_HPP_

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#if __has_include("infer/limber.h")
#include "infer/limber.h"
#else
#include "limber.h"
#endif

namespace limber_infer {

struct Picture {
  const uint8_t* rgb;
  int width, height;
  size_t stride;  // bytes from row to row
};
struct Box {
  float x, y, width, height;
};
struct Keypoint {
  float x, y, score;
};

class Session {
 public:
  explicit Session(const std::string& path, int threads = 0) {
    char error[512];
    session_.reset(limber_open(path.c_str(), threads, error, sizeof error));
    if (!session_) throw std::runtime_error(error);
  }

  int keypoint_count() const { return limber_keypoint_count(session_.get()); }
  std::string keypoint_name(int i) const { return limber_keypoint_name(session_.get(), i); }
  size_t memory() const { return limber_memory(session_.get()); }

  // One vector of key points per box.
  std::vector<std::vector<Keypoint>> run(const Picture& picture, const std::vector<Box>& boxes) {
    const size_t K = size_t(keypoint_count()), N = boxes.size();
    std::vector<float> points(2 * N * K), scores(N * K);
    const float* numbers = N > 0 ? &boxes[0].x : nullptr;
    if (N > 0 && limber_run(session_.get(), picture.rgb, picture.width, picture.height,
                            picture.stride, numbers, int(N), points.data(), scores.data()) != 0)
      throw std::runtime_error(limber_error(session_.get()));
    std::vector<std::vector<Keypoint>> found(N);
    for (size_t i = 0; i < N * K; ++i)
      found[i / K].push_back({points[2 * i], points[2 * i + 1], scores[i]});
    return found;
  }

 private:
  struct Close {
    void operator()(limber_session* s) const { limber_close(s); }
  };
  std::unique_ptr<limber_session, Close> session_;
};

}  // namespace limber_infer

#endif  // LIMBER_HPP_
