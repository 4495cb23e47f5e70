// What a piece of work queues on a GPU, written down while it runs: may it be captured once and
// replayed? It may where two runs on different numbers queue the same, and the host reads nothing
// of the device in between.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/cuda/runtime/gpu.h"

namespace limber::kernels::gpu {

// Sees what the thread that made it queues, while it lives.
class QueueWatch {
 public:
  QueueWatch();
  ~QueueWatch();
  QueueWatch(const QueueWatch&) = delete;
  QueueWatch& operator=(const QueueWatch&) = delete;
  static QueueWatch* of_thread();  // the innermost one, or null

  // One thing queued: its name, which must live on, and a hash of the numbers that a graph would
  // keep.
  struct Step {
    const char* name;
    uint64_t numbers;
  };
  const std::vector<Step>& steps() const { return steps_; }
  // The first thing that a graph cannot do, a wait of the host among them; "" for none.
  const std::string& refusal() const { return refusal_; }

  // A launch: its extents and arguments. Addresses differ from run to run; structs hold what the
  // shapes and attributes of an op say, which is not this class's to compare.
  template <class... Args>
  void launch(const char* kernel, int64_t blocks, const Args&... args) {
    uint64_t hash = mixed(0, &blocks, sizeof blocks);
    ((hash = with(hash, args)), ...);
    saw(kernel, hash);
  }
  void copy(const void* from, size_t bytes, Copy direction);
  void waited() { note_read("the host waits for the device"); }
  void refuse(const std::string& why) {
    if (refusal_.empty()) refusal_ = why;
  }
  void saw(const char* name, uint64_t numbers) { steps_.push_back({name, numbers}); }
  // The next copy from here brings numbers that every run brings anew.
  void expect_new(const void* from) { expected_ = from; }
  // Reads are not counted while `ignored`.
  void ignore_reads(bool ignored) { ignores_reads_ = ignored; }

  // FNV-1a, Fowler, Noll and Vo.
  static uint64_t mixed(uint64_t hash, const void* data, size_t bytes) {
    if (hash == 0) hash = 0xcbf29ce484222325;
    const auto* at = static_cast<const unsigned char*>(data);
    for (size_t i = 0; i < bytes; ++i) hash = (hash ^ at[i]) * 0x100000001b3;
    return hash;
  }

 private:
  template <class T>
  static uint64_t with(uint64_t hash, const T& argument) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>)
      return mixed(hash, &argument, sizeof argument);
    return hash;
  }
  void note_read(const std::string& what);

  QueueWatch* outer_;
  std::vector<Step> steps_;
  std::string refusal_;
  const void* expected_ = nullptr;
  bool ignores_reads_ = false;
};

}  // namespace limber::kernels::gpu
