// Runs the threads of a block as fibres of one host thread.
//
// A thread runs until it reaches a barrier (or a warp's exchange of values) that others have not
// reached; then another one goes on. A barrier that can never be complete is an error that names
// the kernel. Threads and blocks start in ascending order, with set_reverse_order in descending
// order: a kernel without a race gives the same bits in both.
#pragma once

#include <cstddef>
#include <cstdint>

namespace limber::emulator {

struct Index {
  unsigned x = 0, y = 0, z = 0;
};

struct Thread {
  Index index;
};
Thread& current_thread();

struct LaunchState {
  Index block, block_extent{1, 1, 1}, grid_extent{1, 1, 1};
  void* shared = nullptr;  // the launch's dynamic shared memory
};
LaunchState& launch_state();

void block_barrier();

// What the lanes of a warp handed in, and which lanes did.
struct Exchange {
  uint64_t value[32];
  unsigned lanes;
};
// `mask` must name all lanes of the warp that have not returned.
const Exchange& warp_exchange(unsigned mask, uint64_t value);

[[noreturn]] void trap();  // the launch ends with an error

// Calls body(context) as every thread of every block. Launches of several host threads run one
// after another. Throws std::runtime_error for an incomplete barrier or a trap.
struct LaunchShape {
  const char* name;
  unsigned blocks, threads;
  size_t shared_bytes;
};
void run_launch(const LaunchShape& shape, void (*body)(const void* context), const void* context);

void set_reverse_order(bool reverse);
uint64_t launches();  // so far

}  // namespace limber::emulator
