#include "kernels/cuda/emulator/scheduler.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/cuda/emulator/fibre.h"

namespace limber::emulator {
namespace {

enum class Waits : uint8_t { nothing, block, warp };

struct Lane : Thread {
  Fibre* fibre = nullptr;
  Waits waits = Waits::nothing;
  unsigned exchanges = 0;  // of this lane so far
};

struct Warp {
  Exchange slots[2];  // used in turn: a lane may write its next value before all have read the last
  unsigned alive = 0, arrived = 0;  // lanes
};

struct Trapped {};  // ends a thread whose launch has failed

// One block at a time, and all fibres that ever ran one.
struct Block {
  LaunchState state;
  LaunchShape shape{};
  void (*body)(const void*) = nullptr;
  const void* context = nullptr;
  std::vector<Lane> lanes;
  std::vector<Warp> warps;
  std::deque<Lane*> ready;  // released from a barrier
  Lane* current = nullptr;
  unsigned started = 0, alive = 0, at_barrier = 0;
  std::string error;
  bool reverse = false;
  uint64_t launches = 0;
  std::vector<std::unique_ptr<Fibre>> fibres;
  std::vector<Fibre*> idle;
  Fibre* running = nullptr;

  Warp& warp_of(const Lane& lane) { return warps[size_t(&lane - lanes.data()) / 32]; }
  void release_block();
  void release_warp(Warp& warp);
  void wait(Waits what);
  void run_thread();
  void finish(Lane& lane);
  void run();
};

Block& block() {
  static Block& instance = *new Block;
  return instance;
}

void Block::release_block() {
  for (Lane& lane : lanes)
    if (lane.waits == Waits::block) {
      lane.waits = Waits::nothing;
      ready.push_back(&lane);
    }
  at_barrier = 0;
}

void Block::release_warp(Warp& warp) {
  Lane* first = &lanes[size_t(&warp - warps.data()) * 32];
  const size_t count = std::min<size_t>(32, size_t(lanes.data() + lanes.size() - first));
  for (size_t i = 0; i < count; ++i)
    if (first[i].waits == Waits::warp) {
      first[i].waits = Waits::nothing;
      ready.push_back(&first[i]);
    }
  warp.arrived = 0;
}

// Leaves the current thread's fibre until somebody has put the thread into `ready` again.
void Block::wait(Waits what) {
  Lane* lane = current;
  lane->waits = what;
  lane->fibre = running;
  running->leave();
  if (!error.empty()) throw Trapped{};
}

void Block::finish(Lane& lane) {
  Warp& warp = warp_of(lane);
  warp.alive &= ~(1u << (lane.index.x & 31));
  --alive;
  if (alive > 0 && at_barrier == alive) release_block();
  if (warp.alive != 0 && warp.arrived == warp.alive) release_warp(warp);
}

void Block::run_thread() {
  const unsigned n = shape.threads, at = reverse ? n - 1 - started : started;
  ++started;
  Lane& lane = lanes[at];
  current = &lane;
  try {
    body(context);
  } catch (const Trapped&) {
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  finish(lane);
}

// What a fibre does for ever: threads that have not begun, one after another; then it is idle.
void fibre_body(void*) {
  Block& b = block();
  Fibre* self = b.running;
  while (true) {
    while (b.started < b.shape.threads && b.error.empty()) b.run_thread();
    b.idle.push_back(self);
    self->leave();
  }
}

void Block::run() {
  const unsigned n = shape.threads;
  lanes.assign(n, {});
  warps.assign((n + 31) / 32, {});
  for (unsigned i = 0; i < n; ++i) {
    lanes[i].index.x = i;
    warps[i / 32].alive |= 1u << (i & 31);
  }
  ready.clear();
  started = at_barrier = 0;
  alive = n;
  while (alive > 0) {
    if (!ready.empty()) {
      current = ready.front();
      ready.pop_front();
      running = current->fibre;
    } else if (started < n && error.empty()) {
      if (idle.empty()) {
        fibres.push_back(std::make_unique<Fibre>(fibre_body, nullptr));
        idle.push_back(fibres.back().get());
      }
      running = idle.back();
      idle.pop_back();
    } else {
      if (error.empty())
        error = std::to_string(at_barrier) + " of the " + std::to_string(alive) +
                " threads that have not returned wait at __syncthreads, the others for lanes of "
                "their warp: no barrier can be complete";
      alive -= n - started;  // these never begin
      started = n;
      for (Lane& lane : lanes)  // the waiting threads end by Trapped
        if (lane.waits != Waits::nothing) {
          lane.waits = Waits::nothing;
          ready.push_back(&lane);
        }
      if (ready.empty()) break;
      continue;
    }
    running->enter();
  }
}

}  // namespace

Thread& current_thread() { return *block().current; }
LaunchState& launch_state() { return block().state; }

void block_barrier() {
  Block& b = block();
  if (++b.at_barrier == b.alive) return b.release_block();
  b.wait(Waits::block);
}

const Exchange& warp_exchange(unsigned mask, uint64_t value) {
  Block& b = block();
  Lane& lane = *b.current;
  Warp& warp = b.warp_of(lane);
  if ((warp.alive & ~mask) != 0)
    throw std::runtime_error("a warp's exchange without some of its lanes is not emulated");
  Exchange& slot = warp.slots[lane.exchanges++ & 1];
  const unsigned bit = 1u << (lane.index.x & 31);
  if (warp.arrived == 0) slot.lanes = 0;
  slot.value[lane.index.x & 31] = value;
  slot.lanes |= bit;
  warp.arrived |= bit;
  if (warp.arrived == warp.alive) {
    b.release_warp(warp);
  } else {
    b.wait(Waits::warp);
  }
  return slot;
}

void trap() { throw std::runtime_error("the kernel trapped"); }

void run_launch(const LaunchShape& shape, void (*body)(const void*), const void* context) {
  static std::mutex one_at_a_time;
  std::lock_guard lock(one_at_a_time);
  Block& b = block();
  ++b.launches;
  b.shape = shape;
  b.body = body;
  b.context = context;
  b.error.clear();
  b.state.grid_extent.x = shape.blocks;
  b.state.block_extent.x = shape.threads;
  std::unique_ptr<void, void (*)(void*)> shared(
      std::malloc(std::max<size_t>(shape.shared_bytes, 1)), std::free);
  b.state.shared = shared.get();
  for (unsigned i = 0; i < shape.blocks && b.error.empty(); ++i) {
    b.state.block.x = b.reverse ? shape.blocks - 1 - i : i;
    b.run();
  }
  if (!b.error.empty()) throw std::runtime_error(std::string(shape.name) + ": " + b.error);
}

void set_reverse_order(bool reverse) { block().reverse = reverse; }
uint64_t launches() { return block().launches; }

}  // namespace limber::emulator
