// The C interface over Session: no exception leaves it.
#include "infer/limber.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "infer/session.h"

struct limber_session {
  limber::Session session;
  std::string error;
};

namespace {

void put_text(const char* text, char* to, size_t size) {
  if (to == nullptr || size == 0) return;
  const size_t n = std::min(std::strlen(text), size - 1);
  std::memcpy(to, text, n);
  to[n] = 0;
}

}  // namespace

limber_session* limber_open(const char* path, int threads, char* error, size_t error_size) {
  try {
    limber::check_input(path != nullptr, "no path");
    return new limber_session{limber::Session(path, threads), {}};
  } catch (const std::bad_alloc&) {
    put_text("out of memory", error, error_size);
  } catch (const std::exception& e) {
    put_text(e.what(), error, error_size);
  } catch (...) {
    put_text("unknown error", error, error_size);
  }
  return nullptr;
}

void limber_close(limber_session* session) { delete session; }

const char* limber_model_name(const limber_session* s) { return s->session.model().name.c_str(); }

int limber_keypoint_count(const limber_session* s) {
  return int(s->session.model().keypoints.size());
}

const char* limber_keypoint_name(const limber_session* s, int index) {
  if (index < 0 || index >= limber_keypoint_count(s)) return nullptr;
  return s->session.model().keypoints[size_t(index)].c_str();
}

void limber_input_size(const limber_session* s, int* width, int* height) {
  if (width != nullptr) *width = s->session.model().input.width;
  if (height != nullptr) *height = s->session.model().input.height;
}

int limber_max_batch(const limber_session* s) { return int(s->session.max_batch()); }

size_t limber_memory(const limber_session* s) { return size_t(s->session.memory()); }

int limber_run(limber_session* s, const uint8_t* rgb, int width, int height, size_t stride,
               const float* boxes, int count, float* keypoints, float* scores) {
  s->error.clear();
  try {
    limber::check_input(count >= 0 && (count == 0 || (keypoints != nullptr && scores != nullptr)),
                        "no room for the results of ", count, " boxes");
    const float whole[4] = {0, 0, float(width), float(height)};
    s->session.run({rgb, width, height, int64_t(stride)}, boxes != nullptr ? boxes : whole,
                   boxes != nullptr ? count : 1, keypoints, scores);
    return 0;
  } catch (const std::exception& e) {
    s->error = e.what();
  } catch (...) {
    s->error = "unknown error";
  }
  return -1;
}

const char* limber_error(const limber_session* s) { return s->error.c_str(); }

const char* limber_version(void) { return LIMBER_VERSION; }
