// TensorBoard's event files: scalars that `tensorboard --logdir` shows.
//
// A file is a sequence of records, each a length, its checksum, a serialised `Event` message and
// that one's checksum (TFRecord framing). The few fields used here are written by hand.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace limber {

class EventFile {
 public:
  // Creates `folder`/events.out.tfevents.<seconds>.<host>; throws InputError where it cannot.
  EventFile(const std::string& folder, int64_t seconds);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  void scalar(const std::string& tag, double value, int64_t step, double wall_time);
  void flush();

 private:
  void record(const std::string& message);
  std::FILE* file_;
};

// CRC-32C (Castagnoli), masked as TFRecord wants it.
uint32_t masked_crc32c(const std::string& bytes);

}  // namespace limber
